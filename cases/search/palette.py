"""What the command palette (Ctrl+K) finds: cases, within what the reader may see (A1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from cases.models import Case
from cases.search.query import readable_by, search
from cases.search.snippets import FoundLine, found_lines

SHOWN = 12


@dataclass(frozen=True)
class Suggestions:
    """The best cases with the lines that show why they were found, and the address of the list of all of them."""

    cases: list[tuple[Case, FoundLine]]
    are_cut: bool
    by_parts: bool
    list_url: str


def suggestions(user: Any, typed: str) -> Suggestions:
    """What to offer somebody who types this."""
    readable = readable_by(user, Case.objects.all())
    found = search(readable, typed, SHOWN)
    cases = list(found.of(readable).select_related("company", "contact"))
    lines = found_lines(cases, found.query)
    list_url = f"{reverse('admin:cases_case_changelist')}?{urlencode({'q': typed})}"
    return Suggestions(list(zip(cases, lines, strict=True)), found.is_cut, found.by_parts, list_url)
