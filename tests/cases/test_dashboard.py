"""The dashboard and the sidebar: each person sees what is theirs to look at (A1), at a fixed price."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils.text import capfirst

from cases.dashboard import Card, cards_for
from cases.enums import AgreedBy, Channel, Direction, MailStatus, Resolution, Severity, WaitReason
from cases.models import Case, FailedCase, Interaction, Mail, Refusal, SweepRun
from cases.workflow import transitions
from contacts.enums import Role
from contacts.models import Company, RoleHolder, User
from escalations.models import ScheduleVersion
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


def titles(user: User, hours: float = 0) -> list[str]:
    return [one.title for one in cards_for(user, NOON + timedelta(hours=hours))]


# --- who sees which cards (A1) ------------------------------------------------------------------------------------

NEWS = ["Escalations of the last 24 hours", "Missed in the last 24 hours"]
WATCHING = [
    "Missing in the set-up",
    "What needs somebody",
    "The engine",
    "Centres",
    *NEWS,
    "Open cases",
    "Callers turned away",
]
#: The jobs that are looked after.
WATCHED_JOBS = (
    "escalate",
    "follow-up",
    "promises",
    "deliver",
    "receive",
    "triage",
    "queue",
    "hand-over",
    "index-words",
    "daily-digest",
    "reports",
)
OWED = "What my customers are owed next"
NEWEST = "Came in this week"
OWN_COMPANIES = [NEWS[0], "My companies"]


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("technician", ["Phone queue", "What is wanted of me", "On duty", "End my day"]),
        ("manager", ["Phone queue", *WATCHING]),
        ("csm", WATCHING),
        ("director", WATCHING),
        ("coo", WATCHING),
        ("account_manager", [OWED, "Requested escalations", *OWN_COMPANIES, NEWEST, "Daily digest"]),
        ("customer_engineer", [OWED, *OWN_COMPANIES, NEWEST, "Daily digest"]),
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
    shown = [row.case for group in card(desk.account_manager, OWED, 1)["groups"] for row in group.rows]
    assert shown == own


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
    for name in WATCHED_JOBS:
        SweepRun.objects.create(name=name, last_at=NOON - timedelta(seconds=30))
    assert "The engine" not in titles(desk.manager)


def test_an_engine_that_does_not_look_is_seen(desk: Desk) -> None:  # S3
    SweepRun.objects.create(name="escalate", last_at=NOON - HOUR)
    shown = card(desk.manager, "The engine")
    assert {look.name: look.is_late for look in shown["looks"]} == {
        "escalate": True,
        "follow-up": True,
        "promises": True,
        "deliver": True,
        "queue": True,
        "receive": True,
        "triage": True,
        "hand-over": True,
        "index-words": True,
        "daily-digest": True,
        "reports": True,
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


@pytest.mark.parametrize("trouble", ["overdue", "failed", "set aside"])
def test_one_trouble_is_enough_for_the_engine_not_to_be_well(desk: Desk, trouble: str) -> None:  # S2, S3, M1
    case = desk.open_case(severity=Severity.CRITICAL)
    escalate(NOON)
    Case.objects.update(sla_check_at=None)
    for name in WATCHED_JOBS:
        SweepRun.objects.update_or_create(name=name, defaults={"last_at": NOON + 5 * HOUR})
    Mail.objects.update(status=MailStatus.SENT)
    assert "The engine" not in titles(desk.manager, 3)
    if trouble == "failed":
        Mail.objects.filter(case=case).update(status=MailStatus.FAILED)
    if trouble == "set aside":
        FailedCase.objects.create(case=case, sweep="escalate", since=NOON, retry_at=NOON + HOUR, error="ValueError")
    assert "The engine" in titles(desk.manager, 5 if trouble == "overdue" else 3)


def test_a_role_without_a_holder_is_on_the_managers_desk(desk: Desk) -> None:  # D5
    RoleHolder.objects.filter(role=Role.COO).update(holder=None)
    sentence = "Chief operating officer: nobody holds it; messages go to the fallback."
    assert sentence in card(desk.manager, "Missing in the set-up")["problems"]


def test_nothing_is_said_of_a_set_up_in_which_nothing_is_missing(desk: Desk) -> None:  # D5
    Company.objects.update(subdivision="BE")
    assert "Missing in the set-up" not in titles(desk.manager)


def test_who_was_turned_away_is_on_the_managers_desk(desk: Desk) -> None:  # D3
    refusal = Refusal.objects.create(company=desk.company, caller="Peter Gast", at=NOON, told="Ask your help desk.")
    assert card(desk.manager, "Callers turned away")["rows"] == [refusal]


# --- price, and nothing written -------------------------------------------------------------------------------------


@pytest.mark.any_database
@pytest.mark.parametrize("who", ["technician", "manager", "account_manager", "customer_engineer", "coo"])
def test_the_desk_costs_the_same_queries_however_much_there_is(desk: Desk, who: str, at_noon: None) -> None:
    client = signed_in(getattr(desk, who))
    _fill(desk, 2)
    few = _statements(client)
    _fill(desk, 12)
    assert len(_statements(client)) == len(few) <= 71


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
    "Received mail",
    "Calls",
    "Mail",
    "Callers turned away",
    "Contract questions",
    "Hand-over sheets",
    "Companies",
    "Contacts",
    "Staff",
    "Technicians",
    "Support centres",
    "Management roles",
    "Support lines",
    "Requests and decisions",
    "Escalations",
    "Promises",
    "Questions",
    "Schedule versions",
]


WATCHES = ["Pulses", "Cases set aside", "Outages", "Failed sign-ins"]


READS_OWN_COMPANIES = [
    "My desk",
    "Reports",
    "Cases",
    "Received mail",
    "Mail",
    "Callers turned away",
    "Contract questions",
    "Companies",
    "Contacts",
    "Support lines",
    "Requests and decisions",
    "Escalations",
    "Promises",
    "Questions",
]


@pytest.mark.parametrize(
    ("who", "entries"),
    [
        ("technician", ["My desk", "Phone queue", "Open a case", *READS[1:]]),
        (
            "manager",
            [
                "My desk",
                "Live board",
                "Phone queue",
                "Open a case",
                "Reports",
                *READS[1:],
                *WATCHES,
                "Message previews",
            ],
        ),
        ("coo", ["My desk", "Live board", "Phone queue", "Reports", *READS[1:], *WATCHES]),
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


def test_a_list_has_one_name_in_the_sidebar_on_its_page_and_in_its_model(desk: Desk) -> None:
    client = signed_in(desk.manager)
    groups = client.get(reverse(DESK)).context_data["sidebar_navigation"]
    pages = [item for group in groups if group["title"] != "Desk" for item in group["items"]]
    lists = [item for item in pages if item["title"] != "Message previews"]
    assert len(lists) == 23
    for item in lists:
        page = client.get(item["link"])
        assert capfirst(page.context_data["opts"].verbose_name_plural) == item["title"]
        title = re.search(r"<title>(.*?)</title>", page.content.decode(), re.DOTALL)
        assert title is not None
        assert " ".join(title[1].split()).startswith(f"{item['title']} |"), item["title"]


def test_an_administrator_sees_that_no_schedule_and_no_mail_server_is_set(desk: Desk, settings: Any) -> None:  # W1, E10
    root = User.objects.create_superuser("root", "root@example.com", "secret")
    Company.objects.update(subdivision="BE")
    settings.MAIL_IS_KEPT = False
    assert "Missing in the set-up" not in titles(root)
    settings.MAIL_IS_KEPT = True
    assert "No mail server is set" in " ".join(card(root, "Missing in the set-up")["problems"])
    assert "Missing in the set-up" not in titles(desk.manager)  # who cannot set one
    ScheduleVersion.objects.update(in_force_from=None)
    assert "No schedule is in force" in " ".join(card(desk.manager, "Missing in the set-up")["problems"])
