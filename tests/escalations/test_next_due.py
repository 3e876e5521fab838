"""The next deadline of any kind is a column that sweeps and moves keep (W2): what lists sort by."""

from __future__ import annotations

from datetime import datetime

import pytest

from cases.enums import AgreedBy, Channel, Direction, Resolution, Severity, WaitReason
from cases.followup.apply import follow_up
from cases.models import Case, Interaction
from cases.workflow import contact_log, handing_on, transitions
from contacts.models import Contact
from escalations.enums import Origin
from escalations.points.apply import escalate
from escalations.requests import apply as requests
from escalations.sla.apply import keep_promises
from tests.support.builders import NOON, Desk, reload
from tests.support.stage import Stage, at, clock, sweeps

pytestmark = pytest.mark.django_db


def due(case: Case) -> str:
    return clock(reload(case).next_due_at)


def test_a_new_case_stands_at_the_top_until_a_sweep_has_looked(desk: Desk) -> None:
    case = Stage(desk).open(Severity.HIGH, Channel.PHONE)
    assert due(case) == "0:00"
    sweeps(NOON)
    assert due(case) == "1:00"


@pytest.mark.parametrize("order", [(escalate, keep_promises), (keep_promises, escalate)])
def test_it_is_the_earliest_of_all_kinds_whichever_sweep_looks_first(desk: Desk, order: tuple) -> None:  # type: ignore[type-arg]
    high = Stage(desk).open(Severity.HIGH)  # update after 4 h, High 1 after 12 h
    low = Stage(desk).open(Severity.LOW)  # update after 24 h, no point
    for sweep in order:
        sweep(NOON)
    assert (due(high), due(low)) == ("4:00", "24:00")


def test_an_escalation_that_comes_before_the_update_stands_first(desk: Desk) -> None:
    stage = Stage(desk)
    case = stage.open(Severity.HIGH)
    stage.do(11, stage.contact(case))
    stage.to(11)
    assert due(case) == "12:00"
    stage.to(12)
    assert due(case) == "13:00"  # the answer to High 1, before the next update


def test_what_is_overdue_keeps_its_deadline(desk: Desk) -> None:  # T1
    stage = Stage(desk)
    case = stage.open(Severity.CRITICAL, Channel.PHONE)
    stage.to(1)
    assert due(case) == "0:30"


def test_a_request_counts_with_its_time_limit(desk: Desk) -> None:  # E9
    case = Stage(desk).open(Severity.MEDIUM)
    sweeps(NOON)
    asked = {"asked_by": "Kim", "impact": "All stand.", "reason": "Now."}
    requests.request_escalation(case.pk, desk.account_manager, at(1), origin=Origin.CUSTOMER, **asked)
    assert due(case) == "1:00"
    sweeps(at(1))
    assert due(case) == "5:00"


def test_a_wait_counts_with_its_next_step_and_a_closing_with_nothing(desk: Desk) -> None:  # F2
    case = Stage(desk).open(Severity.HIGH)
    transitions.ask_customer(
        case.pk, desk.technician, NOON, question="?", reason=WaitReason.CANNOT_NOW, send=False, channel=Channel.PHONE
    )
    assert due(case) == "0:00"
    sweeps(NOON)
    assert due(case) == "48:00"
    follow_up(at(48))
    assert due(case) == "96:00"
    transitions.resolve(
        case.pk, desk.technician, at(50), resolution=Resolution.CONFIRMED, agreed_by=AgreedBy.PHONE, solution="Cable"
    )
    sweeps(at(50))
    assert due(case) == "-"


def test_a_word_after_closing_counts_with_its_time_limit(desk: Desk) -> None:  # C7
    case = Stage(desk).open(Severity.HIGH)
    transitions.resolve(
        case.pk, desk.technician, at(1), resolution=Resolution.CONFIRMED, agreed_by=AgreedBy.PHONE, solution="Cable"
    )
    contact_log.log_contact(
        case.pk, desk.technician, at(2), channel=Channel.EMAIL, direction=Direction.IN, body="It is back."
    )
    assert Interaction.objects.get(needs_answer=True).case == case
    sweeps(at(2))
    assert due(case) == "3:00"


def test_every_nudge_brings_a_case_to_the_top(desk: Desk) -> None:
    case = Stage(desk).open(Severity.MEDIUM)
    sweeps(NOON)
    assert due(case) == "8:00"
    nudges = {
        "a contact": lambda now: contact_log.log_contact(
            case.pk, desk.technician, now, channel=Channel.PHONE, direction=Direction.OUT, body="Called."
        ),
        "a severity": lambda now: transitions.change_severity(
            case.pk, desk.manager, now, severity=Severity.HIGH, reason="Worse."
        ),
        "an owner": lambda now: handing_on.hand_over(case.pk, desk.manager, now, owner=desk.l3, reason="Knows it."),
        "the directory": lambda now: _away(desk.contact, now),
    }
    for hour, (what, nudge) in enumerate(nudges.items(), start=1):
        nudge(at(hour))
        assert due(case) == clock(at(hour)), what
        sweeps(at(hour))
        assert reload(case).next_due_at > at(hour), what


def _away(contact: Contact, now: datetime) -> None:
    """The contact's address changes: what depends on it is reckoned anew."""
    Case.objects.filter(contact=contact).recheck("sla", now)


def test_saving_a_case_that_was_read_before_does_not_bring_the_old_moment_back(desk: Desk) -> None:  # S1
    case = reload(Stage(desk).open(Severity.HIGH))
    sweeps(NOON)
    case.save()
    assert due(case) == "4:00"


def test_the_soonest_comes_first_and_cases_without_a_deadline_last(desk: Desk) -> None:
    cases = [desk.open_case() for _ in range(4)]
    for case, hours in zip(cases, (3, None, 1, 3), strict=True):
        Case.objects.filter(pk=case.pk).update(next_due_at=at(hours) if hours is not None else None)
    in_order = [cases[2], cases[3], cases[0], cases[1]]  # at one moment the newest first
    assert list(Case.objects.all().soonest_first()) == in_order
