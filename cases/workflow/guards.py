"""What every move asks before it begins: may this person, is the case still as it was, is there what the move needs?"""

from __future__ import annotations

from cases.models import Case
from contacts.enums import Right
from contacts.models import Company, Contact, User


class Refused(Exception):
    """A move that may not be made; the message is one sentence for whoever tried (S4). `field` names the input."""

    def __init__(self, sentence: str, field: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field


class NotAllowed(Refused):
    """The person has no right to make this move (A1)."""


def allow(actor: User, right: Right, doing: str) -> None:
    """Check a right. Raises NotAllowed with a sentence (A1, A2)."""
    if not actor.may(right):
        raise NotAllowed(f"You may not {doing}: it takes the right of a technician or support manager.")


def locked(case_id: int, actor: User) -> Case:
    """The case as it is now, locked until the transaction ends.

    Raises Case.DoesNotExist also for a case that the actor may not read (A1).
    """
    return (
        Case.objects.visible_to(actor)
        .select_for_update(of=("self",))
        .select_related("company", "contact", "contact__company", "owner")
        .get(pk=case_id)
    )


def needs(text: str, sentence: str, field: str) -> str:
    said = text.strip()
    if not said:
        raise Refused(sentence, field)
    return said


def foreign_contact(contact: Contact, company: Company) -> Refused:
    return Refused(f"{contact.name} does not work for {company.name}; choose one of theirs.", "contact")
