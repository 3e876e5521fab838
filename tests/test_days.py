"""Whole days at the desk, by mouse in a real Chromium: a technician's, a Support Manager's, and two people on one case.

Each step is held to the rows and the mail it leaves. `Hand` counts the clicks, so that the short ways stay short.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import Browser, Locator, Page, expect

from cases.enums import Channel, Direction, Move, Resolution, Severity, Status
from cases.mail.outbox import deliver
from cases.models import Case, CaseWatcher, Interaction
from cases.workflow import contact_log, handing_on
from contacts.models import Contact, User
from escalations.enums import Origin, RequestStatus, SlaKind, SlaOutcome
from escalations.models import Escalation, EscalationRequest, Question, SlaTarget
from escalations.points.apply import escalate
from escalations.requests import apply as requests
from escalations.sla.apply import keep_promises
from tests.support.browser import log_in, open_form, open_row, picture
from tests.support.builders import Desk, build_technician, reload
from tests.support.outbox import Outbox
from tests.support.pages import signed_in

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


class Hand:
    """A mouse that counts: clicks and choices, and texts typed, since `begin`."""

    def __init__(self) -> None:
        self.clicks = self.texts = 0

    def begin(self) -> None:
        self.clicks = self.texts = 0

    def click(self, what: Locator) -> None:
        self.clicks += 1
        what.click()

    def choose(self, field: Locator, value: str) -> None:
        self.clicks += 1
        field.select_option(value)

    def write(self, field: Locator, text: str) -> None:
        self.texts += 1
        field.fill(text)

    @property
    def count(self) -> tuple[int, int]:
        """Clicks and choices, texts."""
        return self.clicks, self.texts


@pytest.fixture
def windows(browser: Browser, live_server: Any) -> Iterator[Any]:
    """Opens a window for each person; an error of a script in any of them fails the test."""
    errors: list[str] = []

    def window(user: User | None = None) -> Page:
        context = browser.new_context(viewport={"width": 1440, "height": 1000}, base_url=live_server.url)
        if user is not None:
            name = settings.SESSION_COOKIE_NAME
            session = signed_in(user).cookies[name].value
            context.add_cookies([{"name": name, "value": session, "url": live_server.url}])
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield window
    assert errors == []


def told(page: Page, sentence: str) -> None:
    """The page says so, once the move is done."""
    expect(page.get_by_text(sentence).first).to_be_visible()


def give(desk: Desk, case: Case, owner: User, now: datetime) -> None:
    """Whomever the rules chose, the case is this technician's."""
    if case.owner != owner:
        handing_on.hand_over(case, desk.manager, now, owner=owner)


def row_of(page: Page, case: Case) -> Locator:
    """The row of a case on My desk."""
    return page.locator(".work-row", has=page.locator(f"a[href='{case.get_absolute_url()}']"))


def moves_of(case: Case) -> list[tuple[str, str | None]]:
    rows = case.history.order_by("history_date", "history_id")
    return list(rows.values_list("last_move", "history_user__username"))


# --- a technician's day -----------------------------------------------------------------------------------------


