"""How many statements something sends to the database."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext


def queries_of(job: Callable[[], object]) -> int:
    """The statements of a job, without savepoints."""
    with CaptureQueriesContext(connection) as queries:
        job()
    return sum("SAVEPOINT" not in query["sql"] for query in queries)


def queries_of_page(client: Client, address: str) -> int:
    """The statements of a page that was opened before, without what is looked up once per process."""
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)
