"""How durations, moments, days and lists of names are written. No database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from contacts.calendars import UnknownCalendar
from contacts.reader import for_reader
from contacts.wording import (
    and_list,
    day_and_month,
    day_and_time,
    distance,
    distance_from,
    duration,
    full_day,
    in_zone,
    read_duration,
    rough_duration,
    short_day,
    stamp,
    utc_stamp,
)

NOON = datetime(2026, 6, 3, 12, 0, 30, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("length", "exact", "rough", "away"),
    [
        (timedelta(seconds=59), "0 min", "under a minute", "now"),
        (timedelta(minutes=12, seconds=59), "12 min", "12 min", "12 min"),
        (timedelta(hours=2), "2 h", "2 h", "2 h"),
        (timedelta(hours=5, minutes=12), "5 h 12 min", "5 h 12 min", "5 h 12 min"),
        (timedelta(hours=24, minutes=5), "24 h 5 min", "1 d 5 min", "1 d"),
        (timedelta(hours=47, minutes=59), "47 h 59 min", "1 d 23 h", "1 d 23 h"),
        (timedelta(hours=60, minutes=7), "2 d 12 h 7 min", "2 d 12 h", "2 d 12 h"),
        (timedelta(days=12, hours=3), "12 d 3 h", "12 d 3 h", "12 d"),
    ],
)
def test_a_length_of_time_is_written_as_exactly_as_its_place_needs(
    length: timedelta, exact: str, rough: str, away: str
) -> None:
    assert (duration(length), rough_duration(length), distance(length)) == (exact, rough, away)
    assert duration(-length) == exact


def test_a_distance_says_in_which_direction() -> None:
    assert distance_from(NOON + timedelta(hours=2), NOON) == "in 2 h"
    assert distance_from(NOON - timedelta(days=3), NOON) == "3 d ago"
    assert distance_from(NOON + timedelta(seconds=59), NOON) == "now"


@pytest.mark.parametrize(
    ("names", "listed"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_names_are_listed_as_in_a_sentence(names: list[str], listed: str) -> None:
    assert and_list(names) == listed
    assert and_list(iter(names)) == listed


def test_days_and_times_of_a_page() -> None:
    today = date(2026, 6, 3)

    assert (day_and_month(today), short_day(today)) == ("Wed 3 June", "Wed 3 Jun")
    assert full_day(today) == "Wed 3 June 2026"
    assert day_and_time(NOON, today) == "Wed 3 Jun, 12:00"
    assert day_and_time(utc("2025-09-30T09:05"), today) == "Tue 30 Sep 2025, 09:05"


@pytest.mark.parametrize(
    ("zone", "written"),
    [
        ("UTC", "2026-06-03 12:00 UTC"),
        ("Europe/Berlin", "2026-06-03 14:00 CEST"),
        ("Asia/Dubai", "2026-06-03 16:00 UTC+04:00"),
    ],
)
def test_a_stamp_names_its_zone(zone: str, written: str) -> None:
    assert stamp(NOON, ZoneInfo(zone)) == written


@pytest.mark.parametrize(("zone", "shown"), [("UTC", "Wed 3 Jun, 12:00"), ("Pacific/Auckland", "Thu 4 Jun, 00:00")])
def test_a_moment_on_a_page_is_in_the_readers_zone(zone: str, shown: str, time_machine) -> None:  # S4
    time_machine.move_to(NOON)
    with timezone.override(ZoneInfo(zone)):
        assert for_reader(NOON) == shown
        assert for_reader(NOON.replace(year=2025)) == shown.replace("Wed 3 Jun", "Tue 3 Jun 2025").replace(
            "Thu 4 Jun", "Wed 4 Jun 2025"
        )
    with pytest.raises(ValueError, match="naive"):
        for_reader(datetime(2026, 6, 3, 12))  # noqa: DTZ001


def test_a_stamp_in_utc() -> None:
    berlin = NOON.astimezone(ZoneInfo("Europe/Berlin"))

    assert stamp(berlin) == "2026-06-03 12:00 UTC"
    assert (utc_stamp(berlin), utc_stamp(berlin, seconds=True)) == ("2026-06-03 12:00", "2026-06-03 12:00:30")
    with pytest.raises(ValueError, match="no time zone"):
        stamp(datetime(2026, 6, 3, 12))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("moment", "time_zone", "said"),
    [
        ("2026-06-03T01:00", "Asia/Tokyo", "Wed 3 June 2026, 10:00 (Tokyo, UTC+09:00)"),
        ("2026-06-02T23:30", "Asia/Tokyo", "Wed 3 June 2026, 08:30 (Tokyo, UTC+09:00)"),
        ("2026-01-05T15:04", "America/New_York", "Mon 5 January 2026, 10:04 (New York, UTC-05:00)"),
        ("2026-06-03T04:30", "Asia/Kolkata", "Wed 3 June 2026, 10:00 (Kolkata, UTC+05:30)"),
        ("2026-06-03T13:00", "America/Argentina/Buenos_Aires", "Wed 3 June 2026, 10:00 (Buenos Aires, UTC-03:00)"),
        ("2026-06-03T10:00", "UTC", "Wed 3 June 2026, 10:00 (UTC+00:00)"),
        ("2026-06-03T15:00", "Etc/GMT+5", "Wed 3 June 2026, 10:00 (UTC-05:00)"),
        ("2028-02-29T09:00", "Europe/Berlin", "Tue 29 February 2028, 10:00 (Berlin, UTC+01:00)"),
    ],
)
def test_a_moment_is_said_in_its_readers_time_zone(moment: str, time_zone: str, said: str) -> None:
    assert in_zone(utc(moment), time_zone) == said


def test_a_moment_in_no_known_time_zone_is_refused() -> None:
    with pytest.raises(UnknownCalendar, match="not a time zone"):
        in_zone(utc("2026-06-03T10:00"), "Mars/Olympus")


@pytest.mark.parametrize(
    ("moment", "time_zone", "said"),
    [
        ("2026-06-03T10:00", "Asia/Tokyo", "2026年6月3日（水）19:00（日本時間）"),
        ("2026-12-31T15:05", "Asia/Tokyo", "2027年1月1日（金）00:05（日本時間）"),
        ("2026-06-07T10:00", "America/New_York", "2026年6月7日（日）06:00（New York、UTC-04:00）"),
        ("2026-06-03T10:00", "UTC", "2026年6月3日（水）10:00（UTC+00:00）"),
    ],
)
def test_a_moment_as_it_is_written_in_japan(moment: str, time_zone: str, said: str) -> None:  # M4
    assert in_zone(utc(moment), time_zone, "ja") == said


@pytest.mark.parametrize(
    ("length", "said"), [("2 h", "2時間"), ("90 min", "1時間30分"), ("2 d 12 h", "2日12時間"), ("0 min", "0 min")]
)
def test_a_length_of_time_as_it_is_written_in_japan(length: str, said: str) -> None:  # M4
    assert duration(read_duration(length), language="ja") == said
