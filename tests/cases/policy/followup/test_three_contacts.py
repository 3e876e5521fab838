"""Three contacts (F3, F4) on real calendars, absences (F5) and outages (F7) included. No database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from cases.enums import FollowUpStep, WaitPlan
from cases.policy.followup.absences import sleep_while_away
from cases.policy.followup.plans import (
    apply_decision,
    closing_announced_by,
    decide_follow_up,
    send_by,
    upcoming_steps,
)
from cases.policy.followup.three_contacts import (
    ATTEMPTS,
    classify_contact,
    closing_after,
    closing_to_announce,
    next_attempt,
)
from cases.policy.followup.wait import ContactHours, DoneStep, Wait
from contacts.calendars import BusinessCalendar

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
FIRST, SECOND, THIRD = ATTEMPTS
ANNOUNCED, RESOLVE = FollowUpStep.ANNOUNCED, FollowUpStep.RESOLVE
BERLIN = BusinessCalendar("DE", "Europe/Berlin", "BE")
TOKYO = BusinessCalendar("JP", "Asia/Tokyo")
NEW_YORK = BusinessCalendar("US", "America/New_York")
RIYADH = BusinessCalendar("SA", "Asia/Riyadh")
SHANGHAI = BusinessCalendar("CN", "Asia/Shanghai")


def local(calendar: BusinessCalendar, stamp: str) -> datetime:
    """“2026-06-03 10:00” on the wall clock over there, in UTC."""
    return datetime.fromisoformat(stamp).replace(tzinfo=ZoneInfo(calendar.time_zone)).astimezone(UTC)


def said(calendar: BusinessCalendar, moment: datetime) -> str:
    return f"{moment.astimezone(ZoneInfo(calendar.time_zone)):%Y-%m-%d %H:%M}"


def waits(calendar: BusinessCalendar, asked: str, **fields) -> Wait:
    return Wait(local(calendar, asked), WaitPlan.THREE_CONTACTS, calendar, **fields)


def lived(wait: Wait) -> list[tuple[str, str]]:
    """What the plan comes to if nobody does anything, in the customer's local time."""
    return [(str(one.step), said(wait.calendar, one.due_at)) for one in upcoming_steps(wait, wait.started_at)]


#: Typed from real calendars: when we asked, the three attempts, the closing. All local times of the customer.
LIVES = [
    # Golden Week 2026: 29 April, 4, 5 and 6 May (in place of Sunday the 3rd) are public holidays
    (TOKYO, "2026-04-28 15:00", ["2026-04-30", "2026-05-07", "2026-05-11"], "2026-05-12"),
    # Christmas in Germany: the 25th is a holiday, the 26th a Saturday, 1 January a Friday
    (BERLIN, "2026-12-22 09:00", ["2026-12-23", "2026-12-28", "2026-12-30"], "2026-12-31"),
    # Thanksgiving is Thursday the 26th
    (NEW_YORK, "2026-11-23 16:30", ["2026-11-24", "2026-11-27", "2026-12-01"], "2026-12-02"),
    # the weekend is Friday and Saturday
    (RIYADH, "2026-06-03 12:00", ["2026-06-04", "2026-06-08", "2026-06-10"], "2026-06-11"),
    # Saturday 8 February 2025 is worked in China, to make up for the Spring Festival
    (SHANGHAI, "2025-02-06 11:00", ["2025-02-07", "2025-02-10", "2025-02-12"], "2025-02-13"),
    # clocks go forward on Sunday 29 March 2026, and back on Sunday 25 October
    (BERLIN, "2026-03-26 11:00", ["2026-03-27", "2026-03-31", "2026-04-02"], "2026-04-07"),
    (BERLIN, "2026-10-22 11:00", ["2026-10-23", "2026-10-27", "2026-10-29"], "2026-10-30"),
    # a leap day is a day
    (BERLIN, "2028-02-28 11:00", ["2028-02-29", "2028-03-02", "2028-03-06"], "2028-03-07"),
    # asked on a day off: the next business day is the first
    (BERLIN, "2026-06-06 11:00", ["2026-06-08", "2026-06-10", "2026-06-12"], "2026-06-15"),
]


