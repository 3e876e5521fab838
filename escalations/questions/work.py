"""The open question for the status of a case as work of whoever is asked (W1, E8)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from cases.enums import WorkKind
from cases.models import Case
from cases.work_items import SUPPORT_MANAGER, WorkItem, case_source, work_source
from contacts.enums import Right
from contacts.models import User
from escalations.clocks import load_clocks_for_page
from escalations.models import Question
from escalations.questions.state import open_questions


@case_source
def asked(reader: User, now: datetime, most: int) -> Iterable[int]:
    """What is asked of the reader, also in somebody's place; for whoever reassigns what is overdue (E8)."""
    if reader.may(Right.REASSIGN):  # without asking whether the case is open: a resolved one ends its question
        overdue = Question.objects.filter(ended_at=None, answer_by__lte=now).order_by("answer_by", "pk")
        return overdue.values_list("case_id", flat=True)[:most]
    if not reader.may(Right.WORK_CASES):
        return []
    return open_questions().filter(asked=reader).order_by("answer_by").values_list("case_id", flat=True)[:most]


@work_source
def questions(cases: Sequence[Case], reader: User, now: datetime) -> Iterator[WorkItem]:
    """What the owner is asked; overdue it is the Support Manager's as well (E8)."""
    clocks = load_clocks_for_page(cases)
    for case in cases:
        question = clocks[case.pk].question
        if question is None or clocks[case.pk].question_is_over:
            continue
        asked = _asked(question, case)
        is_late = question.answer_by <= now or asked is None
        for_reader = asked == reader or (is_late and reader.may(Right.REASSIGN))
        yield WorkItem(
            case,
            WorkKind.QUESTION,
            f"Answer {question.point}",
            question.answer_by,
            question.asked_at,
            str(asked or SUPPORT_MANAGER),
            for_reader,
            "answer_question",
            f"Answer {question.point}",
        )


def _asked(question: Question, case: Case) -> User | None:
    """Who has to answer: a new owner inherits the question, also before a sweep has written it down (E8)."""
    inherited = case.owner_id not in (question.asked_id, question.stands_in_for_id)
    return case.owner if inherited and case.owner is not None else question.asked
