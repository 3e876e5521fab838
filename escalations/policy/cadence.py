"""Who is owed status updates how often, over the whole life of a case (E4, T2). Pure.

The cadence in force is that of the highest point of the current severity that was carried out, or recorded, in the
current run, else the base interval of the severity; management's attention (E9) adds the CSM and the account manager,
and shortens it.
Nobody is owed an update while the case waits for the customer or is resolved.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cases.enums import Severity, Status
from escalations.enums import Audience, Member
from escalations.policy.clock import ClockSpan, ClockView, PointKey, PolicyTimeline
from escalations.policy.deadlines import ATTENTION_INTERVAL
from escalations.policy.schedule import Schedule

#: Who is updated besides while a case has management's attention (E9).
ATTENTION_AUDIENCE = (Audience.ACCOUNT_MANAGER, Audience.CS_MANAGEMENT)

Cadence = Mapping[Audience, timedelta]
Owed = Mapping[Member, timedelta]


@dataclass(frozen=True, slots=True)
class PassedPoint:
    """A point on the ledger, carried out or only recorded: from `done_at` on its cadence is in force."""

    run: int
    severity: Severity
    number: int
    due_at: datetime
    done_at: datetime
    cadence: Cadence
    director: bool = False  # whether the Director was emailed by it

    @property
    def key(self) -> PointKey:
        """(run, severity, number): a point happens once per run (E6)."""
        return self.run, self.severity, self.number


@dataclass(frozen=True, slots=True)
class ManagementAttention:
    """Management's attention, from the acceptance of a request with no point left to bring forward (E9)."""

    since: datetime
    until: datetime | None = None
    run: int = 1

    def is_paid(self, run: int, moment: datetime) -> bool:
        """Whether the case has it in this run at a moment."""
        return self.run == run and self.since <= moment and (self.until is None or moment < self.until)


@dataclass(frozen=True, slots=True)
class CadenceChange:
    """From `at` on each of these members is owed an update at least so often; nobody for an empty one."""

    at: datetime
    owed: Owed
    why: str
    automatic: bool = True  # whether the desk sends one itself when nobody else does (T3)

    def is_like(self, other: CadenceChange) -> bool:
        """Whether it leaves everything as the other one did."""
        return (self.owed, self.automatic) == (other.owed, other.automatic)


def cadence_in_force(
    schedule: Schedule, run: int, severity: Severity, passed: Iterable[PassedPoint], attention: bool = False
) -> tuple[Cadence, str]:
    """The cadence of a severity in a run after these points, and what put it in force (E4)."""
    of_run = [point for point in passed if (point.run, point.severity) == (run, severity)]
    highest = max(of_run, key=lambda point: point.number, default=None)
    cadence: Cadence = schedule.base_cadence(severity)
    why = f"{severity.label} before any point"
    if highest is not None and highest.cadence:
        cadence, why = highest.cadence, f"{severity.label} {highest.number}"
    if not attention:
        return cadence, why
    audience = dict.fromkeys((*cadence, *ATTENTION_AUDIENCE), ATTENTION_INTERVAL)
    return {who: min(every, cadence.get(who, every)) for who, every in audience.items()}, "management attention"


def members(cadence: Cadence, director_contacted: bool) -> dict[Member, timedelta]:
    """The people an audience stands for: CS Management is the CSM, and the Director once contacted on the case."""
    owed: dict[Member, timedelta] = {}
    for audience, every in cadence.items():
        for member in _STANDS_FOR[audience]:
            if member != Member.CS_DIRECTOR or director_contacted:
                owed[member] = every
    return owed


_STANDS_FOR = {
    Audience.CUSTOMER: (Member.CUSTOMER,),
    Audience.ACCOUNT_MANAGER: (Member.ACCOUNT_MANAGER,),
    Audience.CS_MANAGEMENT: (Member.CSM, Member.CS_DIRECTOR),
    Audience.COO: (Member.COO,),
}


#: Nobody is owed an update meanwhile (T2).
_NOTHING_OWED = {Status.WAITING: "waits for the customer", Status.RESOLVED: "resolved"}

