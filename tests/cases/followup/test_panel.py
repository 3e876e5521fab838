"""The assistant beside a case that waits: what it says, what one click does, and a whole episode in a real browser."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, expect

from cases.enums import AbsenceState, Channel, Direction, FollowUpStep, Resolution, Status, WaitReason
from cases.followup import absences as absence_log
from cases.followup.apply import follow_up
from cases.followup.panel import waiting_panel
from cases.followup.state import load_wait
from cases.mail.outbox import deliver
from cases.models import Absence, Case, FollowUp, Interaction, Mail
from cases.models.contact_log import TELLS_CUSTOMER
from cases.workflow import transitions
from contacts.models import Contact, User
from escalations.forecast.simulate import Kind, forecast_of
from tests.support.browser import open_form, picture
from tests.support.builders import NOON, Desk, build_desk
from tests.support.pages import form_of, panel_of

pytestmark = pytest.mark.django_db

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)


def asked(desk: Desk, reason: WaitReason = WaitReason.INFORMATION, **fields: Any) -> Case:
    case = desk.open_case(NOON, **fields)
    return transitions.ask_customer(
        case.pk, desk.technician, NOON, question="Which floor?", reason=reason, send=False, channel=Channel.PHONE
    )


def side(case: Case, user: User, now: datetime, slug: str = "waiting") -> str:
    """What a panel of the case's page says to a person at a moment."""
    client = Client()
    client.force_login(user)
    with time_machine.travel(now, tick=False):
        panel = panel_of(client, case, slug)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", panel)).split()).replace(" .", ".")


def press(case: Case, user: User, name: str, now: datetime, **typed: Any) -> str:
    """Press a button of the page; what the page says then."""
    client = Client()
    client.force_login(user)
    with time_machine.travel(now, tick=False):
        answer = client.post(reverse("admin:cases_case_do", args=[case.pk, name]), typed, follow=True)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def test_it_says_which_attempt_is_next_the_first_day_for_it_and_why_not_sooner(desk: Desk) -> None:  # F3
    case = asked(desk)
    said = side(case, desk.technician, NOON + HOUR)
    assert "Attempt 1 of 3" in said
    assert "Counts from Thu 4 June on. The desk writes" in said
    assert "does not count: the next attempt counts from Thu 4 June on" in said
    assert "Thu 4 June: the first attempt is on the next business day after we asked, Wed 3 June." in said
    assert "If nobody answers it closes on Thu 11 June 2026, 11:00 (Berlin, UTC+02:00)." in said
    assert "A call now counts." in side(case, desk.technician, NOON + 19 * HOUR)
    assert "A call now counts, but it is 01:00 there." in side(case, desk.technician, NOON + 11 * HOUR)


def test_one_click_logs_a_call_as_an_attempt_and_one_too_early_says_that_it_does_not_count(desk: Desk) -> None:  # F3
    case = asked(desk)
    early = press(case, desk.technician, "log_attempt", NOON + HOUR, outcome="no_answer")
    assert "It does not count as an attempt: the next attempt counts from Thu 4 June on" in early
    counted = press(case, desk.technician, "log_attempt", NOON + 19 * HOUR, outcome="left_message")
    assert "The contact is logged and counts as the first attempt." in counted
    again = press(case, desk.technician, "log_attempt", NOON + 19 * HOUR + MINUTE, outcome="left_message")
    assert "You logged exactly this a moment ago" in again
    assert Interaction.objects.filter(reached=False).count() == 2
    assert list(Interaction.objects.filter(reached=False).values_list("channel", "direction", "body")) == [
        (Channel.PHONE, Direction.OUT, "Called: no answer."),
        (Channel.PHONE, Direction.OUT, "Called: left a message."),
    ]
    assert FollowUp.objects.get().step == "attempt-1"
    assert "Say how the call went" in press(case, desk.technician, "log_attempt", NOON + DAY, outcome="sang")


def test_a_second_call_is_no_second_click_once_the_page_has_shown_the_first(desk: Desk) -> None:  # C3, S4
    case = asked(desk)
    client = Client()
    client.force_login(desk.technician)
    address = reverse("admin:cases_case_do", args=[case.pk, "log_attempt"])

    def shown() -> str:
        page = client.get(case.get_absolute_url()).content.decode()
        return re.findall(r'name="last_logged" value="(\d+)"', page)[0]

    with time_machine.travel(NOON + HOUR, tick=False):
        before = shown()
        for _ in range(2):  # a double click
            answer = client.post(address, {"outcome": "no_answer", "last_logged": before}, follow=True)
    calls = Interaction.objects.filter(outcome="no_answer")
    assert calls.count() == 1
    assert "nothing was logged twice" in answer.content.decode()
    with time_machine.travel(NOON + HOUR + MINUTE, tick=False):
        again = answer.context["form"]["last_logged"].value()  # the page of the refusal carries it as well
        assert again == shown() != before
        client.post(address, {"outcome": "no_answer", "last_logged": again})
    assert calls.count() == 2


