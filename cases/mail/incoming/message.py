"""What the desk makes of a raw message (M6, M7)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class MessageKind(StrEnum):
    """Who speaks in a message (M6). Only a person's counts as a response."""

    PERSON = "person"
    OUT_OF_OFFICE = "out_of_office"
    AUTOMATIC = "automatic"
    BOUNCE = "bounce"
    DELAY = "delay"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file that came with a message, its name as a case may keep it; images inside the text are files too (M7)."""

    name: str
    content_type: str
    data: bytes = field(repr=False)
    content_id: str = ""

    @property
    def size(self) -> int:
        return len(self.data)


@dataclass(frozen=True, slots=True)
class AwayDays:
    """The days of an out-of-office note, as `read_timeframe` reads them (F5)."""

    away_from: date | None
    back_on: date


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """A raw message as it was understood. Nothing in it is proven: whoever wrote it wrote the header too (M5a).

    `sender` is an address, or "" when the message names none or several. `references` are the Message-IDs that it
    answers, the nearest last. `text` and `quoted` together hold every line of what was said. `failed_recipients` are
    those that a bounce names, `returned_ids` the Message-IDs of what it returns. `why` says in one sentence what
    decided on the kind, and what could not be read.
    """

    kind: MessageKind
    why: str
    sender: str = ""
    sender_name: str = ""
    recipients: tuple[str, ...] = ()
    subject: str = ""
    date: datetime | None = None
    message_id: str = ""
    references: tuple[str, ...] = ()
    text: str = ""
    quoted: str = ""
    attachments: tuple[ReceivedFile, ...] = ()
    absence: AwayDays | None = None
    failed_recipients: tuple[str, ...] = ()
    returned_ids: tuple[str, ...] = ()
    #: Where servers say that they delivered it to, besides To and Cc.
    delivered_to: tuple[str, ...] = ()
    #: The topmost Authentication-Results, for `prove`.
    authentication: str = ""
