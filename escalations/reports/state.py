"""What reports say: the rows that each figure counts, and tables of figures, reckoned by the database (W4).

A figure is a queryset of a view, narrowed by a scope and by what its reader may see (A1). Tables group these same
querysets, and lists open them, so that a link leads to exactly what was counted. A table takes a fixed number of
queries, whatever the period.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import Count, DateTimeField, Exists, F, Func, IntegerField, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Trunc
from django.utils import timezone

from cases.enums import Severity, Status
from cases.models import Case
from contacts.enums import Right
from contacts.models import Company, SupportCentre, User
from escalations.enums import SlaKind, SlaOutcome
from escalations.models import (
    Escalation,
    ReportCase,
    ReportEscalation,
    ReportPromise,
    ReportReopening,
    SlaTarget,
)
from escalations.policy.figures import BREAKDOWNS, FIGURES, REPORTS, Column, Ledger, ReportPage, Unit, shares
from escalations.policy.reporting import (
    AGES,
    NOBODY,
    BacklogAge,
    NotAScope,
    Scope,
    grain_of,
    part_label,
    parts,
    read_rows_of,
)
from escalations.reports.views import seconds_sql

Rows = QuerySet[Any, Any]
#: A value of a table: a count, seconds, a share; None where there is nothing to reckon it from.
Cell = int | float | None

OUTCOMES = {
    "kept_by_people": SlaOutcome.MET,
    "kept_by_desk": SlaOutcome.MET_AUTOMATICALLY,
    "missed": SlaOutcome.BREACHED,
}

# --- the rows of a figure ---------------------------------------------------------------------------------------


def _narrowed(rows: Rows, scope: Scope, user: User) -> Rows:
    """Those of the scope's company, centre, owner and severity that somebody may read (A1)."""
    rows = rows.visible_to(user)  # type: ignore[attr-defined]
    if not user.may(Right.READ_EVERY_CASE) and (scope.owner is not None or scope.centre is not None):
        return rows.none()  # staff lists are not theirs
    for name in ("company", "centre", "owner"):
        key = getattr(scope, name)
        if key is not None:
            rows = rows.filter(**{f"{name}_id__isnull": True} if key == NOBODY else {f"{name}_id": key})
    return rows.filter(severity=scope.severity) if scope.severity else rows


def _in_period(rows: Rows, scope: Scope, column: str) -> Rows:
    return rows.filter(**{f"{column}__gte": scope.start, f"{column}__lt": scope.end})


def _cases(scope: Scope, user: User) -> Rows:
    return _narrowed(ReportCase.objects.all(), scope, user)


def _opened(scope: Scope, user: User) -> Rows:
    return _in_period(_cases(scope, user), scope, "opened_at")


def _answered(scope: Scope, user: User) -> Rows:
    return _opened(scope, user).filter(first_response_seconds__isnull=False)


def _unanswered(scope: Scope, user: User) -> Rows:
    return _opened(scope, user).filter(first_response_seconds__isnull=True, is_imported=False)


def _resolved(scope: Scope, user: User) -> Rows:
    return _in_period(_cases(scope, user).filter(status=Status.RESOLVED), scope, "resolved_at")


def _reopened(scope: Scope, user: User) -> Rows:
    """The reopenings of the period; a case may have several."""
    return _in_period(_narrowed(ReportReopening.objects.all(), scope, user), scope, "reopened_at")


def _backlog(scope: Scope, user: User) -> Rows:
    """What was open at the end of the scope's period; of a period that is not over, what is open now."""
    at = min(scope.end, timezone.now())
    if scope.start > at:
        return _cases(scope, user).none()
    closed_then = ReportReopening.objects.filter(case_id=OuterRef("case_id"), resolved_at__lt=at, reopened_at__gte=at)
    rows = _cases(scope, user).filter(_unresolved_since(at), opened_at__lt=at)
    rows = rows.filter(Q(reopenings=0) | ~Exists(closed_then))
    if scope.age is None:
        return rows
    if not scope.age < len(AGES):
        raise NotAScope("There is no such age.")
    return rows.filter(_opened_so_long_before(at, AGES[scope.age]))


def _unresolved_since(at: datetime) -> Q:
    """What is open, or whose resolution that stands came at that moment or later; each half has an index."""
    return ~Q(status=Status.RESOLVED) | Q(status=Status.RESOLVED, resolved_at__gte=at)