def test_a_call_logged_by_mistake_is_withdrawn_in_one_click_and_counts_for_nothing(desk: Desk) -> None:  # C3, F3
    case = asked(desk)
    morning = NOON + 19 * HOUR
    press(case, desk.technician, "log_attempt", morning, outcome="left_message")
    assert load_wait(Case.objects.get(pk=case.pk)).done[FollowUpStep.ATTEMPT_1].by_person
    assert "Logged by mistake" in side(case, desk.technician, morning + MINUTE)
    assert "Logged by mistake" not in side(case, desk.l3, morning + MINUTE)
    mistaken = Interaction.objects.get(outcome="left_message")
    assert "can be withdrawn" in press(case, desk.l3, "withdraw_call", morning + MINUTE, interaction=mistaken.pk)
    said = press(case, desk.technician, "withdraw_call", morning + MINUTE, interaction=mistaken.pk)
    assert "counts for nothing" in said
    wait = load_wait(Case.objects.get(pk=case.pk))
    assert wait.done == {}
    follow_up(NOON + 20 * HOUR)
    deliver(lambda: NOON + 20 * HOUR)
    assert [(row.step, row.time) for row in FollowUp.objects.order_by("pk")] == [("attempt-1", 1), ("attempt-1", 2)]
    assert Mail.objects.filter(template="attempt").count() == 1
    later = press(case, desk.technician, "withdraw_call", NOON + 21 * HOUR, interaction=mistaken.pk)
    assert "can be withdrawn" in later


def test_reached_them_is_a_call_of_ours_and_ends_the_wait(desk: Desk) -> None:  # C3, F3
    case = asked(desk)
    client = Client()
    client.force_login(desk.technician)
    with time_machine.travel(NOON + HOUR, tick=False):
        assert "do=reached_customer" in panel_of(client, case, "waiting")
        assert "Logged as your call" in form_of(client, case, "reached_customer")
    said = press(case, desk.technician, "reached_customer", NOON + HOUR, channel="phone", body="The third one.")
    assert "The call is logged" in said
    call = Interaction.objects.get(body="The third one.")
    assert (call.channel, call.direction, call.outcome, call.by) == (
        Channel.PHONE,
        Direction.OUT,
        "reached",
        desk.technician,
    )
    assert Case.objects.get(pk=case.pk).status == Status.IN_PROGRESS


def test_a_call_that_nobody_took_tells_the_customer_nothing(desk: Desk) -> None:  # T1, T2
    case = asked(desk)
    press(case, desk.technician, "log_attempt", NOON + HOUR, outcome="no_answer")
    press(case, desk.technician, "log_attempt", NOON + HOUR, outcome="left_message")
    told = [(row.outcome, row.tells_customer) for row in Interaction.objects.order_by("pk")[1:]]
    assert told == [("reached", True), ("no_answer", False), ("left_message", True)]
    rows = Interaction.objects.filter(TELLS_CUSTOMER).values_list("outcome", flat=True).order_by("pk")
    assert list(rows) == ["reached", "left_message"]


def test_a_draft_is_sent_as_ones_own_mail_and_counts(desk: Desk) -> None:  # F3
    case = asked(desk)
    client = Client()
    client.force_login(desk.technician)
    with time_machine.travel(NOON + 19 * HOUR, tick=False):
        panel = html.unescape(panel_of(client, case, "waiting"))
        draft = re.search(r'href="([^"]*do=write_to_customer[^"]*)"', panel)
        assert draft
        page = client.get(draft[1]).content.decode()
        assert "I am writing about your case" not in html.unescape(form_of(client, case, "write_to_customer"))
    assert "I am writing about your case “Nobody can print”" in html.unescape(page)
    said = press(case, desk.technician, "write_to_customer", NOON + 19 * HOUR, body="Could you let us know?")
    assert "The mail is on its way to Help desk of Acme and counts as the first attempt." in said
    assert Mail.objects.get(template="message").facts["message"] == "Could you let us know?"


def test_the_owner_of_somebody_who_prefers_the_phone_is_named_with_the_time(desk: Desk) -> None:  # F3
    Contact.objects.update(phone="+49 30 1234")
    case = asked(desk, preferred_means="phone")
    said = side(case, desk.technician, NOON + HOUR)
    assert "They prefer the phone: tech is told to call Thu 4 Jun, 08:00. The desk writes Thu 4 Jun, 14:00" in said


