"""What the events of a call say, in any order, twice, or missing (Q1). No database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.enums import CallEventKind, QueueEnding, QueueState
from cases.policy.queue.call import CallReading, HeardEvent, Settled, read_call, settle
from tests.support.examples import examples

NINE = datetime(2026, 6, 3, 9, tzinfo=UTC)
ARRIVED, ANSWERED, ENDED, CALLBACK = CallEventKind
WAITING, CALL_BACK = Settled(QueueState.WAITING), Settled(QueueState.WAITING, is_callback=True)
TALKING = Settled(QueueState.TALKING)
SPOKEN, ABANDONED = (Settled(QueueState.ENDED, ending) for ending in (QueueEnding.SPOKEN, QueueEnding.ABANDONED))


def heard(*events: tuple[CallEventKind, int] | tuple[CallEventKind, int, str]) -> list[HeardEvent]:
    return [HeardEvent(kind, NINE + timedelta(seconds=at), *leg) for kind, at, *leg in events]


def reading(arrived: int, answered: int | None = None, by: str = "", ended: int | None = None) -> CallReading:
    moments = [None if at is None else NINE + timedelta(seconds=at) for at in (arrived, answered, ended)]
    return CallReading(moments[0], moments[1], by, moments[2])


@pytest.mark.parametrize(
    ("events", "says"),
    [
        ([(ARRIVED, 0)], reading(0)),
        ([(ARRIVED, 0), (ANSWERED, 9, "21"), (ENDED, 60)], reading(0, 9, "21", 60)),
        ([(ARRIVED, 0), (ENDED, 60)], reading(0, ended=60)),
        # twice, and an answer by two telephones at once
        ([(ARRIVED, 0), (ARRIVED, 4), (ANSWERED, 9, "21"), (ANSWERED, 9, "34"), (ENDED, 60), (ENDED, 61)],
         reading(0, 9, "21", 60)),
        # the beginning never came, or came last
        ([(ANSWERED, 9, "21")], reading(9, 9, "21")),
        ([(ENDED, 60)], reading(60, ended=60)),
        ([(ENDED, 1), (ANSWERED, 2, "21"), (ARRIVED, 3)], reading(1, 1, "21", 1)),
    ],
)  # fmt: skip
def test_what_events_say(events, says) -> None:  # Q1
    assert read_call(heard(*events)) == says


def test_no_events_say_nothing() -> None:  # Q1
    assert read_call([]) is None


@pytest.mark.parametrize(
    ("events", "before", "after"),
    [
        ([(ARRIVED, 0)], WAITING, WAITING),
        ([(ARRIVED, 0), (ANSWERED, 9)], WAITING, TALKING),
        ([(ARRIVED, 0), (ANSWERED, 9)], Settled(QueueState.OFFERED), TALKING),
        ([(ARRIVED, 0), (ANSWERED, 9), (ENDED, 60)], TALKING, SPOKEN),
        # somebody took it with a click, and the telephone system only tells of the end
        ([(ARRIVED, 0), (ENDED, 60)], TALKING, SPOKEN),
        ([(ARRIVED, 0), (CALLBACK, 30)], WAITING, CALL_BACK),
        ([(ARRIVED, 0), (CALLBACK, 30), (ENDED, 31)], CALL_BACK, CALL_BACK),
        # we are calling them back: the end of their own call comes late
        ([(ARRIVED, 0), (CALLBACK, 30), (ENDED, 31)], Settled(QueueState.TALKING, None, True),
         Settled(QueueState.TALKING, None, True)),
        # the answer came after the end
        ([(ARRIVED, 0), (ENDED, 60), (ANSWERED, 61)], ABANDONED, SPOKEN),
        ([(ARRIVED, 0), (ENDED, 60), (ANSWERED, 61)], CALL_BACK, SPOKEN),
        ([(ARRIVED, 0), (ENDED, 60), (CALLBACK, 61)], ABANDONED, CALL_BACK),
        # closed as lost, and then it went on after all: it stays closed until it ends
        ([(ARRIVED, 0), (ANSWERED, 9)], Settled(QueueState.ENDED, QueueEnding.LOST),
         Settled(QueueState.ENDED, QueueEnding.LOST)),
        ([(ARRIVED, 0), (ANSWERED, 9), (ENDED, 9999)], Settled(QueueState.ENDED, QueueEnding.UNREACHED),
         Settled(QueueState.ENDED, QueueEnding.UNREACHED)),
    ],
)  # fmt: skip
def test_where_a_caller_stands(events, before, after) -> None:  # Q1
    assert settle(read_call(heard(*events)), before, can_be_called=True) == after


@pytest.mark.parametrize(("known", "after"), [(True, CALL_BACK), (False, ABANDONED)])
def test_an_abandoned_call_of_a_known_contact_becomes_a_callback(known, after) -> None:  # Q3
    said = read_call(heard((ARRIVED, 0), (ENDED, 60)))
    assert settle(said, WAITING, can_be_called=known) == after
    assert settle(said, Settled(QueueState.OFFERED), can_be_called=known) == after


KINDS = st.sampled_from([ARRIVED, ANSWERED, ENDED, CALLBACK])


@given(st.lists(st.tuples(KINDS, st.sampled_from(["", "21"])), min_size=1, max_size=6), st.booleans(), st.data())
@examples(400)
def test_the_order_of_events_decides_nothing(kinds, known, data) -> None:  # Q1
    """One by one in any order, with repetitions, they lead where they lead together."""
    order = data.draw(st.permutations([*kinds, *data.draw(st.lists(st.sampled_from(kinds)))]))
    so_far, now = [], WAITING
    for place, (kind, leg) in enumerate(order):
        so_far.append(HeardEvent(kind, NINE + timedelta(seconds=place), leg))
        now = settle(read_call(so_far), now, can_be_called=known)
    came = {kind for kind, _ in kinds}
    if ANSWERED in came:
        assert now == (SPOKEN if ENDED in came else TALKING)
    elif CALLBACK in came:
        assert now == CALL_BACK
    elif ENDED in came:
        assert now == (CALL_BACK if known else ABANDONED)
    else:
        assert now == WAITING


@given(st.lists(st.tuples(KINDS, st.integers(0, 99)), min_size=1, max_size=8))
@examples(200)
def test_moments_of_a_call_are_in_order(events) -> None:  # Q1
    said = read_call(heard(*events))
    known = [at for at in (said.arrived_at, said.answered_at, said.ended_at) if at is not None]
    assert known == sorted(known)
