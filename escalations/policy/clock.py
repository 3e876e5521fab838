"""The one clock of escalation: a pure function of what happened to a case (E2, E3, E4).

What happened is a series of snapshots: from this moment on the case had this status, this severity and this waiting
episode. The case's history is such a series, and so is the log of another system. Everything that asks where a clock
stands (the sweep, the case page, later the forecast, the rehearsal and the replay) asks here.

An event at the same instant as a due moment comes first: resolved at T, and the point due at T does not happen.

What a case runs under is a schedule, or a course: several schedules one after the other, for a case that was moved to
another version (E10), and the points that were asked for and granted before their time (E9).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cases.enums import RANK, Severity, Status
from escalations.policy.schedule import Point, Schedule

#: A resolution that did not hold this long does not buy time: the same run goes on (E2, decision).
SAME_RUN_WITHIN = timedelta(hours=24)
ZERO = timedelta(0)

#: (run, severity, number): a point happens once per run (E6).
Key = tuple[int, Severity, int]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """From `at` (UTC) on, the case was like this."""

    at: datetime
    status: Status
    severity: Severity
    episode: int = 0


@dataclass(frozen=True, slots=True)
class ClockSpan:
    """A time in which neither status nor severity changed; `end` is None for the one that still lasts."""

    start: datetime
    end: datetime | None
    status: Status
    severity: Severity
    run: int
    worked: timedelta  # of the run, before `start`: open and not waiting
    waited: timedelta  # of the run, before `start`
    lowered_at: tuple[timedelta, timedelta] | None  # (worked, waited) when this severity was reached from a worse one

    def reading(self, schedule: Schedule, at: datetime) -> timedelta:
        """What the clock of the stretch's severity shows at `at`, a moment within the stretch (E2, E4)."""
        inside = ZERO if self.status == Status.RESOLVED else at - self.start
        worked, waited = self.worked, self.waited
        if self.status == Status.WAITING:
            waited += inside
        else:
            worked += inside
        return _read(schedule, self.severity, worked, waited)


@dataclass(frozen=True, slots=True)
class Due:
    """A point that came due: in which run, when, and whether it is only recorded (`quiet`, E4 on lowering)."""

    run: int
    point: Point
    due_at: datetime
    quiet: bool

    @property
    def key(self) -> Key:
        """(run, severity, number): a point happens once per run (E6)."""
        return self.run, self.point.severity, self.point.number


@dataclass(frozen=True)
class PolicyTimeline:
    """What a case runs under: the schedule it was opened under, those it was moved to since, each from a moment on
    (E10), and the points that an accepted request brought forward, with the moment of acceptance (E9). All UTC.
    """

    first: Schedule
    moves: tuple[tuple[datetime, Schedule], ...] = ()  # in order
    brought_forward: Mapping[Key, datetime] = field(default_factory=dict)

    def at(self, moment: datetime) -> Schedule:
        """The schedule in force for the case at a moment."""
        schedule = self.first
        for moved_at, its_schedule in self.moves:
            if moved_at > moment:
                break
            schedule = its_schedule
        return schedule

    @property
    def last(self) -> Schedule:
        """The schedule the case runs under from its last move on."""
        return self.moves[-1][1] if self.moves else self.first


def policy_timeline(under: Schedule | PolicyTimeline) -> PolicyTimeline:
    """The course of a case: a schedule alone is one without moves and without accepted requests."""
    return under if isinstance(under, PolicyTimeline) else PolicyTimeline(under)


def life_under(snapshots: Sequence[Snapshot], timeline: PolicyTimeline) -> list[Snapshot]:
    """The life with a snapshot for each move to another schedule: from then on another table is read (E10)."""
    life = list(snapshots)
    for moved_at, _ in timeline.moves:
        place = next((index for index, one in enumerate(life) if one.at > moved_at), len(life))
        if place:
            life.insert(place, replace(life[place - 1], at=moved_at))
    return life


def _read(schedule: Schedule, severity: Severity, worked: timedelta, waited: timedelta) -> timedelta:
    return worked if severity in schedule.stands_still else worked + waited


