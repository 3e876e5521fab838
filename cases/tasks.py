"""The Celery tasks of `cases`, started by beat: short runs that work what is due (S1)."""

from __future__ import annotations

import logging
import time

from celery import shared_task
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from cases.engine.heartbeat import ping
from cases.engine.outages import run_watched
from cases.engine.stopping import delivering, is_stopping
from cases.engine.sweep import record_run
from cases.engine.watch import engine_state
from cases.followup.apply import SWEEP
from cases.mail.outbox import deliver as deliver_due
from contacts.sign_ins import forget_old_tries

log = logging.getLogger(__name__)


@shared_task(name="cases.tasks.follow_up")
def follow_up() -> None:
    """Follow up on cases that wait for their customer (F2)."""
    swept = run_watched(SWEEP, timezone.now)
    if swept.looked_at:
        log.info("followed up %s cases, %s set aside", swept.acted_on, len(swept.set_aside))


@shared_task(name="cases.tasks.deliver")
def deliver() -> None:
    """Send the mail that is due (M1, M2)."""
    now, began = timezone.now(), time.monotonic()
    with delivering():
        delivery = deliver_due(timezone.now, stopping=is_stopping)
    record_run("deliver", now, time.monotonic() - began, delivery.sent)
    if delivery.sent or delivery.failed or delivery.put_off or delivery.dropped:
        log.info("mail: %s", delivery)


@shared_task(name="cases.tasks.heartbeat")
def heartbeat() -> None:
    """Ping the outside watcher while all is well; it raises the alarm when the pings stop (S3)."""
    if not settings.HEARTBEAT_URL:
        return
    troubles = engine_state(timezone.now()).troubles()
    if troubles:
        log.warning("no heartbeat: %s", " ".join(troubles))
    else:
        ping(settings.HEARTBEAT_URL)


@shared_task(name="cases.tasks.tidy")
def tidy() -> None:
    """Delete sessions that have ended, and failed sign-ins of long ago."""
    call_command("clearsessions")
    forget_old_tries()
