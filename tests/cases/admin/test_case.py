"""The workplace: opening a case, its list, its page, and what bad input is answered with (C1 to C5, D3, S4)."""

from __future__ import annotations

import html
import re
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from playwright.sync_api import Browser, Page

from cases import panels
from cases.admin import case_list
from cases.admin.forms import DETAILS_PAGE, HOW_OPENED, OpeningForm
from cases.enums import AgreedBy, Channel, Direction, Move, Resolution, Severity, Status, WaitPlan, WaitReason
from cases.followup import panel as assistant
from cases.followup.apply import follow_up
from cases.models import Case, FollowUp, Interaction, Mail, Refusal
from cases.policy.intake import DETAILS
from cases.search.index import index_cases
from cases.timeline import PAGE, timeline_of
from cases.workflow import contact_log, handing_on, transitions
from contacts.models import Contact, User
from escalations.points.apply import escalate
from escalations.sla.apply import keep_promises
from tests.support.builders import NOON, Desk, build_company, build_desk
from tests.support.pages import form_of, panel_of, signed_in
from tests.support.queries import queries_of_page
from tests.support.stage import sweeps

pytestmark = pytest.mark.django_db

LIST = "/admin/cases/case/"
ADD = "/admin/cases/case/add/"


@pytest.fixture(autouse=True)
def clock(request: pytest.FixtureRequest):
    if request.node.get_closest_marker("browser"):
        yield None  # a browser and its session live in real time
        return
    with time_machine.travel(NOON, tick=False) as travelling:
        yield travelling


@pytest.fixture
def tech(desk: Desk) -> Client:
    return signed_in(desk.technician)


def said(answer: Any) -> str:
    """What a page says, as a reader reads it."""
    return html.unescape(answer.content.decode())


def page(case: Case, query: str = "") -> str:
    return reverse("admin:cases_case_change", args=[case.pk]) + query


def do(case: Case, name: str) -> str:
    return reverse("admin:cases_case_do", args=[case.pk, name])


def stamp(case: Case) -> str:
    return Case.objects.get(pk=case.pk).changed_at.isoformat()


def call(desk: Desk, **typed: Any) -> dict[str, Any]:
    """What is typed while a help desk calls."""
    return {
        "company": desk.company.pk,
        "contact": desk.contact.pk,
        "opened_by_channel": "phone",
        "title": "Nobody can print",
        "description": "Since this morning.",
        "several_devices": "true",
        "affected": "many",
        "impact": "",
        "severity": "",
        **typed,
    }


# --- opening (C1 to C3, D3) -------------------------------------------------------------------------------------


def test_a_help_desk_calls_and_the_case_is_opened_assigned_and_shown(desk: Desk, tech: Client):  # C1, C3, C6
    answer = tech.post(ADD, call(desk, device="Printer 7", operating_system="Windows 11"))
    case = Case.objects.get()
    assert answer.status_code == 302
    assert answer.url == page(case)
    assert (case.title, case.device, case.several_devices, case.owner) == (
        "Nobody can print",
        "Printer 7",
        True,
        desk.technician,
    )
    assert case.opened_by == desk.technician
    assert case.history.count() == 1
    assert Interaction.objects.get().opened_the_case
    assert case.number in str(next(iter(get_messages(answer.wsgi_request))))
    assert tech.get(answer.url).status_code == 200


@pytest.mark.parametrize(
    ("affected", "impact", "chosen", "opened_as"),
    [
        ("many", "", "", Severity.HIGH),
        ("one", "catastrophic", "", Severity.CRITICAL),
        ("", "", "", Severity.MEDIUM),
        ("everybody", "", "low", Severity.LOW),
    ],
)
def test_the_answers_suggest_a_severity_and_a_person_decides(
    desk: Desk, tech: Client, affected: str, impact: str, chosen: str, opened_as: Severity
):  # C2
    tech.post(ADD, call(desk, affected=affected, impact=impact, severity=chosen))
    assert Case.objects.get().severity == opened_as


def test_a_caller_who_is_not_the_help_desk_is_turned_away_and_nothing_typed_is_lost(desk: Desk, tech: Client):  # D3, S4
    answer = tech.post(ADD, call(desk, contact=desk.end_user.pk, device="Printer 7"))
    text = said(answer)
    assert answer.status_code == 200
    assert "is not the corporate help desk of Acme: please point them to it" in text
    assert "To open it all the same (their help desk is down), give the reason." in text
    assert 'value="Nobody can print"' in text
    assert 'value="Printer 7"' in text
    assert "Since this morning." in text
    assert f'<option value="{desk.company.pk}" selected' in text
    assert f'<option value="{desk.end_user.pk}" selected' in text
    assert not Case.objects.exists()
    refusal = Refusal.objects.get()
    assert (refusal.contact, refusal.by, refusal.about) == (desk.end_user, desk.technician, "Nobody can print")
    tech.post(ADD, call(desk, contact=desk.end_user.pk))
    assert Refusal.objects.count() == 1  # pressing twice is one refusal


