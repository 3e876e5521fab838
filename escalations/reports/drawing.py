"""The charts of a table: which of its values are drawn how, and where each bar leads (W4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from contacts.wording import and_list
from escalations.policy import charts
from escalations.policy.charts import ChartPoint, Series
from escalations.policy.figures import BREAKDOWNS, Chart, Column, DrawnAs, Unit, written
from escalations.policy.reporting import Scope, grain_of, short_label
from escalations.reports.state import ReportLine, ReportTable

#: So many rows of companies, people or centres are drawn; the table below has all that the page shows.
MOST_DRAWN = 12
#: Where a value leads.
Link = Callable[[str, Scope], str]


def scope_of(column: Column, row: ReportLine) -> Scope:
    """The cases that a cell is about."""
    return row.scope.narrowed(point=column.point, age=column.age)


def drawings_of(table: ReportTable, link: Link) -> list[charts.Drawing]:
    """The charts of a report, without those that would show nothing."""
    drawn = [_drawn(table, chart, link) for chart in table.report.charts]
    return [drawing for drawing in drawn if drawing is not None]


def _drawn(table: ReportTable, chart: Chart, link: Link) -> charts.Drawing | None:
    wanted = chart.columns or [column.slug for column in table.columns if column.point]
    columns = [column for column in table.columns if column.slug in wanted]
    over_time = table.by == "time"
    rows = table.rows if over_time else table.rows[:MOST_DRAWN]
    values = [row.values[column.slug] for row in rows for column in columns]
    if not any(values):
        return None
    spread = chart.drawing is DrawnAs.SPREAD
    series = [_series(column, rows, link) for column in columns]
    if spread and not over_time:  # the 90th percentile begins where the median ends
        series[1] = Series(
            series[1].label, series[1].tone, [_beyond(*pair) for pair in zip(*_points(series), strict=True)]
        )
    grain, unit = grain_of(table.scope.period), columns[0].unit
    labels = [short_label(row.scope.period, grain) if over_time else row.label for row in rows]
    by = BREAKDOWNS[table.by].label.lower()
    says = f"{and_list(column.label for column in columns)}, by {by}. The table below has the figures."
    sums = [_sum(row, columns) for row in rows]
    highest = max(_heights(rows, columns, added=not spread))
    top = charts.nice_top(highest, unit is Unit.SECONDS)
    if not over_time:
        return charts.lying(chart.title, says, labels, series, highest, sums)
    scale = ["", written(top / 2, unit), written(top, unit)]
    draw = charts.lines if spread else charts.stacked
    return draw(chart.title, says, labels, series, top, scale)


def _points(series: Sequence[Series]) -> list[Sequence[ChartPoint]]:
    return [one.points for one in series]


def _heights(rows: Sequence[ReportLine], columns: Sequence[Column], added: bool) -> list[float]:
    values = [[row.values[column.slug] or 0 for column in columns] for row in rows]
    return [sum(each) if added else max(each) for each in values]


def _series(column: Column, rows: Sequence[ReportLine], link: Link) -> Series:
    points = [_point(column, row, link) for row in rows]
    return Series(column.label, column.tone, points)


def _point(column: Column, row: ReportLine, link: Link) -> ChartPoint:
    value = row.values[column.slug]
    title = f"{row.label}, {column.name}: {written(value, column.unit)}"
    return ChartPoint(value, title, link(column.figure, scope_of(column, row)) if value is not None else "")


def _beyond(median: ChartPoint, p90: ChartPoint) -> ChartPoint:
    if median.value is None or p90.value is None:
        return p90
    return ChartPoint(p90.value - median.value, p90.title, p90.link)


def _sum(row: ReportLine, columns: Sequence[Column]) -> str:
    """What a row comes to, beside its name."""
    values = [row.values[column.slug] for column in columns]
    if columns[0].unit is Unit.COUNT:
        return written(sum(value or 0 for value in values), Unit.COUNT)
    return " / ".join(written(value, column.unit) for value, column in zip(values, columns, strict=True))
