"""Refuses what no page can answer: a character that no column can hold, and more than the desk takes in (S4)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

NUL = "\0"
#: So much of a request that is too large is read and thrown away, so that the browser shows the answer.
READ_AWAY = 64 * 1024 * 1024
CHUNK = 64 * 1024


class OddRequestMiddleware:
    """Answers 400 to a NUL in path, query or form, and 413 to a body that is larger than the desk takes in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if NUL in request.path_info or b"\0" in unquote_to_bytes(request.META.get("QUERY_STRING", "")):
            return render(request, "400.html", status=400)
        if _announced_length(request) > _taken_in(request):
            _read_away(request)
            return too_large(request)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponse | None:
        """Look into the form before the page does."""
        try:
            has_nul = any(NUL in text for text in chain(request.POST, *(texts for _, texts in request.POST.lists())))
        except RequestDataTooBig:
            return too_large(request)
        return render(request, "400.html", status=400) if has_nul else None


def too_large(request: HttpRequest) -> HttpResponse:
    """A page that says how much the desk takes in at once."""
    limit = f"{_taken_in(request) / 1_000_000:.1f} MB"
    return render(request, "413.html", {"limit": limit}, status=413)


def _announced_length(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or ""
    return int(length) if length.isascii() and length.isdigit() else 0


def _taken_in(request: HttpRequest) -> int:
    """Bytes: more where files may come along."""
    with_files = request.META.get("CONTENT_TYPE", "").startswith("multipart/")
    return settings.DESK_LARGEST_UPLOAD if with_files else settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def _read_away(request: HttpRequest) -> None:
    """A server that answers while a browser still sends cuts it off, and no page is seen."""
    left = READ_AWAY
    try:
        while left > 0 and (chunk := request.read(CHUNK)):
            left -= len(chunk)
    except OSError:
        return  # the browser has gone
