"""Targets of promised status updates, for each member of the audience a clock of their own (T2, T3, T4). Pure; UTC.

A target begins when an update starts to be owed (the opening, the end of a wait, a reopening, joining the audience) or
with the last update that reached the member, whichever is later. It ends with the next update, or when none is owed any
more. Its deadline is its beginning plus the interval; when the interval changes, the earlier of the old deadline and
the change plus the new interval. A missed target stays open, with the deadline it missed, until an update comes.

An event at the moment of a deadline is in time. Of a touchpoint and a change at one moment the touchpoint comes first.
What begins and ends at one moment (a question to the customer is an update, and the wait begins with it) is no target.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cases.enums import Status
from cases.policy.first_response import REMIND_WITH_LEFT
from escalations.enums import Member, SlaOutcome, TurnKind
from escalations.policy.cadence import CadenceChange
from escalations.policy.clock import Snapshot

#: Mail that does not press leaves at these moments, counted from midnight UTC; the longest first.
COMMON_MOMENTS = tuple(timedelta(minutes=minutes) for minutes in (60, 30, 15))


def rounded_down(moment: datetime, step: timedelta) -> datetime:
    """The last multiple of `step` in the UTC day, at or before a moment."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (moment - midnight) // step * step


@dataclass(frozen=True, slots=True)
class Touchpoint:
    """Something that told members of the audience how the case stands: a person's contact or update, or the desk's.

    `by` is the person's key; None for the desk.
    """

    at: datetime
    members: frozenset[Member]
    what: str
    by: int | None = None
    by_desk: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """One event that a deadline came from, for whoever asks why."""

    at: datetime
    said: str


@dataclass(slots=True)
class Target:
    """A time for which one member is owed one update. `due_at` is final once `ended_at` is set or it has passed.

    Always `since` <= `remind_at` <= `due_at`, and `since` < `update_at()` <= `due_at`.
    """

    member: Member
    since: datetime
    every: timedelta  # the interval in force
    due_at: datetime
    automatic: bool = True
    ended_at: datetime | None = None
    ended_by: Touchpoint | None = None  # None while it runs, or when the update was no longer owed
    why: list[Reason] = field(default_factory=list)
    allowed: timedelta | None = None  # the interval that the deadline came from, when that is another than in force

    def is_missed(self, now: datetime) -> bool:
        """Whether its deadline has passed without an update (T4)."""
        return self.due_at < (self.ended_at or now)

    def outcome(self, now: datetime) -> SlaOutcome | None:
        """What became of it by `now`; None while that is open. The desk's own update keeps it only once it has left:
        that is settled from the outbox, so it is open here.
        """
        if self.is_missed(now):
            return SlaOutcome.BREACHED
        if self.ended_at is None:
            return None
        if self.ended_by is None:
            return SlaOutcome.CANCELLED
        return None if self.ended_by.by_desk else SlaOutcome.MET

    @property
    def remind_at(self) -> datetime:
        """When the owner is reminded: at 75 % of the interval that the deadline came from (T3)."""
        return self.due_at - (self.allowed or self.every) * REMIND_WITH_LEFT

    def update_at(self, lead: timedelta, bundle: timedelta = timedelta(0)) -> datetime:
        """When the desk sends the update itself: `lead` before the deadline, not before the reminder's time (T3).

        For a reader who wants mail at most every `bundle` it is the last common moment before that, so that the updates
        of several cases leave together; perhaps before the owner would have been reminded.
        """
        latest = max(self.remind_at, self.due_at - lead)
        moments = (rounded_down(latest, step) for step in COMMON_MOMENTS if step <= bundle)
        return next((moment for moment in moments if moment > self.since), latest)


@dataclass(frozen=True, slots=True)
class TurningPoint:
    """The moment since which a case waits, is resolved, or is open again after it was resolved (T5)."""

    at: datetime
    kind: TurnKind


def turning_point(snapshots: Sequence[Snapshot]) -> TurningPoint | None:
    """How the case came to where it stands, if that was a turning point (T5).

    A new question on a waiting case is none, and neither is the end of a wait.
    """
    if not snapshots:
        return None
    last = snapshots[-1].status
    states = (last,) if last in _TURNS else _OPEN
    at, before = snapshots[-1].at, None
    for snapshot in reversed(snapshots):
        if snapshot.status not in states:
            before = snapshot.status
            break
        at = snapshot.at
    if last in _TURNS:
        return TurningPoint(at, _TURNS[last])
    return TurningPoint(at, TurnKind.REOPENED) if before == Status.RESOLVED else None


