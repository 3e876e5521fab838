"""The escalation schedule as a value (E1): which point comes when, who is emailed, what happens to the owner, and
who gets status updates how often from then on. Pure: no database, no clock.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise

from cases.enums import Severity
from contacts.enums import Role
from contacts.wording import duration
from escalations.enums import Audience, OwnerAction


@dataclass(frozen=True, slots=True)
class Point:
    """One point of escalation: (severity, number) names it (E4)."""

    severity: Severity
    number: int
    after: timedelta  # on the case's clock
    owner: OwnerAction
    mailed: tuple[Role, ...] = ()
    cadence: Mapping[Audience, timedelta] = field(default_factory=dict)
    may_need_more: bool = False  # "additional escalation where appropriate": a decision for the Support Manager

    @property
    def name(self) -> str:
        """How people call it, e.g. “High 2”."""
        return f"{self.severity.label} {self.number}"


#: T2: how often the customer is owed an update before any point, at the latest.
BASE_INTERVAL: dict[Severity, timedelta] = {
    Severity.CRITICAL: timedelta(hours=2),
    Severity.HIGH: timedelta(hours=4),
    Severity.MEDIUM: timedelta(hours=8),
    Severity.LOW: timedelta(hours=24),
}


#: E10: no interval is shorter; the desk's own update goes out minutes before a deadline (T3) and must leave some room.
SHORTEST_INTERVAL = timedelta(minutes=10)


@dataclass(frozen=True)
class Schedule:
    """A version of the whole table: the points of each severity, rising, and what holds for a severity as a whole."""

    version: int
    points: Mapping[Severity, tuple[Point, ...]]
    stands_still: frozenset[Severity] = frozenset(Severity)  # E2's switch per severity
    base_interval: Mapping[Severity, timedelta] = field(default_factory=lambda: dict(BASE_INTERVAL))  # T2
    automatic_updates: frozenset[Severity] = frozenset(Severity)  # T3's switch per severity

    def base_cadence(self, severity: Severity) -> dict[Audience, timedelta]:
        """Who is owed updates how often before any point: the customer (T2)."""
        return {Audience.CUSTOMER: self.base_interval[severity]}

    def of(self, severity: Severity) -> tuple[Point, ...]:
        """The points of a severity, first to last; none for Low."""
        return self.points.get(severity, ())

    def find(self, severity: Severity, number: int) -> Point | None:
        """The point of that name, if the schedule has it."""
        return next((point for point in self.of(severity) if point.number == number), None)

    def point(self, severity: Severity, number: int) -> Point:
        """The point of that name. Raises KeyError when the schedule has none."""
        point = self.find(severity, number)
        if point is None:
            raise KeyError((severity, number))
        return point


def problems_of(schedule: Schedule) -> list[str]:
    """What keeps a whole table from being put in force, a sentence each (E10)."""
    points = [point for severity in Severity for point in schedule.of(severity)]
    problems = schedule_problems(points) if points else ["A schedule needs at least one point; add one."]
    return problems + base_interval_problems(schedule.base_interval)


@dataclass(frozen=True)
class PointProblem:
    """What keeps points from being a schedule: a sentence that names the point and says what to do (E10).

    `points` are those to correct, at `field`; none where no single one is wrong.
    """

    sentence: str
    points: tuple[Point, ...] = ()
    field: str = "after"


def schedule_problems(points: Iterable[Point]) -> list[str]:
    """The sentences of `find_problems`."""
    return [problem.sentence for problem in find_problems(points)]


def find_problems(points: Iterable[Point]) -> list[PointProblem]:
    """What keeps these points from being a schedule, each with the points it is about (E10)."""
    problems: list[PointProblem] = []
    by_severity: dict[Severity, list[Point]] = {}
    for point in points:
        by_severity.setdefault(point.severity, []).append(point)
        if point.after <= timedelta(0):
            sentence = f"{point.name} must come some time after the opening; give a time above zero."
            problems.append(PointProblem(sentence, (point,)))
        problems += [
            PointProblem(
                f"{point.name} sends {audience.label} updates every {duration(interval)}; {_LONG_ENOUGH}",
                (point,),
                f"every_{audience.value}",
            )
            for audience, interval in point.cadence.items()
            if interval < SHORTEST_INTERVAL
        ]
    for severity, its_points in by_severity.items():
        its_points.sort(key=lambda point: point.number)
        numbers = [point.number for point in its_points]
        if numbers != list(range(1, len(numbers) + 1)):
            sentence = (
                f"The points of {severity.label} are numbered {', '.join(map(str, numbers))}; "
                f"number them 1 to {len(numbers)} without a gap."
            )
            problems.append(PointProblem(sentence, _misnumbered(its_points), "number"))
        problems += [
            PointProblem(f"{later.name} comes no later than {earlier.name}; give it a longer time.", (later,))
            for earlier, later in pairwise(its_points)
            if later.after <= earlier.after
        ]
    return problems


def _misnumbered(points: Sequence[Point]) -> tuple[Point, ...]:
    """The points, sorted by number, from the first one on that has not its place for a number."""
    wrong = next(place for place, point in enumerate(points) if point.number != place + 1)
    return tuple(points[wrong:])


def base_interval_problems(base_interval: Mapping[Severity, timedelta]) -> list[str]:
    """What is wrong with how often the customer is updated before any point (T2), a sentence each."""
    problems = []
    for severity in Severity:
        every = base_interval.get(severity)
        if every is None:
            problems.append(f"{severity.label} does not say how often the customer is updated before any point.")
        elif every < SHORTEST_INTERVAL:
            problems.append(
                f"{severity.label} updates the customer every {duration(every)} before any point; {_LONG_ENOUGH}"
            )
    return problems


_LONG_ENOUGH = f"give {duration(SHORTEST_INTERVAL)} or more."


def _hours(**each: float) -> dict[Audience, timedelta]:
    return {Audience(name): timedelta(hours=hours) for name, hours in each.items()}


def _point(
    severity: Severity,
    number: int,
    hours: float,
    mailed: tuple[Role, ...],
    owner: OwnerAction,
    may_need_more: bool = False,
    **cadence: float,
) -> Point:
    return Point(severity, number, timedelta(hours=hours), owner, mailed, _hours(**cadence), may_need_more)


_C, _H, _M = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM
_ASKED, _TO_L3 = OwnerAction.ASKED, OwnerAction.TO_L3
_AM, _CSM, _DIRECTOR, _COO = Role.ACCOUNT_MANAGER, Role.CSM, Role.CS_DIRECTOR, Role.COO

#: E1, as the vendor's guide publishes it; loaded once as editable data.
PUBLISHED = Schedule(
    version=1,
    points={
        _C: (
            _point(_C, 1, 4, (_CSM, _AM), _TO_L3, customer=2, account_manager=2),
            _point(_C, 2, 12, (_CSM,), _ASKED, True, customer=2, cs_management=2),
            _point(_C, 3, 24, (_COO,), _ASKED, customer=2, account_manager=2, cs_management=2, coo=2),
        ),
        _H: (
            _point(_H, 1, 12, (_CSM, _AM), _ASKED, customer=2, cs_management=2),
            _point(_H, 2, 36, (_AM,), _TO_L3, True, customer=4, cs_management=4, account_manager=4),
            _point(_H, 3, 48, (_DIRECTOR,), _ASKED, customer=4, account_manager=4, cs_management=4),
        ),
        _M: (
            _point(_M, 1, 2 * 24, (_AM,), _ASKED, customer=8),
            _point(_M, 2, 6 * 24, (_CSM,), _TO_L3, customer=8, account_manager=24),
            _point(_M, 3, 15 * 24, (), _ASKED, True, customer=8, account_manager=8, cs_management=8),
        ),
    },
)


def cadence_minutes(cadence: Mapping[Audience, timedelta]) -> dict[str, int]:
    """A cadence as it is stored on a case: whole minutes by audience."""
    return {audience.value: int(interval.total_seconds() // 60) for audience, interval in cadence.items()}
