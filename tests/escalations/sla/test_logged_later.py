"""Promises, where a contact is logged later than it was: it counts from when it was (C3, T1, T2), and what was recorded
as missed stays missed (T4).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from cases.enums import CallOutcome, Channel, Direction, Severity
from cases.mail.outbox import deliver
from cases.models import Case, Mail
from cases.workflow import contact_log
from contacts.models import Contact
from escalations.clocks import load_clock
from escalations.enums import Member, SlaKind, SlaOutcome
from escalations.models import SlaTarget
from escalations.sla.apply import keep_promises
from escalations.sla.state import load_sla_states
from tests.support.builders import NOON, Desk, reload
from tests.support.pages import panel_of
from tests.support.stage import at, clock

pytestmark = pytest.mark.django_db

STEP = timedelta(minutes=5)
MET, MISSED, BY_DESK = SlaOutcome.MET, SlaOutcome.BREACHED, SlaOutcome.MET_AUTOMATICALLY
#: When the contact was, when it was logged, and what else it was.
Call = tuple[str, str, dict[str, Any]]


def live(desk: Desk, case: Case, calls: list[Call], until: str, engine: bool = True) -> None:
    """Five minutes by five minutes: what is logged, then the sweep and the post."""
    now = NOON
    while now <= at(until):
        for was, logged, more in calls:
            if at(logged) == now:
                said = {"channel": Channel.PHONE, "direction": Direction.OUT, "body": "On it.", **more}
                contact_log.log_contact(case.pk, desk.technician, now, at=at(was), **said)
        if engine or now == at(until):
            keep_promises(now)
            deliver(lambda now=now: now)
            keep_promises(now)
        now += STEP


def rows(case: Case, kind: SlaKind) -> list[tuple[str, str, str, str]]:
    """From when, due, until when, and the outcome, of what was owed to the customer."""
    found = SlaTarget.objects.filter(case=case, kind=kind, member=Member.CUSTOMER).order_by("since")
    return [(clock(row.since), clock(row.due_at), clock(row.ended_at), row.outcome) for row in found]


def running(case: Case) -> tuple[str, str] | None:
    """From when the present promise to the customer counts, and when it is due."""
    case = reload(case)
    for target in load_sla_states([load_clock(case)])[case.pk].running:
        if target.member == Member.CUSTOMER:
            return clock(target.since), clock(target.due_at)
    return None


OTHER = {"contact": "end user"}
NO_ANSWER = {"outcome": CallOutcome.NO_ANSWER}


@pytest.mark.parametrize(
    ("calls", "engine", "expected"),
    [
        # Critical, phoned in: a first response within 30 minutes.
        ([("0:20", "0:25", {})], True, [("0:00", "0:30", "0:20", MET)]),
        ([("0:20", "0:50", {})], True, [("0:00", "0:30", "0:20", MISSED)]),  # recorded by 0:35, and never unrecorded
        ([("0:20", "0:50", {})], False, [("0:00", "0:30", "0:20", MET)]),  # nothing was recorded before it was known
        ([("0:40", "0:50", {})], True, [("0:00", "0:30", "0:40", MISSED)]),
        (
            [("0:25", "0:25", {}), ("0:10", "0:50", {})],
            True,
            [("0:00", "0:30", "0:25", MET)],
        ),  # kept as it was recorded
        ([("0:20", "0:50", NO_ANSWER)], True, [("0:00", "0:30", "-", MISSED)]),
        ([("0:20", "0:50", OTHER)], True, [("0:00", "0:30", "-", MISSED)]),
    ],
)
def test_a_first_response_counts_from_when_it_was(  # T1, T4
    desk: Desk, calls: list[Call], engine: bool, expected: list[tuple[str, ...]]
) -> None:
    case = desk.open_case(NOON, severity=Severity.CRITICAL)
    calls = [(was, logged, _with(desk, more)) for was, logged, more in calls]
    live(desk, case, calls, "0:55", engine)
    assert rows(case, SlaKind.RESPONSE) == expected


def _with(desk: Desk, more: dict[str, Any]) -> dict[str, Any]:
    return {**more, "contact": desk.end_user} if "contact" in more else more


#: Critical, not phoned in: an update within two hours; the desk sends one five minutes before.
UPDATES = [
    # (call was, logged), how long, the rows, the promise that runs
    ([("1:00", "1:30", {})], "1:35", [("0:00", "2:00", "1:00", MET)], ("1:00", "3:00")),
    # The desk wrote at 1:55, nobody knew of the call: what counts is the later of the two.
    ([("1:00", "2:30", {})], "2:35", [("0:00", "2:00", "1:55", BY_DESK)], ("1:55", "3:55")),
    (
        [("1:58", "2:30", {})],
        "2:35",
        [("0:00", "2:00", "1:55", BY_DESK), ("1:55", "3:55", "1:58", MET)],
        ("1:58", "3:58"),
    ),
    # Two calls, logged the wrong way round.
    ([("1:30", "1:35", {}), ("1:00", "1:40", {})], "1:45", [("0:00", "2:00", "1:30", MET)], ("1:30", "3:30")),
    # A word with somebody else tells the customer nothing.
    ([("1:00", "1:30", OTHER)], "1:35", [("0:00", "2:00", "-", "")], ("0:00", "2:00")),
]


@pytest.mark.parametrize(("calls", "until", "expected", "runs"), UPDATES)
def test_an_update_counts_from_when_it_was(  # T2, T3
    desk: Desk, calls: list[Call], until: str, expected: list[tuple[str, ...]], runs: tuple[str, str]
) -> None:
    case = desk.open_case(NOON, severity=Severity.CRITICAL, channel=Channel.EMAIL)
    live(desk, case, [(was, logged, _with(desk, more)) for was, logged, more in calls], until)
    assert rows(case, SlaKind.UPDATE) == expected
    assert running(case) == runs


def test_an_update_that_is_recorded_as_missed_stays_missed(desk: Desk) -> None:  # T4
    Contact.objects.filter(pk=desk.contact.pk).update(email="")  # so the desk cannot write itself
    case = desk.open_case(NOON, severity=Severity.CRITICAL, channel=Channel.EMAIL)
    live(desk, case, [("1:00", "2:30", {})], "2:35")
    assert rows(case, SlaKind.UPDATE) == [("0:00", "2:00", "1:00", MISSED), ("1:00", "3:00", "-", "")]
    assert running(case) == ("1:00", "3:00")


def test_the_page_says_missed_and_that_it_was_logged_later(desk: Desk) -> None:  # T4
    case = desk.open_case(NOON, severity=Severity.CRITICAL)
    live(desk, case, [("0:20", "0:50", {})], "0:55")
    client = Client()
    client.force_login(desk.technician)
    with time_machine.travel(at("1:00"), tick=False):
        page = panel_of(client, case, "promises")
    assert "and logged after that" in page
    assert "given in time" not in page


def test_a_call_that_is_logged_in_time_keeps_the_desk_from_writing(desk: Desk) -> None:  # T3
    case = desk.open_case(NOON, severity=Severity.CRITICAL, channel=Channel.EMAIL)
    live(desk, case, [("1:00", "1:50", {})], "2:50")
    assert not Mail.objects.filter(case=case, template="status_update").exists()
    live_until = at("2:55")
    keep_promises(live_until)
    assert Mail.objects.filter(case=case, template="status_update", queued_at=live_until).count() == 1
