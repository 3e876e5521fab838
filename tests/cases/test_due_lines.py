"""What the desk did late says when it was due, in its reader's zone; stored texts hold no moment (C5, M4)."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cases.enums import Move, Severity
from cases.followup.apply import follow_up
from cases.models import Case
from cases.timeline import timeline_of
from cases.workflow import transitions
from contacts.models import User
from escalations.models import EscalationRequest
from escalations.points.apply import escalate
from escalations.requests import apply as requests
from tests.support.builders import NOON, Desk
from tests.support.pages import signed_in
from tests.support.stage import Stage

pytestmark = pytest.mark.django_db

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
A_MOMENT = re.compile(r"\d\d:\d\d|\bUTC\b|\d{4}-\d\d-\d\d")


def in_zone(user: User, zone: str) -> Client:
    User.objects.filter(pk=user.pk).update(time_zone=zone)
    return signed_in(User.objects.get(pk=user.pk))


def text_of(client: Client, address: str) -> str:
    page = client.get(address)
    assert page.status_code == 200
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.content.decode())).split())


@pytest.fixture
def late(desk: Desk, time_machine) -> Case:
    """Critical 1 and 2 were due four and twelve hours after noon, and done when the engine came back."""
    time_machine.move_to(NOON + 14 * HOUR)
    case = desk.open_case(NOON, severity=Severity.CRITICAL)
    assert escalate(NOON + 13 * HOUR).acted_on == 1
    return case


@pytest.mark.parametrize(
    ("zone", "first", "second"),
    [
        ("UTC", "Wed 3 Jun, 16:00", "Thu 4 Jun, 00:00"),
        ("Asia/Tokyo", "Thu 4 Jun, 01:00", "Thu 4 Jun, 09:00"),
        ("America/New_York", "Wed 3 Jun, 12:00", "Wed 3 Jun, 20:00"),
    ],
)
def test_every_page_says_in_the_readers_zone_when_late_points_were_due(desk, late, zone, first, second):  # E5, M4
    row = late.history.get(last_move=Move.ESCALATED)
    client = in_zone(desk.manager, zone)
    pages = {
        "case": late.get_absolute_url(),
        "history": reverse("admin:cases_case_history", args=[late.pk]),
        "version": reverse("admin:cases_case_simple_history", args=[late.pk, row.history_id]),
    }
    for name, address in pages.items():
        said = text_of(client, address)
        assert f"Critical 1 was due on {first}." in said, name
        assert f"Critical 2 was due on {second}." in said, name
    assert row.history_change_reason.startswith("Reached Critical 1 and Critical 2. ")
    assert not A_MOMENT.search(row.history_change_reason)


def test_what_was_done_in_time_does_not_say_when_it_was_due(desk: Desk) -> None:  # E5
    case = desk.open_case(NOON, severity=Severity.CRITICAL)
    escalate(NOON + 4 * HOUR + 15 * MINUTE)
    assert not [line for entry in timeline_of(case).entries for line in entry.lines if "was due" in line.lower()]


def test_a_late_step_of_a_wait_says_it_once_on_the_timeline_and_on_the_history(desk, time_machine) -> None:  # F7
    time_machine.move_to(NOON + 60 * HOUR)
    stage = Stage(desk)
    case = stage.open(Severity.LOW)
    stage.asks(case)(NOON)
    follow_up(NOON + 50 * HOUR)
    said = text_of(in_zone(desk.technician, "Asia/Tokyo"), case.get_absolute_url())
    assert said.count("Was due on Fri 5 Jun, 21:00.") == 1
    assert "First notice was due" not in said
    history = text_of(in_zone(desk.manager, "Europe/Berlin"), reverse("admin:cases_case_history", args=[case.pk]))
    assert history.count("was due on Fri 5 Jun, 14:00.") == 1
    assert not A_MOMENT.search(case.history.get(last_move=Move.FOLLOWED_UP).history_change_reason)


def test_the_history_costs_one_query_however_much_was_late(desk: Desk, late: Case) -> None:
    client, address = signed_in(desk.manager), reverse("admin:cases_case_history", args=[late.pk])
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    for hours in range(24, 90, 3):
        escalate(NOON + hours * HOUR)
        severity = Severity.HIGH if hours % 2 else Severity.MEDIUM
        transitions.change_severity(late.pk, desk.manager, NOON + hours * HOUR, severity=severity, reason="Looked.")
    assert late.history.filter(last_move=Move.ESCALATED).count() > 3
    with CaptureQueriesContext(connection) as many:
        client.get(address)
    assert len(many) == len(few)


@pytest.mark.slow
def test_no_reason_that_is_stored_holds_a_moment(desk: Desk) -> None:
    """Whoever reads it may be in any zone: what the desk and its buttons write by themselves names none."""
    stage = Stage(desk)
    case = stage.open(Severity.CRITICAL)
    stage.do(1, stage.contact(case)).to(13).do(14, stage.asks(case)).to(24 * 3)
    stage.do(24 * 3 + 1, stage.takes_back(case)).do(24 * 3 + 2, stage.becomes(case, Severity.MEDIUM)).to(24 * 4)
    request = requests.request_escalation(
        case.pk, desk.technician, stage.now, origin="staff", asked_by="Tina", impact="Closed.", reason="No sales."
    )
    requests.decline(request.pk, desk.manager, stage.now, why="Not now.")
    stage.do(24 * 4 + 1, stage.resolves(case)).do(24 * 4 + 2, stage.reopens(case)).to(24 * 6)
    reasons = [*case.history.values_list("history_change_reason", flat=True)]
    reasons += EscalationRequest.history.values_list("history_change_reason", flat=True)
    assert len(reasons) > 12
    assert [reason for reason in reasons if reason and A_MOMENT.search(reason)] == []


def test_djangos_own_date_columns_are_written_as_all_the_others(desk: Desk, time_machine) -> None:  # S4
    time_machine.move_to(NOON)
    administrator = get_user_model().objects.create_superuser("root", "root@example.com", "x" * 12)
    User.objects.filter(pk=desk.technician.pk).update(date_joined=NOON - timedelta(days=40), last_login=NOON)
    said = text_of(
        in_zone(administrator, "Asia/Tokyo"), reverse("admin:contacts_user_change", args=[desk.technician.pk])
    )
    assert "Fri 24 Apr 2026, 21:00" in said
    assert "Wed 3 Jun 2026, 21:00" in said
    assert not re.search(r"\d [ap]\.m\.|\bnoon\b|midnight", said)
