"""The mails with an answer or a status update by a person: to staff, and of an update to the customer (E8, T2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cases.enums import Status
from cases.mail.copies import with_copies
from cases.mail.letters import Letter, case_facts, facts, who_works_on
from cases.mail.phrases import phrase
from cases.models import Case, Interaction
from contacts.directory import Addressee
from contacts.models import Contact
from escalations.audience import StaffReader
from escalations.models import Question


def answer_letters(case: Case, question: Question, readers: Sequence[StaffReader], now: datetime) -> list[Letter]:
    """The answer to each reader; a person with two roles gets it once (E5, E8)."""
    content = {
        "point": question.point,
        "asked_at": question.asked_at.isoformat(),
        "said": question.answer,
        "sender": str(question.answered_by),
        "for_customer": question.for_customer,
    }
    return _to_staff(case, readers, f"answer:{question.pk}", "status_answer", content, now)


def update_letters(
    case: Case,
    update: Interaction,
    readers: Sequence[StaffReader],
    customer: Addressee | None,
    copies: Sequence[Contact],
    marked: Sequence[Question],
    now: datetime,
) -> list[Letter]:
    """A person's status update to each of the staff, and to the customer with what answers `marked` for them (E8);
    `copies` of that to others of their help desk.
    """
    content: dict[str, Any] = {"said": update.body, "sender": str(update.by)}
    staff_content = content | {"customer_too": update.tells_customer}
    letters = _to_staff(case, readers, f"told:{update.pk}", "status_by_person_to_staff", staff_content, now)
    if customer is not None:
        frozen = facts(
            case,
            why=phrase("you are our contact for this issue"),
            expected=phrase("Nothing for now. Reply to this message if you have anything to add."),
            then=phrase("%(work)s, and we keep you informed.", work=who_works_on(case)),
            **content,
            besides=[question.for_customer for question in marked],
        )
        letter = Letter(
            f"told:{update.pk}:{customer.address}", "status_by_person", customer, frozen, case, interaction=update
        )
        letters += with_copies(letter, copies)
    return letters


def _to_staff(
    case: Case, readers: Sequence[StaffReader], key: str, template: str, content: dict[str, Any], now: datetime
) -> list[Letter]:
    about, check_at = case_facts(case), case.escalation_check_at
    upcoming = check_at if check_at and check_at > now else None
    return [
        Letter(
            f"{key}:{reader.to.address}",
            template,
            reader.to,
            facts(
                case,
                about=about,
                why=reader.because,
                expected="Nothing for now: this is to inform you.",
                then=_next_step(case, upcoming),
                next_at=upcoming.isoformat() if upcoming else "",
                **content,
            ),
            case,
        )
        for reader in readers
    ]


def _next_step(case: Case, upcoming: datetime | None) -> str:
    if case.status == Status.WAITING:
        return "The case waits for the customer; we go on when they answer."
    if upcoming is not None:
        return "If the case stays unresolved, the next point of the schedule comes by itself."
    return "You hear more when there is more to say, or when the next status update is due."
