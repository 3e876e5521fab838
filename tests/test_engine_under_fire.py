"""The engine with real processes on a real PostgreSQL: two at once, run twice, killed before any statement (E6, S1).

Whatever happens on the way, ledger, outbox, history and cases end as one undisturbed run leaves them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Model

from cases.enums import Channel, Direction, MailStatus, Resolution, Severity, WaitReason
from cases.followup.apply import follow_up
from cases.mail.leases import LEASE
from cases.models import Case, CaseWatcher, FailedCase, FollowUp, Mail
from cases.workflow import contact_log, transitions
from contacts.enums import Level
from escalations.models import Escalation
from escalations.points.apply import escalate
from tests.support.builders import NOON, Desk, build_technician
from tests.support.processes import mail_server

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.processes, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parent.parent
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
BATCH = 4
MOVES: dict[str, Callable[[datetime], Any]] = {"escalate": escalate, "follow_up": follow_up}


# --- scenes: committed data with much to do ---------------------------------------------------------------------


def many_due_cases(desk: Desk) -> datetime:
    """Cases of every severity, some resolved, some waiting, whose points were missed in an outage."""
    who = desk.technician
    for number in range(14):
        case = desk.open_case(NOON + number * MINUTE, severity=list(Severity)[number % 4], title=f"Case {number}")
        if number % 5 == 3:
            transitions.resolve(case.pk, who, NOON + 20 * HOUR, resolution=Resolution.NOT_PURSUED)
        if number % 5 == 4:
            transitions.ask_customer(
                case.pk,
                who,
                NOON + 30 * HOUR,
                question="?",
                reason=WaitReason.CONFIRM,
                send=False,
                channel=Channel.PHONE,
            )
    return NOON + 50 * HOUR


def many_due_waits(desk: Desk) -> datetime:
    """Waits of both plans and every age after an outage: notices, attempts and announcements, and cases to close."""
    for number in range(14):
        start = NOON + number * 12 * HOUR
        case = desk.open_case(start, severity=Severity.LOW, title=f"Case {number}")
        transitions.ask_customer(
            case.pk,
            desk.technician,
            start,
            question="?",
            reason=WaitReason.CANNOT_NOW,
            send=False,
            channel=Channel.PHONE,
        )
    for number in range(8):
        case = desk.open_case(NOON, severity=Severity.LOW, title=f"Called {number}", contact=desk.contact)
        transitions.ask_customer(
            case.pk,
            desk.technician,
            NOON,
            question="?",
            reason=WaitReason.INFORMATION,
            send=False,
            channel=Channel.PHONE,
        )
        for hours in (24, 120, 150)[: number % 4]:  # Thursday, Monday, Tuesday evening: too early for a third
            called(case.pk, desk, NOON + hours * HOUR)
    follow_up(NOON + 150 * HOUR)
    Mail.objects.filter(status=MailStatus.QUEUED).update(status=MailStatus.SENT, sent_at=NOON + 150 * HOUR)
    return NOON + 212 * HOUR  # Friday 12 June, ten in the morning over there


def called(case_id: int, desk: Desk, now: datetime) -> None:
    contact_log.log_contact(
        case_id,
        desk.technician,
        now,
        channel=Channel.PHONE,
        direction=Direction.OUT,
        body="No answer.",
        reached=False,
    )


SCENES = {"escalate": many_due_cases, "follow_up": many_due_waits}


def rows(model: type[Model], *without: str) -> list[str]:
    found = ({name: value for name, value in row.items() if name not in without} for row in model.objects.values())
    return sorted(json.dumps(row, sort_keys=True, default=str) for row in found)


def outcome() -> dict[str, list[str]]:
    """Everything a sweep leaves behind, without the keys that the database hands out."""
    notices = FollowUp.objects.values_list("case", "episode", "step", "due_at", "done_at", "superseded", "mail__key")
    return {
        "cases": rows(Case),
        "history": rows(Case.history.model, "history_id"),
        "ledger": rows(Escalation, "id"),
        "notices": sorted(str(notice) for notice in notices),
        "mail": rows(Mail, "id", "message_id"),
        "watchers": rows(CaseWatcher, "id"),
        "set aside": rows(FailedCase),
    }


def undisturbed(what: str, now: datetime) -> dict[str, list[str]]:
    """What one run in peace leaves, taken back afterwards: the same data wait for the disturbed one."""
    before = outcome()
    with transaction.atomic():
        MOVES[what](now)
        peaceful = outcome()
        transaction.set_rollback(True)
    assert outcome() == before != peaceful
    return peaceful


# --- workers ----------------------------------------------------------------------------------------------------


class Worker:
    """`tests.support.engine_worker` in a process of its own, on the database of the tests."""

    def __init__(self) -> None:
        at = connection.settings_dict
        password = f":{at['PASSWORD']}" if at["PASSWORD"] else ""
        url = f"postgres://{at['USER']}{password}@{at['HOST']}:{at['PORT']}/{at['NAME']}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.engine_worker"],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": url},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def order(self, how: str, what: str, now: datetime, mail_port: int = 0) -> None:
        """Tell it what to do; it begins at once."""
        order = {"how": how, "what": what, "now": now.isoformat(), "batch": BATCH, "mail_port": mail_port}
        self._write(json.dumps(order))

    def go_on(self) -> None:
        """Release it from where it is held."""
        self._write("")

    def said(self) -> dict[str, Any]:
        """The next thing it says; it waits until there is one."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the worker died"
        return json.loads(line)

    def end(self) -> None:
        """Stop it for good."""
        self._process.kill()
        self._process.communicate()

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()


