"""The card of the queue on My desk: who waits, whom we owe a call, and “a call comes in” by hand (Q3, Q5)."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, Min, Q
from django.urls import reverse

from cases.dashboard import Card, Figure, card
from cases.enums import QueueKind
from cases.models import QueueEntry
from cases.queue.board import missed_today
from contacts.enums import Right
from contacts.models import User
from contacts.wording import distance_from, rough_duration


@card(place=10)
def queue_card(user: User, now: datetime) -> Card | None:
    """One query; a second one for whoever reassigns, who sees what was missed (Q3)."""
    works = user.may(Right.WORK_CASES)
    if not works and not user.may(Right.WATCH_THE_ENGINE):
        return None
    line = QueueEntry.objects.in_line().order_by()
    live, owed = Q(is_callback=False), Q(is_callback=True)
    figures = line.aggregate(
        waiting=Count("pk", filter=live),
        chats=Count("pk", filter=live & Q(kind=QueueKind.CHAT)),
        since=Min("in_line_since", filter=live),
        callbacks=Count("pk", filter=owed),
        due_at=Min("due_at", filter=owed),
    )
    board = reverse("admin:cases_queueentry_board")
    is_late = figures["due_at"] is not None and figures["due_at"] <= now
    context = {
        **figures,
        "callers": figures["waiting"] - figures["chats"],
        "longest": rough_duration(now - figures["since"]) if figures["since"] else "",
        "due": distance_from(figures["due_at"], now) if figures["due_at"] else "",
        "is_late": is_late,
        "may_work": works,
        "missed": missed_today(now) if user.may(Right.REASSIGN) else [],
    }
    wanted = figures["waiting"] or figures["callbacks"]
    if not works and not wanted:
        return None
    figure = Figure(str(figures["waiting"] + figures["callbacks"]), "on the phone queue", board, is_late, place=3)
    return Card(
        "Phone queue",
        "admin/cases/queue/card.html",
        context,
        link=board,
        link_text="The board",
        figures=(figure,) if wanted else (),
        aside=not wanted,
    )
