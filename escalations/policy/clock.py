"""The clock of escalation: a pure function of what happened to a case (E2, E3, E4). All moments UTC.

What happened is a series of snapshots: from a moment on, the case had this status, this severity and this waiting
episode. The case's history is such a series, and so is the log of another system. The snapshots are folded once into
spans; a `ClockView` answers from them what is due, what the clock shows and what comes next at a moment. The sweep, the
case page, the forecast, the rehearsal and the replay all ask it.

An event at the same instant as a due moment comes first: resolved at T, and the point due at T does not happen.

A case runs under a schedule, or under a `PolicyTimeline`: several schedules one after the other, for a case that was
moved to another version (E10), and the points that accepted requests brought forward (E9).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property

from cases.enums import Severity, Status
from cases.policy.severity import RANK
from escalations.policy.schedule import Point, Schedule

#: A resolution that did not hold this long does not buy time: the same run goes on (E2, decision).
SAME_RUN_WITHIN = timedelta(hours=24)
ZERO = timedelta(0)

#: (run, severity, number): a point happens once per run (E6).
PointKey = tuple[int, Severity, int]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """From `at` (UTC) on, the case was like this."""

    at: datetime
    status: Status
    severity: Severity
    episode: int = 0


@dataclass(frozen=True)
class PolicyTimeline:
    """The schedule a case was opened under, those it was moved to, each from a moment on (E10), and the points that an
    accepted request brought forward, with the moment of acceptance (E9).
    """

    first: Schedule
    moves: tuple[tuple[datetime, Schedule], ...] = ()  # in order
    brought_forward: Mapping[PointKey, datetime] = field(default_factory=dict)

    def at(self, moment: datetime) -> Schedule:
        """The schedule in force for the case at a moment."""
        return next((schedule for moved_at, schedule in reversed(self.moves) if moved_at <= moment), self.first)

    @property
    def last(self) -> Schedule:
        """The schedule the case runs under from its last move on."""
        return self.moves[-1][1] if self.moves else self.first


@dataclass(frozen=True, slots=True)
class ClockSpan:
    """A time in which neither status nor severity nor schedule changed; `end` is None for the one that still lasts."""

    start: datetime
    end: datetime | None
    status: Status
    severity: Severity
    run: int
    worked: timedelta  # of the run, before `start`: open and not waiting
    waited: timedelta  # of the run, before `start`
    lowered_at: tuple[timedelta, timedelta] | None  # (worked, waited) when this severity was reached from a worse one

    @property
    def is_running(self) -> bool:
        """Whether points come due within it: the case is open and does not wait (E2)."""
        return self.status not in (Status.WAITING, Status.RESOLVED)

    def elapsed(self, schedule: Schedule, at: datetime) -> timedelta:
        """What the clock of the span's severity shows at `at`, a moment within the span (E2, E4)."""
        inside = ZERO if self.status == Status.RESOLVED else at - self.start
        if self.status == Status.WAITING:
            return _elapsed(schedule, self.severity, self.worked, self.waited + inside)
        return _elapsed(schedule, self.severity, self.worked + inside, self.waited)


@dataclass(frozen=True, slots=True)
class Due:
    """A point that came due. `recorded_only`: the case had passed it already when its severity was lowered (E4)."""

    run: int
    point: Point
    due_at: datetime
    recorded_only: bool

    @property
    def key(self) -> PointKey:
        """(run, severity, number): a point happens once per run (E6)."""
        return self.run, self.point.severity, self.point.number


@dataclass(frozen=True, slots=True)
class ClockReading:
    """What a case's clock shows at a moment."""

    run: int
    elapsed: timedelta
    running: bool
    severity: Severity


