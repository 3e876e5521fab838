"""Queries that are asked again and again, compiled to SQL once.

Django builds and compiles a query each time that it is asked. For the small reads of a sweep, or of a case's page, this
takes several times as long as the database takes to answer. A `CompiledQuery` is written as any other; what changes
from one time to the next are its parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Generic, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import BigIntegerField, CharField, DateTimeField, Expression, Field, QuerySet
from django.db.models.sql import Query

Row = TypeVar("Row")
Value = datetime | int | str | Collection[int]


@dataclass(frozen=True)
class ParameterKind:
    """What a parameter holds: a value that such a field is compared with, or a list of them."""

    field: Field[Any, Any]
    is_list: bool = False


MOMENT = ParameterKind(DateTimeField())
TEXT = ParameterKind(CharField())
KEY = ParameterKind(BigIntegerField())
#: For `field__in`, but not below an `exclude`: with an empty list nothing is asked and nothing found.
KEYS = ParameterKind(KEY.field, is_list=True)


class CompiledQuery(Generic[Row]):
    """A query and the kinds of its parameters. `build` gets the parameters by name and returns the queryset.

    It is called once for each connection, and may use a parameter only as what a field is compared with; nothing in it
    may depend on the reader (their time zone, their language) or on the moment.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Row]], **parameters: ParameterKind) -> None:
        self._build, self._parameters = build, parameters

    def __call__(self, **values: Value) -> list[Row]:
        """The rows; one query, none where no row can have such keys. Raises what a query raises."""
        connection = connections[DEFAULT_DB_ALIAS]  # of this thread, so nobody else uses what is kept with it
        known: dict[CompiledQuery[Any], _Compiled] = vars(connection).setdefault("compiled_queries", {})
        if self not in known:
            parameters = {name: _Parameter(name, kind) for name, kind in self._parameters.items()}
            known[self] = _Compiled(self._build(**parameters), connection)
        return list(known[self].rows(values))

    def by_key(self, **values: Value) -> dict[int | None, Row]:
        """The rows, which are of a model, by their keys."""
        return {row.pk: row for row in self(**values)}  # type: ignore[attr-defined]


class _Parameter(Expression):
    """Stands in a query where a value will be; in the SQL it stands among the parameters."""

    def __init__(self, name: str, kind: ParameterKind) -> None:
        super().__init__(output_field=kind.field)
        self.name, self.kind = name, kind

    @property
    def placeholder(self) -> str:
        """That of a list is replaced by as many as the list is long."""
        return f"(:{self.name}:)" if self.kind.is_list else "%s"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        return self.placeholder, [self]

    def prepared(self, value: Any, connection: Any) -> list[Any]:
        """The values as the driver takes them. Raises EmptyResultSet if no row can have such a key."""
        values = value if self.kind.is_list else [value]
        prepared = [self.kind.field.get_db_prep_value(one, connection) for one in values]
        if self.kind.field is KEY.field:
            prepared = [key for key in prepared if key is not None and abs(key) <= BigIntegerField.MAX_BIGINT]
            if not prepared:
                raise EmptyResultSet
        return prepared


class _KnownQuery(Query):
    """A query that hands out the compiler that it is given."""

    known_compiler: Any

    def get_compiler(self, *_: object, **__: object) -> Any:
        return self.known_compiler


class _Compiled:
    """A query as one connection asks it. Its rows are made by the queryset, as ever."""

    def __init__(self, queryset: QuerySet[Any, Any], connection: Any) -> None:
        self._connection, self._queryset, self._iterable = connection, queryset, queryset._iterable_class
        self._compiler: Any = queryset.query.get_compiler(connection=connection)
        self._sql, self._params = self._compiler.as_sql()
        columns = [column for column, *_ in self._compiler.select[: self._compiler.col_count]]
        converters = self._compiler.get_converters(columns)
        self._compiler.get_converters = lambda _: converters
        query: Any = queryset.query.chain(klass=_KnownQuery)
        query.known_compiler = self._compiler
        queryset.query = query

    def rows(self, values: dict[str, Value]) -> Iterator[Any]:
        self._compiler.as_sql = partial(self._with, values)
        rows: Iterator[Any] = self._iterable(self._queryset).__iter__()  # type: ignore[attr-defined]
        return rows

    def _with(self, values: dict[str, Value]) -> tuple[str, list[Any]]:
        sql, params = self._sql, []
        for param in self._params:
            prepared = [param]
            if isinstance(param, _Parameter):
                prepared = param.prepared(values[param.name], self._connection)
                if param.kind.is_list:
                    sql = sql.replace(param.placeholder, f"({', '.join(['%s'] * len(prepared))})")
            params += prepared
        return sql, params
