"""A wait for the customer as the plans see it: what was done in it, on which calendar, asleep when (section 4).

Moments are aware datetimes in UTC; a bare `date` is a local day of the customer's calendar.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from cases.enums import FollowUpStep, WaitPlan
from cases.policy.followup.absences import Sleep, awake
from contacts.calendars import BusinessCalendar

#: F2, F4, F7: never closed sooner after the announcement was sent.
WARNED_FOR = timedelta(hours=24)
#: A step done this much after it was due was held up by more than a sweep's tick: later steps keep their distance (F7).
ON_TIME_WITHIN = timedelta(minutes=15)
#: How soon to look again at a wait whose announcement is not sent yet.
RECHECK = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class DoneStep:
    """A step of this episode that was carried out; of one done again (it got lost, or was slept over) the newest."""

    due_at: datetime
    done_at: datetime
    sent_at: datetime | None = None  # when its mail left; a failed one was not sent (F2)
    superseded: bool = False  # a later notice went instead (F7)
    closes_at: datetime | None = None  # when it said that the case will close
    by_person: bool = False  # a call or mail that a technician logged (F3)
    lost: bool = False  # its mail failed, bounced, came too late, or there was no address
    again: bool = False  # lost, and there is reason to think that another one arrives
    times: int = 1  # how often it was carried out

    @property
    def counts_from(self) -> datetime:
        """The moment later steps keep their distance from (F7)."""
        return self.done_at if self.done_at - self.due_at > ON_TIME_WITHIN else self.due_at


Done = Mapping[FollowUpStep, DoneStep]


@dataclass(frozen=True, slots=True)
class DueStep:
    """A step and when it is, or was, due."""

    step: FollowUpStep
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """What a wait asks for at a moment: at most one step to do now, those it supersedes, and when to look again."""

    act: DueStep | None = None
    superseded: tuple[DueStep, ...] = ()
    look_again_at: datetime | None = None
    held_up: str = ""
    asleep_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hours:
    """When we turn to a customer, on their own clock (F3, F5; **decision**, configurable)."""

    opens: time = time(10)  # the attempt; the closing; the step that an absence put off
    mail_at: time = time(16)  # to whom one should phone, if nobody has
    until: time = time(17)  # after an outage nothing is made up for later in the day than this
    leaves_by: time = time(20)  # a mail that has not left by then is not sent in the night, but the next day

    def __post_init__(self) -> None:
        if not self.opens < self.mail_at < self.until < self.leaves_by:
            raise ValueError("The hours of an attempt have to follow each other: attempt, mail, end, last mail.")


@dataclass(frozen=True, slots=True)
class Wait:
    """One episode of waiting for a customer: all that its plan depends on besides the moment."""

    started_at: datetime
    plan: WaitPlan
    calendar: BusinessCalendar
    done: Done = field(default_factory=dict)
    sleeps: tuple[Sleep, ...] = ()
    phones: bool = False  # the customer prefers the phone, and there is a number
    hours: Hours = Hours()

    def awake(self, moment: datetime) -> datetime:
        """The moment itself, or when the plan wakes if it is asleep then (F5)."""
        return awake(moment, self.sleeps)

    def times_done(self, step: FollowUpStep) -> int:
        """How often the step was carried out in this episode."""
        return self.done[step].times if step in self.done else 0

    def in_hours(self, moment: datetime) -> datetime:
        """The moment itself when one may turn to the customer, else when one may next; never while they are away."""
        moment = self.awake(moment)
        day = self.calendar.local_date(moment)
        if self.calendar.is_business_day(day):
            if moment < self.calendar.at_local_time(day, self.hours.opens):
                return self.calendar.at_local_time(day, self.hours.opens)
            if moment < self.calendar.at_local_time(day, self.hours.until):
                return moment
        return self.awake(self.calendar.at_local_time(self.calendar.next_business_day(day), self.hours.opens))


def announced_again_at(announced: DoneStep | None, sleeps: tuple[Sleep, ...]) -> datetime | None:
    """When an announcement has to be made once more: it got lost, or the customer is away when it lets the case close.

    A case closes when it was said to, so one that cannot is announced anew (F4, F7; **decision**).
    """
    if announced is None or announced.superseded:
        return None
    if announced.lost:
        return awake(announced.done_at, sleeps) if announced.again else None
    if announced.closes_at is None:
        return None
    woken = awake(announced.closes_at, sleeps)
    return woken if woken != announced.closes_at else None
