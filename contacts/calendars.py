"""Business days, opening hours and local time: the pure calendar rules behind D1, D2, F3, F4 and F5.

Values in, values out. Moments are aware datetimes and come back in UTC; a bare `date` is a local day of the calendar
it is given to. Nothing here asks what time it is. Public holidays and weekends are those of the `holidays` package:
the dates of Islamic holidays are estimates, and outside the years it knows for a country only weekends are left.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
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

Key = TypeVar("Key", bound=Hashable)


class UnknownCalendar(ValueError):
    """There is no such country, subdivision or time zone; the message says so in a sentence, and what to do (S4)."""


class Stretch(NamedTuple):
    """From `start` (included) to `end` (excluded), both UTC."""

    start: datetime
    end: datetime


class _DaysOff(NamedTuple):
    """One year's public holidays, by day with their English names, and its days of rest at weekends."""

    holidays: Mapping[date, str]
    weekend: frozenset[date]


@dataclass(frozen=True)
class BusinessCalendar:
    """The business days of a country (and subdivision) and the clock on its wall (D1, F3).

    `country` is an ISO 3166 alpha-2 code, `time_zone` an IANA name, `closure_days` are closed besides the public
    holidays. Raises UnknownCalendar when one of the three names is not known.
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
        """The day on which the moment falls here. Raises ValueError for a naive moment."""
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
        """The moment, in UTC, at which the wall clock here shows the time on the day.

        When clocks go forward over it, the first moment after the gap; when it comes twice, the first time.
        """
        wall = datetime.combine(day, clock.replace(fold=0), tzinfo=ZoneInfo(self.time_zone))
        moment = wall.astimezone(UTC)
        by_later_offset = wall.replace(fold=1).astimezone(UTC)
        if by_later_offset < moment:
            return _offset_change(by_later_offset, moment, ZoneInfo(self.time_zone))
        return moment

    def _days_off(self, day: date) -> _DaysOff:
        return _days_off(self.country, self.subdivision, day.year)


@dataclass(frozen=True)
class Span:
    """One stretch of opening hours, local time; `weekday` (0 is Monday) is the one on which it begins (D1).

    Closing no later than it opens, it runs over midnight into the next day: 00:00 to 00:00 is the whole day.
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
    """When somebody is there: spans of the week, less those that begin on a holiday or closure day (D1).

    With `open_on_holidays` no day is taken out, and every day that has a span is a working day.
    """

    calendar: BusinessCalendar
    spans: tuple[Span, ...]
    open_on_holidays: bool

    def is_open(self, moment: datetime) -> bool:
        """Whether the moment lies in a span: opening included, closing excluded."""
        return any(self._open_by_spans_of(day, moment) for day in self._days_reaching(moment))

    def in_business_day(self, moment: datetime) -> bool:
        """Open, by a span that begins on a local business day (or any day, with `open_on_holidays`) (D1, C6)."""
        return any(
            self._open_by_spans_of(day, moment)
            for day in self._days_reaching(moment)
            if self.open_on_holidays or self.calendar.is_business_day(day)
        )

    def next_opening(self, moment: datetime) -> datetime | None:
        """The moment itself when open, else the next opening; None when there is none within SEARCH_DAYS."""
        stretch = self._current_or_next(moment)
        if stretch is None or stretch.start > in_utc(moment) + SEARCH_DAYS * ONE_DAY:
            return None
        return max(stretch.start, in_utc(moment))

    def closes_at(self, moment: datetime) -> datetime | None:
        """When it closes next, spans that touch taken as one; None when closed, or open for all of SEARCH_DAYS."""
        stretch = self._current_or_next(moment)
        if stretch is None or stretch.start > in_utc(moment):
            return None
        return stretch.end if stretch.end <= in_utc(moment) + SEARCH_DAYS * ONE_DAY else None

    def stretches(self, first: date, last: date) -> Iterator[Stretch]:
        """The spans that begin on the local days from first to last, as moments, by start; they may overlap."""
        for day in _days(first, last):
            yield from self._stretches_of(day)

    def _stretches_of(self, day: date) -> Iterator[Stretch]:
        if self.calendar.is_holiday(day) and not self.open_on_holidays:
            return
        for span in sorted((span for span in self.spans if span.weekday == day.weekday()), key=lambda span: span.opens):
            stretch = Stretch(
                self.calendar.at_local_time(day, span.opens),
                self.calendar.at_local_time(day + ONE_DAY if span.over_midnight else day, span.closes),
            )
            # A span that lies wholly in the hour the clocks skip does not take place.
            if stretch.start < stretch.end:
                yield stretch

    def _open_by_spans_of(self, day: date, moment: datetime) -> bool:
        return any(start <= moment < end for start, end in self._stretches_of(day))

    def _days_reaching(self, moment: datetime) -> Iterator[date]:
        """The local days whose spans can hold the moment: today, and yesterday over midnight."""
        today = self.calendar.local_date(moment)
        return _days(today - ONE_DAY, today)

    def _current_or_next(self, moment: datetime) -> Stretch | None:
        today = self.calendar.local_date(moment)
        ahead = _joined(self.stretches(today - ONE_DAY, today + (SEARCH_DAYS + 1) * ONE_DAY))
        return next((stretch for stretch in ahead if moment < stretch.end), None)


