"""The page of a company for whoever looks after it, and the summary for the call with its customer (W4, A1, C3)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from cases.enums import AgreedBy, Channel, Direction, Resolution, Severity, WaitReason
from cases.models import Case
from cases.workflow import transitions
from cases.workflow.contact_log import log_contact
from contacts.models import Company
from escalations.accounts.apply import mute
from escalations.accounts.state import AccountPage, account_page
from escalations.accounts.summary import summary_of
from escalations.enums import Origin
from escalations.models import AccountVisit
from escalations.policy.accounts import Risk
from escalations.requests.apply import request_escalation
from tests.support.builders import NOON, Desk, build_user
from tests.support.pages import signed_in
from tests.support.queries import queries_of_page
from tests.support.stage import Stage, at, clock

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
NAMES = ("account", "account_summary")


def address(company: Company, name: str = "account") -> str:
    return reverse(f"admin:contacts_company_{name}", args=[company.pk])


def page_at(desk: Desk, hours: float) -> AccountPage:
    return account_page(desk.company, desk.account_manager, at(hours))


def shown(page: AccountPage) -> list[str]:
    rows = [("risk", row) for row in page.at_risk] + [("next", row) for row in page.next_rows]
    rows += [("waits", row) for row in page.waiting]
    return [
        " | ".join(filter(None, (part, clock(row.at), row.case.title, row.act, row.who, row.risk_label)))
        for part, row in rows
    ]


# --- who opens it -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("account_manager", 200),
        ("customer_engineer", 200),
        ("other_account_manager", 404),
        ("manager", 200),
        ("technician", 200),
        ("coo", 200),
        ("nobody", 404),
        (None, 302),
    ],
)
def test_only_who_reads_the_companys_cases_finds_its_pages(desk: Desk, who: str | None, status: int) -> None:  # A1
    desk.open_case(title="Secret trouble")
    person = build_user("", "roleless") if who == "nobody" else getattr(desk, who) if who else None
    client = signed_in(person)
    for name in NAMES:
        answer = client.get(address(desk.company, name))
        found = 403 if who == "nobody" and answer.status_code == 403 else status
        assert answer.status_code == found, name
        if answer.status_code != 200:
            assert "Secret trouble" not in answer.content.decode()
            assert "Acme" not in answer.content.decode()
    answer = client.post(address(desk.company, "account_seen"))
    assert answer.status_code == (302 if status in (200, 302) else answer.status_code)
    assert AccountVisit.objects.exists() == (status == 200)


def test_the_pages_take_no_other_methods(desk: Desk) -> None:  # A2
    client = signed_in(desk.account_manager)
    for name in NAMES:
        assert client.post(address(desk.company, name)).status_code == 405
    assert client.get(address(desk.company, "account_seen")).status_code == 405
    assert client.get("/admin/contacts/company/99999/account/").status_code == 404


def test_nothing_of_a_foreign_company_stands_there(desk: Desk) -> None:  # A1
    stage = Stage(desk)
    stage.open(Severity.CRITICAL, title="Own trouble")
    foreign = stage.open(Severity.CRITICAL, title="Foreign trouble", company=desk.other_company)
    request_escalation(
        foreign.pk, desk.technician, NOON, origin=Origin.CUSTOMER, asked_by="Kim", impact="All.", reason="Now."
    )
    stage.to(5)
    with time_machine.travel(at(5), tick=False):
        for name in NAMES:
            page = signed_in(desk.account_manager).get(address(desk.company, name)).content.decode()
            assert "Own trouble" in page
            assert "Foreign trouble" not in page
            assert foreign.number not in page


def test_names_lead_there(desk: Desk) -> None:  # W4
    case, client = desk.open_case(), signed_in(desk.account_manager)
    link = f'href="{address(desk.company)}"'
    for road in (
        reverse("admin:index"),
        case.get_absolute_url(),
        reverse("admin:contacts_company_changelist"),
        reverse("admin:contacts_company_change", args=[desk.company.pk]),
    ):
        assert link in client.get(road).content.decode(), road


# --- what stands there ------------------------------------------------------------------------------------------


def test_what_is_at_risk_comes_first_and_the_worst_first_of_it(desk: Desk) -> None:  # W4
    stage = Stage(desk)
    stage.open(Severity.LOW, title="In hand")
    asked = stage.open(Severity.HIGH, title="Asked")
    waits = stage.open(Severity.MEDIUM, title="Waits")
    stage.to(12).do(12.5, stage.asks(waits))
    stage.open(Severity.CRITICAL, Channel.PHONE, title="Phoned")
    stage.sweep = lambda now: None
    page = page_at(desk, 13.25)
    assert shown(page)[:2] == [
        "risk | 13:00 | Phoned | First response | tech | Overdue",
        "risk | 13:00 | Asked | Answer High 1 | tech | Nobody answers",
    ]
    assert [row.split(" | ")[2] for row in shown(page)[2:]] == ["In hand", "Waits"]
    assert {row.case.title: row.risk for row in page.at_risk} == {
        "Phoned": Risk.OVERDUE,
        "Asked": Risk.UNANSWERED,
    }
    assert dict(page.by_severity) == {Severity.CRITICAL: 1, Severity.HIGH: 1, Severity.MEDIUM: 1, Severity.LOW: 1}
    assert [row.number for row in page.points] == [1]
    assert page.points[0].case_id == asked.pk


def test_the_last_word_stands_with_its_case(desk: Desk) -> None:  # W4
    case = desk.open_case()
    log_contact(case.pk, desk.technician, at(1), channel=Channel.NOTE, direction=Direction.INTERNAL, body="Ask L3.")
    (row,) = page_at(desk, 2).rows
    assert row.said is not None
    assert (row.said.text, row.said.by) == ("Ask L3.", "tech (internal note)")
    mute(case.pk, desk.account_manager, at(1))
    assert page_at(desk, 2).rows[0].is_muted


def test_promises_are_counted_as_the_ledger_has_them(desk: Desk) -> None:  # W4, T3
    stage = Stage(desk)
    case = stage.open(Severity.HIGH, Channel.PHONE)
    stage.do(0.5, stage.contact(case)).to(9)  # kept by a person, then twice by the desk
    stage.outage(18).to(20)
    stage.do(21, stage.resolves(case))
    responses, updates, together = page_at(desk, 22).kept
    rows = stage.ledger(case)
    own = [row for row in rows if row.startswith(("customer", "response"))]
    for outcome, name in (("person", "by_people"), ("system", "by_desk"), ("missed", "missed")):
        expected = sum(f" {outcome} " in row for row in own)
        assert getattr(together, name) == expected, own
    assert (responses.by_people, responses.total, responses.share) == (1, 1, "100 %")
    assert updates.missed >= 1
    assert page_at(desk, 24 * 30 + 40).kept[2].total == 0
    assert [row.case_id for row in page_at(desk, 22).missed] == [case.pk] * updates.missed


# --- what changed -----------------------------------------------------------------------------------------------


def changes(desk: Desk, hours: float) -> list[str]:
    page = page_at(desk, hours)
    return [f"{clock(one.at)} {one.what}{f' ({one.by})' if one.by else ''}" for one in page.changes]


def test_what_changed_is_told_since_it_was_marked_as_seen_and_a_reload_loses_nothing(desk: Desk) -> None:  # W4
    case = desk.open_case(severity=Severity.HIGH, channel=Channel.EMAIL)
    client = signed_in(desk.account_manager)
    assert changes(desk, 1) == ["0:00 Opened as High (tech)"]
    with time_machine.travel(at(1), tick=False):
        page = client.get(address(desk.company)).content.decode()
        client.get(address(desk.company))
    assert changes(desk, 1) == ["0:00 Opened as High (tech)"]
    until = re.search(r'name="until" value="([^"]+)"', page)
    assert until is not None
    # Somebody works on it between the page and the click: that is not seen yet.
    transitions.start_work(case.pk, desk.technician, at(1.5))
    with time_machine.travel(at(2), tick=False):
        client.post(address(desk.company, "account_seen"), {"until": until.group(1)})
    assert changes(desk, 2) == ["1:30 Work started (tech)"]
    log_contact(case.pk, desk.technician, at(3), channel=Channel.NOTE, direction=Direction.INTERNAL, body="Hm.")
    assert changes(desk, 4) == ["3:00 Internal note: Hm. (tech)", "1:30 Work started (tech)"]
    with time_machine.travel(at(5), tick=False):
        client.post(address(desk.company, "account_seen"), {"until": at(4).isoformat()})
    assert changes(desk, 5) == []
    with time_machine.travel(at(5), tick=False):
        client.post(address(desk.company, "account_seen"), {"undo": "1"})
    assert changes(desk, 5) == ["3:00 Internal note: Hm. (tech)", "1:30 Work started (tech)"]
    assert page_at(desk, 5).reader == desk.account_manager
    other = account_page(desk.company, desk.customer_engineer, at(5))
    assert not other.was_seen


@pytest.mark.parametrize(
    "until", ["", "x", "2026-06-03T12:00", "9999-01-01T00:00:00+00:00", "2" * 5000, "2026-13-45T00:00Z"]
)
def test_an_odd_moment_marks_what_there_is_until_now(desk: Desk, until: str) -> None:  # S4
    with time_machine.travel(at(1), tick=False):
        answer = signed_in(desk.account_manager).post(address(desk.company, "account_seen"), {"until": until})
    assert answer.status_code == 302
    assert AccountVisit.objects.get().seen_until == at(1)


def test_escalations_misses_and_requests_are_changes(desk: Desk) -> None:  # W4
    stage = Stage(desk)
    case = stage.open(Severity.HIGH)
    stage.outage(13)
    request_escalation(
        case.pk, desk.technician, at(13), origin=Origin.CUSTOMER, asked_by="Kim", impact="All.", reason="Now."
    )
    told = changes(desk, 14)
    assert "13:00 Escalation requested (tech)" in told
    assert "13:00 Escalated: High 1" in told
    assert "4:00 Missed: status update" in told


# --- the summary ------------------------------------------------------------------------------------------------


def test_the_summary_holds_only_what_the_customer_may_read(desk: Desk) -> None:  # C3, P2
    case = desk.open_case(title="Nobody can print", severity=Severity.HIGH)
    words = {
        "note": {"channel": Channel.NOTE, "direction": Direction.INTERNAL, "body": "Their admin is careless."},
        "call": {"channel": Channel.PHONE, "direction": Direction.OUT, "body": "He shouted at me."},
    }
    for hours, said in enumerate(words.values(), 1):
        log_contact(case.pk, desk.technician, at(hours), **said)  # type: ignore[arg-type]
    waiting = desk.open_case(title="Waits")
    transitions.ask_customer(
        waiting.pk, desk.technician, at(1), question="Which driver?", reason=WaitReason.INFORMATION, send=True
    )
    closed = desk.open_case(title="Closed")
    transitions.resolve(
        closed.pk, desk.technician, at(1), resolution=Resolution.CONFIRMED, agreed_by=AgreedBy.PHONE, solution="Cable"
    )
    summary = summary_of(desk.company, at(3))
    assert {one.line.title: one.said for one in summary.open_cases} == {
        "Nobody can print": "We spoke",
        "Waits": "Which driver?",
    }
    assert [line.title for line in summary.resolved] == ["Closed"]
    with time_machine.travel(at(3), tick=False):
        page = signed_in(desk.account_manager).get(address(desk.company, "account_summary")).content.decode()
    for inside in ("careless", "shouted", "Escalat", "L2", "csm"):
        assert inside not in page
    assert "We wait for your answer" in page


def test_a_long_list_is_cut_and_says_so(desk: Desk) -> None:
    for number in range(16):
        desk.open_case(title=f"Case {number}")
    summary = summary_of(desk.company, at(1))
    assert (len(summary.open_cases), summary.more) == (14, "2")


# --- what it costs ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_page_costs_the_same_for_one_case_and_for_many(desk: Desk, name: str) -> None:
    def fill(cases: int) -> None:
        for number in range(cases):
            case = desk.open_case(NOON, severity=Severity.HIGH, title=f"Case {number}")
            log_contact(case.pk, desk.technician, at(1), channel=Channel.NOTE, direction=Direction.INTERNAL, body="Hm.")
            if number % 3 == 1:
                transitions.ask_customer(
                    case.pk, desk.technician, at(1), question="Which?", reason=WaitReason.INFORMATION
                )

    client = signed_in(desk.account_manager)
    fill(2)
    with time_machine.travel(at(2), tick=False):
        few = queries_of_page(client, address(desk.company, name))
        fill(9)
        many = queries_of_page(client, address(desk.company, name))
    assert many == few
    assert Case.objects.count() == 11
