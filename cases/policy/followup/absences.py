"""How long a plan sleeps while the customer is out of office (F5). Days are local days of the customer's calendar."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from cases.enums import AbsenceState
from contacts.calendars import BusinessCalendar

#: Somebody still has to say what the dates are.
OPEN_ABSENCES = (AbsenceState.READ, AbsenceState.UNREAD)
#: Their dates put a plan to sleep at once; those that were read are confirmed or corrected afterwards.
DATED_ABSENCES = (AbsenceState.READ, AbsenceState.CONFIRMED)

#: F5: business days that a plan sleeps for a note whose dates cannot be read, unless somebody says them before.
BUSINESS_WEEK = 5
#: F5: after so much sleep in one episode the owner decides how to go on.
OWNER_DECIDES_AFTER = timedelta(days=30)


class Sleep(NamedTuple):
    """The plan does nothing from `start` (included) until `wakes_at` (excluded); both UTC."""

    start: datetime
    wakes_at: datetime


def sleep_while_away(away_from: date, back_on: date, calendar: BusinessCalendar, wakes_at: time) -> Sleep:
    """Sleep from the first day away until `wakes_at` (local) on the first business day on or after the return."""
    day = calendar.business_day_on_or_after(back_on)
    return Sleep(calendar.at_local_time(away_from, time(0)), calendar.at_local_time(day, wakes_at))


def sleep_until_answered(noted_at: datetime, calendar: BusinessCalendar, wakes_at: time) -> Sleep:
    """Sleep for one business week from the note on, because nobody has said yet how long they are away."""
    day = calendar.next_business_day(calendar.local_date(noted_at), BUSINESS_WEEK)
    return Sleep(noted_at.astimezone(UTC), calendar.at_local_time(day, wakes_at))


def skip_sleep(moment: datetime, sleeps: Iterable[Sleep]) -> datetime:
    """The moment itself, or the end of the sleep it falls into; sleeps that touch or overlap count as one."""
    for start, wakes_at in sorted(sleeps):
        if start <= moment < wakes_at:
            moment = wakes_at
    return moment


def owner_decides_at(sleeps: Iterable[Sleep], started_at: datetime) -> datetime | None:
    """When a wait that began at `started_at` has slept for 30 days in sum; None if it never does."""
    slept, until = timedelta(0), started_at
    for start, wakes_at in sorted(sleeps):
        begins = max(start, until)
        if wakes_at <= begins:
            continue
        if slept + (wakes_at - begins) > OWNER_DECIDES_AFTER:
            return begins + (OWNER_DECIDES_AFTER - slept)
        slept, until = slept + (wakes_at - begins), wakes_at
    return None
