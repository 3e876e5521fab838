"""What an outage did to promises: those that came due while the engine stood still (S3, T4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q
from django.db.models.functions import Coalesce

from cases.engine.recovery import Late, LateOutcome, late_work, outcome_if, read_late
from escalations.enums import SlaOutcome
from escalations.models import SlaTarget


@late_work("promises")
def late_promises(began_at: datetime, ended_at: datetime, at_most: int) -> Late:
    """The promises of the ledger that were missed in between; two queries."""
    missed = SlaTarget.objects.filter(outcome=SlaOutcome.BREACHED)
    late = outcome_if(Q(outcome=SlaOutcome.BREACHED), LateOutcome.LATE, LateOutcome.LATE)
    ledger = missed.annotate(done_at=Coalesce("ended_at", "due_at"), became=late)
    return read_late(ledger, _what, began_at, ended_at, at_most)


def _what(row: Any) -> str:
    return f"{row.get_kind_display()} to {row.get_member_display()}"
