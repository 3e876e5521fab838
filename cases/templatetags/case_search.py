"""What a search shows of the cases it found, and where it looked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import template
from django.contrib.admin.views.main import SEARCH_VAR
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from cases.models import UnindexedCase
from cases.search.snippets import marked_html
from cases.search.words import Piece

register = template.Library()


@register.filter
def marked_words(pieces: Iterable[Piece]) -> SafeString:
    """The pieces of a text with the words looked for in <mark>."""
    return marked_html(pieces)


@dataclass(frozen=True)
class SearchNote:
    """What a reader has to know of the search in a list of cases."""

    where: str  # in which cases it looked, "" for all of them
    everywhere_url: str
    is_cut: bool
    shown: int
    by_parts: bool
    is_incomplete: bool


@register.simple_tag
def search_note(cl: Any) -> SearchNote | None:
    """Where the search of this list looked, and whether it shows all that it found; None without a search."""
    if cl.found is None:
        return None
    return SearchNote(
        _where(cl),
        f"?{urlencode({SEARCH_VAR: cl.query, 'queue': 'everything'})}",
        cl.found.is_cut,
        len(cl.found.keys),
        cl.found.by_parts,
        UnindexedCase.objects.exists(),
    )


def _where(cl: Any) -> str:
    queue = next((spec for spec in cl.filter_specs if hasattr(spec, "in_force")), None)
    names = [label for value, label in queue.lookup_choices if value == queue.in_force] if queue else []
    named = [f"“{name}”" for name in names if queue is not None and queue.in_force != "everything"]
    others = {name for name in cl.filter_params if queue is None or name != queue.parameter_name}
    if others - {SEARCH_VAR}:
        named.append("the filters")
    return " and ".join(named)
