"""How what was promised is called where a company is shown."""

from __future__ import annotations

from escalations.enums import SlaKind
from escalations.models import SlaTarget


def promise_name(row: SlaTarget) -> str:
    """“first response”, “status update”: of a row to the customer."""
    return "first response" if row.kind == SlaKind.RESPONSE else "status update"
