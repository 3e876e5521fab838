"""The digest: one mail for each member of staff and sweep, covering all their cases (T3), as often as they want it.

Lines are written in the transactions of their reasons and put into mails when the sweep is through. What a crash
leaves waits for the next sweep.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet, TextChoices

from cases.bulk import update_columns
from cases.mail.letters import Letter, post
from cases.models import Mail
from contacts.compiled import MOMENT, CompiledQuery
from contacts.directory import Addressee
from escalations.models import DigestLine, SlaTarget
from escalations.policy.sla import rounded_down


class Section(TextChoices):
    """The parts of the mail, in their order."""

    REMINDER = "reminder", "Your word is wanted"
    RESPONSE = "response", "Nobody has responded in time"
    SILENCE = "silence", "Nobody has said anything for too long"
    QUESTION = "question", "Nobody has answered"
    WORD = "word", "A customer's word waits to be handled"
    TURN = "turn", "What has changed"
    UPDATE = "update", "How these cases stand"


#: What is expected of the reader for each part.
EXPECTED = {
    Section.REMINDER: "Say how your cases stand, by an update from their pages or by a call.",
    Section.RESPONSE: "See to it that the customers who phoned hear from somebody now.",
    Section.SILENCE: "See to it that somebody speaks with them.",
    Section.QUESTION: "Ask the owner, or answer for them on the page of the case.",
    Section.WORD: "Have the case reopened, or have the word marked as handled.",
    Section.TURN: "",
    Section.UPDATE: "",
}


#: What does not press: it waits for the reader's next common moment.
CAN_WAIT = frozenset({Section.SILENCE, Section.TURN})


def send_by(section: Section, to: Addressee, now: datetime) -> datetime | None:
    """Until when a line may wait for other mail to its reader; None for one that presses, or if they never wait."""
    step = timedelta(minutes=to.bundle_minutes)
    if section not in CAN_WAIT or not step:
        return None
    moment = rounded_down(now, step)
    return moment if moment == now else moment + step


def line_key(address: str, now: datetime) -> str:
    """The key of the mail that a line for this person goes into: one for each sweep."""
    person = hashlib.sha256(address.lower().encode()).hexdigest()[:24]
    return f"staff:{person}:{now.isoformat()}"


def send_digests(now: datetime) -> int:
    """Put every waiting line into the mail of its reader; returns how many mails were written. One transaction."""
    try:
        return _send_digests(now)
    except IntegrityError:  # another worker of the same sweep has just written one of these mails: now it is seen
        return _send_digests(now)


def _lines_to_send(now: Any) -> QuerySet[DigestLine]:
    """Every waiting line to whoever has one that is due."""
    waiting = DigestLine.objects.filter(mail=None).order_by()
    due = waiting.filter(Q(send_by=None) | Q(send_by__lte=now)).values("to_address")
    rows = waiting.filter(to_address__in=due).select_for_update(skip_locked=True, of=("self",))
    return rows.select_related("case")


_waiting = CompiledQuery(_lines_to_send, now=MOMENT)


def _send_digests(now: datetime) -> int:
    with transaction.atomic():
        lines = sorted(_waiting(now=now), key=lambda line: (line.to_address.lower(), line.pk))
        if not lines:
            return 0
        groups = [list(group) for _, group in groupby(lines, key=lambda line: line.to_address.lower())]
        written = set(Mail.objects.filter(key__in={line.key for line in lines}).values_list("key", flat=True))
        post([_letter(_assign_mail(group, written), group) for group in groups], now)
        update_columns(lines, ["mail"])
    return len(groups)


def _assign_mail(lines: Sequence[DigestLine], written: set[str]) -> str:
    """The key of the mail for the lines of one person, set on them: the newest line's, or another if that is `written`.

    An update of the desk is kept by that mail, so its ledger row follows.
    """
    key = lines[-1].key
    if key in written:  # another worker of the same sweep was quicker with its own lines
        key = f"{key}:{lines[0].pk}"
    for known in {line.key for line in lines} - {key}:
        SlaTarget.objects.filter(mail_id=known, case__in={line.case_id for line in lines}).update(mail=key)
    for line in lines:
        line.mail_id = key
    return key


def _letter(key: str, lines: Sequence[DigestLine]) -> Letter:
    first = lines[0]
    meant_for = ", ".join(dict.fromkeys(line.meant_for for line in lines if line.meant_for))
    to = Addressee(first.to_address, first.to_name, first.time_zone, meant_for)
    only_case = first.case if len({line.case_id for line in lines}) == 1 else None
    facts = _facts(lines) | ({"case": first.facts["case"]} if only_case else {})
    return Letter(key, "staff_lines", to, facts, only_case, needed_by=_needed_by(lines))


def _needed_by(lines: Sequence[DigestLine]) -> datetime | None:
    """By when the mail has to arrive for the promises that its updates keep."""
    dues = [line.facts["due_at"] for line in lines if line.section == Section.UPDATE and not line.facts["late"]]
    return min(map(datetime.fromisoformat, dues), default=None)


def _facts(lines: Sequence[DigestLine]) -> dict[str, Any]:
    by_section = {section: [line.facts for line in lines if line.section == section] for section in Section}
    sections = [section for section in Section if by_section[section]]
    moments = [line.facts["next_at"] for line in lines if line.facts.get("next_at")]
    expected = " ".join(EXPECTED[section] for section in sections if EXPECTED[section])
    return {
        "sections": [{"name": one.value, "title": one.label, "lines": by_section[one]} for one in sections],
        "cases": len({line.case_id for line in lines}),
        "why": "; ".join(dict.fromkeys(line.facts["because"] for line in lines)),
        "expected": expected or "Nothing for now: this is to inform you.",
        "next": "You hear again when one of these cases asks for it.",
        "next_at": min(moments, default=""),
    }
