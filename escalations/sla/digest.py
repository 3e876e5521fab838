"""One mail for each member of the staff and sweep, covering all their cases (T3): lines are written in the transactions
of their reasons, and put together here when the sweep is through. What a crash leaves, the next sweep puts together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import TextChoices

from cases.bulk import update_columns
from cases.mail.letters import Letter, post
from cases.models import Case, Mail
from contacts.directory import Addressee
from escalations.models import DigestLine, SlaTarget


class Section(TextChoices):
    """The parts of the mail, in their order."""

    REMINDER = "reminder", "Your word is wanted"
    SILENCE = "silence", "Nobody has said anything for too long"
    QUESTION = "question", "Nobody has answered"
    WORD = "word", "A customer's word waits to be handled"
    UPDATE = "update", "How these cases stand"


#: What is expected of the reader for each part.
EXPECTED = {
    Section.REMINDER: "Say how your cases stand, by an update from their pages or by a call.",
    Section.SILENCE: "See to it that somebody speaks with them.",
    Section.QUESTION: "Ask the owner, or answer for them on the page of the case.",
    Section.WORD: "Have the case reopened, or have the word marked as handled.",
    Section.UPDATE: "",
}


def line_key(address: str, now: datetime) -> str:
    """The key of the mail that a line for this person goes into: one for each sweep."""
    person = hashlib.sha256(address.lower().encode()).hexdigest()[:24]
    return f"staff:{person}:{now.isoformat()}"


def bundle(now: datetime) -> int:
    """Put every line that waits into the mail of its reader; returns how many mails were written. One transaction."""
    try:
        return _bundle(now)
    except IntegrityError:  # another worker of the same sweep has just written one of these mails: now it is seen
        return _bundle(now)


def _bundle(now: datetime) -> int:
    with transaction.atomic():
        waiting = DigestLine.objects.filter(mail=None).select_for_update(skip_locked=True, of=("self",))
        lines = sorted(waiting.select_related("case"), key=lambda line: (line.key, line.pk))
        if not lines:
            return 0
        groups = [(key, list(its)) for key, its in groupby(lines, key=lambda line: line.key)]
        taken = set(Mail.objects.filter(key__in=[key for key, _ in groups]).values_list("key", flat=True))
        letters = []
        for key, its in groups:
            mail_key = key
            if key in taken:  # another worker of the same sweep was quicker with its own
                mail_key = f"{key}:{its[0].pk}"
                SlaTarget.objects.filter(mail=key, case__in={line.case_id for line in its}).update(mail=mail_key)
            letters.append(_letter(mail_key, its))
            for line in its:
                line.mail_id = mail_key
        post(letters, now)
        update_columns(lines, ["mail"])
    return len(letters)


def _letter(key: str, lines: Sequence[DigestLine]) -> Letter:
    first = lines[0]
    to = Addressee(first.to_address, first.to_name, first.time_zone, _meant_for(lines))
    cases = {line.case_id for line in lines}
    alone = first.case if len(cases) == 1 else None
    return Letter(key, "staff_lines", to, _facts(lines, alone), alone)


def _meant_for(lines: Sequence[DigestLine]) -> str:
    return ", ".join(dict.fromkeys(line.meant_for for line in lines if line.meant_for))


def _facts(lines: Sequence[DigestLine], alone: Case | None) -> dict[str, Any]:
    sections = []
    expected = []
    for section in Section:
        its = [line.facts for line in lines if line.section == section]
        if its:
            sections.append({"name": section.value, "title": section.label, "lines": its})
            expected.append(EXPECTED[section])
    moments = [line.facts["next_at"] for line in lines if line.facts.get("next_at")]
    reasons = dict.fromkeys(line.facts["because"] for line in lines)
    return {
        **({"case": lines[0].facts["case"]} if alone else {}),
        "sections": sections,
        "cases": len({line.case_id for line in lines}),
        "why": "; ".join(reasons),
        "expected": " ".join(one for one in expected if one) or "Nothing for now: this is to inform you.",
        "next": "You hear again when one of these cases asks for it.",
        "next_at": min(moments, default=""),
    }
