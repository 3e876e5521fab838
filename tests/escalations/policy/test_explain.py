"""The why of every clock in one sentence: updates (T2), the first response (T1), points (E2 to E4, E9). No database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cases.enums import Channel, Severity, Status
from cases.policy.first_response import initial_response
from contacts.wording import moment_formatter
from escalations.enums import Member
from escalations.policy.cadence import CadenceChange, PassedPoint, owed_over_time
from escalations.policy.clock import PolicyTimeline, Snapshot, clock_spans, due_points, view_clock
from escalations.policy.explain import begun_by, contact_name, the, why_point_due, why_response_due, why_update_due
from escalations.policy.schedule import PUBLISHED, Schedule
from escalations.policy.sla import Touchpoint, targets_of

C, H, M, L = Severity
ASSIGNED, WORKING, WAITING, RESOLVED = Status


def at(text: str) -> datetime:
    """“12:30” on Wednesday 3 June 2026, “+1 12:30” the day after."""
    days, _, clock = text.rpartition(" ")
    hours, minutes = clock.split(":")
    day = 3 + int(days or 0)
    return datetime(2026, 6, day, int(hours), int(minutes), tzinfo=UTC)


def show(moment: datetime) -> str:
    """As on the evening of the third, in UTC."""
    return moment_formatter(at("20:00"), UTC)(moment)


def life(*changes: tuple[str, Status, Severity]) -> list[Snapshot]:
    return [Snapshot(at(when), status, severity) for when, status, severity in changes]


# --- moments ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime(2026, 6, 3, 10, 2, tzinfo=UTC), "12:02"),
        (datetime(2026, 6, 3, 22, 30, tzinfo=UTC), "Thu 4 Jun, 00:30"),
        (datetime(2025, 12, 31, 12, 0, tzinfo=UTC), "Wed 31 Dec 2025, 13:00"),
    ],
)
def test_a_moment_is_said_by_the_readers_own_clock(moment: datetime, words: str):  # M4
    assert moment_formatter(at("20:00"), ZoneInfo("Europe/Berlin"))(moment) == words


def test_members_and_contacts_have_the_words_of_the_house():
    assert [the(one) for one in Member] == [
        "the customer",
        "the account manager",
        "the customer service manager",
        "the customer service director",
        "the COO",
    ]
    assert contact_name("phone to the customer") == "the call to the customer"
    assert contact_name("a word to staff") == "the word to staff"
    assert contact_name("the desk's own update") == "the desk's own update"


# --- promised updates (T2) --------------------------------------------------------------------------------------

CALL = Touchpoint(at("10:02"), frozenset({Member.CUSTOMER}), "phone to the customer", by=1)


def pieces_of(snapshots: Sequence[Snapshot], *reached: tuple[Severity, int, str]) -> list[CadenceChange]:
    points = [
        PassedPoint(1, severity, number, at(done), at(done), PUBLISHED.point(severity, number).cadence)
        for severity, number, done in reached
    ]
    return owed_over_time(clock_spans(snapshots, PolicyTimeline(PUBLISHED)), PolicyTimeline(PUBLISHED), points)


def why(
    snapshots: Sequence[Snapshot], pieces: Sequence[CadenceChange], *words: Touchpoint, member: Member = Member.CUSTOMER
) -> str:
    """The sentence of the member's last period."""
    period = targets_of(member, pieces, words)[-1]
    begun = (
        contact_name(words[-1].what) if words and words[-1].at == period.since else begun_by(period, snapshots, None)
    )
    return why_update_due(period, begun, pieces, show)


def test_the_sentence_names_the_word_the_interval_and_what_changed_it():  # T2
    opened = life(("00:00", ASSIGNED, H))
    assert why(opened, pieces_of(opened, (H, 1, "12:00")), CALL) == (
        "Counted from the call to the customer 10:02; every 4 h (High before any point); "
        "High 1 at 12:00 made it 2 h; so due 14:00."
    )


def test_a_longer_interval_leaves_the_earlier_deadline_and_the_sentence_says_so():  # T2
    opened = life(("08:00", WORKING, C), ("10:30", WORKING, L))
    assert why(opened, pieces_of(opened), CALL) == (
        "Counted from the call to the customer 10:02; every 2 h (Critical before any point); "
        "Low before any point at 10:30 made it 24 h, which leaves the earlier deadline as it was; so due 12:02."
    )


@pytest.mark.parametrize(
    ("changes", "begun"),
    [
        ([("08:00", ASSIGNED, H)], "Counted from the opening 08:00; every 4 h (High before any point); so due 12:00."),
        (
            [("08:00", ASSIGNED, H), ("09:00", WAITING, H), ("11:00", WORKING, H)],
            "Counted from the end of the wait 11:00; every 4 h (High before any point); so due 15:00.",
        ),
        (
            [("08:00", ASSIGNED, H), ("09:00", RESOLVED, H), ("11:00", WORKING, H)],
            "Counted from the reopening 11:00; every 4 h (High before any point); so due 15:00.",
        ),
    ],
)
def test_without_a_word_it_says_what_began_the_promise(changes: list, begun: str):  # T2
    snapshots = life(*changes)
    assert why(snapshots, pieces_of(snapshots)) == begun