def test_a_technician_opens_it_all_the_same_with_a_reason(desk: Desk, tech: Client):  # D3
    tech.post(ADD, call(desk, contact=desk.end_user.pk, opened_despite="Their help desk is down"))
    assert Case.objects.get().opened_despite == "Their help desk is down"
    assert not Refusal.objects.exists()


def test_a_contact_of_another_company_is_refused(desk: Desk, tech: Client):  # C1, S4
    foreign = desk.other_company.contacts.get(is_help_desk=True)
    text = said(tech.post(ADD, call(desk, contact=foreign.pk)))
    assert "does not work for Acme; choose one of theirs." in text
    assert 'value="Nobody can print"' in text
    assert not Case.objects.exists()
    assert not Refusal.objects.exists()


@pytest.mark.parametrize("missing", ["company", "contact", "title", "opened_by_channel"])
def test_what_is_missing_at_the_opening_is_said_and_the_rest_is_kept(desk: Desk, tech: Client, missing: str):  # S4
    text = said(tech.post(ADD, call(desk, **{missing: "", "device": "Printer 7"})))
    assert "This field is required." in text
    assert 'value="Printer 7"' in text
    assert not Case.objects.exists()


def test_a_title_of_blanks_is_no_title(desk: Desk, tech: Client):
    assert tech.post(ADD, call(desk, title="   ")).status_code == 200
    assert not Case.objects.exists()


def test_a_note_is_no_way_to_come_in(desk: Desk, tech: Client):  # C3
    tech.post(ADD, call(desk, opened_by_channel="note"))
    assert not Case.objects.exists()


def test_a_linked_case_starts_from_the_one_it_continues(desk: Desk, tech: Client, clock: Any):  # C4
    old = desk.open_case(title="Old trouble")
    transitions.resolve(
        old.pk, desk.technician, NOON, resolution=Resolution.CONFIRMED, agreed_by=AgreedBy.PHONE, solution="New driver"
    )
    assert "Open a linked case" not in said(tech.get(page(old)))
    clock.move_to(NOON + timedelta(days=15))
    tech = signed_in(desk.technician)
    shown = said(tech.get(page(old)))
    assert "Open a linked case" in shown
    assert form_of(tech, old, "reopen") == ""
    link = re.search(r'href="([^"]*linked_to=\d+)"', shown)
    assert link
    form = said(tech.get(link[1]))
    assert 'value="Old trouble"' in form
    assert f'name="linked_to" value="{old.pk}"' in form
    tech.post(link[1], call(desk, linked_to=old.pk))
    new = Case.objects.latest("pk")
    assert new.linked_to == old
    assert old.number in said(tech.get(page(new)))
    assert new.number in said(tech.get(page(old)))


# --- one list of details (C1) -----------------------------------------------------------------------------------


def test_every_answer_at_intake_is_a_detail() -> None:
    """A field that a case is opened with, but that is no detail, would be missing from history, export and edit."""
    besides = {"company", "opened_by_channel", "opened_despite", "severity", "linked_to", "assign"}
    asked = set(OpeningForm.Meta.fields) - besides
    assert asked == {detail.name for detail in DETAILS} - {"solution"}
    assert set(flatten_fieldsets(DETAILS_PAGE)) - {*HOW_OPENED, "seen"} == {detail.name for detail in DETAILS}


# --- bad input to the moves (S4, C2, C4) ------------------------------------------------------------------------

