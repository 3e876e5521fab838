"""The moves of a chat (P6): it begins, both write, it ends, and what time does to it (S1).

A chat waits, is offered and taken as a call is (`cases.queue`). Every line is a contact of the case (C3), logged by the
moves of everybody; nobody is mailed a line. When it is over its sweep tells the owner of the case once, and mails the
customer what they have not seen.

The entry is locked before its case.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.files.base import File
from django.db import IntegrityError, transaction

from cases.chat.mail import as_text, transcript
from cases.chat.state import chats_now, open_chat_of, somebody_works
from cases.enums import Channel, Direction, QueueEnding, QueueKind, QueueState
from cases.guards import Refused, allow, locked
from cases.mail.letters import Letter, post
from cases.mail.phrases import phrase
from cases.models import Case, Interaction, Mail, QueueEntry
from cases.policy.queue.chats import ending_of, over
from cases.queue.apply import end_entry, enter, lock_entry, offer_next, one_move
from cases.queue.callers import Caller
from cases.workflow.contact_log import log_contact, take_word, tell_of_chat
from contacts.enums import Right
from contacts.models import Contact, User

log = logging.getLogger(__name__)

#: So exactly it is kept when the customer last saw the chat: not every poll writes.
SEEN_EVERY = timedelta(seconds=20)
#: So long after its end a chat is wound up: the page of the customer has asked once more if it is still there.
WOUND_UP_AFTER = timedelta(seconds=30)
#: A longer chat goes on as messages on the case.
MOST_LINES = 500
TO_CHAT = "answer a chat"


class InAnotherChat(Refused):
    """The contact is in a chat already: `entry`."""

    def __init__(self, entry: QueueEntry) -> None:
        super().__init__("You are in a chat already.")
        self.entry = entry


# The customer ---------------------------------------------------------------------------------------------------------


def start(
    contact: Contact,
    case: Case,
    now: datetime,
    *,
    words: str = "",
    files: Sequence[File[Any]] = (),
) -> QueueEntry:
    """A contact begins a chat about a case of their company, which the caller has locked; call `offer_next` after it.

    `words` are the first line; without them it is what opened the case. With nobody at work it is a message on the case
    at once (P6). Raises Refused, or InAnotherChat.
    """
    caller = Caller("", contact, contact.company, None, contact.speaks)
    try:
        with transaction.atomic():
            entry = enter(caller, now, kind=QueueKind.CHAT, case=case)
    except IntegrityError:
        mine = open_chat_of(contact)
        if mine is None:
            raise
        raise InAnotherChat(mine) from None
    if words:
        first = take_word(case, contact, now, channel=Channel.CHAT, body=words, attachments=files, chat=entry)
    else:
        first = case.interactions.get(opened_the_case=True)
        first.chat = entry
        first.save(update_fields=["chat"])
    entry.interaction = first
    if not somebody_works(now):
        end_entry(entry, QueueEnding.MESSAGE, now)
    entry.save()
    return entry


@one_move
def say(
    contact: Contact, entry_id: int, now: datetime, *, words: str, files: Sequence[File[Any]] = ()
) -> tuple[QueueEntry, Interaction]:
    """The contact writes a line. Once the chat is over it is a message on the case like any other, so that nothing that
    was typed is lost. Raises Refused, or QueueEntry.DoesNotExist for a chat of somebody else.
    """
    entry = _own(contact, entry_id)
    assert entry.case_id is not None, "a chat is about a case"
    goes_on = entry.state != QueueState.ENDED and entry.lines.count() < MOST_LINES
    line = take_word(
        entry.case_id,
        contact,
        now,
        channel=Channel.CHAT if goes_on else Channel.PAGE,
        body=words,
        attachments=files,
        chat=entry if goes_on else None,
    )
    if goes_on:
        QueueEntry.objects.filter(pk=entry.pk).update(heard_at=now)
    return entry, line


@one_move
def leave(contact: Contact, entry_id: int, now: datetime) -> QueueEntry:
    """The contact ends the chat; what nobody has answered stays a message. Raises QueueEntry.DoesNotExist."""
    entry = _own(contact, entry_id)
    if entry.state != QueueState.ENDED:
        _end(entry, now)
        entry.heard_at = now
        entry.save()
    return entry


def seen(entry: QueueEntry, now: datetime) -> None:
    """The page of the customer shows the chat; written down once in a while, and once more after its end."""
    last = entry.ended_at if entry.state == QueueState.ENDED else now - SEEN_EVERY
    if last is not None and entry.heard_at < last:
        QueueEntry.objects.filter(pk=entry.pk, heard_at__lt=now).update(heard_at=now)


@one_move
def mail_transcript(contact: Contact, entry_id: int, now: datetime) -> bool:
    """Mail the contact the chat as it is now; False where no mail reaches them. Raises QueueEntry.DoesNotExist."""
    entry = _own(contact, entry_id)
    letters = transcript(entry, _lines(entry), phrase("you asked for it in the chat"))
    _post_once(letters, now)
    return bool(letters)


def _post_once(letters: Sequence[Letter], now: datetime) -> None:
    """The same lines are mailed once; the entry is locked."""
    sent = set(Mail.objects.filter(key__in=[letter.key for letter in letters]).values_list("key", flat=True))
    post([letter for letter in letters if letter.key not in sent], now)


def _own(contact: Contact, entry_id: int) -> QueueEntry:
    """A chat of the contact, locked. Raises QueueEntry.DoesNotExist."""
    if not QueueEntry.objects.chats().filter(pk=entry_id, contact=contact, company=contact.company_id).exists():
        raise QueueEntry.DoesNotExist
    return lock_entry(entry_id)


# The technician -------------------------------------------------------------------------------------------------------


@one_move
def answer(entry_id: int, actor: User, now: datetime, *, words: str, files: Sequence[File[Any]] = ()) -> Interaction:
    """Whoever has taken the chat writes a line to the customer (T1, T2, C3). Raises Refused, or NotAllowed."""
    allow(actor, Right.WORK_CASES, TO_CHAT)
    entry = _taken_by(actor, entry_id)
    assert entry.case_id is not None, "a chat is about a case"
    return log_contact(
        entry.case_id,
        actor,
        now,
        channel=Channel.CHAT,
        direction=Direction.OUT,
        body=words,
        for_customer=True,
        contact=entry.contact,
        attachments=files,
        chat=entry,
    )


@one_move
def end(entry_id: int, actor: User, now: datetime) -> QueueEntry:
    """It is over, as whoever has taken it says, or whoever reassigns (Q2). Raises Refused, or NotAllowed."""
    allow(actor, Right.WORK_CASES, TO_CHAT)
    entry = lock_entry(entry_id)
    if entry.state == QueueState.TALKING:
        if entry.technician_id != actor.pk:
            allow(actor, Right.REASSIGN, f"end a chat of {entry.technician}")
        _end(entry, now)
        entry.save()
    elif entry.state != QueueState.ENDED:
        raise Refused(f"Nobody has answered {entry.who} yet; take the chat first.")
    return entry


def _taken_by(actor: User, entry_id: int) -> QueueEntry:
    entry = lock_entry(entry_id)
    if entry.state == QueueState.TALKING and entry.technician_id == actor.pk:
        return entry
    if entry.state == QueueState.ENDED:
        raise over_already()
    raise Refused(f"You have not taken the chat with {entry.who}; take it first.")


def over_already() -> Refused:
    """What somebody is told who writes into a chat that has ended."""
    return Refused("The chat is over, and what you typed was not sent; write to the customer by email.")


def _end(entry: QueueEntry, now: datetime) -> None:
    """In memory. Whoever only had it offered has nothing to wrap up."""
    answered_at = entry.lines.filter(direction=Direction.OUT).values_list("at", flat=True).first()
    if entry.state == QueueState.OFFERED:
        entry.technician = None
    end_entry(entry, over(answered_at), now)


# What time does (S1) --------------------------------------------------------------------------------------------------


def sweep_chats(now: datetime) -> int:
    """End the chats that nobody answers, whose customer has left, or that are silent; wind up those that have ended.

    Returns how many. One that fails is reported, and tried again by the next sweep (S2).
    """
    chats = chats_now()
    works = not any(chat.state == QueueState.WAITING for _, chat in chats) or somebody_works(now)
    due = [key for key, chat in chats if ending_of(chat, now, somebody_works=works) is not None]
    ended = QueueEntry.objects.chats().filter(state=QueueState.ENDED, wound_up_at=None)
    to_wind_up = list(ended.filter(ended_at__lte=now - WOUND_UP_AFTER).values_list("pk", flat=True))
    done = 0
    for key in due:
        done += _carefully(key, now, lambda key, now: _time_out(key, now, works))
    for key in to_wind_up:
        done += _carefully(key, now, _wind_up)
    return done


def _carefully(key: int, now: datetime, move: Any) -> bool:
    try:
        with transaction.atomic():
            return bool(move(key, now))
    except Exception:
        log.exception("chat %s could not be ended; the next sweep tries again", key)
        return False


def _time_out(key: int, now: datetime, works: bool) -> bool:
    """Look again under the lock, which another worker's is left to."""
    if not QueueEntry.objects.filter(pk=key).select_for_update(skip_locked=True, of=("self",)).exists():
        return False
    found = chats_now([key])
    ending = ending_of(found[0][1], now, somebody_works=works) if found else None
    if ending is None:
        return False
    entry = lock_entry(key)
    if ending == QueueEnding.SPOKEN or entry.state == QueueState.TALKING:
        _end(entry, now)
    else:
        end_entry(entry, ending, now)
    entry.save()
    return True


