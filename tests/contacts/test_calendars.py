"""Business days, opening hours and local time against the real calendar (D1, D2, F3, F4, F5). No database."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts.calendars import (
    JAPANESE_SUPPORT,
    WEEKDAYS,
    BusinessCalendar,
    OpeningHours,
    UnknownCalendar,
    WeeklySpan,
    calendar_problem,
    centres_in_business_day,
    coverage_gaps,
    holidays_are_regional,
    japanese_support_opens_at,
)
from contacts.wording import in_zone
from tests.support.examples import examples

BAVARIA = BusinessCalendar("DE", "Europe/Berlin", "BY")
CHINA = BusinessCalendar("CN", "Asia/Shanghai")
GERMANY = BusinessCalendar("DE", "Europe/Berlin")
ISRAEL = BusinessCalendar("IL", "Asia/Jerusalem")
JAPAN = BusinessCalendar("JP", "Asia/Tokyo")
SAUDI_ARABIA = BusinessCalendar("SA", "Asia/Riyadh")
UNITED_STATES = BusinessCalendar("US", "America/New_York")
NIGHT = (time(22), time(6))
DAY = (time(9), time(17))
WHOLE_DAY = (time(0), time(0))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def day(text: str) -> date:
    return date.fromisoformat(text)


def hours(
    calendar: BusinessCalendar,
    *clock: tuple[time, time],
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4),
    open_on_holidays: bool = False,
) -> OpeningHours:
    spans = tuple(WeeklySpan(weekday, opens, closes) for weekday in weekdays for opens, closes in clock)
    return OpeningHours(calendar, spans, open_on_holidays)


# Business days (F3)


@pytest.mark.parametrize(
    ("calendar", "on", "because"),
    [
        (JAPAN, "2026-04-29", "Showa Day"),
        (JAPAN, "2026-04-30", ""),
        (JAPAN, "2026-05-01", ""),
        (JAPAN, "2026-05-02", "Saturday"),
        (JAPAN, "2026-05-03", "Constitution Day"),
        (JAPAN, "2026-05-04", "Greenery Day"),
        (JAPAN, "2026-05-05", "Children's Day"),
        (JAPAN, "2026-05-06", "Substitute Holiday"),
        (JAPAN, "2026-05-07", ""),
        (GERMANY, "2026-12-24", ""),
        (GERMANY, "2026-12-25", "Christmas Day"),
        (GERMANY, "2026-12-26", "Second Day of Christmas"),
        (GERMANY, "2026-12-27", "Sunday"),
        (GERMANY, "2027-01-06", ""),
        (BAVARIA, "2027-01-06", "Epiphany"),
        (UNITED_STATES, "2026-11-26", "Thanksgiving Day"),
        (UNITED_STATES, "2026-11-27", ""),
        (UNITED_STATES, "2026-07-03", "Independence Day (observed)"),
        (UNITED_STATES, "2027-12-31", "New Year's Day (observed)"),
        (SAUDI_ARABIA, "2026-06-04", ""),
        (SAUDI_ARABIA, "2026-06-05", "Friday"),
        (SAUDI_ARABIA, "2026-06-06", "Saturday"),
        (SAUDI_ARABIA, "2026-06-07", ""),
        (ISRAEL, "2026-06-05", "Friday"),
        (ISRAEL, "2026-06-07", ""),
        (CHINA, "2026-02-14", ""),  # a Saturday worked in exchange for the Spring Festival
        (CHINA, "2026-02-17", "Chinese New Year (Spring Festival)"),
        (CHINA, "2026-02-21", "Saturday"),
        (CHINA, "2026-02-28", ""),
        (GERMANY, "2028-02-29", ""),
    ],
)
def test_a_day_is_closed_for_the_reason_its_country_gives(calendar: BusinessCalendar, on: str, because: str) -> None:
    assert calendar.closed_because(day(on)) == because
    assert calendar.is_business_day(day(on)) is (because == "")


def test_holidays_have_their_english_names_whatever_the_servers_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "de")

    assert GERMANY.closed_because(day("2045-12-25")) == "Christmas Day"  # a year no other test has read before


def test_a_closure_day_is_no_business_day_and_says_so() -> None:
    calendar = BusinessCalendar("DE", "Europe/Berlin", closure_days=frozenset({day("2026-12-24")}))

    assert calendar.closed_because(day("2026-12-24")) == "own closure day"
    assert calendar.next_business_day(day("2026-12-23")) == day("2026-12-28")


@pytest.mark.parametrize(
    ("calendar", "after", "nth", "expected"),
    [
        (JAPAN, "2026-05-01", 1, "2026-05-07"),
        (JAPAN, "2026-05-01", 2, "2026-05-08"),
        (JAPAN, "2026-05-01", 3, "2026-05-11"),
        (GERMANY, "2026-12-23", 1, "2026-12-24"),
        (GERMANY, "2026-12-24", 1, "2026-12-28"),
        (GERMANY, "2026-12-31", 1, "2027-01-04"),
        (UNITED_STATES, "2026-11-25", 1, "2026-11-27"),
        (SAUDI_ARABIA, "2026-06-04", 1, "2026-06-07"),
        (CHINA, "2026-02-13", 1, "2026-02-14"),
        (GERMANY, "2028-02-28", 1, "2028-02-29"),
        (GERMANY, "2028-02-28", 2, "2028-03-01"),
    ],
)
def test_the_nth_business_day_is_counted_strictly_after_the_day(
    calendar: BusinessCalendar, after: str, nth: int, expected: str
) -> None:
    assert calendar.next_business_day(day(after), nth) == day(expected)  # F3


@pytest.mark.parametrize("nth", [0, -1])
def test_counting_business_days_from_zero_or_backwards_is_refused(nth: int) -> None:
    with pytest.raises(ValueError, match="count from 1"):
        GERMANY.next_business_day(day("2026-06-01"), nth)


@pytest.mark.parametrize(
    ("calendar", "earlier", "later", "expected"),
    [
        (GERMANY, "2026-06-01", "2026-06-02", 0),
        (GERMANY, "2026-06-01", "2026-06-03", 1),
        (GERMANY, "2026-06-05", "2026-06-08", 0),  # Friday, Monday: consecutive business days
        (GERMANY, "2026-06-05", "2026-06-09", 1),
        (JAPAN, "2026-05-01", "2026-05-07", 0),
        (JAPAN, "2026-05-01", "2026-05-08", 1),
        (CHINA, "2026-02-13", "2026-02-15", 1),
        (GERMANY, "2026-06-01", "2026-06-01", 0),
        (GERMANY, "2026-06-05", "2026-06-01", 0),
    ],
)
def test_attempts_are_apart_by_the_business_days_between_them(
    calendar: BusinessCalendar, earlier: str, later: str, expected: int
) -> None:
    assert calendar.business_days_between(day(earlier), day(later)) == expected  # F3


def test_a_day_is_the_local_one() -> None:
    assert JAPAN.local_date(utc("2026-06-02T23:30")) == day("2026-06-03")
    assert UNITED_STATES.local_date(utc("2026-06-03T02:00")) == day("2026-06-02")
    assert GERMANY.local_date(utc("2028-02-29T22:59")) == day("2028-02-29")
    assert GERMANY.local_date(utc("2028-02-29T23:00")) == day("2028-03-01")


def test_a_naive_moment_is_refused_everywhere() -> None:
    naive = datetime(2026, 6, 3, 10)  # noqa: DTZ001
    centre = hours(GERMANY, DAY)
    questions: list[Callable[[], object]] = [
        lambda: GERMANY.local_date(naive),
        lambda: centre.is_open(naive),
        lambda: centre.in_business_day(naive),
        lambda: centre.next_opening(naive),
        lambda: centre.closes_at(naive),
        lambda: coverage_gaps([centre], naive, utc("2026-06-04T00:00")),
        lambda: in_zone(naive, "UTC"),
    ]
    for question in questions:
        with pytest.raises(ValueError, match="no time zone"):
            question()


def test_threads_that_ask_for_a_fresh_year_at_once_all_see_its_holidays() -> None:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads take turns inside the building of a year, not only between years
    try:
        with ThreadPoolExecutor(8) as threads:
            christmases = [date(year, 12, 25) for year in range(2060, 2090) for _ in range(8)]
            assert not any(threads.map(BusinessCalendar("FR", "Europe/Paris").is_business_day, christmases))
    finally:
        sys.setswitchinterval(usual)


# Wall clocks (F3, F4)


@pytest.mark.parametrize(
    ("calendar", "on", "clock", "expected"),
    [
        (JAPAN, "2026-06-03", "10:00", "2026-06-03T01:00"),
        (JAPAN, "2026-06-03", "08:59", "2026-06-02T23:59"),
        (GERMANY, "2026-03-28", "10:00", "2026-03-28T09:00"),
        (GERMANY, "2026-03-29", "01:59", "2026-03-29T00:59"),
        (GERMANY, "2026-03-29", "02:00", "2026-03-29T01:00"),
        (GERMANY, "2026-03-29", "02:30", "2026-03-29T01:00"),  # does not exist: the first moment after the gap
        (GERMANY, "2026-03-29", "02:59:59.999999", "2026-03-29T01:00"),
        (GERMANY, "2026-03-29", "03:00", "2026-03-29T01:00"),
        (GERMANY, "2026-03-29", "10:00", "2026-03-29T08:00"),
        (GERMANY, "2026-10-25", "02:30", "2026-10-25T00:30"),  # comes twice: the first
        (GERMANY, "2026-10-25", "03:00", "2026-10-25T02:00"),
        (UNITED_STATES, "2026-03-08", "02:30", "2026-03-08T07:00"),
        (UNITED_STATES, "2026-03-08", "10:00", "2026-03-08T14:00"),
        (UNITED_STATES, "2026-11-01", "01:30", "2026-11-01T05:30"),
        (UNITED_STATES, "2026-11-01", "10:00", "2026-11-01T15:00"),
        (BusinessCalendar("AU", "Australia/Lord_Howe"), "2026-10-04", "02:15", "2026-10-03T15:30"),  # half an hour
        (BusinessCalendar("WS", "Pacific/Apia"), "2011-12-30", "10:00", "2011-12-30T10:00"),  # a day that never was
        (BusinessCalendar("CL", "America/Santiago"), "2026-09-06", "00:00", "2026-09-06T04:00"),  # no midnight
        (GERMANY, "2028-02-29", "10:00", "2028-02-29T09:00"),
    ],
)
def test_a_local_time_becomes_the_moment_the_wall_clock_shows_it(
    calendar: BusinessCalendar, on: str, clock: str, expected: str
) -> None:
    moment = calendar.at_local_time(day(on), time.fromisoformat(clock))

    assert moment == utc(expected)
    assert moment.tzinfo is UTC


def test_the_later_of_two_equal_wall_times_is_never_meant() -> None:
    assert GERMANY.at_local_time(day("2026-10-25"), time(2, 30, fold=1)) == utc("2026-10-25T00:30")


# Names that are not known (S4)


@pytest.mark.parametrize(
    ("country", "subdivision", "time_zone", "says"),
    [
        ("XX", "", "Europe/Berlin", "country “XX”; write its two-letter ISO 3166 code"),
        ("UK", "", "Europe/London", "country “UK”"),
        ("de", "", "Europe/Berlin", "in capitals"),
        ("DEU", "", "Europe/Berlin", "country “DEU”"),
        ("NYSE", "", "America/New_York", "country “NYSE”"),
        ("", "", "Europe/Berlin", "country “”"),
        ("DE", "ZZ", "Europe/Berlin", "calendar of DE has no subdivision “ZZ”; write one of BB, BE,"),
        ("SA", "ZZ", "Asia/Riyadh", "calendar of SA has no subdivision “ZZ”; leave it empty"),
        ("DE", "", "Europe/Bonn", "“Europe/Bonn” is not a time zone; write one like"),
        ("DE", "", "Europe", "“Europe” is not a time zone"),
        ("DE", "", "", "“” is not a time zone"),
        ("DE", "", "../../etc/passwd", "is not a time zone"),
        ("DE", "", "localtime", "is not a time zone"),
    ],
)
def test_an_unknown_name_gets_a_sentence_that_says_what_to_write(
    country: str, subdivision: str, time_zone: str, says: str
) -> None:
    assert says in calendar_problem(country, subdivision, time_zone)
    with pytest.raises(UnknownCalendar, match=r"^(No|The|“)") as refusal:
        BusinessCalendar(country, time_zone, subdivision)
    assert says in str(refusal.value)


@pytest.mark.parametrize("place", [("DE", "", "Europe/Berlin"), ("DE", "BY", "Europe/Berlin"), ("GB", "SCT", "UTC")])
def test_a_known_place_has_no_problem(place: tuple[str, str, str]) -> None:
    assert calendar_problem(*place) == ""


# Opening hours (D1)


@pytest.mark.parametrize(
    ("moment", "opening", "closing"),
    [
        ("2026-06-01T06:59", "2026-06-01T07:00", None),  # Monday, Berlin is two hours ahead
        ("2026-06-01T07:00", "2026-06-01T07:00", "2026-06-01T10:00"),
        ("2026-06-01T09:59", "2026-06-01T09:59", "2026-06-01T10:00"),
        ("2026-06-01T10:00", "2026-06-01T11:00", None),  # lunch
        ("2026-06-01T11:00", "2026-06-01T11:00", "2026-06-01T15:00"),
        ("2026-06-01T15:00", "2026-06-02T07:00", None),
        ("2026-06-05T15:00", "2026-06-08T07:00", None),  # over the weekend
        ("2026-12-24T16:00", "2026-12-28T08:00", None),  # over Christmas, in winter time
        ("2026-03-27T16:00", "2026-03-30T07:00", None),  # over the change to summer time
    ],
)
def test_a_centre_with_a_lunch_break_opens_twice_a_day(moment: str, opening: str, closing: str | None) -> None:
    centre = hours(GERMANY, (time(13), time(17)), (time(9), time(12)))  # the order of the spans does not matter

    assert centre.next_opening(utc(moment)) == utc(opening)
    assert centre.closes_at(utc(moment)) == (utc(closing) if closing else None)
    assert centre.is_open(utc(moment)) is (closing is not None)


def test_a_span_over_midnight_belongs_to_the_day_it_begins_on() -> None:
    centre = hours(GERMANY, NIGHT)

    assert centre.is_open(utc("2026-06-05T23:00"))  # Saturday 01:00, Friday's night shift
    assert centre.in_business_day(utc("2026-06-05T23:00"))
    assert centre.closes_at(utc("2026-06-05T23:00")) == utc("2026-06-06T04:00")
    assert not centre.is_open(utc("2026-06-06T21:00"))  # Saturday night
    assert not centre.is_open(utc("2026-06-07T23:00"))  # Monday 01:00: Sunday has no shift
    assert centre.next_opening(utc("2026-06-07T23:00")) == utc("2026-06-08T20:00")


def test_a_night_shift_is_an_hour_shorter_or_longer_when_the_clocks_change() -> None:
    centre = hours(GERMANY, NIGHT, weekdays=(5,))

    assert list(centre.open_times(day("2026-03-28"), day("2026-03-28"))) == [
        (utc("2026-03-28T21:00"), utc("2026-03-29T04:00"))
    ]
    assert list(centre.open_times(day("2026-10-24"), day("2026-10-24"))) == [
        (utc("2026-10-24T20:00"), utc("2026-10-25T05:00"))
    ]


def test_a_span_inside_the_skipped_hour_does_not_take_place() -> None:
    centre = hours(GERMANY, (time(2, 15), time(2, 45)), weekdays=(6,))

    assert not centre.is_open(utc("2026-03-29T01:00"))
    assert centre.next_opening(utc("2026-03-29T00:30")) == utc("2026-04-05T00:15")


def test_a_holiday_takes_out_the_spans_that_begin_on_it_and_leaves_the_night_before() -> None:
    centre = hours(GERMANY, NIGHT)

    assert centre.is_open(utc("2026-12-25T02:00"))  # the night shift of 24 December
    assert not centre.is_open(utc("2026-12-25T22:00"))
    assert not centre.is_open(utc("2026-12-26T02:00"))


def test_a_closure_day_takes_out_its_spans() -> None:
    calendar = BusinessCalendar("DE", "Europe/Berlin", closure_days=frozenset({day("2026-06-03")}))

    assert not hours(calendar, DAY).is_open(utc("2026-06-03T10:00"))
    assert hours(calendar, DAY).next_opening(utc("2026-06-03T10:00")) == utc("2026-06-04T07:00")


def test_a_centre_that_works_on_holidays_is_in_its_business_day_then() -> None:
    christmas = utc("2026-12-25T10:00")
    all_week = hours(GERMANY, DAY, weekdays=tuple(range(7)), open_on_holidays=True)

    assert all_week.is_open(christmas)
    assert all_week.in_business_day(christmas)
    assert not hours(GERMANY, DAY).in_business_day(christmas)


def test_a_centre_open_at_the_weekend_is_not_in_its_business_day_then() -> None:
    centre = hours(GERMANY, DAY, weekdays=tuple(range(7)))

    assert centre.is_open(utc("2026-06-06T10:00"))
    assert not centre.in_business_day(utc("2026-06-06T10:00"))
    assert centre.in_business_day(utc("2026-06-08T10:00"))


def test_a_closed_centre_is_not_in_its_business_day_at_night() -> None:
    assert not hours(GERMANY, DAY).in_business_day(utc("2026-06-08T20:00"))


def test_spans_that_touch_close_together() -> None:
    centre = hours(GERMANY, (time(6), time(14)), (time(14), time(22)), NIGHT, weekdays=(0, 1))

    assert centre.closes_at(utc("2026-06-01T05:00")) == utc("2026-06-03T04:00")


def test_the_whole_week_never_closes_and_is_always_open() -> None:
    centre = hours(UNITED_STATES, WHOLE_DAY, weekdays=tuple(range(7)), open_on_holidays=True)

    assert centre.closes_at(utc("2026-06-01T05:00")) is None
    assert centre.closes_at(utc("2026-02-26T04:30")) is None  # 400 days on, summer time makes it one local day more
    assert centre.is_open(utc("2026-11-01T05:30"))
    assert coverage_gaps([centre], utc("2026-01-01T00:00"), utc("2028-01-01T00:00")) == []


def test_the_whole_week_closes_for_the_first_holiday() -> None:
    centre = hours(GERMANY, WHOLE_DAY, weekdays=tuple(range(7)))

    assert centre.closes_at(utc("2026-11-10T12:00")) == utc("2026-12-24T23:00")


def test_a_centre_without_spans_never_opens() -> None:
    centre = hours(GERMANY)

    assert not centre.is_open(utc("2026-06-01T10:00"))
    assert centre.next_opening(utc("2026-06-01T10:00")) is None
    assert centre.closes_at(utc("2026-06-01T10:00")) is None


def test_an_opening_is_looked_for_400_days_ahead_and_no_further() -> None:
    start = utc("2026-06-01T07:00")
    reopening = (start + timedelta(days=400)).date()
    shut = frozenset(start.date() + timedelta(days=number) for number in range(400))
    centre = hours(BusinessCalendar("DE", "Europe/Berlin", closure_days=shut), DAY)

    assert centre.next_opening(start) == datetime.combine(reopening, time(7), tzinfo=UTC)
    assert centre.next_opening(start - timedelta(minutes=1)) is None


# The centres together (D1)


def test_the_hours_nobody_covers_are_found_to_the_minute() -> None:
    centres = [hours(JAPAN, DAY), hours(GERMANY, DAY), hours(UNITED_STATES, DAY)]

    # Wednesday in summer: Tokyo 00-08, Berlin 07-15, New York 13-21 UTC.
    assert coverage_gaps(centres, utc("2026-06-03T00:00"), utc("2026-06-04T00:00")) == [
        (utc("2026-06-03T21:00"), utc("2026-06-04T00:00"))
    ]
    # In winter Berlin opens as Tokyo closes; nobody is there from New York's Friday evening to Tokyo's Monday morning.
    assert coverage_gaps(centres, utc("2026-12-04T00:00"), utc("2026-12-07T00:00")) == [
        (utc("2026-12-04T22:00"), utc("2026-12-07T00:00"))
    ]
    # Golden Week: Tokyo's hours are missing.
    assert coverage_gaps(centres, utc("2026-05-05T00:00"), utc("2026-05-05T21:00")) == [
        (utc("2026-05-05T00:00"), utc("2026-05-05T07:00"))
    ]


def test_a_span_that_began_before_the_window_covers_its_beginning() -> None:
    night = hours(GERMANY, NIGHT)

    assert coverage_gaps([night], utc("2026-06-03T00:00"), utc("2026-06-03T05:00")) == [
        (utc("2026-06-03T04:00"), utc("2026-06-03T05:00"))
    ]


def test_without_centres_everything_is_a_gap_and_an_empty_window_has_none() -> None:
    start, end = utc("2026-06-03T00:00"), utc("2026-06-04T00:00")

    assert coverage_gaps([], start, end) == [(start, end)]
    assert coverage_gaps([], end, start) == []


def test_work_goes_to_the_centres_whose_business_day_it_is() -> None:
    centres = {"Tokyo": hours(JAPAN, DAY), "Berlin": hours(GERMANY, DAY), "New York": hours(UNITED_STATES, DAY)}

    assert centres_in_business_day(centres, utc("2026-06-03T03:00")) == ["Tokyo"]
    assert centres_in_business_day(centres, utc("2026-06-03T07:30")) == ["Tokyo", "Berlin"]
    assert centres_in_business_day(centres, utc("2026-06-03T14:00")) == ["Berlin", "New York"]
    assert centres_in_business_day(centres, utc("2026-05-05T07:30")) == ["Berlin"]  # Golden Week
    assert centres_in_business_day(centres, utc("2026-11-26T16:30")) == []  # Thanksgiving, after Berlin's day
    assert centres_in_business_day(centres, utc("2026-06-06T14:00")) == []  # Saturday


# Japanese support (D2)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-06-02T23:59", "2026-06-03T00:00"),  # Wednesday 08:59 in Tokyo
        ("2026-06-03T00:00", None),
        ("2026-06-03T08:29", None),
        ("2026-06-03T08:30", "2026-06-04T00:00"),
        ("2026-06-05T09:00", "2026-06-08T00:00"),  # Friday evening
        ("2026-05-01T08:30", "2026-05-07T00:00"),  # Golden Week
        ("2026-05-05T03:00", "2026-05-07T00:00"),
    ],
)
def test_japanese_support_says_when_it_opens_next(now: str, opens: str | None) -> None:
    assert japanese_support_opens_at(utc(now)) == (utc(opens) if opens else None)


# Moments as people read them (M4)


# Properties

CALENDARS = st.sampled_from(
    [
        *(BAVARIA, CHINA, GERMANY, ISRAEL, JAPAN, SAUDI_ARABIA, UNITED_STATES),
        BusinessCalendar("AU", "Australia/Lord_Howe", "NSW"),
        BusinessCalendar("BN", "Asia/Brunei"),
        BusinessCalendar("CL", "America/Santiago"),
        BusinessCalendar("IR", "Asia/Tehran"),
        BusinessCalendar("JP", "Asia/Tokyo", closure_days=frozenset({date(2026, 12, 29), date(2026, 12, 30)})),
    ]
)
DAYS = st.dates(date(2024, 1, 1), date(2031, 12, 31))
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2031, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
# Every local hour of every day a transition can fall on is worth more than a random second.
QUARTERS = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
SPANS = st.builds(WeeklySpan, st.integers(0, 6), QUARTERS, QUARTERS)
CENTRES = st.builds(OpeningHours, CALENDARS, st.lists(SPANS, max_size=8).map(tuple), st.booleans())
TRANSITION_DAYS = st.sampled_from(
    [date(2026, 3, 8), date(2026, 3, 29), date(2026, 9, 6), date(2026, 10, 4), date(2026, 10, 25), date(2026, 11, 1)]
)
properties = examples(150)


@properties
@given(CALENDARS, DAYS, st.integers(1, 12))
def test_the_next_business_day_is_a_business_day_and_later(calendar: BusinessCalendar, start: date, nth: int) -> None:
    found = calendar.next_business_day(start, nth)

    assert calendar.is_business_day(found)
    assert found > start
    assert calendar.business_days_between(start, found) == nth - 1


@properties
@given(CALENDARS, DAYS)
def test_the_business_day_on_or_after_is_itself_one_and_skips_none(calendar: BusinessCalendar, start: date) -> None:
    found = calendar.business_day_on_or_after(start)

    assert calendar.business_day_on_or_after(found) == found
    assert found >= start
    assert all(calendar.closed_because(start + timedelta(days=n)) for n in range((found - start).days))
    assert found == calendar.next_business_day(start - timedelta(days=1))


@properties
@given(CALENDARS, DAYS | TRANSITION_DAYS, QUARTERS)
def test_a_local_time_comes_back_as_written_unless_the_clocks_skipped_it(
    calendar: BusinessCalendar, on: date, clock: time
) -> None:
    zone = ZoneInfo(calendar.time_zone)
    moment = calendar.at_local_time(on, clock)
    shown = moment.astimezone(zone).replace(tzinfo=None)
    written = datetime.combine(on, clock)

    assert shown >= written
    if shown == written:
        assert moment.astimezone(zone).fold == 0
    else:  # the second before it, the wall clock had not got there yet: nothing that exists was jumped over
        assert (moment - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None) < written


@properties
@given(CALENDARS, DAYS | TRANSITION_DAYS, QUARTERS, QUARTERS)
def test_local_times_of_a_day_keep_their_order(calendar: BusinessCalendar, on: date, one: time, other: time) -> None:
    earlier, later = sorted((one, other))

    assert calendar.at_local_time(on, earlier) <= calendar.at_local_time(on, later)


@properties
@given(CENTRES, MOMENTS)
def test_open_closed_next_opening_and_closing_agree(centre: OpeningHours, moment: datetime) -> None:
    opening, closing = centre.next_opening(moment), centre.closes_at(moment)

    assert centre.is_open(moment) is (opening == moment)
    if not centre.is_open(moment):
        assert closing is None
    elif closing is not None:
        assert closing > moment
        assert not centre.is_open(closing)
        assert centre.is_open(closing - timedelta(seconds=1))
    if opening is not None and opening > moment:
        assert centre.is_open(opening)
        assert not centre.is_open(opening - timedelta(seconds=1))
        assert centre.next_opening(opening - timedelta(seconds=1)) == opening


@properties
@given(CENTRES, MOMENTS)
def test_a_business_day_is_always_an_open_one(centre: OpeningHours, moment: datetime) -> None:
    if centre.in_business_day(moment):
        assert centre.is_open(moment)
    if centre.open_on_holidays:
        assert centre.in_business_day(moment) is centre.is_open(moment)


@properties
@given(st.lists(CENTRES, max_size=3), MOMENTS, st.integers(1, 14 * 96))
def test_a_gap_is_where_every_centre_is_closed(centres: list[OpeningHours], start: datetime, quarters: int) -> None:
    end = start + timedelta(minutes=15 * quarters)
    gaps = coverage_gaps(centres, start, end)

    for moment in (start + (end - start) * part / 20 for part in range(20)):
        in_gap = any(opened <= moment < closed for opened, closed in gaps)
        assert in_gap is not any(centre.is_open(moment) for centre in centres)
    assert all(start <= gap_start < gap_end <= end for gap_start, gap_end in gaps)


@properties
@given(MOMENTS, st.sampled_from([UTC, timezone(timedelta(hours=9)), ZoneInfo("America/New_York")]))
def test_the_zone_a_moment_is_written_in_changes_no_answer(moment: datetime, zone: ZoneInfo) -> None:
    elsewhere = moment.astimezone(zone)

    assert JAPANESE_SUPPORT.is_open(elsewhere) is JAPANESE_SUPPORT.is_open(moment)
    assert japanese_support_opens_at(elsewhere) == japanese_support_opens_at(moment)
    assert in_zone(elsewhere, "Asia/Tokyo") == in_zone(moment, "Asia/Tokyo")
    opening = JAPANESE_SUPPORT.next_opening(elsewhere)
    assert opening is not None
    assert opening.utcoffset() == timedelta(0)


@properties
@given(DAYS)
def test_a_weekday_name_is_the_days_own(on: date) -> None:
    assert WEEKDAYS[on.weekday()][:3] == in_zone(datetime.combine(on, time(12), tzinfo=UTC), "UTC")[:3]


# Regional holidays (F3)


@pytest.mark.parametrize(
    ("country", "time_zone", "on", "because"),
    [
        ("GB", "Europe/London", "2026-04-06", "Easter Monday"),  # in 3 of 4
        ("GB", "Europe/London", "2026-01-02", ""),  # in Scotland only
        ("CH", "Europe/Zurich", "2026-04-06", "Easter Monday"),
        ("CA", "America/Toronto", "2026-10-12", "Thanksgiving Day"),
        ("AU", "Australia/Sydney", "2026-12-28", "Boxing Day (observed)"),
        ("ES", "Europe/Madrid", "2026-04-02", "Maundy Thursday"),
        ("DE", "Europe/Berlin", "2025-10-31", "Reformation Day"),  # in 9 of 16 Länder
        ("DE", "Europe/Berlin", "2026-06-04", ""),  # Corpus Christi in 6 of 16
        ("DE", "Europe/Berlin", "2026-05-01", "Labor Day"),  # everywhere
    ],
)
def test_where_the_region_is_not_known_a_holiday_of_most_regions_is_none_of_business(
    country: str, time_zone: str, on: str, because: str
) -> None:  # F3
    calendar = BusinessCalendar(country, time_zone)
    assert (calendar.closed_because(day(on)), calendar.is_business_day(day(on))) == (because, not because)


def test_a_known_region_has_its_own_holidays_only() -> None:  # F3
    assert BusinessCalendar("GB", "Europe/London", "SCT").is_business_day(day("2026-04-06"))
    assert not BusinessCalendar("GB", "Europe/London", "ENG").is_business_day(day("2026-04-06"))


@pytest.mark.parametrize(
    ("country", "is_regional"),
    [*((country, True) for country in ("GB", "CH", "CA", "AU", "IN", "ES", "DE", "US")), ("JP", False), ("SA", False)],
)
def test_a_country_whose_regions_keep_other_holidays_asks_for_the_region(country: str, is_regional: bool) -> None:  # F3
    assert holidays_are_regional(country) == is_regional


@pytest.mark.parametrize("country", ["GB", "CH", "CA", "AU", "IN", "ES", "DE", "US", "MY"])
def test_most_regions_means_more_than_half_of_them(country: str) -> None:  # F3
    """By brute force: each day of a year is asked of every region."""
    known = holidays.country_holidays(country)
    regions = [BusinessCalendar(country, "UTC", region) for region in known.subdivisions]
    here = BusinessCalendar(country, "UTC")
    for number in range(365):
        one = day("2027-01-01") + timedelta(days=number)
        everywhere = one in holidays.country_holidays(country, years=2027)
        in_most = 2 * sum(region.is_holiday(one) for region in regions) > len(regions)
        assert here.is_holiday(one) == (everywhere or in_most), one
