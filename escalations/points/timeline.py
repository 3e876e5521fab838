"""When escalation points were due that the desk carried out late, for the history of a case (E5)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from cases.due_lines import due_source
from cases.enums import Move
from cases.models import Case
from escalations.models import Escalation


@due_source(Move.ESCALATED)
def points_due(case: Case, moments: Collection[datetime]) -> Iterator[tuple[datetime, str, datetime]]:
    """The points of the ledger that were done at these moments; one query."""
    for row in Escalation.objects.filter(case=case, done_at__in=moments).order_by("due_at", "number"):
        yield row.done_at, f"{row.get_severity_display()} {row.number}", row.due_at
