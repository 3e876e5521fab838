"""Write many rows in one statement: COPY and unnested arrays on PostgreSQL, `executemany` on SQLite.

All of it runs inside the caller's transaction and under the same constraints as any other write. Django's own bulk
methods spend most of a sweep's time on building an expression for each value. Values are not converted by Django, so
only the field types in `_converter` can be written; any other raises TypeError. A text that is longer than its field
is refused with ValueError on every database, before anything is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from itertools import islice
from operator import attrgetter
from typing import Any, TypeVar

from django.db import connection
from django.db.models import (
    BooleanField,
    CharField,
    DateTimeField,
    Field,
    FloatField,
    ForeignKey,
    IntegerField,
    JSONField,
    Model,
    QuerySet,
    TextField,
)

BATCH = 500
COPY_BATCH = 5_000
#: Field types whose Python values both drivers take as they are.
UNCONVERTED = (BooleanField, CharField, FloatField, IntegerField, TextField)
T = TypeVar("T")


def batched(items: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch


def insert_rows(model: type[Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows of values for the fields of these attribute names; keys are given by the database, not read back.

    Moments are aware, JSON fields take plain values. Raises TypeError for a field type that cannot be written here,
    ValueError for a text longer than its field, IntegrityError as any insert does.
    """
    fields = [_field(model, name) for name in names]
    prepare = _preparation(fields)
    quoted = ", ".join(_quoted(field) for field in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        # A batch is complete before its COPY begins: rows may come from a query on this very connection.
        for batch in batched(map(prepare, rows), COPY_BATCH):
            if connection.vendor == "postgresql":
                with connection.wrap_database_errors, cursor.copy(f"COPY {table} ({quoted}) FROM STDIN") as copy:
                    for row in batch:
                        copy.write_row(row)
            else:
                marks = ", ".join(["%s"] * len(fields))
                cursor.executemany(f"INSERT INTO {table} ({quoted}) VALUES ({marks})", batch)


def insert(objects: Sequence[Model]) -> None:
    """Insert unsaved objects of one model; their keys are not read back. Raises as `insert_rows` does."""
    if objects:
        model = type(objects[0])
        names = _plain_names(model)
        insert_rows(model, names, map(attrgetter(*names), objects))


def update_columns(objects: Sequence[Model], names: Sequence[str], only: tuple[str, str] | None = None) -> None:
    """Write these columns of saved objects of one model; `only` those rows in which a column has a value, as in
    `("status", "queued")`. Raises TypeError as `insert_rows` does.

    Without `only` the caller has locked the rows. With it they are locked here, in the order of their keys: of two who
    write the same rows one waits for the other, instead of both until PostgreSQL ends one with an error.
    """
    if not objects:
        return
    model = type(objects[0])
    fields = [_field(model, name) for name in (model._meta.pk.attname, *names)]
    prepare, read = _preparation(fields), attrgetter(*(field.attname for field in fields))
    condition, wanted = (_field(model, only[0]), [only[1]]) if only else (None, [])
    for batch in batched(objects):
        rows = [prepare(read(one)) for one in batch]
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                arrays: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)]
                values: list[Any] = [*arrays[:1], *wanted, *arrays, *wanted] if wanted else arrays
                cursor.execute(_unnested_update(model, fields, condition), values)
            else:
                statement = _single_update(model, fields, condition)
                cursor.executemany(statement, [[*row[1:], row[0], *wanted] for row in rows])


def lock_in_order(rows: QuerySet[Any]) -> None:
    """Lock rows that are about to be updated until the transaction ends, in the order of their keys, so that of two who
    do this one waits for the other. Nothing on SQLite, which locks as a whole.
    """
    if connection.features.has_select_for_update:
        list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk"))


@lru_cache(maxsize=64)
def _plain_names(model: type[Model]) -> tuple[str, ...]:
    return tuple(field.attname for field in model._meta.concrete_fields if not field.primary_key)


def _quoted(field: Field[Any, Any]) -> str:
    assert field.column is not None  # these are concrete fields
    return connection.ops.quote_name(field.column)


def _field(model: type[Model], name: str) -> Field[Any, Any]:
    for field in model._meta.concrete_fields:
        if name in (field.name, field.attname):
            return field
    raise LookupError(f"{model.__name__} has no column {name}")


def _preparation(fields: Sequence[Field[Any, Any]]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """The function that turns a row of Python values into one that the driver takes."""
    converters = [(index, convert) for index, field in enumerate(fields) if (convert := _converter(field))]

    def prepare(row: Sequence[Any]) -> Sequence[Any]:
        values = list(row)
        for index, convert in converters:
            if values[index] is not None:
                values[index] = convert(values[index])
        return values

    return prepare


def _converter(field: Field[Any, Any]) -> Callable[[Any], Any] | None:
    """What converts the values of a field for the driver; None if they can stay as they are. Raises TypeError."""
    if isinstance(field, ForeignKey):
        return _converter(field.target_field)
    if isinstance(field, JSONField):
        return partial(connection.ops.adapt_json_value, encoder=field.encoder)
    if isinstance(field, DateTimeField):
        return None if connection.vendor == "postgresql" else _as_sqlite_text
    if isinstance(field, CharField) and field.max_length is not None:
        return partial(_refuse_longer, field, field.max_length)
    if isinstance(field, UNCONVERTED):
        return None
    raise TypeError(f"Bulk writes know no {type(field).__name__} ({field}): write it with the ORM, or convert it here.")


def _refuse_longer(field: Field[Any, Any], longest: int, text: str) -> str:
    """The text. Cutting is for whoever knows what may be cut: a key that is cut could become equal to another."""
    if len(text) > longest:
        raise ValueError(f"{len(text)} characters are too long for {field}, which takes {longest}: {text[:40]}...")
    return text


def _as_sqlite_text(moment: datetime) -> str:
    """A moment as Django keeps it in SQLite: UTC without saying so."""
    return str(moment.astimezone(UTC).replace(tzinfo=None))


def _unnested_update(model: type[Model], fields: Sequence[Field[Any, Any]], only: Field[Any, Any] | None) -> str:
    name = connection.ops.quote_name
    key, *others = fields
    assigned = ", ".join(f"{_quoted(field)} = new.{_quoted(field)}" for field in others)
    types = [key.rel_db_type(connection), *(field.db_type(connection) for field in others)]
    arrays = ", ".join(f"%s::{column_type}[]" for column_type in types)
    names = ", ".join(_quoted(field) for field in fields)
    table = name(model._meta.db_table)
    statement = (
        f"UPDATE {table} SET {assigned} FROM unnest({arrays}) AS new ({names}) "
        f"WHERE {table}.{_quoted(key)} = new.{_quoted(key)}"
    )
    if only is None:
        return statement
    return (
        f"WITH locked AS (SELECT {_quoted(key)} AS key FROM {table} "
        f"WHERE {_quoted(key)} = ANY (%s::{types[0]}[]) AND {_quoted(only)} = %s "
        f"ORDER BY {_quoted(key)} FOR NO KEY UPDATE) "
        f"{statement} AND {table}.{_quoted(only)} = %s AND {table}.{_quoted(key)} IN (SELECT key FROM locked)"
    )


def _single_update(model: type[Model], fields: Sequence[Field[Any, Any]], only: Field[Any, Any] | None) -> str:
    name = connection.ops.quote_name
    key, *others = fields
    assigned = ", ".join(f"{_quoted(field)} = %s" for field in others)
    also = f" AND {_quoted(only)} = %s" if only else ""
    return f"UPDATE {name(model._meta.db_table)} SET {assigned} WHERE {_quoted(key)} = %s{also}"
