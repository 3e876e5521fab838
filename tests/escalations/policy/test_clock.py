"""The clock of escalation (E2, E3, E4): tables, an independent minute-by-minute oracle, and properties. No database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cases.enums import Severity, Status
from escalations.enums import OwnerAction
from escalations.policy.clock import Due, PolicyTimeline, Snapshot, due_points, view_clock
from escalations.policy.schedule import PUBLISHED, Point, Schedule
from tests.support.examples import examples
from tests.support.sla_walk import Granted, Moved, Swept, Walk, What

T0 = datetime(2026, 6, 3, 12, 0, tzinfo=UTC)
C, H, M, L = Severity
ASSIGNED, WORKING, WAITING, RESOLVED = Status


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def life(*steps: tuple[float, Status, Severity]) -> list[Snapshot]:
    """Snapshots from (hours after the opening, status, severity)."""
    return [Snapshot(T0 + hours(at), status, severity) for at, status, severity in steps]


def names(dues: Sequence[Due]) -> list[tuple[str, float, int]]:
    """(name, hours after the opening, run) of each, a quiet one in brackets."""
    return [
        (f"({due.point.name})" if due.recorded_only else due.point.name, (due.due_at - T0) / hours(1), due.run)
        for due in dues
    ]


def due(snapshots: Sequence[Snapshot], at: float, schedule: Schedule = PUBLISHED) -> list[tuple[str, float, int]]:
    return names(due_points(snapshots, schedule, T0 + hours(at)))


def running_on(*severities: Severity) -> Schedule:
    """The published schedule with the clock of these severities running on in a wait (E2's switch)."""
    return Schedule(1, PUBLISHED.points, frozenset(Severity) - set(severities))


# --- E1: when each point comes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("severity", "number", "after"),
    [(C, 1, 4), (C, 2, 12), (C, 3, 24), (H, 1, 12), (H, 2, 36), (H, 3, 48), (M, 1, 48), (M, 2, 144), (M, 3, 360)],
)
def test_a_point_is_due_at_its_hour_and_not_a_microsecond_sooner(severity, number, after) -> None:  # E1
    opened = life((0, ASSIGNED, severity))
    moment = T0 + hours(after)
    before = due_points(opened, PUBLISHED, moment - timedelta(microseconds=1))
    at = due_points(opened, PUBLISHED, moment)
    assert [one.point.number for one in before] == list(range(1, number))
    assert [one.point.number for one in at] == list(range(1, number + 1))
    assert at[-1].due_at == moment
    assert not at[-1].recorded_only


def test_a_low_case_is_never_due() -> None:  # E1
    opened = life((0, ASSIGNED, L))
    assert due(opened, 10_000) == []
    assert view_clock(opened, PUBLISHED, T0 + hours(10_000)).next_point() is None


def test_an_outage_finds_every_point_with_the_time_it_was_due() -> None:  # E5
    assert due(life((0, ASSIGNED, C)), 30) == [("Critical 1", 4, 1), ("Critical 2", 12, 1), ("Critical 3", 24, 1)]


def test_starting_work_moves_no_clock() -> None:  # E2
    assert due(life((0, ASSIGNED, C), (3, WORKING, C)), 4) == [("Critical 1", 4, 1)]


# --- E2: waits --------------------------------------------------------------------------------------------------


def test_waiting_is_left_out_of_the_clock() -> None:  # E2
    waited = life((0, ASSIGNED, C), (3, WAITING, C), (10, WORKING, C))
    assert due(waited, 10.999) == []
    assert due(waited, 11) == [("Critical 1", 11, 1)]


def test_nothing_is_due_and_nothing_foreseen_while_the_case_waits() -> None:  # E2
    waiting = life((0, ASSIGNED, C), (3, WAITING, C))
    assert due(waiting, 1_000) == []
    assert view_clock(waiting, PUBLISHED, T0 + hours(5)).next_point() is None
    reading = view_clock(waiting, PUBLISHED, T0 + hours(9)).reading
    assert (reading.elapsed, reading.running) == (hours(3), False)


def test_several_waits_are_left_out_one_by_one() -> None:  # E2
    waited = life((0, WORKING, H), (1, WAITING, H), (5, WORKING, H), (6, WAITING, H), (7, WAITING, H), (20, WORKING, H))
    assert due(waited, 100)[0] == ("High 1", 30, 1)  # 2 h worked by 20, ten more to twelve


