"""Three contacts (F3, F4): three attempts on non-consecutive business days of the customer, then closed as announced.

Attempts are mailed at 10:00 local time. Where the customer prefers the phone, the owner is asked to call first, and the
mail goes at 16:00 if nobody called. A call or a mail that a technician logs is an attempt too, unless it is too early.
Cases close at 11:00 local time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from cases.enums import FollowUpStep, WaitPlan
from cases.policy.followup.wait import (
    LEAVES_WITHIN,
    RECHECK,
    WARNING_PERIOD,
    DoneStep,
    DueStep,
    FollowUpDecision,
    Wait,
    announce_again_at,
)
from contacts.calendars import WEEKDAYS, BusinessCalendar
from contacts.wording import and_list, day_and_month

ATTEMPTS = (FollowUpStep.ATTEMPT_1, FollowUpStep.ATTEMPT_2, FollowUpStep.ATTEMPT_3)
#: The owner is asked to call before the desk writes by itself.
CALL_BEFORE = dict(zip(ATTEMPTS, (FollowUpStep.CALL_1, FollowUpStep.CALL_2, FollowUpStep.CALL_3), strict=True))
ONE_DAY = timedelta(days=1)
CLOSED = "closed"
NO_BUSINESS_DAY = {False: "is no business day", True: "are no business days"}


@dataclass(frozen=True, slots=True)
class NextAttempt:
    """The next attempt: the first day that counts, when the plan makes it (UTC), and why not sooner."""

    step: FollowUpStep
    day: date
    at: datetime
    why: str

    @property
    def number(self) -> int:
        """1, 2 or 3."""
        return ATTEMPTS.index(self.step) + 1


@dataclass(frozen=True, slots=True)
class ContactVerdict:
    """Which attempt a contact that a technician logs counts as and when that was due, or why it is none (F3)."""

    step: FollowUpStep | None
    why: str = ""
    due_at: datetime | None = None
    time: int = 1  # more than 1: the attempt was lost before


def next_attempt(wait: Wait) -> NextAttempt | None:
    """The next attempt; None when all three were made (F3, F5)."""
    step = next((step for step in ATTEMPTS if step not in wait.done or wait.done[step].lost), None)
    if step is None:
        return None
    day = _permitted_on(wait)
    lost = wait.done.get(step)
    planned = day if lost is None else max(day, wait.calendar.next_business_day(_day_of(wait, lost)))
    at = wait.skip_sleep(wait.calendar.at_local_time(planned, wait.hours.opens))
    return NextAttempt(step, day, at, _why_not_sooner(wait, lost, day, at))


def classify_contact(wait: Wait, at: datetime) -> ContactVerdict:
    """What a call or a mail that a technician logs at `at` counts as (F3)."""
    attempt = next_attempt(wait)
    if attempt is None:
        return ContactVerdict(
            None, "all three contacts were made; the case closes as announced unless the customer answers"
        )
    day = wait.calendar.local_date(at)
    woken = wait.skip_sleep(at)
    if woken > at:
        return ContactVerdict(
            None, f"the customer is away; the follow-up wakes on {day_and_month(wait.calendar.local_date(woken))}"
        )
    if not wait.calendar.is_business_day(day):
        return ContactVerdict(
            None, f"{_closed_text(wait.calendar, day)}; the next attempt counts from {day_and_month(attempt.day)} on"
        )
    if day < attempt.day:
        return ContactVerdict(None, f"the next attempt counts from {day_and_month(attempt.day)} on: {attempt.why}")
    return ContactVerdict(attempt.step, due_at=min(attempt.at, at), time=wait.times_done(attempt.step) + 1)


def three_contacts(wait: Wait, now: datetime) -> FollowUpDecision:
    """What three contacts ask for at `now`, a moment outside every sleep (F3, F4, F7)."""
    if FollowUpStep.RESOLVE in wait.done:
        return FollowUpDecision()
    attempt = next_attempt(wait)
    if attempt is None:
        return _decide_closing(wait, now)
    lost = wait.done.get(attempt.step)
    if lost is not None and not lost.worth_repeating:
        return FollowUpDecision(
            check_at=now + RECHECK, held_up=f"Attempt {attempt.number} did not reach the customer: call them."
        )
    if attempt.at > now:
        return FollowUpDecision(check_at=attempt.at)
    if (contact_at := wait.next_contact_time(now)) > now:
        return FollowUpDecision(check_at=contact_at)
    return _decide_attempt(wait, attempt, now)


def closing_after(wait: Wait, announced_at: datetime) -> datetime:
    """The first 11:00 local time on a business day at least 24 elapsed hours after the announcement, awake (F4, F5)."""
    at = _first_closing_time(wait, announced_at + WARNING_PERIOD)
    while (woken := wait.skip_sleep(at)) > at:
        at = _first_closing_time(wait, woken)
    return at


def _first_closing_time(wait: Wait, moment: datetime) -> datetime:
    day = wait.calendar.local_date(moment)
    at = wait.calendar.at_local_time(wait.calendar.business_day_on_or_after(day), wait.hours.closes_at)
    if at < moment:
        at = wait.calendar.at_local_time(wait.calendar.next_business_day(day), wait.hours.closes_at)
    return at


def closing_to_announce(wait: Wait, now: datetime) -> datetime:
    """The closing time that an announcement written now may name: its mail needs a moment to leave (F4, F7)."""
    return closing_after(wait, now + LEAVES_WITHIN)


def leaves_by(wait: Wait, now: datetime) -> datetime:
    """Until when an attempt's mail may leave: not in the night, and on no other day (F3)."""
    return wait.calendar.at_local_time(wait.calendar.local_date(now), wait.hours.leaves_by)


