"""Business days, opening hours and local time (D1, D2, F3, F4, F5). Pure.

Moments are aware datetimes and come back in UTC; a bare `date` is a local day of the calendar. Public holidays and
weekends are those of the `holidays` package: dates of Islamic holidays are estimates, and outside the years that it
knows for a country only weekends are left. Without a region, a day that is a holiday in most regions of the country is
one of its holidays (F3).
"""

from __future__ import annotations

import re
import zoneinfo
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import holidays

SEARCH_DAYS = 400
"""How far ahead an opening or a closing is looked for: a year and a long holiday season."""

ONE_DAY = timedelta(days=1)

# Written out, because strftime's names follow the locale of the process.
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

CentreKey = TypeVar("CentreKey", bound=Hashable)


class UnknownCalendar(ValueError):
    """There is no such country, subdivision or time zone; the message is a sentence that says what to do (S4)."""


class OpenTime(NamedTuple):
    """From `start` (included) to `end` (excluded), both UTC."""

    start: datetime
    end: datetime


class _DaysOff(NamedTuple):
    """The public holidays of a year with their English names, and its weekends."""

    holidays: Mapping[date, str]
    weekend: frozenset[date]


@dataclass(frozen=True)
class BusinessCalendar:
    """The business days and the local time of a country or subdivision (D1, F3).

    `country` is an ISO 3166 alpha-2 code, `time_zone` an IANA name, `closure_days` are closed besides the public
    holidays. Raises UnknownCalendar for an unknown name.
    """

    country: str
    time_zone: str
    subdivision: str = ""
    closure_days: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        problem = calendar_problem(self.country, self.subdivision, self.time_zone)
        if problem:
            raise UnknownCalendar(problem)

    def local_date(self, moment: datetime) -> date:
        """The local day of the moment. Raises ValueError for a naive one."""
        return in_utc(moment).astimezone(ZoneInfo(self.time_zone)).date()

    def is_business_day(self, day: date) -> bool:
        """Neither weekend nor public holiday nor closure day; a make-up working day counts as one (F3)."""
        return not self.is_holiday(day) and day not in self._days_off(day).weekend

    def is_holiday(self, day: date) -> bool:
        """A public holiday or an own closure day, whatever the weekday."""
        return day in self._days_off(day).holidays or day in self.closure_days

    def closed_because(self, day: date) -> str:
        """Why the day is no business day: "Greenery Day", "own closure day" or "Saturday"; "" when it is one."""
        days_off = self._days_off(day)
        if day in days_off.holidays:
            return days_off.holidays[day]
        if day in self.closure_days:
            return "own closure day"
        return WEEKDAYS[day.weekday()] if day in days_off.weekend else ""

    def next_business_day(self, day: date, nth: int = 1) -> date:
        """The nth business day strictly after the day (F3). Raises ValueError for an nth below 1."""
        if nth < 1:
            raise ValueError(f"There is no business day number {nth} after a day; count from 1.")
        for _ in range(nth):
            day = self.business_day_on_or_after(day + ONE_DAY)
        return day

    def business_day_on_or_after(self, day: date) -> date:
        """The day itself when it is a business day, else the next one (F4, F5)."""
        while not self.is_business_day(day):
            day += ONE_DAY
        return day

    def business_days_between(self, earlier: date, later: date) -> int:
        """How many business days lie between the two days, neither of them counted; 0 when the order is reversed.

        Two attempts are far enough apart when this is at least 1 (F3).
        """
        return sum(self.is_business_day(day) for day in _days(earlier + ONE_DAY, later - ONE_DAY))

    def at_local_time(self, day: date, clock: time) -> datetime:
        """The moment, in UTC, at which local clocks show the time on the day.

        When clocks go forward over it, the first moment after the gap; when it comes twice, the first time.
        """
        wall = datetime.combine(day, clock.replace(fold=0), tzinfo=ZoneInfo(self.time_zone))
        moment = wall.astimezone(UTC)
        by_later_offset = wall.replace(fold=1).astimezone(UTC)
        if by_later_offset < moment:
            return _offset_change(by_later_offset, moment, ZoneInfo(self.time_zone))
        return moment

    def _days_off(self, day: date) -> _DaysOff:
        return _load_days_off(self.country, self.subdivision, day.year)


@dataclass(frozen=True)
class WeeklySpan:
    """Opening hours on one weekday (0 is Monday), local time (D1).

    A span that closes no later than it opens runs over midnight into the next day: 00:00 to 00:00 is the whole day.
    """

    weekday: int
    opens: time
    closes: time

    @property
    def over_midnight(self) -> bool:
        """Whether it closes on the day after it opened."""
        return self.closes <= self.opens


