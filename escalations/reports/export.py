"""A report as a file, CSV or Excel: every row of it, numbers as numbers, names that customers chose defused (W4)."""

from __future__ import annotations

from typing import Any

import tablib

from cases.admin.resources import SafeCSV, SafeXLSX
from escalations.policy.figures import BREAKDOWNS, Column, Unit
from escalations.reports.state import Cell, ReportTable

#: By what an address calls them.
FORMATS = {"csv": SafeCSV, "xlsx": SafeXLSX}


def dataset_of(table: ReportTable) -> tablib.Dataset:
    """A line for each row and one for all; durations in seconds, shares of 1."""
    headers = [BREAKDOWNS[table.by].label, "From", "To", *map(_heading, table.columns)]
    rows = [*table.rows, *([table.total] if table.total else [])]
    lines = [
        (
            row.label,
            row.scope.period.first.isoformat(),
            row.scope.period.last.isoformat(),
            *(_cell(row.values[column.slug]) for column in table.columns),
        )
        for row in rows
    ]
    return tablib.Dataset(*lines, headers=headers, title=table.report.label)


def file_of(table: ReportTable, name: str) -> tuple[str, str, bytes]:
    """The name, content type and bytes of a file. Raises KeyError for a format that there is not."""
    made: Any = FORMATS[name]()
    content: Any = made.export_data(dataset_of(table))
    raw = content if isinstance(content, bytes) else str(content).encode()
    return f"{file_name(table)}.{name}", made.get_content_type(), raw


def file_name(table: ReportTable) -> str:
    """“promises-by-time-2026-06-01-to-2026-06-30”."""
    period = table.scope.period
    return f"{table.report.slug}-by-{table.by}-{period.first.isoformat()}-to-{period.last.isoformat()}"


def _heading(column: Column) -> str:
    unit = {Unit.SECONDS: " (seconds)", Unit.SHARE: " (share)"}.get(column.unit, "")
    return f"{column.name}{unit}"


def _cell(value: Cell) -> Any:
    if value is None:
        return ""
    return round(value, 4) if isinstance(value, float) else value