def test_every_step_of_pending_client_action_opens_to_its_why(desk: Desk) -> None:  # F2
    case = asked(desk, WaitReason.CANNOT_NOW)
    said = side(case, desk.technician, NOON + HOUR)
    assert "48 h after we asked." in said
    assert "7 d after we asked, and never sooner than 24 h after the final notice was sent." in said
    absence_log.note_absence(case.pk, desk.technician, NOON, back_on=date(2026, 6, 15))
    said = side(case, desk.technician, NOON + HOUR)
    assert "Asleep while they are away, until Mon 15 Jun, 08:00" in said
    assert "48 h after we asked would have been while they are away; it goes when they are back." in said


def test_a_pasted_note_is_read_shown_and_confirmed_in_one_click(desk: Desk) -> None:  # F5
    case = asked(desk)
    note = "Ich bin vom 5.6. bis einschließlich 12.6.2026 nicht im Büro.\n\nMit freundlichen Grüßen"
    assert "Please confirm the dates" in press(case, desk.technician, "note_absence", NOON + HOUR, note=note)
    said = side(case, desk.technician, NOON + HOUR, "absences")
    assert "Away from Fri 5 June, back on Sat 13 June" in said
    asleep = side(case, desk.technician, NOON + 2 * DAY)
    assert "Asleep while they are away, until Mon 15 Jun, 08:00" in asleep
    assert "Please confirm or correct the days below." in asleep
    absence = Absence.objects.get()
    assert "The dates are confirmed" in press(
        case, desk.technician, "confirm_absence", NOON + 2 * HOUR, absence=absence.pk
    )
    absence.refresh_from_db()
    assert (absence.state, absence.settled_by) == (AbsenceState.CONFIRMED, desk.technician)
    timeline = press(case, desk.technician, "confirm_absence", NOON + 2 * HOUR, absence=absence.pk)
    assert "Away from Fri 5 June, back on Sat 13 June." in timeline


def test_what_is_no_day_is_refused_in_a_sentence_and_the_note_is_kept(desk: Desk) -> None:  # S4
    case = asked(desk)
    said = press(case, desk.technician, "note_absence", NOON, note="Bin weg.", back_on="soon")
    assert "Write a day, such as 2026-06-15." in said
    assert "Bin weg." in said
    assert "back already" in press(case, desk.technician, "note_absence", NOON, back_on="2026-06-01")
    assert not Absence.objects.exists()


def test_an_absence_of_somebody_else_on_another_case_cannot_be_settled_from_here(desk: Desk) -> None:  # A1, F5
    case, other = asked(desk), asked(desk, contact=desk.end_user, opened_despite="It burns.")
    absence = absence_log.note_absence(other.pk, desk.technician, NOON, note="?")
    said = press(case, desk.technician, "dismiss_absence", NOON, absence=absence.pk)
    assert "This absence does not belong to the case" in said
    absence.refresh_from_db()
    assert absence.state == AbsenceState.UNREAD


def test_an_account_manager_reads_it_all_and_finds_nothing_to_press(desk: Desk) -> None:  # A1
    case = asked(desk)
    absence_log.note_absence(case.pk, desk.technician, NOON, note="?")
    said = side(case, desk.account_manager, NOON + HOUR) + side(case, desk.account_manager, NOON + HOUR, "absences")
    assert "Attempt 1 of 3" in said
    assert "How long are they away?" in said
    assert not any(word in said for word in ("No answer", "Note an absence", "Not an absence", "Write to them"))


def test_a_confirmation_we_waited_for_is_asked_for_and_resolves(desk: Desk) -> None:  # C4, F1
    case = asked(desk, WaitReason.CONFIRM)
    typed = {"channel": "phone", "body": "It works.", "confirms": "yes", "solution": "New toner."}
    assert "The customer confirmed it" in press(case, desk.technician, "customer_responded", NOON + HOUR, **typed)
    assert Case.objects.get(pk=case.pk).resolution == Resolution.CONFIRMED
    again = asked(desk, WaitReason.CONFIRM)
    unsaid = press(again, desk.technician, "customer_responded", NOON + HOUR, **typed | {"confirms": ""})
    assert "Say whether it is solved" in unsaid
    typed |= {"confirms": "no", "body": "Still not working."}
    assert "in progress again" in press(again, desk.technician, "customer_responded", NOON + HOUR, **typed)
    assert Case.objects.get(pk=again.pk).status == Status.IN_PROGRESS


