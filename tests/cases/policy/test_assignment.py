"""Who gets a case: at the opening (C6) and when it goes to L3 (E7). No database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.policy.assignment import Candidate, choose_at_opening, choose_l3
from contacts.enums import Level

JUNE = datetime(2026, 6, 1, tzinfo=UTC)
ENGLISH, JAPANESE = frozenset({"en"}), frozenset({"en", "ja"})


def l2(user_id: int, **fields) -> Candidate:
    """An L2 on duty in their business day who speaks English and owns nothing."""
    standard = {"level": Level.L2, "on_duty": True, "languages": ENGLISH, "in_business_day": True, "load": 0}
    return Candidate(user_id, **{**standard, **fields})


def l3(user_id: int, **fields) -> Candidate:
    return l2(user_id, level=Level.L3, **fields)


PERFECT = l2(9, languages=JAPANESE, load=99)
NO_LANGUAGE = l2(8, load=50)
NIGHT = l2(7, in_business_day=False, languages=JAPANESE, load=20)
OFF = l2(6, on_duty=False, languages=JAPANESE, load=0)


@pytest.mark.parametrize(
    ("candidates", "chosen", "why"),
    [
        ([OFF, NIGHT, NO_LANGUAGE, PERFECT], 9, "who speaks the customer's language"),
        ([OFF, NIGHT, NO_LANGUAGE], 8, "L2 on duty in their business day,"),
        ([OFF, NIGHT], 7, "outside their business day"),
        ([OFF], 6, "off duty, as none is on duty"),
    ],
)
def test_language_yields_first_then_the_business_day_then_duty(candidates, chosen, why) -> None:  # C6
    choice = choose_at_opening(candidates, "ja")
    assert choice is not None
    assert choice.user_id == chosen
    assert why in choice.why
    assert choice.why.endswith("least loaded")


@pytest.mark.parametrize("candidates", [[], [l3(1), l3(2, on_duty=False)]], ids=["nobody", "L3 only"])
def test_without_any_l2_nobody_is_chosen_at_the_opening(candidates: Sequence[Candidate]) -> None:  # C6
    assert choose_at_opening(candidates, "en") is None


def test_the_least_loaded_gets_the_case() -> None:  # C6
    choice = choose_at_opening([l2(1, load=8), l2(2, load=7), l2(3, load=9)], "en")
    assert choice is not None
    assert choice.user_id == 2


def test_of_equally_loaded_ones_it_is_the_longest_without_a_new_case() -> None:  # C6
    choice = choose_at_opening(
        [l2(1, last_case_at=JUNE.replace(day=3)), l2(2, last_case_at=JUNE), l2(3, last_case_at=JUNE.replace(day=2))],
        "en",
    )
    assert choice is not None
    assert choice.user_id == 2


def test_who_never_had_a_case_has_been_without_one_the_longest() -> None:  # C6
    choice = choose_at_opening([l2(1, last_case_at=JUNE), l2(2)], "en")
    assert choice is not None
    assert choice.user_id == 2


def test_of_equals_the_lowest_id_gets_the_case() -> None:  # C6
    choice = choose_at_opening([l2(5), l2(3), l2(4)], "en")
    assert choice is not None
    assert choice.user_id == 3


@pytest.mark.parametrize(
    ("candidates", "chosen", "why"),
    [
        ([l3(1, on_duty=False, languages=JAPANESE), l3(2, load=1), l3(3, languages=JAPANESE, load=99)], 3, "speaks"),
        ([l3(1, on_duty=False, languages=JAPANESE), l3(2, load=1), l3(4, load=2)], 2, "L3 on duty,"),
        ([l3(1, on_duty=False, load=3), l3(4, on_duty=False, load=2)], 4, "off duty, as none is on duty"),
    ],
)
def test_an_l3_is_looked_for_on_duty_with_the_language_then_on_duty_then_any(candidates, chosen, why) -> None:  # E7
    choice = choose_l3([l2(90, load=0, languages=JAPANESE), *candidates], "ja")
    assert choice is not None
    assert (choice.user_id, why in choice.why) == (chosen, True)


def test_the_business_day_does_not_matter_for_l3() -> None:  # E7
    choice = choose_l3([l3(1, in_business_day=False, load=0), l3(2, load=1)], "en")
    assert choice is not None
    assert choice.user_id == 1


def test_without_any_l3_nobody_is_chosen() -> None:  # E7
    assert choose_l3([l2(1), l2(2)], "en") is None


CANDIDATES = st.lists(
    st.builds(
        Candidate,
        user_id=st.integers(1, 500),
        level=st.sampled_from(Level),
        on_duty=st.booleans(),
        languages=st.sampled_from([ENGLISH, JAPANESE, frozenset()]),
        in_business_day=st.booleans(),
        load=st.integers(0, 5),
        last_case_at=st.one_of(st.none(), st.integers(1, 28).map(lambda day: JUNE.replace(day=day))),
    ),
    max_size=8,
    unique_by=lambda one: one.user_id,
)


@given(candidates=CANDIDATES, turned=st.randoms(use_true_random=False))
def test_the_choice_does_not_depend_on_the_order_and_nobody_suitable_is_passed_over(candidates, turned) -> None:  # C6
    shuffled = list(candidates)
    turned.shuffle(shuffled)
    choice = choose_at_opening(candidates, "ja")
    assert choice == choose_at_opening(shuffled, "ja")
    l2s = [one for one in candidates if one.level == Level.L2]
    assert (choice is None) == (not l2s)
    if choice is not None:

        def rank(one: Candidate) -> tuple[bool, bool, bool, int]:
            day = one.on_duty and one.in_business_day
            return not (day and "ja" in one.languages), not day, not one.on_duty, one.load

        (chosen,) = [one for one in l2s if one.user_id == choice.user_id]
        assert rank(chosen) == min(rank(one) for one in l2s)


@given(candidates=CANDIDATES)
def test_one_more_case_on_the_chosen_ones_load_never_makes_them_more_wanted(candidates) -> None:  # E7
    choice = choose_l3(candidates, "en")
    if choice is not None:
        busier = [replace(one, load=one.load + (8 if one.user_id == choice.user_id else 0)) for one in candidates]
        again = choose_l3(busier, "en")
        assert again is not None
        assert again.why == choice.why
