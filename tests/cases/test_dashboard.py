"""The dashboard and the sidebar: each person sees what is theirs to look at (A1), at a fixed price."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from cases.dashboard import Card, cards_for
from cases.enums import AgreedBy, Channel, Direction, MailStatus, Resolution, Severity, WaitReason
from cases.followup import absences as absence_log
from cases.followup.apply import follow_up
from cases.models import Case, CaseWatcher, FailedCase, Interaction, Mail, Refusal, SweepRun
from cases.workflow import contact_log, transitions
from contacts.enums import Role
from contacts.models import RoleHolder, User
from escalations.points.apply import escalate
from tests.support.builders import NOON, Desk, build_user
from tests.support.pages import signed_in

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
DESK = "admin:index"


@pytest.fixture
def at_noon(time_machine) -> None:
    time_machine.move_to(NOON, tick=False)


def card(user: User, title: str, hours: float = 0) -> dict[str, Any]:
    """What a card of that title shows the person."""
    found = {one.title: one.context for one in cards_for(user, NOON + timedelta(hours=hours))}
    return found[title]


def titles(user: User) -> list[str]:
    return [one.title for one in cards_for(user, NOON)]


def numbers(context: dict[str, Any]) -> list[int]:
    return [row["case"].pk for row in context["rows"]]


# --- who sees which cards (A1) ------------------------------------------------------------------------------------

WATCHING = ["The engine", "Open cases", "Escalations of the last 24 hours", "Promises", "Directory", "Turned away"]
DECIDING = [*WATCHING[:2], "Escalations to decide", *WATCHING[2:]]
OWN_COMPANIES = ["Escalations of the last 24 hours", "My companies", "Open cases of my companies"]


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("technician", ["My queue", "Waiting for the customer", "Written after closing", "On duty"]),
        ("manager", DECIDING),
        ("csm", DECIDING),
        ("director", WATCHING),
        ("coo", WATCHING),
        ("account_manager", ["Requested escalations", *OWN_COMPANIES]),
        ("customer_engineer", OWN_COMPANIES),
    ],
)
def test_each_role_has_the_cards_of_its_work(desk: Desk, who: str, expected: list[str]) -> None:
    assert titles(getattr(desk, who)) == expected


def test_somebody_without_a_role_is_told_whom_to_ask(desk: Desk) -> None:
    nobody = build_user("", "temp")
    assert titles(nobody) == ["You have no role yet"]
    assert "Ask a Support Manager" in signed_in(nobody).get(reverse(DESK)).content.decode()


@pytest.mark.parametrize(
    "who", ["technician", "l3", "manager", "account_manager", "customer_engineer", "csm", "director", "coo"]
)
def test_an_empty_desk_says_something_kind_on_every_card(desk: Desk, who: str) -> None:
    SweepRun.objects.all().delete()
    answer = signed_in(getattr(desk, who)).get(reverse(DESK))
    assert answer.status_code == 200
    cards: list[Card] = [one for column in answer.context_data["columns"] for one in column]
    assert cards
    assert answer.content.decode().count("dash-empty") >= 1


# --- one's own work -------------------------------------------------------------------------------------------------


def test_the_queue_begins_with_the_soonest_escalation(desk: Desk) -> None:
    low = desk.open_case(severity=Severity.LOW)
    medium = desk.open_case(severity=Severity.MEDIUM)
    critical = desk.open_case(severity=Severity.CRITICAL)
    high = desk.open_case(severity=Severity.HIGH)
    escalate(NOON)
    assert numbers(card(desk.technician, "My queue")) == [critical.pk, high.pk, medium.pk, low.pk]


def test_the_queue_holds_nobody_elses_cases_but_those_one_watches(desk: Desk) -> None:  # E7
    mine, others = desk.open_case(), desk.open_case()
    Case.objects.filter(pk=others.pk).update(owner=desk.l3)
    assert numbers(card(desk.technician, "My queue")) == [mine.pk]
    CaseWatcher.objects.create(case=others, user=desk.technician, since=NOON)
    assert set(numbers(card(desk.technician, "My queue"))) == {mine.pk, others.pk}


def test_what_waits_is_listed_apart_by_its_next_follow_up(desk: Desk) -> None:  # F2
    later, sooner, working = desk.open_case(), desk.open_case(), desk.open_case()
    for case, hours in ((later, 5), (sooner, 1)):
        at = NOON + timedelta(hours=hours)
        transitions.ask_customer(case.pk, desk.technician, at, question="Since when?", reason=WaitReason.CANNOT_NOW)
    assert numbers(card(desk.technician, "Waiting for the customer")) == [sooner.pk, later.pk]
    assert numbers(card(desk.technician, "My queue")) == [working.pk]


def test_calls_to_make_and_absences_to_settle_are_on_the_owners_desk_until_they_are(desk: Desk) -> None:  # F3, F5
    title = "Customers to call or to ask after"

    def told(at: datetime) -> list[str]:
        shown = [card for card in cards_for(desk.technician, at) if card.title == title]
        return [todo.what for card in shown for todo in card.context["rows"]]

    desk.company.contacts.update(phone="+49 30 1234")
    called = desk.open_case(preferred_means="phone")
    away = desk.open_case(
        contact=desk.end_user, opened_despite="Their help desk is away."
    )  # an absence is its person's
    for case in (called, away):
        transitions.ask_customer(
            case.pk,
            desk.technician,
            NOON,
            question="?",
            reason=WaitReason.INFORMATION,
            send=False,
            channel=Channel.PHONE,
        )
    absence = absence_log.note_absence(away.pk, desk.manager, NOON, note="Ich bin bald wieder da.")
    ten = NOON + timedelta(hours=20)
    follow_up(ten)
    assert told(ten) == ["Say how long they are away", "Call Help desk of Acme on +49 30 1234"]
    assert [card for card in cards_for(desk.l3, ten) if card.title == title] == []
    absence_log.dismiss_absence(absence.pk, desk.technician, ten)
    contact_log.log_contact(
        called.pk,
        desk.technician,
        ten + timedelta(hours=1),
        channel=Channel.PHONE,
        direction=Direction.OUT,
        body="No answer.",
        reached=False,
    )
    assert told(ten + timedelta(hours=1)) == []


def test_a_case_that_the_engine_has_not_looked_at_yet_says_so(desk: Desk, at_noon: None) -> None:
    desk.open_case(severity=Severity.LOW)
    assert "being worked out" in signed_in(desk.technician).get(reverse(DESK)).content.decode()
    escalate(NOON)
    assert "being worked out" not in signed_in(desk.technician).get(reverse(DESK)).content.decode()


def test_a_resolved_case_leaves_the_queue(desk: Desk) -> None:
    case = desk.open_case()
    transitions.resolve(
        case.pk,
        desk.technician,
        NOON + HOUR,
        resolution=Resolution.CONFIRMED,
        agreed_by=AgreedBy.PHONE,
        solution="Cable",
    )
    assert numbers(card(desk.technician, "My queue", 1)) == []


def test_words_on_resolved_cases_are_shown_to_the_owner_and_to_the_manager(desk: Desk) -> None:  # C7
    case = desk.open_case()
    transitions.resolve(
        case.pk,
        desk.technician,
        NOON + HOUR,
        resolution=Resolution.CONFIRMED,
        agreed_by=AgreedBy.PHONE,
        solution="Cable",
    )
    words = Interaction.objects.create(
        case=case,
        channel=Channel.EMAIL,
        direction=Direction.IN,
        at=NOON + 2 * HOUR,
        contact=desk.contact,
        body="It is back.",
        needs_answer=True,
    )
    for user in (desk.technician, desk.manager):
        assert card(user, "Written after closing")["rows"] == [words]
    assert card(desk.l3, "Written after closing")["rows"] == []


def test_a_long_queue_is_cut_and_says_that_there_is_more(desk: Desk) -> None:
    for _ in range(15):
        desk.open_case()
    shown = card(desk.technician, "My queue")
    assert (len(shown["rows"]), shown["more"]) == (12, True)


# --- watching -------------------------------------------------------------------------------------------------------


def test_an_account_manager_sees_open_cases_of_their_own_companies_by_severity(desk: Desk) -> None:  # A1
    own = [desk.open_case(severity=severity) for severity in (Severity.CRITICAL, Severity.LOW, Severity.LOW)]
    done = desk.open_case(severity=Severity.LOW)
    transitions.resolve(
        done.pk,
        desk.technician,
        NOON + HOUR,
        resolution=Resolution.CONFIRMED,
        agreed_by=AgreedBy.PHONE,
        solution="Cable",
    )
    desk.open_case(company=desk.other_company, severity=Severity.CRITICAL)
    (row,) = card(desk.account_manager, "My companies", 1)["rows"]
    assert row["company"] == desk.company
    assert dict(row["counts"]) == {Severity.CRITICAL: 1, Severity.HIGH: 0, Severity.MEDIUM: 0, Severity.LOW: 2}
    listed = numbers(card(desk.account_manager, "Open cases of my companies", 1))
    assert listed == [case.pk for case in reversed(own)]


def test_nothing_of_a_foreign_company_is_on_an_account_managers_page(desk: Desk, at_noon: None) -> None:  # A1
    desk.open_case(NOON - 5 * HOUR, severity=Severity.CRITICAL, title="Own trouble")
    desk.open_case(NOON - 5 * HOUR, company=desk.other_company, severity=Severity.CRITICAL, title="Foreign trouble")
    escalate(NOON)
    shown = signed_in(desk.account_manager).get(reverse(DESK)).content.decode()
    assert "Own trouble" in shown
    assert "Foreign trouble" not in shown
    assert "Globex" not in shown


def test_escalations_older_than_a_day_are_not_news(desk: Desk) -> None:
    desk.open_case(severity=Severity.CRITICAL)
    escalate(NOON + 4 * HOUR)
    title = "Escalations of the last 24 hours"
    assert len(card(desk.manager, title, 27)["rows"]) == 1
    assert card(desk.manager, title, 28)["rows"] == []


def test_open_cases_are_counted_by_severity_and_status(desk: Desk) -> None:
    desk.open_case(severity=Severity.HIGH)
    started = desk.open_case(severity=Severity.HIGH)
    transitions.start_work(started.pk, desk.technician, NOON + HOUR)
    shown = card(desk.manager, "Open cases", 1)
    by_severity = {row["severity"]: [cell["count"] for cell in row["cells"]] for row in shown["rows"]}
    assert by_severity[Severity.HIGH] == [1, 1, 0]
    assert (shown["total"], shown["capped"]) == (2, False)


def test_the_engine_is_well_when_every_sweep_looked_lately(desk: Desk) -> None:  # S3
    for name in ("escalate", "follow-up", "promises", "deliver"):
        SweepRun.objects.create(name=name, last_at=NOON - timedelta(seconds=30))
    assert card(desk.manager, "The engine")["healthy"]


def test_an_engine_that_does_not_look_is_seen(desk: Desk) -> None:  # S3
    SweepRun.objects.create(name="escalate", last_at=NOON - HOUR)
    shown = card(desk.manager, "The engine")
    assert not shown["healthy"]
    assert {look.name: look.is_late for look in shown["looks"]} == {
        "escalate": True,
        "follow-up": True,
        "promises": True,
        "deliver": True,
    }


def test_what_is_overdue_failed_or_set_aside_is_seen(desk: Desk) -> None:  # S2, S3, M1
    case = desk.open_case(severity=Severity.CRITICAL)
    escalate(NOON)
    assert card(desk.manager, "The engine", 4)["overdue"] == [("promise", NOON)]
    Case.objects.update(sla_check_at=None)
    assert card(desk.manager, "The engine", 4)["overdue"] == []
    assert card(desk.manager, "The engine", 5)["overdue"] == [("escalation", NOON + 4 * HOUR)]
    Mail.objects.filter(case=case).update(status=MailStatus.FAILED)
    FailedCase.objects.create(case=case, sweep="escalate", since=NOON, retry_at=NOON + HOUR, error="ValueError")
    shown = card(desk.manager, "The engine", 3)
    failed = {status: count for status, count, _, _ in shown["mails"]}[MailStatus.FAILED]
    assert failed == Mail.objects.count() > 0
    assert [row.case for row in shown["set_aside"]] == [case]
    assert not shown["healthy"]


@pytest.mark.parametrize("trouble", ["overdue", "failed", "set aside"])
def test_one_trouble_is_enough_for_the_engine_not_to_be_well(desk: Desk, trouble: str) -> None:  # S2, S3, M1
    case = desk.open_case(severity=Severity.CRITICAL)
    escalate(NOON)
    Case.objects.update(sla_check_at=None)
    for name in ("escalate", "follow-up", "promises", "deliver"):
        SweepRun.objects.update_or_create(name=name, defaults={"last_at": NOON + 5 * HOUR})
    Mail.objects.update(status=MailStatus.SENT)
    assert card(desk.manager, "The engine", 3)["healthy"]
    if trouble == "failed":
        Mail.objects.filter(case=case).update(status=MailStatus.FAILED)
    if trouble == "set aside":
        FailedCase.objects.create(case=case, sweep="escalate", since=NOON, retry_at=NOON + HOUR, error="ValueError")
    assert not card(desk.manager, "The engine", 5 if trouble == "overdue" else 3)["healthy"]


def test_a_role_without_a_holder_is_on_the_managers_desk(desk: Desk) -> None:  # D5
    RoleHolder.objects.filter(role=Role.COO).update(holder=None)
    sentence = "Chief operating officer: nobody holds it; messages go to the fallback."
    assert sentence in card(desk.manager, "Directory")["problems"]


def test_who_was_turned_away_is_on_the_managers_desk(desk: Desk) -> None:  # D3
    refusal = Refusal.objects.create(company=desk.company, caller="Peter Gast", at=NOON, told="Ask your help desk.")
    assert card(desk.manager, "Turned away")["rows"] == [refusal]


# --- price, and nothing written -------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["technician", "manager", "account_manager", "customer_engineer", "coo"])
def test_the_desk_costs_the_same_queries_however_much_there_is(desk: Desk, who: str, at_noon: None) -> None:
    client = signed_in(getattr(desk, who))
    _fill(desk, 2)
    few = _statements(client)
    _fill(desk, 12)
    assert len(_statements(client)) == len(few) <= 37


def _fill(desk: Desk, cases: int) -> None:
    for number in range(cases):
        severity = list(Severity)[number % 4]
        opened = desk.open_case(NOON - 30 * HOUR, severity=severity)
        waits = desk.open_case(NOON - 30 * HOUR, severity=severity)
        at = NOON - 29 * HOUR
        transitions.ask_customer(waits.pk, desk.technician, at, question="Since when?", reason=WaitReason.CANNOT_NOW)
        FailedCase.objects.create(case=opened, sweep="escalate", since=NOON, retry_at=NOON + HOUR, error="ValueError")
        Refusal.objects.create(company=desk.company, caller="Peter", at=NOON, told="Ask.", by=desk.technician)
        Interaction.objects.create(
            case=opened,
            channel=Channel.EMAIL,
            direction=Direction.IN,
            at=NOON,
            contact=desk.contact,
            body="Hello?",
            needs_answer=True,
        )
    escalate(NOON - HOUR)


def _statements(client: Client) -> list[str]:
    said: list[str] = []

    def listen(execute, sql, params, many, context):
        said.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen):
        assert client.get(reverse(DESK)).status_code == 200
    return said


@pytest.mark.parametrize("who", ["technician", "manager", "account_manager"])
def test_looking_at_the_desk_changes_nothing(desk: Desk, who: str, at_noon: None) -> None:
    _fill(desk, 1)
    writes = [
        sql
        for sql in _statements(signed_in(getattr(desk, who)))
        if re.match(r"\s*(INSERT|UPDATE|DELETE)", sql, re.IGNORECASE)
    ]
    assert writes == []


@pytest.mark.parametrize("who", ["technician", "manager", "account_manager"])
def test_every_way_on_leads_somewhere(desk: Desk, who: str, at_noon: None) -> None:
    _fill(desk, 1)
    client = signed_in(getattr(desk, who))
    shown = client.get(reverse(DESK)).content.decode()
    main = shown[shown.index('class="dash"') :]
    links = set(re.findall(r'href="(/admin/[^"]*)"', main.replace("&amp;", "&")))
    assert links
    for link in links:
        answer = client.get(link)
        assert answer.status_code == 200, link


# --- the sidebar ------------------------------------------------------------------------------------------------------

READS = [
    "My desk",
    "Cases",
    "Mail",
    "Turned away",
    "Contract questions",
    "Companies",
    "Contacts",
    "Staff",
    "Technicians",
    "Support centres",
    "Management roles",
    "Support lines",
    "Requests",
    "Ledger",
    "Promises",
    "Questions",
    "Schedule",
]


READS_OWN_COMPANIES = [
    "My desk",
    "Cases",
    "Mail",
    "Turned away",
    "Contract questions",
    "Companies",
    "Contacts",
    "Support lines",
    "Requests",
    "Ledger",
    "Promises",
    "Questions",
]


@pytest.mark.parametrize(
    ("who", "entries"),
    [
        ("technician", ["My desk", "Open a case", *READS[1:]]),
        ("manager", ["My desk", "Open a case", *READS[1:], "Pulse", "Cases set aside", "Outages", "Failed sign-ins"]),
        ("coo", [*READS, "Pulse", "Cases set aside", "Outages", "Failed sign-ins"]),
        (
            "account_manager",
            READS_OWN_COMPANIES,
        ),
        (
            "customer_engineer",
            READS_OWN_COMPANIES,
        ),
    ],
)
def test_the_sidebar_offers_what_the_person_may_open_and_nothing_else(desk: Desk, who: str, entries: list[str]) -> None:
    client = signed_in(getattr(desk, who))
    groups = client.get(reverse(DESK)).context_data["sidebar_navigation"]
    offered = [item for group in groups for item in group["items"]]
    assert [item["title"] for item in offered] == entries
    for item in offered:
        assert client.get(item["link"]).status_code == 200, item["title"]


@pytest.mark.parametrize("model", ["sweeprun", "failedcase", "refusal"])
def test_what_the_engine_wrote_is_read_only(desk: Desk, model: str) -> None:  # S2, S3, D3
    SweepRun.objects.create(name="escalate", last_at=NOON)
    FailedCase.objects.create(case=desk.open_case(), sweep="escalate", since=NOON, retry_at=NOON + HOUR, error="Error")
    Refusal.objects.create(company=desk.company, caller="Peter Gast", at=NOON, told="Ask your help desk.")
    client = signed_in(desk.manager)
    row = {"sweeprun": SweepRun, "failedcase": FailedCase, "refusal": Refusal}[model].objects.get()
    change = reverse(f"admin:cases_{model}_change", args=[row.pk])
    assert client.get(change).status_code == 200
    assert client.post(change, {}).status_code == 403
    assert client.post(reverse(f"admin:cases_{model}_add"), {}).status_code == 403
    assert client.post(reverse(f"admin:cases_{model}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403


def test_an_account_manager_reads_the_refusals_of_their_own_companies(desk: Desk) -> None:  # A1, D3
    own = Refusal.objects.create(company=desk.company, caller="Peter Gast", at=NOON, told="Ask.")
    foreign = Refusal.objects.create(company=desk.other_company, caller="Olga Fremd", at=NOON, told="Ask.")
    client = signed_in(desk.account_manager)
    assert "Olga Fremd" not in client.get(reverse("admin:cases_refusal_changelist")).content.decode()
    assert client.get(reverse("admin:cases_refusal_change", args=[own.pk])).status_code == 200
    assert client.get(reverse("admin:cases_refusal_change", args=[foreign.pk])).status_code == 404
