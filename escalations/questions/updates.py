"""A status update that a person gives: one text to those they choose, which resets the clocks of those who get it (T2).

It may answer the open question as well (E8). While a case waits for its customer, staff may still be told where it
stands; the customer is written to by a question, which is what the case waits for. A resolved case owes nobody a word.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db import transaction

from cases.enums import Channel, Direction, Status
from cases.guards import Refused, allow, locked, needs
from cases.mail.letters import Letter, case_facts, facts, post, to_contact
from cases.models import Case, Interaction
from cases.workflow.transitions import log_interaction
from contacts.directory import Addressee
from contacts.enums import Right
from contacts.models import User
from escalations.audience import StaffReader, audience_of, staff_of
from escalations.clocks import load_clocks
from escalations.enums import Member
from escalations.questions.apply import (
    after_that,
    end_with_answer,
    marked_for_customers,
    open_question,
    staff_to_tell,
)


def give_update(
    case_id: int,
    actor: User,
    now: datetime,
    *,
    text: str,
    members: Iterable[Member] = (),
    customer_too: bool = False,
    answers_question: bool = True,
) -> Interaction:
    """Tell the chosen staff, and the customer if wanted, where the case stands; mailed at once, logged as one contact.

    Whoever watches the case gets it as staff (E7). The customer's mail also brings what earlier answers marked for
    them (E8). `answers_question`: it answers the open question, if there is one; an answer goes to all the staff in
    the audience. Raises Refused or NotAllowed; Case.DoesNotExist for a foreign case (A1).
    """
    allow(actor, Right.WORK_CASES, "send a status update")
    said = needs(text, "Write how the case stands.", "text")
    wanted = staff_of(members)
    if not wanted and not customer_too:
        raise Refused("Choose at least one reader; to write something down for yourself, add a note.")
    with transaction.atomic():
        case = locked(case_id, actor)
        customer = _customer(case) if customer_too else None
        if not case.is_open:
            raise Refused(f"{case.number} is resolved and owes nobody an update; add a note, or reopen it.")
        question = open_question(case) if answers_question else None
        if question is not None:
            _answer_reaches_all(case, wanted, now)
        readers, told = staff_to_tell(case, now, wanted)
        channel = (Channel.EMAIL, Direction.OUT) if customer else (Channel.NOTE, Direction.INTERNAL)
        update = log_interaction(case, *channel, said, actor, now, told=told)
        post(_letters(case, update, customer, [one for one in readers if one.to.user_id != actor.pk], now), now)
        if question is not None:
            end_with_answer(question, actor, now, said)
        case.recheck("sla", now)  # it resets clocks (T2), perhaps meets the first (T1)
    return update


def _customer(case: Case) -> Addressee:
    """The customer's person to write to. Raises Refused."""
    if case.status == Status.WAITING:
        raise Refused(
            f"{case.number} waits for the customer; untick them, and ask them anew if you have to write to them.",
            "customer",
        )
    customer = to_contact(case)
    if customer is None:
        raise Refused(f"{case.contact.name} has no email address; untick them, call them and log the call.", "customer")
    return customer


def _answer_reaches_all(case: Case, wanted: Collection[Member], now: datetime) -> None:
    """An answer is for all the staff in the audience (E8). Raises Refused."""
    audience = staff_of(audience_of(load_clocks([case])[case.pk], now))
    left_out = [member.label.lower() for member in audience if member not in wanted]
    if left_out:
        raise Refused(
            f"An answer goes to all the staff in the audience: tick the {' and the '.join(left_out)} as well, or "
            "untick that this answers the question.",
            "answers_question",
        )


def _letters(
    case: Case, update: Interaction, customer: Addressee | None, readers: Sequence[StaffReader], now: datetime
) -> list[Letter]:
    about = case_facts(case)
    letters = [_to_staff(case, update, reader, about, now) for reader in readers]
    if customer is not None:
        letters.append(_to_customer(case, update, customer, about))
    return letters


def _to_staff(case: Case, update: Interaction, reader: StaffReader, about: dict[str, str], now: datetime) -> Letter:
    upcoming = case.escalation_check_at if case.escalation_check_at and case.escalation_check_at > now else None
    what = facts(
        case,
        about=about,
        why=reader.because,
        expected="Nothing for now: this is to inform you.",
        then=after_that(case, upcoming),
        next_at=upcoming.isoformat() if upcoming else "",
        said=update.body,
        sender=str(update.by),
        customer_too=update.tells_customer,
    )
    return Letter(f"told:{update.pk}:{reader.to.address}", "status_by_person_to_staff", reader.to, what, case)


def _to_customer(case: Case, update: Interaction, customer: Addressee, about: dict[str, str]) -> Letter:
    what = facts(
        case,
        about=about,
        why="you are our contact for this issue",
        expected="Nothing for now. Reply to this message if you have anything to add.",
        then=f"{case.owner or 'A specialist'} goes on working on it, and we keep you informed.",
        said=update.body,
        sender=str(update.by),
        besides=[question.for_customer for question in marked_for_customers([case])[case.pk]],
    )
    return Letter(f"told:{update.pk}:{customer.address}", "status_by_person", customer, what, case)
