"""The export of cases as CSV, Excel or JSON."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import tablib
from import_export import fields, resources
from import_export.formats.base_formats import CSV, JSON, XLSX

from cases.models import Case
from cases.policy.intake import Topic, details_on

EXPORTED_DETAILS = [
    detail.name
    for detail in (*details_on(Topic.ISSUE, Topic.OUTCOME), *details_on(Topic.PLACE, Topic.EXTENT))
    if detail.is_exported
]
#: A cell that begins so is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
#: Characters that an Excel file, or UTF-8, cannot hold.
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
#: What a cell of Excel holds, in the units of UTF-16; the library would cut the rest off without a word.
LONGEST_CELL = 32_767
#: Of every column of a workbook, in characters.
COLUMN_WIDTH = 24


def defused(cell: Any) -> Any:
    """The cell as no spreadsheet takes for a formula: customers write titles, and titles reach spreadsheets."""
    if not isinstance(cell, str):
        return cell
    text = _ILLEGAL.sub("", cell)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def fitting(cell: Any) -> Any:
    """The cell as Excel holds it; a text that is too long says that it was cut off, and where all of it is."""
    if not isinstance(cell, str) or _units(cell) <= LONGEST_CELL:
        return cell
    note = (
        f"… [cut off: a cell of Excel holds {LONGEST_CELL:,} characters and this text has {len(cell):,}; "
        "the CSV has it all]"
    )
    start = cell.encode("utf-16-le")[: 2 * (LONGEST_CELL - len(note))]
    return start.decode("utf-16-le", errors="ignore") + note


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


class _DefusedFormat:
    def cell(self, cell: Any) -> Any:
        """A cell as this format holds it."""
        return defused(cell)

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> Any:
        rows = [[self.cell(cell) for cell in row] for row in dataset]
        safe = tablib.Dataset(*rows, headers=dataset.headers, title=dataset.title or "Cases")
        return super().export_data(safe, **kwargs)  # type: ignore[misc]


class SafeCSV(_DefusedFormat, CSV):
    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> str:
        """With the mark of UTF-8, without which spreadsheet programs take it for something else."""
        return f"\ufeff{super().export_data(dataset, **kwargs)}"


class SafeXLSX(_DefusedFormat, XLSX):
    def cell(self, cell: Any) -> Any:
        return fitting(defused(cell))

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> Any:
        """With columns that can be read side by side; Excel knows none as wide as a long text is."""
        return super().export_data(dataset, column_width=COLUMN_WIDTH, **kwargs)


#: In the order in which they are offered.
FORMATS = [SafeCSV, SafeXLSX, JSON]


def _utc(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if moment else ""


class CaseResource(resources.ModelResource):
    """A case as a row; all times in UTC."""

    number = fields.Field("number", "number")
    company = fields.Field("company__name", "company")
    contact = fields.Field("contact__name", "contact")
    severity = fields.Field("get_severity_display", "severity")
    status = fields.Field("get_status_display", "status")
    owner = fields.Field(column_name="owner")
    resolution = fields.Field("get_resolution_display", "resolution")
    opened_at = fields.Field(column_name="opened_at_utc")
    resolved_at = fields.Field(column_name="resolved_at_utc")

    class Meta:
        model = Case
        fields = (
            "number",
            "external_reference",
            "title",
            "company",
            "contact",
            "severity",
            "status",
            "owner",
            "opened_at",
            "resolved_at",
            "resolution",
            *EXPORTED_DETAILS,
        )
        export_order = fields

    def dehydrate_owner(self, case: Case) -> str:
        return str(case.owner) if case.owner else ""

    def dehydrate_opened_at(self, case: Case) -> str:
        return _utc(case.opened_at)

    def dehydrate_resolved_at(self, case: Case) -> str:
        return _utc(case.resolved_at)
