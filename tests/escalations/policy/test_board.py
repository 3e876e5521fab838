"""Ages of cases, and languages that nobody speaks in the coming day (W4, D2). No database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from escalations.policy.board import AGES, uncovered
from escalations.policy.handover import Crew
from tests.escalations.policy.test_handover import EN, JA, hours

DAY = timedelta(days=1)
NOON = datetime(2026, 6, 3, 12, tzinfo=UTC)
TOMORROW = NOON + DAY
LONDON = Crew(1, hours(), (EN,))  # 8 to 16 in UTC
TOKYO = Crew(2, hours("Asia/Tokyo", "JP", ""), (JA,))  # 0 to 8


def at(hour: int, day: int = 3) -> datetime:
    return datetime(2026, 6, day, hour, tzinfo=UTC)


def test_a_language_is_uncovered_while_no_centre_is_open_whose_people_speak_it():  # W4, D2
    assert uncovered(lambda at: ["en", "ja"], [LONDON, TOKYO], NOON, TOMORROW) == {
        "en": [(at(16), at(0, 4))],
        "ja": [(NOON, at(0, 4)), (at(8, 4), at(12, 4))],
    }


def test_where_nobody_is_on_duty_nothing_is_spoken():  # W4
    assert uncovered(lambda at: ["en"], [Crew(1, hours())], NOON, TOMORROW) == {"en": [(NOON, TOMORROW)]}
    assert uncovered(lambda at: ["en"], [], NOON, TOMORROW) == {"en": [(NOON, TOMORROW)]}


def test_a_language_is_needed_only_while_customers_are_served_in_it():  # D2
    japan = (at(0, 4), at(8, 4))

    def needed_at(moment: datetime) -> list[str]:
        return ["ja"] if japan[0] <= moment < japan[1] else []

    assert uncovered(needed_at, [LONDON], NOON, TOMORROW, japan) == {"ja": [japan]}
    assert uncovered(needed_at, [LONDON, TOKYO], NOON, TOMORROW, japan) == {}


@given(st.integers(0, 60 * 24 * 400))
def test_every_age_belongs_to_one_class(minutes):  # W4
    opened_at = NOON - timedelta(minutes=minutes)

    def belongs(after: datetime | None, until: datetime) -> bool:
        return opened_at <= until and (after is None or opened_at > after)

    assert sum(belongs(*age.opened(NOON)) for age in AGES) == 1
