"""The promise of a first response (T1, T4): tables, an oracle that counts minutes down, properties. No database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.enums import Channel, Severity, Status
from cases.policy.first_response import Response, initial_response, initial_response_due_at
from tests.support.examples import examples

T0 = datetime(2026, 6, 3, 12, 0, tzinfo=UTC)
C, H, M, L = Severity
ASSIGNED, WORKING, WAITING, RESOLVED = Status
MICROSECOND, MINUTE = timedelta(microseconds=1), timedelta(minutes=1)

State = tuple[datetime, Status, Severity]


def at(minutes: float) -> datetime:
    """So many minutes after the opening."""
    return T0 + minutes * MINUTE


def life(*states: tuple[float, Status, Severity]) -> list[State]:
    return [(at(minutes), status, severity) for minutes, status, severity in states]


def promised(states: Sequence[State], *contacts: float) -> Response:
    """The first response owed to a case that was phoned in, with contacts so many minutes after the opening."""
    response = initial_response(states, Channel.PHONE, [at(minutes) for minutes in contacts])
    assert response is not None
    return response


def due(states: Sequence[State], *contacts: float) -> float:
    """In minutes after the opening."""
    return (promised(states, *contacts).due_at - T0) / MINUTE


# --- T1: the targets --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("severity", "minutes"), [(C, 30), (H, 60), (M, 120), (L, 180)])
def test_a_case_that_was_phoned_in_is_owed_a_response_within_its_severitys_target(severity, minutes) -> None:  # T1
    response = promised(life((0, ASSIGNED, severity)))
    assert (response.since, response.due_at) == (T0, at(minutes))
    assert (response.met_at, response.released_at, response.ended_at) == (None, None, None)
    assert initial_response_due_at(severity, Channel.PHONE, T0) == at(minutes)


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.CHAT, Channel.NOTE])
def test_a_case_that_was_not_phoned_in_is_owed_none(channel) -> None:  # T1
    assert initial_response(life((0, ASSIGNED, C)), channel, [at(5)]) is None
    assert initial_response_due_at(C, channel, T0) is None


def test_a_case_that_nothing_is_known_of_is_owed_none() -> None:
    assert initial_response([], Channel.PHONE, []) is None


# --- T1: what meets it ------------------------------------------------------------------------------------------


def test_the_first_contact_meets_it_and_later_ones_change_nothing() -> None:  # T1
    response = promised(life((0, ASSIGNED, C)), 12, 20)
    assert (response.met_at, response.ended_at) == (at(12), at(12))
    assert not response.is_missed(at(9_000))


def test_a_contact_at_the_deadline_is_in_time_and_a_microsecond_later_is_not() -> None:  # T1, T4
    in_time, late = (
        initial_response(life((0, ASSIGNED, C)), Channel.PHONE, [moment]) for moment in (at(30), at(30) + MICROSECOND)
    )
    assert in_time is not None
    assert late is not None
    assert [in_time.is_missed(at(99)), late.is_missed(at(99))] == [False, True]


def test_it_is_missed_only_after_its_deadline() -> None:  # T4
    response = promised(life((0, ASSIGNED, C)))
    assert [response.is_missed(moment) for moment in (at(30), at(30) + MICROSECOND)] == [False, True]


def test_what_was_said_before_the_opening_is_the_call_that_opened_the_case() -> None:  # T1
    assert promised(life((0, ASSIGNED, C)), -3).met_at is None
    assert promised(life((0, ASSIGNED, C)), -3, 4).met_at == at(4)


def test_it_counts_from_the_arrival_of_a_call_that_waited_in_the_queue() -> None:  # T1, Q4
    response = initial_response(life((0, ASSIGNED, C)), Channel.PHONE, [], called_at=at(-12))
    assert (response.since, response.due_at) == (at(-12), at(18))
    assert initial_response(life((0, ASSIGNED, C)), Channel.PHONE, [at(-5)], called_at=at(-12)).met_at is None
    assert initial_response(life((0, ASSIGNED, C)), Channel.EMAIL, [], called_at=at(-12)) is None
    assert initial_response_due_at(C, Channel.PHONE, at(0), at(-12)) == at(18)


def test_starting_work_is_no_response() -> None:  # T1
    assert promised(life((0, ASSIGNED, C), (3, WORKING, C))).met_at is None


def test_waiting_for_the_customer_is_none_but_the_contact_in_which_they_were_asked() -> None:  # T1, C3
    asked = life((0, ASSIGNED, C), (10, WAITING, C), (20, WORKING, C))
    assert promised(asked).met_at is None
    assert promised(asked, 10).met_at == at(10)
    assert promised(asked, 15).met_at == at(15)


# --- T1: resolved -----------------------------------------------------------------------------------------------


def test_resolved_before_anybody_could_respond_it_is_no_longer_owed() -> None:  # T1
    response = promised(life((0, ASSIGNED, C), (20, RESOLVED, C)), 25)
    assert (response.met_at, response.released_at, response.ended_at) == (None, at(20), at(20))
    assert not response.is_missed(at(99))


def test_resolved_after_the_deadline_it_stays_missed() -> None:  # T4
    assert promised(life((0, ASSIGNED, C), (31, RESOLVED, C))).is_missed(at(99))


def test_a_word_with_the_solution_at_the_moment_of_resolving_meets_it() -> None:  # T1
    response = promised(life((0, ASSIGNED, C), (20, RESOLVED, C)), 20)
    assert (response.met_at, response.released_at) == (at(20), None)


def test_resolved_after_the_response_it_stays_met() -> None:  # T1
    response = promised(life((0, ASSIGNED, C), (20, RESOLVED, C)), 5)
    assert (response.met_at, response.released_at) == (at(5), None)


def test_reopened_without_a_response_none_is_owed_anew() -> None:  # T1: from the opening; T2 counts from the reopening
    response = promised(life((0, ASSIGNED, C), (20, RESOLVED, C), (60, WORKING, C)), 90)
    assert (response.due_at, response.ended_at) == (at(30), at(20))


# --- T1: a changed severity -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("opened", "raised_at", "raised", "minutes"),
    [
        (L, 10, C, 40),
        (L, 10, H, 70),
        (L, 10, M, 130),
        (M, 30, H, 90),
        (M, 89, C, 119),
        (M, 90, C, 120),  # both at the same moment
        (M, 100, C, 120),  # raised late: the old deadline
        (M, 120, C, 120),  # at the deadline
        (M, 0, C, 30),  # at the opening
        (H, 1, C, 31),
    ],
)
def test_a_raise_gives_the_earlier_of_the_old_deadline_and_the_raise_plus_the_new_target(
    opened, raised_at, raised, minutes
) -> None:  # T1
    assert due(life((0, ASSIGNED, opened), (raised_at, ASSIGNED, raised))) == minutes


@pytest.mark.parametrize("lowered_at", [0, 1, 29, 40])
def test_lowering_gives_no_more_time(lowered_at) -> None:  # T1
    assert due(life((0, ASSIGNED, C), (lowered_at, ASSIGNED, L))) == 30


def test_lowered_and_raised_again_only_the_raise_counts_and_only_if_earlier() -> None:  # T1
    assert due(life((0, ASSIGNED, C), (5, ASSIGNED, L), (6, ASSIGNED, H))) == 30
    assert due(life((0, ASSIGNED, M), (5, ASSIGNED, L), (10, ASSIGNED, C))) == 40


def test_each_raise_counts() -> None:  # T1
    assert due(life((0, ASSIGNED, L), (10, ASSIGNED, M), (20, ASSIGNED, H), (30, ASSIGNED, C))) == 60
    assert due(life((0, ASSIGNED, L), (10, ASSIGNED, C), (15, ASSIGNED, L), (20, ASSIGNED, C))) == 40


def test_a_raise_after_the_deadline_leaves_it_missed_at_its_moment() -> None:  # T4
    response = promised(life((0, ASSIGNED, H), (61, ASSIGNED, C)), 62)
    assert (response.due_at, response.is_missed(at(99))) == (at(60), True)
    assert [said for _, said in response.why] == ["Phoned in as High"]


def test_a_raise_after_the_response_changes_nothing() -> None:  # T1
    response = promised(life((0, ASSIGNED, L), (20, ASSIGNED, C)), 10)
    assert (response.due_at, response.met_at) == (at(180), at(10))


def test_a_raise_after_it_was_released_changes_nothing() -> None:  # T1
    assert due(life((0, ASSIGNED, L), (10, RESOLVED, L), (20, WORKING, C))) == 180


def test_why_a_deadline_is_where_it_is() -> None:
    response = promised(life((0, ASSIGNED, L), (10, WORKING, L), (20, WORKING, H), (30, WORKING, M)))
    assert response.why == ((T0, "Phoned in as Low"), (at(20), "Raised to High"))


# --- the oracle: minutes counted down ---------------------------------------------------------------------------

TARGET = {C: 30, H: 60, M: 120, L: 180}
WORSE_FIRST = [C, H, M, L]

Step = tuple[int, Status | Severity | None]  # None: staff were in contact with the customer


def count_down(severity: Severity, steps: Sequence[Step]) -> tuple[int, int | None, bool, bool]:
    """T1 read literally, minute by minute: (due, ended, met rather than released, missed)."""
    left, missed_at = TARGET[severity], None
    for minute in range(1_000):
        now = [what for moment, what in steps if moment == minute]
        for what in now:
            if isinstance(what, Severity):
                if WORSE_FIRST.index(what) < WORSE_FIRST.index(severity) and missed_at is None:
                    left = min(left, TARGET[what])
                severity = what
        met = None in now
        if met or Status.RESOLVED in now:
            return (minute + left if missed_at is None else missed_at), minute, met, missed_at is not None
        if left == 0 and missed_at is None:
            missed_at = minute
        left -= 1
    assert missed_at is not None
    return missed_at, None, False, True


WHATS = st.one_of(st.sampled_from(Severity), st.sampled_from([WORKING, WAITING, RESOLVED]), st.none())


@st.composite
def in_order(draw: st.DrawFn) -> list[Step]:
    minute, steps = 0, []
    gaps = st.one_of(st.just(0), st.integers(0, 60), st.sampled_from([30, 60, 90]))
    for gap, what in draw(st.lists(st.tuples(gaps, WHATS), max_size=8)):
        minute += gap
        steps.append((minute, what))
    return steps


def as_life(severity: Severity, steps: Sequence[Step]) -> tuple[list[State], list[datetime]]:
    states, contacts, status = [(T0, ASSIGNED, severity)], [], ASSIGNED
    for minute, what in steps:
        if what is None:
            contacts.append(at(minute))
            continue
        status, severity = (what, severity) if isinstance(what, Status) else (status, what)
        states.append((at(minute), status, severity))
    return states, contacts


@examples(400)
@given(severity=st.sampled_from(Severity), steps=in_order())
def test_the_deadline_is_the_one_that_counting_down_the_minutes_gives(severity, steps):  # T1
    states, contacts = as_life(severity, steps)
    response = initial_response(states, Channel.PHONE, contacts)
    assert response is not None
    due_at, ended, met, missed = count_down(severity, steps)
    assert response.due_at == at(due_at)
    assert response.ended_at == (None if ended is None else at(ended))
    assert (response.met_at is not None) == met
    assert response.is_missed(at(2_000)) == missed


@examples(300)
@given(severity=st.sampled_from(Severity), steps=in_order(), minute=st.integers(0, 300))
def test_what_was_settled_or_missed_by_a_moment_stays_so_whatever_happens_later(severity, steps, minute):  # T4
    states, contacts = as_life(severity, steps)
    now = at(minute)
    then = initial_response(
        [one for one in states if one[0] <= now], Channel.PHONE, [one for one in contacts if one <= now]
    )
    later = initial_response(states, Channel.PHONE, contacts)
    assert then is not None
    assert later is not None
    assert later.due_at <= then.due_at
    if then.ended_at is not None:
        assert later == then
    if then.is_missed(now):
        assert (later.due_at, later.is_missed(at(9_000))) == (then.due_at, True)