@dataclass(frozen=True)
class OpeningHours:
    """The opening hours of a week, without those that begin on a holiday or closure day (D1).

    With `open_on_holidays` no day is left out, and every day with a span is a working day.
    """

    calendar: BusinessCalendar
    spans: tuple[WeeklySpan, ...]
    open_on_holidays: bool

    def is_open(self, moment: datetime) -> bool:
        """Whether the moment lies in a span; its opening is included, its closing is not."""
        return any(self._is_open_by_spans_of(day, moment) for day in self._days_reaching(moment))

    def in_business_day(self, moment: datetime) -> bool:
        """Whether it is open by a span that begins on a local business day, or on any day with `open_on_holidays`."""
        return any(
            self._is_open_by_spans_of(day, moment)
            for day in self._days_reaching(moment)
            if self.open_on_holidays or self.calendar.is_business_day(day)
        )

    def next_opening(self, moment: datetime) -> datetime | None:
        """The moment itself when open, else the next opening; None when there is none within SEARCH_DAYS."""
        open_time = self._current_or_next(moment)
        if open_time is None or open_time.start > in_utc(moment) + SEARCH_DAYS * ONE_DAY:
            return None
        return max(open_time.start, in_utc(moment))

    def closes_at(self, moment: datetime) -> datetime | None:
        """When it closes next, touching spans taken as one; None when closed, or open for all of SEARCH_DAYS."""
        open_time = self._current_or_next(moment)
        if open_time is None or open_time.start > in_utc(moment):
            return None
        return open_time.end if open_time.end <= in_utc(moment) + SEARCH_DAYS * ONE_DAY else None

    def open_times(self, first: date, last: date) -> Iterator[OpenTime]:
        """The spans that begin on the local days from first to last, as moments, by start; they may overlap."""
        for day in _days(first, last):
            yield from self._open_times_on(day)

    def _open_times_on(self, day: date) -> Iterator[OpenTime]:
        if self.calendar.is_holiday(day) and not self.open_on_holidays:
            return
        for span in sorted((span for span in self.spans if span.weekday == day.weekday()), key=lambda span: span.opens):
            open_time = OpenTime(
                self.calendar.at_local_time(day, span.opens),
                self.calendar.at_local_time(day + ONE_DAY if span.over_midnight else day, span.closes),
            )
            # A span that lies wholly in the hour the clocks skip does not take place.
            if open_time.start < open_time.end:
                yield open_time

    def _is_open_by_spans_of(self, day: date, moment: datetime) -> bool:
        return any(start <= moment < end for start, end in self._open_times_on(day))

    def _days_reaching(self, moment: datetime) -> Iterator[date]:
        """The local days whose spans can hold the moment: today, and yesterday over midnight."""
        today = self.calendar.local_date(moment)
        return _days(today - ONE_DAY, today)

    def _current_or_next(self, moment: datetime) -> OpenTime | None:
        today = self.calendar.local_date(moment)
        ahead = _merge(self.open_times(today - ONE_DAY, today + (SEARCH_DAYS + 1) * ONE_DAY))
        return next((open_time for open_time in ahead if moment < open_time.end), None)


def calendar_problem(country: str, subdivision: str, time_zone: str) -> str:
    """A sentence saying which of the three names is not known and what to write instead (S4); "" when all are."""
    return _country_problem(country, subdivision) or time_zone_problem(time_zone)


