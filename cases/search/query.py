"""Asks the search: which cases have all the words, the best first. Only of cases that the caller hands in (A1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Case as SqlCase
from django.db.models import IntegerField, Q, Value, When

from cases.models import CaseQuerySet
from cases.search.postgresql import PostgresSearch
from cases.search.sqlite import SqliteSearch
from cases.search.words import Query, parsed
from contacts.enums import Right
from contacts.models import Company, User

#: How many cases a search shows; of more, the newest.
SHOWN = 200
#: More than the cases of any company.
EVERY = 100_000_000

Backend = PostgresSearch | SqliteSearch


@dataclass(frozen=True)
class Found:
    """The cases that a search found, by their keys; each list has the newest first.

    `named` have the number or reference that was typed, `titled` have all the words in their title.
    """

    query: Query
    named: Sequence[int] = ()
    titled: Sequence[int] = ()
    others: Sequence[int] = ()
    #: Whether there may be more than these.
    is_cut: bool = False

    @property
    def by_parts(self) -> bool:
        """Whether no case has the words, and these have them inside of others."""
        return self.query.by_parts

    @property
    def keys(self) -> list[int]:
        """All of them, the best first."""
        return [*self.named, *self.titled, *self.others]

    def of(self, cases: CaseQuerySet) -> CaseQuerySet:
        """The rows of the found cases, the best first."""
        groups = [list(group) for group in (self.named, self.titled) if group]
        ranks = [When(pk__in=group, then=Value(rank)) for rank, group in enumerate(groups)]
        best_first = [SqlCase(*ranks, default=Value(len(ranks)), output_field=IntegerField())] if ranks else []
        return cases.filter(pk__in=self.keys).order_by(*best_first, "-pk")


def readable_by(user: User, cases: CaseQuerySet) -> CaseQuerySet:
    """Those of the cases that the user may read (A1), with the companies by their keys."""
    if user.may(Right.READ_EVERY_CASE):
        return cases
    return cases.filter(company__in=Company.objects.keys_visible_to(user))


def search(cases: CaseQuerySet, typed: str, limit: int | None = None) -> Found:
    """Find the best `limit` (SHOWN) of these cases with all the words of what was typed; the last may be incomplete.

    First the case with that very number or reference, then those with all the words in the title, then the others, the
    newest first among equals; if there is none, the newest that have the words inside of others. No text is an error.
    """
    typed, query = _understood(typed)
    if not query.choices:
        return Found(query)
    try:
        return _found(cases, query, typed, SHOWN if limit is None else limit)
    except EmptyResultSet:  # whoever may read no case at all
        return Found(query)


def searches(cases: CaseQuerySet, typed: str) -> Iterator[Found]:
    """All of these cases with the words, ranked as by `search`; then all that have them inside of others.

    For readers who may not read all that is searched: the caller looks which of these cases they may find.
    """
    typed, query = _understood(typed)
    if not query.choices:
        return
    backend = _backend(cases)
    try:
        yield _ranked(backend, query, typed, EVERY)
    except EmptyResultSet:  # whoever may read no case at all
        return
    if parts := query.in_parts():
        yield Found(parts, others=backend.newest(parts, EVERY))


def _understood(typed: str) -> tuple[str, Query]:
    """What was typed, without what PostgreSQL keeps in no text, and what it asks for."""
    typed = typed.replace("\0", " ").strip()
    return typed, parsed(typed)


def _found(cases: CaseQuerySet, query: Query, typed: str, limit: int) -> Found:
    backend = _backend(cases)
    found = _ranked(backend, query, typed, limit)
    if not found.keys and (parts := query.in_parts()):
        keys = backend.newest(parts, limit + 1)
        return Found(parts if keys else query, others=keys[:limit], is_cut=len(keys) > limit)
    return found


def _ranked(backend: Backend, query: Query, typed: str, limit: int) -> Found:
    named = _named(backend.cases, typed, query.number)
    found = backend.newest(query, limit + 1)
    is_cut = len(found) > limit
    if not found:
        return Found(query, named)
    in_title = query.in_title()
    titled = backend.newest(in_title, limit) if is_cut else backend.among(found, in_title, limit)
    first, second = set(named), set(titled)
    titled = [key for key in titled if key not in first]
    others = [key for key in found if key not in first | second]
    room = max(0, limit - len(named))
    return Found(query, named, titled[:room], others[: max(0, room - len(titled))], is_cut)


def every(cases: CaseQuerySet, typed: str) -> CaseQuerySet:
    """All of these cases that `search` may find, without a limit and in their own order: for a file."""
    typed, query = _understood(typed)
    if not query.choices:
        return cases.none()
    rows = cases.filter(_exact(typed, query.number) | Q(pk__in=_backend(cases).matching(query)))
    parts = query.in_parts()
    if parts is None or rows.exists():
        return rows
    return cases.filter(pk__in=_backend(cases).matching(parts))


def _backend(cases: CaseQuerySet) -> Backend:
    return PostgresSearch(cases) if connection.vendor == "postgresql" else SqliteSearch(cases)


def _named(cases: CaseQuerySet, typed: str, number: int | None) -> list[int]:
    return list(cases.filter(_exact(typed, number)).order_by("-pk").values_list("pk", flat=True)[:2])


def _exact(typed: str, number: int | None) -> Q:
    return Q(external_reference=typed) if number is None else Q(pk=number) | Q(external_reference=typed)