#: When a point is done that nobody has carried out yet.
_NOT_YET = datetime.max.replace(tzinfo=UTC)


def owed_over_time(
    spans: Sequence[ClockSpan],
    timeline: PolicyTimeline,
    passed: Sequence[PassedPoint] = (),
    attentions: Sequence[ManagementAttention] = (),
    since: datetime | None = None,
) -> list[CadenceChange]:
    """Who is owed updates how often, from the opening on, in order of time. Nothing before `since` counts.

    A severity change puts the base interval in force until the sweep has carried out what it made due. Somebody who
    was in the audience before and is so again by those points never leaves it (T2): their interval changes at once,
    however late the sweep comes. Waits and resolutions of no length change nothing, as on the clock. What comes to be
    known later only ever adds changes at the end.
    """
    life = [span for span in spans if span.start != span.end]
    if not life:
        return []
    opened_at = life[0].start
    start = max(opened_at, since or opened_at)
    marks = {span.start for span in life} | {point.done_at for point in passed} | {start}
    marks |= {moment for attention in attentions for moment in (attention.since, attention.until) if moment}
    in_order = sorted(mark for mark in marks if mark >= opened_at)
    made_due = _made_due(ClockView(spans, timeline, in_order[-1]), passed)
    audience = _Audience(life, timeline, passed, attentions, made_due)
    changes: list[CadenceChange] = []
    for mark in in_order:
        change = audience.at(mark)
        if mark >= start and (not changes or not change.is_like(changes[-1])):
            changes.append(change)
    return changes


def _made_due(clock: ClockView, passed: Sequence[PassedPoint]) -> list[PassedPoint]:
    """Every point that came due, and when it was carried out: by the clock, so that a late sweep changes nothing."""
    done = {point.key: point.done_at for point in passed}
    return [PassedPoint(*due.key, due.due_at, done.get(due.key, _NOT_YET), due.point.cadence) for due in clock.due]


def _changes(life: Sequence[ClockSpan]) -> list[datetime]:
    """For each span, when the case last came to its severity, or back from a wait or a resolution."""
    found: list[datetime] = []
    for index, span in enumerate(life):
        before = life[index - 1] if index else None
        goes_on = before and before.severity == span.severity and before.is_running
        found.append(found[-1] if goes_on else span.start)
    return found


class _Audience:
    """Who is in the audience; asked from moment to moment in the order of time."""

    def __init__(
        self,
        life: Sequence[ClockSpan],
        timeline: PolicyTimeline,
        passed: Sequence[PassedPoint],
        attentions: Sequence[ManagementAttention],
        made_due: Sequence[PassedPoint],
    ) -> None:
        self._life, self._starts, self._changed_at = life, [span.start for span in life], _changes(life)
        self._timeline, self._passed, self._attentions, self._made_due = timeline, passed, attentions, made_due
        self._last: Owed = {}  # while the case was neither waiting nor resolved

    def at(self, moment: datetime) -> CadenceChange:
        """Who is owed updates how often from a moment on."""
        index = bisect_right(self._starts, moment) - 1
        span, changed_at = self._life[index], self._changed_at[index]
        if span.status in _NOTHING_OWED:
            return CadenceChange(moment, {}, _NOTHING_OWED[span.status])
        by_then = [point for point in self._passed if point.done_at <= moment]
        owed, why = self._owed(moment, span, by_then)
        to_come = [point for point in self._made_due if point.due_at <= changed_at and moment < point.done_at]
        again, _ = self._owed(moment, span, by_then + to_come) if to_come else ({}, "")
        owed |= {who: every for who, every in again.items() if who in self._last and who not in owed}
        self._last = owed
        return CadenceChange(moment, owed, why, span.severity in self._timeline.at(moment).automatic_updates)

    def _owed(
        self, moment: datetime, span: ClockSpan, points: Sequence[PassedPoint]
    ) -> tuple[dict[Member, timedelta], str]:
        attention = any(one.is_paid(span.run, moment) for one in self._attentions)
        cadence, why = cadence_in_force(self._timeline.at(moment), span.run, span.severity, points, attention)
        return members(cadence, any(point.director for point in points)), why
