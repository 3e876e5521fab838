"""Promised status updates (T2, T3, T4): tables, an independent minute-by-minute oracle, properties. No database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.enums import Severity, Status
from contacts.enums import Role
from escalations.enums import Audience, Member, OwnerAction, SlaOutcome
from escalations.policy.cadence import CadenceChange, owed_over_time
from escalations.policy.clock import PolicyTimeline, Snapshot, clock_spans
from escalations.policy.schedule import PUBLISHED, Point, Schedule
from escalations.policy.sla import Target, Touchpoint, targets_of
from tests.support.examples import examples
from tests.support.sla_walk import (
    AttentionOver,
    Granted,
    Moved,
    Promised,
    Swept,
    Told,
    Walk,
    What,
)

T0 = datetime(2026, 6, 3, 12, 0, tzinfo=UTC)
C, H, M, L = Severity
ASSIGNED, WORKING, WAITING, RESOLVED = Status
CUSTOMER, AM, CSM, DIRECTOR, COO = Member
MICROSECOND, MINUTE = timedelta(microseconds=1), timedelta(minutes=1)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def at(number: float) -> datetime:
    """So many hours after the opening."""
    return T0 + hours(number)


def piece(since: float, automatic: bool = True, **owed: float) -> CadenceChange:
    """From an hour on, who is owed an update every so many hours: piece(4, customer=2)."""
    return CadenceChange(
        at(since), {Member(who): hours(every) for who, every in owed.items()}, f"from {since} h", automatic
    )


def word(moment: float, *members: Member, by: int | None = 7) -> Touchpoint:
    """A person's word, or with by=None the desk's."""
    said = f"word at {moment} h" if by else f"the desk at {moment} h"
    return Touchpoint(at(moment), frozenset(members or (CUSTOMER,)), said, by, by is None)


Row = tuple[float, float, float | None]


def rows(periods: Sequence[Target]) -> list[Row]:
    """(since, due, ended) of each in hours."""
    return [
        (
            (one.since - T0) / hours(1),
            (one.due_at - T0) / hours(1),
            None if one.ended_at is None else (one.ended_at - T0) / hours(1),
        )
        for one in periods
    ]


def customers(pieces: Sequence[CadenceChange], *words: Touchpoint) -> list[Row]:
    return rows(targets_of(CUSTOMER, pieces, words))


# --- T2: from when it counts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("severity", Severity)
def test_without_a_word_the_customer_is_owed_an_update_one_interval_after_the_opening(severity) -> None:  # T2
    pieces = owed_over_time(
        clock_spans([Snapshot(T0, ASSIGNED, severity)], PolicyTimeline(PUBLISHED)), PolicyTimeline(PUBLISHED)
    )
    (only,) = targets_of(CUSTOMER, pieces, [])
    assert (only.since, only.due_at) == (T0, T0 + {C: hours(2), H: hours(4), M: hours(8), L: hours(24)}[severity])
    assert [targets_of(other, pieces, []) for other in (AM, CSM, DIRECTOR, COO)] == [[], [], [], []]


def test_each_update_begins_the_next_period() -> None:  # T2
    assert customers([piece(0, customer=4)], word(3), word(5)) == [(0, 4, 3), (3, 7, 5), (5, 9, None)]


def test_an_automatic_update_counts_like_a_persons() -> None:  # T2
    assert customers([piece(0, customer=4)], word(3.9, by=None)) == [(0, 4, 3.9), (3.9, 7.9, None)]


def test_a_word_before_the_opening_begins_nothing() -> None:  # T2
    assert customers([piece(0, customer=4)], word(-1)) == [(0, 4, None)]


def test_a_word_at_the_opening_is_no_period_of_its_own() -> None:  # T2
    assert customers([piece(0, customer=4)], word(0)) == [(0, 4, None)]


def test_a_word_resets_the_clocks_of_those_who_received_it_and_no_others() -> None:  # T2: a call tells the COO nothing
    pieces = [piece(0, customer=2, account_manager=2, csm=2, coo=2)]
    words = [word(1, CUSTOMER), word(1.5, AM, CSM)]
    assert {one: rows(targets_of(one, pieces, words)) for one in (CUSTOMER, AM, CSM, COO)} == {
        CUSTOMER: [(0, 2, 1), (1, 3, None)],
        AM: [(0, 2, 1.5), (1.5, 3.5, None)],
        CSM: [(0, 2, 1.5), (1.5, 3.5, None)],
        COO: [(0, 2, None)],
    }


def test_medium_2_has_two_intervals() -> None:  # T2, E1
    pieces, words = [piece(0, customer=8, account_manager=24)], [word(7, CUSTOMER, AM), word(14, CUSTOMER)]
    assert rows(targets_of(CUSTOMER, pieces, words))[-1] == (14, 22, None)
    assert rows(targets_of(AM, pieces, words))[-1] == (7, 31, None)


def test_who_joins_the_audience_counts_from_joining_whatever_they_heard_before() -> None:  # T2
    pieces = [piece(0, customer=2), piece(4, customer=2, account_manager=2)]
    words = [word(3, CUSTOMER, AM)]
    assert rows(targets_of(AM, pieces, words)) == [(4, 6, None)]
    assert rows(targets_of(CUSTOMER, pieces, words)) == [(0, 2, 3), (3, 5, None)]


def test_who_leaves_the_audience_is_owed_nothing_and_counts_anew_when_back() -> None:  # T2: Critical 1, 2, 3 and the AM
    pieces = [piece(4, account_manager=2), piece(5, csm=2), piece(24, account_manager=2)]
    left, back = targets_of(AM, pieces, [word(6, AM)])
    assert rows([left, back]) == [(4, 6, 5), (24, 26, None)]
    assert left.outcome(at(30)) == SlaOutcome.CANCELLED


def test_nothing_is_owed_in_a_wait_and_it_counts_from_its_end() -> None:  # T2
    pieces = [piece(0, customer=4), piece(1, **{}), piece(30, customer=4)]
    assert customers(pieces, word(20)) == [(0, 4, 1), (30, 34, None)]


def test_a_question_is_an_update_and_the_wait_that_begins_with_it_leaves_no_empty_period() -> None:  # T2, C4
    pieces = [piece(0, customer=4), piece(1), piece(30, customer=4)]
    first, second = targets_of(CUSTOMER, pieces, [word(1)])
    assert rows([first, second]) == [(0, 4, 1), (30, 34, None)]
    assert first.outcome(at(40)) == SlaOutcome.MET


def test_a_word_at_the_end_of_a_wait_is_no_period_of_its_own() -> None:  # T2
    assert customers([piece(0, customer=4), piece(1), piece(30, customer=4)], word(30))[1:] == [(30, 34, None)]


def test_two_words_at_one_moment_are_one_and_a_persons_goes_before_the_desks() -> None:  # T2, T3
    for words in ([word(1, by=None), word(1)], [word(1), word(1, by=None)]):
        first, second = targets_of(CUSTOMER, [piece(0, customer=4)], words)
        assert rows([first, second]) == [(0, 4, 1), (1, 5, None)]
        assert first.outcome(at(1)) == SlaOutcome.MET
        assert [reason.said for reason in second.why] == ["word at 1 h"]


# --- T2: when the interval changes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "changed", "after", "due"),
    [
        (8, 1, 2, 3),  # shrinks early: the change and the new interval
        (8, 5.9, 2, 7.9),
        (8, 6, 2, 8),  # both at the same moment
        (8, 7, 2, 8),  # shrinks late: the old deadline
        (8, 8, 2, 8),  # at the deadline
        (2, 1, 8, 2),  # grows: the old deadline
        (2, 0.1, 24, 2),
        (2, 2, 24, 2),
    ],
)
def test_a_changed_interval_gives_the_earlier_of_the_old_deadline_and_the_change_plus_the_new(
    before, changed, after, due
) -> None:  # T2
    assert customers([piece(0, customer=before), piece(changed, customer=after)]) == [(0, due, None)]


def test_an_interval_that_shrinks_and_grows_again_keeps_the_earliest_deadline() -> None:  # T2
    assert customers([piece(0, customer=8), piece(1, customer=2), piece(2, customer=8)]) == [(0, 3, None)]
    assert customers([piece(0, customer=2), piece(1, customer=24), piece(1.5, customer=2)]) == [(0, 2, None)]


def test_the_period_after_a_word_has_the_interval_in_force() -> None:  # T2
    assert customers([piece(0, customer=2), piece(1, customer=8)], word(1.5))[-1] == (1.5, 9.5, None)
    assert customers([piece(0, customer=8), piece(1, customer=2)], word(2))[-1] == (2, 4, None)
    assert customers([piece(0, customer=2), piece(5, customer=8)], word(6))[-1] == (6, 14, None)


@pytest.mark.parametrize(("before", "after"), [(2, 8), (8, 2)])
def test_a_word_at_the_moment_of_the_change_begins_under_the_new_interval(before, after) -> None:  # T2
    found = customers([piece(0, customer=before), piece(1, customer=after)], word(1))
    assert found == [(0, before, 1), (1, 1 + after, None)]


def test_an_unchanged_interval_changes_nothing_when_others_join() -> None:  # T2
    assert customers([piece(0, customer=2), piece(1, customer=2, account_manager=2)]) == [(0, 2, None)]


def test_why_a_deadline_is_where_it_is() -> None:
    (only,) = targets_of(CUSTOMER, [piece(0, customer=8), piece(1, customer=2), piece(5, customer=1)], [])
    assert [(one.at, one.said) for one in only.why] == [(at(0), "from 0 h"), (at(1), "from 1 h")]
    told = targets_of(CUSTOMER, [piece(0, customer=8), piece(3, customer=2)], [word(2)])[-1]
    assert [one.said for one in told.why] == ["word at 2 h", "from 3 h"]


# --- T4: missed -------------------------------------------------------------------------------------------------


def test_a_word_at_the_deadline_is_in_time_and_a_microsecond_later_is_not() -> None:  # T2, T4
    pieces = [piece(0, customer=2)]
    in_time = targets_of(CUSTOMER, pieces, [word(2)])[0]
    late = targets_of(CUSTOMER, pieces, [replace(word(2), at=at(2) + MICROSECOND)])[0]
    assert [one.outcome(at(9)) for one in (in_time, late)] == [SlaOutcome.MET, SlaOutcome.BREACHED]


def test_a_running_period_is_missed_only_after_its_deadline() -> None:  # T4
    (only,) = targets_of(CUSTOMER, [piece(0, customer=2)], [])
    assert [only.is_missed(moment) for moment in (at(2), at(2) + MICROSECOND)] == [False, True]
    assert [only.outcome(moment) for moment in (at(2), at(2) + MICROSECOND)] == [None, SlaOutcome.BREACHED]


def test_a_missed_period_stays_open_until_an_update_and_none_rolls_on() -> None:  # T4
    assert customers([piece(0, customer=2)]) == [(0, 2, None)]
    assert customers([piece(0, customer=2)], word(9)) == [(0, 2, 9), (9, 11, None)]


def test_what_is_missed_stays_missed_at_its_moment_whatever_the_interval_does_then() -> None:  # T4
    for every in (1, 24):
        (only,) = targets_of(CUSTOMER, [piece(0, customer=2), piece(3, customer=every)], [])
        assert (only.due_at, only.remind_at, only.every) == (at(2), at(1.5), hours(every))
        assert [one.said for one in only.why] == ["from 0 h"]


@pytest.mark.parametrize("ended", [2.5, 30])
def test_what_is_missed_stays_missed_when_no_update_is_owed_any_more(ended) -> None:  # T4
    missed, back = targets_of(CUSTOMER, [piece(0, customer=2), piece(ended), piece(50, customer=2)], [])
    assert rows([missed, back]) == [(0, 2, ended), (50, 52, None)]
    assert missed.outcome(at(60)) == SlaOutcome.BREACHED


def test_what_is_released_at_its_deadline_is_not_missed() -> None:  # T4
    (only,) = targets_of(CUSTOMER, [piece(0, customer=2), piece(2)], [])
    assert only.outcome(at(60)) == SlaOutcome.CANCELLED


# --- T3: outcomes, reminder, the desk's own update --------------------------------------------------------------


def test_the_desks_own_update_settles_nothing_here_unless_it_came_too_late() -> None:  # T3
    early, late = (targets_of(CUSTOMER, [piece(0, customer=2)], [word(moment, by=None)])[0] for moment in (1.9, 2.1))
    assert [early.outcome(at(9)), late.outcome(at(9))] == [None, SlaOutcome.BREACHED]


@pytest.mark.parametrize(("every", "remind", "update"), [(2, 1.5, 115 / 60), (8, 6, 475 / 60), (24, 18, 1435 / 60)])
def test_the_owner_is_reminded_at_three_quarters_and_the_desk_updates_five_minutes_before(
    every, remind, update
) -> None:  # T3
    (only,) = targets_of(CUSTOMER, [piece(0, customer=every)], [])
    assert only.remind_at == at(remind)
    assert only.update_at(5 * MINUTE) == at(update)


def test_the_desk_never_updates_before_the_reminder() -> None:  # T3
    (only,) = targets_of(CUSTOMER, [piece(0, customer=1)], [])
    assert only.update_at(hours(3)) == only.remind_at == at(0.75)


def test_when_the_interval_shrinks_three_quarters_of_the_new_one_count_from_the_change() -> None:  # T3
    (only,) = targets_of(CUSTOMER, [piece(0, customer=8), piece(1, customer=2)], [])
    assert (only.remind_at, only.every) == (at(2.5), hours(2))


def test_when_the_old_deadline_stays_its_reminder_stays() -> None:  # T3: lowered from Critical to Low
    (only,) = targets_of(CUSTOMER, [piece(0, customer=2), piece(1, customer=24)], [])
    assert (only.remind_at, only.due_at, only.every) == (at(1.5), at(2), hours(24))
    (only,) = targets_of(CUSTOMER, [piece(0, customer=2), piece(1, customer=24), piece(1.5, customer=8)], [])
    assert (only.remind_at, only.due_at, only.every) == (at(1.5), at(2), hours(8))
    (only,) = targets_of(CUSTOMER, [piece(0, customer=8), piece(1, customer=24), piece(2, customer=4)], [])
    assert (only.remind_at, only.due_at, only.every) == (at(5), at(6), hours(4))


def test_the_switch_for_the_desks_updates_is_the_one_in_force() -> None:  # T3
    pieces = [piece(0, customer=2), piece(1, automatic=False, customer=2)]
    assert [one.automatic for one in targets_of(CUSTOMER, pieces, [])] == [False]
    assert [one.automatic for one in targets_of(CUSTOMER, pieces, [word(0.5)])] == [True, False]


# --- a fold from an anchor --------------------------------------------------------------------------------------


def test_a_fold_from_an_anchor_needs_no_words_from_before_it_nor_the_one_at_it() -> None:
    pieces = [piece(0, customer=2), piece(4, customer=2, account_manager=2), piece(10, customer=4)]
    whole = targets_of(CUSTOMER, pieces, [word(1), word(3), word(9), word(11)])
    assert rows(targets_of(CUSTOMER, pieces, [word(9), word(11)], at(3))) == rows(whole)[2:]
    assert targets_of(CUSTOMER, pieces, [word(3), word(9), word(11)], at(3)) == whole[2:]


# --- the oracle: whole lives walked minute by minute ------------------------------------------------------------

INTERVALS = [5, 8, 13, 20, 40, 60]
EVERY = st.sampled_from(INTERVALS).map(lambda minutes: minutes * MINUTE)
RHYTHM = st.dictionaries(st.sampled_from(Audience), EVERY, max_size=4)
WIDE = st.fixed_dictionaries(dict.fromkeys(Audience, EVERY))


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    """Small schedules in whole minutes, with any intervals and switches."""
    points = {}
    for severity in (C, H, M):
        after = sorted(draw(st.sets(st.integers(1, 60), max_size=3)))
        points[severity] = tuple(
            Point(
                severity,
                number,
                minutes * MINUTE,
                OwnerAction.ASKED,
                draw(st.sampled_from([(), (Role.CS_DIRECTOR,)])),
                draw(st.one_of(RHYTHM, RHYTHM, WIDE)),
            )
            for number, minutes in enumerate(after, 1)
        )
    base = {severity: draw(st.sampled_from(INTERVALS)) * MINUTE for severity in Severity}
    switches = st.frozensets(st.sampled_from(Severity))
    return Schedule(draw(st.integers(1, 99)), points, draw(switches), base, draw(switches))


WHATS: st.SearchStrategy[What] = st.one_of(
    st.sampled_from([WORKING, WORKING, WAITING, RESOLVED]),
    st.sampled_from(Severity),
    st.builds(Told, st.frozensets(st.sampled_from(Member), min_size=1), st.booleans()),
    st.builds(Told, st.just(frozenset(Member)), st.booleans()),
    st.just(Swept()),
    st.just(Swept()),
    st.sampled_from([Granted(), Granted(), AttentionOver()]),
    st.builds(Moved, st.integers(0, 1)),
)
Steps = list[tuple[int, What]]


GAP = st.one_of(st.just(0), st.integers(0, 30), st.sampled_from([5, 8, 13, 20, 40, 60]))
SOON = st.integers(0, 15)


@st.composite
def late_sweeps(draw: st.DrawFn) -> Steps:
    """Points carried out, the severity changed, and the sweep comes only after something else has happened."""
    whats = [Swept(), draw(st.sampled_from(Severity)), *draw(st.lists(WHATS, max_size=2)), Swept()]
    return [(draw(st.integers(10, 60) if index == 0 else SOON), what) for index, what in enumerate(whats)]


@st.composite
def reopenings(draw: st.DrawFn) -> Steps:
    """Resolved, and opened again after about a day: in the same run or just not."""
    return [(draw(SOON), RESOLVED), (draw(st.sampled_from([0, 1, 60, 1439, 1440, 1441])), WORKING)]


@st.composite
def lives(draw: st.DrawFn) -> Steps:
    """Happenings at whole minutes, in order; several in a minute are likely."""
    minute, steps = 0, []
    single = st.tuples(GAP, WHATS).map(lambda one: [one])
    for scene in draw(st.lists(st.one_of(single, single, late_sweeps(), reopenings()), max_size=9)):
        for length, what in scene:
            minute += length
            steps.append((minute, what))
    return steps


VERSIONS = st.tuples(schedules(), schedules())
LIFE = {"severity": st.sampled_from(Severity), "versions": VERSIONS, "steps": lives()}


def walked(severity: Severity, versions: Sequence[Schedule], steps: Steps) -> Walk:
    return Walk(severity, versions).to((steps[-1][0] if steps else 0) + 70, steps)


def pieces_of(walk: Walk) -> list[CadenceChange]:
    return owed_over_time(clock_spans(walk.snapshots, walk.timeline), walk.timeline, walk.reached, walk.attentions)


def as_promised(period: Target) -> Promised:
    by = period.ended_by and ("desk" if period.ended_by.by_desk else "person")
    ended = None if period.ended_at is None else (period.ended_at - T0) // MINUTE
    return Promised(period.member, (period.since - T0) // MINUTE, (period.due_at - T0) // MINUTE, ended, by)


@examples(200)
@given(**LIFE)
def test_minute_by_minute_those_are_owed_updates_whom_the_rules_walked_by_hand_name(severity, versions, steps):
    walk = walked(severity, versions, steps)
    found: list[dict[Member, int]] = []
    pieces = pieces_of(walk)
    for one, end in zip(pieces, [*(one.at for one in pieces[1:]), T0 + walk.now * MINUTE], strict=True):
        owed = {who: every // MINUTE for who, every in one.owed.items()}
        found += [owed] * ((end - one.at) // MINUTE)
    assert found == walk.owed


@examples(200)
@given(**LIFE)
def test_the_periods_are_those_of_the_rules_walked_by_hand(severity, versions, steps):  # T2, T4
    walk = walked(severity, versions, steps)
    pieces = pieces_of(walk)
    for member in Member:
        assert [as_promised(one) for one in targets_of(member, pieces, walk.words)] == walk.promised_to(member)


@examples(100)
@given(**LIFE)
def test_a_fold_from_any_anchor_gives_exactly_the_later_periods_of_the_whole_fold(severity, versions, steps):
    walk = walked(severity, versions, steps)
    pieces = pieces_of(walk)
    for member in Member:
        whole = targets_of(member, pieces, walk.words)
        for anchor in {moment for one in whole for moment in (one.since, one.ended_at) if moment}:
            words = [one for one in walk.words if one.at >= anchor]
            assert targets_of(member, pieces, words, anchor) == [one for one in whole if one.since >= anchor]


@examples(100)
@given(**LIFE)
def test_nobody_has_two_running_periods_and_no_deadline_is_later_than_the_longest_interval(severity, versions, steps):
    walk = walked(severity, versions, steps)
    pieces = pieces_of(walk)
    for member in Member:
        periods = targets_of(member, pieces, walk.words)
        for one, following in pairwise(periods):
            assert one.ended_at is not None
            assert one.since < one.ended_at <= following.since
        for one in periods:
            seen = [
                cadence.owed[member]
                for cadence, end in zip(pieces, [*(later.at for later in pieces[1:]), None], strict=True)
                if member in cadence.owed
                and (end is None or end > one.since)
                and (one.ended_at is None or cadence.at < one.ended_at)
            ]
            assert min(seen) <= one.due_at - one.since <= max(seen)
            assert one.since <= one.remind_at <= one.update_at(5 * MINUTE) <= one.due_at


def known_by(walk: Walk, now: datetime) -> tuple[list[CadenceChange], list[Touchpoint]]:
    """What was known of the case at a moment."""
    timeline = PolicyTimeline(
        walk.timeline.first,
        tuple(move for move in walk.moves if move[0] <= now),
        {key: granted for key, granted in walk.timeline.brought_forward.items() if granted <= now},
    )
    attentions = [
        replace(one, until=one.until if one.until and one.until <= now else None)
        for one in walk.attentions
        if one.since <= now
    ]
    snapshots = [one for one in walk.snapshots if one.at <= now]
    reached = [one for one in walk.reached if one.done_at <= now]
    return owed_over_time(clock_spans(snapshots, timeline), timeline, reached, attentions), [
        one for one in walk.words if one.at <= now
    ]


@examples(200)
@given(**LIFE, minute=st.integers(0, 400))
def test_what_was_owed_missed_or_settled_by_a_moment_stays_so_whatever_happens_later(
    severity, versions, steps, minute
):  # T4
    walk = walked(severity, versions, steps)
    now = T0 + min(minute, walk.now - 1) * MINUTE
    pieces, words = known_by(walk, now)
    whole = pieces_of(walk)
    assert pieces == [one for one in whole if one.at <= now]
    for member in Member:
        then, later = targets_of(member, pieces, words), targets_of(member, whole, walk.words)
        over = [one for one in then if one.ended_at is not None]
        assert later[: len(over)] == over
        for before, after in zip(then, later, strict=False):
            assert (after.member, after.since) == (before.member, before.since)
            assert after.due_at <= before.due_at
            if before.is_missed(now):
                assert (after.due_at, after.outcome(now + hours(999))) == (before.due_at, SlaOutcome.BREACHED)


def test_the_walk_knows_the_published_table() -> None:  # E1: the oracle on a plain day
    walk = Walk(C, [PUBLISHED]).to(26 * 60, [(4 * 60, Swept()), (12 * 60, Swept()), (24 * 60, Swept())])
    assert [walk.owed[hour * 60] for hour in (0, 4, 12, 24)] == [
        {CUSTOMER: 120},
        {CUSTOMER: 120, AM: 120},
        {CUSTOMER: 120, CSM: 120},
        {CUSTOMER: 120, AM: 120, CSM: 120, COO: 120},
    ]


@pytest.mark.parametrize(
    ("every", "since", "bundle", "expected"),
    [
        (2, "12:00", 0, "13:55"),
        (2, "12:00", 60, "13:00"),
        (2, "12:00", 30, "13:30"),
        (2, "12:00", 15, "13:45"),
        (2, "12:06", 60, "14:00"),
        (1, "12:00", 60, "12:30"),  # the hour is no later than the last update
        (4, "12:00", 60, "15:00"),
        (24, "12:00", 60, "11:00"),
    ],
)
def test_bundled_an_update_leaves_at_the_last_common_moment_that_fits(every, since, bundle, expected) -> None:  # T3
    began = datetime.fromisoformat(f"2026-06-03T{since}:00+00:00")
    target = Target(Member.CSM, began, timedelta(hours=every), began + timedelta(hours=every))
    assert f"{target.update_at(timedelta(minutes=5), timedelta(minutes=bundle)):%H:%M}" == expected


@given(
    minutes=st.integers(0, 60 * 24 * 400),
    every=st.sampled_from([1, 2, 4, 8, 24]),
    bundle=st.sampled_from([0, 15, 30, 60]),
    lead=st.integers(0, 30),
)
def test_bundled_or_not_an_update_comes_after_the_last_and_in_time(minutes, every, bundle, lead) -> None:  # T3
    began, interval = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes), timedelta(hours=every)
    target = Target(Member.CSM, began, interval, began + interval)
    moment = target.update_at(timedelta(minutes=lead), timedelta(minutes=bundle))
    assert began < moment <= max(target.remind_at, target.due_at - timedelta(minutes=lead))
