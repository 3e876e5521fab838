"""What a report is about: a period of days in somebody's time zone, and which cases of it. Pure.

A period runs from the midnight that begins its first day to the one that ends its last day, local time; a day with a
clock change is shorter or longer. Moments are UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cases.enums import Severity
from contacts.calendars import time_zone_problem
from contacts.wording import MONTHS, full_day, short_day

#: A report over more than this is a slip of the keyboard.
LONGEST_DAYS = 3_660
#: In a scope: of no owner, of no centre.
NOBODY = 0
A_DAY = timedelta(days=1)


class NotAPeriod(ValueError):
    """What was typed is no period; the message says so in a sentence (S4)."""


class NotAScope(ValueError):
    """An address names no cases that a report could be about."""


def start_of_day(day: date, zone: str) -> datetime:
    """The midnight that begins a day there, in UTC; where the clocks skip it, the first moment of the day."""
    return datetime.combine(day, time(0), ZoneInfo(zone)).astimezone(UTC)


@dataclass(frozen=True)
class Period:
    """Whole days, the last one included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def start(self, zone: str) -> datetime:
        return start_of_day(self.first, zone)

    def end(self, zone: str) -> datetime:
        """The first moment that does not belong to it."""
        return start_of_day(self.last + A_DAY, zone)

    def __str__(self) -> str:
        if self.first == self.last:
            return full_day(self.first)
        return f"{full_day(self.first)} to {full_day(self.last)}"


def quick_periods(today: date) -> dict[str, tuple[str, Period]]:
    """The ready-made periods by their slug: what each is called, and its days as of `today` (the reader's)."""
    monday = today - timedelta(days=today.weekday())
    month = today.replace(day=1)
    before = (month - A_DAY).replace(day=1)
    quarter = date(today.year, today.month - (today.month - 1) % 3, 1)
    return {
        "this-week": ("This week", Period(monday, monday + timedelta(days=6))),
        "last-week": ("Last week", Period(monday - timedelta(days=7), monday - A_DAY)),
        "this-month": ("This month", Period(month, _months_on(month, 1) - A_DAY)),
        "last-month": ("Last month", Period(before, month - A_DAY)),
        "quarter": ("This quarter", Period(quarter, _months_on(quarter, 3) - A_DAY)),
        "year": ("This year", Period(date(today.year, 1, 1), date(today.year, 12, 31))),
        "last-year": ("12 months", Period(today - timedelta(days=364), today)),
    }


def _months_on(first: date, months: int) -> date:
    """The first of the month so many months later."""
    count = first.year * 12 + first.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def read_period(first: str, last: str) -> Period:
    """The period between two days as addresses and date fields write them, 2026-06-30. Raises NotAPeriod."""
    start, end = _day(first, "first"), _day(last, "last")
    if end < start:
        raise NotAPeriod(f"The period ends on {full_day(end)}, before it begins; swap the two days.")
    if (end - start).days >= LONGEST_DAYS:
        raise NotAPeriod("A report covers ten years at most; choose days that are closer together.")
    return Period(start, end)


def _day(text: str, which: str) -> date:
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        shown = text.strip()[:20]
        raise NotAPeriod(
            f"“{shown}” is no day; write the {which} day as year, month and day, 2026-06-30."
            if shown
            else f"Say which day is the {which} of the period, as year, month and day, 2026-06-30."
        ) from None
    if not 2000 <= day.year <= 2200:
        raise NotAPeriod(f"{full_day(day)} lies outside of what the desk keeps; choose a year from 2000 to 2200.")
    return day


# --- parts of a period ------------------------------------------------------------------------------------------

#: The parts a period is shown in: days up to a month, weeks up to a year, else months.
DAY, WEEK, MONTH = "day", "week", "month"
MOST_DAYS, MOST_DAYS_IN_WEEKS = 31, 372


def grain_of(period: Period) -> str:
    """In which parts the period is shown."""
    return DAY if period.days <= MOST_DAYS else WEEK if period.days <= MOST_DAYS_IN_WEEKS else MONTH


def part_of(day: date, grain: str) -> date:
    """The day, Monday or first of the month on which the part begins that the day lies in."""
    if grain == DAY:
        return day
    return day - timedelta(days=day.weekday()) if grain == WEEK else day.replace(day=1)


def parts(period: Period) -> Iterator[tuple[date, Period]]:
    """The parts of a period in their order, each by the day that `part_of` names it by, cut to the period."""
    grain, day = grain_of(period), period.first
    while day <= period.last:
        begins = part_of(day, grain)
        following = {DAY: begins + A_DAY, WEEK: begins + timedelta(days=7), MONTH: _months_on(begins.replace(day=1), 1)}
        yield begins, Period(day, min(period.last, following[grain] - A_DAY))
        day = following[grain]