BAD = [
    ("ask_customer", {"question": " ", "reason": "confirm"}, "Write the question to the customer", 422),
    ("ask_customer", {"question": "Kept words", "reason": ""}, "Say why we wait", 422),
    ("resolve", {"resolution": "customer_confirmed", "agreed_by": "phone", "solution": ""}, "Write the solution", 422),
    ("resolve", {"resolution": "", "solution": "Kept words"}, "Choose why the case closes.", 422),
    (
        "resolve",
        {"resolution": "no_response", "solution": "Kept words"},
        "only a case that waits for its customer",
        422,
    ),
    ("log_contact", {"channel": "phone", "direction": "in", "body": ""}, "Write down what was said.", 422),
    ("log_contact", {"channel": "note", "direction": "in", "body": "Kept words"}, "Select a valid choice", 422),
    (
        "log_contact",
        {"channel": "phone", "direction": "out", "body": "Kept words", "at": "tomorrow"},
        "Write a day and a time, such as 2026-06-15 09:30.",
        422,
    ),
    ("add_note", {"body": "  "}, "Write down what was said.", 422),
    ("change_severity", {"severity": "high", "reason": ""}, "a change without a reason is not kept", 422),
    ("change_severity", {"severity": "medium", "reason": "Kept words"}, "is Medium already", 422),
    ("change_severity", {"severity": "awful", "reason": "Kept words"}, "Select a valid choice", 422),
    ("hand_over", {"owner": "", "reason": "Kept words"}, "Choose who gets the case.", 422),
    ("hand_over", {"owner": "999999", "reason": "Kept words"}, "This is no active technician", 422),
    ("take_back", {"reason": "Kept words"}, "is not possible: SD-", 409),
    ("customer_responded", {"channel": "chat", "body": "Kept words"}, "is not possible: SD-", 409),
    ("reopen", {"reason": "Kept words"}, "is not possible: SD-", 409),
    ("mark_handled", {}, "Say which contact is handled.", 422),
    ("mark_handled", {"interaction": "0"}, "does not belong to the case", 422),
    ("stop_watching", {}, "You do not watch", 409),
]


@pytest.mark.parametrize(("name", "typed", "sentence", "status"), BAD)
def test_bad_input_gets_a_sentence_and_what_was_typed_is_kept(
    desk: Desk, name: str, typed: dict[str, str], sentence: str, status: int
):  # S4
    case = desk.open_case()
    before = Case.history.count(), Interaction.objects.count(), Mail.objects.count()
    answer = signed_in(desk.manager).post(do(case, name), typed)
    assert answer.status_code == status
    text = said(answer)
    assert sentence in text
    assert case.number in text
    if "Kept words" in typed.values():
        assert "Kept words" in text
    assert (Case.history.count(), Interaction.objects.count(), Mail.objects.count()) == before


def test_a_question_to_somebody_without_an_address_is_not_sent(desk: Desk, tech: Client):  # S4
    case = desk.open_case()
    Contact.objects.filter(pk=desk.contact.pk).update(email="")
    typed = {"question": "Kept words", "reason": "information", "send": "on"}
    answer = tech.post(do(case, "ask_customer"), typed)
    assert answer.status_code == 422
    assert "has no email address" in said(answer)
    assert "Kept words" in said(answer)
    assert Case.objects.get().status == Status.ASSIGNED
    del typed["send"]
    answer = tech.post(do(case, "ask_customer"), typed | {"question": ""})
    assert answer.status_code == 422
    assert "Say how the question was put to the customer" in said(answer)
    assert "Write the question to the customer" in said(answer)  # both at once
    assert tech.post(do(case, "ask_customer"), typed | {"channel": "phone"}).status_code == 302
    asked = Interaction.objects.get(opened_the_case=False)
    assert (asked.channel, asked.direction, asked.by, asked.contact) == (
        Channel.PHONE,
        Direction.OUT,
        desk.technician,
        desk.contact,
    )


def test_resolving_names_everything_that_is_missing_and_no_response_only_where_one_is_waited_for(
    desk: Desk, tech: Client
):  # S4, C4
    case = desk.open_case()
    answer = said(tech.post(do(case, "resolve"), {"resolution": "customer_confirmed"}))
    assert "Say how the customer agreed" in answer
    assert "Write the solution" in answer
    assert 'value="no_response"' not in form_of(tech, case, "resolve")
    tech.post(do(case, "ask_customer"), {"question": "Which version?", "reason": "information", "send": "on"})
    assert 'value="no_response"' in form_of(tech, case, "resolve")


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("start_work", {}),
        ("ask_customer", {"question": "Which version?", "reason": "information", "send": "on"}),
        ("resolve", {"resolution": "customer_confirmed", "agreed_by": "phone", "solution": "New driver"}),
        ("log_contact", {"channel": "email", "direction": "out", "body": "Hello", "send": "on"}),
        ("log_contact", {"channel": "phone", "direction": "in", "body": "Hello"}),
        ("add_note", {"body": "Ask L3"}),
        ("change_severity", {"severity": "high", "reason": "Whole floor"}),
    ],
)
def test_the_second_of_two_clicks_gets_a_sentence_and_does_nothing(
    desk: Desk, tech: Client, name: str, typed: dict[str, str]
):
    case = desk.open_case()
    typed = {**typed, "seen": stamp(case)}
    with time_machine.travel(NOON + timedelta(seconds=1), tick=False):
        assert tech.post(do(case, name), typed).status_code == 302
        after = Case.history.count(), Interaction.objects.count(), Mail.objects.count()
        second = tech.post(do(case, name), typed)
    assert second.status_code in (409, 422)
    assert (Case.history.count(), Interaction.objects.count(), Mail.objects.count()) == after


