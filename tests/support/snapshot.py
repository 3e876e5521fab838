"""Rows that many tests begin with are made once by the real code, and put back for each test as they were: a tenth of
the time.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar
from unittest.mock import patch

from django.db import connection, transaction
from django.utils import timezone
from psycopg import Cursor

Made = TypeVar("Made")
#: A value as the database itself writes it into a statement.
QUOTED = {"postgresql": "quote_nullable({}::text)", "sqlite": "quote({})"}
NOW = "the moment at which they are put back"


@dataclass(frozen=True)
class Snapshot(Generic[Made]):
    """What was made, and the statements that put its rows into tables which hold none of their keys."""

    pickled: bytes
    statements: list[str]

    @classmethod
    def of(cls, make: Callable[[], Made]) -> Snapshot[Made]:
        """Make it in an empty database, and leave no row of it. Keys stay used on PostgreSQL, so that nobody gets them
        once more.
        """
        tables: dict[str, None] = {}

        def note_table(execute, sql, *rest):  # type: ignore[no-untyped-def]
            if found := re.match(r'(?:INSERT INTO|COPY) "(\w+)"', sql):
                tables[found[1]] = None
            return execute(sql, *rest)

        def copy(cursor, sql, *rest):  # type: ignore[no-untyped-def]
            return note_table(partial(real_copy, cursor), sql, *rest)

        real_copy = Cursor.copy
        with transaction.atomic():
            began = str(timezone.now())
            with connection.execute_wrapper(note_table), patch.object(Cursor, "copy", copy):
                made = make()
            ended = str(timezone.now())
            statements = [statement for table in tables if (statement := _insert(table, began, ended))]
            transaction.set_rollback(True)
        return cls(pickle.dumps(made), statements)

    def put_back(self) -> Made:
        """The rows, with their keys, and what was made. Moments of the making are now."""
        now = str(timezone.now())
        statements = [statement.replace(NOW, now) for statement in self.statements]
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in [";".join(statements)] if connection.vendor == "postgresql" else statements:
                cursor.execute(statement)
        return pickle.loads(self.pickled)


def made_once(make: Callable[[], Made]) -> Callable[[], Made]:
    """What puts back, into an empty database, what `make` has made in one; it is made when it is first wanted."""
    snapshots: list[Snapshot[Made]] = []

    def put_back() -> Made:
        if not snapshots:
            snapshots.append(Snapshot.of(make))
        return snapshots[0].put_back()

    return put_back


def _insert(table: str, began: str, ended: str) -> str:
    """One statement with every row of a table, as a text; "" for an empty one."""
    with connection.cursor() as cursor:
        columns = [column.name for column in connection.introspection.get_table_description(cursor, table)]
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attgenerated <> ''", [table]
            )
            reckoned = {name for (name,) in cursor.fetchall()}  # by the database itself
            columns = [column for column in columns if column not in reckoned]
        names = [connection.ops.quote_name(column) for column in columns]
        quoted = ", ".join(QUOTED[connection.vendor].format(name) for name in names)
        cursor.execute(f"SELECT {quoted} FROM {connection.ops.quote_name(table)}")
        rows = [
            [f"'{NOW}'" if value and began[:26] <= value[1:27] <= ended[:26] else value for value in row]
            for row in cursor.fetchall()
        ]
    if not rows:
        return ""
    values = ", ".join(f"({', '.join(row)})" for row in rows)
    return f"INSERT INTO {connection.ops.quote_name(table)} ({', '.join(names)}) VALUES {values}"
