"""Which cases leave at the end of a centre's day, to which centre, and the line that says where they stand (W3).

Tables and properties; no database.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts.calendars import BusinessCalendar, OpeningHours, WeeklySpan
from contacts.wording import utc_stamp
from escalations.policy.handover import (
    ACCEPT_WITHIN,
    QUOTED,
    Cover,
    Crew,
    EndingDay,
    LastWord,
    Standing,
    accept_by,
    covering_centre,
    day_cut_short,
    ending_day,
    where_it_stands,
)

HALF_HOUR, HOUR, DAY = timedelta(minutes=30), timedelta(hours=1), timedelta(days=1)
LONDON, TOKYO, NEW_YORK = 1, 2, 3


def hours(
    zone: str = "Europe/London",
    country: str = "GB",
    subdivision: str = "ENG",
    opens: int = 9,
    closes: int = 17,
    days: int = 5,
    closed: frozenset[date] = frozenset(),
    on_holidays: bool = False,
) -> OpeningHours:
    spans = tuple(WeeklySpan(day, time(opens), time(closes % 24)) for day in range(days))
    return OpeningHours(BusinessCalendar(country, zone, subdivision, closed), spans, on_holidays)


def utc(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC)  # type: ignore[misc,arg-type]


#: Wednesday 3 June 2026: London works from 8 to 16 in UTC.
WEDNESDAY = EndingDay(utc(2026, 6, 3, 16), utc(2026, 6, 4, 8))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (utc(2026, 6, 3, 15, 29), None),
        (utc(2026, 6, 3, 15, 30), WEDNESDAY),
        (utc(2026, 6, 3, 16), WEDNESDAY),
        (utc(2026, 6, 4, 3), WEDNESDAY),  # an outage: the day that has ended last
        (utc(2026, 6, 4, 7, 59), WEDNESDAY),
        (utc(2026, 6, 4, 8), None),
        (utc(2026, 6, 5, 15, 45), EndingDay(utc(2026, 6, 5, 16), utc(2026, 6, 8, 8))),  # over the weekend
        (utc(2026, 6, 7, 12), EndingDay(utc(2026, 6, 5, 16), utc(2026, 6, 8, 8))),
    ],
)
def test_a_day_is_handed_over_from_half_an_hour_before_its_end_until_the_next_begins(now, expected):  # W3
    assert ending_day(hours(), now, HALF_HOUR) == expected


def test_over_holidays_the_centre_is_back_when_it_opens_again():  # W3, D1
    # Friday 25 December, Saturday, Sunday, Monday 28 (for Boxing Day) are no days of an English centre.
    assert ending_day(hours(), utc(2026, 12, 24, 16, 40), HALF_HOUR) == EndingDay(
        utc(2026, 12, 24, 17), utc(2026, 12, 29, 9)
    )
    own = hours(closed=frozenset({date(2026, 6, 4)}))
    assert ending_day(own, utc(2026, 6, 3, 15, 40), HALF_HOUR) == EndingDay(utc(2026, 6, 3, 16), utc(2026, 6, 5, 8))


def test_the_night_in_which_clocks_go_back_is_an_hour_longer():  # W3
    every_day = hours(days=7, on_holidays=True)
    assert ending_day(every_day, utc(2026, 10, 24, 16), HALF_HOUR) == EndingDay(
        utc(2026, 10, 24, 16), utc(2026, 10, 25, 9)
    )
    assert ending_day(every_day, utc(2026, 3, 28, 17), HALF_HOUR) == EndingDay(
        utc(2026, 3, 28, 17), utc(2026, 3, 29, 8)
    )


def test_a_break_at_noon_ends_no_day():  # W3
    spans = (WeeklySpan(2, time(9), time(12)), WeeklySpan(2, time(13), time(17)))
    with_break = replace(hours(), spans=spans)
    assert ending_day(with_break, utc(2026, 6, 3, 10, 45), HALF_HOUR) is None
    assert ending_day(with_break, utc(2026, 6, 3, 11, 30), HALF_HOUR) is None
    assert ending_day(with_break, utc(2026, 6, 3, 15, 45), HALF_HOUR) == EndingDay(
        utc(2026, 6, 3, 16), utc(2026, 6, 10, 8)
    )


def test_a_centre_that_never_closes_and_one_that_never_opens_hand_nothing_over():  # W3
    always = OpeningHours(
        BusinessCalendar("GB", "Europe/London", "ENG"),
        tuple(WeeklySpan(day, time(0), time(0)) for day in range(7)),
        True,
    )
    for at in (utc(2026, 6, 3, 12), utc(2026, 6, 3, 22, 59)):
        assert ending_day(always, at, HALF_HOUR) is None
        assert ending_day(replace(always, spans=()), at, HALF_HOUR) is None


def test_a_centre_that_closed_for_good_has_handed_over_once():  # W3
    closed = hours(closed=frozenset(date(2026, 6, 4) + DAY * number for number in range(200)))
    assert ending_day(closed, utc(2026, 6, 3, 17), HALF_HOUR) == EndingDay(utc(2026, 6, 3, 16), None)
    assert ending_day(closed, utc(2026, 6, 20), HALF_HOUR) is None


@pytest.mark.parametrize(
    ("due", "before_the_end", "after_it"),
    [
        (None, False, False),  # nothing is owed
        (utc(2026, 6, 3, 15, 50), False, True),  # within the day: its owner's, unless they did not do it
        (utc(2026, 6, 3, 16), False, True),
        (utc(2026, 6, 3, 16, 1), True, True),
        (utc(2026, 6, 4, 3), True, True),
        (utc(2026, 6, 4, 8), True, True),  # at the very opening nobody has done anything yet
        (utc(2026, 6, 4, 8, 1), False, False),  # the centre covers itself
        (utc(2026, 6, 9), False, False),
    ],
)
def test_what_is_due_before_the_centre_works_again_leaves(due, before_the_end, after_it):  # W3
    assert (WEDNESDAY.leaves(due), WEDNESDAY.leaves_undone(due)) == (before_the_end, after_it)


def test_a_centre_that_does_not_open_again_hands_over_everything():  # W3
    last = EndingDay(utc(2026, 6, 3, 16), None)
    assert last.leaves(utc(2027, 1, 1))
    assert not last.leaves(None)


@given(st.integers(0, 400 * 24 * 60))
def test_every_moment_belongs_to_one_day_and_sheets_do_not_overlap(minutes):  # W3
    now = utc(2026, 1, 1) + timedelta(minutes=minutes)
    own = hours()
    day = ending_day(own, now, HALF_HOUR)
    if day is None:
        assert own.is_open(now)
        assert own.closes_at(now) > now + HALF_HOUR
    else:
        assert day.back_at is not None
        assert day.ends_at - HALF_HOUR <= now < day.back_at
        assert own.next_opening(day.ends_at) == day.back_at
        assert own.is_open(day.ends_at - timedelta(minutes=1))
        assert ending_day(own, day.ends_at, HALF_HOUR) == day


@pytest.mark.parametrize(
    ("now", "back"),
    [
        (utc(2026, 6, 3, 12), utc(2026, 6, 4, 8)),  # in the middle of the day
        (utc(2026, 6, 3, 20), utc(2026, 6, 4, 8)),
        (utc(2026, 6, 5, 12), utc(2026, 6, 8, 8)),
        (utc(2026, 6, 4, 7, 59), utc(2026, 6, 4, 8)),
    ],
)
def test_whoever_leaves_early_is_back_when_their_centre_begins_its_next_day(now, back):  # W3
    assert day_cut_short(hours(), now) == EndingDay(now, back)


# --- to whom ----------------------------------------------------------------------------------------------------

EN, JA = frozenset({"en"}), frozenset({"ja", "en"})
LONDON_CREW = Crew(LONDON, hours(), (EN,))
TOKYO_CREW = Crew(TOKYO, hours("Asia/Tokyo", "JP", ""), (JA, EN))  # 0 to 8 in UTC
NEW_YORK_CREW = Crew(NEW_YORK, hours("America/New_York", "US", "NY"), (EN,))  # 13 to 21
NIGHTS = hours(opens=0, closes=24, days=7, on_holidays=True)
AT = utc(2026, 6, 3, 16)


def test_the_centre_that_is_open_covers():  # W3
    assert covering_centre([TOKYO_CREW, NEW_YORK_CREW], AT, {"en": 3}) == Cover(NEW_YORK, AT)
    at = utc(2026, 6, 4, 2)
    assert covering_centre([TOKYO_CREW, NEW_YORK_CREW, LONDON_CREW], at, {}) == Cover(TOKYO, at)


def test_with_none_open_the_first_that_opens_covers_from_then_on():  # W3
    assert covering_centre([TOKYO_CREW, LONDON_CREW], AT, {"en": 1}) == Cover(TOKYO, utc(2026, 6, 4, 0))


def test_with_no_other_centre_nobody_covers():  # W3
    assert covering_centre([], AT, {"en": 1}) is None
    assert covering_centre([Crew(TOKYO, replace(NIGHTS, spans=()))], AT, {"en": 1}) is None


@pytest.mark.parametrize(
    ("first", "second", "needed", "expected"),
    [
        (Crew(1, NIGHTS), Crew(2, NIGHTS, (EN,)), {}, 2),  # somebody on duty
        (Crew(1, NIGHTS, (EN,)), Crew(2, NIGHTS, (JA,)), {"ja": 2, "en": 1}, 2),  # the language of most cases
        (Crew(1, NIGHTS, (EN,)), Crew(2, NIGHTS, (JA,)), {"en": 1}, 1),
        (NEW_YORK_CREW, Crew(4, NIGHTS, (EN,)), {"en": 1}, 4),  # open for longer
        (Crew(1, NIGHTS), Crew(2, NIGHTS), {"ja": 1}, 1),
    ],
)
def test_of_several_that_are_open_the_best_one_covers(first, second, needed, expected):  # W3
    assert covering_centre([first, second], AT, needed) == Cover(expected, AT)
    assert covering_centre([second, first], AT, needed) == Cover(expected, AT)


@pytest.mark.parametrize(
    ("cover", "first_due", "has_crew", "expected"),
    [
        (Cover(TOKYO, AT), AT + HOUR, True, AT + ACCEPT_WITHIN),
        (Cover(TOKYO, AT), AT + HOUR, False, AT),  # nobody is on duty there
        (None, AT + HOUR, False, AT),
        (Cover(TOKYO, AT + 8 * HOUR), AT + 9 * HOUR, True, AT + 8 * HOUR + ACCEPT_WITHIN),
        (Cover(TOKYO, AT + 8 * HOUR), AT + 9 * HOUR, False, AT + 8 * HOUR + ACCEPT_WITHIN),
        (Cover(TOKYO, AT + 8 * HOUR), AT + HOUR, True, AT),  # due before anybody covers
    ],
)
def test_what_nobody_can_accept_is_the_support_managers_at_once(cover, first_due, has_crew, expected):  # W3
    assert accept_by(cover, AT, first_due, has_crew) == expected


# --- where it stands --------------------------------------------------------------------------------------------

WORD = LastWord(True, "Ana Ruiz", "by phone", AT - HOUR, "It stopped\n again.")


@pytest.mark.parametrize(
    ("standing", "line"),
    [
        (Standing("Assigned"), "Assigned. Nobody has spoken with the customer yet."),
        (
            Standing("In Progress", WORD, point="High 1", next_point="High 2", next_point_at=AT + HOUR),
            "In Progress. Ana Ruiz turned to us by phone at 2026-06-03 15:00: “It stopped again.” "
            "High 1 done, High 2 comes at 2026-06-03 17:00.",
        ),
        (
            Standing("Customer Update Required", WORD, "Which printer?", AT - 2 * HOUR),
            "Waits for the customer since 2026-06-03 14:00: “Which printer?” "
            "Ana Ruiz turned to us by phone at 2026-06-03 15:00: “It stopped again.”",
        ),
        (
            Standing(
                "Customer Update Required",
                LastWord(False, "Tina Berg", "by email", AT, "Which printer?"),
                "Which printer?",
                AT,
            ),
            "Waits for the customer since 2026-06-03 16:00: “Which printer?”",  # said once
        ),
        (
            Standing("In Progress", LastWord(False, "Tina Berg", "by email", AT, " ")),
            "In Progress. Tina Berg turned to the customer by email at 2026-06-03 16:00.",
        ),
    ],
)
def test_a_line_says_the_last_word_what_waits_and_the_escalation(standing, line):  # W3
    assert where_it_stands(standing, utc_stamp) == line


@given(st.text(max_size=1_000))
def test_a_line_is_one_line_and_short_whatever_was_said(words):  # W3
    said = where_it_stands(Standing("In Progress", replace(WORD, words=words)), utc_stamp)
    assert len(said.splitlines()) == 1
    assert len(said) < QUOTED + 100