def _opened_so_long_before(at: datetime, age: BacklogAge) -> Q:
    since = Q(opened_at__gte=at - age.below) if age.below else Q()
    return Q(opened_at__lt=at - age.least) & since


def _promises(*outcomes: SlaOutcome) -> Callable[[Scope, User], Rows]:
    def rows(scope: Scope, user: User) -> Rows:
        found = _narrowed(ReportPromise.objects.all(), scope, user)
        found = found.filter(outcome__in=[outcome.value for outcome in outcomes])
        return _in_period(found.filter(kind=scope.kind) if scope.kind else found, scope, "due_at")

    return rows


def _escalated(scope: Scope, user: User) -> Rows:
    rows = _in_period(_narrowed(ReportEscalation.objects.all(), scope, user), scope, "done_at")
    if not scope.point:
        return rows
    severity, _, number = scope.point.partition("-")
    if not (number.isascii() and number.isdigit() and len(number) < 4):
        raise NotAScope("There is no such point.")
    return rows.filter(point_severity=severity, point_number=int(number))


#: The rows of each figure, as rows of the views.
ROWS: dict[str, Callable[[Scope, User], Rows]] = {
    "kept_by_people": _promises(SlaOutcome.MET),
    "kept_by_desk": _promises(SlaOutcome.MET_AUTOMATICALLY),
    "missed": _promises(SlaOutcome.BREACHED),
    "settled": _promises(*OUTCOMES.values()),
    "opened": _opened,
    "answered": _answered,
    "unanswered": _unanswered,
    "resolved": _resolved,
    "reopened": _reopened,
    "escalated": _escalated,
    "backlog": _backlog,
}
#: The list in which a figure's rows are shown, and the column of its view that names them there.
LISTED: dict[Ledger, tuple[type[Any], str]] = {
    Ledger.CASES: (Case, "case_id"),
    Ledger.PROMISES: (SlaTarget, "promise_id"),
    Ledger.ESCALATIONS: (Escalation, "escalation_id"),
}


def keys_of(text: str, ledger: Ledger, user: User) -> Rows:
    """The keys of the rows that `write_rows_of` named, in that list. Raises NotAScope and NotAPeriod."""
    slug, scope = read_rows_of(text)
    if slug not in FIGURES or FIGURES[slug].ledger is not ledger:
        raise NotAScope(f"There is no figure “{slug[:20]}” of these.")
    return ROWS[slug](scope, user).order_by().values(LISTED[ledger][1])


# --- tables -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReportLine:
    """A line of a table: what it is about, and its values by the slugs of the columns."""

    label: str
    scope: Scope
    values: Mapping[str, Cell]
    at: date | None = None  # of a row that is a part of the period: its first day


