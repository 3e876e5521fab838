"""The open question for the status on the case's page, with the answer right in it, and on the dashboard (E8)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse

from cases.actions import button_of
from cases.dashboard import Card, Figure, Listed, card, listed
from cases.models import Case
from cases.panels import Panel, panel
from contacts.enums import Right
from contacts.models import User
from escalations.models import Question
from escalations.questions.state import open_questions, overdue_questions

#: How many ended questions the panel shows; the list of questions has all of them.
PAST_SHOWN = 3


@panel(place=5)
def question_panel(case: Case, user: User, now: datetime) -> Panel | None:
    """The open question with the form to answer it, and the last ended ones. One query."""
    questions = case.questions.select_related("asked", "first_asked", "stands_in_for", "answered_by").order_by(
        "-asked_at", "-pk"
    )
    rows = list(questions[: PAST_SHOWN + 1])
    question = next((row for row in rows if row.is_open and case.is_open), None)
    past = [row for row in rows if not row.is_open][:PAST_SHOWN]
    if question is None and not past:
        return None
    may_answer = question is not None and user.may(Right.WORK_CASES)
    return Panel(
        f"{question.point} asks: where does it stand?" if question else "Where it stood when the owner was asked",
        "admin/escalations/question_panel.html",
        {
            "question": question,
            "asked_of_reader": question is not None and question.asked_id == user.pk,
            "in_place_of": question.stands_in_for if question and question.stands_in_for_id == case.owner_id else None,
            "is_overdue": question is not None and question.answer_by <= now,
            "button": button_of("answer_question", case, user, now) if may_answer else None,
            "past": past,
        },
        is_past=question is None,
    )


# --- the dashboard ----------------------------------------------------------------------------------------------


@card(place=10, right=Right.WORK_CASES)
def asked_of_me(user: User, now: datetime) -> Card | None:
    """The questions that this user has to answer, oldest first; no card without one. One query."""
    questions = listed(open_questions().filter(asked=user))
    if not questions.rows:
        return None
    is_overdue = any(row.answer_by <= now for row in questions.rows)
    figure = Figure(questions.count, "asked of me", _list_url("mine"), is_pressing=is_overdue, place=5)
    return Card("You are asked", TEMPLATE, _context(questions, now), figures=(figure,))


@card(place=11, right=Right.REASSIGN)
def unanswered_questions(user: User, now: datetime) -> Card | None:
    """Overdue questions, for those who may reassign the case. One query."""
    questions = listed(overdue_questions(now))
    if not questions.rows:
        return None
    figure = Figure(questions.count, "unanswered questions", _list_url("overdue"), is_pressing=True, place=6)
    return Card(
        "Nobody has answered yet",
        TEMPLATE,
        _context(questions, now) | {"names_asked": True},
        link=_list_url("overdue"),
        link_text="All overdue questions",
        figures=(figure,),
    )


TEMPLATE = "admin/escalations/question_card.html"


def _context(questions: Listed[Question], now: datetime) -> dict[str, Any]:
    lines = [{"question": row, "is_overdue": row.answer_by <= now} for row in questions.rows]
    return questions.context | {"rows": lines}


def _list_url(state: str) -> str:
    return f"{reverse('admin:escalations_question_changelist')}?state={state}"
