"""What is at risk, and when the daily digest is due (W4): tables without a database."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from contacts.calendars import BusinessCalendar
from escalations.policy.accounts import Risk, changed_from, digest_day, risk_of, told_from

NOON = datetime(2026, 6, 3, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, None),
        ({"owed": (-9, 3)}, Risk.PRESSING),  # less than a quarter of its time is left
        ({"owed": (-1, 7)}, None),
        ({"owed": (-3, 0)}, Risk.PRESSING),  # what is due at this very moment is in time
        ({"owed": (-3, -0.1)}, Risk.OVERDUE),
        ({"owed": (-3, -0.1), "answer": -1, "held_up": True, "point": 1}, Risk.OVERDUE),
        ({"answer": 0}, Risk.UNANSWERED),
        ({"answer": 1}, None),
        ({"held_up": True, "owed": (-8, 0.1)}, Risk.HELD_UP),
        ({"point": 4}, Risk.ESCALATES),
        ({"point": 4.1}, None),
        ({"point": 1, "owed": (-8, 0.1)}, Risk.PRESSING),
    ],
)
def test_the_worst_risk_of_a_case(facts: dict[str, object], expected: Risk | None) -> None:  # W4
    def at(name: str) -> datetime | None:
        return NOON + facts[name] * HOUR if name in facts else None  # type: ignore[operator]

    since, due = facts.get("owed", (None, None))  # type: ignore[misc]
    found = risk_of(
        NOON,
        owed_since=NOON + since * HOUR if since is not None else None,
        owed_at=NOON + due * HOUR if due is not None else None,
        answer_by=at("answer"),
        held_up=bool(facts.get("held_up")),
        point_at=at("point"),
    )
    assert found == expected


BERLIN, TOKYO, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")
GERMANY = BusinessCalendar("DE", "Europe/Berlin", "BE", frozenset({date(2026, 6, 4)}))


@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        ("2026-06-03T05:59", BERLIN, None),  # 07:59 there
        ("2026-06-03T06:00", BERLIN, date(2026, 6, 3)),
        ("2026-06-03T15:59", BERLIN, date(2026, 6, 3)),
        ("2026-06-03T16:00", BERLIN, None),  # the day's work is over: the next one comes tomorrow
        ("2026-06-02T23:00", TOKYO, date(2026, 6, 3)),  # another day than in UTC
        ("2026-06-03T12:00", NEW_YORK, date(2026, 6, 3)),
        ("2026-06-03T11:59", NEW_YORK, None),
        ("2026-06-06T08:00", BERLIN, None),  # a Saturday
        # The clocks change in the night before: eight o'clock is what the clock on the wall says
        ("2026-03-29T06:00", BERLIN, None),  # a Sunday
        ("2026-03-30T05:59", BERLIN, None),
        ("2026-03-30T06:00", BERLIN, date(2026, 3, 30)),
        ("2026-03-27T06:59", BERLIN, None),
        ("2026-03-27T07:00", BERLIN, date(2026, 3, 27)),
        ("2026-11-02T12:59", NEW_YORK, None),
        ("2026-11-02T13:00", NEW_YORK, date(2026, 11, 2)),
    ],
)
def test_the_digest_is_due_in_the_readers_own_morning(now: str, zone: ZoneInfo, expected: date | None) -> None:  # W4
    assert digest_day(datetime.fromisoformat(f"{now}+00:00"), zone, time(8)) == expected


@pytest.mark.parametrize(
    ("day", "due"),
    [
        ("2026-05-25", False),  # Whit Monday
        ("2026-06-04", False),  # the centre's own closure day
        ("2026-06-05", True),
        ("2026-06-07", False),
    ],
)
def test_the_centre_in_the_readers_zone_says_which_days_are_worked(day: str, due: bool) -> None:  # W4
    moment = datetime.fromisoformat(f"{day}T07:00+00:00")
    assert (digest_day(moment, BERLIN, time(8), GERMANY.is_business_day) is not None) == due


def test_what_changed_is_told_from_the_last_digest_on_within_limits() -> None:
    assert told_from(None, NOON) == NOON - 24 * HOUR
    assert told_from(NOON - 72 * HOUR, NOON) == NOON - 72 * HOUR  # over a weekend
    assert told_from(NOON - 500 * HOUR, NOON) == NOON - 120 * HOUR
    assert changed_from(None, NOON) == NOON - timedelta(days=7)
    assert changed_from(NOON - timedelta(days=90), NOON) == NOON - timedelta(days=30)
    assert changed_from(NOON - HOUR, NOON) == NOON - HOUR
