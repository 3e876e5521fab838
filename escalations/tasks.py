"""What Celery beat asks of escalation: a short tick that only looks (S1)."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone

from cases.outages import run_watched
from escalations.dispatch import SWEEP

log = logging.getLogger(__name__)


@shared_task(name="escalations.tasks.escalate")
def escalate() -> None:
    """Carry out the escalation points that are due (E1)."""
    swept = run_watched(SWEEP, timezone.now)
    if swept.looked_at:
        log.info(
            "looked at %s cases, %s escalated, %s set aside", swept.looked_at, swept.acted_on, len(swept.set_aside)
        )
