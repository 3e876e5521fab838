"""Calls, technicians and time in any order (Q1, Q2, Q3): nobody is offered two, nobody is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from cases.enums import CallEventKind
from cases.models import CallEvent, QueueEntry
from contacts.models import Technician, User
from tests.support.builders import NOON, build_desk, build_technician
from tests.support.examples import examples
from tests.support.queue_walk import QueueWalk

CALLS = {f"c{number}": f"+4930123456{number}" for number in range(8)}
EVENT = st.tuples(
    st.just("event"),
    st.sampled_from(sorted(CALLS)),
    st.sampled_from([CallEventKind.ARRIVED, *CallEventKind]),
    st.sampled_from(["", "1", "4"]),
)
ACT = st.tuples(st.just("act"), st.integers(0, 9), st.sampled_from(["take", "take", "pass", "over", "vain"]), st.none())
TICK = st.tuples(st.just("tick"), st.sampled_from([1, 20, 60, 300]), st.none(), st.none())
DUTY = st.tuples(st.just("duty"), st.integers(0, 9), st.booleans(), st.none())


@pytest.mark.slow
class AnyOrder(TestCase):
    @given(st.lists(st.one_of(EVENT, EVENT, ACT, ACT, TICK, DUTY), min_size=5, max_size=40))
    @examples(150)
    def test_whatever_happens(self, steps) -> None:  # Q1, Q2, Q3
        desk = build_desk()
        Technician.objects.update(on_duty=False)
        crew: list[User] = [
            build_technician(
                desk.centre,
                languages=["en", "de"] if number % 2 else ["en"],
                extension=str(number),
                on_duty=number < 2,  # so that somebody has to wait
            )
            for number in range(10)
        ]
        contact = desk.contact
        contact.phone, contact.language = CALLS["c1"], "de"
        contact.save()
        walk = QueueWalk(NOON, CALLS)
        for what, *facts in steps:
            if what == "event":
                call, kind, leg = facts
                walk.tell(call, kind, leg)
            elif what == "act":
                walk.act(crew[facts[0]], facts[1])
            elif what == "tick":
                walk.tick(facts[0])
                walk.nobody_waits_while_somebody_is_free()
            else:
                Technician.objects.filter(user=crew[facts[0]]).update(on_duty=facts[1])
        Technician.objects.filter(user__in=crew).update(on_duty=True)
        walk.wind_down()
        assert {entry.call_id for entry in QueueEntry.objects.all()} == walk.told
        assert CallEvent.objects.values("call_id").distinct().count() == len(walk.told)