@pytest.fixture(scope="module")
def workers(django_db_setup) -> Iterator[tuple[Worker, Worker]]:
    """Two workers, started once: it takes them longer to start than to work."""
    both = Worker(), Worker()
    yield both
    for worker in both:
        worker.end()


@pytest.mark.parametrize("what", SCENES)
def test_two_sweeps_at_once_do_everything_once(desk: Desk, workers, settings, what: str) -> None:  # E6
    now = SCENES[what](desk)
    settings.DESK_BATCH = BATCH
    peaceful = undisturbed(what, now)
    for worker in workers:
        worker.order("run", what, now)
    acted_on = [worker.said()["acted_on"] for worker in workers]
    assert sum(acted_on) > BATCH
    assert outcome() == peaceful


@pytest.mark.parametrize("what", SCENES)
def test_a_sweep_works_around_what_another_one_holds(desk: Desk, workers, settings, what: str) -> None:  # E6, S1
    now = SCENES[what](desk)
    settings.DESK_BATCH = BATCH
    peaceful = undisturbed(what, now)
    slow, quick = workers
    slow.order("hold", what, now)
    assert slow.said() == {"holding": True}
    quick.order("run", what, now)
    done_around = quick.said()["acted_on"]
    half_way = outcome()
    slow.go_on()
    done_late = slow.said()["acted_on"]
    assert done_around > 0
    assert 0 < done_late <= BATCH
    assert half_way != peaceful
    assert outcome() == peaceful


@pytest.mark.parametrize("what", SCENES)
def test_a_task_delivered_twice_changes_nothing_the_second_time(desk: Desk, workers, settings, what: str) -> None:  # E6
    now = SCENES[what](desk)
    settings.DESK_BATCH = BATCH
    peaceful = undisturbed(what, now)
    acted_on = []
    for worker in workers:
        worker.order("run", what, now)
        acted_on.append(worker.said()["acted_on"])
    assert acted_on[0] > BATCH
    assert acted_on[1] == 0
    assert outcome() == peaceful


@pytest.mark.parametrize("what", SCENES)
def test_killed_before_any_statement_the_next_sweeps_end_where_an_undisturbed_one_does(
    desk: Desk, workers, settings, what: str
) -> None:  # E6
    build_technician(desk.centre, Level.L3, "l3b")
    now = SCENES[what](desk)
    settings.DESK_BATCH = BATCH
    peaceful = undisturbed(what, now)
    workers[0].order("kill", what, now)
    killed = workers[0].said()["killed"]
    assert killed >= 12  # every statement of at least one batch
    assert outcome() == peaceful


# --- delivery ---------------------------------------------------------------------------------------------------


def test_delivery_killed_before_any_statement_loses_nothing_and_repeats_carry_the_same_message_id(
    desk: Desk, workers
) -> None:
    # M2: at least once
    for number in range(3):
        desk.open_case(NOON + number * MINUTE, severity=Severity.HIGH)
    wanted = sorted(Mail.objects.values_list("message_id", "to_address"))
    assert len(wanted) == 6
    with mail_server() as (mailbox, port):
        workers[0].order("kill", "deliver", NOON + HOUR, mail_port=port)
        killed = workers[0].said()["killed"]
    assert sorted(set(mailbox.arrived)) == wanted
    again = {message: times - 1 for message, times in Counter(mailbox.arrived).items() if times > 1}
    assert again, "no kill fell between the sending and its mark: the test proves nothing"
    assert sum(again.values()) <= killed  # a kill repeats the one message it cut short
    assert set(Mail.objects.values_list("status", flat=True)) == {MailStatus.SENT}
    assert all(mail.sent_at > NOON + HOUR + LEASE for mail in Mail.objects.all())