def test_whoever_joins_the_audience_counts_from_joining():  # T2
    opened = life(("00:00", ASSIGNED, H))
    assert why(opened, pieces_of(opened, (H, 1, "12:00")), member=Member.CSM) == (
        "Counted from joining the audience 12:00; every 2 h (High 1); so due 14:00."
    )


def test_a_case_taken_over_counts_from_the_take_over():  # T2
    opened = life(("08:00", ASSIGNED, H))
    pieces = owed_over_time(
        clock_spans(opened, PolicyTimeline(PUBLISHED)), PolicyTimeline(PUBLISHED), since=at("12:00")
    )
    period = targets_of(Member.CUSTOMER, pieces, [])[-1]
    assert begun_by(period, opened, at("12:00")) == "the take-over from another system"


def test_a_change_at_the_moment_it_begins_is_its_interval_not_a_change():  # T2
    opened = life(("00:00", ASSIGNED, H))
    word = Touchpoint(at("12:00"), frozenset({Member.CUSTOMER}), "phone to the customer", by=1)
    assert why(opened, pieces_of(opened, (H, 1, "12:00")), word) == (
        "Counted from the call to the customer 12:00; every 2 h (High 1); so due 14:00."
    )


def test_the_deadline_of_the_sentence_is_the_deadline_of_the_clock():  # T2
    opened = life(("00:00", ASSIGNED, M), ("03:00", ASSIGNED, H), ("04:00", ASSIGNED, C))
    pieces = pieces_of(opened)
    period = targets_of(Member.CUSTOMER, pieces, [])[-1]
    sentence = why(opened, pieces)
    assert sentence == (
        "Counted from the opening 00:00; every 8 h (Medium before any point); High before any point at 03:00 made it "
        "4 h; Critical before any point at 04:00 made it 2 h; so due 06:00."
    )
    assert period.due_at == at("06:00")


# --- the first response (T1) ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ([("10:00", ASSIGNED, M)], "Phoned in as Medium 10:00, to be answered within 2 h; so due 12:00."),
        (
            [("10:00", ASSIGNED, M), ("10:20", ASSIGNED, H)],
            "Phoned in as Medium 10:00, to be answered within 2 h; raised to High 10:20, to be answered within 1 h; "
            "so due 11:20.",
        ),
        (
            [("10:00", ASSIGNED, M), ("11:30", ASSIGNED, H)],
            "Phoned in as Medium 10:00, to be answered within 2 h; raised to High 11:30, which leaves the earlier "
            "deadline as it was; so due 12:00.",
        ),
    ],
)
def test_the_first_response_says_what_brought_it_forward(changes: list, sentence: str):  # T1
    snapshots = life(*changes)
    response = initial_response([(one.at, one.status, one.severity) for one in snapshots], Channel.PHONE, [])
    assert response is not None
    assert why_response_due(response, snapshots, show) == sentence


# --- points (E2 to E4, E9, E10) ---------------------------------------------------------------------------------

COUNTS_WAITS = Schedule(7, PUBLISHED.points, stands_still=frozenset({C, M, L}))


def point_why(
    snapshots: Sequence[Snapshot], number: int, now: str = "20:00", timeline: PolicyTimeline | Schedule = PUBLISHED
) -> str:
    """The sentence at a point of the case's severity, as the panel asks for it."""
    timeline = timeline if isinstance(timeline, PolicyTimeline) else PolicyTimeline(timeline)
    moment = at(now)
    reading = view_clock(snapshots, timeline, moment).reading
    point = timeline.at(moment).point(reading.severity, number)
    dues = {due.point.number: due.due_at for due in due_points(snapshots, timeline, moment) if due.run == reading.run}
    upcoming = view_clock(snapshots, timeline, moment).next_point()
    due_at = dues.get(number) or (moment + point.after - reading.elapsed if reading.running else None)
    if number not in dues and upcoming is not None and upcoming.point is point:
        due_at = upcoming.due_at
    return why_point_due(view_clock(snapshots, timeline, moment), point, due_at, show)


OPENED = ("09:12", ASSIGNED, M)
ASKED = [OPENED, ("09:40", WAITING, M), ("11:05", WORKING, M)]

