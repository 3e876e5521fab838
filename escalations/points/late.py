"""What an outage did to the schedule: the points that came due while the engine stood still (S3, E5)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from django.db.models import Count

from cases.engine.recovery import Late, LateOutcome, LateWork, late_work
from escalations.models import Escalation


@late_work("escalate")
def late_points(began_at: datetime, ended_at: datetime, at_most: int) -> Late:
    """The points of the ledger that came due in between; two queries."""
    due = Escalation.objects.filter(due_at__gt=began_at, due_at__lte=ended_at)
    counts: Counter[LateOutcome] = Counter()
    for carried_out, number in due.order_by().values_list("carried_out").annotate(Count("pk")):
        counts[_outcome(carried_out)] += number
    rows = due.select_related("case").order_by("due_at", "pk")[:at_most]
    works = [
        LateWork(
            row.case_id,
            row.case.title,
            f"{row.get_severity_display()} {row.number}",
            row.due_at,
            row.done_at,
            _outcome(row.carried_out),
        )
        for row in rows
    ]
    return Late(works, counts)


def _outcome(carried_out: bool) -> LateOutcome:
    return LateOutcome.LATE if carried_out else LateOutcome.RECORDED