def test_a_clock_that_runs_on_in_a_wait_counts_it_but_is_due_only_on_resuming() -> None:  # E2's switch
    waited = life((0, ASSIGNED, C), (3, WAITING, C), (10, WORKING, C))
    assert due(waited[:2], 9, running_on(C)) == []
    assert due(waited, 10, running_on(C)) == [("Critical 1", 10, 1)]
    assert due(waited, 12, running_on(C)) == [("Critical 1", 10, 1), ("Critical 2", 12, 1)]
    assert view_clock(waited[:2], running_on(C), T0 + hours(9)).reading.elapsed == hours(9)


def test_the_switch_of_another_severity_does_not_matter() -> None:  # E2
    waited = life((0, ASSIGNED, C), (3, WAITING, C), (10, WORKING, C))
    assert due(waited, 12, running_on(H)) == [("Critical 1", 11, 1)]


def test_a_wait_is_counted_by_the_present_severitys_switch() -> None:  # E4
    waited = life((0, WORKING, M), (1, WAITING, M), (12, WORKING, M), (12.5, WORKING, H))
    assert due(waited, 12.5) == []  # one and a half hours worked
    assert due(waited, 12.5, running_on(H)) == [("High 1", 12.5, 1)]
    assert due(waited, 12.5, running_on(M)) == []


def test_zero_length_waits_change_nothing() -> None:  # E2
    flicker = life((0, ASSIGNED, C), (2, WAITING, C), (2, WORKING, C), (4, WAITING, C), (4, WORKING, C))
    assert due(flicker, 4) == [("Critical 1", 4, 1)]
    assert due(life((0, WAITING, C), (0, WORKING, C)), 4) == [("Critical 1", 4, 1)]


def test_a_second_question_while_waiting_goes_on_waiting() -> None:  # C5
    waiting = [
        Snapshot(T0, ASSIGNED, C),
        Snapshot(T0 + hours(1), WAITING, C, 1),
        Snapshot(T0 + hours(2), WAITING, C, 2),
        Snapshot(T0 + hours(9), WORKING, C, 2),
    ]
    assert due(waiting, 100)[0] == ("Critical 1", 12, 1)


# --- an event at the same instant comes first -------------------------------------------------------------------


def test_resolved_at_the_moment_a_point_is_due_the_point_does_not_happen() -> None:
    assert due(life((0, ASSIGNED, C), (4, RESOLVED, C)), 100) == []


def test_resolved_a_moment_after_a_point_was_due_the_point_stays_due() -> None:
    closed = [Snapshot(T0, ASSIGNED, C), Snapshot(T0 + hours(4) + timedelta(microseconds=1), RESOLVED, C)]
    assert due(closed, 100) == [("Critical 1", 4, 1)]


def test_waiting_from_the_moment_a_point_is_due_the_point_is_due_on_resuming() -> None:
    assert due(life((0, ASSIGNED, C), (4, WAITING, C)), 100) == []
    assert due(life((0, ASSIGNED, C), (4, WAITING, C), (9, WORKING, C)), 9) == [("Critical 1", 9, 1)]


def test_resolved_and_reopened_at_the_moment_a_point_is_due_it_is_due_then() -> None:
    assert due(life((0, ASSIGNED, C), (4, RESOLVED, C), (4, WORKING, C)), 4) == [("Critical 1", 4, 1)]


def test_raised_at_the_moment_a_point_is_due_only_the_new_severitys_point_happens() -> None:
    assert due(life((0, ASSIGNED, H), (12, ASSIGNED, C)), 12) == [("Critical 1", 12, 1), ("Critical 2", 12, 1)]


# --- E2: reopening ----------------------------------------------------------------------------------------------


def test_reopened_within_a_day_the_same_run_goes_on_without_the_resolved_time() -> None:  # E2
    reopened = life((0, ASSIGNED, C), (3, RESOLVED, C), (20, WORKING, C))
    assert due(reopened, 100)[0] == ("Critical 1", 21, 1)


def test_reopened_after_exactly_a_day_is_within_it() -> None:  # E2
    assert due(life((0, ASSIGNED, C), (3, RESOLVED, C), (27, WORKING, C)), 28) == [("Critical 1", 28, 1)]


