"""Who may do what on the pages of cases (A1, A2): by every road, checked at the endpoint."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, timedelta

import pytest
import time_machine
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from cases.actions import ACTIONS
from cases.enums import AgreedBy, Channel, Direction, Move, Resolution, Severity, Status, WaitReason
from cases.followup import absences as absence_log
from cases.models import Absence, Case, CaseWatcher, FollowUp, Interaction, Mail, QueueEntry, Refusal
from cases.portal.apply import start_chat
from cases.queue.apply import take
from cases.workflow import contact_log, handing_on, transitions
from contacts.enums import Right
from contacts.models import User
from escalations.accounts import apply as accounts
from escalations.enums import Origin
from escalations.models import EscalationRequest, HandoverLine, HandoverSheet
from escalations.points.apply import escalate
from escalations.requests import apply as requests
from tests.support.builders import NOON, Desk, build_technician, build_user
from tests.support.pages import signed_in

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(hours=1)


@pytest.fixture(autouse=True)
def _afternoon():
    with time_machine.travel(LATER, tick=False):
        yield


def page(case: Case) -> str:
    return reverse("admin:cases_case_change", args=[case.pk])


def do(case: Case, name: str) -> str:
    return reverse("admin:cases_case_do", args=[case.pk, name])


def everything() -> dict[str, object]:
    """All that a case page could change."""
    return {
        "cases": list(Case.objects.order_by("pk").values()),
        "history": list(Case.history.order_by("history_id").values_list("history_id", "status", "severity")),
        "interactions": list(Interaction.objects.order_by("pk").values()),
        "mails": list(Mail.objects.order_by("pk").values("pk", "status")),
        "notices": FollowUp.objects.count(),
        "watchers": list(CaseWatcher.objects.order_by("pk").values_list("case", "user")),
        "absences": list(Absence.objects.order_by("pk").values()),
        "refusals": Refusal.objects.count(),
        "log": LogEntry.objects.count(),
    }


#: What each button sends when everything is filled in as it should be.
FILLED: dict[str, dict[str, object]] = {
    "start_work": {"whose": "help"},
    "ask_customer": {"question": "Which version?", "reason": "information", "plan": "three_contacts", "send": "on"},
    "take_back": {"reason": "Found it ourselves"},
    "customer_responded": {"channel": "phone", "body": "It is version 7."},
    "resolve": {"resolution": "customer_confirmed", "agreed_by": "phone", "solution": "A new driver."},
    "reopen": {"reason": "It is back"},
    "log_contact": {"channel": "phone", "direction": "out", "body": "Called.", "outcome": "reached"},
    "add_note": {"body": "Ask L3."},
    "contract_question": {"question": "Why is the June bill higher?"},
    "change_severity": {"severity": "high", "reason": "The whole floor"},
    "take_over": {},
    "hand_over": {"reason": "Knows printers"},
    "stop_watching": {},
    "follow_case": {},
    "mute_case": {},
    "unmute_case": {},
    "mark_handled": {},
    "log_attempt": {"outcome": "no_answer"},
    "reached_customer": {"channel": "phone", "body": "The third one."},
    "withdraw_call": {},
    "write_to_customer": {"body": "Could you let us know?"},
    "chat": {"body": "Could you let us know?"},
    "note_absence": {"back_on": "2026-06-15"},
    "confirm_absence": {"back_on": "2026-06-15"},
    "dismiss_absence": {},
    "end_absence": {},
    "answer_question": {"answer": "A part is on its way."},
    "give_update": {"text": "A part is on its way.", "customer": "on"},
    "request_escalation": {"origin": "customer", "asked_by": "Ada", "impact": "Closed.", "reason": "Sales."},
    "accept_request": {"why": "They are right."},
    "decline_request": {"why": "A part is on its way."},
    "withdraw_request": {"reason": "They called it off."},
    "escalate_further": {"why": "It stands still."},
    "leave_as_is": {"why": "A part is on its way."},
    "end_attention": {"reason": "They are content."},
    "accept_handover": {},
}

TECHNICIAN_ONLY = {
    "chat",
    "start_work",
    "ask_customer",
    "take_back",
    "customer_responded",
    "resolve",
    "reopen",
    "log_contact",
    "contract_question",
    "change_severity",
    "take_over",
    "hand_over",
    "mark_handled",
    "log_attempt",
    "reached_customer",
    "withdraw_call",
    "write_to_customer",
    "note_absence",
    "confirm_absence",
    "dismiss_absence",
    "end_absence",
    "answer_question",
    "give_update",
    "accept_handover",
}
#: E9, E1: on what the account manager requested, and what the schedule left open.
DECIDER_ONLY = {
    "accept_request",
    "decline_request",
    "withdraw_request",
    "escalate_further",
    "leave_as_is",
    "end_attention",
}
#: On a case that waits for its customer.
WAITING_ONLY = {
    "take_back",
    "customer_responded",
    "log_attempt",
    "reached_customer",
    "withdraw_call",
    "write_to_customer",
}
#: T5: whoever looks after the company.
LOOKING_AFTER_ONLY = {"follow_case", "mute_case", "unmute_case"}
#: Who → what they may press. Nobody else may press anything.
MAY = {
    "technician": TECHNICIAN_ONLY | {"add_note", "stop_watching", "request_escalation"},
    "manager": TECHNICIAN_ONLY | {"add_note", "stop_watching", "request_escalation"} | DECIDER_ONLY,
    "account_manager": {"add_note", "stop_watching", "request_escalation", "withdraw_request"} | LOOKING_AFTER_ONLY,
    "customer_engineer": {"add_note", "stop_watching"} | LOOKING_AFTER_ONLY,
    "csm": {"stop_watching", "accept_request", "decline_request"},  # E9: once it was passed on
    "director": {"stop_watching"},
    "coo": {"stop_watching"},
}


def ready_for(desk: Desk, name: str, by: User | None = None) -> tuple[Case, dict[str, object]]:
    """A case on which the button `name` can be pressed, `by` somebody, and what to send."""
    if name == "answer_question":
        case = desk.open_case(NOON - timedelta(hours=12), severity=Severity.HIGH)
        escalate(NOON)
    else:
        case = desk.open_case()
    filled = dict(FILLED[name])
    tech = desk.technician
    if name in WAITING_ONLY:
        transitions.ask_customer(case.pk, tech, NOON, question="?", reason=WaitReason.INFORMATION)
    if name == "withdraw_call":  # one's own
        caller = by if by is not None and by.may(Right.WORK_CASES) else tech
        call = contact_log.log_contact(
            case.pk, caller, NOON, channel=Channel.PHONE, direction=Direction.OUT, body="Called.", reached=False
        )
        filled["interaction"] = call.pk
    if name in ("reopen", "mark_handled"):
        transitions.resolve(
            case.pk, tech, NOON, resolution=Resolution.CONFIRMED, agreed_by=AgreedBy.PHONE, solution="New driver"
        )
    if name == "mark_handled":
        word = contact_log.log_contact(
            case.pk, tech, NOON, channel=Channel.EMAIL, direction=Direction.IN, body="Thanks!"
        )
        filled["interaction"] = word.pk
    if name in ("confirm_absence", "dismiss_absence", "end_absence"):
        noted = absence_log.note_absence(case.pk, tech, NOON, back_on=date(2026, 6, 10))
        filled["absence"] = noted.pk
    if name == "chat":  # one that they have taken
        entry = start_chat(desk.contact, case.pk, NOON, words="It hums.")
        QueueEntry.objects.update(state="waiting", technician=None, offered_at=None)
        take(entry.pk, by if by is not None and by.may(Right.WORK_CASES) else tech, NOON)
    if name == "unmute_case":
        accounts.mute(
            case.pk, by if by is not None and by.may(Right.READ_OWN_COMPANIES) else desk.account_manager, NOON
        )
    if name == "hand_over":
        filled["owner"] = desk.l3.pk
    if name == "accept_handover":  # of somebody else, who left early
        handing_on.hand_over(case.pk, desk.manager, NOON, owner=build_technician(desk.centre, name="tina"))
        sheet = HandoverSheet.objects.create(centre=desk.centre, ends_at=NOON, made_at=NOON, sent_at=NOON)
        line = HandoverLine(sheet=sheet, case=case, owner=User.objects.get(username="tina"), language="en")
        line.save()
        filled["line"] = line.pk
    if name == "take_over":  # from somebody else
        handing_on.hand_over(case.pk, tech, NOON, owner=desk.l3)
    if name in DECIDER_ONLY:
        case, filled = asked_to_decide(desk, case, name, filled)
    return Case.objects.get(pk=case.pk), filled


def asked_to_decide(desk: Desk, case: Case, name: str, filled: dict[str, object]) -> tuple[Case, dict[str, object]]:
    """A request that was passed on to the CSM already, a decision of the schedule, or management's attention."""
    if name in ("escalate_further", "leave_as_is"):
        case = desk.open_case(NOON - timedelta(hours=12), severity=Severity.CRITICAL)
        escalate(NOON)
    else:
        words = {"origin": Origin.CUSTOMER, "asked_by": "Ada", "impact": "Closed.", "reason": "Sales."}
        case = desk.open_case(severity=Severity.LOW)
        requests.request_escalation(case.pk, desk.account_manager, NOON, **words)
    request = EscalationRequest.objects.get(case=case)
    requests.pass_on([request], NOON + timedelta(hours=4))
    if name == "end_attention":
        requests.accept(request.pk, desk.manager, NOON)
    key = {"accept_request": "", "escalate_further": "1:critical:3"}.get(name)
    return case, filled | {"request": request.pk} | ({"point": key} if key is not None else {})


