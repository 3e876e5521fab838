"""Who is owed status updates how often, over the whole life of a case (E4, T2). Pure.

The rhythm in force is that of the highest point of the current severity that was carried out, or recorded, in the
current run, else the base interval of the severity; management's attention (E9) adds CS Management and shortens it.
Nobody is owed an update while the case waits for the customer or is resolved.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cases.enums import Severity, Status
from escalations.enums import ATTENTION_EVERY, Audience, Member
from escalations.policy.clock import ClockSpan, PolicyTimeline, Snapshot, due_points, life_under, stretches
from escalations.policy.schedule import Schedule

Cadence = Mapping[Audience, timedelta]
Owed = Mapping[Member, timedelta]


@dataclass(frozen=True, slots=True)
class Reached:
    """A point on the ledger: from `done_at` on its rhythm is in force."""

    run: int
    severity: Severity
    number: int
    due_at: datetime
    done_at: datetime
    cadence: Cadence
    director: bool = False  # whether the Director was emailed by it

    @property
    def name(self) -> str:
        """How people call it, e.g. “High 2”."""
        return f"{self.severity.label} {self.number}"


@dataclass(frozen=True, slots=True)
class Attention:
    """Management's attention, from the acceptance of a request with no point left to bring forward (E9)."""

    since: datetime
    until: datetime | None = None
    run: int = 1

    def holds(self, run: int, moment: datetime) -> bool:
        """Whether it is paid in this run at a moment."""
        return self.run == run and self.since <= moment and (self.until is None or moment < self.until)


@dataclass(frozen=True, slots=True)
class CadenceChange:
    """From `at` on each of these members is owed an update at least so often; nobody for an empty one."""

    at: datetime
    owed: Owed
    why: str
    automatic: bool = True  # whether the desk sends one itself when nobody else does (T3)


def cadence_in_force(
    schedule: Schedule, run: int, severity: Severity, reached: Iterable[Reached], attention: bool = False
) -> tuple[Cadence, str]:
    """The rhythm of a severity in a run after these points, and what put it in force (E4)."""
    passed = [one for one in reached if (one.run, one.severity) == (run, severity)]
    highest = max(passed, key=lambda one: one.number, default=None)
    cadence: Cadence = schedule.base_cadence(severity)
    why = f"{severity.label} before any point"
    if highest is not None and highest.cadence:
        cadence, why = highest.cadence, highest.name
    if not attention:
        return cadence, why
    audience = dict.fromkeys((*cadence, Audience.CS_MANAGEMENT), ATTENTION_EVERY)
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
    snapshots: Sequence[Snapshot],
    timeline: PolicyTimeline,
    reached: Sequence[Reached] = (),
    attentions: Sequence[Attention] = (),
    since: datetime | None = None,
) -> list[CadenceChange]:
    """Who is owed updates how often, from the opening on, a piece for each change. `since`: nothing before it counts.

    A severity change puts the base interval in force until the sweep has carried out what it made due. Somebody who
    was in the audience before and is so again by those points never leaves it (T2): their interval changes at once,
    however late the sweep comes. Waits and resolutions of no length change nothing, as on the clock. Pieces are only
    ever added at the end: what comes to be known later leaves the earlier ones as they were.
    """
    life = [one for one in stretches(life_under(snapshots, timeline)) if one.start != one.end]
    if not life:
        return []
    opened_at = life[0].start
    start = max(opened_at, since or opened_at)
    marks = {stretch.start for stretch in life} | {one.done_at for one in reached} | {start}
    marks |= {moment for one in attentions for moment in (one.since, one.until) if moment}
    in_order = sorted(mark for mark in marks if mark >= opened_at)
    told = _Audience(life, timeline, reached, attentions, _made_due(snapshots, timeline, reached, in_order[-1]))
    pieces: list[CadenceChange] = []
    for mark in in_order:
        piece = told.piece(mark)
        if mark >= start and (not pieces or (pieces[-1].owed, pieces[-1].automatic) != (piece.owed, piece.automatic)):
            pieces.append(piece)
    return pieces


def _made_due(
    snapshots: Sequence[Snapshot], timeline: PolicyTimeline, reached: Sequence[Reached], until: datetime
) -> list[Reached]:
    """Every point that came due, and when it was carried out: by the clock, so that a late sweep changes nothing."""
    done = {(one.run, one.severity, one.number): one.done_at for one in reached}
    return [
        Reached(*due.key, due.due_at, done.get(due.key, _NOT_YET), due.point.cadence)
        for due in due_points(snapshots, timeline, until)
    ]


def _changes(life: Sequence[ClockSpan]) -> list[datetime]:
    """For each stretch, when the case last came to its severity, or back from a wait or a resolution."""
    found: list[datetime] = []
    for index, stretch in enumerate(life):
        before = life[index - 1] if index else None
        goes_on = before and before.severity == stretch.severity and before.status not in _NOTHING_OWED
        found.append(found[-1] if goes_on else stretch.start)
    return found


class _Audience:
    """Who is in the audience, asked from moment to moment in the order of time."""

    def __init__(
        self,
        life: Sequence[ClockSpan],
        timeline: PolicyTimeline,
        reached: Sequence[Reached],
        attentions: Sequence[Attention],
        made_due: Sequence[Reached],
    ) -> None:
        self._life, self._starts, self._changed_at = life, [stretch.start for stretch in life], _changes(life)
        self._course, self._reached, self._attentions, self._made_due = timeline, reached, attentions, made_due
        self._last: Owed = {}  # while the case was neither waiting nor resolved

    def piece(self, at: datetime) -> CadenceChange:
        """Who is owed updates how often from a moment on."""
        index = bisect_right(self._starts, at) - 1
        stretch, changed_at = self._life[index], self._changed_at[index]
        if stretch.status in _NOTHING_OWED:
            return CadenceChange(at, {}, _NOTHING_OWED[stretch.status])
        by_then = [one for one in self._reached if one.done_at <= at]
        owed, why = self._owed(at, stretch, by_then)
        to_come = [one for one in self._made_due if one.due_at <= changed_at and at < one.done_at]
        again, _ = self._owed(at, stretch, by_then + to_come) if to_come else ({}, "")
        owed |= {who: every for who, every in again.items() if who in self._last and who not in owed}
        self._last = owed
        return CadenceChange(at, owed, why, stretch.severity in self._course.at(at).automatic_updates)

    def _owed(self, at: datetime, stretch: ClockSpan, points: Sequence[Reached]) -> tuple[dict[Member, timedelta], str]:
        attention = any(one.holds(stretch.run, at) for one in self._attentions)
        cadence, why = cadence_in_force(self._course.at(at), stretch.run, stretch.severity, points, attention)
        return members(cadence, any(one.director for one in points)), why
