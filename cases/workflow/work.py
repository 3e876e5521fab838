"""What a case asks for by itself (W1): work to begin, a severity to decide (C2), a word on it after closing (C7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from cases.enums import Severity, Status, WorkKind
from cases.models import Case, Interaction
from cases.policy.first_response import word_handled_by
from cases.work_items import SUPPORT_MANAGER, WorkItem, case_source, work_source
from contacts.enums import Right
from contacts.models import User


@work_source
def beginnings(cases: Sequence[Case], reader: User, now: datetime) -> Iterator[WorkItem]:
    """Cases on which nobody has begun to work; no query. Without an owner somebody has to give them to one (C6)."""
    for case in cases:
        if case.status != Status.ASSIGNED:
            continue
        if case.owner is None:
            act, action = "Give it to a technician", "hand_over"
            yield WorkItem(
                case, WorkKind.START, act, None, case.opened_at, SUPPORT_MANAGER, reader.may(Right.REASSIGN), action
            )
        else:
            is_own = case.owner_id == reader.pk
            yield WorkItem(
                case,
                WorkKind.START,
                "Start work",
                None,
                case.opened_at,
                str(case.owner),
                is_own,
                "start_work",
                posts={} if is_own else None,
            )


@work_source
def severities(cases: Sequence[Case], reader: User, now: datetime) -> Iterator[WorkItem]:
    """Open cases of which nobody has decided yet how severe they are, as they came by mail (C2, M5); no query."""
    for case in cases:
        if not (case.severity_is_provisional and case.is_open):
            continue
        act = f"Decide how severe it is: {Severity(case.severity).label} until then"
        who = str(case.owner) if case.owner else SUPPORT_MANAGER
        for_reader = case.owner_id == reader.pk or (case.owner is None and reader.may(Right.REASSIGN))
        yield WorkItem(
            case, WorkKind.SEVERITY, act, None, case.opened_at, who, for_reader, "change_severity", "Decide severity"
        )


@case_source
def written_after_closing(reader: User, now: datetime, most: int) -> Iterable[int]:
    """Resolved cases with a word that nobody has handled: one's own; for whoever reassigns, those of the desk (C7)."""
    if not reader.may(Right.WORK_CASES):
        return []
    rows = Interaction.objects.filter(needs_answer=True).order_by("at")
    rows = rows if reader.may(Right.REASSIGN) else rows.filter(case__owner=reader)
    return rows.values_list("case_id", flat=True)[:most]


@work_source
def words(cases: Sequence[Case], reader: User, now: datetime) -> Iterator[WorkItem]:
    """Customers' words on resolved cases (C7): the owner's, from the time limit on the Support Manager's as well. One
    query, none while no case is resolved.
    """
    resolved = {case.pk: case for case in cases if not case.is_open}
    if not resolved:
        return
    rows = Interaction.objects.filter(case__in=resolved, needs_answer=True).order_by("logged_at", "pk")
    for case_id, at, logged_at in rows.values_list("case_id", "at", "logged_at"):
        case = resolved[case_id]
        due_at = word_handled_by(Severity(case.severity), logged_at)
        is_own = case.owner_id == reader.pk
        for_manager = (due_at <= now or case.owner is None) and reader.may(Right.REASSIGN)
        who = str(case.owner) if case.owner else SUPPORT_MANAGER
        act = "Answer what the customer wrote after closing"
        yield WorkItem(case, WorkKind.WORD, act, due_at, at, who, is_own or for_manager)