def test_the_table_of_rights_covers_every_button():
    assert set(FILLED) == set(ACTIONS)


@pytest.mark.parametrize("name", sorted(ACTIONS))
@pytest.mark.parametrize("who", sorted(MAY))
def test_a_button_does_what_the_role_allows_and_nothing_else(desk: Desk, who: str, name: str):  # A1, A2
    person = getattr(desk, who)
    case, filled = ready_for(desk, name, by=person)
    if name == "stop_watching":
        case.watchers.create(user=person, since=NOON)
    before = everything()
    answer = signed_in(person).post(do(case, name), filled)
    if name in MAY[who]:
        assert answer.status_code == 302
        assert answer.url == page(case)
        assert name == "stop_watching" or everything() != before
    else:
        assert answer.status_code == 403
        assert "You may not do this" in answer.content.decode()
        assert everything() == before


@pytest.mark.parametrize("name", sorted(ACTIONS))
@pytest.mark.parametrize("who", ["other_account_manager", "nobody", None])
def test_a_foreign_case_is_not_found_and_a_stranger_signs_in_first(desk: Desk, who: str | None, name: str):  # A1
    case, filled = ready_for(desk, name)
    person = build_user("", "roleless") if who == "nobody" else getattr(desk, who) if who else None
    before = everything()
    answer = signed_in(person).post(do(case, name), filled)
    if person is None:
        assert answer.status_code == 302
        assert reverse("admin:login") in answer.url
    else:
        assert answer.status_code == 404
    assert everything() == before


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_a_move_is_made_by_post_only(desk: Desk, name: str):  # A2
    case, _ = ready_for(desk, name)
    client, before = signed_in(desk.manager), everything()
    for method in ("get", "head"):  # Back, or a bookmark
        answer = getattr(client, method)(do(case, name))
        assert (answer.status_code, answer.url) == (302, case.get_absolute_url()), method
        assert everything() == before, method
    for method in ("put", "patch", "delete", "options"):
        answer = getattr(client, method)(do(case, name))
        assert (answer.status_code, answer["Allow"]) == (405, "POST"), method
        assert everything() == before, method


