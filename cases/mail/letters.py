"""Letters: a message to one reader with the facts it will say, frozen when its reason arose (M1, M4).

A letter is written as a row by `post`, in the transaction of its reason; `cases.mail.outbox` sends it after the
commit. Every letter's facts answer three questions for its reader: `why` do I get this, `expected` of me, and what
happens `next`. Moments among the facts are ISO 8601 in UTC; the template shows them in the reader's time zone.
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
from cases.models import Case, Mail
from contacts.directory import Addressee
from contacts.models import Contact

LONGEST_KEY = 200


@dataclass(frozen=True)
class Letter:
    """One message to one reader; `key` names reason and reader, so that it is written once (E6)."""

    key: str
    template: str
    to: Addressee
    facts: dict[str, Any] = field(default_factory=dict)
    case: Case | None = None
    send_by: datetime | None = None  # later than this it would not be true any more


def case_facts(case: Case) -> dict[str, Any]:
    """What every letter about a case shows of it."""
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
    case: Case, *, why: str, expected: str, then: str, about: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """The facts of a letter about a case: why the reader gets it, what is expected, what happens next (M4).

    `about` are the case's own facts, for a caller who writes several letters about it and has them already.
    """
    return {"case": about or case_facts(case), "why": why, "expected": expected, "next": then, **more}


def to_contact(case: Case, contact: Contact | None = None) -> Addressee | None:
    """The customer's person as somebody to write to, in the company's time zone; None without an address."""
    person = contact or case.contact
    if not person.email:
        return None
    return Addressee(person.email, person.name, case.company.time_zone)


def post(letters: Iterable[Letter], now: datetime) -> None:
    """Write letters into the outbox, one row per reader (M1). Call it in the transaction of their reason.

    Raises UnknownMessage.
    """
    insert_rows(Mail, COLUMNS, (_row(letter, now) for letter in letters))


def as_mail(letter: Letter, now: datetime) -> Mail:
    """The outbox row of a letter, unsaved, for a caller who must refer to it."""
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
    "meant_for",
    "holds",
    "episode",
    "status",
    "queued_at",
    "send_at",
    "attempts",
    "sent_at",
    "send_by",
    "kept",
    "last_error",
    "message_id",
    "subject",
    "text",
    "html",
)


def _row(letter: Letter, now: datetime) -> tuple[Any, ...]:
    to = letter.to
    case_id = letter.case.pk if letter.case else None
    reason = (case_id, _fitting(letter.key), letter.template, letter.facts)
    reader = (to.name, to.address, to.time_zone, to.meant_for[:200])
    condition = message_named(letter.template).condition
    waits_with = letter.case if condition == SendCondition.WAITING else None
    truth = (condition.value, waits_with.wait_episode if waits_with else 0)
    sending = (MailStatus.QUEUED.value, now, now, 0, None, letter.send_by, False, "", Mail.new_message_id())
    return (*reason, *reader, *truth, *sending, "", "", "")


def _fitting(key: str) -> str:
    """The key itself, or for one that is too long a digest of it: cut off, two keys could become one."""
    return key if len(key) <= LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()


def to_each(
    addressees: Sequence[Addressee], key: str, template: str, what: dict[str, Any], case: Case | None
) -> list[Letter]:
    """The same letter to several readers, a row for each (M1)."""
    return [Letter(f"{key}:{one.address}", template, one, what, case) for one in addressees]