def _day_of(wait: Wait, done: DoneStep) -> date:
    return wait.calendar.local_date(done.sent_at or done.done_at)


def _asked_on(wait: Wait) -> date:
    return wait.calendar.local_date(wait.started_at)


def attempts_made(wait: Wait) -> list[DoneStep]:
    """The attempts that count, in order of time: a mail that came back was none (F3)."""
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


def _decide_attempt(wait: Wait, attempt: NextAttempt, now: datetime) -> FollowUpDecision:
    """The mail; if the customer prefers the phone, first the owner's call, and the mail if nobody called (F3)."""
    today = wait.calendar.local_date(now)
    mail_at = wait.calendar.at_local_time(today, wait.hours.mail_at)
    called = wait.done.get(CALL_BEFORE[attempt.step])
    if not wait.phones or now >= mail_at:
        due_at = wait.calendar.at_local_time(wait.calendar.local_date(attempt.at), wait.hours.mail_at)
        return FollowUpDecision(due=DueStep(attempt.step, due_at if wait.phones and due_at <= now else attempt.at))
    if called is None:
        return FollowUpDecision(due=DueStep(CALL_BEFORE[attempt.step], attempt.at))
    if wait.calendar.local_date(called.done_at) < today:
        return FollowUpDecision(due=DueStep(attempt.step, attempt.at))
    return FollowUpDecision(check_at=mail_at)


def _decide_closing(wait: Wait, now: datetime) -> FollowUpDecision:
    third = attempts_made(wait)[-1]
    announced = wait.done.get(FollowUpStep.ANNOUNCED)
    if announced is None or announced.done_at < third.done_at:  # announced before the third contact: void
        announced = third if third.closes_at else None
    if announced is None:  # a third attempt by a person is confirmed by mail (F4)
        return FollowUpDecision(due=DueStep(FollowUpStep.ANNOUNCED, third.done_at))
    again_at = announce_again_at(announced, wait.sleeps)
    if again_at is not None:
        again_at = wait.next_contact_time(again_at)
        due = DueStep(FollowUpStep.ANNOUNCED, again_at)
        return _in_contact_hours(wait, due, now) if again_at <= now else FollowUpDecision(check_at=again_at)
    if announced.sent_at is None or announced.closes_at is None:
        held_up = "The announcement of the closing has not been delivered, so the case stays open."
        return FollowUpDecision(check_at=now + RECHECK, held_up=held_up)
    in_time = announced.sent_at + WARNING_PERIOD <= announced.closes_at
    closes_at = announced.closes_at if in_time else closing_after(wait, announced.sent_at)
    if closes_at > now:
        return FollowUpDecision(check_at=closes_at)
    return _in_contact_hours(wait, DueStep(FollowUpStep.RESOLVE, closes_at), now)


