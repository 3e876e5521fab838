"""Rows of an incident log of another system."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

ROW = {
    "number": "INC1",
    "incident_state": "New",
    "caller_id": "Caller 1",
    "opened_at": "29/2/2016 01:16",
    "sys_updated_at": "29/2/2016 01:23",
    "contact_type": "Phone",
    "location": "Location 1",
    "category": "Category 55",
    "subcategory": "Subcategory 170",
    "u_symptom": "Symptom 72",
    "priority": "3 - Moderate",
    "assigned_to": "?",
}
HEADER = list(ROW)


def lines_of(*rows: dict[str, str], header: list[str] | None = None) -> list[str]:
    """The lines of a log with these rows; what a row does not say is as in ROW."""
    text = io.StringIO()
    writer = csv.DictWriter(text, header or HEADER, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(ROW | row for row in rows)
    return text.getvalue().splitlines(keepends=True)


def at(time: str, state: str = "Active", **more: str) -> dict[str, str]:
    """A row of 1 March 2016, or of another day when `time` names one."""
    return {"sys_updated_at": time if "/" in time else f"1/3/2016 {time}", "incident_state": state, **more}


def march(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2016, 3, day, hour, minute, tzinfo=UTC)