def test_a_move_without_the_csrf_token_is_refused(desk: Desk):  # A2
    case = desk.open_case()
    client = Client(enforce_csrf_checks=True)
    client.force_login(desk.technician)
    assert client.post(do(case, "start_work")).status_code == 403
    assert Case.objects.get().status == Status.ASSIGNED


def test_an_unknown_move_and_an_unknown_case_are_not_found(desk: Desk):
    case = desk.open_case()
    client = signed_in(desk.technician)
    assert client.post(do(case, "delete")).status_code == 404
    assert client.post(reverse("admin:cases_case_do", args=[case.pk + 1, "start_work"])).status_code == 404


def roads_to(case: Case) -> list[str]:
    version = case.history.latest("history_date").history_id
    return [
        page(case),
        reverse("admin:cases_case_history", args=[case.pk]),
        reverse("admin:cases_case_simple_history", args=[case.pk, version]),
    ]


@pytest.mark.parametrize(
    "who", ["technician", "manager", "account_manager", "customer_engineer", "csm", "director", "coo"]
)
def test_those_who_may_read_a_case_read_it_by_every_road(desk: Desk, who: str):  # A1
    case = desk.open_case(title="Nobody can print")
    client = signed_in(getattr(desk, who))
    for road in roads_to(case):
        answer = client.get(road)
        assert answer.status_code == 200, road
        assert "Nobody can print" in answer.content.decode()
    assert case.number in client.get(reverse("admin:cases_case_changelist") + "?queue=everything").content.decode()


