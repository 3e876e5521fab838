"""What is said of the differences between two versions of the schedule (E10)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cases.enums import Severity
from contacts.enums import Role
from escalations.enums import Audience, OwnerAction
from escalations.policy.differences import differences
from escalations.policy.schedule import PUBLISHED, Point, Schedule

C, H, M, L = Severity
HOUR = timedelta(hours=1)
EVERY = frozenset(Severity)


def with_point(severity: Severity, number: int, **changed: object) -> Schedule:
    """The published schedule with one point changed."""
    point = replace(PUBLISHED.point(severity, number), **changed)
    rows = tuple(point if row.number == number else row for row in PUBLISHED.of(severity))
    return replace(PUBLISHED, points={**PUBLISHED.points, severity: rows})


def with_points(severity: Severity, *points: Point) -> Schedule:
    return replace(PUBLISHED, points={**PUBLISHED.points, severity: points})


def every(**hours: float) -> dict[Audience, timedelta]:
    return {Audience(who): timedelta(hours=each) for who, each in hours.items()}


FIRST, SECOND, THIRD = PUBLISHED.of(H)
LOW_1 = Point(L, 1, 30 * HOUR, OwnerAction.TO_L3, (Role.COO, Role.ACCOUNT_MANAGER), every(coo=24, customer=12), True)

#: What is changed in the published schedule, and all that is said of it.
CHANGES = {
    "time": (with_point(H, 1, after=5 * HOUR), ["High 1: after 12 h → after 5 h"]),
    "time in days": (with_point(M, 2, after=60 * HOUR), ["Medium 2: after 6 d → after 2 d 12 h"]),
    "one more role": (
        with_point(C, 2, mailed=(Role.CSM, Role.COO)),
        ["Critical 2 now also emails the COO"],
    ),
    "several more roles, in the order of the roles": (
        with_point(H, 3, mailed=(Role.CS_DIRECTOR, Role.COO, Role.SUPPORT_MANAGER, Role.ACCOUNT_MANAGER)),
        ["High 3 now also emails the account manager, the Support Manager and the COO"],
    ),
    "first role": (with_point(M, 3, mailed=(Role.CSM,)), ["Medium 3 now emails the CSM"]),
    "fewer roles": (
        with_point(H, 1, mailed=()),
        ["High 1 no longer emails the account manager and the CSM"],
    ),
    "other role": (
        with_point(H, 3, mailed=(Role.COO,)),
        ["High 3 now emails the COO", "High 3 no longer emails the CS Director"],
    ),
    "owner keeps it": (
        with_point(C, 1, owner=OwnerAction.ASKED),
        ["Critical 1: ownership goes to L3 → the owner is asked for the status"],
    ),
    "owner gives it up": (
        with_point(C, 2, owner=OwnerAction.TO_L3),
        ["Critical 2: the owner is asked for the status → ownership goes to L3"],
    ),
    "interval": (
        with_point(H, 1, cadence=every(customer=4, cs_management=2)),
        ["High 1: customer updated every 2 h → 4 h"],
    ),
    "audiences": (
        with_point(M, 2, cadence=every(customer=8, cs_management=1.5)),
        [
            "Medium 2: account manager no longer updated; it was every 24 h",
            "Medium 2: CS Management now updated every 1 h 30 min",
        ],
    ),
    "decision": (
        with_point(H, 1, may_need_more=True),
        ["High 1 now asks the Support Manager for an additional escalation"],
    ),
    "no decision": (
        with_point(H, 2, may_need_more=False),
        ["High 2 no longer asks the Support Manager for an additional escalation"],
    ),
    "added": (
        with_points(L, LOW_1),
        [
            "Low 1 is new: after 30 h, emails the account manager and the COO, ownership goes to L3, "
            "customer updated every 12 h, COO updated every 24 h, an additional escalation is decided"
        ],
    ),
    "added, silent": (
        with_points(L, Point(L, 1, 30 * HOUR, OwnerAction.ASKED)),
        ["Low 1 is new: after 30 h, emails nobody new, the owner is asked for the status"],
    ),
    "removed": (with_points(H, FIRST, SECOND), ["High 3 is removed; it came after 2 d"]),
    "all removed": (
        with_points(H),
        [f"High {number} is removed; it came after {time}" for number, time in ((1, "12 h"), (2, "36 h"), (3, "2 d"))],
    ),
    "base interval": (
        replace(PUBLISHED, base_interval={**PUBLISHED.base_interval, L: 12 * HOUR}),
        ["Low: customer updated every 24 h → 12 h, before any point"],
    ),
    "updates by a person only": (
        replace(PUBLISHED, automatic_updates=EVERY - {M}),
        ["Medium: the desk no longer sends updates by itself when nobody else does"],
    ),
    "clock goes on": (
        replace(PUBLISHED, stands_still=EVERY - {C}),
        ["Critical: the clock now goes on while we wait for the customer"],
    ),
    "several, worst severity first": (
        replace(
            with_points(H, replace(FIRST, after=5 * HOUR, mailed=(Role.CSM,)), SECOND, THIRD),
            stands_still=EVERY - {C, H},
        ),
        [
            "Critical: the clock now goes on while we wait for the customer",
            "High: the clock now goes on while we wait for the customer",
            "High 1: after 12 h → after 5 h",
            "High 1 no longer emails the account manager",
        ],
    ),
}


@pytest.mark.parametrize(("changed", "said"), CHANGES.values(), ids=CHANGES)
def test_each_change_is_one_sentence(changed: Schedule, said: list[str]) -> None:  # E10
    assert differences(PUBLISHED, changed) == said


BACK = {
    "removed": (with_points(H, FIRST, SECOND), "High 3 is new: after 2 d, emails the CS Director"),
    "updates": (
        replace(PUBLISHED, automatic_updates=EVERY - {M}),
        "Medium: the desk now sends updates by itself when nobody else does",
    ),
    "clock": (
        replace(PUBLISHED, stands_still=EVERY - {C}),
        "Critical: the clock now stands still while we wait for the customer",
    ),
}


@pytest.mark.parametrize(("before", "said"), BACK.values(), ids=BACK)
def test_going_back_is_said_as_well(before: Schedule, said: str) -> None:  # E10
    (sentence,) = differences(before, PUBLISHED)
    assert sentence.startswith(said)


@pytest.mark.parametrize(
    "same",
    [
        replace(PUBLISHED, version=7),
        with_point(C, 1, mailed=(Role.ACCOUNT_MANAGER, Role.CSM)),  # in another order
        with_point(C, 1, mailed=(Role.CSM, Role.ACCOUNT_MANAGER, Role.CSM)),  # twice
        with_point(C, 1, cadence=dict(reversed(PUBLISHED.point(C, 1).cadence.items()))),
        replace(PUBLISHED, points={**PUBLISHED.points, L: ()}),
    ],
)
def test_what_is_only_written_otherwise_is_no_difference(same: Schedule) -> None:  # E10
    assert differences(PUBLISHED, same) == []
