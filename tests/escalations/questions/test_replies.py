"""The owner who is asked for the status answers by mail (E8)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from cases.enums import Channel, Door, MailStatus, ReceivedOutcome, Severity
from cases.inbox.receive import receive
from cases.models import Attachment, Case, Interaction, Mail, ReceivedMail
from contacts.models import User
from escalations.enums import QuestionEnd
from escalations.models import Question
from escalations.points.apply import escalate
from escalations.questions.apply import answer_question
from tests.support.builders import NOON, Desk, build_technician
from tests.support.mails import AUTH_SERVER, proven, raw_mail
from tests.support.outbox import Outbox

pytestmark = pytest.mark.django_db

ASKED_AT = NOON + timedelta(hours=12)
LATER = ASKED_AT + timedelta(minutes=10)


@pytest.fixture(autouse=True)
def _auth_server(settings: Any) -> None:
    settings.MAIL_AUTH_SERVER = [AUTH_SERVER]


def asked(desk: Desk) -> tuple[Case, Mail]:
    """A High case whose owner was just asked for the status, and the mail that asks."""
    case = desk.open_case(severity=Severity.HIGH)
    escalate(ASKED_AT)
    mail = Mail.objects.get(case=case, template="escalation", to_address=desk.technician.email)
    Mail.objects.filter(pk=mail.pk).update(status=MailStatus.SENT, sent_at=ASKED_AT)
    return case, mail


def answer(mail: Mail, staff: User, text: str, at: datetime = LATER, **more: Any) -> ReceivedMail:
    raw = raw_mail(staff.email, text=text, references=[mail.message_id], headers=proven(staff.email), **more)
    return receive(raw, at, door=Door.COMMAND).mail


def test_the_own_words_of_a_reply_are_the_answer(desk: Desk) -> None:  # E8, M7
    case, mail = asked(desk)
    outbox = Outbox()
    reply = "The vendor sends a patch at 17:00.\n\nOn Thu, 4 Jun 2026 Support Desk wrote:\n> Say where it stands.\n"
    received = answer(mail, desk.technician, reply)
    question = Question.objects.get(case=case)
    assert (received.outcome, question.end) == (ReceivedOutcome.ANSWER, QuestionEnd.ANSWERED)
    assert (question.answer, question.answered_by) == ("The vendor sends a patch at 17:00.", desk.technician)
    assert question.for_customer == ""
    note = Interaction.objects.get(case=case, channel=Channel.NOTE)
    assert (note.body, note.by) == (question.answer, desk.technician)
    told = outbox.rows()
    assert {row.template for row in told} == {"status_answer"}
    assert desk.contact.email not in {row.to_address for row in told}


def test_a_reply_to_a_question_that_has_ended_is_a_note(desk: Desk) -> None:  # E8
    case, mail = asked(desk)
    answer_question(case.pk, desk.technician, LATER, answer="A patch comes.")
    received = answer(mail, desk.technician, "It came.", LATER + timedelta(hours=1))
    assert received.outcome == ReceivedOutcome.LOGGED
    assert Question.objects.get(case=case).answer == "A patch comes."
    assert received.interaction is not None
    assert received.interaction.body == "It came."


def test_whoever_was_only_informed_notes_and_answers_nothing(desk: Desk) -> None:  # E8, A1
    case, _ = asked(desk)
    to_manager = Mail.objects.get(case=case, template="escalation", to_address=desk.account_manager.email)
    assert answer(to_manager, desk.account_manager, "Please hurry.").outcome == ReceivedOutcome.LOGGED
    assert Question.objects.get(case=case).is_open


def test_a_colleague_may_answer_the_mail_of_another_and_whoever_may_not_work_cases_only_notes(
    desk: Desk,
) -> None:  # E8, A1
    case, mail = asked(desk)
    assert answer(mail, desk.account_manager, "What is going on?").outcome == ReceivedOutcome.LOGGED
    assert Question.objects.get(case=case).is_open
    colleague = build_technician(desk.centre, name="colleague")
    assert answer(mail, colleague, "I have it: a patch.").outcome == ReceivedOutcome.ANSWER
    assert Question.objects.get(case=case).answered_by == colleague


def test_an_unproven_reply_answers_nothing(desk: Desk) -> None:  # M5a, E8
    case, mail = asked(desk)
    raw = raw_mail(desk.technician.email, text="All is well.", references=[mail.message_id])
    assert receive(raw, LATER, door=Door.COMMAND).mail.outcome == ReceivedOutcome.TRIAGE
    assert Question.objects.get(case=case).is_open


def test_files_that_come_with_an_answer_are_kept_beside_it(desk: Desk) -> None:  # C3, E8
    case, mail = asked(desk)
    received = answer(mail, desk.technician, "See the log.", files={"a.log": b"jam\n"})
    assert received.outcome == ReceivedOutcome.ANSWER
    assert Question.objects.get(case=case).answer == "See the log."
    assert Attachment.objects.get(interaction=received.interaction).name == "a.log"
