"""What is searched of a case: what it says, whose it is, and every word said about it.

Parts of words are searched only of what is short: title, people, device and reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cases.models import Case
from cases.search.words import NUMBER_MARK, TITLE_MARK, document_text, part_tokens_of, tokens_of

#: The texts of a case that are searched besides its title.
SEARCHED_FIELDS = (
    "description",
    "affected_user",
    "device",
    "operating_system",
    "system_information",
    "external_reference",
    "wait_question",
    "solution",
)


def document_of(case: Case, said: Iterable[str]) -> str:
    """The words of a case and of what was `said` about it, as its search document keeps them."""
    return document_text(_tokens(case, said))


def _tokens(case: Case, said: Iterable[str]) -> Iterator[str]:
    yield f"{NUMBER_MARK}{case.pk}"
    for token in tokens_of(case.title):
        yield TITLE_MARK + token
        yield token
    names = (case.company.name, case.contact.name, case.contact.email)
    for text in names:
        yield from tokens_of(text)
    for text in (case.title, *names, case.device, case.affected_user, case.external_reference or ""):
        yield from part_tokens_of(text)
    for name in SEARCHED_FIELDS:
        yield from tokens_of(getattr(case, name) or "")
    for text in said:
        yield from tokens_of(text)
