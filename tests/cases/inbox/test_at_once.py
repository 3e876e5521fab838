"""Two workers with one message, an answer beside a notice, and a worker that is killed: on PostgreSQL (M5, F6, E6)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cases.enums import Direction, Door, MailStatus, ReceivedOutcome, Status, WaitReason
from cases.followup.apply import follow_up
from cases.inbox.receive import Received, receive
from cases.mail.outbox import deliver
from cases.models import Case, Interaction, Mail, ReceivedMail
from cases.workflow import transitions
from tests.support.builders import NOON, Desk, build_desk, reload
from tests.support.mails import AUTH_SERVER, proven, raw_mail
from tests.support.processes import ROOT, environment
from tests.support.workers import at_once

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

HOUR = timedelta(hours=1)
DESK = "desk@acme.example.com"


@pytest.fixture(autouse=True)
def _auth_server(settings: Any) -> None:
    settings.MAIL_AUTH_SERVER = [AUTH_SERVER]


def waiting_case(desk: Desk) -> Case:
    case = desk.open_case()
    transitions.ask_customer(case.pk, desk.technician, NOON, question="Which?", reason=WaitReason.CANNOT_NOW)
    return case


def answer_to(case: Case, text: str = "The blue one.") -> bytes:
    asked = Mail.objects.get(case=case, template="question")
    return raw_mail(DESK, text=text, references=[asked.message_id], headers=proven(DESK), files={"a.log": b"jam\n"})


def words(case: Case) -> int:
    return Interaction.objects.filter(case=case, direction=Direction.IN, opened_the_case=False).count()


def test_two_workers_with_one_message_act_once(transactional_db: None) -> None:  # M5
    desk = build_desk()
    case = waiting_case(desk)
    raw, received = answer_to(case), list[Received]()
    take: Callable[[], None] = lambda: received.append(receive(raw, NOON + HOUR, door=Door.COMMAND))  # noqa: E731
    at_once(take, take, take)
    assert sorted(one.is_new for one in received) == [False, False, True]
    assert (ReceivedMail.objects.count(), words(case)) == (1, 1)
    assert {one.mail.pk for one in received} == {ReceivedMail.objects.get().pk}


def test_an_answer_in_the_minute_of_a_notice_wins(transactional_db: None) -> None:  # F6, M1
    desk = build_desk()
    at = NOON + 48 * HOUR
    for _ in range(5):
        case = waiting_case(desk)
        raw = answer_to(case, f"Answer of {case.number}.")
        at_once(lambda: follow_up(at), lambda raw=raw: receive(raw, at, door=Door.COMMAND))  # type: ignore[misc]
        deliver(lambda: at)
        assert (reload(case).status, words(case)) == (Status.IN_PROGRESS, 1)
        notices = Mail.objects.filter(case=case, template="notice_1").values_list("status", flat=True)
        assert set(notices) <= {MailStatus.DROPPED}


def test_two_messages_of_one_sender_at_once_are_told_whom_to_turn_to_once(transactional_db: None) -> None:  # D3, M6
    build_desk()
    sender = "user@acme.example.com"
    raws = [raw_mail(sender, text=f"Hello {at}", headers=proven(sender)) for at in range(4)]
    at_once(*[lambda raw=raw: receive(raw, NOON, door=Door.COMMAND) for raw in raws])  # type: ignore[misc]
    assert ReceivedMail.objects.filter(outcome=ReceivedOutcome.TURNED_AWAY).count() == 4
    assert Mail.objects.filter(template="turned_away").count() == 1


@pytest.mark.slow
@pytest.mark.processes
def test_a_worker_killed_before_any_statement_loses_and_doubles_nothing(
    transactional_db: None, tmp_path: Path
) -> None:  # M5, E6
    desk = build_desk()
    case = waiting_case(desk)
    before = Mail.objects.count()
    path = tmp_path / "message"
    path.write_bytes(answer_to(case))
    order = {"how": "kill", "what": f"receive {path}", "now": (NOON + HOUR).isoformat(), "batch": 4}
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.engine_worker"],
        cwd=ROOT,
        env=environment(),
        input=json.dumps(order) + "\n",
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    killed = json.loads(done.stdout)["killed"]
    assert killed > 10, done.stderr
    mail = ReceivedMail.objects.get()
    assert (mail.outcome, mail.case, words(case)) == (ReceivedOutcome.LOGGED, case, 1)
    assert reload(case).status == Status.IN_PROGRESS
    assert list(Mail.objects.order_by("pk").values_list("template", flat=True)[before:]) == ["contact_logged"]
    assert receive(path.read_bytes(), NOON + 2 * HOUR, door=Door.COMMAND).is_new is False