@pytest.mark.parametrize(("calendar", "asked", "attempts", "closing"), LIVES)
def test_three_attempts_on_non_consecutive_business_days_then_the_closing(calendar, asked, attempts, closing):  # F3, F4
    expected = [(str(step), f"{day} 10:00") for step, day in zip(ATTEMPTS, attempts, strict=True)]
    assert lived(waits(calendar, asked)) == [*expected, ("resolve", f"{closing} 11:00")]


def test_the_day_on_which_we_asked_is_the_customers_own():  # F3: the date line
    asked = datetime(2026, 6, 1, 23, 30, tzinfo=UTC)  # Tuesday 08:30 in Tokyo
    wait = replace(waits(TOKYO, "2026-06-02 08:30"), started_at=asked)
    assert said(TOKYO, next_attempt(wait).at) == "2026-06-03 10:00"
    assert next_attempt(wait).at == datetime(2026, 6, 3, 1, 0, tzinfo=UTC)


def test_ten_in_the_morning_is_ten_on_the_customers_clock_before_and_after_it_changes():  # F3
    friday, tuesday, _, _ = upcoming_steps(waits(BERLIN, "2026-03-26 11:00"), local(BERLIN, "2026-03-26 11:00"))
    assert (friday.due_at.hour, tuesday.due_at.hour) == (9, 8)


def test_it_says_why_not_sooner():  # F3
    wait = waits(BERLIN, "2026-05-29 12:00")  # a Friday
    assert next_attempt(wait).why == (
        "the first attempt is on the next business day after we asked, Fri 29 May, "
        "Sat 30 May and Sun 31 May are no business days"
    )
    monday = DoneStep(local(BERLIN, "2026-06-01 10:00"), local(BERLIN, "2026-06-01 10:00"))
    second = next_attempt(replace(wait, done={FIRST: monday}))
    assert (second.number, second.day) == (2, date(2026, 6, 3))
    assert second.why == "Mon 1 June was an attempt, Tue 2 June would be consecutive"


def test_a_holiday_between_two_business_days_does_not_part_them():  # F3: Ascension Day is Thursday 14 May 2026
    wednesday = DoneStep(local(BERLIN, "2026-05-13 10:00"), local(BERLIN, "2026-05-13 10:00"))
    second = next_attempt(waits(BERLIN, "2026-05-12 12:00", done={FIRST: wednesday}))
    assert second.day == date(2026, 5, 18)
    assert second.why == (
        "Wed 13 May was an attempt, Thu 14 May is Ascension Day, Fri 15 May would be consecutive, "
        "Sat 16 May and Sun 17 May are no business days"
    )


@pytest.mark.parametrize(
    ("at", "counts", "why"),
    [
        ("2026-06-01 13:00", None, "the first attempt is on the next business day"),
        ("2026-06-02 00:30", FIRST, ""),
        ("2026-06-02 08:00", FIRST, ""),
        ("2026-06-02 23:59", FIRST, ""),
        ("2026-06-06 12:00", None, "Sat 6 June is no business day there"),
        ("2026-06-09 12:00", FIRST, ""),
    ],
)
def test_a_logged_call_counts_on_its_day_and_not_before(at, counts, why):  # F3
    judged = classify_contact(waits(BERLIN, "2026-06-01 12:00"), local(BERLIN, at))
    assert judged.step == counts
    assert why in judged.why


@pytest.mark.parametrize(("day", "counts"), [("02", None), ("03", None), ("04", SECOND), ("05", SECOND)])
def test_a_call_on_the_day_after_an_attempt_is_logged_but_does_not_count(day, counts):  # F3
    done = {FIRST: DoneStep(local(BERLIN, "2026-06-02 10:00"), local(BERLIN, "2026-06-02 10:00"))}
    judged = classify_contact(waits(BERLIN, "2026-06-01 12:00", done=done), local(BERLIN, f"2026-06-{day} 15:00"))
    assert judged.step == counts
    assert bool(judged.why) == (counts is None)


