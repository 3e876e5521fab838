"""How long a plan sleeps while the customer is out of office (F5). Days are local ones of the customer's calendar."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from contacts.calendars import BusinessCalendar

#: F5: dates that cannot be read put a plan to sleep for one business week, until somebody says what they are.
BUSINESS_WEEK = 5
#: F5: asleep for this long in one episode, and the owner decides how to go on.
OWNER_DECIDES_AFTER = timedelta(days=30)


class Sleep(NamedTuple):
    """The plan does nothing from `start` on (included) until it wakes (excluded); both UTC."""

    start: datetime
    wakes_at: datetime


def sleep_while_away(away_from: date, back_on: date, calendar: BusinessCalendar, wakes_at: time) -> Sleep:
    """From the first day away until the clock shows `wakes_at` on the first business day on or after the return."""
    day = calendar.business_day_on_or_after(back_on)
    return Sleep(calendar.at_local_time(away_from, time(0)), calendar.at_local_time(day, wakes_at))


def sleep_until_answered(noted_at: datetime, calendar: BusinessCalendar, wakes_at: time) -> Sleep:
    """One business week from the note on: nobody has said yet how long they are away."""
    day = calendar.next_business_day(calendar.local_date(noted_at), BUSINESS_WEEK)
    return Sleep(noted_at.astimezone(UTC), calendar.at_local_time(day, wakes_at))


def awake(moment: datetime, sleeps: Iterable[Sleep]) -> datetime:
    """The moment itself, or the waking if it falls into a sleep; sleeps that touch or overlap are slept through."""
    for start, wakes_at in sorted(sleeps):
        if start <= moment < wakes_at:
            moment = wakes_at
    return moment


def owner_decides_at(sleeps: Iterable[Sleep], started_at: datetime) -> datetime | None:
    """When a wait that began at `started_at` has slept for 30 days altogether; None if it never does."""
    slept, until = timedelta(0), started_at
    for start, wakes_at in sorted(sleeps):
        begins = max(start, until)
        if wakes_at <= begins:
            continue
        if slept + (wakes_at - begins) > OWNER_DECIDES_AFTER:
            return begins + (OWNER_DECIDES_AFTER - slept)
        slept, until = slept + (wakes_at - begins), wakes_at
    return None
