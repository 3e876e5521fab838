"""In which order work stands, what presses, and how a desk is divided (W1): tables, no database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cases.enums import WorkGroup, WorkKind
from cases.policy.work_order import group_of, is_overdue, is_pressing, work_order

NOON = datetime(2026, 6, 3, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LONDON, TOKYO = ZoneInfo("Europe/London"), ZoneInfo("Asia/Tokyo")


@pytest.mark.parametrize(
    ("span", "left", "presses"),
    [
        (4 * HOUR, HOUR + MINUTE, False),  # more than a quarter is left
        (4 * HOUR, HOUR, True),
        (HOUR, 31 * MINUTE, False),
        (HOUR, 30 * MINUTE, True),  # half of it is left, but no more than half an hour
        (30 * MINUTE, 30 * MINUTE, True),
        (24 * HOUR, 6 * HOUR + MINUTE, False),
        (24 * HOUR, 6 * HOUR, True),
        (24 * HOUR, -MINUTE, True),  # overdue
    ],
)
def test_what_presses(span: timedelta, left: timedelta, presses: bool) -> None:  # W1
    due_at = NOON + left
    assert is_pressing(due_at - span, due_at, NOON) is presses


def test_what_has_no_deadline_neither_presses_nor_is_overdue() -> None:
    assert not is_pressing(NOON - 100 * HOUR, None, NOON)
    assert not is_overdue(None, NOON)


@pytest.mark.parametrize(("away", "overdue"), [(-MINUTE, True), (timedelta(0), False), (MINUTE, False)])
def test_a_deadline_is_kept_at_its_very_moment(away: timedelta, overdue: bool) -> None:  # T4
    assert is_overdue(NOON + away, NOON) is overdue


@pytest.mark.parametrize(
    ("due_in", "zone", "group"),
    [
        (-HOUR, LONDON, WorkGroup.NOW),
        (20 * MINUTE, LONDON, WorkGroup.NOW),
        (5 * HOUR, LONDON, WorkGroup.TODAY),
        (5 * HOUR, TOKYO, WorkGroup.LATER),  # 02:00 of the next day there
        (10 * HOUR, LONDON, WorkGroup.TODAY),  # 23:00 there
        (11 * HOUR, LONDON, WorkGroup.LATER),  # midnight there
        (None, LONDON, WorkGroup.TODAY),
    ],
)
def test_the_groups_of_a_desk(due_in: timedelta | None, zone: ZoneInfo, group: WorkGroup) -> None:  # W1
    due_at = NOON + due_in if due_in is not None else None
    since = (due_at or NOON) - 40 * HOUR if due_in is None or due_in <= HOUR else NOON - HOUR
    assert group_of(since, due_at, NOON, zone) == group


def test_the_soonest_comes_first_at_one_moment_by_kind_and_last_what_has_no_deadline() -> None:  # W1
    since = NOON - HOUR
    update = work_order(WorkKind.UPDATE, since, NOON)
    decision = work_order(WorkKind.DECISION, since, NOON)
    call = work_order(WorkKind.CALL, since, NOON - MINUTE)
    start, older_start = (work_order(WorkKind.START, at, None) for at in (since, since - HOUR))
    assert sorted([start, update, older_start, decision, call]) == [call, decision, update, older_start, start]