def test_nothing_counts_while_they_are_away_or_after_the_third():  # F3, F5
    away = sleep_while_away(date(2026, 6, 2), date(2026, 6, 8), BERLIN, time(10))
    wait = waits(BERLIN, "2026-06-01 12:00", sleeps=(away,))
    assert "away" in classify_contact(wait, local(BERLIN, "2026-06-03 12:00")).why
    at = local(BERLIN, "2026-06-02 10:00")
    over = waits(BERLIN, "2026-06-01 12:00", done={step: DoneStep(at, at) for step in ATTEMPTS})
    assert "all three" in classify_contact(over, local(BERLIN, "2026-07-01 12:00")).why


def test_the_owner_of_somebody_who_prefers_the_phone_is_told_at_ten_and_the_mail_goes_at_four():  # F3
    wait = waits(BERLIN, "2026-06-01 12:00", phones=True)
    assert [step for step, _ in lived(wait)] == [
        *("call-1", "attempt-1", "call-2", "attempt-2", "call-3", "attempt-3", "resolve")
    ]
    assert lived(wait)[:4] == [
        ("call-1", "2026-06-02 10:00"),
        ("attempt-1", "2026-06-02 16:00"),
        ("call-2", "2026-06-04 10:00"),
        ("attempt-2", "2026-06-04 16:00"),
    ]


def test_a_call_by_the_owner_takes_the_mails_place():  # F3
    at = local(BERLIN, "2026-06-02 10:00")
    called = DoneStep(at, at + HOUR, by_person=True)
    wait = waits(BERLIN, "2026-06-01 12:00", phones=True, done={FollowUpStep.CALL_1: DoneStep(at, at), FIRST: called})
    assert decide_follow_up(wait, at + 6 * HOUR).check_at == local(BERLIN, "2026-06-04 10:00")


def test_what_is_to_come_is_foreseen_from_the_day_of_the_call_not_from_today():  # F3
    at = local(BERLIN, "2026-06-02 09:00")
    wait = waits(BERLIN, "2026-06-01 12:00", done={FIRST: DoneStep(at, at, by_person=True)})
    assert (
        said(BERLIN, next(iter(upcoming_steps(wait, local(BERLIN, "2026-06-04 09:00")))).due_at) == "2026-06-04 10:00"
    )


def test_a_third_attempt_by_phone_is_confirmed_by_mail_and_the_day_runs_from_that_mail():  # F4
    moments = [local(BERLIN, f"2026-06-{day:02} 09:00") for day in (2, 4, 8)]
    done = {step: DoneStep(at, at, by_person=True) for step, at in zip(ATTEMPTS, moments, strict=True)}
    wait, now = waits(BERLIN, "2026-06-01 12:00", done=done), moments[-1] + MINUTE
    plan = decide_follow_up(wait, now)
    assert (plan.due.step, plan.due.due_at) == (ANNOUNCED, moments[-1])
    after = apply_decision(wait, plan, now, sent_at=now)
    assert said(BERLIN, after.done[ANNOUNCED].closes_at) == "2026-06-09 11:00"  # 26 h later
    assert said(BERLIN, decide_follow_up(after, now).check_at) == "2026-06-09 11:00"


@pytest.mark.parametrize(
    ("written", "closing"),
    [
        ("2026-06-08 09:44", "2026-06-09 11:00"),
        ("2026-06-08 10:00", "2026-06-09 11:00"),
        ("2026-06-08 10:57", "2026-06-09 11:00"),
        ("2026-06-08 11:00", "2026-06-10 11:00"),  # to the minute 24 h, and the mail still has to leave
        ("2026-06-08 16:00", "2026-06-10 11:00"),
        ("2026-06-12 09:00", "2026-06-15 11:00"),  # a Friday
        ("2026-12-23 16:00", "2026-12-28 11:00"),  # Thursday is too soon, then come Christmas and the weekend
    ],
)
def test_the_closing_is_at_eleven_on_a_business_day_at_least_a_day_after(written, closing):  # F4
    assert said(BERLIN, closing_to_announce(waits(BERLIN, "2026-06-01 12:00"), local(BERLIN, written))) == closing


