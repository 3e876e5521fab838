"""Requested escalations and decisions that the schedule leaves open, as work of whoever may decide (W1, E9, E1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from django.db.models import F

from cases.enums import WorkKind
from cases.models import Case
from cases.work_items import SUPPORT_MANAGER, WorkItem, case_source, work_source
from contacts.enums import Right
from contacts.models import User
from escalations.clocks import load_clocks_for_page
from escalations.enums import Origin
from escalations.models import EscalationRequest
from escalations.requests.actions import is_active
from escalations.requests.apply import may_decide


@case_source
def to_decide(reader: User, now: datetime, most: int) -> Iterable[int]:
    """The cases with a request or decision that the reader may decide, the shortest time limit first (E9, E1)."""
    undecided = EscalationRequest.objects.undecided().filter(case__in=Case.objects.open())
    if not reader.may(Right.DECIDE_REQUESTS):
        if not reader.may(Right.DECIDE_PASSED_ON):
            return []
        undecided = undecided.filter(passed_on_at__isnull=False).exclude(origin=Origin.SCHEDULE)
    rows = undecided.order_by(F("decide_by").asc(nulls_last=True), "requested_at")
    return rows.values_list("case_id", flat=True)[:most]


@work_source
def decisions(cases: Sequence[Case], reader: User, now: datetime) -> Iterator[WorkItem]:
    """What is undecided on open cases."""
    clocks = load_clocks_for_page(cases)
    for case in cases:
        for request in clocks[case.pk].requests if case.is_open else ():
            if request.is_undecided:
                yield WorkItem(
                    case,
                    WorkKind.DECISION,
                    _act(request, case),
                    request.decide_by,
                    request.requested_at,
                    SUPPORT_MANAGER if request.passed_on_at is None else "the Customer Service Manager",
                    may_decide(request, reader) and (not request.is_decision or reader.may(Right.DECIDE_REQUESTS)),
                    _action(request, case),
                )


def _act(request: EscalationRequest, case: Case) -> str:
    """“Decide: High request by Thomas Berger”."""
    if request.is_decision:
        return f"Decide: escalate {case.get_severity_display()} further?"
    return f"Decide: {case.get_severity_display()} request by {request.requested_by or request.asked_by}"


def _action(request: EscalationRequest, case: Case) -> str:
    """The form that accepts; while the case waits nothing can be accepted, and the form that declines."""
    if request.is_decision:
        return "escalate_further" if is_active(case) else "leave_as_is"
    return "accept_request" if is_active(case) else "decline_request"
