"""The Celery tasks of `cases`, started by beat: short runs that work what is due (S1)."""

from __future__ import annotations

import logging
import time

from celery import shared_task
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from cases.chat.apply import sweep_chats
from cases.engine.heartbeat import ping
from cases.engine.outages import run_watched
from cases.engine.stopping import delivering, is_stopping
from cases.engine.sweep import record_run
from cases.engine.watch import engine_state
from cases.files.store import remove_orphans
from cases.followup.apply import SWEEP
from cases.inbox.doors.fetching import fetch, forget_taken
from cases.inbox.triage import TriageRun, carry_out
from cases.loads import count_loads_if_worn
from cases.mail.outbox import deliver as deliver_due
from cases.queue.apply import sweep_queue
from cases.search.index import index_waiting
from contacts.sign_ins import forget_old_tries

log = logging.getLogger(__name__)

#: How long one run of `index_words` takes at most.
INDEX_SECONDS = 20


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


@shared_task(name="cases.tasks.receive")
def receive() -> None:
    """Fetch the mail that has come in, from every door that the settings name (M5)."""
    now, began = timezone.now(), time.monotonic()
    with delivering():
        new = fetch(timezone.now, stopping=is_stopping)
    record_run("receive", now, time.monotonic() - began, new)
    if new:
        log.info("received %s messages", new)


@shared_task(name="cases.tasks.decide_triage")
def decide_triage() -> None:
    """Carry out what people decided about mail in triage and did not undo (M5)."""
    now, began = timezone.now(), time.monotonic()
    carried_out = carry_out(now)
    record_run("triage", now, time.monotonic() - began, carried_out.done)
    if carried_out != TriageRun():
        log.info("triage: %s", carried_out)


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


@shared_task(name="cases.tasks.queue")
def queue() -> None:
    """Offer the calls and chats that wait, and time out what nobody took (Q2, Q3, P6)."""
    now, began = timezone.now(), time.monotonic()
    done = sweep_chats(now) + sweep_queue(now)
    record_run("queue", now, time.monotonic() - began, done)
    if done:
        log.info("queue: %s offers and callbacks", done)


@shared_task(name="cases.tasks.index_words")
def index_words() -> None:
    """Index cases that wait for it, for a third of a minute: after an upgrade, or when a company is renamed."""
    now, began = timezone.now(), time.monotonic()
    count = index_waiting(lambda: time.monotonic() > began + INDEX_SECONDS or is_stopping())
    record_run("index-words", now, time.monotonic() - began, count)
    if count:
        log.info("indexed the words of %s cases", count)


@shared_task(name="cases.tasks.count_loads")
def count_loads() -> None:
    """Put the entries of the tally of loads together when there are many (C6)."""
    entries = count_loads_if_worn()
    if entries:
        log.info("put %s entries of the tally of loads together", entries)


@shared_task(name="cases.tasks.tidy")
def tidy() -> None:
    """Delete sessions that have ended, failed sign-ins of long ago, files that belong to no case, and what the Maildir
    keeps of mail that the desk has.
    """
    call_command("clearsessions")
    forget_old_tries()
    remove_orphans(timezone.now())
    forget_taken(timezone.now())
