"""Search over everything that a customer may read (P5): words in any order, by number, person, status and time.

The search of the desk reads more than a customer may (notes, calls that were written down). It only says which cases
to look at; a case is found if what its customer may read has the words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import islice

from django.utils import timezone

from cases.bulk import batched
from cases.enums import Status
from cases.models import Attachment, Case, CaseQuerySet
from cases.portal.state import TOLD_BY_THEM, cases_of, contacts_on, was_told_by_them
from cases.search.query import Found, searches
from cases.search.words import NUMBER_MARK, TITLE_MARK, part_tokens_of, tokens_of
from contacts.models import Contact

#: How many cases a list shows on a page.
PAGE = 25
#: How many cases with the words somewhere are read at once.
BATCH = 200


@dataclass(frozen=True)
class Wanted:
    """What somebody looks for among the cases of their company."""

    typed: str = ""
    state: str = "open"  # "open", "closed" or "all"
    contact_id: int | None = None
    since: date | None = None  # opened on that day of theirs or later
    until: date | None = None
    page: int = 1


@dataclass(frozen=True)
class CasePage:
    """A page of cases, and whether there are more."""

    cases: list[Case]
    has_more: bool


def find_cases(contact: Contact, wanted: Wanted) -> CasePage:
    """The cases that somebody looks for: open ones that wait for them first, then the newest."""
    rows = _narrowed(cases_of(contact), wanted)
    first = (wanted.page - 1) * PAGE
    if wanted.typed.strip():
        found = _with_words(rows, wanted.typed, first + PAGE + 1)
        return CasePage(found[first : first + PAGE], len(found) > first + PAGE)
    page = list(rows.order_by("-opened_at", "-pk")[first : first + PAGE + 1])
    return CasePage(page[:PAGE], len(page) > PAGE)


def _narrowed(rows: CaseQuerySet, wanted: Wanted) -> CaseQuerySet:
    if wanted.state == "open":
        rows = rows.exclude(status=Status.RESOLVED)
    elif wanted.state == "closed":
        rows = rows.filter(status=Status.RESOLVED)
    if wanted.contact_id is not None:
        rows = rows.filter(contact=wanted.contact_id)
    if wanted.since is not None:
        rows = rows.filter(opened_at__gte=_begin_of(wanted.since))
    if wanted.until is not None:
        rows = rows.filter(opened_at__lt=_begin_of(date.fromordinal(wanted.until.toordinal() + 1)))
    return rows


def _begin_of(day: date) -> datetime:
    """Its first moment in the reader's time zone."""
    return datetime.combine(day, time(), timezone.get_current_timezone())


def _with_words(rows: CaseQuerySet, typed: str, most: int) -> list[Case]:
    """The first `most` of the cases with the words; if there is none, of those that have them inside of others."""
    for found in searches(rows, typed):
        if readable := list(islice(_readable(rows, found), most)):
            return readable
    return []


def _readable(rows: CaseQuerySet, found: Found) -> Iterator[Case]:
    """Those of the found cases that have the words in what their customer may read, the best first."""
    named = set(found.named)
    for keys in batched(found.keys, BATCH):
        cases = rows.in_bulk(keys)
        said: dict[int, list[str]] = defaultdict(list)
        contacts = contacts_on(list(cases)).filter(is_readable=True)
        for key, body in contacts.values_list("case", "body"):
            said[key].append(body)
        for key, name in Attachment.objects.filter(interaction__in=contacts.values("pk")).values_list("case", "name"):
            said[key].append(name)
        for key in keys:
            case = cases.get(key)
            if case and (key in named or found.query.is_met_by(set(_tokens(case, said[key])))):
                yield case


def _tokens(case: Case, said: Sequence[str]) -> Iterator[str]:
    yield f"{NUMBER_MARK}{case.pk}"
    for token in tokens_of(case.title):
        yield TITLE_MARK + token
        yield token
    for text in (case.title, case.contact.name):
        yield from part_tokens_of(text)
    for text in (case.contact.name, *_texts(case), *said):
        yield from tokens_of(text)


def _texts(case: Case) -> Iterable[str]:
    """What of the case itself they may read; `cases.portal.state` shows the same."""
    if case.status == Status.RESOLVED:
        yield case.solution
    if was_told_by_them(case):
        yield from (getattr(case, name) for name in TOLD_BY_THEM)
