"""Whole lives fast-forwarded, from the opening until long after the last point, with the real sweeps at every due
moment, just before it and in between: what happens is what E1 says, at its moment, and nothing else ever.

Each test lists what must happen; whatever else a sweep did (a mail, a transfer, an interval, a ledger row) would
stand in the list of what happened as well, and fail it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest

from cases.enums import Channel, Resolution, Severity, WaitReason
from cases.followup.apply import follow_up
from cases.models import Case, CaseWatcher, Mail
from cases.workflow import transitions
from escalations.models import Escalation
from escalations.points.apply import escalate
from tests.support.builders import NOON, Desk
from tests.support.examples import ALL_EXAMPLES
from tests.support.schedule_table import E1, outcome_of

pytestmark = pytest.mark.django_db

C, H, M, L = Severity
HOUR, MOMENT = timedelta(hours=1), timedelta(microseconds=1)
LOOKS = 6  # sweeps in between
LONG_AFTER = 10_000  # hours
#: Somewhat longer than until the last point, in hours.
UNTIL = {C: 30, H: 60, M: 400, L: 400}
Name = tuple[Severity, int]
Row = tuple[int, str, int, float, bool]  # run, severity, number, hours until due, carried out


@dataclass(frozen=True)
class Happening:
    """A sweep that left a trace: what changed by it."""

    hours: float
    rows: tuple[Row, ...]
    mailed: Mapping[str, int]
    owner: str
    asked: frozenset[str | None]
    watchers: frozenset[str]
    cadence: Mapping[str, int]


class Life:
    """One case played through its life; `happened` is everything the sweeps did to it or to anybody's mailbox."""

    def __init__(self, desk: Desk, severity: Severity, opened_at: datetime) -> None:
        self.desk, self.opened_at = desk, opened_at
        self.case_id = desk.open_case(opened_at, severity=severity).pk
        self.happened: list[Happening] = []
        self._look_away()

    def play(self, until: float, moves: Mapping[float, Move] = MappingProxyType({})) -> list[Happening]:
        """Sweep now and then and whenever the case says so; a move at a due moment goes before the sweep."""
        grid = {until * number / LOOKS for number in range(LOOKS + 1)} | set(moves) | {LONG_AFTER}
        for hours in sorted(grid):
            target = self.opened_at + hours * HOUR
            while (escalation_check_at := self.case.escalation_check_at) is not None and escalation_check_at < target:
                if ALL_EXAMPLES or not self.happened:
                    self._sweep(escalation_check_at - MOMENT)
                self._sweep(escalation_check_at)
                self._sweep(escalation_check_at)  # delivered once more (E6)
                assert self.case.escalation_check_at != escalation_check_at, "the sweep left the case due as it was"
            if hours in moves:
                moves[hours](self, target)
                self._look_away()
            self._sweep(target)
        return self.happened

    @property
    def case(self) -> Case:
        return Case.objects.select_related("owner").get(pk=self.case_id)

    def _look_away(self) -> None:
        """What people do writes mail as well; only what sweeps do is watched."""
        self._before = self._state()

    def _state(self) -> tuple[set[int], set[int], str, dict[str, int], set[str]]:
        case = self.case
        return (
            set(Escalation.objects.values_list("pk", flat=True)),
            set(Mail.objects.values_list("pk", flat=True)),
            str(case.owner),
            case.update_cadence,
            set(CaseWatcher.objects.values_list("user__username", flat=True)),
        )

    def _sweep(self, now: datetime) -> None:
        escalate(now)
        follow_up(now)
        before, after = self._before, self._state()
        if after != before:
            self.happened.append(self._happening(now, before[0], before[1]))
            self._before = after

    def _happening(self, now: datetime, old_rows: set[int], old_mails: set[int]) -> Happening:
        rows = list(Escalation.objects.exclude(pk__in=old_rows).order_by("due_at", "severity", "number"))
        mails = list(Mail.objects.exclude(pk__in=old_mails))
        assert {mail.template for mail in mails} <= {"escalation"}
        assert {row.done_at for row in rows} <= {now}
        case = self.case
        return Happening(
            self.hours(now),
            tuple((row.run, row.severity, row.number, self.hours(row.due_at), row.carried_out) for row in rows),
            Counter(mail.to_address.removesuffix("@example.com") for mail in mails),
            str(case.owner),
            frozenset(str(row.asked) if row.asked else None for row in rows),
            frozenset(CaseWatcher.objects.values_list("user__username", flat=True)),
            case.update_cadence,
        )

    def hours(self, moment: datetime) -> float:
        """Hours since the opening."""
        return (moment - self.opened_at) / HOUR


Move = Callable[[Life, datetime], object]


