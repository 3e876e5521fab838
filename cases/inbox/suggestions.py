"""What a message that waits in triage may be about: who wrote it, and the cases that it may belong to (M5).

Nothing here is proven. It is offered to a person, who decides. A fixed number of queries for a message.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Case as Choice
from django.db.models import IntegerField, Q, When

from cases.models import Case, ReceivedMail, case_id_of
from cases.models.case import NUMBER_PREFIX
from cases.search.query import readable_by, search
from contacts.models import Contact, User

#: How many contacts, and how many cases of each kind, are suggested.
CONTACTS_SHOWN = 6
CASES_SHOWN = 5
FOUND_SHOWN = 8
#: A domain that more companies than this use says nothing about a company.
MOST_COMPANIES = 3
MOST_NUMBERS = 5

_NUMBER = re.compile(rf"\b{re.escape(NUMBER_PREFIX)}\d{{1,12}}\b", re.IGNORECASE)


@dataclass(frozen=True)
class PossibleCase:
    """A case that the message may belong to, and why it is thought so; `writer` is whose word it is on that case: the
    contact with its address, if they work for the case's company.
    """

    case: Case
    why: str
    writer: Contact | None


@dataclass(frozen=True)
class PossibleWriter:
    """Somebody for whom a case may be opened, and why."""

    contact: Contact
    why: str


@dataclass(frozen=True)
class MailSuggestions:
    """`contact` has the sender's address; `colleagues` are the help desks of their company, or of companies whose
    people have addresses of the sender's domain.
    """

    contact: Contact | None
    colleagues: list[Contact] = field(default_factory=list)
    cases: list[PossibleCase] = field(default_factory=list)

    @property
    def people(self) -> list[PossibleWriter]:
        """Everybody for whom a case may be opened, the sender first."""
        if self.contact is None:
            return [
                PossibleWriter(one, "Somebody of this company has an address of the same domain")
                for one in self.colleagues
            ]
        others = [one for one in self.colleagues if one.pk != self.contact.pk]
        return [
            PossibleWriter(self.contact, "Has the sender's address"),
            *(PossibleWriter(one, "Help desk of the same company") for one in others),
        ]


def suggest(mail: ReceivedMail, reader: User) -> MailSuggestions:
    """What to offer somebody who decides about a message."""
    contact = mail.contact or contact_with(mail.sender)
    colleagues = _help_desks_of(mail.sender, contact)
    companies = {one.company_id for one in [*colleagues, *([contact] if contact else [])]}
    return MailSuggestions(contact, colleagues, _possible_cases(mail, contact, companies, reader))


def contact_with(address: str) -> Contact | None:
    """The contact with this address, one who is still there before one who left; one query."""
    if not address:
        return None
    found = Contact.objects.filter(email__iexact=address).select_related("company")
    return found.order_by("-active", "-company__active", "pk").first()


def _help_desks_of(sender: str, contact: Contact | None) -> list[Contact]:
    """The help desk of the contact's company, or of those few whose people have addresses of the sender's domain."""
    _, at, domain = sender.rpartition("@")
    if contact is not None:
        companies = [contact.company_id]
    elif at:
        same = Contact.objects.filter(email__iendswith=f"@{domain}", company__active=True).order_by()
        companies = list(same.values_list("company", flat=True).distinct()[: MOST_COMPANIES + 1])
    else:
        companies = []
    known = companies if len(companies) <= MOST_COMPANIES else []
    found = Contact.objects.help_desk().filter(company__in=known).select_related("company")
    return list(found.order_by("company__name", "name")[:CONTACTS_SHOWN])


def _possible_cases(
    mail: ReceivedMail, contact: Contact | None, companies: Iterable[int], reader: User
) -> list[PossibleCase]:
    """The case whose message it answers, those whose number stands in the subject, open ones of sender and company."""
    numbers = list(dict.fromkeys(case_id_of(text) for text in _NUMBER.findall(mail.subject)))[:MOST_NUMBERS]
    named = Q(pk__in=[number for number in numbers if number], company__in=companies)
    readable = Case.objects.visible_to(reader).select_related("company", "contact")
    found = list(readable.filter(named | Q(pk=mail.case_id)).order_by("-pk"))
    theirs = readable.open().filter(company__in=companies)
    own_first = Choice(When(contact=contact.pk if contact else 0, then=0), default=1, output_field=IntegerField())
    open_ones = theirs.order_by(own_first, "-pk")[: CASES_SHOWN + len(found)]
    whys = {case.pk: _why_found(case, mail) for case in found}
    for case in open_ones:
        is_own = contact is not None and case.contact_id == contact.pk
        whys.setdefault(case.pk, f"Open case of {case.contact.name if is_own else case.company.name}")
    cases = {case.pk: case for case in [*found, *open_ones]}
    possible = [PossibleCase(case, whys[key], _writer_on(case, contact)) for key, case in cases.items()]
    return possible[: CASES_SHOWN + len(found)]


def _writer_on(case: Case, contact: Contact | None) -> Contact | None:
    return contact if contact is not None and contact.company_id == case.company_id else None


def _why_found(case: Case, mail: ReceivedMail) -> str:
    if case.pk == mail.case_id and mail.matched_by:
        return mail.get_matched_by_display()
    return "Its number stands in the subject"


def found_cases(typed: str, contact: Contact | None, reader: User) -> list[PossibleCase]:
    """The cases that a search finds, as the command palette does, best first."""
    readable = readable_by(reader, Case.objects.all())
    found = search(readable, typed, FOUND_SHOWN).of(readable) if typed.strip() else readable.none()
    return [PossibleCase(case, "", _writer_on(case, contact)) for case in found.select_related("company")]


def found_contacts(typed: str) -> list[PossibleWriter]:
    """Active contacts with all the words in their name, address or company; the help desk first."""
    words = typed.split()[:6]
    if not words:
        return []
    found = Contact.objects.filter(active=True, company__active=True).select_related("company")
    for word in words:
        found = found.filter(Q(name__icontains=word) | Q(email__icontains=word) | Q(company__name__icontains=word))
    return [PossibleWriter(one, "") for one in found.order_by("-is_help_desk", "company__name", "name")[:FOUND_SHOWN]]