@dataclass
class ReportTable:
    """A report as it is shown, sent and exported."""

    report: ReportPage
    by: str
    scope: Scope
    columns: Sequence[Column]
    rows: list[ReportLine] = field(default_factory=list)
    total: ReportLine | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was counted at all."""
        return not any(
            value for row in [*self.rows, *([self.total] if self.total else [])] for value in row.values.values()
        )


#: A key of a group, as the database gives it: a part of the period, a key of a row, a severity. None of all together.
Key = Any
ALL = object()
Cells = dict[Key, dict[str, Cell]]


class _Reckoning:
    """One table in the making."""

    def __init__(self, scope: Scope, by: str, user: User) -> None:
        self.scope, self.by, self.user = scope, by, user
        self.grain = grain_of(scope.period)
        self.zone = ZoneInfo(scope.zone)
        self.cells: Cells = defaultdict(dict)

    def rows(self, figure: str) -> Rows:
        return ROWS[figure](self.scope, self.user)

    def grouped(self, rows: Rows, moment: str) -> Rows:
        """The rows with their group, `moment` being what decides about the period."""
        if self.by == "time":
            trunc = Trunc(moment, self.grain, output_field=DateTimeField(), tzinfo=self.zone)
            return rows.annotate(part=trunc).order_by()
        return rows.annotate(part=F(BREAKDOWNS[self.by].column)).order_by()

    def key(self, part: Any) -> Key:
        if isinstance(part, datetime):  # a driver gives it as the clocks there show it, Django with its zone
            return (part.astimezone(self.zone) if part.tzinfo else part).date()
        return NOBODY if part is None else part

    def count(self, column: str, rows: Rows, moment: str) -> None:
        """How many rows there are in each group, and in all. The groups are disjoint."""
        self.put({column: None}, self.grouped(rows, moment).values("part").annotate(n=Count("pk")))

    def put(self, columns: Mapping[str, Callable[[Any], bool] | None], counted: Iterable[Mapping[str, Any]]) -> None:
        """Add counts to the cells of their group, and of all, in each column whose condition they fulfil."""
        for row in counted:
            for column, belongs in columns.items():
                if belongs is None or belongs(row):
                    for key in (self.key(row["part"]), ALL):
                        self.cells[key][column] = (self.cells[key].get(column) or 0) + row["n"]

    def picked(self, figure: str, moment: str, *columns: str) -> tuple[str, Sequence[Any]]:
        """The table that `spread_of` reads, of the rows of a figure. Raises EmptyResultSet for no rows at all."""
        sql, params = self.grouped(self.rows(figure), moment).values("part", *columns).query.sql_with_params()
        names = ", ".join(columns)
        source = f"WITH rows_of (part, {names}) AS ({sql}), picked (part, flag, {names}) AS MATERIALIZED "
        return f"{source} (SELECT part, 1 = 0, {names} FROM rows_of)", params

    def put_spreads(self, source: str, params: Sequence[Any], of: Mapping[str, str]) -> Iterator[tuple[Key, list[Any]]]:
        """Median, 90th percentile and mean, in each group and in all, of some columns of `source`, as in `spread_of`;
        `of` has the prefix of the columns of the table by the column. Gives what is known of each group besides.
        """
        for is_all, part, spreads, more in spread_of(source, params, list(of)):
            key = ALL if is_all else self.key(_as_moment(part) if self.by == "time" else part)
            for prefix, (many, total, median, p90) in zip(of.values(), spreads, strict=True):
                mean = int(total) / many if many else None
                self.cells[key] |= {f"{prefix}_median": median, f"{prefix}_p90": p90, f"{prefix}_mean": mean}
            yield key, [*more, *spreads]


#: Of a column: how many there are, their sum, median, 90th percentile.
Spread = tuple[int, Any, Any, Any]


def spread_of(
    source: str, params: Sequence[Any], columns: Sequence[str]
) -> list[tuple[bool, Any, list[Spread], list[Any]]]:
    """Spreads of columns of the table `picked (part, flag, ...)`, which `source` (a WITH clause) makes: for each part
    and for all (is all, part, a spread for each column, [rows, rows with the flag]).

    A percentile is the smallest value that so many do not exceed (nearest rank), on every database.
    """
    counts = "COUNT(*), SUM(CASE WHEN flag THEN 1 ELSE 0 END)"
    if connection.vendor == "postgresql":
        each = "".join(
            f""", COUNT({v}), SUM({v}), percentile_disc(0.5) WITHIN GROUP (ORDER BY {v}),
            percentile_disc(0.9) WITHIN GROUP (ORDER BY {v})"""
            for v in columns
        )
        statements = [
            f"{source} SELECT GROUPING(part), part, {counts}{each} FROM picked "
            "GROUP BY GROUPING SETS ((part), ()) HAVING COUNT(*) > 0"
        ]
    else:
        statements = [_ranked(source, v, counts) for v in columns]
    found: dict[tuple[bool, Any], tuple[list[Spread], list[Any]]] = {}
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, params)
            for is_all, part, many, flagged, *spreads in cursor.fetchall():
                known, _ = found.setdefault((bool(is_all), part), ([], [many, flagged]))
                known += [tuple(spreads[n : n + 4]) for n in range(0, len(spreads), 4)]
    return [(is_all, part, spreads, more) for (is_all, part), (spreads, more) in found.items()]


def _ranked(source: str, v: str, counts: str) -> str:
    """The same of one column where the database knows no percentiles."""
    ranks = """SELECT part, flag, {v} AS v, ROW_NUMBER() OVER ({by} ORDER BY {v} NULLS LAST) AS r,
        COUNT({v}) OVER ({by}) AS n FROM picked"""
    values = (
        f"{counts}, COUNT(v), SUM(v), MIN(CASE WHEN 2 * r >= n THEN v END), MIN(CASE WHEN 10 * r >= 9 * n THEN v END)"
    )
    return f"""{source}
        SELECT 0, part, {values} FROM ({ranks.format(v=v, by="PARTITION BY part")}) AS one GROUP BY part
        UNION ALL
        SELECT 1, NULL, {values} FROM ({ranks.format(v=v, by="")}) AS every HAVING COUNT(*) > 0"""


def _as_moment(part: Any) -> Any:
    """A part of the period as the driver gives it: SQLite gives a text."""
    return datetime.fromisoformat(part) if isinstance(part, str) else part


def reckon(report: str, scope: Scope, by: str, user: User) -> ReportTable:
    """A report for somebody (A1). Raises KeyError for a report or a breakdown that there is not."""
    table = ReportTable(REPORTS[report], by, scope, REPORTS[report].columns)
    reckoning = _Reckoning(scope, by, user)
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                # To compile one of these statements takes longer than to run it; they sort what a year holds.
                cursor.execute("SET LOCAL jit = off; SET LOCAL work_mem = '64MB'")
        _RECKONERS[report](reckoning, table)
        _fill(table, reckoning)
    return table


def _reckon_promises(this: _Reckoning, table: ReportTable) -> None:
    counted = this.grouped(this.rows("settled"), "due_at").values("part", "outcome").annotate(n=Count("pk"))
    of = {slug: partial(_is, "outcome", outcome) for slug, outcome in OUTCOMES.items()}
    this.put({**of, "settled": None}, counted)
    for cells in this.cells.values():
        cells["kept_share"] = shares(int(cells.get(slug) or 0) for slug in OUTCOMES)


def _is(name: str, wanted: str, row: Mapping[str, Any]) -> bool:
    return bool(row[name] == wanted)


def _with_contacts(cases: str, wanted: str, value: str, picked: str) -> str:
    """The table that `spread_of` reads, from `cases` (part, case_id, ...) and a `value` of the contacts of each that
    are `wanted`. They are joined in the order of the cases, which of a period lie beside each other: faster than to
    look them up case by case, as the views do.
    """
    return f"""WITH cases AS MATERIALIZED ({cases}), said (case_id, value) AS (
            SELECT one.case_id, {value} FROM cases JOIN report_contacts AS one ON one.case_id = cases.case_id
            WHERE one.{wanted} AND one.case_id >= (SELECT MIN(case_id) FROM cases)
              AND one.case_id <= (SELECT MAX(case_id) FROM cases)
            GROUP BY one.case_id),
        picked AS MATERIALIZED (
            SELECT cases.part AS part, {picked} FROM cases LEFT JOIN said ON said.case_id = cases.case_id)"""


def _reckon_times(this: _Reckoning, table: ReportTable) -> None:
    with suppress(EmptyResultSet):
        opened = this.grouped(this.rows("opened"), "opened_at").values("part", "case_id", "counts_from", "is_imported")
        sql, params = opened.query.sql_with_params()
        took = " - ".join(seconds_sql(moment, connection.vendor) for moment in ("said.value", "cases.counts_from"))
        took = took.replace("%", "%%")  # a part of a statement with parameters
        picked = f"said.value IS NULL AND NOT cases.is_imported AS flag, {took} AS response"
        source = _with_contacts(sql, "tells_customer", "MIN(one.told_at)", picked)
        for key, (many, silent, _) in this.put_spreads(source, params, {"response": "response"}):
            this.cells[key] |= {"opened": many, "unanswered": silent}
    with suppress(EmptyResultSet):
        of = {"resolution_seconds": "resolution", "worked_seconds": "worked"}
        for key, (many, *_) in this.put_spreads(*this.picked("resolved", "resolved_at", *of), of):
            this.cells[key]["resolved"] = many


def _reckon_escalations(this: _Reckoning, table: ReportTable) -> None:
    rows = this.grouped(this.rows("escalated"), "done_at")
    counted = list(rows.values("part", "point_severity", "point_number").annotate(n=Count("pk")))
    rank = list(Severity)
    reached = sorted({(rank.index(Severity(row["point_severity"])), row["point_number"]) for row in counted})
    points = {f"{rank[place]}-{number}": f"{rank[place].label} {number}" for place, number in reached}
    table.columns = [
        *(Column(slug, label, "escalated", definition=" ", point=slug, tone=slug) for slug, label in points.items()),
        *table.columns,
    ]
    for row in counted:
        row["point"] = f"{row['point_severity']}-{row['point_number']}"
    of = {slug: partial(_is, "point", slug) for slug in points}
    this.put({**of, "escalated": None}, counted)


def _reckon_contacts(this: _Reckoning, table: ReportTable) -> None:
    with suppress(EmptyResultSet):
        sql, params = (
            this.grouped(this.rows("resolved"), "resolved_at").values("part", "case_id").query.sql_with_params()
        )
        source = _with_contacts(sql, "counts", "COUNT(*)", "1 = 0 AS flag, COALESCE(said.value, 0) AS contacts")
        for key, (many, _, spread) in this.put_spreads(source, params, {"contacts": "contacts"}):
            this.cells[key] |= {"resolved": many, "contacts": int(spread[1])}
    # of a period few; one that was reopened in two of its parts is one of all
    reopened = this.grouped(this.rows("reopened"), "reopened_at").values_list("part", "case_id").distinct()
    pairs = {(this.key(part), case) for part, case in reopened}
    for key, _ in pairs:
        this.cells[key]["reopened"] = (this.cells[key].get("reopened") or 0) + 1
    this.cells[ALL]["reopened"] = len({case for _, case in pairs})


def _reckon_backlog(this: _Reckoning, table: ReportTable) -> None:
    if this.by == "time":
        _backlog_over_time(this)
        return
    at = min(this.scope.end, timezone.now())
    ages = {f"age_{n}": Count("pk", filter=_opened_so_long_before(at, age)) for n, age in enumerate(AGES)}
    for row in this.grouped(this.rows("backlog"), "opened_at").values("part").annotate(backlog=Count("pk"), **ages):
        for key in (this.key(row["part"]), ALL):
            for column in ("backlog", *ages):
                this.cells[key][column] = (this.cells[key].get(column) or 0) + row[column]


class Places(Func):
    """How many of some moments, given in their order, are not later than a column: a place among them."""

    output_field = IntegerField()

    def __init__(self, column: str, moments: Sequence[datetime]) -> None:
        super().__init__(F(column))
        self.moments = moments

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """One look-up in a sorted array."""
        sql, params = compiler.compile(self.source_expressions[0])
        return f"width_bucket({sql}, %s::timestamptz[])", (*params, list(self.moments))

    def as_sql(self, compiler: Any, connection: Any, *given: Any, **context: Any) -> Any:
        """A sum of comparisons."""
        sql, params = compiler.compile(self.source_expressions[0])
        moments = [connection.ops.adapt_datetimefield_value(moment) for moment in self.moments]
        return f"({' + '.join([f'({sql} >= %s)'] * len(moments))})", [each for at in moments for each in (*params, at)]


def _backlog_over_time(this: _Reckoning) -> None:
    """At the end of each part that has begun, or now: what had come to each age and not left it.

    A case comes to an age when it is so old, and leaves it when it is older or resolved. The database reckons at the
    end of which part that shows first, and counts the cases that are alike in that; most come and go between two ends.
    A time in which a case was resolved and that ended with its reopening is taken out again.
    """
    now, zone = timezone.now(), this.scope.zone
    whole = list(parts(this.scope.period))
    unknown = dict.fromkeys([*(f"age_{n}" for n in range(len(AGES))), "backlog"])
    this.cells |= {key: dict(unknown) for key in [*(key for key, _ in whole), ALL]}
    begun = [(key, part.end(zone)) for key, part in whole if part.start(zone) <= now]
    if not begun:
        return
    ends = [min(end, now) for _, end in begun]
    came = {f"came_{n}": Places("opened_at", [end - age.least for end in ends]) for n, age in enumerate(AGES)}
    rows = _cases(this.scope, this.user).filter(_unresolved_since(ends[0]), opened_at__lt=ends[-1])
    left: Any = Coalesce(Places("resolved_at", ends), len(ends))
    again = _narrowed(ReportReopening.objects.all(), this.scope, this.user)
    again = again.filter(resolved_at__lt=ends[-1], reopened_at__gte=ends[0])
    counts = [[0] * (len(ends) + 1) for _ in AGES]
    _stand(counts, rows.annotate(**came, first=Value(0), left=left), +1)
    _stand(counts, again.annotate(**came, first=Places("resolved_at", ends), left=Places("reopened_at", ends)), -1)
    for place, (key, _) in enumerate(begun):
        by_age = {f"age_{n}": sum(change[: place + 1]) for n, change in enumerate(counts)}
        this.cells[key] |= {**by_age, "backlog": sum(by_age.values())}
    this.cells[ALL] |= this.cells[begun[-1][0]]


def _stand(counts: Sequence[list[int]], rows: Rows, sign: int) -> None:
    """Add to the changes of each age at each place: rows stand from where they `came` to it, and not before `first`, up
    to where they come to the next age or `left`.
    """
    names = [f"came_{n}" for n in range(len(AGES))]
    alike = rows.filter(came_0__lt=F("left"), first__lt=F("left")).order_by()
    for *came, first, left, many in alike.values_list(*names, "first", "left").annotate(many=Count("pk")):
        for n, change in enumerate(counts):
            begin, end = max(came[n], first), min([left, *came[n + 1 : n + 2]])
            if begin < end:
                change[begin] += sign * many
                change[end] -= sign * many


_RECKONERS: dict[str, Callable[[_Reckoning, ReportTable], None]] = {
    "promises": _reckon_promises,
    "times": _reckon_times,
    "escalations": _reckon_escalations,
    "backlog": _reckon_backlog,
    "contacts": _reckon_contacts,
}


# --- the lines of a table -----------------------------------------------------------------------------------------


def _fill(table: ReportTable, this: _Reckoning) -> None:
    """Put the cells in the order in which they are read."""
    scope = this.scope
    if table.by == "time":
        grain = grain_of(scope.period)
        for key, part in parts(scope.period):
            table.rows.append(
                _row(table, part_label(part, grain), scope.within(part), this.cells.get(key, {}), part.first)
            )
    else:
        keys = [key for key in this.cells if key is not ALL]
        names = NAMES[table.by](keys)
        weight = table.columns[-1].slug if table.report.slug in ("escalations", "backlog") else table.columns[0].slug
        by_rank = list(Severity) if table.by == "severity" else []
        keys.sort(
            key=lambda key: (by_rank.index(key) if by_rank else -float(this.cells[key].get(weight) or 0), names[key])
        )
        table.rows = [_row(table, names[key], scope.narrowed(**{table.by: key}), this.cells[key]) for key in keys]
    table.total = _row(table, "All", scope, this.cells.get(ALL, {}))


def _row(table: ReportTable, label: str, scope: Scope, cells: Mapping[str, Cell], at: date | None = None) -> ReportLine:
    empty = {
        column.slug: 0 if column.unit is Unit.COUNT and not _is_percentile(column) else None for column in table.columns
    }
    return ReportLine(label, scope, empty | {slug: cells[slug] for slug in empty if slug in cells}, at)


def _is_percentile(column: Column) -> bool:
    return column.slug.endswith(("_median", "_p90"))


def _names(model: type[Any], nobody: str) -> Callable[[Sequence[Key]], dict[Key, str]]:
    def names(keys: Sequence[Key]) -> dict[Key, str]:
        rows = model.objects.in_bulk([key for key in keys if key != NOBODY])
        return {key: nobody if key == NOBODY else str(rows.get(key, "")) for key in keys}

    return names


#: What the rows of a breakdown are called, by their keys; one query.
NAMES: dict[str, Callable[[Sequence[Key]], dict[Key, str]]] = {
    "company": _names(Company, "No company"),
    "centre": _names(SupportCentre, "No centre"),
    "owner": _names(User, "Nobody"),
    "severity": lambda keys: {key: Severity(key).label for key in keys},
}


def narrowed_to(scope: Scope, user: User) -> str:
    """Which cases a scope is about, in words; "" for all that the reader may see. A company they may not see is not
    named (A1).
    """
    words = []
    if scope.company is not None:
        company = Company.objects.visible_to(user).filter(pk=scope.company).first()
        words.append(str(company) if company else "a company that you may not see")
    if scope.centre is not None:
        words.append(NAMES["centre"]([scope.centre])[scope.centre] or "a centre that is not there any more")
    if scope.owner is not None:
        words.append(NAMES["owner"]([scope.owner])[scope.owner] or "somebody who is not there any more")
    if scope.severity:
        words.append(Severity(scope.severity).label)
    if scope.kind:
        words.append(SlaKind(scope.kind).label.lower())
    return ", ".join(words)
