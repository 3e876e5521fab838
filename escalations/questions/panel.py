"""The open question for the status on the case's page, with the answer right in it, and on the dashboard (E8)."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from cases.models import Case
from cases.panels import Panel, PanelLine, panel
from contacts.enums import Right
from contacts.models import User
from contacts.wording import moment_formatter
from escalations.clocks import questions_of
from escalations.models import Question

#: How many ended questions the panel shows; the list of questions has all of them.
PAST_SHOWN = 3


def _open_question(case: Case) -> Question | None:
    return next((row for row in questions_of(case) if row.is_open and case.is_open), None)


def _question_line(case: Case, user: User, now: datetime) -> PanelLine | None:
    question = _open_question(case)
    if question is not None:
        is_overdue = question.answer_by <= now
        show = moment_formatter(now, timezone.get_current_timezone())
        summary = f"answer {'was owed' if is_overdue else 'owed'} by {show(question.answer_by)}"
        return PanelLine(f"{question.point} asks: where does it stand?", summary, is_open=True, is_pressing=is_overdue)
    ended = [row for row in questions_of(case) if not row.is_open]
    return PanelLine("Where it stood when the owner was asked", ended[0].point) if ended else None


@panel(place=5, slug="question", line=_question_line)
def question_panel(case: Case, user: User, now: datetime) -> Panel:
    """The open question, and the last ended ones."""
    question = _open_question(case)
    past = [row for row in questions_of(case) if not row.is_open][:PAST_SHOWN]
    may_answer = question is not None and user.may(Right.WORK_CASES)
    return Panel(
        "admin/escalations/question_panel.html",
        {
            "question": question,
            "asked_of_reader": question is not None and question.asked_id == user.pk,
            "in_place_of": question.stands_in_for if question and question.stands_in_for_id == case.owner_id else None,
            "is_overdue": question is not None and question.answer_by <= now,
            "answer_url": case.form_url("answer_question") if may_answer else "",
            "past": past,
        },
    )
