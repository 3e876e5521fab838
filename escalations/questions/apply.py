"""Answer a question for the status of a case (E8); `escalations.points.apply` asks it.

Whoever works cases may answer, asked or not. The answer is logged for staff, and mailed at once to the staff in the
audience and to watchers, to nobody else. What is marked for the customer is a text of its own, kept on the question
until the customer's next update includes it.
"""

from __future__ import annotations

from datetime import datetime

from cases.enums import Channel, Direction
from cases.guards import Refused, changing, needs
from cases.mail.letters import post
from cases.models import Case
from cases.workflow.transitions import log_interaction
from contacts.enums import Right
from contacts.models import User
from contacts.reader import for_reader
from escalations.enums import QuestionEnd
from escalations.models import Question
from escalations.questions.mail import answer_letters
from escalations.questions.state import find_staff_readers


def answer_question(
    case: Case | int,
    actor: User,
    now: datetime,
    *,
    answer: str,
    for_customer: str = "",
    question_id: int | None = None,
) -> Question:
    """Say where the case stands: ends its open question and mails the staff in the audience at once (E8).

    `question_id` is the question that the actor has read; without it the newest one is meant. Raises Refused if that
    one has ended meanwhile, NotAllowed, or Case.DoesNotExist for a foreign case (A1).
    """
    with changing(case, actor, now, right=Right.WORK_CASES, to="answer for the status of a case") as (case, _):
        answer = needs(answer, "Say in a line where the case stands.", "answer")
        question = _get_open(case, question_id, actor)
        readers, members = find_staff_readers(case, now)
        log_interaction(case, Channel.NOTE, Direction.INTERNAL, answer, actor, now, told=members)
        record_answer(question, actor, now, answer, for_customer.strip())
        others = [reader for reader in readers if reader.to.user_id != actor.pk]
        post(answer_letters(case, question, others, now), now)
        case.recheck("sla", now)  # it resets the clocks of those it reaches (T2)
    return question


def record_answer(question: Question, actor: User, now: datetime, answer: str, for_customer: str = "") -> None:
    """End an open question with an answer; the caller has locked the case."""
    question.answer, question.for_customer = answer, for_customer
    question.answered_by, question.ended_at, question.end = actor, now, QuestionEnd.ANSWERED
    question.save(update_fields=["answer", "for_customer", "answered_by", "ended_at", "end"])


def _get_open(case: Case, question_id: int | None, actor: User) -> Question:
    """The question that is answered. Raises Refused with how it ended if it is not open."""
    questions = Question.objects.filter(case=case).select_related("answered_by").order_by("-asked_at", "-pk")
    meant = questions.filter(pk=question_id).first() if question_id is not None else questions.first()
    if meant is None:
        raise Refused(f"Nobody asks for the status of {case.number}; log a note, or send a status update instead.")
    if not case.is_open:
        raise Refused(f"{case.number} is resolved, and with that the question has ended. Nothing was sent.")
    if meant.is_open:
        return meant
    raise Refused(_how_it_ended(meant, questions.filter(ended_at=None).first(), actor))


def _how_it_ended(question: Question, newer: Question | None, actor: User) -> str:
    at = for_reader(question.ended_at) if question.ended_at else ""
    if newer is not None:
        return (
            f"{newer.point} has asked anew on {for_reader(newer.asked_at)}, after you opened "
            "the page. Nothing was sent; if your answer still holds, press again to answer that."
        )
    if question.end == QuestionEnd.ANSWERED:
        who = "You have" if question.answered_by == actor else f"{question.answered_by} has"
        return f"{who} answered {question.point} already, on {at}: “{question.answer}”. Nothing was sent twice."
    return f"The question of {question.point} ended on {at}: {question.get_end_display().lower()}. Nothing was sent."