def steps(*expected: tuple[float, Iterable[Name], Iterable[Name], Name | None, int]) -> list[Happening]:
    """Happenings from (hours, points carried out, points only recorded, whose rhythm is in force, run)."""
    owner, watchers, found = "tech", frozenset[str](), []
    for hours, effective, quiet, in_force, run in expected:
        effective = tuple(effective)
        outcome = outcome_of(effective, owner)
        if outcome.owner != owner:
            watchers |= {owner}
        owner = outcome.owner
        asked = {outcome.asked} if effective else set()
        asked |= {None} if quiet else set()
        rows = [(name, True) for name in effective] + [(name, False) for name in quiet]
        found.append(
            Happening(
                hours,
                tuple((run, name[0].value, name[1], hours, carried_out) for name, carried_out in rows),
                dict.fromkeys(outcome.mailed, 1),
                owner,
                frozenset(asked),
                watchers,
                E1[in_force].minutes if in_force else {},
            )
        )
    return found


def plain(hours: float, name: Name, run: int = 1) -> tuple[float, list[Name], list[Name], Name, int]:
    return hours, [name], [], name, run


def points_of(severity: Severity) -> list[tuple[Name, float]]:
    return [(name, cell.hours) for name, cell in E1.items() if name[0] == severity]


# --- E1 undisturbed, wherever the calendar has its edges --------------------------------------------------------

OPENINGS = {
    "a Wednesday": NOON,
    "the hour before Europe's summer time": datetime(2026, 3, 29, 0, 30, tzinfo=UTC),
    "the day before Europe's winter time": datetime(2026, 10, 24, 20, 15, tzinfo=UTC),
    "the day before America's summer time": datetime(2026, 3, 7, 23, 0, tzinfo=UTC),
    "New Year's Eve": datetime(2026, 12, 31, 21, 45, tzinfo=UTC),
    "the eve of a leap day": datetime(2028, 2, 28, 22, 0, 0, 1, tzinfo=UTC),
}


@pytest.mark.parametrize("severity", [C, H, M])
@pytest.mark.parametrize("opened_at", OPENINGS.values(), ids=OPENINGS)
def test_a_case_that_nothing_moves_has_exactly_the_three_points_of_its_severity(desk: Desk, severity, opened_at):
    # E1, E2: around the clock, whatever the clocks on the wall do
    expected = steps(*(plain(hours, name) for name, hours in points_of(severity)))
    assert len(expected) == 3
    assert Life(desk, severity, opened_at).play(UNTIL[severity]) == expected


@pytest.mark.parametrize("opened_at", OPENINGS.values(), ids=OPENINGS)
def test_a_low_case_has_none(desk: Desk, opened_at):  # E1
    assert Life(desk, L, opened_at).play(UNTIL[L]) == []


# --- E2: what stops the clock -----------------------------------------------------------------------------------


def asks(life: Life, now: datetime) -> None:
    transitions.ask_customer(
        life.case_id,
        life.desk.technician,
        now,
        question="?",
        reason=WaitReason.CONFIRM,
        send=False,
        channel=Channel.PHONE,
    )


def takes_back(life: Life, now: datetime) -> None:
    transitions.take_back(life.case_id, life.desk.technician, now, reason="Found it.")


def resolves(life: Life, now: datetime) -> None:
    transitions.resolve(life.case_id, life.desk.technician, now, resolution=Resolution.NOT_PURSUED)


def reopens(life: Life, now: datetime) -> None:
    transitions.reopen(life.case_id, life.desk.technician, now, reason="It is back.")


def becomes(severity: Severity) -> Move:
    def move(life: Life, now: datetime) -> None:
        transitions.change_severity(life.case_id, life.desk.manager, now, severity=severity, reason="Looked again.")

    return move


BEFORE_EACH_POINT = [(severity, number) for severity in (C, H, M) for number in (1, 2, 3)]
#: How long before the point the clock stops; at zero it stops at the very moment the point would be due.
SHORT_OF = [1.5, 0]


def shifted(severity: Severity, number: int, by: float) -> list[Happening]:
    """The severity's points, from `number` on later by so many hours."""
    return steps(*(plain(hours + (by if name[1] >= number else 0), name) for name, hours in points_of(severity)))


@pytest.mark.parametrize("short_of", SHORT_OF)
@pytest.mark.parametrize(("severity", "number"), BEFORE_EACH_POINT)
def test_a_wait_before_a_point_moves_it_and_all_that_follow(desk: Desk, severity, number, short_of):  # E2
    asked = E1[severity, number].hours - short_of
    moves = {asked: asks, asked + 30: takes_back}
    assert Life(desk, severity, NOON).play(UNTIL[severity] + 30, moves) == shifted(severity, number, 30)


@pytest.mark.parametrize("short_of", SHORT_OF)
@pytest.mark.parametrize(("severity", "number"), BEFORE_EACH_POINT)
def test_a_reopening_within_a_day_goes_on_where_the_clock_stood(desk: Desk, severity, number, short_of):  # E2
    closed = E1[severity, number].hours - short_of
    moves = {closed: resolves, closed + 24: reopens}
    assert Life(desk, severity, NOON).play(UNTIL[severity] + 30, moves) == shifted(severity, number, 24)


