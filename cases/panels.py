"""The side column of a case's page: a small registry of panels, so that later apps show theirs without being known.

A source looks at a case for a reader at a moment (UTC) and answers with a panel, or None when it has nothing to say.
It writes nothing, and asks the database the same few questions whatever happened to the case.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cases.models import Case
from contacts.models import User


@dataclass(frozen=True)
class Panel:
    """One box of the side column; the template is rendered with the page's own context and this one."""

    title: str
    template: str
    context: dict[str, Any] = field(default_factory=dict)
    is_past: bool = False  # only what is over: folded, below the others


Source = Callable[[Case, User, datetime], Panel | None]

_sources: dict[int, Source] = {}


def panel(place: int) -> Callable[[Source], Source]:
    """Register the decorated source for every case's page. Panels stand by rising place; no two share one."""

    def register(source: Source) -> Source:
        assert place not in _sources, f"Place {place} is taken by {_sources[place]}."
        _sources[place] = source
        return source

    return register


def panels_of(case: Case, user: User, now: datetime) -> list[Panel]:
    """The panels that have something to say of this case, those of the past last."""
    panels = (_sources[place](case, user, now) for place in sorted(_sources))
    return sorted((panel for panel in panels if panel is not None), key=lambda panel: panel.is_past)


# --- people and links -------------------------------------------------------------------------------------------


@panel(place=80)
def people_panel(case: Case, user: User, now: datetime) -> Panel:
    """Who has to do with the case: owner, watchers, the customer's contact, account manager, customer engineer."""
    watchers = list(case.watchers.select_related("user"))
    return Panel("People", "admin/cases/panels/people.html", {"watchers": watchers})


@panel(place=90)
def linked_panel(case: Case, user: User, now: datetime) -> Panel | None:
    """The earlier case this one continues, and the later ones that continue it (C4), as far as the reader sees them."""
    visible = Case.objects.visible_to(user).select_related("company")
    earlier = visible.filter(pk=case.linked_to_id).first() if case.linked_to_id else None
    later = list(visible.filter(linked_to=case.pk)[:20])
    if earlier is None and not later:
        return None
    return Panel("Linked cases", "admin/cases/panels/linked.html", {"earlier": earlier, "later": later})
