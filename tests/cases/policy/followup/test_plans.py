"""Both plans under whatever happens (F1 to F7): played by chance against what must always hold. No database."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.enums import FollowUpStep, WaitPlan
from cases.policy.followup.absences import (
    OWNER_DECIDES_AFTER,
    Sleep,
    owner_decides_at,
    skip_sleep,
    sleep_until_answered,
    sleep_while_away,
)
from cases.policy.followup.plans import apply_decision, closing_announced_by, decide_follow_up, send_by
from cases.policy.followup.three_contacts import ATTEMPTS, classify_contact
from cases.policy.followup.wait import TO_STAFF, DoneStep, Wait
from contacts.calendars import BusinessCalendar
from tests.support.examples import examples

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
CALENDARS = (
    BusinessCalendar("DE", "Europe/Berlin", "BY"),
    BusinessCalendar("JP", "Asia/Tokyo"),
    BusinessCalendar("US", "America/New_York"),
    BusinessCalendar("SA", "Asia/Riyadh"),
    BusinessCalendar("NZ", "Pacific/Auckland"),
    BusinessCalendar("GB", "Europe/London", closure_days=frozenset({date(2026, 12, 29), date(2026, 12, 30)})),
)
T0 = datetime(2026, 12, 14, 23, 30, tzinfo=UTC)  # a fortnight of holidays lies ahead

# What may happen, each after so many minutes; the engine looks after most of it, and is away for days at times.
WORDS = (
    *(*["sweep"] * 8, "call", "call", "away", "unread", "back", "leaves", "joins"),
    *("mail fails", "mail waits", "mail works", "response"),
)
LATER = st.one_of(st.integers(1, 90), st.integers(1, 26 * 60), st.integers(1, 6 * 24 * 60))
HAPPENS = st.lists(st.tuples(LATER, st.sampled_from(WORDS), st.integers(0, 40)), min_size=1, max_size=60)


@dataclass
class Played:
    """A wait, and what came of it: steps carried out, mails that left, contacts that counted."""

    wait: Wait
    now: datetime
    mail: str = "works"
    over: bool = False
    waiting: list[tuple[datetime, FollowUpStep, datetime | None, datetime | None]] = field(default_factory=list)
    told: list[tuple[datetime, FollowUpStep]] = field(default_factory=list)
    announced: list[tuple[datetime, datetime]] = field(default_factory=list)  # sent, closes
    closed_at: datetime | None = None
    asleep_before: list[Sleep] = field(default_factory=list)

    def sweep(self) -> None:
        self.deliver()
        for _ in range(3):  # a tick delivered twice changes nothing
            if self.over:
                return
            plan = decide_follow_up(self.wait, self.now)
            assert plan.due is None or plan.due.due_at <= self.now
            assert plan.due or plan.check_at is None or plan.check_at > self.now
            if plan.due is None:
                return
            if plan.due.step == FollowUpStep.RESOLVE:
                assert not self.wait.contact_left, "closed though nobody was there to answer"
                self.closed_at, self.over = self.now, True
                self.check_closing()
                return
            if plan.due.step not in TO_STAFF:
                assert self.wait.skip_sleep(self.now) == self.now, "turned to while away"
                assert not self.wait.contact_left, "turned to though they had left"
            self.told.append((self.now, plan.due.step))
            closes_at = closing_announced_by(self.wait, plan.due, self.now)
            by = send_by(self.wait, plan.due, self.now, closes_at)
            self.wait = apply_decision(self.wait, plan, self.now)
            if plan.due.step not in TO_STAFF:
                self.waiting.append((self.now, plan.due.step, by, closes_at))
            self.deliver()

    def deliver(self) -> None:
        """What the outbox does: send, give up, or drop what came too late."""
        if self.mail == "waits" or self.over:
            return
        for _, step, by, closes_at in self.waiting:
            late = by is not None and self.now > by
            if late or self.mail == "fails":
                self.settle(step, lost=True, worth_repeating=late)
            else:
                self.settle(step, sent_at=self.now)
                if closes_at is not None:
                    self.announced.append((self.now, closes_at))
        self.waiting.clear()

    def settle(self, step: FollowUpStep, **fields) -> None:
        self.wait = replace(self.wait, done={**self.wait.done, step: replace(self.wait.done[step], **fields)})

    def call(self) -> None:
        judged = classify_contact(self.wait, self.now)
        assert (judged.step is None) == bool(judged.why)
        if judged.step is not None and self.wait.plan == WaitPlan.THREE_CONTACTS:
            done = DoneStep(judged.due_at, self.now, by_person=True, times=judged.time)
            self.wait = replace(self.wait, done={**self.wait.done, judged.step: done})

    def away(self, days: int) -> None:
        today = self.wait.calendar.local_date(self.now)
        sleep = sleep_while_away(today + timedelta(days % 5), today + timedelta(days % 5 + 1 + days), *self.clock())
        self.wait = replace(self.wait, sleeps=(*self.wait.sleeps, sleep))

    def unread(self) -> None:
        if not self.asleep_before:  # asked once in a wait
            self.asleep_before.append(sleep_until_answered(self.now, *self.clock()))
            self.wait = replace(self.wait, sleeps=(*self.wait.sleeps, *self.asleep_before))

    def back(self) -> None:
        self.wait = replace(self.wait, sleeps=())

    def leaves(self) -> None:
        self.wait = replace(self.wait, contact_left=True)

    def joins(self) -> None:
        """Another contact takes their place."""
        self.wait = replace(self.wait, contact_left=False)

    def clock(self) -> tuple[BusinessCalendar, time]:
        return self.wait.calendar, self.wait.hours.opens

    def check_closing(self) -> None:
        """F4, F7: announced, sent a day before, not before what it says; three contacts close on a business day."""
        assert self.announced, "closed without an announcement"
        sent_at, closes_at = self.announced[-1]
        assert self.closed_at >= sent_at + DAY
        assert skip_sleep(closes_at, self.wait.sleeps) == closes_at, "they could not know that it closes now"
        if self.wait.plan == WaitPlan.THREE_CONTACTS:
            assert self.closed_at >= closes_at
            assert self.wait.calendar.is_business_day(self.wait.calendar.local_date(self.closed_at))
            assert self.wait.next_contact_time(self.closed_at) == self.closed_at
        assert skip_sleep(self.closed_at, self.wait.sleeps) == self.closed_at

    def happens(self, word: str, amount: int) -> None:
        if self.over:
            return
        if word == "response":
            self.over = True  # F6: the wait is over, whatever was due
        elif word.startswith("mail"):
            self.mail = word.removeprefix("mail ")
        elif word == "away":
            self.away(amount)
        elif word in ("call", "unread", "back", "leaves", "joins"):
            getattr(self, word)()
        elif word == "sweep":
            self.sweep()

    def left_alone(self) -> None:
        """From here on mail works and somebody looks whenever the plan asks for it: it has to come to its end."""
        self.mail = "works"
        for _ in range(200):
            if self.over:
                return
            self.sweep()
            if self.over:
                return
            look = decide_follow_up(self.wait, self.now).check_at
            assert look is not None, "waits for ever"
            if decide_follow_up(self.wait, self.now).held_up:
                self.call()  # the owner was told that a mail failed
                self.repair()
                look = min(look, self.now + 4 * HOUR)
            self.now = max(look, self.now + MINUTE)
        raise AssertionError("never comes to an end")

    def repair(self) -> None:
        """The owner corrects the address, or chooses another contact."""
        self.joins()
        done = {step: replace(one, worth_repeating=True) if one.lost else one for step, one in self.wait.done.items()}
        self.wait = replace(self.wait, done=done)


def play(plan: WaitPlan, calendar: BusinessCalendar, phones: bool, story) -> Played:
    played = Played(Wait(T0, plan, calendar, phones=phones), T0)
    for minutes, word, amount in story:
        played.now += minutes * MINUTE
        played.happens(word, amount)
    return played


ANY = {"calendar": st.sampled_from(CALENDARS), "phones": st.booleans(), "story": HAPPENS}


@examples(600)
@given(**ANY)
def test_no_two_attempts_that_count_are_on_the_same_or_on_consecutive_business_days(calendar, phones, story):  # F3
    played = play(WaitPlan.THREE_CONTACTS, calendar, phones, story)
    played.left_alone()
    made = [played.wait.done[step] for step in ATTEMPTS if step in played.wait.done and not played.wait.done[step].lost]
    days = sorted(calendar.local_date(one.sent_at or one.done_at) for one in made)
    assert all(calendar.is_business_day(day) for day in days)
    assert all(calendar.business_days_between(earlier, later) >= 1 for earlier, later in pairwise(days))
    assert all(day > calendar.local_date(T0) for day in days)
    if played.closed_at is not None:
        assert len(made) == 3


@examples(600)
@given(plan=st.sampled_from(WaitPlan), **ANY)
def test_whatever_happens_a_wait_comes_to_an_end_and_closes_only_as_announced(plan, calendar, phones, story):  # F4, F7
    played = play(plan, calendar, phones, story)
    responded = played.over and played.closed_at is None
    told = len(played.told)
    played.left_alone()
    assert responded == (played.closed_at is None)
    if responded:
        assert len(played.told) == told  # F6: never a notice after a response


@examples(300)
@given(plan=st.sampled_from(WaitPlan), **ANY)
def test_nobody_is_turned_to_twice_within_a_day_except_to_announce_the_closing(plan, calendar, phones, story):  # F7
    played = play(plan, calendar, phones, [one for one in story if not one[1].startswith(("mail", "call"))])
    played.left_alone()
    turned_to = [at for at, step in played.told if step not in TO_STAFF]
    assert all(later - earlier >= 20 * HOUR for earlier, later in pairwise(turned_to))


@examples(300)
@given(
    sleeps=st.lists(st.tuples(st.integers(-50, 200), st.integers(1, 60)), max_size=6),
    at=st.integers(-10, 300),
)
def test_sleeps_that_overlap_or_touch_are_slept_through_whatever_their_order(sleeps, at):  # F5
    taken = [Sleep(T0 + start * DAY, T0 + (start + length) * DAY) for start, length in sleeps]
    woken = skip_sleep(T0 + at * DAY, taken)
    assert woken == skip_sleep(T0 + at * DAY, taken[::-1])
    assert not any(start <= woken < wakes_at for start, wakes_at in taken)
    days = {day for start, length in sleeps for day in range(max(start, 0), start + length)}
    decides_at = owner_decides_at(taken, T0)
    assert (decides_at is None) == (len(days) <= OWNER_DECIDES_AFTER.days)
    if decides_at is not None:
        assert decides_at == T0 + sorted(days)[OWNER_DECIDES_AFTER.days] * DAY  # with the first day more


@pytest.mark.slow
@examples(200)
@given(
    plan=st.sampled_from(WaitPlan),
    calendar=st.sampled_from(CALENDARS),
    lost_after=st.integers(1, 8 * 24 * 60),
    left=st.booleans(),
    acts=st.lists(st.integers(1, 12 * 24 * 60), max_size=3),
)
def test_a_held_up_wait_is_told_on_every_business_day_until_somebody_acts(plan, calendar, lost_after, left, acts):
    """F2, D9, day by day and written from the rule alone: a business day after it began, acts put it off by one."""
    began = T0 + lost_after * MINUTE
    done = {} if left else {FollowUpStep.NOTICE_1: DoneStep(began, began, lost=True)}
    done |= {} if left else {FollowUpStep.ATTEMPT_1: DoneStep(began, began, lost=True)}
    wait = Wait(T0, plan, calendar, done, contact_left=left, question_lost_at=None)
    ends, now, told = began + 20 * DAY, began, []
    moments = sorted({began + minutes * MINUTE for minutes in acts})
    while now <= ends:
        wait = replace(wait, acted_at=max((at for at in moments if at <= now), default=None))
        decision = decide_follow_up(wait, now)
        if decision.due is not None and decision.due.step == FollowUpStep.HELD_UP:
            told.append(now)
        if decision.due is not None:
            is_to_staff = decision.due.step in TO_STAFF
            wait = apply_decision(wait, decision, now, lost=not is_to_staff)
            assert decision.due.step != FollowUpStep.RESOLVE
            continue
        assert decision.check_at is not None, "just stands"
        now = min([decision.check_at, *(at for at in moments if at > now)])
    expected, last, zone = [], began, ZoneInfo(calendar.time_zone)
    while True:
        day = last.astimezone(zone).date() + DAY
        while not calendar.is_business_day(day):
            day += DAY
        due = calendar.at_local_time(day, last.astimezone(zone).time())
        acted = [at for at in moments if last < at <= due]
        if not acted and due > ends:
            break
        if not acted:
            expected.append(due)
        last = acted[0] if acted else due
    assert told == expected