def _wind_up(key: int, now: datetime) -> bool:
    """Tell the owner, and the customer what they have not seen: nobody is there any more to tell them (P6)."""
    rows = QueueEntry.objects.filter(pk=key, wound_up_at=None)
    if not rows.select_for_update(skip_locked=True, of=("self",)).exists():
        return False
    entry = lock_entry(key)
    assert entry.case_id is not None, "a chat is about a case"
    case, lines = locked(entry.case_id, None), _lines(entry)
    ours = [line for line in lines if line.direction == Direction.OUT]
    if entry.ending == QueueEnding.SPOKEN and not ours:
        entry.ending = QueueEnding.MESSAGE  # whoever took it answered a telephone instead (Q1)
    if not all(line.opened_the_case for line in lines):  # of a new case they were told
        by = ours[-1].by_id if ours and entry.ending == QueueEnding.SPOKEN else None
        tell_of_chat(case, lines[0], as_text(lines), now, answered_by=by)
    if ours and ours[-1].at > entry.heard_at:
        entry.case = case
        why = phrase("you had left the chat before you could read all of it")
        _post_once(transcript(entry, lines, why), now)
    entry.wound_up_at = now
    entry.save()
    return True


def _lines(entry: QueueEntry) -> list[Interaction]:
    """The lines of a chat, the oldest first; two queries."""
    rows = entry.lines.select_related("by", "contact").prefetch_related("attachments")
    return list(rows.order_by("pk"))


def offer(now: datetime) -> None:
    """Offer whoever waits, after a chat has begun and its transaction is over (Q2)."""
    offer_next(now)
