"""What a customer does on the support page (P3, P4): the moves that people at the desk make, with nobody there.

Each makes sure that the case is one of the contact's company; whoever asks for another one gets Case.DoesNotExist, as
if there were none. A second click with the same `once` does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from django.core.files.base import File
from django.db import transaction

from cases.chat import apply as chat
from cases.enums import Channel, Severity
from cases.followup.absences import note_absence
from cases.guards import locked
from cases.models import Case, QueueEntry
from cases.policy.intake import suggested_severity
from cases.portal.state import asks_to_confirm, cases_of
from cases.workflow import contact_log, opening
from contacts.models import Contact

#: Carries out the request to escalate a locked case: contact, business impact, why, now (E9). A higher app knows how.
EscalationRequester = Callable[[Case, Contact, str, str, datetime], None]
_requesters: list[EscalationRequester] = []


def escalation_requester(function: EscalationRequester) -> EscalationRequester:
    """Register the decorated function, which takes a customer's request to escalate."""
    _requesters.append(function)
    return function


@contextmanager
def _own_case(contact: Contact, case_id: int) -> Iterator[Case]:
    """A case of their company, locked in a transaction. Raises Case.DoesNotExist."""
    with transaction.atomic():
        if not cases_of(contact).filter(pk=case_id).exists():
            raise Case.DoesNotExist
        yield locked(case_id, None)


def answer(contact: Contact, case_id: int, now: datetime, *, words: str, files: Sequence[File[Any]] = ()) -> None:
    """Write to us: it ends a wait, and after the closing it reopens or is flagged (C4, C7, F6). Raises Refused."""
    with _own_case(contact, case_id) as case:
        contact_log.take_word(case, contact, now, channel=Channel.PAGE, body=words, attachments=files)


def confirm_solved(contact: Contact, case_id: int, now: datetime, *, words: str) -> bool:
    """Say that it is solved (C4). It closes the case if we asked for that, and the page says which: both agree.

    Otherwise it is a word like any other, and the owner closes the case. Raises Refused.
    """
    with _own_case(contact, case_id) as case:
        if asks_to_confirm(case):
            contact_log.confirmed_by_customer(case, contact, now, channel=Channel.PAGE, body=words)
            return True
        contact_log.take_word(case, contact, now, channel=Channel.PAGE, body=words)
        return False


def not_before(contact: Contact, case_id: int, now: datetime, *, day: date, words: str) -> None:
    """They cannot look at it before a day of theirs: that is an absence (F5). Raises Refused."""
    with _own_case(contact, case_id) as case:
        note_absence(case, None, now, note=words, back_on=day)


def escalate(contact: Contact, case_id: int, now: datetime, *, impact: str, reason: str) -> None:
    """Ask for an escalation: it is recorded as theirs, and decided with a reason (E9). Raises Refused."""
    with _own_case(contact, case_id) as case:
        for requester in _requesters:
            requester(case, contact, impact, reason, now)


def open_case(
    contact: Contact,
    now: datetime,
    *,
    answers: dict[str, Any],
    files: Sequence[File[Any]] = (),
    channel: Channel = Channel.PAGE,
) -> Case:
    """Open a case (P3): as severe as the answers suggest until a person decides, and not phoned in (T1, C2).

    Raises Refused.
    """
    severity: Severity = suggested_severity(answers.get("affected", ""), answers.get("impact", ""))
    case = Case(
        company=contact.company,
        contact=contact,
        severity=severity,
        severity_is_provisional=True,
        opened_by_channel=channel,
        **answers,
    )
    return opening.open_case(case, None, now, attachments=files)


def start_chat(
    contact: Contact, case_id: int, now: datetime, *, words: str, files: Sequence[File[Any]] = ()
) -> QueueEntry:
    """Begin a chat about one of their cases (P6). Raises Refused, chat.InAnotherChat, or Case.DoesNotExist."""
    with _own_case(contact, case_id) as case:
        entry = chat.start(contact, case, now, words=words, files=files)
    chat.offer(now)
    return entry


def start_chat_about_new(
    contact: Contact, now: datetime, *, title: str, words: str, files: Sequence[File[Any]] = ()
) -> QueueEntry:
    """Begin a chat with a new question: it opens a case as the form does (P3, D3), and is about that (P6).

    Raises Refused, or chat.InAnotherChat.
    """
    with transaction.atomic():
        answers = {"title": title, "description": words}
        case = open_case(contact, now, answers=answers, files=files, channel=Channel.CHAT)
        entry = chat.start(contact, case, now)
    chat.offer(now)
    return entry