def part_label(part: Period, grain: str) -> str:
    """“Wed 3 Jun”, “1–7 Jun”, “June 2026”."""
    if grain == DAY:
        return short_day(part.first)
    if grain == MONTH:
        return f"{MONTHS[part.first.month - 1]} {part.first.year}"
    first, last = part.first, part.last
    month = "" if first.month == last.month and first != last else f" {MONTHS[first.month - 1][:3]}"
    begins = "" if first == last else f"{first.day}{month}–"
    return f"{begins}{last.day} {MONTHS[last.month - 1][:3]} {last.year % 100:02}"


def short_label(part: Period, grain: str) -> str:
    """The same below a chart: the day on which it begins, “3 Jun”, or the month, “Jun 26”."""
    month = MONTHS[part.first.month - 1][:3]
    return f"{month} {part.first.year % 100:02}" if grain == MONTH else f"{part.first.day} {month}"


# --- which cases ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scope:
    """What the figures of a report, or one of them, are about. Company, centre and owner are keys; `NOBODY` where
    there is none; None for all. They are those that the case has now, and so is its severity.
    """

    period: Period
    zone: str
    company: int | None = None
    centre: int | None = None
    owner: int | None = None
    severity: str = ""
    kind: str = ""  # of promises: first response, status update
    point: str = ""  # of escalations: “high-2”
    age: int | None = None  # of the backlog: which of `AGES`

    @property
    def start(self) -> datetime:
        return self.period.start(self.zone)

    @property
    def end(self) -> datetime:
        return self.period.end(self.zone)

    def within(self, period: Period) -> Scope:
        """The same cases in another period."""
        return replace(self, period=period)

    def narrowed(self, **to: int | str | None) -> Scope:
        """Of these, one company, owner ..."""
        return replace(self, **to)  # type: ignore[arg-type]


NUMBERS = ("company", "centre", "owner", "age")
WORDS = ("severity", "kind", "point")


def write_scope(scope: Scope) -> dict[str, str]:
    """The scope as names and values of an address; what is not narrowed is left out."""
    period = {"from": scope.period.first.isoformat(), "to": scope.period.last.isoformat(), "zone": scope.zone}
    rest = {field.name: getattr(scope, field.name) for field in fields(scope) if field.name in (*NUMBERS, *WORDS)}
    return period | {name: str(value) for name, value in rest.items() if value not in (None, "")}


def read_scope(written: Mapping[str, str]) -> Scope:
    """What `write_scope` wrote. Raises NotAScope, and NotAPeriod for days that are none."""
    zone = written.get("zone", "UTC")
    if time_zone_problem(zone):
        raise NotAScope(f"There is no time zone “{zone[:40]}”.")
    numbers = {name: _number(written[name]) for name in NUMBERS if written.get(name)}
    words = {name: written[name] for name in WORDS if written.get(name)}
    if words.get("severity", Severity.LOW.value) not in set(Severity):
        raise NotAScope(f"There is no severity “{words['severity'][:20]}”.")
    return Scope(read_period(written.get("from", ""), written.get("to", "")), zone, **numbers, **words)  # type: ignore[arg-type]


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise NotAScope(f"“{text[:20]}” is no number.")
    return int(text)


#: A scope and a figure as one value of an address: “missed;from=2026-06-01;to=2026-06-07;zone=UTC”.
SEPARATOR = ";"


def write_rows_of(figure: str, scope: Scope) -> str:
    """The rows that a figure counts, as a value of an address."""
    return SEPARATOR.join([figure, *(f"{name}={value}" for name, value in write_scope(scope).items())])


def read_rows_of(text: str) -> tuple[str, Scope]:
    """What `write_rows_of` wrote: the figure and the scope. Raises NotAScope or NotAPeriod."""
    figure, *pairs = text.split(SEPARATOR)
    return figure, read_scope(dict(pair.partition("=")[::2] for pair in pairs))


# --- the age of what is open ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BacklogAge:
    """How long a case has been open: at least `least`, less than `below`."""

    label: str
    least: timedelta
    below: timedelta | None

    def holds(self, age: timedelta) -> bool:
        return self.least <= age and (self.below is None or age < self.below)


AGES = (
    BacklogAge("Under 1 day", timedelta(0), timedelta(days=1)),
    BacklogAge("1 to 3 days", timedelta(days=1), timedelta(days=3)),
    BacklogAge("3 to 7 days", timedelta(days=3), timedelta(days=7)),
    BacklogAge("7 to 30 days", timedelta(days=7), timedelta(days=30)),
    BacklogAge("30 days and more", timedelta(days=30), None),
)
