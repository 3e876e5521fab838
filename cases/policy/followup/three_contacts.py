"""Three contacts (F3, F4): three attempts on non-consecutive business days of the customer, then closed as announced.

The plan writes at 10:00 there; whoever prefers the phone is called by the owner first, and written to at 16:00 if
nobody called. A call or a mail that a technician logs is an attempt as well, unless it comes too early.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from cases.enums import FollowUpStep
from cases.policy.followup.wait import (
    ON_TIME_WITHIN,
    RECHECK,
    WARNED_FOR,
    DoneStep,
    DueStep,
    Plan,
    Wait,
    announced_again_at,
)
from contacts.calendars import WEEKDAYS, BusinessCalendar
from contacts.wording import and_list, day_and_month

ATTEMPTS = (FollowUpStep.ATTEMPT_1, FollowUpStep.ATTEMPT_2, FollowUpStep.ATTEMPT_3)
#: The owner is told to phone before the desk writes by itself.
CALL_BEFORE = dict(zip(ATTEMPTS, (FollowUpStep.CALL_1, FollowUpStep.CALL_2, FollowUpStep.CALL_3), strict=True))
ONE_DAY = timedelta(days=1)
CLOSED = "closed"
NO_BUSINESS_DAY = {False: "is no business day", True: "are no business days"}


@dataclass(frozen=True, slots=True)
class NextAttempt:
    """The attempt that comes next: the first day on which it may be made, when the plan makes it, why not sooner."""

    step: FollowUpStep
    day: date
    at: datetime
    why: str

    @property
    def number(self) -> int:
        """First, second or third."""
        return ATTEMPTS.index(self.step) + 1


@dataclass(frozen=True, slots=True)
class ContactVerdict:
    """Whether a contact that a technician logs is an attempt: which one and when it was due, or why it is none (F3)."""

    step: FollowUpStep | None
    why: str = ""
    due_at: datetime | None = None
    time: int = 1  # one that got lost before is made again


def next_attempt(wait: Wait) -> NextAttempt | None:
    """The attempt that comes next; None when all three were made (F3, F5)."""
    step = next((one for one in ATTEMPTS if one not in wait.done or wait.done[one].lost), None)
    if step is None:
        return None
    day = _permitted_on(wait)
    lost = wait.done.get(step)
    planned = day if lost is None else max(day, wait.calendar.next_business_day(_day_of(wait, lost)))
    at = wait.awake(wait.calendar.at_local_time(planned, wait.hours.opens))
    return NextAttempt(step, day, at, _why_not_sooner(wait, lost, day, at))


def classify_contact(wait: Wait, at: datetime) -> ContactVerdict:
    """What a call or a mail that a technician logs at this moment counts as (F3)."""
    coming = next_attempt(wait)
    if coming is None:
        return ContactVerdict(
            None, "all three contacts were made; the case closes as announced unless the customer answers"
        )
    day = wait.calendar.local_date(at)
    woken = wait.awake(at)
    if woken > at:
        return ContactVerdict(
            None, f"the customer is away; the follow-up wakes on {day_and_month(wait.calendar.local_date(woken))}"
        )
    if not wait.calendar.is_business_day(day):
        return ContactVerdict(
            None, f"{_said_closed(wait.calendar, day)}; the next attempt counts from {day_and_month(coming.day)} on"
        )
    if day < coming.day:
        return ContactVerdict(None, f"the next attempt counts from {day_and_month(coming.day)} on: {coming.why}")
    return ContactVerdict(coming.step, due_at=min(coming.at, at), time=wait.times_done(coming.step) + 1)


def three_contacts(wait: Wait, now: datetime) -> Plan:
    """What three contacts ask for at `now` (F3, F4, F7), awake."""
    if FollowUpStep.RESOLVE in wait.done:
        return Plan()
    coming = next_attempt(wait)
    if coming is None:
        return _after_the_third(wait, now)
    lost = wait.done.get(coming.step)
    if lost is not None and not lost.again:
        return Plan(
            look_again_at=now + RECHECK, held_up=f"Attempt {coming.number} did not reach the customer: call them."
        )
    if coming.at > now:
        return Plan(look_again_at=coming.at)
    if (in_hours := wait.in_hours(now)) > now:
        return Plan(look_again_at=in_hours)
    return _attempt(wait, coming, now)


def closing_after(wait: Wait, told_at: datetime) -> datetime:
    """The first 10:00 over there on a business day at least 24 elapsed hours after that moment (F4), not while away."""
    day = wait.calendar.local_date(told_at + WARNED_FOR)
    at = wait.calendar.at_local_time(wait.calendar.business_day_on_or_after(day), wait.hours.opens)
    if at < told_at + WARNED_FOR:
        at = wait.calendar.at_local_time(wait.calendar.next_business_day(day), wait.hours.opens)
    return wait.awake(at)


def closing_to_announce(wait: Wait, now: datetime) -> datetime:
    """What an announcement that is written now may promise: its mail needs a moment to leave (F4, F7)."""
    return closing_after(wait, now + ON_TIME_WITHIN)


def leaves_by(wait: Wait, now: datetime) -> datetime:
    """Until when an attempt's mail may leave: later it would be another day's, or wake somebody up (F3)."""
    return wait.calendar.at_local_time(wait.calendar.local_date(now), wait.hours.leaves_by)


# --- when ---------------------------------------------------------------------------------------------------------


def _day_of(wait: Wait, done: DoneStep) -> date:
    return wait.calendar.local_date(done.sent_at or done.done_at)


def _asked_on(wait: Wait) -> date:
    return wait.calendar.local_date(wait.started_at)


def attempts_made(wait: Wait) -> list[DoneStep]:
    """The attempts that count, in their order: a mail that came back later was none (F3)."""
    made = [done for step in ATTEMPTS if (done := wait.done.get(step)) is not None and not done.lost]
    return sorted(made, key=lambda done: done.sent_at or done.done_at)


def _last_attempt(wait: Wait) -> DoneStep | None:
    made = attempts_made(wait)
    return made[-1] if made else None


def _permitted_on(wait: Wait) -> date:
    """The next business day after we asked; then at least one business day between two attempts (F3)."""
    before = _last_attempt(wait)
    if before is None:
        return wait.calendar.next_business_day(_asked_on(wait))
    return wait.calendar.next_business_day(_day_of(wait, before), 2)


def _attempt(wait: Wait, coming: NextAttempt, now: datetime) -> Plan:
    """The owner is told to phone, the mail goes when nobody did; at once to whoever does not prefer the phone (F3)."""
    today = wait.calendar.local_date(now)
    mail_at = wait.calendar.at_local_time(today, wait.hours.mail_at)
    called = wait.done.get(CALL_BEFORE[coming.step])
    if not wait.phones or now >= mail_at:
        due_at = wait.calendar.at_local_time(wait.calendar.local_date(coming.at), wait.hours.mail_at)
        return Plan(act=DueStep(coming.step, due_at if wait.phones and due_at <= now else coming.at))
    if called is None:
        return Plan(act=DueStep(CALL_BEFORE[coming.step], coming.at))
    if wait.calendar.local_date(called.done_at) < today:
        return Plan(act=DueStep(coming.step, coming.at))
    return Plan(look_again_at=mail_at)


def _after_the_third(wait: Wait, now: datetime) -> Plan:
    third = attempts_made(wait)[-1]
    announced = wait.done.get(FollowUpStep.ANNOUNCED)
    if announced is None or announced.done_at < third.done_at:  # what was announced before the third contact is void
        announced = third if third.closes_at else None
    if announced is None:  # a third attempt by a person is confirmed by mail (F4)
        return Plan(act=DueStep(FollowUpStep.ANNOUNCED, third.done_at))
    again_at = announced_again_at(announced, wait.sleeps)
    if again_at is not None:
        again_at = wait.in_hours(again_at)
        act = DueStep(FollowUpStep.ANNOUNCED, again_at)
        return _in_hours(wait, act, now) if again_at <= now else Plan(look_again_at=again_at)
    if announced.sent_at is None or announced.closes_at is None:
        held_up = "The announcement of the closing has not been delivered, so the case stays open."
        return Plan(look_again_at=now + RECHECK, held_up=held_up)
    closes_at = max(announced.closes_at, closing_after(wait, announced.sent_at))
    if closes_at > now:
        return Plan(look_again_at=closes_at)
    return _in_hours(wait, DueStep(FollowUpStep.RESOLVE, closes_at), now)


def _in_hours(wait: Wait, act: DueStep, now: datetime) -> Plan:
    """The step now, or when one may turn to the customer next: what an outage held up is not done at night (F7)."""
    in_hours = wait.in_hours(now)
    return Plan(act=act) if in_hours <= now else Plan(look_again_at=in_hours)


# --- why ----------------------------------------------------------------------------------------------------------


def _why_not_sooner(wait: Wait, lost: DoneStep | None, day: date, at: datetime) -> str:
    """“Mon 1 June was an attempt, Tue 2 June would be consecutive”, to stand behind the day."""
    before = _last_attempt(wait)
    reasons = [_said_before(wait, before)]
    start = _day_of(wait, before) if before else _asked_on(wait)
    reasons += _said_skipped(wait.calendar, start, day, consecutive=before is not None)
    planned_on = wait.calendar.local_date(at)
    if planned_on > day:
        reasons.append(
            f"the mail of {day_and_month(_day_of(wait, lost))} was not delivered"
            if lost and wait.awake(wait.calendar.at_local_time(day, wait.hours.opens)) <= lost.done_at
            else f"they are away until {day_and_month(planned_on)}"
        )
    return ", ".join(reasons)


def _said_before(wait: Wait, before: DoneStep | None) -> str:
    if before is None:
        return f"the first attempt is on the next business day after we asked, {day_and_month(_asked_on(wait))}"
    return f"{day_and_month(_day_of(wait, before))} was an attempt"


def _said_skipped(calendar: BusinessCalendar, start: date, end: date, consecutive: bool) -> Iterator[str]:
    """Why each day strictly between the two is none, days with the same reason together."""
    days = [start + number * ONE_DAY for number in range(1, (end - start).days)]
    for reason, alike in groupby(days, key=lambda day: _kept_back(calendar, day, consecutive)):
        names = [day_and_month(day) for day in alike]
        yield f"{and_list(names)} {NO_BUSINESS_DAY[len(names) > 1] if reason == CLOSED else reason}"


def _kept_back(calendar: BusinessCalendar, day: date, consecutive: bool) -> str:
    closed = calendar.closed_because(day)
    if not closed:
        return "would be consecutive" if consecutive else "is too early"
    return CLOSED if closed in WEEKDAYS else f"is {closed}"


def _said_closed(calendar: BusinessCalendar, day: date) -> str:
    closed = calendar.closed_because(day)
    return f"{day_and_month(day)} is no business day there" + ("" if closed in WEEKDAYS else f" ({closed})")