@pytest.mark.parametrize(
    ("sent", "closing"), [("09:59", "2009-04-15"), ("10:00", "2009-04-15"), ("10:01", "2009-04-16")]
)
def test_a_day_is_twenty_four_elapsed_hours_also_in_a_night_in_which_the_clock_goes_forward(sent, closing):  # F4
    wait = waits(BusinessCalendar("PK", "Asia/Karachi"), "2009-04-01 12:00")  # Tuesday 14 to Wednesday 15 April 2009
    assert said(wait.calendar, closing_after(wait, local(wait.calendar, f"2009-04-14 {sent}"))) == f"{closing} 11:00"


def test_a_closing_that_falls_into_an_absence_is_at_eleven_when_they_are_back():  # F4, F5
    away = sleep_while_away(date(2026, 6, 9), date(2026, 6, 22), BERLIN, time(10))
    wait = waits(BERLIN, "2026-06-01 12:00", sleeps=(away,))
    assert said(BERLIN, closing_to_announce(wait, local(BERLIN, "2026-06-08 10:00"))) == "2026-06-22 11:00"


def test_a_mail_that_could_not_leave_in_time_for_the_closing_it_names_is_dropped():  # F4, M1
    wait = on_time(waits(BERLIN, "2026-06-01 12:00"), "2026-06-05 00:00")
    now = local(BERLIN, "2026-06-08 10:00")
    plan = decide_follow_up(wait, now)
    closes_at = closing_announced_by(wait, plan.due, now)
    assert said(BERLIN, send_by(wait, plan.due, now, closes_at)) == "2026-06-08 11:00"
    dropped = apply_decision(wait, plan, now, lost=True)
    again = replace(dropped, done={**dropped.done, THIRD: replace(dropped.done[THIRD], worth_repeating=True)})
    assert [(str(one.step), said(BERLIN, one.due_at)) for one in upcoming_steps(again, now + HOUR)] == [
        ("attempt-3", "2026-06-09 10:00"),
        ("resolve", "2026-06-10 11:00"),
    ]


@pytest.mark.parametrize(
    ("sent", "closed"),
    [
        ("2026-06-09 10:00", "2026-06-10 10:00"),  # announced before the setting changed: it closes as announced
        ("2026-06-09 10:01", "2026-06-10 11:00"),  # left a minute too late
        ("2026-06-09 11:01", "2026-06-11 11:00"),
    ],
)
def test_it_closes_as_announced_unless_the_mail_left_later_than_a_day_before(sent, closed):  # F4, F7
    at = local(BERLIN, "2026-06-08 10:00")
    done = {step: DoneStep(at - days * DAY, at, at) for step, days in zip(ATTEMPTS, (4, 2, 0), strict=True)}
    done[THIRD] = replace(done[THIRD], sent_at=local(BERLIN, sent), closes_at=local(BERLIN, "2026-06-10 10:00"))
    wait = waits(BERLIN, "2026-06-01 12:00", done=done)
    assert said(BERLIN, decide_follow_up(wait, local(BERLIN, sent)).check_at) == closed


def on_time(wait: Wait, until: str) -> Wait:
    """The wait with every step done when it was due, its mail sent at once, up to that local moment."""
    now, end = wait.started_at, local(wait.calendar, until)
    while True:
        plan = decide_follow_up(wait, now)
        if plan.due is not None and now <= end:
            wait = apply_decision(wait, plan, now, sent_at=now)
        elif plan.check_at is not None and plan.check_at <= end:
            now = plan.check_at
        else:
            return wait