def coverage_gaps(centres: Iterable[OpeningHours], start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """When no centre is open between start and end, in UTC; D1 wants this list empty."""
    gaps = []
    covered_until, end = in_utc(start), in_utc(end)
    for opened, closed in _merge(sorted(_all_open_times(centres, covered_until, end))):
        if opened >= end:
            break
        if opened > covered_until:
            gaps.append((covered_until, opened))
        covered_until = max(covered_until, closed)
    if covered_until < end:
        gaps.append((covered_until, end))
    return gaps


def centres_in_business_day(centres: Mapping[CentreKey, OpeningHours], moment: datetime) -> list[CentreKey]:
    """The keys of the centres in their business day, in the order of the mapping (D1, C6)."""
    return [key for key, hours in centres.items() if hours.in_business_day(moment)]


def japanese_support_opens_at(now: datetime, on_holidays: bool = False) -> datetime | None:
    """When native Japanese support opens next, in UTC; None while it is open (D2).

    `on_holidays`: its centre works on Japan's public holidays as well.
    """
    hours = replace(JAPANESE_SUPPORT, open_on_holidays=on_holidays)
    return None if hours.is_open(now) else hours.next_opening(now)


def in_utc(moment: datetime) -> datetime:
    """The same moment in UTC. A naive one is refused: astimezone() would read it in the server's own zone."""
    if moment.utcoffset() is None:
        raise ValueError(f"The moment {moment} has no time zone; give an aware datetime.")
    return moment.astimezone(UTC)


def _offset_change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The one second between the two moments at which the zone's clocks go forward, in UTC."""
    new_offset = after.astimezone(zone).utcoffset()
    low, high = int(before.timestamp()), int(after.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == new_offset:
            high = middle
        else:
            low = middle
    return datetime.fromtimestamp(high, UTC)


def _days(first: date, last: date) -> Iterator[date]:
    """Every day from first to last, both included; none when last is before first."""
    return (first + number * ONE_DAY for number in range((last - first).days + 1))


def _all_open_times(centres: Iterable[OpeningHours], start: datetime, end: datetime) -> Iterator[OpenTime]:
    for hours in centres:
        yield from hours.open_times(hours.calendar.local_date(start) - ONE_DAY, hours.calendar.local_date(end))


def _merge(open_times: Iterable[OpenTime]) -> Iterator[OpenTime]:
    """Stretches in order of their start, those that touch or overlap made one."""
    current: OpenTime | None = None
    for open_time in open_times:
        if current is None:
            current = open_time
        elif open_time.start <= current.end:
            current = OpenTime(current.start, max(current.end, open_time.end))
        else:
            yield current
            current = open_time
    if current is not None:
        yield current


@lru_cache(maxsize=1024)
def _load_days_off(country: str, subdivision: str, year: int) -> _DaysOff:
    # One finished year is kept, not the library's own object: that one fills itself in on first use and marks a year
    # as known before it has its holidays, so a second thread of the worker would take Christmas for a working day.
    known = _holidays_of(country, subdivision, year)
    closed = [day for day in _days(date(year, 1, 1), date(year, 12, 31)) if not known.is_working_day(day)]
    regional = {} if subdivision else _holidays_of_most_regions(country, year)
    return _DaysOff(
        holidays={**regional, **{day: " and ".join(known.get_list(day)) for day in closed if day in known}},
        weekend=frozenset(day for day in closed if day not in known),
    )


def _holidays_of(country: str, subdivision: str, year: int) -> holidays.HolidayBase:
    return holidays.country_holidays(
        country,
        subdiv=subdivision or None,
        years=year,
        expand=False,
        language="en_US",  # a country without English names keeps its own
    )


def _holidays_of_most_regions(country: str, year: int) -> dict[date, str]:
    """The days that are a holiday in more than half of the country's regions, with their names (F3)."""
    regions = [_holidays_of(country, region, year) for region in holidays.country_holidays(country).subdivisions]
    kept_in = Counter(day for region in regions for day in region)
    most = [day for day, number in kept_in.items() if 2 * number > len(regions)]
    names = {day: Counter(name for region in regions if day in region for name in region.get_list(day)) for day in most}
    return {day: names[day].most_common(1)[0][0] for day in most}


#: A year in which it is looked whether the regions of a country differ.
_COMPARED_IN = 2026


@lru_cache(maxsize=256)
def holidays_are_regional(country: str) -> bool:
    """Whether public holidays of this country depend on the region, so that a place in it should name one (F3)."""
    if not _has_calendar(country):
        return False
    everywhere = set(_holidays_of(country, "", _COMPARED_IN))
    regions = holidays.country_holidays(country).subdivisions
    return any(set(_holidays_of(country, region, _COMPARED_IN)) != everywhere for region in regions)


@lru_cache(maxsize=1024)
def _country_problem(country: str, subdivision: str) -> str:
    if not _has_calendar(country):
        return (
            f"No calendar of public holidays is known for the country “{country}”; "
            "write its two-letter ISO 3166 code in capitals, such as US, GB or JP."
        )
    if not subdivision or _has_calendar(country, subdivision):
        return ""
    known = ", ".join(holidays.country_holidays(country).subdivisions)
    remedy = f"write one of {known}, or leave it empty" if known else "leave it empty"
    return f"The calendar of {country} has no subdivision “{subdivision}”; {remedy}."


def _has_calendar(country: str, subdivision: str | None = None) -> bool:
    # The library also takes three-letter codes and "UK"; here one country has one code.
    if not re.fullmatch("[A-Z]{2}", country):
        return False
    try:
        return bool(holidays.country_holidays(country, subdiv=subdivision).country == country)
    except NotImplementedError:
        return False


@lru_cache(maxsize=1)
def _time_zones() -> frozenset[str]:
    # "localtime" is whatever the server is set to, "Factory" is a server that was never set.
    return frozenset(zoneinfo.available_timezones() - {"localtime", "Factory"})


def time_zone_problem(time_zone: str) -> str:
    """Why this is not a time zone, in a sentence that says what to write instead; "" if it is one."""
    if time_zone in _time_zones():
        return ""
    return f"“{time_zone}” is not a time zone; write one like Europe/Berlin or America/New_York."


JAPANESE_SUPPORT = OpeningHours(
    calendar=BusinessCalendar(country="JP", time_zone="Asia/Tokyo"),
    spans=tuple(WeeklySpan(weekday, opens=time(9), closes=time(17, 30)) for weekday in range(5)),
    open_on_holidays=False,
)
"""Native Japanese support (D2). **decision**: 09:00 to 17:30 in Tokyo, Monday to Friday. Closed on public holidays,
unless a centre in Japan is set to open on them."""