@pytest.mark.parametrize("short_of", SHORT_OF)
@pytest.mark.parametrize(("severity", "number"), BEFORE_EACH_POINT)
def test_a_reopening_after_a_day_starts_a_run_of_its_own(desk: Desk, severity, number, short_of):  # E2
    closed = E1[severity, number].hours - short_of
    reopened = closed + 24.25
    first = [plain(hours, name) for name, hours in points_of(severity) if name[1] < number]
    second = [plain(reopened + hours, name, run=2) for name, hours in points_of(severity)]
    back_to_base = [(reopened, [], [], None, 2)] if first else []  # T2's own interval until a point comes again
    life = Life(desk, severity, NOON)
    assert life.play(2 * UNTIL[severity], {closed: resolves, reopened: reopens}) == steps(
        *first, *back_to_base, *second
    )


def test_work_and_waits_over_the_change_of_the_clocks_are_as_long_as_they_were(desk: Desk):  # E2
    opened_at = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)  # three hours later an hour is told twice, in Europe
    moves = {3.5: asks, 8.5: takes_back}
    expected = steps(plain(9, (C, 1)), plain(17, (C, 2)), plain(29, (C, 3)))
    assert Life(desk, C, opened_at).play(UNTIL[C], moves) == expected


# --- E4: raised and lowered -------------------------------------------------------------------------------------

RAISED_AND_LOWERED = {
    "raised past two points": (M, {13: becomes(C)}, [(13, [(C, 1), (C, 2)], [], (C, 2), 1), plain(24, (C, 3))]),
    "raised between two points": (
        H,
        {20: becomes(C)},
        [plain(12, (H, 1)), (20, [(C, 1), (C, 2)], [], (C, 2), 1), plain(24, (C, 3))],
    ),
    "raised past all": (
        M,
        {60: becomes(H)},
        [plain(48, (M, 1)), (60, [(H, 1), (H, 2), (H, 3)], [], (H, 3), 1)],
    ),
    "raised at the moment a point is due": (
        H,
        {12: becomes(C)},
        [(12, [(C, 1), (C, 2)], [], (C, 2), 1), plain(24, (C, 3))],
    ),
    "raised before any point": (L, {3: becomes(C)}, [plain(4, (C, 1)), plain(12, (C, 2)), plain(24, (C, 3))]),
    "raised from Low past two points": (
        L,
        {40: becomes(H)},
        [(40, [(H, 1), (H, 2)], [], (H, 2), 1), plain(48, (H, 3))],
    ),
    "lowered past two points": (
        C,
        {40: becomes(H)},
        [
            *(plain(E1[C, number].hours, (C, number)) for number in (1, 2, 3)),
            (40, [], [(H, 1), (H, 2)], (H, 2), 1),
            plain(48, (H, 3)),
        ],
    ),
    "lowered at the moment a point of the new severity is due": (
        C,
        {12: becomes(H)},
        [plain(4, (C, 1)), (12, [], [(H, 1)], (H, 1), 1), plain(36, (H, 2)), plain(48, (H, 3))],
    ),
    "lowered before the new severity's points": (
        H,
        {13: becomes(M)},
        [
            plain(12, (H, 1)),
            (13, [], [], None, 1),
            *(plain(E1[M, number].hours, (M, number)) for number in (1, 2, 3)),
        ],
    ),
    "lowered to Low": (C, {5: becomes(L)}, [plain(4, (C, 1)), (5, [], [], None, 1)]),
    "lowered and raised again": (
        C,
        {5: becomes(M), 7: becomes(C)},
        [plain(4, (C, 1)), (5, [], [], None, 1), (7, [], [], (C, 1), 1), plain(12, (C, 2)), plain(24, (C, 3))],
    ),
    "raised in a wait, short of the point": (
        M,
        {2: asks, 3: becomes(C), 20: takes_back},
        [plain(22, (C, 1)), plain(30, (C, 2)), plain(42, (C, 3))],
    ),
    "raised while resolved": (
        M,
        {5: resolves, 6: becomes(C), 20: reopens},
        [(20, [(C, 1)], [], (C, 1), 1), plain(27, (C, 2)), plain(39, (C, 3))],
    ),
    "raised in a wait, past the point": (
        M,
        {5: asks, 6: becomes(C), 20: takes_back},
        [(20, [(C, 1)], [], (C, 1), 1), plain(27, (C, 2)), plain(39, (C, 3))],
    ),
}


@pytest.mark.parametrize("what", RAISED_AND_LOWERED)
def test_the_schedule_of_the_new_severity_holds_as_if_it_had_always_been_so(desk: Desk, what):  # E4
    severity, moves, expected = RAISED_AND_LOWERED[what]
    assert Life(desk, severity, NOON).play(UNTIL[M], moves) == steps(*expected)