def test_the_case_closes_when_it_was_announced_and_not_a_moment_before():  # F4
    wait = on_time(waits(BERLIN, "2026-06-01 12:00"), "2026-06-09 00:00")
    closes_at = wait.done[THIRD].closes_at
    assert said(BERLIN, closes_at) == "2026-06-09 11:00"
    assert decide_follow_up(wait, closes_at - timedelta(microseconds=1)).due is None
    assert decide_follow_up(wait, closes_at).due.step == RESOLVE


@pytest.mark.parametrize("lost", [{}, {"lost": True}, {"lost": True, "worth_repeating": True}])
def test_an_announcement_that_has_not_left_closes_nothing(lost):  # F4, F7
    wait = on_time(waits(BERLIN, "2026-06-01 12:00"), "2026-06-09 00:00")
    third = replace(wait.done[THIRD], sent_at=None, **lost)
    wait = replace(wait, done={**wait.done, THIRD: third})
    for days in range(1, 100):
        plan = decide_follow_up(wait, third.done_at + days * DAY)
        assert plan.due is None or plan.due.step in (THIRD, FollowUpStep.HELD_UP)
        assert plan.due or plan.check_at > third.done_at + days * DAY


def test_a_mail_of_an_attempt_leaves_on_its_day_or_not_at_all():  # F3, M1
    wait, now = waits(BERLIN, "2026-06-01 12:00"), local(BERLIN, "2026-06-02 10:00")
    plan = decide_follow_up(wait, now)
    assert said(BERLIN, send_by(wait, plan.due, now, None)) == "2026-06-02 20:00"
    lost = apply_decision(wait, plan, now, lost=True)
    again = replace(lost, done={FIRST: replace(lost.done[FIRST], worth_repeating=True)})
    assert said(BERLIN, next_attempt(again).at) == "2026-06-03 10:00"
    assert "was not delivered" in next_attempt(again).why
    assert decide_follow_up(lost, now + 5 * DAY).held_up


def test_an_attempt_that_came_back_is_none_and_the_others_keep_their_distance_from_each_other():  # F3
    wait = on_time(waits(BERLIN, "2026-06-01 12:00"), "2026-06-05 00:00")  # attempts on the 2nd and the 4th
    bounced = replace(wait.done[FIRST], lost=True, worth_repeating=True)
    coming_next = next_attempt(replace(wait, done={**wait.done, FIRST: bounced}))
    assert (coming_next.step, coming_next.day) == (FIRST, date(2026, 6, 8))


def test_what_was_announced_before_an_attempt_that_had_to_be_made_again_closes_nothing():  # F4
    moments = [local(BERLIN, f"2026-06-{day:02} 10:00") for day in (2, 4, 8)]
    done = {step: DoneStep(at, at, at) for step, at in zip(ATTEMPTS, moments, strict=True)}
    announced = DoneStep(moments[2], moments[2], moments[2], closes_at=local(BERLIN, "2026-06-10 10:00"))
    again_at = local(BERLIN, "2026-06-10 10:00")
    again = DoneStep(again_at, again_at, again_at, closes_at=local(BERLIN, "2026-06-12 10:00"), times=2)
    wait = waits(BERLIN, "2026-06-01 12:00", done={**done, SECOND: again, ANNOUNCED: announced})
    assert decide_follow_up(wait, again_at).check_at == local(BERLIN, "2026-06-12 10:00")
    by_phone = replace(again, sent_at=None, closes_at=None, by_person=True)
    assert decide_follow_up(replace(wait, done={**wait.done, SECOND: by_phone}), again_at).due.step == ANNOUNCED


# --- absences (F5) ------------------------------------------------------------------------------------------------


def test_the_plan_sleeps_while_they_are_away_and_goes_on_at_ten_on_their_first_business_day():  # F5
    away = sleep_while_away(date(2026, 6, 2), date(2026, 6, 13), BERLIN, time(10))  # back on a Saturday
    steps = lived(waits(BERLIN, "2026-06-01 12:00", sleeps=(away,)))
    assert steps == [
        ("attempt-1", "2026-06-15 10:00"),
        ("attempt-2", "2026-06-17 10:00"),
        ("attempt-3", "2026-06-19 10:00"),
        ("resolve", "2026-06-22 11:00"),
    ]


