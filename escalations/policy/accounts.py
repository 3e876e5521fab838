"""What is at risk for a customer, and when whoever looks after companies gets the daily digest (W4). Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta, tzinfo
from enum import IntEnum

from cases.policy.work_order import is_overdue, is_pressing

#: A point of the schedule that comes within this time is a risk.
ESCALATES_WITHIN = timedelta(hours=4)
#: A digest that could not be made in the morning comes later on the same day, until this hour of the reader's.
DIGEST_UNTIL = time(18)
#: What changed is told from the last digest on, at most so far back: over a weekend and a holiday.
LOOKS_BACK = timedelta(days=5)
#: How far back without any.
FIRST_LOOKS_BACK = timedelta(hours=24)
#: So far back a company's page looks for what changed, if its reader has never said that they have seen it.
NEVER_SEEN = timedelta(days=7)
#: So far at most.
SEEN_LONG_AGO = timedelta(days=30)


class Risk(IntEnum):
    """Why a case is at risk, the worst first."""

    OVERDUE = 1  # what was promised to the customer is late
    UNANSWERED = 2  # nobody has said how it stands, though asked (E8)
    HELD_UP = 3  # nothing that we write reaches the customer (F2)
    PRESSING = 4  # what is promised is due soon
    ESCALATES = 5  # a point of the schedule comes soon


RISKS = {
    Risk.OVERDUE: "Overdue",
    Risk.UNANSWERED: "Nobody answers",
    Risk.HELD_UP: "Nothing reaches them",
    Risk.PRESSING: "Due soon",
    Risk.ESCALATES: "Escalates soon",
}


def risk_of(
    now: datetime,
    *,
    owed_since: datetime | None = None,
    owed_at: datetime | None = None,
    answer_by: datetime | None = None,
    held_up: bool = False,
    point_at: datetime | None = None,
) -> Risk | None:
    """The worst risk of a case at `now`: what its customer is owed and by when, until when the owner was to answer,
    whether its mail arrives, and when the next point comes; None for a case that is in hand.
    """
    if is_overdue(owed_at, now):
        return Risk.OVERDUE
    if answer_by is not None and answer_by <= now:
        return Risk.UNANSWERED
    if held_up:
        return Risk.HELD_UP
    if owed_at is not None and is_pressing(owed_since or owed_at, owed_at, now):
        return Risk.PRESSING
    return Risk.ESCALATES if point_at is not None and point_at <= now + ESCALATES_WITHIN else None


def is_working_day(day: date) -> bool:
    """Monday to Friday, for a reader in whose time zone no support centre is."""
    return day.weekday() < 5


def digest_day(now: datetime, zone: tzinfo, at: time, works_on: Callable[[date], bool] = is_working_day) -> date | None:
    """Of which day of theirs a reader in `zone` is due the digest: today's, on a business day, from `at` on until the
    end of the working day; else None. Local clocks decide, whatever they were set to meanwhile.
    """
    local = now.astimezone(zone)
    is_due = at <= local.time() < DIGEST_UNTIL and works_on(local.date())
    return local.date() if is_due else None


def told_from(last: datetime | None, now: datetime) -> datetime:
    """From when on a digest tells what changed: the last one's end, within limits."""
    return max(last, now - LOOKS_BACK) if last is not None else now - FIRST_LOOKS_BACK


def changed_from(seen_until: datetime | None, now: datetime) -> datetime:
    """From when on a company's page tells what changed."""
    return max(seen_until, now - SEEN_LONG_AGO) if seen_until is not None else now - NEVER_SEEN
