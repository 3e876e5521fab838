"""The next escalation point of a case as what the desk does by itself (W2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from cases.enums import Severity
from cases.models import Case
from cases.work_items import NextByDesk, desk_source
from contacts.directory import Directory
from escalations.audience import holders_of, owner_is_l3
from escalations.clocks import CaseClock, load_clocks_for_page
from escalations.enums import OwnerAction
from escalations.points.decide import SweepContext
from escalations.policy.clock import Due
from escalations.policy.schedule import Point


@desk_source
def points(cases: Sequence[Case], now: datetime, named: bool) -> Iterator[NextByDesk]:
    """The point that is due and that no sweep has carried out yet, else the next one (E1, W5)."""
    clocks, context = load_clocks_for_page(cases), SweepContext(now)
    for case in cases:
        due = next_point(clocks[case.pk], now) if case.is_open else None
        if due is not None:
            what = _what_happens(due.point, case, context if named else None)
            yield NextByDesk(case, what, due.due_at, due.point.name)


def next_point(clock: CaseClock, now: datetime) -> Due | None:
    """The point that is due and that no sweep has carried out yet, else the next one."""
    if clock.timeline is None or not clock.snapshots:
        return None
    run, severity = clock.reading(now).run, Severity(clock.case.severity)
    overdue = [
        due for due in clock.due(now) if (due.run, due.point.severity) == (run, severity) and not due.recorded_only
    ]
    return max(overdue, key=lambda due: due.point.number, default=None) or clock.upcoming(now)


def _what_happens(point: Point, case: Case, context: SweepContext | None) -> str:
    """“High 2, goes to Fiona Hughes”, “High 1, asks Oliver Hartley for the status and mails Elena Sato”."""
    does = [_owner(point, case, context)]
    if context is not None and point.mailed:
        does.append(_mailed(point, case, context.directory))
    return f"{point.name}, {' and '.join(filter(None, does))}"


def _owner(point: Point, case: Case, context: SweepContext | None) -> str:
    if point.owner == OwnerAction.ASKED:
        return f"asks {case.owner} for the status" if case.owner else "and nobody owns it"
    if owner_is_l3(case):
        return f"{case.owner} keeps it"
    if context is None:
        return "goes to an L3 technician on duty"
    choice = context.roster.to_l3(Severity(case.severity), case.contact.speaks)
    return f"goes to {context.roster.users[choice.user_id]}" if choice else "goes to L3, where nobody is yet"


def _mailed(point: Point, case: Case, directory: Directory) -> str:
    names = dict.fromkeys(reader.name or reader.address for reader in holders_of(point.mailed, case, directory))
    return f"mails {', '.join(names)}" if names else ""
