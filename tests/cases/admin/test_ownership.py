"""Cases taken over and handed over from their list, several in one step (C8)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser

from cases.admin import ownership
from cases.enums import Move, Resolution, Severity
from cases.mail.rendering import render
from cases.models import Case, CaseWatcher
from cases.workflow import handing_on, transitions
from contacts.enums import Level
from contacts.models import User
from tests.support.browser import open_form, picture
from tests.support.builders import Desk, build_desk, build_technician, reload
from tests.support.outbox import Outbox
from tests.support.pages import signed_in

pytestmark = pytest.mark.django_db

LIST, HAND_OVER, TAKE_OVER = (reverse(f"admin:cases_case_{name}") for name in ("changelist", "hand_over", "take_over"))


@pytest.fixture
def cases(desk: Desk) -> list[Case]:
    """Three of the technician's."""
    return [desk.open_case(now=timezone.now(), title=f"Printer {number}") for number in range(3)]


def selected(client: Client, cases: list[Case], action: str) -> str:
    """The page after these were ticked in the list."""
    answer = client.post(f"{LIST}?queue=open", {"action": action, "_selected_action": [case.pk for case in cases]})
    assert answer.status_code == 200
    return answer.content.decode()


def shown(text: str) -> list[str]:
    return re.findall(r'name="shown" value="([^"]*)"', text)


def sent(cases: list[Case], of: User, **typed: Any) -> dict[str, Any]:
    """What the page of these cases of somebody sends with every one ticked."""
    return {"shown": [f"{case.pk}:{of.pk}" for case in cases], "cases": [case.pk for case in cases], **typed}


def owners(cases: list[Case]) -> list[str]:
    return [str(reload(case).owner) for case in cases]


def said(client: Client, address: str, typed: dict[str, Any]) -> str:
    return client.post(address, typed, follow=True).content.decode()


def test_a_technician_hands_chosen_cases_to_one_colleague_who_gets_one_mail(desk: Desk, cases):  # C8
    client, posted = signed_in(desk.technician), Outbox()
    assert shown(selected(client, cases, "hand_over_selected")) == [f"{case.pk}:{desk.technician.pk}" for case in cases]
    typed = sent(cases, desk.technician, owner=desk.l3.pk, reason="End of my shift.")
    typed["cases"] = [cases[0].pk, cases[2].pk]
    assert "2 cases handed over: 2 to l3." in said(client, HAND_OVER, typed)
    assert owners(cases) == ["l3", "tech", "l3"]
    assert posted.letters() == [("cases_reassigned", "l3@example.com")]
    rendered = render(posted.rows()[0])
    assert rendered.subject == "2 cases are yours now"
    assert "The reason: End of my shift." in rendered.text
    for case in (cases[0], cases[2]):
        assert f"{case.number} {case.title} (Acme, Medium, Assigned)" in rendered.text
        row = reload(case).history.first()
        assert (row.last_move, row.history_change_reason) == (Move.REASSIGNED, "tech to l3: End of my shift.")
        assert CaseWatcher.objects.filter(case=case, user=desk.technician).exists()
    assert cases[1].number not in rendered.text


def test_without_a_colleague_the_rules_choose_for_each_case(desk: Desk, cases):  # C8, C6
    for name in ("tina", "tom"):
        build_technician(desk.centre, name=name)
    posted = Outbox()
    text = said(signed_in(desk.technician), HAND_OVER, sent(cases, desk.technician))
    assert "3 cases handed over: 2 to tina, 1 to tom." in text
    assert owners(cases) == ["tina", "tom", "tina"]
    assert posted.letters() == [("cases_reassigned", "tina@example.com"), ("reassigned", "tom@example.com")]
    assert reload(cases[0]).history.first().history_change_reason == (
        "tech to tina: L2 on duty in their business day who speaks the customer's language, least loaded."
    )
    assert "The reason" not in render(posted.rows()[0]).text


def test_the_rules_choose_an_l3_for_the_case_of_an_l3(desk: Desk, cases):  # C8, E7
    handing_on.hand_over(cases[0].pk, desk.technician, timezone.now(), owner=desk.l3)
    text = said(signed_in(desk.l3), HAND_OVER, sent(cases[:1], desk.l3))
    assert f"Left where they are: {cases[0].number} (there is nobody to give it to)." in text
    build_technician(desk.centre, Level.L3, "deep")
    said(signed_in(desk.l3), HAND_OVER, sent(cases[:1], desk.l3))
    assert owners(cases[:1]) == ["deep"]