def test_a_technicians_day(windows: Any, desk: Desk) -> None:  # W1, C3, C4, C8, E8
    now = datetime.now(UTC)
    colleague = build_technician(desk.centre, name="tessa")
    asked = desk.open_case(now - 12.2 * HOUR, severity=Severity.HIGH, title="Nobody can scan", channel=Channel.EMAIL)
    give(desk, asked, desk.technician, now - 12.2 * HOUR)
    escalate(now - 0.2 * HOUR)
    contact_log.log_contact(
        asked, desk.technician, now - HOUR / 6, channel=Channel.PHONE, direction=Direction.OUT, body="We are on it."
    )
    phoned = desk.open_case(now - HOUR / 2, severity=Severity.HIGH, title="Nobody can print")
    give(desk, phoned, desk.technician, now - HOUR / 2)
    foreign = desk.open_case(now - HOUR, severity=Severity.LOW, title="Second screen stays black")
    give(desk, foreign, colleague, now - HOUR)
    second = Contact.objects.create(
        company=desk.company, name="Night desk of Acme", email="night@acme.example.com", is_help_desk=True
    )
    keep_promises(now)
    deliver(lambda: now, keep=True)
    page, hand, posted = windows(), Hand(), Outbox()

    # My desk says what comes first, whatever it is, and leads there
    log_in(page, "tech")
    expect(page.locator(".work-row")).to_have_count(2)
    expect(row_of(page, asked).locator(".work-act")).to_contain_text("Answer High 1")
    expect(row_of(page, phoned).locator(".work-act")).to_contain_text("First response")
    picture(page, "day-desk")

    # the first response: a call, from the line that says what is next
    page.get_by_role("link", name=phoned.title).first.click()
    next_line = page.locator(".desk-next-line")
    expect(next_line).to_contain_text("First response")
    hand.begin()
    hand.click(next_line.get_by_role("link", name="Log a contact"))
    call = page.locator('[data-desk-form-of="log_contact"]')
    hand.write(call.get_by_label("What was said"), "They say it began after the update.")
    hand.click(call.get_by_role("button", name="Log a contact"))
    told(page, "The contact is logged")
    assert hand.count == (2, 1)
    logged = Interaction.objects.get(case=phoned, opened_the_case=False)
    assert (logged.channel, logged.direction, logged.by) == (Channel.PHONE, Direction.OUT, desk.technician)
    assert posted.letters() == []  # a call is logged, not mailed
    keep_promises(datetime.now(UTC))
    response = SlaTarget.objects.get(case=phoned, kind=SlaKind.RESPONSE)
    assert (response.outcome, response.ended_at) == (SlaOutcome.MET, logged.at)  # T1
    expect(next_line).to_contain_text("Tell the customer where it stands")
    posted.letters()

    # ask them, and wait
    hand.begin()
    hand.click(page.locator('.desk-composer-tabs a[data-desk-form="ask_customer"]'))
    asking = page.locator('[data-desk-form-of="ask_customer"]')
    hand.write(asking.get_by_label("Question"), "Which driver version is installed?")
    expect(asking.locator(".desk-preview")).to_contain_text("First attempt")
    expect(asking.get_by_text("First attempt")).to_be_in_viewport()  # E10: before the click, without scrolling
    hand.click(asking.get_by_role("button", name="Ask the customer"))
    told(page, f"{phoned.number} waits for the customer.")
    assert hand.count == (2, 1)
    assert reload(phoned).status == Status.WAITING
    assert posted.letters() == [("question", phoned.contact.email)]
    picture(page, "day-waiting")

    # take a colleague's case over
    page.goto(foreign.get_absolute_url())
    hand.begin()
    hand.click(page.locator("summary[aria-label='Owner: tessa']"))
    hand.click(page.get_by_role("button", name="Take over"))
    told(page, f"{foreign.number} is yours now.")
    assert hand.count == (2, 0)
    assert reload(foreign).owner == desk.technician
    assert CaseWatcher.objects.filter(case=foreign, user=colleague).exists()
    assert moves_of(foreign)[-1] == (Move.TAKEN_OVER, "tech")
    assert posted.letters() == [("owner_changed", colleague.email)]

    # answer the question for the status, from My desk
    page.goto(reverse("admin:index"))
    hand.begin()
    hand.click(row_of(page, asked).get_by_role("link", name="Answer"))
    line = page.get_by_label("Your answer, in a line")
    expect(line).to_be_focused()
    hand.write(line, "The vendor sends a new board tomorrow.")
    hand.click(page.locator('[data-desk-form-of="answer_question"]').get_by_role("button", name="Answer"))
    told(page, "Your answer is logged")
    assert hand.count == (2, 1)
    question = Question.objects.get(case=asked)
    assert (question.answer, question.answered_by) == ("The vendor sends a new board tomorrow.", desk.technician)
    assert all(address != asked.contact.email for _, address in posted.letters())  # E8: nothing was marked for them

    # write to the customer, with a copy
    hand.begin()
    hand.click(page.locator('.desk-composer-tabs a[data-desk-form="write_to_customer"]'))
    writing = page.locator('[data-desk-form-of="write_to_customer"]')
    expect(writing.get_by_text(f"{asked.contact.name} reads this.")).to_be_visible()
    hand.write(writing.get_by_label("Message"), "A new board comes tomorrow; keep the old one.")
    hand.click(writing.get_by_label(second.name))
    hand.click(writing.get_by_role("button", name="Write to the customer"))
    told(page, f"The mail is on its way to {asked.contact.name} and {second.name}.")
    assert hand.count == (3, 1)
    assert sorted(address for _, address in posted.letters()) == sorted([asked.contact.email, second.email])

    # and resolve what was taken over
    page.goto(foreign.get_absolute_url())
    hand.begin()
    hand.click(page.locator('.desk-composer-tabs a[data-desk-form="resolve"]'))
    solving = page.locator('[data-desk-form-of="resolve"]')
    hand.choose(solving.get_by_label("Why it closes"), Resolution.CONFIRMED)
    hand.choose(solving.get_by_label("How they agreed"), "phone")
    hand.write(solving.get_by_label("Solution"), "The cable was loose.")
    hand.click(solving.get_by_role("button", name="Resolve"))
    told(page, f"{foreign.number} is resolved; the customer is told.")
    assert hand.count == (4, 1)
    closed = reload(foreign)
    assert (closed.status, closed.resolution, closed.solution) == (
        Status.RESOLVED,
        Resolution.CONFIRMED,
        "The cable was loose.",
    )
    assert ("resolved", foreign.contact.email) in posted.letters()

    # the end of the shift: what is left is handed over from My desk
    page.goto(reverse("admin:index"))
    expect(row_of(page, foreign)).to_have_count(0)
    picture(page, "day-end")
    hand.begin()
    hand.click(page.get_by_role("link", name="Hand over your open cases"))
    hand.choose(page.locator("[name=owner]"), str(colleague.pk))
    hand.click(page.get_by_role("button", name="Hand them over"))
    told(page, "2 cases handed over: 2 to tessa.")
    assert hand.count == (3, 0)
    assert {reload(case).owner for case in (asked, phoned)} == {colleague}
    assert posted.letters() == [("cases_reassigned", colleague.email)]


