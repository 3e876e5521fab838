"""What an outage did to promises: those that came due while the engine stood still (S3, T4)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from django.db.models import Count
from django.db.models.functions import Coalesce

from cases.engine.recovery import Late, LateOutcome, LateWork, late_work
from escalations.enums import SlaOutcome
from escalations.models import SlaTarget


@late_work("promises")
def late_promises(began_at: datetime, ended_at: datetime, at_most: int) -> Late:
    """The promises of the ledger that were missed in between; two queries."""
    missed = SlaTarget.objects.filter(due_at__gt=began_at, due_at__lte=ended_at, outcome=SlaOutcome.BREACHED)
    counts: Counter[LateOutcome] = Counter()
    for row in missed.order_by().values("outcome").annotate(number=Count("pk")):
        counts[LateOutcome.LATE] += row["number"]
    rows = missed.select_related("case").annotate(done_at=Coalesce("ended_at", "due_at")).order_by("due_at", "pk")
    works = [
        LateWork(
            row.case_id,
            row.case.title,
            f"{row.get_kind_display()} to {row.get_member_display()}",
            row.due_at,
            row.done_at,
            LateOutcome.LATE,
        )
        for row in rows[:at_most]
    ]
    return Late(works, counts)
