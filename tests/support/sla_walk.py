"""An independent simulator of one case, minute by minute, written from the rules alone (T2, E1, E2, E4, E9, E10).

First happens what happens in a minute, then what is due in it is found and swept, then it is seen who is owed updates;
a promise is a number of minutes left. It is slow and simple on purpose: the pure rules are compared with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from cases.enums import Severity, Status
from contacts.enums import Role
from escalations.enums import Audience, Member
from escalations.policy.cadence import ManagementAttention, PassedPoint
from escalations.policy.clock import PointKey, PolicyTimeline, Snapshot
from escalations.policy.schedule import Point, Schedule
from escalations.policy.sla import Touchpoint

T0 = datetime(2026, 6, 3, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
A_DAY = 24 * 60
WORSE_FIRST = list(Severity)
OPEN = (Status.ASSIGNED, Status.IN_PROGRESS)


@dataclass(frozen=True)
class Told:
    """Somebody was told how the case stands."""

    members: frozenset[Member]
    by_desk: bool = False


@dataclass(frozen=True)
class Moved:
    """The case went over to another version of the schedule."""

    to: int


@dataclass(frozen=True)
class Granted:
    """A request was accepted."""


@dataclass(frozen=True)
class AttentionOver:
    """Management's attention was closed."""


@dataclass(frozen=True)
class Swept:
    """The sweep came."""


What = Status | Severity | Told | Moved | Granted | AttentionOver | Swept


@dataclass(frozen=True)
class Promised:
    """What one member was owed, in minutes; `by`: a person, the desk, or nobody when it was no longer owed."""

    member: Member
    since: int
    due: int
    ended: int | None = None
    by: str | None = None


@dataclass
class _Left:
    since: int
    every: int
    left: int
    missed_at: int | None = None

    def due(self, now: int) -> int:
        return now + self.left if self.missed_at is None else self.missed_at