# --- a Support Manager's day ------------------------------------------------------------------------------------


def test_a_support_managers_day(windows: Any, desk: Desk) -> None:  # E9, E10, C8, T4
    now = datetime.now(UTC)
    colleague = build_technician(desk.centre, name="tessa")
    late = desk.open_case(now - 2 * HOUR, severity=Severity.CRITICAL, title="Nobody can phone")
    urgent = desk.open_case(now - HOUR, severity=Severity.HIGH, title="Nobody can print", channel=Channel.EMAIL)
    for case in (late, urgent):
        give(desk, case, desk.technician, now - HOUR)
    keep_promises(now - HOUR)
    words = {"asked_by": "Ada Acme", "impact": "Forty orders a day.", "reason": "The quarter ends on Friday."}
    requests.request_escalation(urgent.pk, desk.account_manager, now - MINUTE, origin=Origin.CUSTOMER, **words)
    keep_promises(now)
    deliver(lambda: now, keep=True)
    page, hand, posted = windows(), Hand(), Outbox()

    # a request, decided with what it does in sight
    log_in(page, desk.manager.username)
    row = row_of(page, urgent)
    expect(row.locator(".work-act")).to_contain_text("Decide: High request by am")
    picture(page, "manager-desk")
    hand.begin()
    hand.click(row.get_by_role("link", name="Accept the request"))
    deciding = page.locator('[data-desk-form-of="accept_request"]')
    expect(deciding.get_by_text("The quarter ends on Friday.")).to_be_visible()
    preview = deciding.locator(".desk-preview")
    expect(preview).to_contain_text("csm")
    expect(preview.get_by_text("High 1.")).to_be_in_viewport()
    shown = preview.inner_text()
    picture(page, "manager-deciding")
    hand.click(deciding.get_by_role("button", name="Accept the request"))
    told(page, "The request is accepted")
    assert hand.count == (2, 0)
    request = EscalationRequest.objects.get()
    assert (request.decided_by, request.status) == (desk.manager, RequestStatus.ACCEPTED)
    point = Escalation.objects.get(case=urgent)
    assert (point.severity, point.number) == (Severity.HIGH, 1)
    for _, address in posted.letters():  # everybody who is mailed was named before the click
        contact = Contact.objects.filter(email=address).first()
        name = contact.name if contact else User.objects.get(email=address).username
        assert name in shown, address

    # a missed promise: from My desk to what was promised, to the case
    page.goto(reverse("admin:index"))
    hand.begin()
    hand.click(page.locator(".dash-figures a", has_text="missed in 24 h"))
    picture(page, "manager-missed")
    hand.click(page.get_by_role("link", name=late.number).first)
    expect(page.get_by_role("heading", name=late.title, exact=True)).to_be_visible()
    assert hand.count == (2, 0)
    missed = SlaTarget.objects.filter(case=late, kind=SlaKind.RESPONSE, outcome=SlaOutcome.BREACHED)
    assert missed.get().due_at == late.opened_at + HOUR / 2  # T1, T4
    expect(open_row(page, "promises")).to_contain_text("Missed on this case")

    # somebody fell ill: their queue goes to a colleague, one mail for all of it
    hand.begin()
    hand.click(page.locator(f"a[href='{reverse('admin:contacts_user_changelist')}']").first)
    hand.click(page.get_by_role("link", name="tech", exact=True).first)
    hand.click(page.get_by_role("link", name="choose which go to whom"))
    hand.choose(page.locator("[name=owner]"), str(colleague.pk))
    hand.click(page.get_by_role("button", name="Hand them over"))
    told(page, "2 cases handed over: 2 to tessa.")
    assert hand.count == (5, 0)
    assert {reload(case).owner for case in (late, urgent)} == {colleague}
    assert posted.letters() == [("cases_reassigned", colleague.email), ("owners_changed", desk.technician.email)]