def test_a_foreign_case_is_not_found_by_any_road(desk: Desk):  # A1
    case = desk.open_case()
    client = signed_in(desk.other_account_manager)
    for road in roads_to(case):
        assert client.get(road).status_code == 404, road
    # An account manager may change no case at all: the answer is the same for their own and says nothing of this one.
    assert client.post(page(case), {"title": "Mine now"}).status_code == 403
    for garbage in ("x", "0", "99999999999999999999999", "1 or 1"):
        assert client.get(f"/admin/cases/case/{garbage}/change/").status_code == 404


def test_a_version_of_another_case_is_not_shown_under_a_case_of_ones_own(desk: Desk):  # A1
    own = desk.open_case(company=desk.other_company)
    foreign = desk.open_case()
    version = foreign.history.latest("history_date").history_id
    client = signed_in(desk.other_account_manager)
    assert client.get(reverse("admin:cases_case_simple_history", args=[own.pk, version])).status_code == 404


@pytest.mark.parametrize("who", ["account_manager", "customer_engineer", "csm", "coo"])
def test_readers_find_no_way_to_change_a_case(desk: Desk, who: str):  # A1
    case = desk.open_case()
    client = signed_in(getattr(desk, who))
    before = everything()
    form = client.get(page(case)).content.decode()
    assert 'name="title"' not in form
    assert "Save the details" not in form
    assert client.post(page(case), {"title": "Mine now"}).status_code == 403
    assert client.get(reverse("admin:cases_case_add")).status_code == 403
    assert client.post(reverse("admin:cases_case_add"), {"title": "New"}).status_code == 403
    assert everything() == before


@pytest.mark.parametrize(
    "road", ["?q=print", "?q=SD-{pk}", "?q={pk}", "?q=Acme", "?queue=everything", "?company__id__exact={company}", "?"]
)
def test_lists_searches_and_filters_keep_foreign_cases_to_themselves(desk: Desk, road: str):  # A1
    case = desk.open_case(title="Nobody can print", description="At Acme")
    road = road.format(pk=f"{case.pk:06d}", company=desk.company.pk)
    address = reverse("admin:cases_case_changelist") + road
    assert "Nobody can print" in signed_in(desk.account_manager).get(address).content.decode()
    foreign = signed_in(desk.other_account_manager).get(address).content.decode()
    assert "Nobody can print" not in foreign
    assert ">Acme<" not in foreign
    assert "Acme</option>" not in foreign


@pytest.mark.parametrize("field", ["company", "contact", "linked_to"])
def test_suggestions_name_nothing_foreign(desk: Desk, field: str):  # A1
    desk.open_case(title="Acme cannot print")
    address = reverse("admin:autocomplete") + f"?app_label=cases&model_name=case&field_name={field}&term=Acme"
    assert "Acme" not in signed_in(desk.other_account_manager).get(address).content.decode()
    assert "Acme" in signed_in(desk.technician).get(address).content.decode()


def test_suggested_contacts_are_for_those_who_open_cases(desk: Desk):
    address = reverse("admin:cases_case_contacts")
    assert signed_in(desk.account_manager).get(address).status_code == 403
    found = signed_in(desk.technician).get(address, {"company": desk.company.pk}).json()["results"]
    assert [one["id"] for one in found] == [str(desk.contact.pk), str(desk.end_user.pk)]
    assert signed_in(desk.technician).post(address).status_code == 405


def exported(client: Client, kind: str, query: str = "?queue=everything") -> bytes:
    number = {"csv": 0, "xlsx": 1, "json": 2}[kind]
    answer = client.post(reverse("admin:cases_case_export") + query, {"format": number, "resource": 0})
    assert answer["Content-Disposition"].endswith(f'.{kind}"')
    return answer.content


def test_the_export_holds_what_its_reader_may_see(desk: Desk):  # A1
    mine = desk.open_case(title="Mine", company=desk.other_company)
    desk.open_case(title="Not mine")
    rows = json.loads(exported(signed_in(desk.other_account_manager), "json"))
    assert [row["number"] for row in rows] == [mine.number]
    assert len(json.loads(exported(signed_in(desk.technician), "json"))) == 2
    assert signed_in(build_user("", "roleless")).get(reverse("admin:cases_case_export")).status_code == 403


