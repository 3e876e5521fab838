"""Where the words of a search stand in the cases that were found, for people to see: escaped and marked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.contrib.admin.utils import label_for_field
from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from cases.models import Case, Interaction
from cases.search.document import SEARCHED_FIELDS
from cases.search.words import Piece, Query, marked

#: How many of a case's newest contacts are looked through, and characters that are shown after the first word.
CONTACTS_READ = 50
AROUND = 110


@dataclass(frozen=True)
class FoundLine:
    """A found case: its title with the words marked, and where else they stand unless all are in the title."""

    title: Sequence[Piece]
    source: str = ""
    pieces: Sequence[Piece] = ()

    @property
    def html(self) -> SafeString:
        """The line, “” without one."""
        if not self.pieces:
            return SafeString("")
        return format_html('<span class="desk-found">{}: {}</span>', self.source, marked_html(self.pieces))


def marked_html(pieces: Iterable[Piece]) -> SafeString:
    """Pieces of a text as HTML, the words looked for in <mark>."""
    return format_html_join("", "{}", ((format_html("<mark>{}</mark>", text) if on else text,) for text, on in pieces))


def found_lines(cases: Sequence[Case], query: Query) -> list[FoundLine]:
    """A line for each of the cases, which the reader may see, with company and contact loaded; one query."""
    contacts = _newest_contacts(cases)
    return [_line(case, contacts[case.pk], query) for case in cases]


def _newest_contacts(cases: Sequence[Case]) -> dict[int, list[Interaction]]:
    """The newest contacts of each case, newest first."""
    recency = Window(RowNumber(), partition_by="case_id", order_by=F("pk").desc())
    rows = Interaction.objects.filter(case__in=[case.pk for case in cases]).annotate(recency=recency)
    by_case: dict[int, list[Interaction]] = defaultdict(list)
    for row in rows.filter(recency__lte=CONTACTS_READ).order_by("-pk"):
        by_case[row.case_id].append(row)
    return by_case


def _line(case: Case, contacts: Sequence[Interaction], query: Query) -> FoundLine:
    """The text with the most of the words wins; what the case says goes before what was said about it."""
    title = marked(case.title, query)
    in_title = _words(title)
    best = FoundLine(title)
    most = 0
    for source, text in _texts(case, contacts):
        pieces = marked(text, query, AROUND)
        new = len(_words(pieces) - in_title)
        if new > most:
            best, most = FoundLine(title, source, pieces), new
    return best


def _words(pieces: Iterable[Piece]) -> set[str]:
    return {text.casefold() for text, on in pieces if on}


def _texts(case: Case, contacts: Sequence[Interaction]) -> Iterator[tuple[str, str]]:
    for name in SEARCHED_FIELDS:
        if text := getattr(case, name):
            yield capfirst(str(label_for_field(name, Case))), text
    for contact in contacts:
        yield contact.title, contact.body
    yield "Company", case.company.name
    yield "Contact", f"{case.contact.name} {case.contact.email}"