def test_reopened_later_than_a_day_a_new_run_starts_at_zero_and_the_earlier_one_stays() -> None:  # E2
    again = life((0, ASSIGNED, C), (5, RESOLVED, C), (29.01, WORKING, C))
    assert due(again, 33) == [("Critical 1", 4, 1)]
    assert due(again, 33.01) == [("Critical 1", 4, 1), ("Critical 1", 33.01, 2)]
    assert view_clock(again, PUBLISHED, T0 + hours(30.01)).reading.run == 2


def test_runs_are_numbered_one_by_one() -> None:  # E2
    steps = [(0, WORKING, C)]
    for run in range(3):
        steps += [(run * 100 + 5, RESOLVED, C), (run * 100 + 100, WORKING, C)]
    assert [run for _, _, run in due(life(*steps), 306)] == [1, 2, 3, 4]
    assert view_clock(life(*steps), PUBLISHED, T0 + hours(301)).reading.elapsed == hours(1)


def test_changing_the_severity_of_a_resolved_case_does_not_lengthen_its_resolution() -> None:  # E2
    touched = life((0, WORKING, C), (3, RESOLVED, C), (26, RESOLVED, H), (27.5, WORKING, H))
    assert view_clock(touched, PUBLISHED, T0 + hours(28)).reading.run == 2


# --- E4: severity -----------------------------------------------------------------------------------------------


def test_raised_points_already_passed_are_due_at_once() -> None:  # E4
    raised = life((0, WORKING, M), (13, WORKING, C))
    assert due(raised, 13) == [("Critical 1", 13, 1), ("Critical 2", 13, 1)]
    assert due(raised, 24)[-1] == ("Critical 3", 24, 1)


def test_lowered_points_already_passed_are_only_recorded() -> None:  # E4
    lowered = life((0, WORKING, C), (40, WORKING, H))
    assert due(lowered, 48) == [
        ("Critical 1", 4, 1),
        ("Critical 2", 12, 1),
        ("Critical 3", 24, 1),
        ("(High 1)", 40, 1),
        ("(High 2)", 40, 1),
        ("High 3", 48, 1),
    ]


def test_raised_again_the_points_of_both_severities_stay_done_once() -> None:  # E4
    there_and_back = life((0, WORKING, C), (13, WORKING, H), (14, WORKING, C), (15, WORKING, H))
    found = due_points(there_and_back, PUBLISHED, T0 + hours(100))
    assert len({one.key for one in found}) == len(found)
    assert [name for name, _, _ in names(found)][:3] == ["Critical 1", "Critical 2", "(High 1)"]


def test_paused_then_raised_past_the_goal_it_is_due_on_resuming_and_loud() -> None:  # E2, E4
    paused = life((0, WORKING, M), (5, WAITING, M), (6, WAITING, C), (9, WORKING, C))
    assert due(paused[:3], 8) == []
    assert due(paused, 9) == [("Critical 1", 9, 1)]


def test_lowered_in_a_wait_the_points_passed_are_quiet_on_resuming() -> None:  # E4
    paused = life((0, WORKING, C), (13, WAITING, C), (14, WAITING, H), (15, WORKING, H))
    assert due(paused, 15)[-1] == ("(High 1)", 15, 1)


def test_a_new_run_forgets_that_the_severity_was_lowered() -> None:  # E2, E4
    again = life((0, WORKING, C), (13, RESOLVED, C), (14, RESOLVED, H), (60, WORKING, H))
    assert due(again, 72)[-1] == ("High 1", 72, 2)


def test_lowered_to_low_nothing_more_is_due() -> None:
    assert due(life((0, WORKING, C), (5, WORKING, L)), 1_000) == [("Critical 1", 4, 1)]


# --- reading and looking ahead ----------------------------------------------------------------------------------


def test_what_happened_later_is_not_known_yet() -> None:
    raised = life((0, WORKING, M), (13, WORKING, C))
    assert due(raised, 12.9) == []


def test_a_clock_is_not_read_before_the_opening() -> None:
    with pytest.raises(ValueError, match="not open yet"):
        _ = view_clock(life((0, WORKING, C)), PUBLISHED, T0 - timedelta(seconds=1)).reading


@pytest.mark.parametrize(("at", "name"), [(0, "Critical 1"), (4, "Critical 2"), (23, "Critical 3"), (24, None)])
def test_the_next_point_is_the_first_that_has_not_come(at: float, name: str | None) -> None:
    upcoming = view_clock(life((0, WORKING, C)), PUBLISHED, T0 + hours(at)).next_point()
    assert (upcoming.point.name if upcoming else None) == name


