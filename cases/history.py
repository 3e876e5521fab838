"""Writing a change together with its history row: who, when, why and which move (C5).

The history is also what the escalation clock is reckoned from (E3), so its times are the moves' own, never the
database's. One case goes through `record`, a batch through `record_many`: bulk statements *and* history rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Field

from cases.models import Case
from cases.terms import Move
from contacts.models import User

#: The columns of a case that its history keeps, as attribute names.
TRACKED = [field.attname for field in Case.history.model.tracked_fields]
BATCH = 500


def record(case: Case, move: Move, actor: User | None, reason: str, now: datetime) -> None:
    """Save one case, locked by the caller, with its history row (C5)."""
    case.last_move = move
    case.changed_at = now
    case._history_date = now  # type: ignore[attr-defined]
    case._history_user = actor  # type: ignore[attr-defined]
    case._change_reason = reason  # type: ignore[attr-defined]
    case.save()


def record_many(
    cases: Sequence[Case],
    fields: Iterable[str],
    move: Move,
    reason_of: Callable[[Case], str],
    now: datetime,
    actor: User | None = None,
) -> None:
    """Write the same `fields` of many cases, locked by the caller, each with its history row (C5); few statements."""
    for case in cases:
        case.last_move = move
        # Never before the change it follows, even if another machine's clock is ahead: escalation reads them in order.
        case.changed_at = max(now, case.changed_at)
    write_columns(cases, [*fields, "last_move", "changed_at"])
    write_history(((case, case.changed_at, reason_of(case)) for case in cases), actor)


def write_history(changes: Iterable[tuple[Case, datetime, str]], actor: User | None = None, kind: str = "~") -> None:
    """History rows for cases as they are in memory: (case, moment, reason) each; `kind` is "+" for new cases."""
    historical = Case.history.model
    historical.objects.bulk_create(
        (
            historical(
                history_date=at,
                history_type=kind,
                history_user=actor,
                history_change_reason=reason,
                **{name: getattr(case, name) for name in TRACKED},
            )
            for case, at, reason in changes
        ),
        batch_size=BATCH,
    )


def write_columns(cases: Sequence[Case], fields: Sequence[str]) -> None:
    """Write some columns of many cases as they are in memory: one statement per 500 on PostgreSQL.

    Django's `bulk_update` says the same with a CASE WHEN per row and column, and spends most of the sweep's time on
    building it; arrays that the database unnests cost a tenth of that.
    """
    columns = [Case._meta.get_field(name) for name in ("id", *fields)]
    for batch in batched(cases, BATCH):
        rows = [
            [field.get_db_prep_save(getattr(case, field.attname), connection) for field in columns] for case in batch
        ]
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(_unnested_update(columns), [list(values) for values in zip(*rows, strict=True)])
            else:
                cursor.executemany(_single_update(columns), [[*row[1:], row[0]] for row in rows])


def _unnested_update(columns: Sequence[Field[Any, Any]]) -> str:
    name = connection.ops.quote_name
    assigned = ", ".join(f"{name(field.column)} = new.{name(field.column)}" for field in columns[1:])
    arrays = ", ".join(
        f"%s::{field.rel_db_type(connection) if field.primary_key else field.db_type(connection)}[]"
        for field in columns
    )
    names = ", ".join(name(field.column) for field in columns)
    table = name(Case._meta.db_table)
    return f"UPDATE {table} SET {assigned} FROM unnest({arrays}) AS new ({names}) WHERE {table}.id = new.id"


def _single_update(columns: Sequence[Field[Any, Any]]) -> str:
    name = connection.ops.quote_name
    assigned = ", ".join(f"{name(field.column)} = %s" for field in columns[1:])
    return f"UPDATE {name(Case._meta.db_table)} SET {assigned} WHERE id = %s"


def batched(cases: Sequence[Case], size: int) -> Iterator[Sequence[Case]]:
    """The cases in batches of at most `size`."""
    return (cases[start : start + size] for start in range(0, len(cases), size))