def test_a_decision_on_an_older_picture_of_the_case_is_put_once_more(desk: Desk, tech: Client):  # S4
    case = desk.open_case()
    seen = stamp(case)
    transitions.ask_customer(
        case.pk, desk.l3, NOON + timedelta(minutes=1), question="Theirs?", reason=WaitReason.INFORMATION
    )
    typed = {"resolution": "customer_confirmed", "agreed_by": "phone", "solution": "Kept words", "seen": seen}
    first = tech.post(do(case, "resolve"), typed)
    assert first.status_code == 409
    assert "has changed since you opened the page: customer asked by l3" in said(first)
    assert "Kept words" in said(first)
    fresh = re.search(r'name="seen" value="([^"]+)"', said(first))
    assert fresh
    assert tech.post(do(case, "resolve"), {**typed, "seen": fresh[1]}).status_code == 302


# --- the details (C1, C5) ---------------------------------------------------------------------------------------


def details(case: Case, **typed: Any) -> dict[str, Any]:
    """The details as the page shows them, with what somebody typed."""
    return {
        "title": case.title,
        "contact": case.contact_id,
        "preferred_means": case.preferred_means,
        "description": case.description.replace("\n", "\r\n"),
        "several_devices": "unknown",
        "solution": "",
        "seen": stamp(case),
        **typed,
    }


def test_only_what_was_changed_is_written_to_the_history(desk: Desk, tech: Client):  # C5
    case = desk.open_case(description="One\nTwo")
    answer = tech.post(page(case), details(case, device="Printer 7"))
    assert answer.status_code == 302
    row = case.history.latest("history_id")
    assert (row.last_move, row.history_change_reason, row.history_user) == (
        Move.EDITED,
        "Edited: device",
        desk.technician,
    )
    tech.post(page(case), details(Case.objects.get(), device="Printer 7"))
    assert case.history.count() == 2  # saving what is there already changes nothing


def test_two_people_edit_different_fields_and_both_edits_stay(desk: Desk, tech: Client):
    case = desk.open_case()
    mine = details(case, device="Printer 7")
    transitions.edit_details(case.pk, desk.l3, NOON + timedelta(minutes=1), changes={"title": "Their title"})
    assert tech.post(page(case), mine).status_code == 302
    after = Case.objects.get()
    assert (after.title, after.device) == ("Their title", "Printer 7")


def test_two_people_edit_the_same_field_and_the_later_one_is_told(desk: Desk, tech: Client):  # S4
    case = desk.open_case()
    mine = details(case, title="My title", description="Kept words")
    transitions.edit_details(case.pk, desk.l3, NOON + timedelta(minutes=1), changes={"title": "Their title"})
    answer = tech.post(page(case), mine)
    text = said(answer)
    assert "l3 changed this after you opened the page; it now says “Their title”." in text
    assert 'value="My title"' in text
    assert "Kept words" in text
    assert Case.objects.get().title == "Their title"
    fresh = re.search(r'name="seen" value="([^"]+)"', text)
    assert fresh
    assert tech.post(page(case), {**mine, "seen": fresh[1]}).status_code == 302
    assert Case.objects.get().title == "My title"


def test_a_contact_of_another_company_cannot_be_put_into_the_details(desk: Desk, tech: Client):  # C1, S4
    case = desk.open_case()
    foreign = desk.other_company.contacts.first()
    answer = tech.post(page(case), details(case, contact=foreign.pk, device="Kept words"))
    assert "This contact does not work for Acme; choose one of theirs." in said(answer)
    assert "Kept words" in said(answer)
    assert Case.objects.get().contact == desk.contact


# --- the list ---------------------------------------------------------------------------------------------------


def listed(client: Client, query: str) -> list[str]:
    """The numbers of the cases that a list shows, in its order."""
    return re.findall(r">\s*(SD-\d{6})\s*<", said(client.get(LIST + query)))


