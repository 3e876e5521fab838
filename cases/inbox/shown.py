"""What the page of a received message shows of the raw message, and of what was decided about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.template.defaultfilters import filesizeformat

from cases.enums import ReceivedOutcome, TriageDecision
from cases.mail.incoming import IncomingMessage, ReceivedFile
from cases.models import ReceivedMail
from cases.policy.file_types import HEAD, judge_file


@dataclass(frozen=True)
class ReceivedFileLine:
    """A file of a message as its page lists it: by its place in the message."""

    place: int
    name: str
    size: str  # “12.0 KB”
    content_type: str
    why_not_kept: str  # on a case (C3); "" for what may be


def file_lines(message: IncomingMessage) -> list[ReceivedFileLine]:
    """The files that came with the message, in their order."""
    return [
        ReceivedFileLine(place, file.name, filesizeformat(file.size), file.content_type, _why_not(file))
        for place, file in enumerate(message.attachments)
    ]


def _why_not(file: ReceivedFile) -> str:
    return judge_file(file.name, file.data[:HEAD], lambda: ()).why_not


@dataclass(frozen=True)
class Decided:
    """Messages about which somebody has decided the same at the same moment, before it is carried out."""

    mails: tuple[ReceivedMail, ...]

    @property
    def first(self) -> ReceivedMail:
        return self.mails[0]

    @property
    def at(self) -> datetime | None:
        """When it is carried out."""
        return self.first.carry_out_at


def not_yet_carried_out(mails: Iterable[ReceivedMail]) -> list[Decided]:
    """The messages in the order of their decisions; those that were dismissed together as one."""
    waiting = [mail for mail in mails if mail.outcome == ReceivedOutcome.TRIAGE and mail.decided_at]
    waiting.sort(key=_together)
    return [Decided(tuple(group)) for _, group in groupby(waiting, key=_together)]


def _together(mail: ReceivedMail) -> tuple[datetime | None, int, int]:
    """The same for messages that were dismissed together, for every other decision one of its own."""
    is_dismissed = mail.decision == TriageDecision.DISMISS
    return mail.decided_at, mail.decided_by_id or 0, 0 if is_dismissed else mail.pk
