"""The figures of the live board, each with exactly the cases that it counts (W4).

A figure is a name in an address and a question to the open cases; the board counts its answer, and the page that the
figure leads to lists the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q

from cases.enums import Severity, Status
from cases.models import Case, CaseQuerySet
from escalations.enums import HandoverState
from escalations.models import Escalation, EscalationRequest, HandoverLine, schedules
from escalations.policy.board import AGES, Age

#: How far ahead what is promised is at risk.
AT_RISK = timedelta(hours=4)
SOON = timedelta(hours=1)
#: How far back escalations are counted.
ESCALATED_WITHIN = timedelta(hours=24)
OPEN = ~Q(status=Status.RESOLVED)

#: The cases of a figure at a moment (UTC), without an order.
Cases = Callable[[datetime], CaseQuerySet]


@dataclass(frozen=True)
class BoardFigure:
    """A figure: its name in addresses, what the page of its cases is called, and which cases it counts."""

    key: str
    title: str
    cases: Cases


def _open() -> CaseQuerySet:
    # As the partial indexes say it, so that they are used.
    return Case.objects.filter(OPEN).order_by()


def _overdue(now: datetime) -> CaseQuerySet:
    """Something that people owe on the case is overdue: a promise, an answer, a decision (W2)."""
    return _open().filter(next_due_at__lte=now, sla_due_at__lte=now)


def _owed(within: timedelta) -> Cases:
    """The soonest of what people owe on the case is due in this time from now on, and nothing is overdue."""

    def cases(now: datetime) -> CaseQuerySet:
        # The next deadline of any kind is no later, and has an index.
        return _open().filter(next_due_at__lte=now + within, sla_due_at__gt=now, sla_due_at__lte=now + within)

    return cases


def _undecided(now: datetime, late: bool = False) -> CaseQuerySet:
    requests = EscalationRequest.objects.undecided()
    requests = requests.filter(decide_by__lte=now) if late else requests
    return _open().filter(pk__in=requests.values("case"))


def _not_accepted(now: datetime, late: bool = False) -> CaseQuerySet:
    lines = HandoverLine.objects.filter(state=HandoverState.OPEN, sheet__settled_at=None, sheet__sent_at__isnull=False)
    lines = lines.filter(sheet__accept_by__lte=now) if late else lines
    return _open().filter(pk__in=lines.values("case"))


#: The figures that say what presses.
PRESSING = (
    BoardFigure("open", "Open cases", lambda now: _open()),
    BoardFigure("late", "Promises, answers and decisions overdue", _overdue),
    BoardFigure("soon", "Promises, answers and decisions due within an hour", _owed(SOON)),
    BoardFigure("risk", "Promises, answers and decisions due within 4 hours", _owed(AT_RISK)),
    BoardFigure("decisions", "Decisions waiting", lambda now: _undecided(now)),
    BoardFigure("decisions_late", "Decisions that nobody took in time", lambda now: _undecided(now, late=True)),
    BoardFigure("handed_over", "Handed over and not accepted", lambda now: _not_accepted(now)),
    BoardFigure("handed_over_late", "Handed over and not accepted in time", lambda now: _not_accepted(now, late=True)),
    BoardFigure("no_owner", "Open cases without an owner", lambda now: _open().filter(owner=None)),
    *(
        BoardFigure(
            f"waiting_{severity}",
            f"{severity.label} cases that wait for their customer",
            lambda now, severity=severity: _open().filter(severity=severity, status=Status.WAITING),  # type: ignore[misc]
        )
        for severity in (Severity.CRITICAL, Severity.HIGH)
    ),
)


def _of_age(severity: Severity, age: Age) -> Cases:
    def cases(now: datetime) -> CaseQuerySet:
        after, until = age.opened(now)
        # In the order of an index of the open cases, which the planner then reads no further than it counts.
        found = _open().filter(severity=severity, opened_at__lte=until).order_by("opened_at")
        return found.filter(opened_at__gt=after) if after is not None else found

    return cases


#: Open cases by severity and age.
BY_AGE = {
    (severity, age): BoardFigure(
        f"age_{severity}_{age.key}", f"{severity.label} cases open for {age.label}", _of_age(severity, age)
    )
    for severity in Severity
    for age in AGES
}


def _escalated(severity: Severity, number: int) -> Cases:
    def cases(now: datetime) -> CaseQuerySet:
        rows = Escalation.objects.filter(
            severity=severity, number=number, carried_out=True, done_at__gt=now - ESCALATED_WITHIN, done_at__lte=now
        )
        return _open().filter(pk__in=rows.values("case"))

    return cases


def points() -> dict[tuple[Severity, int], BoardFigure]:
    """The points of every schedule that was ever in force; a query once they are known."""
    known = {
        (severity, point.number)
        for _, schedule in schedules()
        for severity in Severity
        for point in schedule.of(severity)
    }
    return {
        (severity, number): BoardFigure(
            f"point_{severity}_{number}",
            f"{severity.label} {number} reached in the last 24 hours, still open",
            _escalated(severity, number),
        )
        for severity in Severity
        for number in sorted(number for of, number in known if of == severity)
    }


def figures() -> dict[str, BoardFigure]:
    """Every figure by its key."""
    return {figure.key: figure for figure in _all()}


def _all() -> Iterator[BoardFigure]:
    yield from PRESSING
    yield from BY_AGE.values()
    yield from points().values()


def in_order(cases: CaseQuerySet) -> CaseQuerySet:
    """The cases of a figure as its page lists them: the next deadline first (W2)."""
    return cases.order_by(F("next_due_at").asc(nulls_last=True), "-pk")