def test_a_point_that_was_carried_out_before_its_time_is_not_foreseen_again() -> None:  # E6
    upcoming = view_clock(life((0, WORKING, C)), PUBLISHED, T0).next_point([(1, C, 1)])
    assert upcoming is not None
    assert upcoming.point.number == 2


def test_the_carried_out_points_of_an_earlier_run_do_not_count_in_this_one() -> None:  # E2, E6
    again = life((0, ASSIGNED, C), (5, RESOLVED, C), (50, WORKING, C))
    upcoming = view_clock(again, PUBLISHED, T0 + hours(50)).next_point([(1, C, 1)])
    assert upcoming is not None
    assert (upcoming.run, upcoming.point.number, upcoming.due_at) == (2, 1, T0 + hours(54))


# --- an oracle: the rules walked minute by minute ---------------------------------------------------------------


@dataclass(frozen=True)
class Happening:
    """Something that happened at a whole unit of time: a status or a severity was set."""

    at: int
    sets: Status | Severity


def walk(
    severity: Severity, happenings: Sequence[Happening], schedule: Schedule, unit: timedelta, until: int
) -> dict[tuple[int, Severity, int], tuple[int, bool]]:
    """E1, E2 and E4 read literally: the state of one case, moved on unit by unit. (run, point) -> (due at, quiet)."""
    status: Status = ASSIGNED
    run, open_units, waiting_units, closed_at = 1, 0, 0, 0
    passed_when_lowered: set[int] = set()
    found: dict[tuple[int, Severity, int], tuple[int, bool]] = {}
    a_day = timedelta(hours=24) // unit
    by_time: dict[int, list[Happening]] = {}
    for happening in happenings:
        by_time.setdefault(happening.at, []).append(happening)

    def shown() -> timedelta:
        counted = open_units if severity in schedule.stands_still else open_units + waiting_units
        return counted * unit

    for minute in range(until + 1):
        for happening in by_time.get(minute, []):
            new = happening.sets
            if isinstance(new, Status):
                if new == RESOLVED and status != RESOLVED:
                    closed_at = minute
                if status == RESOLVED and new != RESOLVED and minute - closed_at > a_day:
                    run, open_units, waiting_units, passed_when_lowered = run + 1, 0, 0, set()
                status = new
            elif new != severity:
                worse = list(Severity).index(new) < list(Severity).index(severity)
                severity = new
                passed_when_lowered = (
                    set() if worse else {point.number for point in schedule.of(severity) if point.after <= shown()}
                )
        if status in (ASSIGNED, WORKING):
            for point in schedule.of(severity):
                if shown() >= point.after:
                    found.setdefault((run, severity, point.number), (minute, point.number in passed_when_lowered))
            open_units += 1
        elif status == WAITING:
            waiting_units += 1
    return found


def as_life(severity: Severity, happenings: Sequence[Happening], unit: timedelta) -> list[Snapshot]:
    status: Status = ASSIGNED
    snapshots = [Snapshot(T0, status, severity)]
    for happening in happenings:
        if isinstance(happening.sets, Status):
            status = happening.sets
        else:
            severity = happening.sets
        snapshots.append(Snapshot(T0 + happening.at * unit, status, severity))
    return snapshots


SETTINGS = st.one_of(st.sampled_from([WORKING, WAITING, RESOLVED]), st.sampled_from(Severity))


def lives(longest_gap: int, extra_gaps: Sequence[int] = ()) -> st.SearchStrategy[list[Happening]]:
    """Happenings in order; gaps of zero are likely, and so are those that matter to the rules."""
    gap = st.one_of(st.just(0), st.integers(0, longest_gap), *([st.sampled_from(extra_gaps)] if extra_gaps else []))

    def in_order(steps: list[tuple[int, Status | Severity]]) -> list[Happening]:
        at, happenings = 0, []
        for gap, sets in steps:
            at += gap
            happenings.append(Happening(at, sets))
        return happenings

    return st.lists(st.tuples(gap, SETTINGS), max_size=9).map(in_order)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    """Small schedules in whole minutes, with any severities standing still or not."""
    points = {}
    for severity in (C, H, M):
        after = sorted(draw(st.sets(st.integers(1, 60), max_size=3)))
        points[severity] = tuple(
            Point(severity, number, timedelta(minutes=minutes), OwnerAction.ASKED)
            for number, minutes in enumerate(after, 1)
        )
    return Schedule(1, points, frozenset(draw(st.sets(st.sampled_from(Severity)))))


