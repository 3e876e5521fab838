"""Who calls: found by the number, or by the line that was dialled (Q1, D4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cases.enums import Severity
from cases.models import Case, QueueEntry
from cases.policy.queue.callbacks import callback_due_at
from contacts.enums import Language
from contacts.models import Company, Contact, SupportLine
from contacts.phone_numbers import LONGEST_NUMBER, TELLING_DIGITS, country_of, in_e164

#: Fewer digits than this are a name that has some.
SHORTEST_NUMBER = 5
#: More contacts than this with one number say nothing about who calls.
READ = 20


@dataclass(frozen=True)
class Caller:
    """What a number tells. Without `contact` somebody has to ask who it is."""

    number: str
    contact: Contact | None = None
    company: Company | None = None
    line: SupportLine | None = None
    language: str = Language.ENGLISH

    @property
    def can_be_called(self) -> bool:
        """Whether we know whom to call back, and where (Q3)."""
        return self.contact is not None and bool(self.number or self.contact.phone)


def identify(number: str, dialled: str = "") -> Caller:
    """Who has this number, and which line they dialled; three queries at most.

    A number without a country is one of the country of the line. A telephone system may leave out the + as well.
    """
    line = SupportLine.objects.dialled(dialled) if dialled else None
    written = number.strip()[:LONGEST_NUMBER]
    country = (line.country if line else "") or country_of(in_e164(dialled, ""))
    candidates = [found for found in (in_e164(written, country), in_e164(f"+{written}", "")) if found]
    contact, company = whose(candidates)
    known = [one.phone_e164 for one in (contact, company) if one is not None and one.phone_e164 in candidates]
    shown = next(iter([*known, *candidates]), written)
    return Caller(shown, contact, company, line, language_of(contact, company, line))


def recognise(typed: str) -> Caller:
    """Whom somebody means who types a number or a name during a call; three queries at most.

    A number is compared by its last digits: it is typed as the display of a telephone shows it, or as it is said.
    """
    digits = "".join(letter for letter in typed if letter.isdigit()).lstrip("0")
    if len(digits) < SHORTEST_NUMBER:
        people = Contact.objects.filter(name__iexact=typed.strip(), active=True, company__active=True)
        named = list(people.select_related("company")[:2])
        contact = named[0] if len(named) == 1 else None
        return Caller("", contact, contact.company if contact else None, None, language_of(contact, None, None))
    found = identify(typed)
    if found.contact is not None or found.company is not None or len(digits) < TELLING_DIGITS:
        return found
    ending = Contact.objects.filter(phone_e164__endswith=digits).values_list("phone_e164", flat=True)
    contact, company = whose(list(ending[:READ]))
    number = contact.phone_e164 if contact is not None else found.number
    return Caller(number, contact, company, None, language_of(contact, company, None))


def whose(numbers: list[str]) -> tuple[Contact | None, Company | None]:
    """The contact with one of the numbers; only the company if it is a number of several of its people."""
    if not numbers:
        return None, None
    there = Contact.objects.filter(phone_e164__in=numbers, active=True, company__active=True).select_related("company")
    people = list(there[:READ])
    if len(people) == 1:
        return people[0], people[0].company
    companies = {person.company_id: person.company for person in people}
    if not people:
        switchboards = Company.objects.filter(phone_e164__in=numbers, active=True)
        companies = {company.pk: company for company in switchboards[:READ]}
    return None, next(iter(companies.values())) if len(companies) == 1 else None


def language_of(contact: Contact | None, company: Company | None, line: SupportLine | None) -> str:
    """The language to serve a caller in: their own, their company's, that of the line they dialled (D2)."""
    if contact is not None:
        return contact.speaks
    if company is not None:
        return company.language
    return (line.language if line else "") or Language.ENGLISH


def promised_at(entry: QueueEntry) -> datetime:
    """When a callback to this caller is due (Q3, T1); one query."""
    open_cases = Case.objects.open().filter(company=entry.company_id) if entry.company_id else Case.objects.none()
    severities = open_cases.order_by().values_list("severity", flat=True).distinct()
    return callback_due_at(entry.in_line_since, [Severity(severity) for severity in severities])