def test_my_queue_holds_what_i_own_and_apart_from_it_what_i_only_watch(desk: Desk, tech: Client):  # E7
    own, watched, others, closed = (desk.open_case(title=f"Case {n}") for n in range(4))
    for case in (watched, others):
        handing_on.hand_over(case.pk, desk.manager, NOON, owner=desk.l3, reason="Load")
    others.watchers.all().delete()
    transitions.resolve(closed.pk, desk.technician, NOON, resolution=Resolution.NOT_PURSUED)
    assert listed(tech, "") == [own.number]
    assert listed(tech, "?queue=mine") == [own.number]
    assert listed(tech, "?queue=watched") == [watched.number]
    assert listed(tech, "?queue=open") == [others.number, watched.number, own.number]
    assert listed(tech, "?queue=resolved") == [closed.number]
    assert len(listed(tech, "?queue=everything")) == 4
    assert listed(tech, "?queue=nonsense") == [own.number]
    assert len(listed(signed_in(desk.csm), "")) == 3  # nobody's queue: all open


def test_the_waiting_queue_holds_who_waits(desk: Desk, tech: Client):
    waiting = desk.open_case()
    desk.open_case()
    transitions.ask_customer(waiting.pk, desk.technician, NOON, question="?", reason=WaitReason.CONFIRM)
    assert listed(tech, "?queue=waiting") == [waiting.number]


def test_a_search_looks_through_everything_that_may_be_seen(desk: Desk, tech: Client):
    printer = desk.open_case(title="Nobody can print")
    vpn = desk.open_case(title="VPN drops", company=desk.other_company)
    Case.objects.filter(pk=vpn.pk).update(external_reference="INC-77001")
    index_cases([vpn.pk])
    assert listed(tech, f"?q={printer.number}") == [printer.number]
    assert listed(tech, f"?q={printer.number.lower()}") == [printer.number]
    assert listed(tech, "?q=INC-770") == [vpn.number]
    assert listed(tech, "?q=PRINT+nobody") == [printer.number]
    assert listed(tech, "?q=globex") == [vpn.number]
    assert listed(tech, "?q=desk+of+acme") == [printer.number]
    assert listed(tech, f"?q={printer.pk}") == [printer.number]
    assert listed(tech, "?q=SD-999999") == []
    assert listed(tech, "?q=%25") == []
    transitions.resolve(printer.pk, desk.technician, NOON, resolution=Resolution.NOT_PURSUED)
    assert listed(tech, "?q=print") == [printer.number]


def test_the_list_filters_by_severity_status_owner_and_company(desk: Desk, tech: Client):
    high = desk.open_case(severity=Severity.HIGH)
    low = desk.open_case(severity=Severity.LOW, company=desk.other_company)
    transitions.start_work(low.pk, desk.technician, NOON)
    handing_on.hand_over(high.pk, desk.manager, NOON, owner=desk.l3, reason="Load")
    assert listed(tech, "?severity__exact=high") == [high.number]
    assert listed(tech, "?status__exact=in_progress") == [low.number]
    assert listed(tech, f"?owner__id__exact={desk.l3.pk}") == [high.number]
    assert listed(tech, f"?company__id__exact={desk.other_company.pk}") == [low.number]


def test_a_long_list_is_counted_no_further_than_it_is_worth(desk: Desk, tech: Client, monkeypatch: Any):
    for n in range(5):
        desk.open_case(title=f"Case {n}")
    assert "5 cases" in re.sub(r"\s+", " ", said(tech.get(LIST)))
    monkeypatch.setattr(case_list, "COUNTED_UP_TO", 3)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert "3+ cases" in re.sub(r"\s+", " ", said(tech.get(LIST)))
    counts = [query["sql"] for query in queries if "COUNT(*)" in query["sql"]]
    assert any("LIMIT 4" in sql for sql in counts)
    assert all("LIMIT 4" in sql or "LIMIT 1001" in sql for sql in counts)  # the list, and the tabs above it


def test_the_list_asks_the_database_the_same_number_of_questions_however_long(desk: Desk, tech: Client):
    for n in range(3):
        desk.open_case(title=f"Case {n}")
    few = queries_of_page(tech, LIST + "?queue=everything")
    for n in range(57):
        company = build_company(f"More {n}") if n % 5 == 0 else desk.other_company
        desk.open_case(title=f"Case {n}", company=company)
    assert queries_of_page(tech, LIST + "?queue=everything") == few
    assert few <= 21