def test_what_cannot_be_handed_over_is_left_with_the_reason(desk: Desk, cases):  # C8, S4
    resolved, taken, _ = cases
    typed = sent(cases, desk.technician, owner=desk.l3.pk)
    transitions.resolve(resolved.pk, desk.technician, timezone.now(), resolution=Resolution.NOT_PURSUED)
    handing_on.take_over(taken.pk, build_technician(desk.centre, name="tina"), timezone.now())
    posted = Outbox()
    text = said(signed_in(desk.manager), HAND_OVER, typed)
    assert "1 case handed over: 1 to l3." in text
    assert f"{resolved.number} ({resolved.number} is resolved; reopen it before it goes to somebody else)" in text
    assert f"{taken.number} (it belongs to tina meanwhile)" in text
    assert owners(cases) == ["tech", "tina", "l3"]
    assert posted.letters() == [("reassigned", "l3@example.com"), ("owner_changed", "tech@example.com")]


def test_cases_of_others_are_handed_over_by_the_manager_only(desk: Desk, cases):  # C8, A1
    typed, posted = sent(cases, desk.technician, owner=build_technician(desk.centre, name="tina").pk), Outbox()
    text = said(signed_in(desk.l3), HAND_OVER, typed)
    assert "is tech&#x27;s: take it over before you hand it to somebody, or ask a Support Manager" in text
    assert owners(cases) == ["tech"] * 3
    assert posted.letters() == []
    said(signed_in(desk.manager), HAND_OVER, typed)
    assert owners(cases) == ["tina"] * 3
    assert posted.letters() == [("cases_reassigned", "tina@example.com"), ("owners_changed", "tech@example.com")]
    why = "you owned these cases until support_manager gave them to somebody else"
    assert posted.rows()[1].facts["why"] == why


def test_selected_cases_are_taken_over_in_one_step(desk: Desk, cases):  # C8
    client, posted = signed_in(desk.l3), Outbox()
    assert shown(selected(client, cases, "take_over_selected")) == [f"{case.pk}:{desk.technician.pk}" for case in cases]
    assert "3 cases taken over." in said(client, TAKE_OVER, sent(cases, desk.technician, reason="You are ill."))
    assert owners(cases) == ["l3"] * 3
    assert posted.letters() == [("owners_changed", "tech@example.com")]
    rendered = render(posted.rows()[0])
    assert rendered.subject == "3 of your cases have a new owner"
    assert f"{cases[0].number} Printer 0 (Acme, Medium, Assigned): belongs to l3 now" in rendered.text
    assert "You get this because you owned these cases until l3 took them over." in rendered.text


def test_nothing_ticked_or_no_technician_keeps_what_was_typed(desk: Desk, cases):  # S4
    typed = sent(cases, desk.technician, owner="424242", reason="Kept words")
    for changed, sentence in (({"cases": []}, "Tick at least one case."), ({}, "This is no active technician")):
        answer = signed_in(desk.technician).post(HAND_OVER, typed | changed)
        assert answer.status_code == 422
        text = answer.content.decode()
        assert sentence in text
        assert "Kept words" in text
        assert shown(text) == typed["shown"]
    assert owners(cases) == ["tech"] * 3


def test_more_than_go_in_one_step_are_refused_with_a_sentence(desk: Desk, cases, monkeypatch: Any):  # S4, S2
    monkeypatch.setattr(ownership, "MOST_AT_ONCE", 2)
    monkeypatch.setattr(handing_on, "MOST_AT_ONCE", 2)
    client = signed_in(desk.technician)
    everything = {"action": "hand_over_selected", "_selected_action": [cases[0].pk], "select_across": "1"}
    answer = client.post(LIST, everything, follow=True).content.decode()
    assert "These are too many for one step; choose at most 2 cases." in answer
    refused = client.post(HAND_OVER, sent(cases, desk.technician))
    assert refused.status_code == 422
    assert "3 cases are too many for one step; choose at most 2." in refused.content.decode()
    assert "Shown are 2, as many as go in one step" in client.get(HAND_OVER).content.decode()


