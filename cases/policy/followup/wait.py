"""A wait for the customer as its plan sees it: the steps done, the calendar, the sleeps (section 4).

Moments are aware datetimes in UTC; a bare `date` is a local day of the customer's calendar.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from cases.enums import FollowUpStep, WaitPlan
from cases.policy.followup.absences import Sleep, skip_sleep
from contacts.calendars import BusinessCalendar

#: F2, F4, F7: at least so long before the closing its announcement was sent.
WARNING_PERIOD = timedelta(hours=24)
#: F7: a step done later than this was held up by more than one tick of the sweep; later steps keep their distance.
ON_TIME_WITHIN = timedelta(minutes=15)
#: M2: a mail has left so soon after it was written, even if its worker died. A closing is reckoned from then on (F4).
LEAVES_WITHIN = timedelta(minutes=2)
#: How soon a wait is checked again whose announcement has not been sent yet.
RECHECK = timedelta(minutes=15)

#: Steps that go to staff; every other one but the closing goes to the customer.
TO_STAFF = frozenset(
    {
        *(FollowUpStep.CALL_1, FollowUpStep.CALL_2, FollowUpStep.CALL_3),
        *(FollowUpStep.CONTACT_LEFT, FollowUpStep.HELD_UP, FollowUpStep.OWNER_DECIDES),
    }
)


@dataclass(frozen=True, slots=True)
class DoneStep:
    """A step of this episode that was carried out; of one that was repeated, the latest time."""

    due_at: datetime
    done_at: datetime
    sent_at: datetime | None = None  # when its mail left; a failed mail was not sent (F2)
    superseded: bool = False  # a later notice went instead (F7)
    closes_at: datetime | None = None  # the closing time that it announced
    by_person: bool = False  # a call or mail that a technician logged (F3)
    lost: bool = False  # its mail failed, bounced or came too late, or there was no address
    worth_repeating: bool = False  # lost, but another mail may arrive
    times: int = 1  # how often it was carried out

    @property
    def counts_from(self) -> datetime:
        """The moment from which later steps keep their distance (F7)."""
        return self.done_at if self.done_at - self.due_at > ON_TIME_WITHIN else self.due_at


DoneSteps = Mapping[FollowUpStep, DoneStep]


@dataclass(frozen=True, slots=True)
class DueStep:
    """A step and when it is, or was, due."""

    step: FollowUpStep
    due_at: datetime


@dataclass(frozen=True, slots=True)
class FollowUpDecision:
    """What a wait asks for at a moment: at most one step, with the steps it supersedes, or when to check again."""

    due: DueStep | None = None
    superseded: tuple[DueStep, ...] = ()
    check_at: datetime | None = None
    held_up: str = ""  # why the plan cannot go on as it should, as a sentence
    asleep_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ContactHours:
    """When a customer may be contacted, on their own clock (F3, F5; **decision**, configurable)."""

    opens: time = time(10)  # attempts, and steps that an absence put off
    closes_at: time = time(11)  # F4: a case that nobody answered; later than attempts, so that a day lies between
    mail_at: time = time(16)  # the mail to a customer who prefers the phone, if nobody called
    until: time = time(17)  # what an outage delayed is not made up for later in the day than this
    leaves_by: time = time(20)  # a mail that has not left by then goes the next day, not in the night

    def __post_init__(self) -> None:
        if not self.opens < self.mail_at < self.until < self.leaves_by:
            raise ValueError("The hours of an attempt have to follow each other: attempt, mail, end, last mail.")
        if not self.opens <= self.closes_at < self.until:
            raise ValueError("A case closes in the hours in which its customer may be contacted.")


@dataclass(frozen=True, slots=True)
class Wait:
    """One episode of waiting for a customer: all that its plan depends on, apart from the moment."""

    started_at: datetime
    plan: WaitPlan
    calendar: BusinessCalendar
    done: DoneSteps = field(default_factory=dict)
    times: Mapping[FollowUpStep, int] = field(default_factory=dict)  # also of attempts that were withdrawn
    sleeps: tuple[Sleep, ...] = ()
    phones: bool = False  # the customer prefers the phone and has a number
    contact_left: bool = False  # the contact or the company is inactive: nothing is sent to them (D9)
    question_lost_at: datetime | None = None  # when a question was written that did not reach them
    acted_at: datetime | None = None  # when somebody last turned to the customer themselves, if it is held up
    hours: ContactHours = ContactHours()

    def skip_sleep(self, moment: datetime) -> datetime:
        """The moment itself, or when the plan wakes if it is asleep then (F5)."""
        return skip_sleep(moment, self.sleeps)

    def times_done(self, step: FollowUpStep) -> int:
        """How often the step was carried out in this episode."""
        carried_out = self.done[step].times if step in self.done else 0
        return max(carried_out, self.times.get(step, 0))

    def next_contact_time(self, moment: datetime) -> datetime:
        """The first moment from this one on that lies in the contact hours of a business day and in no sleep."""
        moment = self.skip_sleep(moment)
        day = self.calendar.local_date(moment)
        if self.calendar.is_business_day(day):
            opens_at = self.calendar.at_local_time(day, self.hours.opens)
            if moment < self.calendar.at_local_time(day, self.hours.until):
                return max(moment, opens_at)
        return self.skip_sleep(self.calendar.at_local_time(self.calendar.next_business_day(day), self.hours.opens))


def announce_again_at(announced: DoneStep | None, sleeps: tuple[Sleep, ...]) -> datetime | None:
    """When an announcement has to be repeated: it was lost, or the customer is away when the case would close.

    None if it need not be. A case closes exactly when it was said to, so a new time needs a new announcement (F4, F7;
    **decision**).
    """
    if announced is None or announced.superseded:
        return None
    if announced.lost:
        return skip_sleep(announced.done_at, sleeps) if announced.worth_repeating else None
    if announced.closes_at is None:
        return None
    woken = skip_sleep(announced.closes_at, sleeps)
    return woken if woken != announced.closes_at else None