def _in_contact_hours(wait: Wait, due: DueStep, now: datetime) -> FollowUpDecision:
    """The step now, or a check when the contact hours begin: what an outage delayed is not done at night (F7)."""
    contact_at = wait.next_contact_time(now)
    return FollowUpDecision(due=due) if contact_at <= now else FollowUpDecision(check_at=contact_at)


def _why_not_sooner(wait: Wait, lost: DoneStep | None, day: date, at: datetime) -> str:
    """“Mon 1 June was an attempt, Tue 2 June would be consecutive”."""
    before = _last_attempt(wait)
    reasons = [_why_after_last(wait, before)]
    start = _day_of(wait, before) if before else _asked_on(wait)
    reasons += _why_skipped(wait.calendar, start, day, consecutive=before is not None)
    planned_on = wait.calendar.local_date(at)
    if planned_on > day:
        reasons.append(
            f"the mail of {day_and_month(_day_of(wait, lost))} was not delivered"
            if lost and wait.skip_sleep(wait.calendar.at_local_time(day, wait.hours.opens)) <= lost.done_at
            else f"they are away until {day_and_month(planned_on)}"
        )
    return ", ".join(reasons)


def _why_after_last(wait: Wait, before: DoneStep | None) -> str:
    if before is None:
        return f"the first attempt is on the next business day after we asked, {day_and_month(_asked_on(wait))}"
    return f"{day_and_month(_day_of(wait, before))} was an attempt"


def _why_skipped(calendar: BusinessCalendar, start: date, end: date, consecutive: bool) -> Iterator[str]:
    """Why no day strictly between the two counts; days with the same reason are named together."""
    days = [start + number * ONE_DAY for number in range(1, (end - start).days)]
    for reason, alike in groupby(days, key=lambda day: _why_not_on(calendar, day, consecutive)):
        names = [day_and_month(day) for day in alike]
        yield f"{and_list(names)} {NO_BUSINESS_DAY[len(names) > 1] if reason == CLOSED else reason}"


def _why_not_on(calendar: BusinessCalendar, day: date, consecutive: bool) -> str:
    closed = calendar.closed_because(day)
    if not closed:
        return "would be consecutive" if consecutive else "is too early"
    return CLOSED if closed in WEEKDAYS else f"is {closed}"


def _closed_text(calendar: BusinessCalendar, day: date) -> str:
    closed = calendar.closed_because(day)
    return f"{day_and_month(day)} is no business day there" + ("" if closed in WEEKDAYS else f" ({closed})")


@dataclass(frozen=True, slots=True)
class WantedCall:
    """The owner is to call the customer, before the desk writes by itself."""

    since: datetime
    until: datetime


def call_wanted(wait: Wait, now: datetime) -> WantedCall | None:
    """The call that is wanted of the owner at `now` (F3), whether or not a sweep has asked them for it yet.

    None while the customer is away, does not prefer the phone, or the next attempt is not due.
    """
    attempt = next_attempt(wait) if wait.plan == WaitPlan.THREE_CONTACTS and wait.phones else None
    if attempt is None or attempt.at > now or wait.contact_left or wait.next_contact_time(now) > now:
        return None
    return WantedCall(attempt.at, wait.calendar.at_local_time(wait.calendar.local_date(attempt.at), wait.hours.mail_at))
