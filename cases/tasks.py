"""What Celery beat asks for: short ticks that only look (S1)."""

from __future__ import annotations

import logging
import time

from celery import shared_task
from django.utils import timezone

from cases.follow_ups import follow_up as follow_up_move
from cases.mail.outbox import deliver as deliver_move
from cases.models import Pulse

log = logging.getLogger(__name__)


@shared_task(name="cases.tasks.follow_up")
def follow_up() -> None:
    """Follow up on cases that wait for their customer (F2)."""
    swept = follow_up_move(timezone.now())
    if swept.looked_at:
        log.info("followed up %s cases, %s set aside", swept.acted_on, len(swept.set_aside))


@shared_task(name="cases.tasks.deliver")
def deliver() -> None:
    """Send the mail that is due (M1, M2)."""
    began = time.monotonic()
    delivery = deliver_move(timezone.now)
    Pulse.objects.update_or_create(
        name="deliver",
        defaults={"last_at": timezone.now(), "took_seconds": time.monotonic() - began, "done": delivery.sent},
    )
    if delivery.sent or delivery.failed or delivery.put_off or delivery.dropped:
        log.info("mail: %s", delivery)