def test_a_queue_has_a_page_of_its_own_and_anybodys_is_the_managers(desk: Desk, cases):  # C8, A1
    transitions.resolve(cases[0].pk, desk.technician, timezone.now(), resolution=Resolution.NOT_PURSUED)
    text = signed_in(desk.technician).get(HAND_OVER).content.decode()
    assert shown(text) == [f"{case.pk}:{desk.technician.pk}" for case in cases[1:]]
    assert HAND_OVER in signed_in(desk.technician).get("/admin/").content.decode()
    assert "There is no open case to hand over." in signed_in(desk.l3).get(HAND_OVER).content.decode()
    of = {"of": str(desk.technician.pk)}
    assert signed_in(desk.l3).get(HAND_OVER, of).status_code == 403
    assert shown(signed_in(desk.manager).get(HAND_OVER, of).content.decode()) == shown(text)
    assert signed_in(desk.manager).get(HAND_OVER, {"of": "424242"}).status_code == 404
    staff = reverse("admin:contacts_user_change", args=[desk.technician.pk])
    assert f"{HAND_OVER}?of={desk.technician.pk}" in signed_in(desk.manager).get(staff).content.decode()


@pytest.mark.parametrize("who", ["account_manager", "customer_engineer", "csm"])
def test_who_only_reads_gets_no_ticks_and_no_pages(desk: Desk, cases, who: str):  # A1, A2
    client = signed_in(getattr(desk, who))
    assert "_selected_action" not in client.get(LIST).content.decode()
    assert client.post(LIST, {"action": "take_over_selected", "_selected_action": [cases[0].pk]}).status_code == 405
    for address in (HAND_OVER, TAKE_OVER):
        assert client.post(address, sent(cases, desk.technician)).status_code == 403
    assert client.get(HAND_OVER).status_code == 403
    assert owners(cases) == ["tech"] * 3


def test_the_page_costs_the_same_whatever_the_number_of_cases(desk: Desk, cases):
    client = signed_in(desk.technician)
    with CaptureQueriesContext(connection) as few:
        client.get(HAND_OVER)
    for _ in range(20):
        desk.open_case(severity=Severity.LOW)
    with CaptureQueriesContext(connection) as many:
        client.get(HAND_OVER)
    assert len(many) == len(few)
    assert len(many) <= 10, "\n".join(query["sql"][:60] for query in many)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_case_is_taken_over_handed_over_and_with_others_by_mouse(live_server: Any, browser: Browser):  # C8
    desk = build_desk()
    cases = [desk.open_case(now=timezone.now(), title=f"Printer {number}") for number in range(3)]
    screen = browser.new_page(base_url=live_server.url)
    screen.set_default_timeout(30_000)
    errors: list[str] = []
    screen.on("pageerror", lambda error: errors.append(str(error)))
    screen.goto(reverse("admin:login"))
    screen.fill("[name=username]", "l3")
    screen.fill("[name=password]", "secret")
    screen.press("[name=password]", "Enter")
    screen.locator("text=My desk").first.wait_for()

    # a colleague's case: the menu beside the owner's name takes it over in one click
    screen.goto(cases[0].get_absolute_url())
    screen.click("summary[aria-label='Owner: tech']")
    picture(screen, "owner-menu")
    screen.click("form[action$='/do/take_over/'] button")
    screen.locator(f"text={cases[0].number} is yours now.").wait_for()
    assert owners(cases) == ["l3", "tech", "tech"]

    # and back again, to a colleague from the list, with a word
    form = open_form(screen, "hand_over")
    assert "London" in form.locator("select[name=owner] option").nth(1).inner_text()
    form.locator("select[name=owner]").select_option(str(desk.technician.pk))
    form.locator("[name=reason]").fill("You know it.")
    picture(screen, "hand-over")
    form.locator("button[type=submit]").click()
    screen.locator(f"text={cases[0].number} is tech's now.").wait_for()
    assert owners(cases) == ["tech", "tech", "tech"]

    # two of them from the list
    screen.goto(f"{LIST}?queue=open")
    for case in cases[:2]:
        screen.check(f"input[name=_selected_action][value='{case.pk}']")
    screen.select_option("[name=action]", "take_over_selected")
    picture(screen, "selected")
    screen.click("button[name=index]")
    screen.locator("text=Take over 2 cases").first.wait_for()
    picture(screen, "take-over-several")
    screen.click("text=Take them over")
    screen.locator("text=2 cases taken over.").wait_for()
    assert owners(cases) == ["l3", "l3", "tech"]

    # one's own queue, to whom the rules choose
    screen.goto(HAND_OVER)
    screen.locator(f"label:has-text('{cases[1].number}') input").uncheck()
    picture(screen, "hand-over-queue")
    screen.select_option("[name=owner]", str(desk.technician.pk))
    screen.click("text=Hand them over")
    screen.locator("text=1 case handed over: 1 to tech.").wait_for()
    assert owners(cases) == ["tech", "l3", "tech"]
    assert errors == []