def stretches(snapshots: Sequence[Snapshot]) -> Iterator[ClockSpan]:
    """The life of a case as stretches, in order. `snapshots` are in order too; those of one instant count in theirs."""
    run, worked, waited = 1, ZERO, ZERO
    resolved_at: datetime | None = None
    lowered_at: tuple[timedelta, timedelta] | None = None
    severity: Severity | None = None
    for index, snapshot in enumerate(snapshots):
        if resolved_at is not None and snapshot.status != Status.RESOLVED:
            if snapshot.at - resolved_at > SAME_RUN_WITHIN:
                run, worked, waited, lowered_at = run + 1, ZERO, ZERO, None
            resolved_at = None
        if severity is not None and snapshot.severity != severity:
            lowered = RANK[snapshot.severity] > RANK[severity]
            lowered_at = (worked, waited) if lowered else None
        severity = snapshot.severity
        end = snapshots[index + 1].at if index + 1 < len(snapshots) else None
        yield ClockSpan(snapshot.at, end, snapshot.status, snapshot.severity, run, worked, waited, lowered_at)
        length = (end or snapshot.at) - snapshot.at
        if snapshot.status == Status.WAITING:
            waited += length
        elif snapshot.status != Status.RESOLVED:
            worked += length
        elif resolved_at is None:
            resolved_at = snapshot.at


def due_points(snapshots: Sequence[Snapshot], under: Schedule | PolicyTimeline, now: datetime) -> list[Due]:
    """Every point that has come due in the case's life up to and including `now`, each once per run, in order (E6).

    A point is due the first moment its severity's clock has reached it while the case is open and not waiting, or
    when a request for it was accepted, if that was earlier (E9).
    """
    timeline = policy_timeline(under)
    found: dict[Key, Due] = {}
    for stretch in stretches(life_under(snapshots, timeline)):
        if stretch.start > now:
            break
        for due in sorted(_due_within(stretch, timeline, now), key=lambda one: one.due_at):
            found.setdefault(due.key, due)
    return list(found.values())


def _due_within(stretch: ClockSpan, timeline: PolicyTimeline, now: datetime) -> Iterator[Due]:
    if stretch.status in (Status.WAITING, Status.RESOLVED):
        return
    for due in _foreseen(stretch, timeline):
        if due.due_at <= now and (stretch.end is None or due.due_at < stretch.end):
            yield due


def _foreseen(stretch: ClockSpan, timeline: PolicyTimeline) -> Iterator[Due]:
    """When each point of the stretch's severity comes if the stretch lasts."""
    schedule = timeline.at(stretch.start)
    reading = stretch.reading(schedule, stretch.start)
    for point in schedule.of(stretch.severity):
        due_at = stretch.start + max(ZERO, point.after - reading)
        hastened_at = timeline.brought_forward.get((stretch.run, point.severity, point.number), due_at)
        due_at = max(stretch.start, min(due_at, hastened_at))
        yield Due(stretch.run, point, due_at, _was_passed_when_lowered(stretch, schedule, point))


def _was_passed_when_lowered(stretch: ClockSpan, schedule: Schedule, point: Point) -> bool:
    if stretch.lowered_at is None:
        return False
    return point.after <= _read(schedule, stretch.severity, *stretch.lowered_at)


@dataclass(frozen=True, slots=True)
class ClockReading:
    """Where a case's clock stands at a moment."""

    run: int
    elapsed: timedelta
    running: bool
    severity: Severity


def read_clock(snapshots: Sequence[Snapshot], under: Schedule | PolicyTimeline, now: datetime) -> ClockReading:
    """The clock of the case's current severity at `now`. Raises ValueError when nothing had happened by then."""
    timeline = policy_timeline(under)
    current: ClockSpan | None = None
    for stretch in stretches(life_under(snapshots, timeline)):
        if stretch.start > now:
            break
        current = stretch
    if current is None:
        raise ValueError("the case was not open yet at that moment")
    end = now if current.end is None else min(now, current.end)
    running = current.status not in (Status.WAITING, Status.RESOLVED)
    return ClockReading(current.run, current.reading(timeline.at(current.start), end), running, current.severity)


def next_point(
    snapshots: Sequence[Snapshot], under: Schedule | PolicyTimeline, now: datetime, done: Iterable[Key] = ()
) -> Due | None:
    """The next point to come due after `now` if nothing touches the case; None while it waits, is resolved, or has
    none left. `done` are the keys of points that were carried out already.
    """
    timeline = policy_timeline(under)
    last: ClockSpan | None = None
    for last in stretches(life_under(snapshots, timeline)):  # noqa: B007 - the last one is what we want
        pass
    if last is None or last.status in (Status.WAITING, Status.RESOLVED):
        return None
    carried_out = set(done) | {due.key for due in due_points(snapshots, timeline, now)}
    to_come = (due for due in _foreseen(last, timeline) if due.key not in carried_out)
    return min(to_come, key=lambda due: due.due_at, default=None)
