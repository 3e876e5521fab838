"""Write a change of a case together with its history row: who, when, why and which move (C5).

Escalation clocks are computed from the history (E3), so its times are those of the moves, never the database's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from operator import attrgetter

from cases.bulk import insert_rows, update_columns
from cases.enums import Move
from cases.models import Case
from contacts.models import User

#: The columns of a case that its history keeps, as attribute names.
TRACKED = [field.attname for field in Case.history.model.tracked_fields]


def record(
    case: Case, move: Move, actor: User | None, reason: str, now: datetime, checks: Collection[str] = ()
) -> None:
    """Save one case, locked by the caller, with its history row (C5), and those check columns that are named."""
    case.last_move = move
    case.changed_at = now
    case._history_date = now  # type: ignore[attr-defined]
    case._history_user = actor  # type: ignore[attr-defined]
    case._change_reason = reason  # type: ignore[attr-defined]
    case.save(update_fields=case.fields_to_save().union(checks) if checks else None)


def record_many(
    cases: Sequence[Case],
    fields: Iterable[str],
    move: Move,
    reason_of: Callable[[Case], str],
    now: datetime,
    actor: User | None = None,
) -> None:
    """Write the same `fields` of many cases, locked by the caller, with their history rows in bulk (C5)."""
    for case in cases:
        case.last_move = move
        # Not before the change it follows, even if another machine's clock is ahead: clocks read them in order.
        case.changed_at = max(now, case.changed_at)
    update_columns(cases, [*fields, "last_move", "changed_at"])
    write_history(((case, case.changed_at, reason_of(case)) for case in cases), actor)


def write_history(changes: Iterable[tuple[Case, datetime, str]], actor: User | None = None, kind: str = "~") -> None:
    """Write a history row for each (case, moment, reason), the case as it is in memory; `kind` "+" is for new cases."""
    actor_id = actor.pk if actor else None
    tracked = attrgetter(*TRACKED)
    columns = (*TRACKED, "history_date", "history_type", "history_user_id", "history_change_reason")
    rows = ((*tracked(case), at, kind, actor_id, reason) for case, at, reason in changes)
    insert_rows(Case.history.model, columns, rows)
