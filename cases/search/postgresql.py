"""Finds cases on PostgreSQL: a tsvector of the words with a GIN index, which also has the company of each case.

The index answers in no order, so that a common word would cost as much as all the cases it is in. Common words are
found by reading the newest cases; what is not common there is cheap to look up. Of the cases of some companies only the
entries of these companies are looked up.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django.db import connection
from django.db.models import F
from django.db.models.expressions import Col, RawSQL
from django.db.models.lookups import Exact, In

from cases.models import Case, CaseQuerySet
from cases.search.words import Query, SearchToken

#: How many of the newest cases are read one by one before the index is asked.
WALKED = 2_000
#: Of these so many at first: what none of them has is rare enough to be looked up.
WALKED_FIRST = 500
#: Among how many of the newest cases of the desk those of a narrower list are looked for first.
RECENT = 20_000


class PostgresSearch:
    """A search among some cases."""

    def __init__(self, cases: CaseQuerySet) -> None:
        self.cases = cases.order_by()
        self.companies = companies_of(cases)

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
        first = min(WALKED_FIRST, WALKED)
        found = self.among(self.walked[:first], query, limit)
        if len(found) < limit and (found or len(self.walked) <= WALKED) and len(self.walked) > first:
            found += self.among(self.walked[first:WALKED], query, limit - len(found))
        if len(found) == limit or len(self.walked) <= WALKED:
            return found
        whole = query.whole_words()
        if whole.choices and whole != query and not self._is_common(whole, first):
            # A beginning such as “ma” stands for so many words that it is read in few documents, not looked up.
            few = self._by_index(whole, WALKED + 1, in_order=False)
            if len(few) <= WALKED:
                return self.among(few, query, limit)
        return self._by_index(query, limit)

    def _is_common(self, query: Query, first: int) -> bool:
        """Whether every fifth of the `first` newest cases is found: the index would name more than are read."""
        enough = max(1, first // 5)
        return len(self.among(self.walked[:first], query, enough)) == enough

    def among(self, case_ids: list[int], query: Query, limit: int) -> list[int]:
        """Those of the cases that the query finds, newest first."""
        # OFFSET 0 keeps the planner from using the index on the words, which costs more than reading a few documents.
        return _keys(
            "SELECT case_id FROM (SELECT case_id, vector FROM cases_searchdocument WHERE case_id = ANY(%s) "
            "ORDER BY case_id DESC OFFSET 0) AS newest WHERE vector @@ %s::tsquery LIMIT %s",
            [case_ids, _tsquery(query), limit],
        )

    def matching(self, query: Query) -> RawSQL:
        """The keys of all cases that the query finds, as a subquery: of the desk, or of the companies."""
        condition, params = self._condition(query)
        return RawSQL(f"SELECT case_id FROM cases_searchdocument WHERE {condition}", params)

    def _by_index(self, query: Query, limit: int, in_order: bool = True) -> list[int]:
        """The newest; without an order any, which reads no more rows than `limit`, however many there are."""
        condition, params = self._condition(query)
        scope, order = "", "ORDER BY case_id DESC" if in_order else ""
        if self.cases.query.where:
            keys, of_scope = self.cases.values("pk").query.sql_with_params()
            scope, params = f"WHERE case_id IN ({keys})", [*params, *of_scope]
        # Few are left of some companies: sorted first, only as many are looked up among the cases as are wanted.
        first = order if self.companies is not None else ""
        # OFFSET 0 keeps the planner from reading all documents in their order.
        return _keys(
            f"SELECT case_id FROM (SELECT case_id FROM cases_searchdocument WHERE {condition} {first} OFFSET 0) AS f "
            f"{scope} {order} LIMIT %s",
            [*params, limit],
        )

    def _condition(self, query: Query) -> tuple[str, list[Any]]:
        """What the index is asked for."""
        if self.companies is None:
            return "vector @@ %s::tsquery", [_tsquery(query)]
        return "vector @@ %s::tsquery AND ARRAY[company_id] && %s::bigint[]", [_tsquery(query), self.companies]


def companies_of(cases: CaseQuerySet) -> list[int] | None:
    """The companies to which the cases are limited by their keys; None if they are not, or by something else."""
    where, company = cases.query.where, Case._meta.get_field("company")
    if where.connector != "AND" or where.negated:
        return None
    limits: list[set[int]] = []
    for lookup in where.children:
        column = getattr(lookup, "lhs", None)
        if not isinstance(column, Col) or column.target != company or column.alias != Case._meta.db_table:
            continue
        if isinstance(lookup, Exact) and isinstance(lookup.rhs, int):
            limits.append({lookup.rhs})
        elif isinstance(lookup, In) and isinstance(lookup.rhs, Iterable):
            limits.append(set(lookup.rhs))
    return sorted(set.intersection(*limits)) if limits else None


def _keys(statement: str, params: list[Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return [key for (key,) in cursor.fetchall()]


def _tsquery(query: Query) -> str:
    return " & ".join(f"({' | '.join(map(_operand, choice))})" for choice in query.choices)


def _operand(token: SearchToken) -> str:
    """A token is letters, digits and our own marks, so that nothing has to be escaped."""
    return f"'{token.text}'{':*' if token.is_prefix else ''}"
