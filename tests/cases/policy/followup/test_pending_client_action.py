"""Pending client action (F2) and what an outage does to it (F7). No database."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.enums import FollowUpStep
from cases.policy.followup.pending_client_action import PENDING_STEPS, pending_client_action, planned_steps
from cases.policy.followup.wait import DoneStep, DueStep
from tests.support.examples import examples

T0 = datetime(2026, 6, 3, 12, 0, tzinfo=UTC)
HOUR, DAY, TICK = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
FIRST, SECOND, FINAL, RESOLVE = PENDING_STEPS

#: F2, typed from the rules: hours from the start of the wait.
OFFSETS = {FIRST: 48, SECOND: 96, FINAL: 144, RESOLVE: 168}


def on_time(*steps: FollowUpStep, sent: bool = True) -> dict[FollowUpStep, DoneStep]:
    """These notices, done and sent when they were due."""
    moments = {step: T0 + OFFSETS[step] * HOUR for step in steps}
    return {step: DoneStep(at, at, at if sent else None) for step, at in moments.items()}


@pytest.mark.parametrize(
    ("done", "hours", "expected"),
    [
        ((), 47, None),
        ((), 48, FIRST),
        ((FIRST,), 95, None),
        ((FIRST,), 96, SECOND),
        ((FIRST, SECOND), 143, None),
        ((FIRST, SECOND), 144, FINAL),
        ((FIRST, SECOND, FINAL), 167, None),
        ((FIRST, SECOND, FINAL), 168, RESOLVE),
    ],
)
def test_each_step_comes_at_its_hour_counted_from_the_start(done, hours, expected) -> None:  # F2
    plan = pending_client_action(T0, on_time(*done), T0 + hours * HOUR)
    assert (plan.due.step if plan.due else None) == expected
    if expected:
        assert plan.due == DueStep(expected, T0 + hours * HOUR)
        assert plan.superseded == ()
    else:
        assert plan.check_at == T0 + (hours + 1) * HOUR


def test_a_step_is_not_due_a_microsecond_early() -> None:  # F2
    assert pending_client_action(T0, {}, T0 + 48 * HOUR - timedelta(microseconds=1)).due is None


def test_the_steps_still_to_come_are_foreseen() -> None:  # F2
    assert planned_steps(T0, {}) == [DueStep(step, T0 + hours * HOUR) for step, hours in OFFSETS.items()]
    assert [one.step for one in planned_steps(T0, on_time(FIRST, SECOND))] == [FINAL, RESOLVE]
    assert planned_steps(T0, on_time(*PENDING_STEPS)) == []


def test_after_the_closing_nothing_is_left_to_do_or_to_look_at() -> None:
    plan = pending_client_action(T0, on_time(*PENDING_STEPS), T0 + 100 * DAY)
    assert (plan.due, plan.check_at, plan.held_up) == (None, None, "")


def test_an_outage_of_eight_days_gives_one_notice_the_latest() -> None:  # F7
    plan = pending_client_action(T0, {}, T0 + 8 * DAY)
    assert plan.due == DueStep(FINAL, T0 + 144 * HOUR)
    assert plan.superseded == (DueStep(FIRST, T0 + 48 * HOUR), DueStep(SECOND, T0 + 96 * HOUR))


def test_after_an_outage_of_eight_days_the_case_closes_a_day_after_the_final_notice_was_sent() -> None:  # F7
    back = T0 + 8 * DAY
    done = {
        FIRST: DoneStep(T0 + 2 * DAY, back, superseded=True),
        SECOND: DoneStep(T0 + 4 * DAY, back, superseded=True),
        FINAL: DoneStep(T0 + 6 * DAY, back, back + HOUR),
    }
    assert pending_client_action(T0, done, back + 24 * HOUR).check_at == back + 25 * HOUR
    assert pending_client_action(T0, done, back + 25 * HOUR).due == DueStep(RESOLVE, back + 25 * HOUR)


def test_a_late_notice_pushes_the_later_ones_so_that_they_keep_their_distance() -> None:  # F7
    late = T0 + 60 * HOUR
    assert planned_steps(T0, {FIRST: DoneStep(T0 + 48 * HOUR, late)}) == [
        DueStep(SECOND, late + 48 * HOUR),
        DueStep(FINAL, late + 96 * HOUR),
        DueStep(RESOLVE, late + 120 * HOUR),
    ]


def test_a_sweeps_tick_of_delay_pushes_nothing() -> None:  # F2
    a_tick = {FIRST: DoneStep(T0 + 48 * HOUR, T0 + 48 * HOUR + timedelta(minutes=15))}
    assert planned_steps(T0, a_tick)[0].due_at == T0 + 96 * HOUR


def test_a_final_notice_that_was_never_sent_never_closes() -> None:  # F2, F7
    done = on_time(FIRST, SECOND) | on_time(FINAL, sent=False)
    for days in (7, 8, 30, 3_000):
        plan = pending_client_action(T0, done, T0 + days * DAY)
        assert plan.due is None
        assert "has not been delivered" in plan.held_up
        assert plan.check_at is not None
        assert plan.check_at > T0 + days * DAY


@pytest.mark.parametrize(("sent_after", "closes_after"), [(144, 168), (145, 169), (200, 224)])
def test_closing_is_the_later_of_its_time_and_a_day_after_the_final_was_sent(sent_after, closes_after) -> None:  # F2
    done = on_time(FIRST, SECOND, FINAL)
    done[FINAL] = replace(done[FINAL], sent_at=T0 + sent_after * HOUR)
    before = pending_client_action(T0, done, T0 + closes_after * HOUR - timedelta(microseconds=1))
    assert before.due is None
    assert before.check_at == T0 + closes_after * HOUR
    assert pending_client_action(T0, done, T0 + closes_after * HOUR).due == DueStep(RESOLVE, T0 + closes_after * HOUR)


@dataclass
class Wait:
    """A wait that sweeps look at when they happen to run; each notice leaves after a while, or never."""

    leaves_after: list[timedelta | None]
    done: dict[FollowUpStep, DoneStep] = field(default_factory=dict)
    acts: list[tuple[datetime, FollowUpStep]] = field(default_factory=list)
    check_at: datetime | None = T0

    def _as_of(self, now: datetime) -> dict[FollowUpStep, DoneStep]:
        """The ledger as it can be read at `now`: a mail that leaves later has not been sent yet."""
        return {
            step: replace(one, sent_at=one.sent_at if one.sent_at and one.sent_at <= now else None)
            for step, one in self.done.items()
        }

    def sweep(self, now: datetime) -> None:
        if self.check_at is None or self.check_at > now:
            return
        plan = pending_client_action(T0, self._as_of(now), now)
        if plan.due:
            assert plan.due.due_at <= now
            assert plan.due.step not in self.done
            leaves = self.leaves_after[len(self.acts) % len(self.leaves_after)]
            self.acts.append((now, plan.due.step))
            for step in plan.superseded:
                self.done[step.step] = DoneStep(step.due_at, now, superseded=True)
            self.done[plan.due.step] = DoneStep(plan.due.due_at, now, now + leaves if leaves is not None else None)
            plan = pending_client_action(T0, self._as_of(now), now)
            assert plan.due is None, "two steps at once"
        self.check_at = plan.check_at
        assert self.check_at is None or self.check_at > now


OUTAGES = st.lists(st.integers(1, 60 * 24 * 9), min_size=1, max_size=12)  # minutes until the next sweep that runs
LEAVING = st.lists(st.one_of(st.none(), st.integers(0, 3_000).map(lambda m: m * TICK)), min_size=1, max_size=4)


@examples(150)
@given(gaps=OUTAGES, leaves_after=LEAVING)
def test_whatever_fails_notices_keep_their_distance_and_nothing_closes_unannounced(gaps, leaves_after) -> None:  # F7
    wait, now = Wait(leaves_after), T0
    sweeps = []
    for gap in gaps:
        now += gap * TICK
        sweeps.append(now)
    sweeps += [now + half_hours * HOUR / 2 for half_hours in range(1, 24 * 2 * 14)]
    for moment in sweeps:
        wait.sweep(moment)
    order = [step for _, step in wait.acts]
    assert order == sorted(set(order), key=list(PENDING_STEPS).index)
    for at, step in wait.acts:
        assert at >= T0 + OFFSETS[step] * HOUR
    for (earlier_at, earlier), (later_at, later) in pairwise(wait.acts):
        planned = (OFFSETS[later] - OFFSETS[earlier]) * HOUR
        assert later_at - earlier_at >= planned - timedelta(minutes=15)
    closings = [at for at, step in wait.acts if step == RESOLVE]
    final = wait.done[FINAL]
    if final.sent_at is None:
        assert closings == []
    else:
        assert len(closings) == 1
        assert closings[0] - final.sent_at >= DAY


@examples(200)
@given(ticks=st.integers(1, 10))
def test_without_an_outage_every_step_comes_within_a_tick_of_its_hour(ticks: int) -> None:  # F2
    wait = Wait([TICK * 0])
    moment = T0
    while moment < T0 + 8 * DAY:
        moment += ticks * TICK
        wait.sweep(moment)
    assert [step for _, step in wait.acts] == list(PENDING_STEPS)
    for at, step in wait.acts:
        late = at - (T0 + OFFSETS[step] * HOUR)
        assert timedelta(0) <= late < 2 * ticks * TICK  # closing waits for the final notice's own day
