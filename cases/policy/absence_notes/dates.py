"""From days as a note writes them to dates: which number is the month, which year, which Monday (F5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from cases.policy.absence_notes.tokens import DateOrder, Day, Token
from cases.policy.absence_notes.vocabulary import Tag

#: A return further ahead than this is a misreading, or nothing a plan should sleep for.
FURTHEST_READ_RETURN = timedelta(days=120)
#: A start without a year may lie this far back; with the 120 days ahead that makes every day of the year unique.
LONGEST_AWAY_ALREADY = timedelta(days=240)
ONE_DAY = timedelta(days=1)

#: Everywhere else the day stands first. In the second row the year does, so there a year behind 12/11 tells no order.
_MONTH_FIRST = frozenset({"US", "PR", "GU", "VI", "AS", "MP", "FM", "MH", "PW", "PH"})
YEAR_FIRST = frozenset({"JP", "KR", "CN", "HU", "TW"})


def order_of(tokens: Sequence[Token], received_on: date, country: str) -> DateOrder | None:
    """The order of the numeric dates: the country's, unless one can only be read the other way; None if mixed."""
    usual = _country_order(country)
    shown: set[DateOrder] = set()
    for token in tokens:
        if token.tag is Tag.DATE and token.day and token.day.is_dated and token.day.order is None:
            possible = [order for order in DateOrder if _on(token.day, order, received_on)]
            shown.update(possible if len(possible) == 1 else ())
    if len(shown) > 1:
        return None
    return shown.pop() if shown else usual


def _country_order(country: str) -> DateOrder:
    return DateOrder.MONTH_FIRST if country.upper() in _MONTH_FIRST | YEAR_FIRST else DateOrder.DAY_FIRST


def _on(day: Day, order: DateOrder, received_on: date) -> date | None:
    """The day in that order of its numbers, or None: there is no such day, or it falls on another weekday."""
    number, month = (day.first, day.second) if order is DateOrder.DAY_FIRST else (day.second, day.first)
    years = range(received_on.year - 1, received_on.year + 2) if day.year is None else (day.year,)
    for year in years:
        found = _date(year, month, number)
        if found is None or (day.year is None and not _is_next_outside(found, received_on)):
            continue
        return found if day.weekday in (None, found.weekday()) else None
    return None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _is_next_outside(day: date, received_on: date) -> bool:
    return -LONGEST_AWAY_ALREADY <= day - received_on <= FURTHEST_READ_RETURN


@dataclass(frozen=True, slots=True)
class DateResolver:
    """Resolves days as they are written into dates."""

    received_on: date
    order: DateOrder | None
    year_first: bool

    def dated(self, day: Day) -> date | None:
        """The date; None for a day that does not exist, or whose numbers can be read either way."""
        if day.unclear:
            return None
        if day.order:
            return _on(day, day.order, self.received_on)
        if self.year_first and day.year is not None:
            return self._year_first(day)
        if self.order:
            return _on(day, self.order, self.received_on)
        return None if day.first != day.second else _on(day, DateOrder.DAY_FIRST, self.received_on)

    def _year_first(self, day: Day) -> date | None:
        """26/08/10 is the 10th; 10/08/2026 follows no custom of the country and must have one reading only."""
        if day.short_year and day.year:
            return _on(
                Day(day.year - 2000, day.second, 2000 + day.first, weekday=day.weekday), DateOrder.DAY_FIRST, date.min
            )
        readings = {found for order in DateOrder if (found := _on(day, order, self.received_on))}
        return readings.pop() if len(readings) == 1 else None

    def after(self, day: Day, earliest: date) -> date | None:
        """The first such weekday after that date; tomorrow counts from the day the note arrived."""
        if day.days_ahead is not None:
            return plus(self.received_on, day.days_ahead)
        if day.first:
            coming = (found for ahead in range(1, 32) if (found := plus(earliest, ahead)) and found.day == day.first)
            return next((found for found in coming if day.weekday in (None, found.weekday())), None)
        if day.weekday is None or day.unclear:
            return None
        days = (day.weekday - earliest.weekday() - 1) % 7 + 1
        # "Next Friday" on a Monday is this week's to some and next week's to others.
        is_this_week = earliest.weekday() + days < 7
        return None if day.next_week and is_this_week else plus(earliest, days)


def plus(day: date, days: int) -> date | None:
    """The day so many days later; None when the calendar ends there."""
    try:
        return day + days * ONE_DAY
    except OverflowError:
        return None
