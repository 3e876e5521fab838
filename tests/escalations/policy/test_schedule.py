"""E1 and E10 as values: the table as the guide publishes it, and what keeps a table from being a schedule."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from cases.enums import Severity
from contacts.enums import Role
from escalations.enums import Audience, OwnerAction
from escalations.policy.schedule import (
    PUBLISHED,
    Point,
    Schedule,
    base_interval_problems,
    cadence_minutes,
    problems_of,
    schedule_problems,
)

C, H, M, L = Severity
CUSTOMER, AM, CSM, COO = Audience.CUSTOMER, Audience.ACCOUNT_MANAGER, Audience.CS_MANAGEMENT, Audience.COO
ASKED, TO_L3 = OwnerAction.ASKED, OwnerAction.TO_L3

#: The guide's table, typed from the rules (E1): severity, number, hours, mailed, owner, rhythm in hours, may need more.
GUIDE = [
    (C, 1, 4, {Role.CSM, Role.ACCOUNT_MANAGER}, TO_L3, {CUSTOMER: 2, AM: 2}, False),
    (C, 2, 12, {Role.CSM}, ASKED, {CUSTOMER: 2, CSM: 2}, True),
    (C, 3, 24, {Role.COO}, ASKED, {CUSTOMER: 2, AM: 2, CSM: 2, COO: 2}, False),
    (H, 1, 12, {Role.CSM, Role.ACCOUNT_MANAGER}, ASKED, {CUSTOMER: 2, CSM: 2}, False),
    (H, 2, 36, {Role.ACCOUNT_MANAGER}, TO_L3, {CUSTOMER: 4, CSM: 4, AM: 4}, True),
    (H, 3, 48, {Role.CS_DIRECTOR}, ASKED, {CUSTOMER: 4, AM: 4, CSM: 4}, False),
    (M, 1, 48, {Role.ACCOUNT_MANAGER}, ASKED, {CUSTOMER: 8}, False),
    (M, 2, 144, {Role.CSM}, TO_L3, {CUSTOMER: 8, AM: 24}, False),
    (M, 3, 360, set(), ASKED, {CUSTOMER: 8, AM: 8, CSM: 8}, True),
]


@pytest.mark.parametrize("row", GUIDE, ids=lambda row: f"{row[0].label} {row[1]}")
def test_every_cell_of_the_published_table_is_the_guides(row) -> None:  # E1
    severity, number, hours, mailed, owner, cadence, more = row
    point = PUBLISHED.point(severity, number)
    assert point.after == timedelta(hours=hours)
    assert set(point.mailed) == mailed
    assert point.owner == owner
    assert point.cadence == {who: timedelta(hours=every) for who, every in cadence.items()}
    assert point.may_need_more is more
    assert point.name == f"{severity.label} {number}"


def test_the_published_table_has_no_further_points_and_none_for_low() -> None:  # E1
    assert sum(len(PUBLISHED.of(severity)) for severity in Severity) == len(GUIDE)
    assert PUBLISHED.of(L) == ()


def test_the_base_interval_of_each_severity_is_owed_to_the_customer() -> None:  # T2
    hours = {C: 2, H: 4, M: 8, L: 24}
    assert {one: PUBLISHED.base_cadence(one) for one in Severity} == {
        severity: {CUSTOMER: timedelta(hours=every)} for severity, every in hours.items()
    }


def test_the_published_table_stands_still_while_waiting_for_every_severity() -> None:  # E2
    assert PUBLISHED.stands_still == frozenset(Severity)


def test_the_published_table_has_no_problems() -> None:  # E10
    assert schedule_problems([point for severity in Severity for point in PUBLISHED.of(severity)]) == []
    for severity in Severity:
        assert all(one.after < other.after for one, other in pairwise(PUBLISHED.of(severity)))


def test_a_point_that_the_schedule_lacks_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        PUBLISHED.point(L, 1)
    with pytest.raises(KeyError):
        PUBLISHED.point(C, 4)


def test_cadences_are_stored_in_whole_minutes() -> None:
    assert cadence_minutes(PUBLISHED.point(M, 2).cadence) == {"customer": 480, "account_manager": 1440}


def _points(*hours: float) -> list[Point]:
    return [Point(H, number, timedelta(hours=after), ASKED) for number, after in enumerate(hours, 1)]


@pytest.mark.parametrize(
    ("points", "complaint"),
    [
        (_points(0), "High 1 must come some time after the opening"),
        (_points(4, 4), "High 2 comes no later than High 1"),
        (_points(4, 3), "High 2 comes no later than High 1"),
        ([*_points(1), replace(_points(1, 2)[1], number=3)], "number them 1 to 2 without a gap"),
        ([*_points(1), replace(_points(2)[0], after=timedelta(hours=2))], "number them 1 to 2 without a gap"),
        (
            [replace(_points(1)[0], cadence={CUSTOMER: timedelta(0)})],
            "High 1 sends Customer updates every 0 min; give 10 min or more.",
        ),
        (
            [replace(_points(1)[0], cadence={COO: timedelta(minutes=9)})],
            "High 1 sends COO updates every 9 min; give 10 min or more.",
        ),
    ],
)
def test_what_is_no_schedule_is_said_in_a_sentence(points: list[Point], complaint: str) -> None:  # E10, S4
    problems = schedule_problems(points)
    assert len(problems) >= 1
    assert any(complaint in problem for problem in problems)


def test_points_are_judged_in_any_order_and_each_severity_for_itself() -> None:  # E10
    mixed = [*reversed(_points(1, 5)), Point(C, 1, timedelta(hours=9), ASKED)]
    assert schedule_problems(mixed) == []


def test_ten_minutes_are_the_shortest_interval() -> None:  # E10, T3
    shortest = [replace(_points(1)[0], cadence={CUSTOMER: timedelta(minutes=10)})]
    assert schedule_problems(shortest) == []


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ({}, ["Low does not say how often the customer is updated before any point."]),
        ({L: timedelta(0)}, ["Low updates the customer every 0 min before any point; give 10 min or more."]),
        ({L: timedelta(minutes=9)}, ["Low updates the customer every 9 min before any point; give 10 min or more."]),
        ({L: timedelta(minutes=10)}, []),
    ],
)
def test_every_severity_needs_a_base_interval_that_can_be_kept(base, said) -> None:  # E10, T2
    others = {severity: timedelta(hours=1) for severity in (C, H, M)}
    assert base_interval_problems(others | base) == said
    assert problems_of(replace(PUBLISHED, base_interval=others | base)) == said


def test_a_schedule_without_any_point_is_none() -> None:  # E10
    assert problems_of(replace(PUBLISHED, points={})) == ["A schedule needs at least one point; add one."]


def test_an_empty_schedule_has_no_points_of_any_severity() -> None:
    assert [Schedule(1, {}).of(severity) for severity in Severity] == [(), (), (), ()]
