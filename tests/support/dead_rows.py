"""Rows of tests that are over go from PostgreSQL's tables: it reads them with each look into a table, which took 15 ms
after 2,000 tests. A server vacuums by itself, but not within minutes, and not while one is told to leave it.
"""

from __future__ import annotations

from django.db import connection

#: Fewer in a table are not worth it.
MANY = 300


def vacuum() -> None:
    """Vacuum the tables with many dead rows. Does nothing within a transaction, which may last for several tests, and
    nothing on SQLite.
    """
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT relid::regclass::text FROM pg_stat_user_tables WHERE n_dead_tup > %s", [MANY])
        tables = [table for (table,) in cursor.fetchall()]
        if tables:
            cursor.execute(f"VACUUM {', '.join(tables)}")


def count_rows() -> None:
    """Tell PostgreSQL how many rows its tables have. In one transaction it goes on planning, also the checks of foreign
    keys, for tables that are as empty as they were when it began: seven seconds for each test of a large desk.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
