"""Copies of a mail to a customer: to others of their help desk, each with a row of their own (C3, M1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from cases.guards import Refused, foreign_contact, refuse_who_left
from cases.mail.letters import Letter, to_contact, why_no_mail
from cases.mail.phrases import Phrase, phrase
from cases.models import Case
from contacts.models import Company, Contact


def check_copies(case: Case, copies: Iterable[Contact], to: Contact | None = None) -> list[Contact]:
    """Who gets a copy of a mail that goes `to` somebody, the case's contact unless another is named.

    Each address once. Raises Refused for anybody who is not of the company's help desk, has left, or has no address.
    """
    addresses = {(to or case.contact).email.lower()}
    checked = []
    for person in copies:
        if person.company_id != case.company_id:
            raise foreign_contact(person, case.company, "copies")
        refuse_who_left(person, "copies")
        if not person.is_help_desk:
            raise Refused(
                f"{person.name} does not belong to the help desk of {case.company.name}, so they get no copy.", "copies"
            )
        if why_no_mail(case, person):
            raise Refused(f"{why_no_mail(case, person)}, so they get no copy.", "copies")
        if person.email.lower() not in addresses:
            addresses.add(person.email.lower())
            checked.append(person)
    return checked


def with_copies(letter: Letter, copies: Sequence[Contact]) -> list[Letter]:
    """The letter and a copy of it to each; every one says to whom else it goes. `letter` is about a case."""
    case = letter.case
    assert case is not None
    names = [letter.to.name, *(person.name for person in copies)]
    letters = [letter]
    for person in copies:
        to = to_contact(case, person)
        assert to is not None, "was checked by check_copies"
        what = letter.facts | {"why": of_help_desk(case.company)}
        letters.append(replace(letter, key=f"{letter.key}:copy:{person.pk}", to=to, facts=what))
    return [_naming_others(one, names) for one in letters] if copies else letters


def _naming_others(letter: Letter, names: Sequence[str]) -> Letter:
    others = list(names)
    others.remove(letter.to.name)
    return replace(letter, facts=letter.facts | {"also_to": others})


def of_help_desk(company: Company) -> Phrase:
    """Why somebody else than the case's contact gets a message."""
    return phrase("you belong to the help desk of %(company)s", company=company.name)


def frozen(copies: Iterable[Contact]) -> list[dict[str, object]]:
    """Whom copies went to, as a contact of the log keeps it."""
    return [{"id": person.pk, "name": person.name} for person in copies]
