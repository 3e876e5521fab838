"""Ten processes work one queue and are killed at any instant: nobody is offered two, nobody is lost (Q1, Q2)."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.db import connection

from cases.enums import CallEventKind, QueueState
from cases.models import CallEvent, QueueEntry
from cases.queue.apply import say_over, sweep_queue, take
from cases.queue.events import ToldEvent, take_event
from contacts.models import Technician
from tests.support.builders import build_desk, build_technician
from tests.support.processes import environment
from tests.support.queue_worker import moment

CALLS, WORKERS, KILLS = 100, 10, 60
#: Every change of a row is written down by the database itself, whatever becomes of the process that made it.
AUDIT = """
CREATE TABLE queue_audit (place bigserial, entry bigint, state text, technician bigint);
CREATE FUNCTION note_queue() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO queue_audit (entry, state, technician) VALUES (NEW.id, NEW.state, NEW.technician_id); RETURN NEW;
END $$;
CREATE TRIGGER note_queue AFTER INSERT OR UPDATE ON cases_queueentry FOR EACH ROW EXECUTE FUNCTION note_queue();
"""
NO_AUDIT = "DROP TRIGGER note_queue ON cases_queueentry; DROP FUNCTION note_queue; DROP TABLE queue_audit;"


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_ten_workers_and_kills_at_any_instant() -> None:  # Q1, Q2, D7
    desk = build_desk()
    Technician.objects.update(on_duty=False)
    crew = [build_technician(desk.centre, extension=str(number)) for number in range(10)]
    began = time.time()
    with connection.cursor() as cursor:
        cursor.execute(AUDIT)
    order = [sys.executable, "-m", "tests.support.queue_worker", *map(str, (WORKERS, KILLS, CALLS, began))]
    fire = subprocess.run(order, capture_output=True, text=True, env=environment(), timeout=300, check=False)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT entry, state, technician FROM queue_audit ORDER BY place")
            changes = cursor.fetchall()
    finally:
        with connection.cursor() as cursor:
            cursor.execute(NO_AUDIT)
    assert fire.stdout == f"{WORKERS + KILLS} of {WORKERS + KILLS} were killed\n", fire.stderr
    told = set(CallEvent.objects.values_list("call_id", flat=True))
    assert set(QueueEntry.objects.values_list("call_id", flat=True)) == told
    assert QueueEntry.objects.count() == len(told)
    assert len(changes) > 50
    has: dict[int, tuple[int, str]] = {}
    for entry, state, technician in changes:
        for user in [user for user, (theirs, _) in has.items() if theirs == entry and user != technician]:
            assert not (has[user][1] == "talking" and state == "offered"), "a call that is spoken was offered again"
            del has[user]
        if state in ("offered", "talking") and technician is not None:
            assert has.get(technician, (entry, ""))[0] == entry, "somebody was offered two"
            has[technician] = (entry, state)
        else:
            has.pop(technician, None)
    _empty_the_queue(crew, sorted(told), moment(began))


def _empty_the_queue(crew, told, now) -> None:
    """Whatever the dead left behind goes on as if nothing had happened."""
    for call in told:
        take_event(ToldEvent("pbx", call, CallEventKind.ENDED), now)
    for _ in range(len(told)):
        now += timedelta(minutes=3)
        sweep_queue(now)
        for entry in QueueEntry.objects.with_technician():
            take(entry.pk, entry.technician, now)
            say_over(entry.pk, entry.technician, now)
        if not QueueEntry.objects.exclude(state=QueueState.ENDED).exists():
            return
    raise AssertionError("the queue never empties")