@pytest.mark.parametrize("title", ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "  =1+1"])
def test_an_exported_table_holds_no_formula(desk: Desk, title: str):
    desk.open_case(title=title, description="\t=1")
    client = signed_in(desk.technician)
    row = next(csv.DictReader(io.StringIO(exported(client, "csv").decode())))
    assert row["title"] == f"'{title.strip()}"
    assert row["description"].startswith("'")
    assert exported(client, "xlsx")[:2] == b"PK"
    assert json.loads(exported(client, "json"))[0]["title"] == title.strip()


@pytest.mark.parametrize("who", ["technician", "manager", "account_manager", "root"])
def test_nobody_deletes_a_case(desk: Desk, who: str):  # A1
    case = desk.open_case()
    root = User.objects.create_superuser("root", "root@example.com", "secret")
    client = signed_in(root if who == "root" else getattr(desk, who))
    address = reverse("admin:cases_case_delete", args=[case.pk])
    assert client.get(address).status_code == 403
    assert client.post(address, {"post": "yes"}).status_code == 403
    mass = {"action": "delete_selected", "_selected_action": [case.pk], "post": "yes"}
    refused = 405 if who == "account_manager" else 302  # the list of whoever may hand cases over takes other actions
    assert client.post(reverse("admin:cases_case_changelist"), mass).status_code == refused
    assert Case.objects.filter(pk=case.pk).exists()


def test_reading_changes_nothing(desk: Desk):  # A2
    case, _ = ready_for(desk, "customer_responded")
    before = everything()
    client = signed_in(desk.manager)
    addresses = [
        *roads_to(case),
        reverse("admin:cases_case_changelist"),
        reverse("admin:cases_case_add") + f"?linked_to={case.pk}",
        reverse("admin:cases_case_export"),
        reverse("admin:cases_case_contacts"),
        reverse("admin:cases_case_delete", args=[case.pk]),
        page(case) + "?older=3",
        *(f"{page(case)}{name}/" for name in ACTIONS),
        *(do(case, name) for name in ACTIONS),
    ]
    for address in addresses:
        assert client.get(address).status_code in (200, 302, 403, 404, 405), address
    assert everything() == before


def test_the_history_cannot_be_brought_back_past_the_rules(desk: Desk):  # C5
    case = desk.open_case()
    opened = case.history.latest("history_date").history_id
    transitions.resolve(
        case.pk,
        desk.technician,
        LATER,
        resolution=Resolution.CONFIRMED,
        agreed_by=AgreedBy.PHONE,
        solution="New driver",
    )
    root = User.objects.create_superuser("root", "root@example.com", "secret")
    before = everything()
    for person in (desk.technician, desk.manager, root):
        client = signed_in(person)
        for address in (
            reverse("admin:cases_case_simple_history", args=[case.pk, opened]),
            reverse("admin:cases_case_history", args=[case.pk]),
        ):
            assert client.post(address, {"title": "Back", "status": "assigned"}).status_code == 405
        shown = client.get(reverse("admin:cases_case_simple_history", args=[case.pk, opened])).content.decode()
        assert "Revert" not in shown
        assert "Assigned" in shown
    assert everything() == before


def test_no_form_writes_status_severity_owner_or_company(desk: Desk):  # C5
    case = desk.open_case(severity=Severity.LOW)
    answer = signed_in(desk.manager).post(
        page(case),
        {
            "title": "New title",
            "contact": desk.contact.pk,
            "several_devices": "unknown",
            "status": Status.RESOLVED,
            "severity": Severity.CRITICAL,
            "owner": desk.l3.pk,
            "company": desk.other_company.pk,
            "resolved_at": "2026-06-03",
            "last_move": Move.REOPENED,
        },
    )
    assert answer.status_code == 302
    after = Case.objects.get(pk=case.pk)
    assert after.title == "New title"
    assert (after.status, after.severity, after.owner, after.company) == (
        Status.ASSIGNED,
        Severity.LOW,
        desk.technician,
        desk.company,
    )
    assert after.last_move == Move.EDITED
    assert LogEntry.objects.count() == 0


def test_no_page_keeps_the_request_of_one_reader_for_the_next(desk: Desk):
    page_of_cases = admin.site.get_model_admin(Case)
    signed_in(desk.technician).get(reverse("admin:cases_case_changelist"))
    assert not hasattr(page_of_cases, "request")
    assert "request" not in vars(page_of_cases)
