"""What Celery beat asks of escalation: short ticks that only look (S1)."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone

from cases.engine.outages import run_watched
from escalations.points import apply as dispatch
from escalations.sla import apply as status_updates

log = logging.getLogger(__name__)


@shared_task(name="escalations.tasks.escalate")
def escalate() -> None:
    """Carry out the escalation points that are due (E1)."""
    swept = run_watched(dispatch.SWEEP, timezone.now)
    if swept.looked_at:
        log.info(
            "looked at %s cases, %s escalated, %s set aside", swept.looked_at, swept.acted_on, len(swept.set_aside)
        )


@shared_task(name="escalations.tasks.keep_promises")
def keep_promises() -> None:
    """Remind, update and write down what was promised (T1 to T4), and chase answers and decisions (E8, E9)."""
    swept = run_watched(status_updates.SWEEP, timezone.now)
    if swept.looked_at:
        log.info(
            "looked at the promises of %s cases, %s acted on, %s set aside",
            swept.looked_at,
            swept.acted_on,
            len(swept.set_aside),
        )