@dataclass
class Walk:
    """The state of one case, what it is known by to the rules under test, and what the walk found."""

    severity: Severity
    versions: Sequence[Schedule]
    # what the functions under test are given
    snapshots: list[Snapshot] = field(default_factory=list)
    moves: list[tuple[datetime, Schedule]] = field(default_factory=list)
    granted: dict[PointKey, int] = field(default_factory=dict)
    words: list[Touchpoint] = field(default_factory=list)
    reached: list[PassedPoint] = field(default_factory=list)
    attentions: list[ManagementAttention] = field(default_factory=list)
    # what was found
    found: dict[PointKey, tuple[int, bool]] = field(default_factory=dict)
    owed: list[dict[Member, int]] = field(default_factory=list)
    promised: list[Promised] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.now, self.run, self.status = 0, 1, Status.ASSIGNED
        self.version = self.versions[0]
        self.worked, self.waited, self.closed_at = 0, 0, 0
        self.when_lowered: tuple[int, int] | None = None
        self.points: dict[PointKey, Point] = {}
        self.done: set[PointKey] = set()
        self.quiet_before: tuple[Severity, bool] = (self.severity, False)
        self.changed_at = 0
        self.audience: dict[Member, int] = {}
        self.running: dict[Member, _Left] = {}
        self.snapshots.append(Snapshot(T0, self.status, self.severity))

    @property
    def timeline(self) -> PolicyTimeline:
        brought_forward = {key: T0 + minute * MINUTE for key, minute in self.granted.items()}
        return PolicyTimeline(self.versions[0], tuple(self.moves), brought_forward)

    def to(self, until: int, steps: Iterable[tuple[int, What]]) -> Walk:
        """Walk until a minute, that one included."""
        by_minute: dict[int, list[What]] = {}
        for minute, what in steps:
            by_minute.setdefault(minute, []).append(what)
        while self.now <= until:
            self._minute(by_minute.get(self.now, []))
        return self

    def _minute(self, whats: Sequence[What]) -> None:
        if not whats and self.status == Status.RESOLVED:  # nothing can happen by itself
            self.owed.append({})
            self.now += 1
            return
        told = [what for what in whats if isinstance(what, Told)]
        for what in sorted(told, key=lambda one: one.by_desk):
            self._hear(what)
        for what in whats:
            self._happen(what)
        self._find_due()
        if Swept() in whats:
            self._sweep()
        self._see_who_is_owed()
        if self.status in OPEN:
            self.worked += 1
        elif self.status == Status.WAITING:
            self.waited += 1
        for left in self.running.values():
            if left.left == 0 and left.missed_at is None:
                left.missed_at = self.now
            left.left -= 1
        self.now += 1

    # --- what happens

    def _happen(self, what: What) -> None:
        moment = T0 + self.now * MINUTE
        if isinstance(what, Status):
            self._status(what)
        elif isinstance(what, Severity):
            self._severity(what)
        elif isinstance(what, Moved):
            self.version = self.versions[what.to]
            self.moves.append((moment, self.version))
        elif isinstance(what, Granted) and self.status in OPEN:
            self._grant(moment)
        elif isinstance(what, AttentionOver):
            self.attentions[:] = [one if one.until else replace(one, until=moment) for one in self.attentions]
        if isinstance(what, Status | Severity):
            self.snapshots.append(Snapshot(moment, self.status, self.severity))

    def _status(self, new: Status) -> None:
        if new == Status.RESOLVED and self.status != Status.RESOLVED:
            self.closed_at = self.now
        if self.status == Status.RESOLVED and new != Status.RESOLVED and self.now - self.closed_at > A_DAY:
            self.run, self.worked, self.waited, self.when_lowered = self.run + 1, 0, 0, None
        self.status = new

    def _severity(self, new: Severity) -> None:
        if new != self.severity:
            lowered = WORSE_FIRST.index(new) > WORSE_FIRST.index(self.severity)
            self.when_lowered = (self.worked, self.waited) if lowered else None
        self.severity = new

    def _grant(self, moment: datetime) -> None:
        left = [point for point in self.version.of(self.severity) if self._key(point) not in self.done]
        if left:
            self.granted.setdefault(self._key(left[0]), self.now)
        else:
            self.attentions.append(ManagementAttention(moment, None, self.run))

    # --- what is due

    def _key(self, point: Point) -> PointKey:
        return self.run, point.severity, point.number

    def _shown(self, worked: int, waited: int) -> timedelta:
        return (worked if self.severity in self.version.stands_still else worked + waited) * MINUTE

    def _find_due(self) -> None:
        if self.status not in OPEN:
            return
        for point in self.version.of(self.severity):
            key = self._key(point)
            if key not in self.found and (self._shown(self.worked, self.waited) >= point.after or key in self.granted):
                quiet = self.when_lowered is not None and self._shown(*self.when_lowered) >= point.after
                self.found[key] = self.now, quiet
                self.points[key] = point

    def _sweep(self) -> None:
        for key, (due, quiet) in self.found.items():
            if key not in self.done:
                self.done.add(key)
                director = not quiet and Role.CS_DIRECTOR in self.points[key].mailed
                moments = (T0 + due * MINUTE, T0 + self.now * MINUTE)
                self.reached.append(PassedPoint(*key, *moments, self.points[key].cadence, director))

    # --- who is owed updates

    def _see_who_is_owed(self) -> None:
        is_open = self.status in OPEN
        if not is_open or self.quiet_before != (self.severity, True):
            self.changed_at = self.now
        self.quiet_before = self.severity, is_open
        owed = self._audience(self.done) if is_open else {}
        if is_open:
            soon = self._audience(self.done | {key for key, (due, _) in self.found.items() if due <= self.changed_at})
            owed |= {who: soon[who] for who in self.audience if who in soon and who not in owed}
            self.audience = owed
        self.owed.append(dict(owed))
        for member in Member:
            self._promise(member, owed.get(member))

    def _audience(self, keys: set[PointKey]) -> dict[Member, int]:
        base: dict[Audience, timedelta] = {Audience.CUSTOMER: self.version.base_interval[self.severity]}
        passed = sorted(number for run, severity, number in keys if (run, severity) == (self.run, self.severity))
        cadence = self.points[self.run, self.severity, passed[-1]].cadence if passed else base
        every = {who: interval // MINUTE for who, interval in (cadence or base).items()}
        if any(one.run == self.run and one.until is None for one in self.attentions):
            every.setdefault(Audience.CS_MANAGEMENT, 240)
            every.setdefault(Audience.ACCOUNT_MANAGER, 240)
            every = {who: min(240, minutes) for who, minutes in every.items()}
        owed: dict[Member, int] = {}
        for who, minutes in every.items():
            if who == Audience.CS_MANAGEMENT:
                owed[Member.CSM] = minutes
                if any(one.director for one in self.reached):
                    owed[Member.CS_DIRECTOR] = minutes
            else:
                owed[Member(who.value)] = minutes
        return owed

    # --- promises

    def _hear(self, told: Told) -> None:
        by_person = None if told.by_desk else 7
        self.words.append(Touchpoint(T0 + self.now * MINUTE, told.members, "an update", by_person, told.by_desk))
        for member in told.members:
            if member in self.running:
                self._end(member, "desk" if told.by_desk else "person")

    def _end(self, member: Member, by: str | None) -> None:
        left = self.running.pop(member)
        self.promised.append(Promised(member, left.since, left.due(self.now), self.now, by))

    def _promise(self, member: Member, every: int | None) -> None:
        left = self.running.get(member)
        if every is None:
            if left is not None:
                self._end(member, None)
        elif left is None:
            self.running[member] = _Left(self.now, every, every)
        elif every != left.every:
            left.every, left.left = every, min(left.left, every)

    def promised_to(self, member: Member) -> list[Promised]:
        """Everything a member was promised, the running promise last; to be asked at the end of the walk."""
        found = [one for one in self.promised if one.member == member]
        left = self.running.get(member)
        return found + ([Promised(member, left.since, left.due(self.now), None, None)] if left else [])
