"""Finds cases on PostgreSQL: a tsvector of the words with a GIN index.

The index answers in no order, so that a common word would cost as much as all the cases it is in. Common words are
found by reading the newest cases; what is not common there is cheap to look up.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.db import connection
from django.db.models import F
from django.db.models.expressions import RawSQL

from cases.models import Case, CaseQuerySet
from cases.search.words import Query, SearchToken

#: How many of the newest cases are read one by one before the index is asked.
WALKED = 2_000
#: Among how many of the newest cases of the desk those of a narrower list are looked for first.
RECENT = 20_000


class PostgresSearch:
    """A search among some cases."""

    def __init__(self, cases: CaseQuerySet) -> None:
        self.cases = cases.order_by()

    @cached_property
    def walked(self) -> list[int]:
        """The keys of the newest of the cases: all of them, or one more than are read."""
        if self.cases.query.where:
            newest = Case.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
            recent = self._newest_keys(self.cases.filter(pk__gt=newest - RECENT).order_by("-pk"))
            # Whose cases are few among the recent ones has few. The sum keeps the planner from walking over all others.
            return recent if len(recent) > WALKED else self._newest_keys(self.cases.order_by((F("pk") + 0).desc()))
        return self._newest_keys(self.cases.order_by("-pk"))

    def _newest_keys(self, cases: CaseQuerySet) -> list[int]:
        return list(cases.values_list("pk", flat=True)[: WALKED + 1])

    def newest(self, query: Query, limit: int) -> list[int]:
        """The keys of the newest cases that the query finds, at most `limit`, newest first."""
        found = self.among(self.walked[:WALKED], query, limit)
        if len(found) == limit or len(self.walked) <= WALKED:
            return found
        whole = query.whole_words()
        if whole.choices and whole != query:
            # A beginning such as “ma” stands for so many words that it is read in few documents, not looked up.
            few = self._by_index(whole, WALKED + 1, in_order=False)
            if len(few) <= WALKED:
                return self.among(few, query, limit)
        return self._by_index(query, limit)

    def among(self, case_ids: list[int], query: Query, limit: int) -> list[int]:
        """Those of the cases that the query finds, newest first."""
        # OFFSET 0 keeps the planner from using the index on the words, which costs more than reading a few documents.
        return _keys(
            "SELECT case_id FROM (SELECT case_id, vector FROM cases_searchdocument WHERE case_id = ANY(%s) "
            "ORDER BY case_id DESC OFFSET 0) AS newest WHERE vector @@ %s::tsquery LIMIT %s",
            [case_ids, _tsquery(query), limit],
        )

    def matching(self, query: Query) -> RawSQL:
        """The keys of all cases of the desk that the query finds, as a subquery."""
        return RawSQL("SELECT case_id FROM cases_searchdocument WHERE vector @@ %s::tsquery", [_tsquery(query)])

    def _by_index(self, query: Query, limit: int, in_order: bool = True) -> list[int]:
        """The newest; without an order any, which reads no more rows than `limit`, however many there are."""
        scope, params = "", ()
        if self.cases.query.where:
            keys, params = self.cases.values("pk").query.sql_with_params()
            scope = f"WHERE case_id IN ({keys})"
        return _keys(
            "SELECT case_id FROM (SELECT case_id FROM cases_searchdocument WHERE vector @@ %s::tsquery OFFSET 0) AS f "
            f"{scope} {'ORDER BY case_id DESC' if in_order else ''} LIMIT %s",
            [_tsquery(query), *params, limit],
        )


def _keys(statement: str, params: list[Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return [key for (key,) in cursor.fetchall()]


def _tsquery(query: Query) -> str:
    return " & ".join(f"({' | '.join(map(_operand, choice))})" for choice in query.choices)


def _operand(token: SearchToken) -> str:
    """A token is letters, digits and our own marks, so that nothing has to be escaped."""
    return f"'{token.text}'{':*' if token.is_prefix else ''}"
