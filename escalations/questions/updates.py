"""A status update that a person sends: one text to the readers they choose, which resets those readers' clocks (T2).

It may answer the open question as well (E8). While a case waits for its customer only staff can be sent one; the
customer is asked anew instead. Nobody is owed an update of a resolved case.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from cases.enums import Channel, Direction, Status
from cases.guards import Refused, changing, needs
from cases.mail.copies import check_copies
from cases.mail.letters import post, to_contact
from cases.models import Case, Interaction
from cases.workflow.transitions import log_interaction
from contacts.directory import Addressee
from contacts.enums import Right
from contacts.models import Contact, User
from escalations.audience import audience_of, staff_of
from escalations.clocks import load_clocks
from escalations.enums import Member
from escalations.questions.apply import record_answer
from escalations.questions.mail import update_letters
from escalations.questions.state import find_staff_readers, marked_for_customers, open_question


def send_status_update(
    case: Case | int,
    actor: User,
    now: datetime,
    *,
    text: str,
    members: Iterable[Member] = (),
    customer_too: bool = False,
    answers_question: bool = True,
    copies: Sequence[Contact] = (),
) -> Interaction:
    """Mail the chosen staff, and the customer if wanted, how the case stands; logged as one contact.

    `copies` of the customer's mail go to others of their help desk.

    Watchers get it as staff (E7). The customer's mail includes what earlier answers marked for them (E8). With
    `answers_question` it ends the open question, if there is one, and has to go to all the staff in the audience.
    Raises Refused or NotAllowed; Case.DoesNotExist for a foreign case (A1).
    """
    with changing(case, actor, now, right=Right.WORK_CASES, to="send a status update") as (case, _):
        text = needs(text, "Write how the case stands.", "text")
        staff = staff_of(members)
        if not staff and not customer_too:
            raise Refused("Choose at least one reader; to write something down for yourself, add a note.")
        customer = _get_customer(case) if customer_too else None
        copies = check_copies(case, copies) if customer_too else []
        if not case.is_open:
            raise Refused(f"{case.number} is resolved and owes nobody an update; add a note, or reopen it.")
        question = open_question(case) if answers_question else None
        if question is not None:
            _require_all_staff(case, staff, now)
            record_answer(question, actor, now, text)
        update = _log_and_mail(case, actor, now, text, staff, customer, copies)
        case.recheck("sla", now)  # it resets clocks (T2), perhaps meets the first (T1)
    return update


def _log_and_mail(
    case: Case,
    actor: User,
    now: datetime,
    text: str,
    staff: Collection[Member],
    customer: Addressee | None,
    copies: Sequence[Contact],
) -> Interaction:
    readers, reached = find_staff_readers(case, now, staff)
    channel = (Channel.EMAIL, Direction.OUT) if customer else (Channel.NOTE, Direction.INTERNAL)
    update = log_interaction(
        case, *channel, text, actor, now, told=reached, for_customer=customer is not None, copies=copies
    )
    marked = marked_for_customers([case])[case.pk] if customer else []
    others = [reader for reader in readers if reader.to.user_id != actor.pk]
    post(update_letters(case, update, others, customer, copies, marked, now), now)
    return update


def _get_customer(case: Case) -> Addressee:
    """The customer's contact to write to. Raises Refused while the case waits, or without an address."""
    if case.status == Status.WAITING:
        raise Refused(
            f"{case.number} waits for the customer; untick them, and ask them anew if you have to write to them.",
            "customer",
        )
    customer = to_contact(case)
    if customer is None:
        raise Refused(f"{case.contact.name} has no email address; untick them, call them and log the call.", "customer")
    return customer


def _require_all_staff(case: Case, chosen: Collection[Member], now: datetime) -> None:
    """Raise Refused if a member of the staff in the audience is not chosen (E8)."""
    audience = staff_of(audience_of(load_clocks([case])[case.pk], now))
    left_out = [member.label.lower() for member in audience if member not in chosen]
    if left_out:
        raise Refused(
            f"An answer goes to all the staff in the audience: tick the {' and the '.join(left_out)} as well, or "
            "untick that this answers the question.",
            "answers_question",
        )
