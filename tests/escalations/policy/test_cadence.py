"""Who is owed status updates how often, over the life of a case (E1, E4, E9, E10, T2). Tables; no database.

The oracle that walks whole lives minute by minute is in test_rules_promises.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cases.enums import Severity, Status
from contacts.enums import Role
from escalations.enums import Audience, Member, OwnerAction
from escalations.policy.cadence import (
    CadenceChange,
    ManagementAttention,
    PassedPoint,
    cadence_in_force,
    members,
    owed_over_time,
)
from escalations.policy.clock import PolicyTimeline, Snapshot, clock_spans
from escalations.policy.schedule import PUBLISHED, Point, Schedule
from escalations.policy.sla import targets_of

T0 = datetime(2026, 6, 3, 12, 0, tzinfo=UTC)
C, H, M, L = Severity
ASSIGNED, WORKING, WAITING, RESOLVED = Status
CUSTOMER, AM, CSM, DIRECTOR, COO = Member
COURSE = PolicyTimeline(PUBLISHED)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def at(number: float) -> datetime:
    """So many hours after the opening."""
    return T0 + hours(number)


def life(*steps: tuple[float, Status, Severity]) -> list[Snapshot]:
    """Snapshots from (hours after the opening, status, severity)."""
    return [Snapshot(at(moment), status, severity) for moment, status, severity in steps]


def reached(
    severity: Severity, number: int, due: float, done: float | None = None, run: int = 1, quiet: bool = False
) -> PassedPoint:
    """A point of the published schedule, due and done so many hours after the opening."""
    point = PUBLISHED.point(severity, number)
    director = not quiet and Role.CS_DIRECTOR in point.mailed
    return PassedPoint(run, severity, number, at(due), at(due if done is None else done), point.cadence, director)


def in_time(severity: Severity, last: int = 3) -> list[PassedPoint]:
    """The points of a severity, each carried out when it was due."""
    return [reached(severity, one.number, one.after / hours(1)) for one in PUBLISHED.of(severity)[:last]]


Owed = tuple[float, dict[Member, float]]


def said(pieces: Sequence[CadenceChange]) -> list[Owed]:
    """(hours after the opening, member -> every so many hours) of each."""
    return [((one.at - T0) / hours(1), {who: every / hours(1) for who, every in one.owed.items()}) for one in pieces]


def owed(
    snapshots: Sequence[Snapshot],
    points: Sequence[PassedPoint] = (),
    attentions: Sequence[ManagementAttention] = (),
    timeline: PolicyTimeline = COURSE,
) -> list[Owed]:
    return said(owed_over_time(clock_spans(snapshots, timeline), timeline, points, attentions))


# --- T2: before any point ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("severity", "every"), [(C, 2), (H, 4), (M, 8), (L, 24)])
def test_before_any_point_the_customer_alone_is_owed_updates(severity, every) -> None:  # T2
    assert owed(life((0, ASSIGNED, severity))) == [(0, {CUSTOMER: every})]
    assert cadence_in_force(PUBLISHED, 1, severity, []) == (
        {Audience.CUSTOMER: hours(every)},
        f"{severity.label} before any point",
    )


def test_a_case_that_nothing_is_known_of_owes_nobody() -> None:
    assert owed([]) == []


def test_starting_work_changes_nothing() -> None:  # T2
    assert owed(life((0, ASSIGNED, C), (1, WORKING, C))) == [(0, {CUSTOMER: 2})]


# --- E1: each point's audience and intervals --------------------------------------------------------------------

POINTS = [
    (C, 1, {CUSTOMER: 2, AM: 2}, {CUSTOMER: 2, AM: 2}),
    (C, 2, {CUSTOMER: 2, CSM: 2}, {CUSTOMER: 2, CSM: 2, DIRECTOR: 2}),
    (C, 3, {CUSTOMER: 2, AM: 2, CSM: 2, COO: 2}, {CUSTOMER: 2, AM: 2, CSM: 2, DIRECTOR: 2, COO: 2}),
    (H, 1, {CUSTOMER: 2, CSM: 2}, {CUSTOMER: 2, CSM: 2, DIRECTOR: 2}),
    (H, 2, {CUSTOMER: 4, CSM: 4, AM: 4}, {CUSTOMER: 4, CSM: 4, DIRECTOR: 4, AM: 4}),
    (H, 3, {CUSTOMER: 4, AM: 4, CSM: 4}, {CUSTOMER: 4, AM: 4, CSM: 4, DIRECTOR: 4}),
    (M, 1, {CUSTOMER: 8}, {CUSTOMER: 8}),
    (M, 2, {CUSTOMER: 8, AM: 24}, {CUSTOMER: 8, AM: 24}),
    (M, 3, {CUSTOMER: 8, AM: 8, CSM: 8}, {CUSTOMER: 8, AM: 8, CSM: 8, DIRECTOR: 8}),
]


@pytest.mark.parametrize(("severity", "number", "without", "with_director"), POINTS)
def test_cs_management_is_the_csm_and_the_director_once_contacted(severity, number, without, with_director) -> None:
    cadence = PUBLISHED.point(severity, number).cadence  # E1
    assert members(cadence, False) == {who: hours(every) for who, every in without.items()}
    assert members(cadence, True) == {who: hours(every) for who, every in with_director.items()}


@pytest.mark.parametrize(("severity", "number", "without", "with_director"), POINTS)
def test_from_a_point_on_its_audience_is_owed_its_intervals(severity, number, without, with_director) -> None:  # E1
    expected = with_director if (severity, number) == (H, 3) else without  # High 3 is what contacts the Director
    pieces = owed_over_time(clock_spans(life((0, ASSIGNED, severity)), COURSE), COURSE, in_time(severity, number))
    assert said(pieces)[-1][1] == expected
    assert pieces[-1].why == (
        "Medium before any point" if (severity, number) == (M, 1) else f"{severity.label} {number}"
    )


def test_what_put_a_cadence_in_force_has_a_name() -> None:
    pieces = owed_over_time(clock_spans(life((0, ASSIGNED, C)), COURSE), COURSE, in_time(C))
    assert [one.why for one in pieces] == ["Critical before any point", "Critical 1", "Critical 2", "Critical 3"]


def test_the_whole_life_of_a_critical_case() -> None:  # E1: the AM joins, leaves and joins again
    assert owed(life((0, ASSIGNED, C)), in_time(C)) == [
        (0, {CUSTOMER: 2}),
        (4, {CUSTOMER: 2, AM: 2}),
        (12, {CUSTOMER: 2, CSM: 2}),
        (24, {CUSTOMER: 2, AM: 2, CSM: 2, COO: 2}),
    ]


def test_the_whole_life_of_a_high_case_is_more_often_and_then_less() -> None:  # E1
    assert owed(life((0, ASSIGNED, H)), in_time(H)) == [
        (0, {CUSTOMER: 4}),
        (12, {CUSTOMER: 2, CSM: 2}),
        (36, {CUSTOMER: 4, CSM: 4, AM: 4}),
        (48, {CUSTOMER: 4, AM: 4, CSM: 4, DIRECTOR: 4}),
    ]


def test_the_whole_life_of_a_medium_case() -> None:  # E1: Medium 1 changes nothing that the customer could notice
    assert owed(life((0, ASSIGNED, M)), in_time(M)) == [
        (0, {CUSTOMER: 8}),
        (144, {CUSTOMER: 8, AM: 24}),
        (360, {CUSTOMER: 8, AM: 8, CSM: 8}),
    ]


def test_a_point_sets_the_cadence_when_it_is_carried_out_not_when_it_was_due() -> None:  # E4
    late = [reached(C, 1, 4, 5.5)]
    assert owed(life((0, ASSIGNED, C)), late) == [(0, {CUSTOMER: 2}), (5.5, {CUSTOMER: 2, AM: 2})]


def test_of_several_points_carried_out_at_once_the_highest_counts() -> None:  # E4, E5
    late = [reached(C, 2, 12, 30), reached(C, 3, 24, 30), reached(C, 1, 4, 30)]
    assert owed(life((0, ASSIGNED, C)), late)[1:] == [(30, {CUSTOMER: 2, AM: 2, CSM: 2, COO: 2})]


def test_a_point_without_an_audience_of_its_own_leaves_the_base_interval() -> None:  # T2
    silent = replace(reached(H, 1, 12), cadence={})
    assert owed(life((0, ASSIGNED, H)), [silent]) == [(0, {CUSTOMER: 4})]


def test_the_director_once_contacted_stays_in_cs_management_at_another_severity_and_in_another_run() -> None:  # E1
    again = life((0, ASSIGNED, H), (60, RESOLVED, H), (100, WORKING, C))
    points = [*in_time(H), reached(C, 1, 104, run=2), reached(C, 2, 112, run=2)]
    assert owed(again, points)[-1] == (112, {CUSTOMER: 2, CSM: 2, DIRECTOR: 2})


def test_a_recorded_high_3_contacted_nobody() -> None:  # E1, E4
    recorded = [reached(H, number, 50, quiet=True) for number in (1, 2, 3)]
    assert owed(life((0, ASSIGNED, C), (50, ASSIGNED, H)), recorded)[-1] == (50, {CUSTOMER: 4, AM: 4, CSM: 4})


# --- T2: waits and resolutions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "why"), [(WAITING, "waits for the customer"), (RESOLVED, "resolved")])
def test_nobody_is_owed_anything_while_the_case_waits_or_is_resolved(status, why) -> None:  # T2
    pieces = owed_over_time(
        clock_spans(life((0, ASSIGNED, C), (5, status, C), (9, WORKING, C)), COURSE), COURSE, [reached(C, 1, 4)]
    )
    assert said(pieces) == [
        (0, {CUSTOMER: 2}),
        (4, {CUSTOMER: 2, AM: 2}),
        (5, {}),
        (9, {CUSTOMER: 2, AM: 2}),
    ]
    assert pieces[2].why == why


def test_from_a_wait_to_resolved_nobody_is_owed_anything_all_along() -> None:  # T2
    assert owed(life((0, ASSIGNED, C), (1, WAITING, C), (2, WAITING, C), (3, RESOLVED, C))) == [
        (0, {CUSTOMER: 2}),
        (1, {}),
    ]


def test_a_wait_of_no_length_changes_nothing() -> None:  # E2
    assert owed(life((0, ASSIGNED, C), (1, WAITING, C), (1, WORKING, C))) == [(0, {CUSTOMER: 2})]


def test_a_point_recorded_in_a_wait_sets_the_cadence_from_its_end() -> None:  # E4
    waited = life((0, ASSIGNED, C), (4.1, WAITING, C), (9, WORKING, C))
    assert owed(waited, [reached(C, 1, 4, 5)]) == [(0, {CUSTOMER: 2}), (4.1, {}), (9, {CUSTOMER: 2, AM: 2})]


def test_reopened_in_the_same_run_its_points_still_count() -> None:  # E2, E4
    again = life((0, ASSIGNED, C), (5, RESOLVED, C), (29, WORKING, C))
    assert owed(again, [reached(C, 1, 4)])[-1] == (29, {CUSTOMER: 2, AM: 2})


def test_reopened_in_a_new_run_the_points_of_the_earlier_one_do_not_count() -> None:  # E2, E4
    again = life((0, ASSIGNED, C), (5, RESOLVED, C), (29.5, WORKING, C))
    points = [reached(C, 1, 4), reached(C, 1, 33.5, run=2)]
    assert owed(again, points)[-2:] == [(29.5, {CUSTOMER: 2}), (33.5, {CUSTOMER: 2, AM: 2})]


# --- E4: another severity ---------------------------------------------------------------------------------------


def test_raised_before_any_point_the_new_base_interval_holds_at_once() -> None:  # T2, E4
    assert owed(life((0, ASSIGNED, M), (1, ASSIGNED, C))) == [(0, {CUSTOMER: 8}), (1, {CUSTOMER: 2})]


def test_the_points_of_another_severity_do_not_count() -> None:  # E4
    raised = life((0, ASSIGNED, H), (13, ASSIGNED, M))
    assert owed(raised, [reached(H, 1, 12)])[-1] == (13, {CUSTOMER: 8})


def test_back_at_a_severity_its_points_count_again() -> None:  # E4: of this run
    there_and_back = life((0, ASSIGNED, C), (5, ASSIGNED, M), (6, ASSIGNED, C))
    assert owed(there_and_back, [reached(C, 1, 4)])[2:] == [(5, {CUSTOMER: 8}), (6, {CUSTOMER: 2, AM: 2})]


def test_lowered_the_points_that_are_only_recorded_set_the_cadence() -> None:  # E4
    lowered = life((0, ASSIGNED, C), (40, ASSIGNED, H))
    recorded = [reached(H, number, 40, quiet=True) for number in (1, 2)]
    assert owed(lowered, [*in_time(C), *recorded])[-1] == (40, {CUSTOMER: 4, CSM: 4, AM: 4})


def test_who_is_again_in_the_audience_by_the_points_that_a_raise_made_due_has_never_left() -> None:  # T2, E4
    raised = life((0, ASSIGNED, H), (13, ASSIGNED, C))
    points = [reached(H, 1, 12), reached(C, 1, 13, 13.5), reached(C, 2, 13, 13.5)]
    assert owed(raised, points)[1:] == [(12, {CUSTOMER: 2, CSM: 2})]
    (only,) = targets_of(CSM, owed_over_time(clock_spans(raised, COURSE), COURSE, points), [])
    assert (only.since, only.due_at) == (at(12), at(14))


def test_their_interval_changes_with_the_severity_and_not_with_the_sweep() -> None:  # T2
    raised = life((0, ASSIGNED, H), (37, ASSIGNED, C))
    points = [*in_time(H, 2), *(reached(C, number, 37, 38) for number in (1, 2, 3))]
    assert owed(raised, points)[2:] == [
        (36, {CUSTOMER: 4, CSM: 4, AM: 4}),
        (37, {CUSTOMER: 2, CSM: 2, AM: 2}),
        (38, {CUSTOMER: 2, CSM: 2, AM: 2, COO: 2}),
    ]


def test_how_late_the_sweep_comes_makes_no_difference_to_them_nor_whether_it_has_come_yet() -> None:  # T2, T4
    raised = life((0, ASSIGNED, H), (13, ASSIGNED, C))
    not_yet = owed_over_time(clock_spans(raised, COURSE), COURSE, [reached(H, 1, 12)])
    for done in (13.001, 20, 23):
        points = [reached(H, 1, 12), reached(C, 1, 13, done), reached(C, 2, 13, done)]
        assert owed_over_time(clock_spans(raised, COURSE), COURSE, points)[: len(not_yet)] == not_yet


def test_who_was_not_in_the_audience_before_joins_with_the_sweep() -> None:  # T2, E4
    raised = life((0, ASSIGNED, M), (13, ASSIGNED, C))
    points = [reached(C, 1, 13, 13.5), reached(C, 2, 13, 13.5)]
    assert owed(raised, points) == [(0, {CUSTOMER: 8}), (13, {CUSTOMER: 2}), (13.5, {CUSTOMER: 2, CSM: 2})]


def test_a_point_that_comes_due_only_later_brings_nobody_back_before_its_time() -> None:  # T2, E4
    raised = life((0, ASSIGNED, H), (13, ASSIGNED, M))
    assert owed(raised, [reached(H, 1, 12), *in_time(M)])[2:] == [
        (13, {CUSTOMER: 8}),
        (144, {CUSTOMER: 8, AM: 24}),
        (360, {CUSTOMER: 8, AM: 8, CSM: 8}),
    ]


@pytest.mark.parametrize("flicker", [(), ((6, WAITING, C), (6, WORKING, C))])
def test_they_leave_by_a_later_point_only_when_that_is_carried_out(flicker) -> None:  # E4; E2: a wait of no length
    def point(severity: Severity, number: int, after: float, *cadence: Audience) -> Point:
        audience = dict.fromkeys((Audience.CUSTOMER, *cadence), hours(1))
        return Point(severity, number, hours(after), OwnerAction.ASKED, (), audience)

    high = (point(H, 1, 1, Audience.ACCOUNT_MANAGER),)
    critical = (point(C, 1, 2, Audience.ACCOUNT_MANAGER), point(C, 2, 5, Audience.CS_MANAGEMENT))
    raised = life((0, ASSIGNED, H), (3, ASSIGNED, C), *flicker)
    sweep = [
        PassedPoint(1, C, one.number, at(due), at(7), one.cadence) for one, due in zip(critical, (3, 5), strict=True)
    ]
    timeline = PolicyTimeline(Schedule(1, {H: high, C: critical}))
    assert owed(raised, [PassedPoint(1, H, 1, at(1), at(1), high[0].cadence), *sweep], timeline=timeline)[1:] == [
        (1, {CUSTOMER: 1, AM: 1}),
        (3, {CUSTOMER: 2, AM: 1}),
        (7, {CUSTOMER: 1, CSM: 1}),
    ]


def test_raised_in_two_steps_before_the_sweep_comes_they_have_not_left_either() -> None:  # T2, E4
    twice = life((0, ASSIGNED, M), (145, ASSIGNED, H), (146, ASSIGNED, C))
    sweep = [reached(C, number, 146, 147) for number in (1, 2, 3)]
    points = [*in_time(M, 2), *(reached(H, number, 145, 147, quiet=True) for number in (1, 2, 3)), *sweep]
    assert owed(twice, points)[1:] == [
        (144, {CUSTOMER: 8, AM: 24}),
        (145, {CUSTOMER: 4, AM: 4}),
        (146, {CUSTOMER: 2, AM: 2}),
        (147, {CUSTOMER: 2, AM: 2, CSM: 2, COO: 2}),
    ]


def test_raised_in_a_wait_they_count_from_its_end_and_not_from_the_sweep() -> None:  # T2
    waited = life((0, ASSIGNED, H), (13, WAITING, H), (14, WAITING, C), (20, WORKING, C))
    points = [reached(H, 1, 12), reached(C, 1, 20, 20.5), reached(C, 2, 20, 20.5)]
    assert owed(waited, points)[2:] == [(13, {}), (20, {CUSTOMER: 2, CSM: 2})]


# --- E9: management's attention ---------------------------------------------------------------------------------


def test_attention_on_a_low_case_brings_the_csm_and_the_account_manager_in_every_four_hours() -> None:  # E9
    pieces = owed_over_time(clock_spans(life((0, WORKING, L)), COURSE), COURSE, (), [ManagementAttention(at(3))])
    assert said(pieces) == [(0, {CUSTOMER: 24}), (3, {CUSTOMER: 4, AM: 4, CSM: 4})]
    assert pieces[-1].why == "management attention"


def test_attention_with_no_point_left_shortens_only_what_is_longer() -> None:  # E9
    medium, critical = life((0, WORKING, M)), life((0, WORKING, C))
    assert owed(medium, in_time(M), [ManagementAttention(at(400))])[-1] == (400, {CUSTOMER: 4, AM: 4, CSM: 4})
    assert owed(critical, in_time(C), [ManagementAttention(at(30))]) == owed(critical, in_time(C))


def test_attention_lasts_until_it_is_closed() -> None:  # E9
    closed = [ManagementAttention(at(3), at(10))]
    assert owed(life((0, WORKING, L)), (), closed)[-1] == (10, {CUSTOMER: 24})


def test_attention_is_silent_in_a_wait_and_goes_on_after_it() -> None:  # E9, T2
    waited = life((0, WORKING, L), (5, WAITING, L), (50, WORKING, L))
    assert owed(waited, (), [ManagementAttention(at(3))])[2:] == [(5, {}), (50, {CUSTOMER: 4, AM: 4, CSM: 4})]


def test_attention_is_of_its_run() -> None:  # E9, E2
    again = life((0, WORKING, L), (5, RESOLVED, L), (50, WORKING, L))
    assert owed(again, (), [ManagementAttention(at(3))])[-1] == (50, {CUSTOMER: 24})
    assert owed(again, (), [ManagementAttention(at(3)), ManagementAttention(at(51), run=2)])[-1] == (
        51,
        {CUSTOMER: 4, AM: 4, CSM: 4},
    )


def test_attention_tells_the_director_only_once_contacted() -> None:  # E1, E9
    assert owed(life((0, WORKING, H)), in_time(H), [ManagementAttention(at(50))])[-1][1].keys() == {
        CUSTOMER,
        AM,
        CSM,
        DIRECTOR,
    }


def test_attention_stays_when_the_severity_changes() -> None:  # E9
    raised = life((0, WORKING, L), (5, WORKING, C))
    assert owed(raised, [], [ManagementAttention(at(3))])[-1] == (5, {CUSTOMER: 2, AM: 4, CSM: 4})


# --- E10: another version; T3's switch --------------------------------------------------------------------------

OTHER = Schedule(
    2,
    {H: (Point(H, 1, hours(1), OwnerAction.ASKED, (), {Audience.CUSTOMER: hours(1), Audience.COO: hours(3)}),)},
    base_interval={C: hours(1), H: hours(3), M: hours(6), L: hours(12)},
    automatic_updates=frozenset(Severity) - {H},
)


def test_moved_to_another_version_its_base_interval_holds_from_then_on() -> None:  # E10
    moved = PolicyTimeline(PUBLISHED, ((at(5), OTHER),))
    assert owed(life((0, WORKING, L)), timeline=moved) == [(0, {CUSTOMER: 24}), (5, {CUSTOMER: 12})]


def test_moved_to_another_version_what_was_carried_out_stays_in_force() -> None:  # E4, E10: not carried out again
    moved = PolicyTimeline(PUBLISHED, ((at(13), OTHER),))
    assert owed(life((0, WORKING, H)), in_time(H, 1), timeline=moved)[-1] == (13, {CUSTOMER: 2, CSM: 2})
    assert owed(life((0, WORKING, H)), in_time(H, 1), timeline=PolicyTimeline(PUBLISHED)) == [
        (0, {CUSTOMER: 4}),
        (12, {CUSTOMER: 2, CSM: 2}),
    ]


def test_a_point_of_the_version_moved_to_brings_its_own_audience() -> None:  # E10
    moved = PolicyTimeline(PUBLISHED, ((at(5), OTHER),))
    point = OTHER.point(H, 1)
    carried_out = PassedPoint(1, H, 1, at(5), at(5.1), point.cadence)
    assert owed(life((0, WORKING, H)), [carried_out], timeline=moved) == [
        (0, {CUSTOMER: 4}),
        (5, {CUSTOMER: 3}),
        (5.1, {CUSTOMER: 1, COO: 3}),
    ]


def test_whether_the_desk_updates_by_itself_is_the_versions_switch_for_the_severity() -> None:  # T3
    moved = PolicyTimeline(PUBLISHED, ((at(5), OTHER),))
    raised = life((0, WORKING, H), (7, WORKING, C))
    assert [(one.at, one.automatic) for one in owed_over_time(clock_spans(raised, moved), moved)] == [
        (at(0), True),
        (at(5), False),
        (at(7), True),
    ]


# --- promises from a moment on ----------------------------------------------------------------------------------


def test_nothing_before_the_day_the_promises_began_counts() -> None:
    case = life((0, ASSIGNED, C))
    pieces = owed_over_time(clock_spans(case, COURSE), COURSE, in_time(C), since=at(13))
    assert said(pieces) == [(13, {CUSTOMER: 2, CSM: 2}), (24, {CUSTOMER: 2, AM: 2, CSM: 2, COO: 2})]
    assert said(owed_over_time(clock_spans(case, COURSE), COURSE, since=at(-9))) == [(0, {CUSTOMER: 2})]


def test_a_case_that_waits_on_that_day_owes_nobody_until_it_goes_on() -> None:
    waited = life((0, ASSIGNED, C), (1, WAITING, C), (9, WORKING, C))
    assert said(owed_over_time(clock_spans(waited, COURSE), COURSE, since=at(5))) == [(5, {}), (9, {CUSTOMER: 2})]
