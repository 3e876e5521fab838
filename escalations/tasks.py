"""What Celery beat asks of escalation: short ticks that only look (S1)."""

from __future__ import annotations

import logging
import time

from celery import shared_task
from django.utils import timezone

from cases.engine.outages import run_watched
from cases.engine.sweep import record_run
from escalations.daily_digest.apply import send_daily_digests
from escalations.handover.apply import sweep_handovers
from escalations.points import apply as dispatch
from escalations.reports.apply import mail_reports as mail_due_reports
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


@shared_task(name="escalations.tasks.hand_over")
def hand_over() -> None:
    """Write the hand-over sheets of the days that end, and hand them over (W3)."""
    now, began = timezone.now(), time.monotonic()
    done = sweep_handovers(now)
    record_run("hand-over", now, time.monotonic() - began, done)
    if done:
        log.info("worked %s hand-over sheets", done)


@shared_task(name="escalations.tasks.daily_digest")
def daily_digest() -> None:
    """Write the daily digests of those whose morning has come (W4)."""
    now, began = timezone.now(), time.monotonic()
    written = send_daily_digests(now)
    record_run("daily-digest", now, time.monotonic() - began, written)
    if written:
        log.info("daily digest: %s mails", written)


@shared_task(name="escalations.tasks.mail_reports")
def mail_reports() -> None:
    """Write the reports that somebody wants by mail and whose Monday morning has come (W4)."""
    now, began = timezone.now(), time.monotonic()
    written = mail_due_reports(now)
    record_run("reports", now, time.monotonic() - began, written)
    if written:
        log.info("wrote %s reports", written)