def test_what_the_desk_does_on_its_own_has_the_same_words_in_the_forecast(desk: Desk) -> None:  # F3
    case = asked(desk)
    events = [(event.what, event.at) for event in forecast_of(case, NOON + HOUR).events if event.kind == Kind.NOTICE]
    with time_machine.travel(NOON + HOUR, tick=False):
        steps = waiting_panel(case, desk.technician, NOON + HOUR).context["steps"]
    assert events == [(step.label, step.at) for step in steps if step.at <= NOON + HOUR + 7 * DAY]
    assert [what for what, _ in events] == ["First attempt", "Second attempt", "Third attempt"]


# --- a whole episode by mouse -------------------------------------------------------------------------------------


@contextmanager
def at(stamp: str) -> Iterator[datetime]:
    """The clock of the desk, and it runs."""
    moment = datetime.fromisoformat(f"{stamp}+02:00")
    with time_machine.travel(moment, tick=True):
        yield moment


def tick(moment: datetime) -> None:
    """What beat and the worker do in that minute."""
    follow_up(moment)
    deliver(lambda: moment)


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_technician_is_led_through_a_whole_episode(live_server: Any, browser: Browser, settings: Any) -> None:
    # F1, F3 to F6
    settings.SESSION_COOKIE_AGE = 30 * 24 * 3600  # signed in once for the whole episode
    settings.DESK_SESSION_ENDS_AFTER_DAYS = 30
    desk = build_desk()
    Contact.objects.update(phone="+49 30 1234")
    case = desk.open_case(NOON - HOUR)
    page = browser.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 1000}).new_page()
    with at("2026-06-03 14:00"):
        page.goto(case.get_absolute_url())
        page.get_by_label("Username").fill("tech")
        page.get_by_label("Password").fill("secret")
        page.get_by_role("button", name="Log in").click()
        asking = open_form(page, "ask_customer")
        asking.get_by_label("Question").fill("Which floor is it?")
        expect(asking.get_by_label("How we follow up")).to_have_value("three_contacts")
        asking.get_by_role("button", name="Ask the customer").click()
        expect(page.get_by_text("Attempt 1 of 3")).to_be_visible()
        page.get_by_role("button", name="No answer").click()  # the same day: too early
        expect(page.get_by_text("It does not count as an attempt").first).to_be_visible()
        picture(page, "waiting-too-early")
    with at("2026-06-04 09:30"):
        page.goto(case.get_absolute_url())
        expect(page.get_by_text("A call now counts")).to_be_visible()
        page.get_by_role("button", name="Left a message").click()
        expect(page.get_by_text("counts as the first attempt").first).to_be_visible()
        expect(page.get_by_text("Attempt 2 of 3")).to_be_visible()
        noting = open_form(page, "note_absence")
        noting.get_by_label("Their note").fill("Ich bin vom 5.6. bis einschließlich 12.6.2026 nicht im Büro.")
        noting.get_by_role("button", name="Note an absence").click()
        expect(page.get_by_text("Away from Fri 5 June, back on Sat 13 June").first).to_be_visible()
        picture(page, "waiting-absence-read")
        page.get_by_role("button", name="Confirm the dates").click()
        expect(page.get_by_text("The dates are confirmed").first).to_be_visible()
    with at("2026-06-08 10:00") as monday:
        tick(monday)  # they are away: nothing happens
        page.goto(case.get_absolute_url())
        expect(page.get_by_text("Asleep while they are away")).to_be_visible()
        picture(page, "waiting-asleep")
    page.goto("about:blank")
    with transaction.atomic():  # a preview of that page may still hold the case, and a sweep skips what is held
        Case.objects.select_for_update().get()
    for stamp in ("2026-06-15 10:00", "2026-06-17 10:00"):
        with at(stamp) as moment:
            tick(moment)
    with at("2026-06-17 10:30"):
        page.goto(case.get_absolute_url())
        told = "The customer was told that it closes on Thu 18 June 2026, 11:00 (Berlin, UTC+02:00)."
        expect(page.get_by_text(told)).to_be_visible()
        picture(page, "waiting-announced")
        page.locator(".desk-side").get_by_text("Why then").last.click()
        expect(page.get_by_text("announced on Wed 17 June.")).to_be_visible()
    with at("2026-06-17 13:30"):
        page.goto(case.get_absolute_url())
        answer = open_form(page, "customer_responded")
        answer.locator("textarea").first.fill("The third one.")
        answer.get_by_role("button", name="Customer responded").click()
        expect(page.get_by_text("is in progress again").first).to_be_visible()
    tick(datetime.fromisoformat("2026-06-18T11:00+02:00"))
    assert Case.objects.get().status == Status.IN_PROGRESS
    mails = Mail.objects.filter(to_address=desk.contact.email).order_by("pk").values_list("template", flat=True)
    assert list(mails)[1:] == ["question", "attempt", "attempt_last"]
