"""Who is owed status updates how often, over the whole life of a case (E4, T2). Pure.

The rhythm in force is that of the highest point of the current severity that was carried out, or recorded, in the
current run, else the base interval of the severity; management's attention (E9) adds CS Management and shortens it.
Nobody is owed an update while the case waits for the customer or is resolved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cases.terms import Severity, Status
from escalations.clock import Course, Snapshot, Stretch, life_under, stretches
from escalations.schedule import Audience, Schedule
from escalations.terms import ATTENTION_EVERY, Member

Rhythm = Mapping[Audience, timedelta]
Owed = Mapping[Member, timedelta]


@dataclass(frozen=True, slots=True)
class Reached:
    """A point on the ledger: from `done_at` on its rhythm is in force."""

    run: int
    severity: Severity
    number: int
    due_at: datetime
    done_at: datetime
    rhythm: Rhythm
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
class Piece:
    """From `at` on each of these members is owed an update at least so often; nobody for an empty one."""

    at: datetime
    owed: Owed
    why: str
    automatic: bool = True  # whether the desk sends one itself when nobody else does (T3)


def rhythm_in_force(
    schedule: Schedule, run: int, severity: Severity, reached: Iterable[Reached], attention: bool = False
) -> tuple[Rhythm, str]:
    """The rhythm of a severity in a run after these points, and what put it in force (E4)."""
    passed = [one for one in reached if (one.run, one.severity) == (run, severity)]
    highest = max(passed, key=lambda one: one.number, default=None)
    rhythm: Rhythm = schedule.base_rhythm(severity)
    why = f"{severity.label} before any point"
    if highest is not None and highest.rhythm:
        rhythm, why = highest.rhythm, highest.name
    if not attention:
        return rhythm, why
    audience = dict.fromkeys((*rhythm, Audience.CS_MANAGEMENT), ATTENTION_EVERY)
    return {who: min(every, rhythm.get(who, every)) for who, every in audience.items()}, "management attention"


def members(rhythm: Rhythm, director_contacted: bool) -> dict[Member, timedelta]:
    """The people an audience stands for: CS Management is the CSM, and the Director once contacted on the case."""
    owed: dict[Member, timedelta] = {}
    for audience, every in rhythm.items():
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


def owed_over_time(
    snapshots: Sequence[Snapshot],
    course: Course,
    reached: Sequence[Reached] = (),
    attentions: Sequence[Attention] = (),
    since: datetime | None = None,
) -> list[Piece]:
    """Who is owed updates how often, from the opening on, a piece for each change. `since`: nothing before it counts.

    A severity change puts the base interval in force until the sweep has carried out what it made due. Somebody who
    was in the audience before and is so again by those points has never left it (T2): their interval changes at once.
    """
    life = list(stretches(life_under(snapshots, course)))
    if not life:
        return []
    start = max(life[0].start, since) if since else life[0].start
    marks = {stretch.start for stretch in life} | {one.done_at for one in reached} | {start}
    marks |= {moment for one in attentions for moment in (one.since, one.until) if moment}
    pieces: list[Piece] = []
    for mark in sorted(marks):
        if mark >= start:
            _add(pieces, _piece(mark, life, course, reached, attentions))
    return _never_left(pieces, reached)


def _stretch_at(life: Sequence[Stretch], moment: datetime) -> Stretch:
    current = life[0]
    for stretch in life:
        if stretch.start > moment:
            break
        current = stretch
    return current


def _piece(
    at: datetime,
    life: Sequence[Stretch],
    course: Course,
    reached: Sequence[Reached],
    attentions: Sequence[Attention],
) -> Piece:
    stretch = _stretch_at(life, at)
    if stretch.status == Status.WAITING:
        return Piece(at, {}, "waits for the customer")
    if stretch.status == Status.RESOLVED:
        return Piece(at, {}, "resolved")
    schedule = course.at(at)
    by_then = [one for one in reached if one.done_at <= at]
    attention = any(one.holds(stretch.run, at) for one in attentions)
    rhythm, why = rhythm_in_force(schedule, stretch.run, stretch.severity, by_then, attention)
    owed = members(rhythm, any(one.director for one in by_then))
    return Piece(at, owed, why, stretch.severity in schedule.automatic_updates)


def _add(pieces: list[Piece], piece: Piece) -> None:
    if not pieces or (pieces[-1].owed, pieces[-1].automatic) != (piece.owed, piece.automatic):
        pieces.append(piece)


def _never_left(pieces: list[Piece], reached: Sequence[Reached]) -> list[Piece]:
    """Close the gap between a severity change and the sweep that carries out the points it made due."""
    result = list(pieces)
    for index in range(1, len(result) - 1):
        before, gap, after = result[index - 1], result[index], result[index + 1]
        caused = any(one.done_at == after.at and one.due_at <= gap.at for one in reached)
        if not (caused and before.owed and gap.owed):
            continue
        stayed = {who: every for who, every in after.owed.items() if who in before.owed and who not in gap.owed}
        if stayed:
            result[index] = Piece(gap.at, {**gap.owed, **stayed}, gap.why, gap.automatic)
    return result
