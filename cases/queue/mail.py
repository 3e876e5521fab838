"""The letters of the queue: a callback that nobody made in time, callers with whom nobody spoke (Q3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cases.mail.letters import Letter, to_each
from cases.models import QueueEntry
from contacts.directory import Directory
from contacts.enums import Role


def callback_missed(entry: QueueEntry, now: datetime) -> list[Letter]:
    """To the Support Manager: we promised to call back and have not (Q3, D5)."""
    assert entry.due_at is not None
    what = {
        "why": "a caller was promised to be called back by now, and nobody has done it",
        "expected": "Have somebody call, or call yourself: take it on the board of the queue.",
        "next": "The callback keeps its place in the queue until somebody makes it.",
    }
    return _to_manager(entry, now, "callback_missed", what | _facts_of(entry))


def caller_unreached(entry: QueueEntry, now: datetime) -> list[Letter]:
    """To the Support Manager: we called back as often as we do, and reached nobody (Q3, D5)."""
    what = {
        "why": "we called somebody back as often as we do, and nobody answered",
        "expected": "Decide whether to reach them in another way.",
        "next": "Nothing more by itself; if they call again, they are served as everybody is.",
    }
    return _to_manager(entry, now, "caller_unreached", what | _facts_of(entry))


def callers_missed(entries: Sequence[QueueEntry], now: datetime) -> list[Letter]:
    """To the Support Manager: callers who hung up, and are not called back, because nobody knows them (Q3, D5)."""
    if not entries:
        return []
    what = {
        "why": "somebody called, nobody answered before they hung up, and nobody calls back whom we do not know",
        "expected": "Find out who it was, where a number tells; call them back from the board of the queue.",
        "next": "Nothing more by itself; if they call again, they are served as everybody is.",
        "callers": [
            {"caller": entry.who, "phone": entry.shown_number, "called_at": entry.arrived_at.isoformat()}
            for entry in entries
        ],
    }
    return _to_manager(entries[0], now, "callers_missed", what)


def _facts_of(entry: QueueEntry) -> dict[str, Any]:
    return {
        "caller": entry.who,
        "company": str(entry.company or ""),
        "phone": entry.shown_number,
        "called_at": entry.arrived_at.isoformat(),
        "due_at": entry.due_at.isoformat() if entry.due_at else "",
        "tries": entry.tries,
    }


def _to_manager(entry: QueueEntry, now: datetime, template: str, what: dict[str, Any]) -> list[Letter]:
    readers = Directory().for_role(Role.SUPPORT_MANAGER, None)
    return to_each(readers, f"{template}:{entry.pk}:{now.isoformat()}", template, what, None)