def as_found(dues: Sequence[Due], unit: timedelta) -> dict[tuple[int, Severity, int], tuple[int, bool]]:
    found = {one.key: ((one.due_at - T0) // unit, one.recorded_only) for one in dues}
    assert len(found) == len(dues), "a point came twice in a run"
    return found


MINUTE, HALF_HOUR = timedelta(minutes=1), timedelta(minutes=30)


@examples(400)
@given(severity=st.sampled_from(Severity), happenings=lives(50, (1440, 1441)), schedule=schedules())
def test_on_minute_grained_lives_the_clock_says_what_the_rules_walked_by_hand_say(severity, happenings, schedule):
    until = (happenings[-1].at if happenings else 0) + 70
    found = due_points(as_life(severity, happenings, MINUTE), schedule, T0 + until * MINUTE)
    assert as_found(found, MINUTE) == walk(severity, happenings, schedule, MINUTE, until)


@examples(300)
@given(
    severity=st.sampled_from(Severity),
    happenings=lives(100, (8, 24, 48, 49, 72, 96, 288)),
    running=st.sets(st.sampled_from(Severity)),
)
@example(C, [Happening(8, RESOLVED)], set())
def test_on_the_published_schedule_the_clock_says_what_the_rules_walked_by_hand_say(severity, happenings, running):
    until = (happenings[-1].at if happenings else 0) + 750
    found = due_points(as_life(severity, happenings, HALF_HOUR), running_on(*running), T0 + until * HALF_HOUR)
    assert as_found(found, HALF_HOUR) == walk(severity, happenings, running_on(*running), HALF_HOUR, until)


@examples(300)
@given(
    severity=st.sampled_from(Severity),
    happenings=lives(50, (1440, 1441)),
    schedule=schedules(),
    late=st.lists(st.integers(0, 400), max_size=6),
)
def test_sweeps_that_follow_the_next_point_do_exactly_what_was_due_each_once_and_in_time(
    severity, happenings, schedule, late
):  # E3, E6: a stored due time is a cache of the clock
    whole = as_life(severity, happenings, MINUTE)
    end = whole[-1].at + timedelta(minutes=80)
    looks = sorted({snapshot.at for snapshot in whole} | {min(T0 + minute * MINUTE, end) for minute in late} | {end})
    done: dict[tuple[int, Severity, int], Due] = {}
    for look, following in pairwise([*looks, end]):
        moment = look
        while moment <= following:
            known = [snapshot for snapshot in whole if snapshot.at <= moment]
            new = [one for one in due_points(known, schedule, moment) if one.key not in done]
            if moment != look:
                assert new, "the clock foresaw a point that did not come"
                assert all(one.due_at == moment for one in new)
            done |= {one.key: one for one in new}
            upcoming = view_clock(known, schedule, moment).next_point(done)
            if upcoming is None:
                assert [one for one in due_points(known, schedule, following) if one.key not in done] == []
                break
            assert upcoming.due_at > moment
            if upcoming.due_at >= following:  # what happens then comes first
                break
            just_before = upcoming.due_at - timedelta(microseconds=1)
            assert [one for one in due_points(known, schedule, just_before) if one.key not in done] == []
            moment = upcoming.due_at
    assert list(done.values()) == due_points(whole, schedule, end)


@examples(200)
@given(
    severity=st.sampled_from(Severity),
    happenings=lives(50, (1440, 1441)),
    schedule=schedules(),
    at=st.integers(0, 500),
)
def test_what_was_due_once_stays_due_whatever_happens_after(severity, happenings, schedule, at):  # E3
    whole = as_life(severity, happenings, MINUTE)
    then = T0 + at * MINUTE
    earlier = due_points([snapshot for snapshot in whole if snapshot.at <= then], schedule, then)
    assert due_points(whole, schedule, then + timedelta(days=40))[: len(earlier)] == earlier


# --- E9, E10: a course of several versions, with points brought forward -------------------------------------------


def granted(at: float, number: int, severity: Severity = C, run: int = 1) -> dict[tuple[int, Severity, int], datetime]:
    """A point brought forward by a request that was accepted so many hours after the opening."""
    return {(run, severity, number): T0 + hours(at)}


def other(*after: float, severity: Severity = C, running: Sequence[Severity] = ()) -> Schedule:
    """Another version: the points of a severity after so many hours, the clock of some running on in a wait."""
    points = tuple(Point(severity, number, hours(one), OwnerAction.ASKED) for number, one in enumerate(after, 1))
    return Schedule(2, {severity: points}, frozenset(Severity) - set(running))


def under(snapshots: Sequence[Snapshot], at: float, timeline: PolicyTimeline) -> list[tuple[str, float, int]]:
    return names(due_points(snapshots, timeline, T0 + hours(at)))


def test_a_schedule_alone_is_a_course_without_moves_and_requests() -> None:  # E10
    whole = life((0, ASSIGNED, C), (3, WAITING, C), (10, WORKING, C), (40, WORKING, H))
    now = T0 + hours(100)
    assert due_points(whole, PolicyTimeline(PUBLISHED), now) == due_points(whole, PUBLISHED, now)
    assert view_clock(whole, PolicyTimeline(PUBLISHED), now).reading == view_clock(whole, PUBLISHED, now).reading
    assert (
        view_clock(whole, PolicyTimeline(PUBLISHED), now).next_point() == view_clock(whole, PUBLISHED, now).next_point()
    )


@pytest.mark.parametrize(("accepted", "due_at"), [(1, 1), (3.99, 3.99), (4, 4), (6, 4)])
def test_a_granted_point_is_due_once_at_its_time_or_the_acceptance_whichever_comes_first(accepted, due_at) -> None:
    timeline = PolicyTimeline(PUBLISHED, brought_forward=granted(accepted, 1))  # E9, E6
    assert under(life((0, WORKING, C)), 11, timeline) == [("Critical 1", due_at, 1)]


def test_a_granted_point_is_not_due_before_it_was_accepted() -> None:  # E9
    timeline = PolicyTimeline(PUBLISHED, brought_forward=granted(2, 1))
    assert under(life((0, WORKING, C)), 1.99, timeline) == []
    assert under(life((0, WORKING, C)), 2, timeline) == [("Critical 1", 2, 1)]


def test_a_granted_point_leaves_the_others_at_their_hours() -> None:  # E9
    timeline = PolicyTimeline(PUBLISHED, brought_forward=granted(5, 2))
    assert under(life((0, WORKING, C)), 30, timeline) == [
        ("Critical 1", 4, 1),
        ("Critical 2", 5, 1),
        ("Critical 3", 24, 1),
    ]


def test_points_are_found_in_the_order_they_came_due() -> None:  # E9
    timeline = PolicyTimeline(PUBLISHED, brought_forward=granted(1, 3))
    assert [when for _, when, _ in under(life((0, WORKING, C)), 30, timeline)] == [1, 4, 12]


def test_a_grant_at_the_moment_the_case_waits_comes_due_on_resuming() -> None:  # E9: what happens comes first
    timeline = PolicyTimeline(PUBLISHED, brought_forward=granted(2, 1))
    assert under(life((0, WORKING, C), (2, WAITING, C)), 50, timeline) == []
    assert under(life((0, WORKING, C), (2, WAITING, C), (9, WORKING, C)), 9, timeline) == [("Critical 1", 9, 1)]


def test_a_grant_is_of_its_run_and_of_its_severity() -> None:  # E9, E2, E4
    again = life((0, WORKING, C), (1, RESOLVED, C), (50, WORKING, C))
    assert under(again, 53, PolicyTimeline(PUBLISHED, brought_forward=granted(0.5, 1))) == [("Critical 1", 0.5, 1)]
    assert under(again, 53, PolicyTimeline(PUBLISHED, brought_forward=granted(51, 1, run=2))) == [("Critical 1", 51, 2)]
    raised = life((0, WORKING, H), (3, WORKING, C))
    assert under(raised, 5, PolicyTimeline(PUBLISHED, brought_forward=granted(2, 1, H))) == [
        ("High 1", 2, 1),
        ("Critical 1", 4, 1),
    ]


def test_a_granted_point_is_not_due_again_when_the_severity_comes_back() -> None:  # E6, E9
    there_and_back = life((0, WORKING, H), (3, WORKING, M), (4, WORKING, H))
    assert under(there_and_back, 13, PolicyTimeline(PUBLISHED, brought_forward=granted(2, 1, H))) == [("High 1", 2, 1)]


def test_a_granted_point_is_carried_out_loud_though_the_severity_was_lowered_before() -> None:  # E4, E9
    lowered = life((0, WORKING, C), (13, WORKING, H))
    assert under(lowered, 20, PolicyTimeline(PUBLISHED, brought_forward=granted(14, 2, H)))[2:] == [
        ("(High 1)", 13, 1),
        ("High 2", 14, 1),
    ]


def test_after_a_granted_point_the_one_behind_it_is_next_at_its_own_hour() -> None:  # E9
    timeline = PolicyTimeline(PUBLISHED, brought_forward=granted(1, 1))
    upcoming = view_clock(life((0, WORKING, C)), timeline, T0 + hours(1)).next_point()
    assert upcoming is not None
    assert (upcoming.point.name, upcoming.due_at) == ("Critical 2", T0 + hours(12))


def test_moved_the_points_that_the_new_version_has_passed_are_due_at_the_move() -> None:  # E10
    timeline = PolicyTimeline(PUBLISHED, ((T0 + hours(3), other(1, 2, 5)),))
    assert under(life((0, WORKING, C)), 2.99, timeline) == []
    assert under(life((0, WORKING, C)), 100, timeline) == [
        ("Critical 1", 3, 1),
        ("Critical 2", 3, 1),
        ("Critical 3", 5, 1),
    ]


def test_moved_a_point_that_was_due_before_is_not_due_again() -> None:  # E6, E10
    timeline = PolicyTimeline(PUBLISHED, ((T0 + hours(6), other(1, 10, 20)),))
    assert under(life((0, WORKING, C)), 100, timeline) == [
        ("Critical 1", 4, 1),
        ("Critical 2", 10, 1),
        ("Critical 3", 20, 1),
    ]


def test_moved_to_a_slower_version_nothing_is_due_before_its_time_nor_undone() -> None:  # E10
    timeline = PolicyTimeline(PUBLISHED, ((T0 + hours(6), other(50, 60)),))
    assert under(life((0, WORKING, C)), 100, timeline) == [("Critical 1", 4, 1), ("Critical 2", 60, 1)]
    upcoming = view_clock(life((0, WORKING, C)), timeline, T0 + hours(6)).next_point()
    assert upcoming is not None
    assert (upcoming.point.number, upcoming.due_at) == (2, T0 + hours(60))


def test_moved_at_the_moment_a_point_is_due_the_new_version_decides() -> None:  # what happens comes first
    assert under(life((0, WORKING, C)), 10, PolicyTimeline(PUBLISHED, ((T0 + hours(4), other(9)),))) == [
        ("Critical 1", 9, 1)
    ]


def test_moved_the_new_versions_switch_says_whether_the_waits_of_the_run_count() -> None:  # E2, E10
    waited = life((0, WORKING, C), (1, WAITING, C), (9, WORKING, C))
    still, running = other(4, 9.5), other(4, 9.5, running=[C])
    assert under(waited, 20, PolicyTimeline(PUBLISHED, ((T0 + hours(10), still),))) == [
        ("Critical 1", 12, 1),
        ("Critical 2", 17.5, 1),
    ]
    assert under(waited, 20, PolicyTimeline(PUBLISHED, ((T0 + hours(10), running),))) == [
        ("Critical 1", 10, 1),
        ("Critical 2", 10, 1),
    ]
    assert view_clock(
        waited, PolicyTimeline(PUBLISHED, ((T0 + hours(10), running),)), T0 + hours(9.5)
    ).reading.elapsed == hours(1.5)
    assert view_clock(
        waited, PolicyTimeline(PUBLISHED, ((T0 + hours(10), running),)), T0 + hours(10.5)
    ).reading.elapsed == hours(10.5)


def test_moved_in_a_wait_what_was_passed_is_due_on_resuming() -> None:  # E2, E10
    waited = life((0, WORKING, C), (3, WAITING, C), (9, WORKING, C))
    timeline = PolicyTimeline(PUBLISHED, ((T0 + hours(5), other(2, 4)),))
    assert under(waited[:2], 8, timeline) == []
    assert view_clock(waited[:2], timeline, T0 + hours(8)).next_point() is None
    assert under(waited, 20, timeline) == [("Critical 1", 9, 1), ("Critical 2", 10, 1)]


def test_moved_while_resolved_it_neither_reopens_nor_shortens_the_resolution() -> None:  # E2, E10
    again = life((0, WORKING, C), (3, RESOLVED, C), (28, WORKING, C))
    timeline = PolicyTimeline(PUBLISHED, ((T0 + hours(20), other(1)),))
    assert under(again, 50, timeline) == [("Critical 1", 29, 2)]


def test_moved_twice_the_last_version_counts() -> None:  # E10
    moves = ((T0 + hours(1), other(2)), (T0 + hours(1.5), other(8)))
    timeline = PolicyTimeline(PUBLISHED, moves)
    assert under(life((0, WORKING, C)), 9, timeline) == [("Critical 1", 8, 1)]
    assert [timeline.at(T0 + hours(one)) for one in (0, 1, 1.2, 1.5, 99)] == [
        PUBLISHED,
        moves[0][1],
        moves[0][1],
        moves[1][1],
        moves[1][1],
    ]
    assert (timeline.last, PolicyTimeline(PUBLISHED).last) == (moves[1][1], PUBLISHED)


def test_moved_after_a_lowering_what_was_passed_then_is_only_recorded() -> None:  # E4, E10
    lowered = life((0, WORKING, C), (13, WORKING, H))
    timeline = PolicyTimeline(PUBLISHED, ((T0 + hours(20), other(12, 13, 19, severity=H)),))
    assert under(lowered, 50, timeline)[2:] == [("(High 1)", 13, 1), ("(High 2)", 20, 1), ("High 3", 20, 1)]


STEPS: st.SearchStrategy[What] = st.one_of(
    st.sampled_from([WORKING, WORKING, WAITING, RESOLVED]),
    st.sampled_from(Severity),
    st.sampled_from([Granted(), Swept()]),
    st.builds(Moved, st.integers(0, 2)),
)


@st.composite
def courses(draw: st.DrawFn) -> list[tuple[int, What]]:
    """Happenings at whole minutes, in order: moves to other versions and granted requests among them."""
    minute, steps = 0, []
    for gap, what in draw(st.lists(st.tuples(st.one_of(st.just(0), st.integers(0, 50)), STEPS), max_size=12)):
        minute += gap
        steps.append((minute, what))
    return steps


VERSIONS = st.tuples(schedules(), schedules(), schedules())


@examples(400)
@given(severity=st.sampled_from(Severity), versions=VERSIONS, steps=courses())
def test_on_any_course_the_clock_says_what_the_rules_walked_by_hand_say(severity, versions, steps):  # E9, E10
    walk = Walk(severity, versions).to((steps[-1][0] if steps else 0) + 70, steps)
    found = due_points(walk.snapshots, walk.timeline, T0 + (walk.now - 1) * MINUTE)
    assert as_found(found, MINUTE) == walk.found
    assert [one.due_at for one in found] == sorted(one.due_at for one in found)


@examples(300)
@given(severity=st.sampled_from(Severity), versions=VERSIONS, steps=courses())
def test_the_next_point_on_any_course_is_the_first_that_comes_if_nothing_happens(severity, versions, steps):
    walk = Walk(severity, versions).to(steps[-1][0] if steps else 0, steps)
    now = T0 + (walk.now - 1) * MINUTE
    by_now = due_points(walk.snapshots, walk.timeline, now)
    later = due_points(walk.snapshots, walk.timeline, now + timedelta(days=2))
    upcoming = view_clock(walk.snapshots, walk.timeline, now).next_point()
    assert later[: len(by_now)] == by_now
    assert upcoming == (later[len(by_now)] if later[len(by_now) :] else None)


@examples(200)
@given(severity=st.sampled_from(Severity), versions=VERSIONS, steps=courses(), minute=st.integers(0, 300))
def test_what_was_due_on_a_course_stays_due_whatever_is_granted_and_moved_later(severity, versions, steps, minute):
    walk = Walk(severity, versions).to((steps[-1][0] if steps else 0) + 70, steps)
    then, whole = T0 + minute * MINUTE, walk.timeline
    known = PolicyTimeline(
        whole.first,
        tuple(move for move in whole.moves if move[0] <= then),
        {key: accepted for key, accepted in whole.brought_forward.items() if accepted <= then},
    )
    earlier = due_points([one for one in walk.snapshots if one.at <= then], known, then)
    assert due_points(walk.snapshots, whole, T0 + timedelta(days=40))[: len(earlier)] == earlier
