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
#: Characters that an Excel file cannot hold.
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def defused(cell: Any) -> Any:
    """The cell as no spreadsheet takes for a formula: customers write titles, and titles reach spreadsheets."""
    if not isinstance(cell, str):
        return cell
    text = _ILLEGAL.sub("", cell)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


class _DefusedFormat:
    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> Any:
        rows = [[defused(cell) for cell in row] for row in dataset]
        return super().export_data(tablib.Dataset(*rows, headers=dataset.headers, title="Cases"), **kwargs)  # type: ignore[misc]


class SafeCSV(_DefusedFormat, CSV):
    pass


class SafeXLSX(_DefusedFormat, XLSX):
    pass


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
