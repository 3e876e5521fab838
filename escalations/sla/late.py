"""What an outage did to promises: those that came due while the engine stood still (S3, T4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import F, Q

from cases.engine.recovery import Late, LateOutcome, late_work, outcome_if, read_late
from escalations.enums import SlaOutcome
from escalations.models import SlaTarget


@late_work("promises")
def late_promises(began_at: datetime, ended_at: datetime, at_most: int) -> Late:
    """The promises of the ledger that were missed in between, those that are still owed among them; two queries."""
    missed = SlaTarget.objects.filter(outcome=SlaOutcome.BREACHED)
    became = outcome_if(Q(ended_at=None), LateOutcome.OPEN, LateOutcome.LATE)
    ledger = missed.annotate(done_at=F("ended_at"), became=became)
    return read_late(ledger, _what, began_at, ended_at, at_most)


def _what(row: Any) -> str:
    return f"{row.get_kind_display()} to {row.get_member_display()}"
