"""Letters: a message to one reader with its facts, frozen when its reason arose (M1, M4).

`post` writes letters into the outbox, in the transaction of their reason; `cases.mail.outbox` sends them after the
commit. The facts of every letter say `why` the reader gets it, what is `expected` and what happens `next`. Moments
among the facts are ISO 8601 in UTC; templates show them in the reader's time zone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings

from cases.bulk import insert_rows
from cases.enums import MailStatus, SendCondition, Severity, Status
from cases.mail.messages import message_named
from cases.mail.phrases import Phrase, phrase
from cases.models import Case, Interaction, Mail
from contacts.directory import Addressee
from contacts.models import Company, Contact

LONGEST_KEY = 200


@dataclass(frozen=True)
class Letter:
    """One message to one reader. `key` names its reason and its reader, so that it is written once (E6).

    `occasion` is the moment of a reason that the desk reckons by itself, such as a due time: after a restored backup it
    comes to the same one, and the repeat carries the same Message-ID (M2). What a person set off has none.
    `interaction` is the contact whose words it carries: if they do not arrive it told the customer nothing (T1, T2).
    """

    key: str
    template: str
    to: Addressee
    facts: dict[str, Any] = field(default_factory=dict)
    case: Case | None = None
    send_by: datetime | None = None  # not sent later than this
    needed_by: datetime | None = None  # tried again in time for this promise
    occasion: datetime | None = None
    interaction: Interaction | None = None


def case_facts(case: Case) -> dict[str, Any]:
    """The facts of the case itself, in every letter about it."""
    return {
        "number": case.number,
        "title": case.title,
        "severity": Severity(case.severity).label,
        "status": Status(case.status).label,
        "company": case.company.name,
        "contact": case.contact.name,
        "owner": str(case.owner) if case.owner else "nobody yet",
        "opened_at": case.opened_at.isoformat(),
        "url": settings.SITE_URL + case.get_absolute_url(),
    }


def facts(
    case: Case,
    *,
    why: Phrase | str,
    expected: Phrase | str,
    then: Phrase | str,
    about: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """The facts of a letter about a case: why the reader gets it, what is expected, what happens next (M4).

    What customers read of it are phrases; staff are written to in English.

    `about` takes the result of `case_facts`, for a caller who writes several letters about the case.
    """
    return {"case": about or case_facts(case), "why": why, "expected": expected, "next": then, **more}


def who_works_on(case: Case) -> Phrase:
    """Who does what on a case that does not wait, as every message to the customer says it: “Tina Berg takes it up”."""
    if case.owner is None:
        return phrase("We look for a specialist")
    if case.status == Status.ASSIGNED:
        return phrase("%(owner)s takes it up", owner=str(case.owner))
    return phrase("%(owner)s goes on working on it", owner=str(case.owner))


def to_contact(case: Case, contact: Contact | None = None) -> Addressee | None:
    """The contact as an addressee, in the company's time zone and their own language (M4).

    None without an email address, and if they left (D9).
    """
    person = contact or case.contact
    if why_no_mail(case, person):
        return None
    return customer_address(person, case.company)


def customer_address(person: Contact, company: Company) -> Addressee:
    """A contact with an email address as an addressee: in the company's time zone, and their own language (M4)."""
    return Addressee(person.email, person.name, company.time_zone, language=person.reads)


def has_left(case: Case, contact: Contact | None = None) -> bool:
    """Whether the contact or their company is inactive: nothing is sent to them any more (D9)."""
    return not ((contact or case.contact).active and case.company.active)


def why_no_mail(case: Case, contact: Contact | None = None) -> str:
    """Why nothing can be mailed to the contact, “Ann has no email address”; "" if it can."""
    person = contact or case.contact
    if has_left(case, person):
        return f"{person.name} has left" if case.company.active else f"{case.company.name} is no longer a customer"
    return "" if person.email else f"{person.name} has no email address"


def centre_of_owner(case: Case) -> int | None:
    """The support centre of the case's owner, for roles that are held per centre (D4); without a query."""
    technician = getattr(case.owner, "technician", None)
    return technician.centre_id if technician else None


def post(letters: Iterable[Letter], now: datetime) -> None:
    """Write letters into the outbox, one row per reader (M1). Call it in the transaction of their reason.

    Raises UnknownMessage.
    """
    insert_rows(Mail, COLUMNS, (_row(letter, now) for letter in letters))


def as_mail(letter: Letter, now: datetime) -> Mail:
    """The unsaved outbox row of a letter, for a caller who must refer to it. Raises UnknownMessage."""
    return Mail(**dict(zip(COLUMNS, _row(letter, now), strict=True)))


#: The columns of a new row of the outbox, in the order of `_row`.
COLUMNS = (
    "case_id",
    "key",
    "template",
    "facts",
    "to_name",
    "to_address",
    "time_zone",
    "language",
    "meant_for",
    "holds",
    "episode",
    "status",
    "queued_at",
    "send_at",
    "attempts",
    "sent_at",
    "send_by",
    "needed_by",
    "kept",
    "last_error",
    "message_id",
    "subject",
    "text",
    "html",
    "interaction_id",
)


def _row(letter: Letter, now: datetime) -> tuple[Any, ...]:
    to = letter.to
    case_id = letter.case.pk if letter.case else None
    reason = (case_id, _fitting(letter.key), letter.template, letter.facts)
    reader = (to.name, to.address, to.time_zone, to.language, to.meant_for)
    condition = message_named(letter.template).condition
    waits_with = letter.case if condition == SendCondition.WAITING else None
    truth = (condition.value, waits_with.wait_episode if waits_with else 0)
    sending = (MailStatus.QUEUED.value, now, now, 0, None, letter.send_by, letter.needed_by, False, "")
    words = letter.interaction.pk if letter.interaction else None
    return (*reason, *reader, *truth, *sending, _message_id(letter, now), "", "", "", words)


def _message_id(letter: Letter, now: datetime) -> str:
    """Of this letter alone: after a restored backup the numbers of cases and rows are handed out again."""
    opened_at = letter.case.opened_at.isoformat() if letter.case else ""
    return Mail.message_id_for(letter.key, letter.to.address, opened_at, (letter.occasion or now).isoformat())


def _fitting(key: str) -> str:
    """The key, or a digest of one that is too long: two keys that are cut off could become equal."""
    return key if len(key) <= LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()


def to_each(
    addressees: Sequence[Addressee], key: str, template: str, what: dict[str, Any], case: Case | None
) -> list[Letter]:
    """The same letter to several readers, a row for each (M1)."""
    return [Letter(f"{key}:{to.address}", template, to, what, case) for to in addressees]
