"""Finds cases on SQLite: an FTS5 table that follows the documents, with the key of the case as rowid."""

from __future__ import annotations

from django.db import connection
from django.db.models.expressions import RawSQL

from cases.models import CaseQuerySet, SearchDocument
from cases.search.words import Query, SearchToken


class SqliteSearch:
    """A search among some cases."""

    def __init__(self, cases: CaseQuerySet) -> None:
        self.cases = cases.order_by()

    def newest(self, query: Query, limit: int) -> list[int]:
        """The keys of the newest cases that the query finds, at most `limit`, newest first."""
        keys, params = self.cases.values("pk").query.sql_with_params()
        # The plus keeps SQLite from searching once for each of the cases.
        scope, params = (f"AND +rowid IN ({keys})", params) if self.cases.query.where else ("", ())
        statement = (
            f"SELECT rowid FROM cases_searchwords WHERE cases_searchwords MATCH %s {scope} ORDER BY rowid DESC LIMIT %s"
        )
        with connection.cursor() as cursor:
            cursor.execute(statement, [_expression(query), *params, limit])
            return [key for (key,) in cursor.fetchall()]

    def among(self, case_ids: list[int], query: Query, limit: int) -> list[int]:
        """Those of the cases that the query finds, newest first."""
        rows = SearchDocument.objects.filter(case__in=case_ids).order_by("-pk").values_list("pk", "words")
        return [key for key, words in rows if query.is_met_by(set(words.split()))][:limit]

    def matching(self, query: Query) -> RawSQL:
        """The keys of all cases of the desk that the query finds, as a subquery."""
        return RawSQL("SELECT rowid FROM cases_searchwords WHERE cases_searchwords MATCH %s", [_expression(query)])


def _expression(query: Query) -> str:
    return " AND ".join(f"({' OR '.join(map(_operand, choice))})" for choice in query.choices)


def _operand(token: SearchToken) -> str:
    """A token is letters, digits and our own marks, so that nothing has to be escaped."""
    return f'"{token.text}"{"*" if token.is_prefix else ""}'
