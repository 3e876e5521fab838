"""Who is free, who is offered the next call, what the caller hears, when a callback is owed (Q2, Q3). No database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.enums import Availability, Severity
from cases.policy.queue.callbacks import call_again_at, callback_due_at
from cases.policy.queue.offers import LANGUAGE_PATIENCE, Agent, InLine, Match, at_work, availability, next_available
from cases.policy.queue.places import ENOUGH_CALLS, minutes_to_wait, places_of
from tests.support.examples import examples

NINE = datetime(2026, 6, 3, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WRAP_UP = 2 * MINUTE
ENGLISH, JAPANESE, BOTH = frozenset({"en"}), frozenset({"ja"}), frozenset({"en", "ja"})
FREE, TALKING, AWAY = Availability.FREE, Availability.TALKING, Availability.AWAY


def agent(user_id: int, languages: frozenset[str] = ENGLISH, state: Availability = FREE, **fields) -> Agent:
    return Agent(user_id, languages, state, **fields)


def caller(key: int, language: str = "en", ago: float = 1, **passed: int) -> InLine:
    """Somebody who came `ago` minutes before nine; `passed` is by “u7”."""
    return InLine(key, language, NINE - ago * MINUTE, {int(user[1:]): number for user, number in passed.items()})


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, Availability.FREE),
        ({"on_duty": False}, Availability.AWAY),
        ({"has_offer": True}, Availability.OFFERED),
        ({"talking": True}, Availability.TALKING),
        ({"talking": True, "on_duty": False}, Availability.TALKING),
        ({"ended_at": NINE - WRAP_UP + timedelta(seconds=1)}, Availability.WRAPPING_UP),
        ({"ended_at": NINE - WRAP_UP}, Availability.FREE),
        ({"ended_at": NINE, "is_ready": True}, Availability.FREE),
        ({"ended_at": NINE, "on_duty": False}, Availability.AWAY),
    ],
)
def test_who_is_free(facts, expected) -> None:  # Q2
    usual = {"on_duty": True, "has_offer": False, "talking": False, "ended_at": None, "is_ready": False}
    assert availability(**{**usual, **facts}, wrap_up=WRAP_UP, now=NINE) == expected


def test_the_covering_centre_answers_and_without_it_whoever_is_on_duty() -> None:  # D1, Q2
    covers, night, away = agent(1), agent(2, in_business_day=False), agent(3, state=AWAY)
    assert at_work([covers, night, away]) == [covers]
    assert at_work([night, away]) == [night]
    busy = replace(covers, availability=TALKING)
    assert next_available([caller(1)], [busy, night], NINE) == []  # the covering centre is busy: the call waits
    assert "outside their business day" in next_available([caller(1)], [night], NINE)[0].why


@pytest.mark.parametrize(
    ("line", "agents", "pairs", "why"),
    [
        pytest.param([], [agent(1)], [], "", id="nobody waits"),
        pytest.param([caller(1)], [], [], "", id="nobody works"),
        pytest.param([caller(1)], [agent(1, state=s) for s in Availability if s != FREE], [], "", id="nobody is free"),
        pytest.param(
            [caller(1)],
            [agent(1, free_since=NINE - MINUTE), agent(2, free_since=NINE - 2 * MINUTE), agent(3, free_since=NINE)],
            [(1, 2)], "speaks the language, free the longest", id="longest free"),
        pytest.param([caller(1)], [agent(1, free_since=NINE - 99 * MINUTE), agent(2)], [(1, 2)], "free the longest",
                     id="never spoken is the longest"),
        pytest.param([caller(1, "ja")], [agent(1), agent(2, BOTH, free_since=NINE)], [(1, 2)], "speaks the language",
                     id="language before longest free"),
        pytest.param([caller(1, "ja")], [agent(1), agent(2, BOTH, TALKING)], [(1, 1)],
                     "nobody who speaks the language is free", id="a free one rather than waiting"),
        pytest.param([caller(1, "ja", ago=2), caller(2, "en", ago=1)], [agent(1), agent(2, BOTH, TALKING)], [(2, 1)],
                     "speaks the language", id="each language has its own line"),
        pytest.param([caller(1, "ja", ago=3), caller(2, "en", ago=1)], [agent(1), agent(2, BOTH, TALKING)], [(1, 1)],
                     "nobody who speaks the language is free", id="patience ends"),
        pytest.param([caller(1, "fr", ago=2), caller(2, "en", ago=1)], [agent(1)], [(1, 1)],
                     "nobody at work speaks the language", id="a language that nobody at work speaks"),
        pytest.param([caller(2, ago=1), caller(1, ago=2)], [agent(1)], [(1, 1)], "", id="first come"),
        pytest.param([caller(1, u1=1)], [agent(1), agent(2)], [(1, 2)], "", id="not taken goes to the next"),
        pytest.param([caller(1, "ja", u1=1)], [agent(1, BOTH), agent(2)], [(1, 2)], "nobody who speaks",
                     id="the next need not speak the language"),
        pytest.param([caller(1, u1=1)], [agent(1)], [(1, 1)], "once more", id="the only one gets it again"),
        pytest.param([caller(1, u1=2, u2=1)], [agent(1), agent(2)], [(1, 2)], "once more", id="in turn"),
        pytest.param([caller(1, ago=2, u1=1), caller(2, ago=1)], [agent(1)], [(1, 1)], "once more",
                     id="nobody overtakes whom somebody let pass"),
    ],
)  # fmt: skip
def test_who_is_offered_the_next_call(line, agents, pairs, why) -> None:  # Q2, D7
    matches = next_available(line, agents, NINE)
    assert [(match.key, match.user_id) for match in matches] == pairs
    assert all(why in match.why for match in matches)


def test_patience_is_three_minutes() -> None:  # Q2
    assert timedelta(minutes=3) == LANGUAGE_PATIENCE


LANGUAGES = st.sampled_from(["en", "ja", "fr"])
AGENTS = st.lists(
    st.builds(
        Agent,
        user_id=st.integers(1, 10),
        languages=st.frozensets(LANGUAGES),
        availability=st.sampled_from([FREE, FREE, *Availability]),
        in_business_day=st.booleans(),
        free_since=st.none() | st.integers(0, 9).map(lambda ago: NINE - ago * MINUTE),
    ),
    max_size=10,
    unique_by=lambda one: one.user_id,
)
LINE = st.lists(
    st.builds(
        InLine,
        key=st.integers(1, 20),
        language=LANGUAGES,
        since=st.integers(0, 9).map(lambda ago: NINE - ago * MINUTE),
        passed=st.dictionaries(st.integers(1, 10), st.integers(1, 2), max_size=3),
    ),
    max_size=8,
    unique_by=lambda one: one.key,
)


@given(LINE, AGENTS)
@examples(500)
def test_of_any_line_and_any_technicians(line, agents) -> None:  # Q2, D7
    matches = next_available(line, agents, NINE)
    free = {one.user_id for one in at_work(agents) if one.availability == FREE}
    keys, users = [match.key for match in matches], [match.user_id for match in matches]
    assert len(set(keys)) == len(keys)  # nobody is offered to two
    assert len(set(users)) == len(users)  # nobody is offered two
    assert set(users) <= free
    assert len(matches) == min(len(free), len(line))  # nobody waits while somebody is free
    for match in matches:  # first come, first served within the language
        served = next(one for one in line if one.key == match.key)
        same = [one for one in line if one.language == served.language]
        before = {one.key for one in same if (one.since, one.key) < (served.since, served.key)}
        assert before <= set(keys)


@given(LINE, AGENTS)
@examples(200)
def test_whoever_let_it_pass_comes_after_everybody_else(line, agents) -> None:  # Q2
    for match in next_available(line, agents, NINE)[:1]:
        head = next(one for one in line if one.key == match.key)
        free = [one.user_id for one in at_work(agents) if one.availability == FREE]
        assert head.passed.get(match.user_id, 0) == min(head.passed.get(user, 0) for user in free)


def test_a_match_says_who_and_why() -> None:  # Q2
    assert next_available([caller(7)], [agent(3)], NINE) == [Match(7, 3, "speaks the language, free the longest")]


# --- what the caller hears (Q3) ---------------------------------------------------------------------------------


def test_the_place_is_that_in_the_line_of_the_language() -> None:  # Q3
    line = [caller(1, "ja", ago=9), caller(2, "en", ago=8), caller(3, "en", ago=7), caller(4, "en", ago=7)]
    assert places_of(line) == {1: 1, 2: 1, 3: 2, 4: 3}


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["en", "ja", "de"])), max_size=30))
def test_a_place_is_one_more_than_those_ahead_in_the_same_language(waiting: list[tuple[int, str]]) -> None:  # Q3
    line = [InLine(key, language, NINE - ago * MINUTE) for key, (ago, language) in enumerate(waiting)]
    places = places_of(line)
    for one in line:
        ahead = [other for other in line if (other.since, other.key) < (one.since, one.key)]
        assert places[one.key] == 1 + sum(other.language == one.language for other in ahead)


@pytest.mark.parametrize(
    ("place", "talks", "serving", "minutes"),
    [
        (1, [5] * (ENOUGH_CALLS - 1), 2, None),  # too few calls to reckon from
        (1, [5] * ENOUGH_CALLS, 0, None),
        (1, [5] * ENOUGH_CALLS, 1, 7),  # 5 min and 2 min of wrap-up
        (3, [5] * ENOUGH_CALLS, 2, 11),  # 10.5, rounded up
        (1, [0] * ENOUGH_CALLS, 9, 1),
        (2, [2, 4, 6, 8, 10], 1, 16),
    ],
)
def test_minutes_are_reckoned_from_five_calls_on_and_rounded_up(place, talks, serving, minutes) -> None:  # Q3
    assert minutes_to_wait(place, [talk * MINUTE for talk in talks], WRAP_UP, serving) == minutes


# --- callbacks (Q3, T1) -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("open_cases", "minutes"),
    [
        ([], 120),
        ([Severity.LOW], 120),
        ([Severity.MEDIUM, Severity.HIGH], 60),
        ([Severity.CRITICAL, Severity.LOW], 30),
    ],
)
def test_a_callback_is_owed_in_the_time_of_a_first_response(open_cases, minutes) -> None:  # Q3, T1
    assert callback_due_at(NINE, open_cases) == NINE + minutes * MINUTE


def test_after_two_retries_nobody_is_called_again() -> None:  # Q3
    assert [call_again_at(tries, NINE) for tries in (1, 2, 3)] == [NINE + 10 * MINUTE, NINE + 10 * MINUTE, None]
