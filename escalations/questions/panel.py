"""The open question for the status on the case's page, with the answer right in it, and on the dashboard (E8)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse

from cases.actions import button_of
from cases.dashboard import SHOWN, Card, Figure, card
from cases.models import Case
from cases.panels import Panel, panel
from contacts.enums import Right
from contacts.models import User
from escalations.models import Question
from escalations.questions.apply import open_questions, overdue_questions

#: How many questions that have ended the panel tells; the list of questions has all of them.
PAST_SHOWN = 3


@panel(place=5)
def question_panel(case: Case, user: User, now: datetime) -> Panel | None:
    """Who is asked where the case stands, until when, and the answer; what was answered before. One query."""
    rows = list(
        case.questions.select_related("asked", "stands_in_for", "answered_by").order_by("-asked_at", "-pk")[
            : PAST_SHOWN + 1
        ]
    )
    asks = next((row for row in rows if row.is_open and case.is_open), None)
    past = [row for row in rows if not row.is_open][:PAST_SHOWN]
    if asks is None and not past:
        return None
    return Panel(
        f"{asks.point} asks: where does it stand?" if asks else "Where it stood when the owner was asked",
        "admin/escalations/question_panel.html",
        {
            "question": asks,
            "asked_of_reader": asks is not None and asks.asked_id == user.pk,
            "in_place_of": asks.stands_in_for if asks and asks.stands_in_for_id == case.owner_id else None,
            "is_overdue": asks is not None and asks.answer_by <= now,
            "button": button_of("answer_question", case, user, now) if asks and user.may(Right.WORK_CASES) else None,
            "past": past,
        },
        is_past=asks is None,
    )


# --- the dashboard ----------------------------------------------------------------------------------------------


@card(place=10)
def asked_of_me(user: User, now: datetime) -> Card | None:
    """The questions that wait for one's own answer, oldest first; nothing for whom nobody asks. One query."""
    if not user.may(Right.WORK_CASES):
        return None
    rows = list(open_questions().filter(asked=user)[: SHOWN + 1])
    if not rows:
        return None
    figure = Figure(_counted(rows), "asked of me", _list("mine"), is_pressing=_any_overdue(rows, now), place=5)
    return Card("You are asked", TEMPLATE, _shown(rows, now), figures=(figure,))


@card(place=11)
def unanswered_questions(user: User, now: datetime) -> Card | None:
    """Questions whose time is over, for whoever may give the case to somebody who answers. One query."""
    if not user.may(Right.REASSIGN):
        return None
    rows = list(overdue_questions(now)[: SHOWN + 1])
    if not rows:
        return None
    figure = Figure(_counted(rows), "unanswered questions", _list("overdue"), is_pressing=True, place=6)
    return Card(
        "Nobody has answered yet",
        TEMPLATE,
        _shown(rows, now) | {"names_asked": True},
        link=_list("overdue"),
        link_text="All overdue questions",
        figures=(figure,),
    )


TEMPLATE = "admin/escalations/question_card.html"


def _shown(rows: list[Question], now: datetime) -> dict[str, Any]:
    lines = [{"question": row, "is_overdue": row.answer_by <= now} for row in rows[:SHOWN]]
    return {"rows": lines, "more": len(rows) > SHOWN}


def _counted(rows: list[Question]) -> str:
    return f"{SHOWN}+" if len(rows) > SHOWN else str(len(rows))


def _any_overdue(rows: list[Question], now: datetime) -> bool:
    return any(row.answer_by <= now for row in rows)


def _list(state: str) -> str:
    return f"{reverse('admin:escalations_question_changelist')}?state={state}"