TABLE = [
    (
        [*ASKED, ("11:20", WORKING, H)],
        1,
        "Opened 09:12 Medium, waited 09:40-11:05, raised to High 11:20, so point 1 at 22:37.",
    ),
    ([OPENED], 1, "Opened 09:12 Medium, so point 1 on Fri 5 Jun, 09:12."),
    (
        [("09:12", ASSIGNED, H), ("12:00", WORKING, M)],
        1,
        "Opened 09:12 High, lowered to Medium 12:00, so point 1 on Fri 5 Jun, 09:12.",
    ),
    (
        [("09:12", ASSIGNED, M), ("18:00", WORKING, C)],
        1,
        "Opened 09:12 Medium, raised to Critical 18:00, so point 1 at once, 18:00.",
    ),
    (
        [("09:12", ASSIGNED, H), ("10:00", RESOLVED, H), ("12:00", WORKING, H)],
        1,
        "Opened 09:12 High, resolved 10:00-12:00, so point 1 at 23:12.",
    ),
    (
        [("09:12", ASSIGNED, H), ("10:00", WAITING, H)],
        1,
        "Opened 09:12 High, waits since 10:00, so point 1 comes 11 h 12 min after the clock runs again.",
    ),
    (
        [("09:12", ASSIGNED, H), ("10:00", WAITING, H), ("11:00", WAITING, C), ("12:00", WORKING, C)],
        1,
        "Opened 09:12 High, waited 10:00-12:00, raised to Critical 11:00, so point 1 at 15:12.",
    ),
    (
        [
            ("00:00", ASSIGNED, H),
            *[
                (f"{hour:02}:{minute}", WAITING if minute == "10" else WORKING, H)
                for hour in range(1, 6)
                for minute in ("10", "40")
            ],
        ],
        2,
        "Opened 00:00 High, waited 5 times, 2 h 30 min in all, so point 2 on Thu 4 Jun, 14:30.",
    ),
]


@pytest.mark.parametrize(("changes", "number", "sentence"), TABLE)
def test_a_point_says_what_moved_its_clock(changes: list, number: int, sentence: str):  # E2, E3, E4
    assert point_why(life(*changes), number) == sentence


def test_a_case_without_events_that_count_says_only_that_it_opened():  # E3
    nothing = life(("09:00", ASSIGNED, H), ("09:00", WAITING, H), ("09:00", WORKING, H))
    assert point_why(nothing, 1) == "Opened 09:00 High, so point 1 at 21:00."


def test_waits_that_count_are_told_as_such():  # E2, the switch per severity
    waited = life(("09:12", ASSIGNED, H), ("10:00", WAITING, H), ("12:00", WORKING, H))
    assert point_why(waited, 1, timeline=COUNTS_WAITS) == (
        "Opened 09:12 High, waited 10:00-12:00, so point 1 at 21:12 (the waits count)."
    )
    waits = life(("09:12", ASSIGNED, H), ("10:00", WAITING, H))
    assert point_why(waits, 1, timeline=COUNTS_WAITS) == (
        "Opened 09:12 High, waits since 10:00, so point 1 comes 1 h 12 min from now, though not before the wait ends "
        "(the waits count)."
    )


def test_a_later_run_begins_with_its_reopening():  # E2
    again = [
        Snapshot(at("09:00"), ASSIGNED, H),
        Snapshot(at("10:00"), RESOLVED, H),
        Snapshot(at("+1 11:00"), WORKING, H),
    ]
    assert point_why(again, 1, "+1 12:00") == (
        "Run 2 began with the reopening Thu 4 Jun, 11:00 High, so point 1 on Thu 4 Jun, 23:00."
    )


def test_an_accepted_request_and_a_move_to_another_version_are_told():  # E9, E10
    opened = life(("09:00", ASSIGNED, H))
    brought_forward = PolicyTimeline(PUBLISHED, brought_forward={(1, H, 1): at("11:00")})
    assert point_why(opened, 1, timeline=brought_forward) == (
        "Opened 09:00 High, and an accepted request brought point 1 forward to 11:00."
    )
    moved = PolicyTimeline(PUBLISHED, moves=((at("10:00"), Schedule(7, PUBLISHED.points)),))
    assert point_why(opened, 1, timeline=moved) == (
        "Opened 09:00 High, moved to version 7 of the schedule 10:00, so point 1 at 21:00."
    )


def test_a_restless_life_leaves_out_its_middle():
    many = [("00:00", ASSIGNED, M)] + [(f"00:{minute:02}", WORKING, (H, M)[minute % 2]) for minute in range(2, 22)]
    assert point_why(life(*many), 1).startswith("Opened 00:00 Medium, 14 more changes, raised to High")


def test_a_span_over_midnight_says_both_days():
    snapshots = [
        Snapshot(at("09:00"), ASSIGNED, H),
        Snapshot(at("22:00"), WAITING, H),
        Snapshot(at("+1 08:00"), WORKING, H),
    ]
    assert "waited 22:00-Thu 4 Jun, 08:00" in point_why(snapshots, 2, "+1 09:00")
    other_day = [
        Snapshot(at("+1 09:00"), ASSIGNED, H),
        Snapshot(at("+1 10:00"), WAITING, H),
        Snapshot(at("+1 11:00"), WORKING, H),
    ]
    assert "waited Thu 4 Jun, 10:00-11:00" in point_why(other_day, 1, "+1 12:00")