def calendar_problem(country: str, subdivision: str, time_zone: str) -> str:
    """A sentence saying which of the three names is not known and what to write instead (S4); "" when all are."""
    return _country_problem(country, subdivision) or time_zone_problem(time_zone)


def coverage_gaps(centres: Iterable[OpeningHours], start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """The stretches from start to end, in UTC, in which no centre is open; D1 wants this list empty."""
    gaps = []
    covered_until, end = in_utc(start), in_utc(end)
    for opened, closed in _joined(sorted(_all_stretches(centres, covered_until, end))):
        if opened >= end:
            break
        if opened > covered_until:
            gaps.append((covered_until, opened))
        covered_until = max(covered_until, closed)
    if covered_until < end:
        gaps.append((covered_until, end))
    return gaps


def centres_in_business_day(centres: Mapping[Key, OpeningHours], moment: datetime) -> list[Key]:
    """The keys of the centres whose local business day it is, in the mapping's order (D1, C6)."""
    return [key for key, hours in centres.items() if hours.in_business_day(moment)]


def japanese_support_opens_at(now: datetime) -> datetime | None:
    """When native Japanese support opens next, in UTC; None while it is open (D2)."""
    return None if JAPANESE_SUPPORT.is_open(now) else JAPANESE_SUPPORT.next_opening(now)


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


def _all_stretches(centres: Iterable[OpeningHours], start: datetime, end: datetime) -> Iterator[Stretch]:
    for hours in centres:
        yield from hours.stretches(hours.calendar.local_date(start) - ONE_DAY, hours.calendar.local_date(end))


def _joined(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    """Stretches in order of their start, those that touch or overlap made one."""
    current: Stretch | None = None
    for stretch in stretches:
        if current is None:
            current = stretch
        elif stretch.start <= current.end:
            current = Stretch(current.start, max(current.end, stretch.end))
        else:
            yield current
            current = stretch
    if current is not None:
        yield current


@lru_cache(maxsize=1024)
def _days_off(country: str, subdivision: str, year: int) -> _DaysOff:
    # One finished year is kept, not the library's own object: that one fills itself in on first use and marks a year
    # as known before it has its holidays, so a second thread of the worker would take Christmas for a working day.
    known = holidays.country_holidays(
        country,
        subdiv=subdivision or None,
        years=year,
        expand=False,
        language="en_US",  # a country without English names keeps its own
    )
    closed = [day for day in _days(date(year, 1, 1), date(year, 12, 31)) if not known.is_working_day(day)]
    return _DaysOff(
        holidays={day: " and ".join(known.get_list(day)) for day in closed if day in known},
        weekend=frozenset(day for day in closed if day not in known),
    )


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
    spans=tuple(Span(weekday, opens=time(9), closes=time(17, 30)) for weekday in range(5)),
    open_on_holidays=False,
)
"""Native Japanese support (D2). **decision**: 09:00 to 17:30 in Tokyo, Monday to Friday, closed on public holidays."""
