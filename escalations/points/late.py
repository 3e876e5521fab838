"""What an outage did to the schedule: the points that came due while the engine stood still (S3, E5)."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from cases.engine.recovery import Late, LateOutcome, late_work, outcome_if, read_late
from escalations.models import Escalation


@late_work("escalate")
def late_points(began_at: datetime, ended_at: datetime, at_most: int) -> Late:
    """The points of the ledger that came due in between; two queries."""
    became = outcome_if(Q(carried_out=True), LateOutcome.LATE, LateOutcome.RECORDED)
    ledger = Escalation.objects.annotate(became=became)
    return read_late(ledger, lambda row: f"{row.get_severity_display()} {row.number}", began_at, ended_at, at_most)
