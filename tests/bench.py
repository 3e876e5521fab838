"""What the engine costs: `make bench` prints counts and ratios, so that a noisy machine does not matter.

Runs in a database of its own (made and dropped here), on PostgreSQL when `DATABASE_URL` names one, else on SQLite.

* due actions per second at 1k, 100k and 1M open cases with 1 % due (a due action = claim, case update, history row,
  ledger row, two outbox rows), beside hand-written set-based SQL on the same rows in the same run
* what a sweep costs when nothing is due
* statements per batch of 500
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.db import connection  # noqa: E402

from cases.models import Case  # noqa: E402
from escalations.dispatch import escalate  # noqa: E402
from tests.builders import build_desk  # noqa: E402

NOW = datetime(2026, 6, 3, 12, 0, tzinfo=UTC)


class Statements:
    """Counts what is sent to the database."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        self.count += 1
        return execute(sql, params, many, context)


@contextmanager
def counted() -> Iterator[Statements]:
    """Count the statements inside."""
    statements = Statements()
    with connection.execute_wrapper(statements):
        yield statements


def fill(cases: int, due_share: float, desk) -> None:  # type: ignore[no-untyped-def]
    """`cases` open Medium cases, made by the database itself; the due share reached Medium 1 a minute ago."""
    template = desk.open_case(now=NOW - timedelta(days=1))
    fields = [field.column for field in Case._meta.concrete_fields if field.column != "id"]
    historical = [field.column for field in Case.history.model._meta.concrete_fields if field.column != "history_id"]
    every = int(1 / due_share) if due_share else cases + 1
    due_at, later_at = NOW - timedelta(minutes=1), NOW + timedelta(days=1)
    if connection.vendor == "postgresql":
        numbers = f"generate_series({template.pk + 1}, {template.pk + cases}) AS n"
        remainder = f"n %% {every} = 0"
    else:
        numbers = (
            f"(WITH RECURSIVE s(n) AS (SELECT {template.pk + 1} UNION ALL SELECT n + 1 FROM s "
            f"WHERE n < {template.pk + cases}) SELECT n FROM s) AS numbers"
        )
        remainder = f"n %% {every} = 0"
    special = {
        "opened_at": (due_at - timedelta(days=2), later_at - timedelta(days=2)),
        "look_at": (due_at, later_at),
        "changed_at": (due_at - timedelta(days=2), later_at - timedelta(days=2)),
        "history_date": (due_at - timedelta(days=2), later_at - timedelta(days=2)),
    }

    def copy(table: str, columns: list[str], source: str, where: str, id_column: str | None) -> None:
        values: list[str] = []
        params: list[datetime] = []
        for column in columns:
            if column in special:
                values.append(f"CASE WHEN {remainder} THEN %s ELSE %s END")
                if connection.vendor == "postgresql":
                    values[-1] = f"CASE WHEN {remainder} THEN %s::timestamptz ELSE %s::timestamptz END"
                params += list(special[column])
            elif column == id_column:
                values.append("n")
            else:
                values.append(f't."{column}"')
        names = ", ".join(f'"{column}"' for column in columns)
        with connection.cursor() as cursor:
            adapted = params if connection.vendor == "postgresql" else [one.replace(tzinfo=None) for one in params]
            cursor.execute(
                f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} FROM {numbers}, {source} t WHERE {where}",
                adapted,
            )

    copy("cases_case", ["id", *fields], "cases_case", f"t.id = {template.pk}", "id")
    copy("cases_historicalcase", historical, "cases_historicalcase", f"t.id = {template.pk}", "id")
    Case.objects.filter(pk=template.pk).update(look_at=None)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def measure(cases: int) -> None:
    """One size: nothing due, then 1 % due."""
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        desk = build_desk()
        began = time.perf_counter()
        fill(cases, 0.01, desk)
        filled = time.perf_counter() - began
        with counted() as idle:
            began = time.perf_counter()
            escalate(NOW - timedelta(minutes=2))
            idle_took = time.perf_counter() - began
        with counted() as busy:
            began = time.perf_counter()
            swept = escalate(NOW)
            took = time.perf_counter() - began
        batches = max(1, -(-swept.looked_at // 500))
        print(
            f"{cases:>9,} open | {swept.acted_on:>6,} due | {swept.acted_on / took:>8,.0f} due actions/s | "
            f"{busy.count / batches:>5.1f} statements a batch of 500 | nothing due: {idle_took * 1000:.1f} ms, "
            f"{idle.count} statements | filled in {filled:.1f} s"
        )
    finally:
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


if __name__ == "__main__":
    for size in [int(argument) for argument in sys.argv[1:]] or [1_000, 100_000, 1_000_000]:
        measure(size)