# --- the page ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("severity", Severity)
def test_the_page_of_a_case_that_was_worked_asks_the_database_at_most_twenty_questions(
    desk: Desk, severity: Severity
) -> None:
    case = desk.open_case(NOON, severity=severity)
    transitions.start_work(case.pk, desk.technician, NOON + timedelta(hours=1))
    said = {"channel": Channel.PHONE, "direction": Direction.IN, "body": "It came back."}
    contact_log.log_contact(case.pk, desk.technician, NOON + timedelta(hours=2), **said)
    sweeps(NOON + timedelta(hours=30))
    for user in (desk.technician, desk.manager):
        client = signed_in(user)
        client.get(page(case))
        assert queries_of_page(client, page(case)) <= 20


def test_the_page_asks_the_database_the_same_number_of_questions_however_long_its_story(desk: Desk):
    case = desk.open_case()
    manager = signed_in(desk.manager)
    transitions.ask_customer(case.pk, desk.technician, NOON, question="?", reason=WaitReason.CANNOT_NOW)
    few = queries_of_page(manager, page(case))
    few_history = queries_of_page(manager, reverse("admin:cases_case_history", args=[case.pk]))
    for n in range(60):
        at = NOON + timedelta(minutes=n)
        for actor in (desk.technician, desk.manager):
            contact_log.log_contact(
                case.pk, actor, at, channel=Channel.NOTE, direction=Direction.INTERNAL, body=f"Note {n}"
            )
        severity = (Severity.HIGH, Severity.LOW)[n % 2]
        transitions.change_severity(case.pk, desk.technician, at, severity=severity, reason="Again")
        if n % 10 == 0:
            owner = (desk.l3, desk.technician)[n // 10 % 2]
            handing_on.hand_over(case.pk, desk.manager, at, owner=owner, reason="Again")
    transitions.ask_customer(case.pk, desk.technician, at, question="?", reason=WaitReason.CANNOT_NOW)
    follow_up(at + timedelta(days=8))
    assert FollowUp.objects.count() == 3
    assert queries_of_page(manager, page(case)) == few
    # the due times of what the desk did by itself are one question, once there is any
    assert queries_of_page(manager, reverse("admin:cases_case_history", args=[case.pk])) == few_history + 1


def test_the_timeline_tells_everything_once_newest_first(desk: Desk, tech: Client):  # C3, C5
    case = desk.open_case(description="  indented\n<b>bold?</b>")
    transitions.change_severity(
        case.pk, desk.technician, NOON + timedelta(minutes=1), severity=Severity.HIGH, reason="Whole floor"
    )
    contact_log.log_contact(
        case.pk,
        desk.technician,
        NOON + timedelta(minutes=2),
        channel=Channel.PHONE,
        direction=Direction.OUT,
        body="Left a message",
        reached=False,
    )
    transitions.ask_customer(
        case.pk, desk.technician, NOON + timedelta(minutes=3), question="Version?", reason=WaitReason.CANNOT_NOW
    )
    follow_up(NOON + timedelta(days=2, hours=1))
    entries = timeline_of(Case.objects.get(pk=case.pk)).entries
    assert entries == sorted(entries, key=lambda entry: entry.at, reverse=True)
    told = [entry.title for entry in entries]
    assert told.count("First notice of wait 1") == 1
    assert "Mail: Notice 1" not in told  # the notice tells of its mail
    assert {"Phone that opened the case", "Opened", "Severity changed", "Phone to the customer"} <= set(told)
    change = next(entry for entry in entries if entry.title == "Severity changed")
    assert change.lines == ["Severity Medium to High"]
    text = tech.get(page(case)).content.decode()
    assert "&lt;b&gt;bold?&lt;/b&gt;" in text
    assert "<b>bold?</b>" not in text
    assert "  indented\n" in text.replace("\r\n", "\n") or "indented\n&lt;b" in text
    assert "Not reached." in text


def test_a_long_timeline_leads_on_to_older_entries_and_loses_none(desk: Desk, tech: Client):
    case = desk.open_case()
    for n in range(PAGE + 20):
        contact_log.log_contact(
            case.pk, desk.technician, NOON, channel=Channel.NOTE, direction=Direction.INTERNAL, body=f"Note <{n}>"
        )
    first, second = timeline_of(case), timeline_of(case, 1)
    assert len(first.entries) == PAGE
    assert first.has_older
    assert not second.has_older
    bodies = [entry.body for entry in [*first.entries, *second.entries] if entry.kind == "note"]
    assert sorted(bodies) == sorted(f"Note <{n}>" for n in range(PAGE + 20))
    assert "?older=1" in said(tech.get(page(case)))
    assert "Back to the newest" in said(tech.get(page(case, "?older=1")))
    assert tech.get(page(case, "?older=nonsense")).status_code == 200
    assert tech.get(page(case, "?older=99999")).status_code == 200


def test_a_wait_shows_its_question_its_reason_and_its_plan(desk: Desk, tech: Client):  # F1, F2
    case = desk.open_case()
    assert "Waiting for the customer</h3>" not in said(tech.get(page(case)))
    tech.post(do(case, "ask_customer"), {"question": "Which version?", "reason": "confirm", "plan": "", "send": "on"})
    case = Case.objects.get()
    assert case.wait_plan == WaitPlan.PENDING_CLIENT_ACTION
    panel = assistant.waiting_panel(case, desk.technician, NOON)
    assert panel
    steps = panel.context["steps"]
    assert [step.state for step in steps] == ["planned"] * 4
    assert steps[0].at == case.waiting_since + timedelta(hours=48)
    follow_up(NOON + timedelta(days=4, hours=1))
    case = Case.objects.get()
    steps = assistant.waiting_panel(case, desk.technician, NOON + timedelta(days=4, hours=2)).context["steps"]
    assert [step.state for step in steps] == ["replaced", "queued", "planned", "planned"]
    text = said(tech.get(page(case)))
    assert "Which version?" in text
    assert "Asked to confirm the solution" in text


def test_a_word_on_a_resolved_case_stands_out_until_somebody_handles_it(desk: Desk, tech: Client):  # C7
    case = desk.open_case()
    transitions.resolve(
        case.pk, desk.technician, NOON, resolution=Resolution.CONFIRMED, agreed_by=AgreedBy.PHONE, solution="New driver"
    )
    word = contact_log.log_contact(
        case.pk, desk.technician, NOON, channel=Channel.EMAIL, direction=Direction.IN, body="Thanks!"
    )
    assert "Needs an answer" in said(tech.get(page(case)))
    assert tech.post(do(case, "mark_handled"), {"interaction": word.pk}).status_code == 302
    assert "Needs an answer" not in said(tech.get(page(case)))
    other = desk.open_case()
    assert tech.post(do(other, "mark_handled"), {"interaction": word.pk}).status_code == 422


def test_the_header_says_where_the_case_stands_and_offers_what_is_possible(desk: Desk, tech: Client):  # C4
    case = desk.open_case(severity=Severity.HIGH)
    text = said(tech.get(page(case)))
    for expected in (case.number, "Nobody can print", "Acme", "14:00 there", "High", "Assigned", "L2"):
        assert expected in text
    tabs, menus = text.split('class="desk-composer-tabs"')[1].split("<details")[:2]
    assert re.findall(r'data-desk-form="(\w+)"', tabs) == [
        "write_to_customer",
        "log_contact",
        "ask_customer",
        "add_note",
        "resolve",
    ]
    assert re.findall(r'data-desk-form="(\w+)"', menus.split("</details>")[0]) == [
        "contract_question",
        "change_severity",
        "hand_over",
        "note_absence",
        "give_update",
        "request_escalation",
    ]
    assert f'action="{do(case, "start_work")}"' in text  # nothing to fill in
    assert 'data-desk-form="hand_over"' in said(signed_in(desk.manager).get(page(case)))
    for_manager = said(signed_in(desk.account_manager).get(page(case)))
    assert set(re.findall(r'data-desk-form="(\w+)"', for_manager)) == {"add_note", "request_escalation"}
    assert "/do/start_work/" not in for_manager
    for_engineer = said(signed_in(desk.customer_engineer).get(page(case)))
    assert set(re.findall(r'data-desk-form="(\w+)"', for_engineer)) == {"add_note"}
    assert "<dialog" not in said(signed_in(desk.csm).get(page(case)))


def test_times_are_shown_in_the_readers_zone_with_utc_on_hovering(desk: Desk):
    case = desk.open_case()
    User.objects.filter(pk=desk.technician.pk).update(time_zone="Asia/Tokyo")
    text = said(signed_in(User.objects.get(pk=desk.technician.pk)).get(page(case)))
    assert "Wed 3 Jun, 21:00" in text
    assert 'title="2026-06-03 12:00 UTC' in text


def test_another_app_shows_its_panel_beside_the_case(desk: Desk, tech: Client, monkeypatch: Any):
    case = desk.open_case()
    monkeypatch.setattr(panels, "_registered", dict(panels._registered))

    def line(case: Case, user: User, now: Any) -> panels.PanelLine | None:
        return panels.PanelLine("Weather", "sunny") if case.is_open else None

    @panels.panel(place=999, slug="weather", line=line)
    def weather(case: Case, user: User, now: Any) -> panels.Panel:
        return panels.Panel("admin/cases/panels/people.html", {"watchers": []})

    with pytest.raises(AssertionError, match="taken"):
        panels.panel(place=999, slug="rain", line=line)(weather)
    with pytest.raises(AssertionError, match="named weather"):
        panels.panel(place=998, slug="weather", line=line)(weather)
    closed = said(tech.get(page(case)))
    assert closed.count("<h3>Weather</h3>") == 1
    assert "Account manager</dt>" not in closed  # it is made when it is opened, by a script or by its address
    assert "Account manager</dt>" in panel_of(tech, case, "weather")
    assert "Account manager</dt>" in said(tech.get(page(case, "?open=weather")))
    assert tech.get(page(case).replace("change/", "panels/weather/")).url.endswith("?open=weather#panel-weather")
    assert panel_of(tech, case, "snow") == ""
    foreign = desk.open_case(company=desk.other_company)
    assert panel_of(signed_in(desk.account_manager), foreign, "weather") == ""  # A1


# --- in a browser -----------------------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_technician_opens_a_case_and_asks_the_customer_by_keyboard(  # C1, D3, S4
    live_server: Any, browser: Browser
):
    desk = build_desk()
    screen = browser.new_page(base_url=live_server.url)
    screen.set_default_timeout(15_000)
    errors: list[str] = []
    screen.on("pageerror", lambda error: errors.append(str(error)))
    _sign_in(screen, desk.technician)

    # a caller who is not the help desk: nothing chosen or typed is lost
    screen.goto(ADD)
    _choose(screen, "company", "Acme")
    _choose(screen, "contact", "End user")
    screen.select_option("[name=affected]", "many")
    assert "High" in screen.locator("[name=severity] option").first.inner_text()
    screen.fill("[name=title]", "Nobody can print")
    screen.click("text=Open the case")
    screen.locator("text=their help desk is down").wait_for()
    assert "End user" in screen.inner_text("#select2-id_contact-container")
    screen.fill("[name=opened_despite]", "Their help desk is down")
    screen.click("text=Open the case")
    screen.locator("nav > [data-desk-form=ask_customer]").wait_for()

    # the composer: a key opens a form, another tab keeps what was typed, a reload too; two clicks send it once
    screen.keyboard.press("a")
    screen.locator("#do-ask_customer-question").wait_for()
    screen.keyboard.type("Which version?")
    screen.focus("nav > [data-desk-form=add_note]")
    screen.keyboard.press("Enter")
    screen.locator("#do-add_note-body").wait_for()
    assert not screen.locator("#do-ask_customer-question").is_visible()
    screen.reload()
    screen.locator("#do-ask_customer-question").wait_for()  # the newest draft is open again
    assert screen.input_value("#do-ask_customer-question") == "Which version?"
    screen.select_option("#do-ask_customer-reason", "confirm")
    assert screen.input_value("#do-ask_customer-plan") == "pending"
    screen.dblclick("[data-desk-form-of=ask_customer] button[type=submit]")
    screen.locator("text=/SD-[0-9]+ waits for the customer/").wait_for()
    assert errors == []
    case = Case.objects.get()
    assert (case.status, case.wait_episode, case.severity) == (Status.WAITING, 1, Severity.HIGH)


def _sign_in(screen: Page, user: User) -> None:
    screen.goto(reverse("admin:login"))
    screen.fill("[name=username]", user.username)
    screen.fill("[name=password]", "secret")
    screen.press("[name=password]", "Enter")
    screen.locator("text=My desk").first.wait_for()


def _choose(screen: Page, field: str, words: str) -> None:
    """Pick the first suggestion of an autocomplete field."""
    screen.click(f"#select2-id_{field}-container")
    screen.keyboard.type(words)
    screen.locator(".select2-results__option--highlighted", has_text=words).wait_for()
    screen.keyboard.press("Enter")


def test_the_page_of_a_case_asks_the_database_nothing_twice(desk: Desk, tech: Client):  # speed
    case = desk.open_case(NOON, severity=Severity.CRITICAL)
    for sweep in (escalate, keep_promises):
        sweep(NOON + timedelta(hours=13))
    tech.post(do(case, "ask_customer"), {"question": "Which version?", "reason": "confirm", "plan": "", "send": "on"})
    tech.get(page(case))
    with CaptureQueriesContext(connection) as asked:
        assert tech.get(page(case)).status_code == 200
    assert [sql for sql, times in Counter(query["sql"] for query in asked).items() if times > 1] == []
