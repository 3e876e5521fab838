"""When what the desk did late was due, for the history of a case: a stored reason cannot know its reader's zone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from cases.enums import Move
from cases.models import Case
from contacts.reader import for_reader

#: What was done later than this says when it was due.
LATE_AFTER = timedelta(minutes=15)

#: Answers what the desk did to a case at these moments: (when, what, when it was due).
DueSource = Callable[[Case, Collection[datetime]], Iterable[tuple[datetime, str, datetime]]]

_sources: dict[Move, DueSource] = {}


def due_source(move: Move) -> Callable[[DueSource], DueSource]:
    """Register the decorated source for history rows of the move."""

    def register(source: DueSource) -> DueSource:
        _sources[move] = source
        return source

    return register


def due_lines(case: Case, rows: Iterable[Any]) -> dict[int, list[str]]:
    """“Critical 1 was due on Wed 3 Jun, 14:00.”, by key of the history row; at most one query for each kind of move."""
    moments: dict[Move, dict[datetime, int]] = defaultdict(dict)
    for row in rows:
        if row.last_move in _sources:
            moments[Move(row.last_move)][row.history_date] = row.history_id
    lines: dict[int, list[str]] = defaultdict(list)
    for move, keys in moments.items():
        for done_at, what, due_at in _sources[move](case, keys):
            if done_at - due_at > LATE_AFTER:
                lines[keys[done_at]].append(f"{what} was due on {for_reader(due_at)}.")
    return lines
