"""Take a raw message in: once, however often and by whichever door it comes (M5).

Every door calls `receive` and lets go of the message only after it has returned. The row, and everything that the
message sets off, is written in one transaction; a worker that is killed leaves nothing behind but an orphan of a file,
and the message is received again.
"""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, InterfaceError, OperationalError, transaction

from cases.enums import Door, ReceivedKind, ReceivedOutcome
from cases.files import store
from cases.guards import Refused
from cases.inbox.apply import carry_out, leave_in_triage
from cases.inbox.state import KnownMessage, load_known
from cases.mail.incoming import read_message
from cases.models import ReceivedMail
from cases.policy.inbox.outcome import decide

logger = logging.getLogger(__name__)

#: The database's trouble, not the message's: then nothing was received.
DATABASE_TROUBLE = (OperationalError, InterfaceError)

#: What the message itself says in its header; servers on the way add to the rest.
_OWN_FIELDS = re.compile(
    rb"^(message-id|from|to|cc|date|subject)\s*:((?:[^\n]|\n[ \t])*)", re.IGNORECASE | re.MULTILINE
)


@dataclass(frozen=True)
class Received:
    """The row of a message, and whether it is new: one that came before changes nothing."""

    mail: ReceivedMail
    is_new: bool


def receive(raw: bytes, now: datetime, *, door: Door) -> Received:
    """Take a message in at `now` (UTC): keep it, and do what it sets off (M5).

    Raises nothing about the message itself: what cannot be read or acted on waits in triage. Raises OSError if the
    disk does not take it and DatabaseError if the database does not; then it was not received, and the door keeps it.
    """
    digest = digest_of(raw)
    came_before = ReceivedMail.objects.filter(digest=digest).first()
    if came_before is not None:
        return Received(came_before, is_new=False)
    message = read_message(raw)
    stored = store.write([raw])
    try:
        with transaction.atomic():
            known = load_known(message)
            row = _row(known, raw, digest, stored.stored_as, door, now)
            row.save()
            row = _acted_on(row, known, now)
    except IntegrityError:
        came_first = ReceivedMail.objects.filter(digest=digest).first()
        if came_first is None:
            raise
        return Received(came_first, is_new=False)
    return Received(row, is_new=True)


def _acted_on(row: ReceivedMail, known: KnownMessage, now: datetime) -> ReceivedMail:
    """The row after what its message set off; what cannot be done is undone as a whole, and a person looks."""
    try:
        with transaction.atomic():
            carry_out(decide(known.facts), row, known, now)
            return row
    except DATABASE_TROUBLE:
        raise
    except Refused as refused:
        why = f"It could not be acted on: {refused.sentence}"
    except Exception as trouble:
        logger.exception("received mail %s could not be acted on", row.pk)
        why = (
            f"It could not be acted on, because of an error of the desk ({type(trouble).__name__}); its log says more."
        )
    row = ReceivedMail.objects.get(pk=row.pk)  # as it was before the effect
    leave_in_triage(row, why)
    return row


def digest_of(raw: bytes) -> str:
    """What tells a message from every other: its own header fields and its content, not what servers added."""
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    own = sorted((name.lower(), b" ".join(value.split())) for name, value in _OWN_FIELDS.findall(head))
    digest = hashlib.sha256(repr(own).encode())
    digest.update(body.rstrip())
    return digest.hexdigest()


def _row(known: KnownMessage, raw: bytes, digest: str, stored_as: str, door: Door, now: datetime) -> ReceivedMail:
    message = known.message
    return ReceivedMail(
        digest=digest,
        door=door,
        received_at=now,
        stored_as=stored_as,
        size=len(raw),
        kind=ReceivedKind(message.kind.value),
        why=_storable(message.why),
        sender=_storable(message.sender, 320).lower(),
        sender_name=_storable(message.sender_name, 200),
        subject=_storable(message.subject, 1000),
        message_id=_storable(message.message_id, 998),
        text=_storable(message.text),
        quoted=_storable(message.quoted),
        files=len(message.attachments),
        is_proven=known.proof.is_proven,
        proof=_storable(known.proof.why),
        contact=known.contact,
        staff=known.staff,
        case=known.case,
        matched_by=known.matched_by or "",
        answers=known.answers,
        outcome=ReceivedOutcome.TRIAGE,
        explanation="It has not been acted on yet.",
    )


def _storable(text: str, longest: int | None = None) -> str:
    """The text as a column takes it: without zero characters and halves of letters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")[:longest]