@dataclass(frozen=True)
class ClockView:
    """A case's clock at `now`. `spans` are those of the whole life, also those that begin after `now`."""

    spans: Sequence[ClockSpan]
    timeline: PolicyTimeline
    now: datetime

    @cached_property
    def past(self) -> list[ClockSpan]:
        """The spans that have begun by `now`."""
        return [span for span in self.spans if span.start <= self.now]

    @cached_property
    def due(self) -> list[Due]:
        """Every point that has come due up to and including `now`, each once per run, in order (E6).

        A point is due the first moment its severity's clock has reached it while the case is open and not waiting, or
        when a request for it was accepted, if that was earlier (E9).
        """
        found: dict[PointKey, Due] = {}
        for span in self.past:
            for due in sorted(self._due_within(span), key=lambda due: due.due_at):
                found.setdefault(due.key, due)
        return list(found.values())

    @cached_property
    def reading(self) -> ClockReading:
        """The clock of the case's severity at `now`. Raises ValueError when the case was not open yet."""
        if not self.past:
            raise ValueError("the case was not open yet at that moment")
        span = self.past[-1]
        at = self.now if span.end is None else min(self.now, span.end)
        return ClockReading(span.run, span.elapsed(self.timeline.at(span.start), at), span.is_running, span.severity)

    def next_point(self, done: Iterable[PointKey] = ()) -> Due | None:
        """The next point to come due after `now` if nothing touches the case; None while it waits, is resolved, or has
        none left. `done` are the keys of points that were carried out already.
        """
        if not self.spans or not self.spans[-1].is_running:
            return None
        over = {*done, *(due.key for due in self.due)}
        to_come = (due for due in _foreseen(self.spans[-1], self.timeline) if due.key not in over)
        return min(to_come, key=lambda due: due.due_at, default=None)

    def _due_within(self, span: ClockSpan) -> Iterator[Due]:
        if span.is_running:
            for due in _foreseen(span, self.timeline):
                if due.due_at <= self.now and (span.end is None or due.due_at < span.end):
                    yield due


def view_clock(snapshots: Sequence[Snapshot], under: Schedule | PolicyTimeline, now: datetime) -> ClockView:
    """The clock of a case at `now`; `snapshots` are in order, those of one instant in theirs."""
    timeline = under if isinstance(under, PolicyTimeline) else PolicyTimeline(under)
    return ClockView(clock_spans(snapshots, timeline), timeline, now)


def due_points(snapshots: Sequence[Snapshot], under: Schedule | PolicyTimeline, now: datetime) -> list[Due]:
    """Every point that has come due up to and including `now`; see `ClockView.due`."""
    return view_clock(snapshots, under, now).due


def clock_spans(snapshots: Sequence[Snapshot], timeline: PolicyTimeline) -> list[ClockSpan]:
    """Fold what happened to a case into spans, in order. A run ends with a resolution that held (E2)."""
    life = _with_moves(snapshots, timeline)
    spans: list[ClockSpan] = []
    run, worked, waited = 1, ZERO, ZERO
    resolved_at: datetime | None = None
    lowered_at: tuple[timedelta, timedelta] | None = None
    for index, snapshot in enumerate(life):
        if resolved_at is not None and snapshot.status != Status.RESOLVED:
            if snapshot.at - resolved_at > SAME_RUN_WITHIN:
                run, worked, waited, lowered_at = run + 1, ZERO, ZERO, None
            resolved_at = None
        if spans and snapshot.severity != spans[-1].severity:
            lowered_at = (worked, waited) if RANK[snapshot.severity] > RANK[spans[-1].severity] else None
        end = life[index + 1].at if index + 1 < len(life) else None
        spans.append(ClockSpan(snapshot.at, end, snapshot.status, snapshot.severity, run, worked, waited, lowered_at))
        length = (end or snapshot.at) - snapshot.at
        if snapshot.status == Status.WAITING:
            waited += length
        elif snapshot.status != Status.RESOLVED:
            worked += length
        elif resolved_at is None:
            resolved_at = snapshot.at
    return spans


def _with_moves(snapshots: Sequence[Snapshot], timeline: PolicyTimeline) -> Sequence[Snapshot]:
    """The snapshots, and one for each move to another schedule: from then on another table is read (E10)."""
    life = list(snapshots)
    for moved_at, _ in timeline.moves:
        place = next((index for index, snapshot in enumerate(life) if snapshot.at > moved_at), len(life))
        if place:
            life.insert(place, replace(life[place - 1], at=moved_at))
    return life


def _elapsed(schedule: Schedule, severity: Severity, worked: timedelta, waited: timedelta) -> timedelta:
    return worked if severity in schedule.stands_still else worked + waited


def _foreseen(span: ClockSpan, timeline: PolicyTimeline) -> Iterator[Due]:
    """When each point of the span's severity comes if the span lasts."""
    schedule = timeline.at(span.start)
    elapsed = span.elapsed(schedule, span.start)
    passed_before = _elapsed(schedule, span.severity, *span.lowered_at) if span.lowered_at else None
    for point in schedule.of(span.severity):
        due_at = span.start + max(ZERO, point.after - elapsed)
        accepted_at = timeline.brought_forward.get((span.run, point.severity, point.number), due_at)
        due_at = max(span.start, min(due_at, accepted_at))
        yield Due(span.run, point, due_at, passed_before is not None and point.after <= passed_before)
