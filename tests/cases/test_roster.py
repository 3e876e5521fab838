"""The roster of one page or batch: whoever was given a case is busier for the next choice (C6, E8)."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from cases.enums import Severity
from cases.roster import Roster
from contacts.enums import Language
from contacts.models import Technician
from tests.support.builders import NOON, Desk, build_centre, build_technician

pytestmark = pytest.mark.django_db


def test_a_case_counts_at_once_also_at_another_moment(desk: Desk) -> None:  # C6, E8
    Technician.objects.update(on_duty=False)
    one, other = (build_technician(desk.centre, name=name).pk for name in ("one", "other"))
    roster = Roster(NOON)
    later = roster.at(NOON + timedelta(minutes=1))

    def stand_ins() -> list[int]:
        found = [people.stand_in(Language.ENGLISH, besides=desk.technician.pk) for people in (roster, later)]
        return [choice.user_id for choice in found if choice]

    first, same = stand_ins()
    assert first == same
    second = ({one, other} - {first}).pop()
    given = later.at_opening(Severity.CRITICAL, Language.ENGLISH)
    assert given is not None
    assert given.user_id == first
    assert stand_ins() == [second, second]
    for _ in range(2):
        roster.relieve(first, Severity.CRITICAL)
    assert stand_ins() == [first, first]


def test_at_another_moment_other_centres_are_open(desk: Desk) -> None:  # D1, E8
    Technician.objects.update(on_duty=False)
    office = build_centre("Office")
    office.spans.update(opens=time(8), closes=time(18))
    by_day = build_technician(office, name="by_day")
    roster = Roster(NOON)

    def stands_in(people: Roster) -> int | None:
        choice = people.stand_in(Language.ENGLISH, besides=desk.technician.pk)
        return choice and choice.user_id

    assert stands_in(roster) == by_day.pk
    assert stands_in(roster.at(NOON + timedelta(hours=12))) is None
    assert stands_in(roster) == by_day.pk