# --- two people on one case -------------------------------------------------------------------------------------


def test_two_people_on_one_case(windows: Any, desk: Desk) -> None:  # C3, C4, C8, S4
    now = datetime.now(UTC)
    third = build_technician(desk.centre, name="tessa")
    case = desk.open_case(now - HOUR, title="Nobody can print", channel=Channel.EMAIL)
    give(desk, case, desk.technician, now - HOUR)
    deliver(lambda: now, keep=True)
    one, other, posted = windows(desk.l3), windows(third), Outbox()
    for page in (one, other):
        page.goto(case.get_absolute_url())

    # both log what they heard: two contacts, in the order in which they were
    for page, words in ((one, "It began at noon."), (other, "It began at noon, says the night desk.")):
        call = open_form(page, "log_contact")
        call.get_by_label("Who turned to whom").select_option("in")
        call.get_by_label("What was said").fill(words)
    for page in (one, other):
        page.locator('[data-desk-form-of="log_contact"]').get_by_role("button", name="Log a contact").click()
        told(page, "The contact is logged")
    logged = Interaction.objects.filter(case=case, opened_the_case=False).order_by("pk")
    assert list(logged.values_list("by__username", "body")) == [
        ("l3", "It began at noon."),
        ("tessa", "It began at noon, says the night desk."),
    ]
    expect(other.locator(".desk-timeline").get_by_text("It began at noon.", exact=True)).to_be_visible()

    # one asks, the other resolves on a page that does not know it: refused where one writes, and nothing is lost
    asking = open_form(one, "ask_customer")
    asking.get_by_label("Question").fill("Which driver version is installed?")
    solving = open_form(other, "resolve")
    solving.get_by_label("Why it closes").select_option(Resolution.CONFIRMED)
    solving.get_by_label("How they agreed").select_option("phone")
    solving.get_by_label("Solution").fill("The cable was loose.")
    asking.get_by_role("button", name="Ask the customer").click()
    told(one, f"{case.number} waits for the customer.")
    posted.letters()
    before = moves_of(case)
    solving.get_by_role("button", name="Resolve").click()
    expect(solving.get_by_role("alert").first).to_contain_text("l3")
    expect(solving.get_by_label("Solution")).to_have_value("The cable was loose.")
    expect(other).to_have_url(re.compile(r"/change/$"))
    picture(other, "two-stale")
    assert (reload(case).status, moves_of(case), posted.letters()) == (Status.WAITING, before, [])
    solving.get_by_role("button", name="Resolve").click()  # knowing it, and meaning it
    told(other, f"{case.number} is resolved; the customer is told.")
    assert reload(case).solution == "The cable was loose."


def test_the_second_of_two_takers_sees_who_was_first(windows: Any, desk: Desk) -> None:  # C8, S4
    now = datetime.now(UTC)
    third = build_technician(desk.centre, name="tessa")
    case = desk.open_case(now - HOUR, channel=Channel.EMAIL)
    give(desk, case, desk.technician, now - HOUR)
    one, other, posted = windows(desk.l3), windows(third), Outbox()
    for page in (one, other):
        page.goto(case.get_absolute_url())
        page.locator("summary[aria-label='Owner: tech']").click()
    one.get_by_role("button", name="Take over").click()
    told(one, f"{case.number} is yours now.")
    other.get_by_role("button", name="Take over").click()
    told(other, f"{case.number} belongs to l3 meanwhile")
    picture(other, "second-taker")
    assert reload(case).owner == desk.l3
    assert [move for move in moves_of(case) if move[0] == Move.TAKEN_OVER] == [(Move.TAKEN_OVER, "l3")]
    assert posted.letters() == [("owner_changed", desk.technician.email)]
