"""What leaves the desk as a table: the cases somebody may read, as CSV, Excel or JSON (A1)."""

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
#: How a cell begins that a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
#: Characters that an Excel file cannot hold.
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def defused(cell: Any) -> Any:
    """A cell that no spreadsheet reads as a formula: customers write titles, and titles reach spreadsheets."""
    if not isinstance(cell, str):
        return cell
    text = _ILLEGAL.sub("", cell)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


class _DefusedFormat:
    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> Any:
        """The file's content, every cell defused."""
        rows = [[defused(cell) for cell in row] for row in dataset]
        return super().export_data(tablib.Dataset(*rows, headers=dataset.headers, title="Cases"), **kwargs)  # type: ignore[misc]


class SafeCSV(_DefusedFormat, CSV):
    """CSV without formulae."""


class SafeXLSX(_DefusedFormat, XLSX):
    """Excel without formulae."""


#: In the order in which they are offered.
FORMATS = [SafeCSV, SafeXLSX, JSON]


def _said(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if moment else ""


class CaseResource(resources.ModelResource):
    """A case as a row; every time in UTC."""

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
        """The owner's name."""
        return str(case.owner) if case.owner else ""

    def dehydrate_opened_at(self, case: Case) -> str:
        """When it was opened, UTC."""
        return _said(case.opened_at)

    def dehydrate_resolved_at(self, case: Case) -> str:
        """When it was resolved, UTC; empty while it is open."""
        return _said(case.resolved_at)