def test_an_absence_between_two_attempts_moves_nothing_that_comes_after_it():  # F5
    away = sleep_while_away(date(2026, 6, 3), date(2026, 6, 4), BERLIN, time(10))
    assert lived(waits(BERLIN, "2026-06-01 12:00", sleeps=(away,))) == lived(waits(BERLIN, "2026-06-01 12:00"))


def test_a_closing_that_they_would_miss_is_announced_anew_when_they_are_back():  # F4, F5
    wait = on_time(waits(BERLIN, "2026-06-01 12:00"), "2026-06-09 00:00")
    away = sleep_while_away(date(2026, 6, 9), date(2026, 6, 22), BERLIN, time(10))
    wait, now = replace(wait, sleeps=(away,)), local(BERLIN, "2026-06-09 09:00")
    assert decide_follow_up(wait, now).asleep_until == local(BERLIN, "2026-06-22 10:00")
    assert [(str(one.step), said(BERLIN, one.due_at)) for one in upcoming_steps(wait, now)] == [
        ("announced", "2026-06-22 10:00"),
        ("resolve", "2026-06-23 11:00"),
    ]


def test_after_thirty_days_asleep_the_owner_decides_once():  # F5
    away = sleep_while_away(date(2026, 6, 2), date(2026, 8, 3), BERLIN, time(10))
    wait = waits(BERLIN, "2026-06-01 12:00", sleeps=(away,))
    assert [step for step, _ in lived(wait)][:2] == ["decides", "attempt-1"]
    asked_at = next(iter(upcoming_steps(wait, wait.started_at))).due_at
    assert asked_at == away.start + 30 * DAY
    assert lived(wait)[1] == ("attempt-1", "2026-08-03 10:00")


# --- outages (F7) -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("back", "made"),
    [
        ("2026-06-02 10:05", "2026-06-02 10:05"),
        ("2026-06-02 16:59", "2026-06-02 16:59"),
        ("2026-06-02 17:00", "2026-06-03 10:00"),  # not in the evening
        ("2026-06-05 23:00", "2026-06-08 10:00"),  # nor on a Saturday
        ("2026-06-20 12:00", "2026-06-22 10:00"),
    ],
)
def test_after_an_outage_one_attempt_is_made_up_for_in_business_hours(back, made):  # F7
    wait, now = waits(BERLIN, "2026-06-01 12:00"), local(BERLIN, back)
    plan = decide_follow_up(wait, now)
    now = now if plan.due else plan.check_at
    assert said(BERLIN, now) == made
    after = apply_decision(wait, decide_follow_up(wait, now), now, sent_at=now)
    assert decide_follow_up(after, now).due is None
    assert decide_follow_up(after, now).check_at - now > DAY


def test_a_closing_that_an_outage_held_up_comes_in_business_hours():  # F7
    wait = on_time(waits(BERLIN, "2026-06-01 12:00"), "2026-06-09 00:00")
    saturday = local(BERLIN, "2026-06-13 03:00")
    assert decide_follow_up(wait, saturday).due is None
    assert said(BERLIN, decide_follow_up(wait, saturday).check_at) == "2026-06-15 10:00"


def test_other_hours_are_kept_as_well_and_impossible_ones_are_refused():  # F3: configurable
    wait = waits(BERLIN, "2026-06-01 12:00", hours=ContactHours(opens=time(9), mail_at=time(15)), phones=True)
    assert lived(wait)[:2] == [("call-1", "2026-06-02 09:00"), ("attempt-1", "2026-06-02 15:00")]
    with pytest.raises(ValueError, match="follow each other"):
        ContactHours(opens=time(18))
    closing = waits(BERLIN, "2026-06-01 12:00", hours=ContactHours(closes_at=time(15)))
    assert lived(closing)[-1] == ("resolve", "2026-06-09 15:00")  # F4
    for impossible in (time(9, 59), time(17)):
        with pytest.raises(ValueError, match="A case closes in the hours"):
            ContactHours(closes_at=impossible)
