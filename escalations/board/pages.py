"""The pages of the live board: the board, what of it changes, and the cases behind each figure (W4, A1)."""

from __future__ import annotations

import hashlib
from datetime import datetime, tzinfo
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from contacts.enums import Right
from contacts.permissions import has_right, id_of, signed_in_user
from contacts.wording import moment_formatter
from escalations.board.figures import figures, in_order
from escalations.board.state import COUNTED, KEPT_LONG, LiveBoard, board_of
from escalations.policy.board import DAY

#: How often a screen asks, in seconds.
EVERY = 10
CASES_A_PAGE = 50


def may_watch(request: HttpRequest) -> bool:
    """Whether somebody watches over the whole desk (A1)."""
    return has_right(request, Right.WATCH_THE_ENGINE)


def _watching(request: HttpRequest) -> None:
    """Raises PermissionDenied."""
    if not may_watch(request):
        raise PermissionDenied("The board is for those who watch over the whole desk.")


@require_safe
def board_page(request: HttpRequest) -> HttpResponse:
    """The board, which asks for its figures again and again."""
    _watching(request)
    context = {**admin.site.each_context(request), "title": "Live board", "every": EVERY, **_shown(request)}
    return TemplateResponse(request, "admin/escalations/board/board.html", context)


@require_safe
def board_tiles(request: HttpRequest) -> HttpResponse:
    """What of the board changes; 204 while the screen shows the same already. A header says of when it is."""
    _watching(request)
    shown = _shown(request)
    html = render_to_string("admin/escalations/board/tiles.html", shown, request)
    key = hashlib.sha256(html.encode()).hexdigest()[:16]
    headers = {"X-Desk-Key": key, "X-Desk-At": shown["as_of"], "Cache-Control": "no-store"}
    if request.GET.get("seen") == key:
        return HttpResponse(status=204, headers=headers)
    return HttpResponse(html, headers=headers)


def _shown(request: HttpRequest) -> dict[str, Any]:
    now, zone = timezone.now(), timezone.get_current_timezone()
    board = board_of(now, signed_in_user(request))
    return {"board": board, "as_of": f"{board.now.astimezone(zone):%H:%M:%S}", **_in_words(board, zone)}


def _in_words(board: LiveBoard, zone: tzinfo) -> dict[str, Any]:
    """The moments of the board on the reader's clock."""
    show = moment_formatter(board.now, zone)

    def clock(moment: datetime) -> str:
        return "now" if moment <= board.now else f"{moment.astimezone(zone):%H:%M}"

    def stretch(start: datetime, end: datetime) -> str:
        is_all_day = start <= board.now and end - board.now >= DAY - KEPT_LONG
        return "all day" if is_all_day else f"{clock(start)} to {clock(end)}"

    return {
        "standing": [(one.name, show(one.since) if one.since is not None else "") for one in board.standing],
        "uncovered": [(name, [stretch(*one) for one in stretches]) for name, stretches in board.uncovered],
        "tonight": [(clock(one.at), one) for one in board.tonight],
    }


@require_safe
def board_cases(request: HttpRequest, key: str) -> HttpResponse:
    """The cases that a figure counts, the next deadline first. Raises Http404 for a figure that the board has not."""
    _watching(request)
    figure = figures().get(key)
    if figure is None:
        raise Http404("The board has no such figure.")
    now = timezone.now()
    cases = in_order(figure.cases(now).visible_to(signed_in_user(request)))
    counted = figure.cases(now).values("pk")[: COUNTED + 1].count()
    pages = max(1, -(-min(counted, COUNTED) // CASES_A_PAGE))
    page = min(max(1, id_of(request.GET.get("page", "")) or 1), pages)
    first = (page - 1) * CASES_A_PAGE
    context = {
        **admin.site.each_context(request),
        "title": figure.title,
        "now": now,
        "count": f"{COUNTED}+" if counted > COUNTED else str(counted),
        "cases": list(cases.select_related("company", "owner")[first : min(first + CASES_A_PAGE, COUNTED)]),
        "page": page,
        "pages": pages,
        "before": page - 1,
        "after": page + 1 if page < pages else 0,
    }
    return TemplateResponse(request, "admin/escalations/board/cases.html", context)
