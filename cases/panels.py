"""The side column of a case's page: rows of one line each that open to a panel.

The subjects register theirs. Of a row the page asks only for its line, which costs no query beyond what the page reads
anyway; the panel itself is made when the row is opened, or with the page where it is pressing. A panel writes nothing
and asks the database the same few questions whatever happened to the case.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q

from cases.models import Case, CaseWatcher
from cases.page_cache import kept_with_case
from contacts.compiled import KEY, CompiledQuery
from contacts.models import User


@dataclass(frozen=True)
class Panel:
    """What stands in an opened row; the template is rendered with the page's own context and this one."""

    template: str
    context: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PanelLine:
    """A closed row: its title and one line. `is_open` has the panel come with the page."""

    title: str
    summary: str = ""
    is_open: bool = False
    is_pressing: bool = False


Line = Callable[[Case, User, datetime], PanelLine | None]
Source = Callable[[Case, User, datetime], Panel]


@dataclass(frozen=True)
class _Registered:
    place: int
    line: Line
    source: Source


_registered: dict[str, _Registered] = {}


def panel(place: int, slug: str, line: Line) -> Callable[[Source], Source]:
    """Register the decorated source for every case's page, under a name for addresses.

    Rows stand by rising place, and no two share one. `line` answers None where the case has no such row; only then is
    the source not asked.
    """

    def register(source: Source) -> Source:
        assert slug not in _registered, f"Two panels are named {slug}."
        assert all(place != other.place for other in _registered.values()), f"Place {place} is taken."
        _registered[slug] = _Registered(place, line, source)
        return source

    return register


@dataclass(frozen=True)
class PanelRow:
    """A row of the side column; `panel` is None until it is opened."""

    slug: str
    line: PanelLine
    panel: Panel | None


def panel_rows(case: Case, user: User, now: datetime, asked_for: str = "") -> list[PanelRow]:
    """The rows that have something to say of this case. Open, and first, are those that press; open is also the one
    that is asked for.
    """
    rows = []
    for slug, one in sorted(_registered.items(), key=lambda item: item[1].place):
        line = one.line(case, user, now)
        if line is not None:
            is_open = line.is_open or slug == asked_for
            rows.append(PanelRow(slug, line, one.source(case, user, now) if is_open else None))
    return sorted(rows, key=lambda row: not row.line.is_open)


def panel_row(slug: str, case: Case, user: User, now: datetime) -> PanelRow | None:
    """One row, opened; None where the case has none of that name."""
    one = _registered.get(slug)
    line = one.line(case, user, now) if one is not None else None
    return PanelRow(slug, line, one.source(case, user, now)) if one is not None and line is not None else None


# --- people and links -------------------------------------------------------------------------------------------


def _people_line(case: Case, user: User, now: datetime) -> PanelLine:
    named = [f"{case.company.account_manager} (AM)" if case.company.account_manager else "no account manager"]
    watching = len(watchers_of(case))
    return PanelLine("People", ", ".join([*named, f"{watching} watching"] if watching else named))


_watchers = CompiledQuery(lambda case: CaseWatcher.objects.filter(case=case).select_related("user"), case=KEY)


@kept_with_case
def watchers_of(case: Case) -> list[Any]:
    """Who watches the case, with their users."""
    return _watchers(case=case.pk)


@panel(place=80, slug="people", line=_people_line)
def people_panel(case: Case, user: User, now: datetime) -> Panel:
    """Who has to do with the case: owner, watchers, the customer's contact, account manager, customer engineer."""
    manager = case.company.account_manager
    mutes = manager is not None and case.is_muted_by(manager)
    return Panel("admin/cases/panels/people.html", {"watchers": watchers_of(case), "manager_mutes": mutes})


#: How many later cases the panel shows.
LINKED_SHOWN = 20


def _linked_line(case: Case, user: User, now: datetime) -> PanelLine | None:
    # Only a case that is resolved for good is continued by another one (C4).
    linked = _linked(case, user) if case.linked_to_id or not case.is_open else []
    return PanelLine("Linked cases", ", ".join(one.number for one in linked)) if linked else None


def _linked(case: Case, user: User) -> list[Case]:
    """The earlier case this one continues and the later ones that continue it (C4), as far as the reader sees them."""
    key = f"_linked_for_{user.pk}"
    if key not in case.__dict__:
        either = Q(linked_to=case.pk) | Q(pk=case.linked_to_id) if case.linked_to_id else Q(linked_to=case.pk)
        visible = Case.objects.visible_to(user).filter(either).select_related("company")
        case.__dict__[key] = list(visible.order_by("pk")[: LINKED_SHOWN + 1])
    found: list[Case] = case.__dict__[key]
    return found


@panel(place=90, slug="linked", line=_linked_line)
def linked_panel(case: Case, user: User, now: datetime) -> Panel:
    """The cases that this one continues, or that continue it."""
    linked = _linked(case, user)
    context = {
        "earlier": next((one for one in linked if one.pk == case.linked_to_id), None),
        "later": [one for one in linked if one.pk != case.linked_to_id],
    }
    return Panel("admin/cases/panels/linked.html", context)