_TURNS = {Status.WAITING: TurnKind.WAITING, Status.RESOLVED: TurnKind.RESOLVED}
_OPEN = (Status.ASSIGNED, Status.IN_PROGRESS)


def targets_of(
    member: Member, changes: Sequence[CadenceChange], touchpoints: Iterable[Touchpoint], anchor: datetime | None = None
) -> list[Target]:
    """All targets of a member, in order; only the last may still run. Changes and touchpoints come in order.

    With `anchor`, a moment at which a target of the member is known to have begun or ended, only the targets from then
    on, exactly as all events would give them; no touchpoints from before it are needed.
    """
    fold = _Fold(member)
    for event in _in_order(member, changes, touchpoints, anchor):
        if isinstance(event, Touchpoint):
            fold.add_touchpoint(event)
        elif isinstance(event, CadenceChange):
            fold.add_change(event)
        else:
            fold.restart_at(event)
    return [target for target in fold.targets if anchor is None or target.since >= anchor]


def _in_order(
    member: Member, changes: Sequence[CadenceChange], touchpoints: Iterable[Touchpoint], anchor: datetime | None
) -> Iterator[Touchpoint | CadenceChange | datetime]:
    """The events in order, from the cadence that was in force just before the anchor on. At one moment touchpoints come
    first, a person's before the desk's, then the change, then the anchor.
    """
    first = 0 if anchor is None else max(0, bisect_left(changes, anchor, key=_moment) - 1)
    events: list[tuple[datetime, int, Touchpoint | CadenceChange | datetime]] = [
        (change.at, 2, change) for change in changes[first:]
    ]
    for touchpoint in touchpoints:
        if member in touchpoint.members and (anchor is None or touchpoint.at >= anchor):
            events.append((touchpoint.at, int(touchpoint.by_desk), touchpoint))
    if anchor is not None:
        events.append((anchor, 3, anchor))
    return (event for _, _, event in sorted(events, key=lambda event: event[:2]))


def _moment(change: CadenceChange) -> datetime:
    return change.at


class _Fold:
    """Applies the events of a member in order of time."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self.in_force: CadenceChange | None = None
        self.current: Target | None = None
        self.ended: list[Target] = []

    @property
    def targets(self) -> list[Target]:
        """Those that ended, and the one that runs."""
        return self.ended + ([self.current] if self.current else [])

    def add_touchpoint(self, touchpoint: Touchpoint) -> None:
        """The member was told how the case stands."""
        if self.current is not None and self.in_force is not None and self.current.since < touchpoint.at:
            self._end(touchpoint.at, touchpoint)
            self._begin(touchpoint.at, self.in_force, touchpoint.what)

    def add_change(self, change: CadenceChange) -> None:
        """Another cadence is in force from now on."""
        before, self.in_force = self.in_force, change
        every = change.owed.get(self.member)
        if every is None:
            self._end(change.at, None)
        elif self.current is None:
            self._begin(change.at, change, change.why)
        else:
            self.current.automatic = change.automatic
            if before is None or every != before.owed.get(self.member):
                self._interval_changed(self.current, change, every)

    def restart_at(self, anchor: datetime) -> None:
        """A target is known to begin here; what began it may not be among the touchpoints."""
        if self.current is not None and self.in_force is not None and self.current.since < anchor:
            self._begin(anchor, self.in_force, self.in_force.why)

    def _begin(self, at: datetime, change: CadenceChange, reason: str) -> None:
        every = change.owed[self.member]
        self.current = Target(self.member, at, every, at + every, change.automatic, why=[Reason(at, reason)])

    def _end(self, at: datetime, by: Touchpoint | None) -> None:
        if self.current is not None and self.current.since < at:
            self.current.ended_at, self.current.ended_by = at, by
            self.ended.append(self.current)
        self.current = None

    @staticmethod
    def _interval_changed(current: Target, change: CadenceChange, every: timedelta) -> None:
        before, current.every = current.every, every
        if change.at <= current.due_at:  # what is missed stays missed at its moment (T4)
            current.why.append(Reason(change.at, change.why))
        if change.at == current.since or change.at + every < current.due_at:
            current.due_at, current.allowed = change.at + every, None
        else:
            current.allowed = current.allowed or before
