"""Questions for the status of a case, and their answers (E8). `escalations.points.apply` asks, here somebody answers.

Whoever works cases may answer, asked or not. The answer is logged for staff, goes at once to the staff in the audience
and to whoever watches the case, and to nobody else. What is marked for the customer is a text of its own, kept on the
question until the customer's next update brings it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from cases.enums import Channel, Direction, MailStatus, Status
from cases.guards import Refused, allow, locked, needs
from cases.mail.letters import Letter, case_facts, facts, post
from cases.mail.messages import CUSTOMER_UPDATES
from cases.models import Case, Interaction, Mail
from cases.workflow.transitions import log_interaction
from contacts.directory import Directory
from contacts.enums import Right
from contacts.models import User
from escalations.audience import StaffReader, audience_of, readers_of, staff_of, staff_readers, watchers_of
from escalations.clocks import load_clocks
from escalations.enums import Member, QuestionEnd
from escalations.models import Question

#: The customer's status updates: each brings what was marked for the customer since the one before.


def answer(
    case_id: int, actor: User, now: datetime, *, answer: str, for_customer: str = "", question_id: int | None = None
) -> Question:
    """Say where the case stands, in a line: ends its open question and tells the staff in the audience at once (E8).

    `question_id` is the question that the actor has read; without it the open one is meant. One that has ended
    meanwhile is not answered any more. Raises Refused or NotAllowed; Case.DoesNotExist for a foreign case (A1).
    """
    allow(actor, Right.WORK_CASES, "answer for the status of a case")
    said = needs(answer, "Say in a line where the case stands.", "answer")
    with transaction.atomic():
        case = locked(case_id, actor)
        question = _still_open(case, question_id, actor)
        readers, told = staff_to_tell(case, now)
        log_interaction(case, Channel.NOTE, Direction.INTERNAL, said, actor, now, told=told)
        end_with_answer(question, actor, now, said, for_customer.strip())
        post(_letters(case, question, [one for one in readers if one.to.user_id != actor.pk], now), now)
        case.recheck("sla", now)  # it resets the clocks of those it told (T2)
    return question


def open_question(case: Case) -> Question | None:
    """The question that wants an answer now; none on a resolved case, whose question ends with it (E8)."""
    return open_questions().filter(case=case).first()


def open_questions() -> QuerySet[Question]:
    """Those that want an answer, oldest first, with their cases and the people they name."""
    rows = Question.objects.filter(ended_at=None).exclude(case__status=Status.RESOLVED)
    return rows.select_related("case", "case__company", "asked", "stands_in_for").order_by("asked_at", "pk")


def overdue_questions(now: datetime) -> QuerySet[Question]:
    """Those of the open ones whose time is over (E8), longest over first."""
    return open_questions().filter(answer_by__lte=now).order_by("answer_by", "pk")


def staff_to_tell(
    case: Case, now: datetime, wanted: Iterable[Member] | None = None
) -> tuple[list[StaffReader], list[Member]]:
    """Whom a word about the case goes to as staff, each person once and watchers as well, and which members of the
    audience that tells. `wanted` are the members; without it those of the audience in force.
    """
    members = staff_of(audience_of(load_clocks([case])[case.pk], now) if wanted is None else wanted)
    found = readers_of(case, members, Directory())
    readers = staff_readers(found, watchers_of([case])[case.pk])
    return readers, [member for member in members if found[member]]


def end_with_answer(question: Question, actor: User, now: datetime, said: str, for_customer: str = "") -> None:
    """Write down the answer of an open question, whose case the caller has locked."""
    question.answer, question.for_customer = said, for_customer
    question.answered_by, question.ended_at, question.end = actor, now, QuestionEnd.ANSWERED
    question.save(update_fields=["answer", "for_customer", "answered_by", "ended_at", "end"])


def marked_for_customers(cases: Iterable[Case]) -> dict[int, list[Question]]:
    """By case, the answers with words for the customer that no update has brought them yet, oldest first (E8).

    Two queries.
    """
    ids = [case.pk for case in cases]
    brought = dict(
        Mail.objects.filter(case__in=ids, template__in=CUSTOMER_UPDATES)
        .exclude(status=MailStatus.DROPPED)
        .values_list("case_id")
        .annotate(last=Max("queued_at"))
    )
    marked: dict[int, list[Question]] = {case_id: [] for case_id in ids}
    rows = Question.objects.filter(case__in=ids, end=QuestionEnd.ANSWERED).exclude(for_customer="")
    for row in rows.order_by("ended_at", "pk"):
        if row.case_id not in brought or row.ended_at > brought[row.case_id]:
            marked[row.case_id].append(row)
    return marked


# --- what has ended cannot be answered --------------------------------------------------------------------------


def _still_open(case: Case, question_id: int | None, actor: User) -> Question:
    """The question that is answered. Raises Refused, saying how it ended meanwhile."""
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
    at = f"{timezone.localtime(question.ended_at):%Y-%m-%d %H:%M %Z}"
    if newer is not None:
        return (
            f"{newer.point} has asked anew at {timezone.localtime(newer.asked_at):%Y-%m-%d %H:%M %Z}, after you opened "
            "the page. Nothing was sent; if your answer still holds, press again to answer that."
        )
    if question.end == QuestionEnd.ANSWERED:
        who = "You have" if question.answered_by == actor else f"{question.answered_by} has"
        return f"{who} answered {question.point} already, at {at}: “{question.answer}”. Nothing was sent twice."
    return f"The question of {question.point} ended at {at}: {question.get_end_display().lower()}. Nothing was sent."


# --- the letters ------------------------------------------------------------------------------------------------


def _letters(case: Case, question: Question, readers: Sequence[StaffReader], now: datetime) -> list[Letter]:
    """The answer to each of the staff; a person with two roles gets it once (E5, E8)."""
    upcoming = case.escalation_check_at if case.escalation_check_at and case.escalation_check_at > now else None
    more: dict[str, Any] = {
        "about": case_facts(case),
        "expected": "Nothing for now: this is to inform you.",
        "then": after_that(case, upcoming),
        "next_at": upcoming.isoformat() if upcoming else "",
        "point": question.point,
        "asked_at": question.asked_at.isoformat(),
        "said": question.answer,
        "sender": str(question.answered_by),
        "for_customer": question.for_customer,
    }
    return [
        Letter(
            f"answer:{question.pk}:{reader.to.address}",
            "status_answer",
            reader.to,
            facts(case, why=reader.because, **more),
            case,
        )
        for reader in readers
    ]


def after_that(case: Case, upcoming: datetime | None) -> str:
    """What happens next on a case, for staff who are kept informed."""
    if case.status == Status.WAITING:
        return "The case waits for the customer; we go on when they answer."
    if upcoming is not None:
        return "If the case stays unresolved, the next point of the schedule comes by itself."
    return "You hear more when there is more to say, or when the next status update is due."


def said_just_now(case: Case, actor: User, body: str, since: datetime) -> bool:
    """Whether this person has logged the very same words on the case since a moment: a second click."""
    rows = Interaction.objects.filter(case=case, by=actor, body=body.strip(), at__gt=since, opened_the_case=False)
    return rows.exists()
