"""Outages (S3): note that a sweep did not run for too long, and report once what came due meanwhile.

Only a sweep that is started by the clock, through `run_watched`, can be late; the demo and the tests run sweeps at any
moment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from cases.engine.recovery import LateOutcome, Report, report_on, reported_sweeps
from cases.engine.sweep import Sweep, Swept, run
from cases.mail.letters import post, to_each
from cases.models import Outage, SweepRun
from contacts.directory import Directory
from contacts.enums import Role

Clock = Callable[[], datetime]

#: How long a sweep that has caught up waits for the others, so that one mail reports on all.
WAIT_FOR_THE_OTHERS = timedelta(minutes=5)
#: How much late work the mail lists; the page lists more.
LISTED_IN_MAIL = 20
SEEN_TO = "Nothing more by itself: what came due has been seen to, once, with the time at which it was due."
STILL_OWED = "What is not done yet stays owed until somebody does it; the rest has been seen to, once."


def run_watched(sweep: Sweep, clock: Clock) -> Swept:
    """Run a sweep, and note and report the outage that came before it, if there was one."""
    now = clock()
    note_outage(sweep.name, now)
    swept = run(sweep, now)
    note_caught_up(sweep, clock())
    report_outages(clock())
    return swept


def note_outage(name: str, now: datetime) -> None:
    """Record an outage that ended at `now`, if the last run is too long ago; once, however many workers start (S3)."""
    run_before = SweepRun.objects.filter(name=name).first()
    if run_before is None or now - run_before.alive_at <= _allowed():
        return
    began_at = run_before.last_at
    restarted = Outage.objects.filter(sweep=name, caught_up_at=None).order_by("-ended_at").first()
    if restarted is not None and restarted.ended_at > began_at:  # the sweep came back but did not finish
        began_at = restarted.ended_at
    if now - began_at > _allowed():
        row = Outage(sweep=name, began_at=began_at, ended_at=now)
        Outage.objects.bulk_create([row], ignore_conflicts=True)


def note_caught_up(sweep: Sweep, now: datetime) -> None:
    """Record that nothing is left of what came due in an outage; another worker may still hold some of it."""
    for outage in Outage.objects.filter(sweep=sweep.name, told_at=None, caught_up_at=None):
        if not sweep.due(outage.ended_at).exists():
            Outage.objects.filter(pk=outage.pk, caught_up_at=None).update(caught_up_at=now)


def report_outages(now: datetime) -> None:
    """Mail the Support Manager one report on all outages that have been caught up with, once (D5, S3)."""
    if not Outage.objects.filter(told_at=None).exists():
        return
    with transaction.atomic():
        # Another worker waits here, and then finds nothing left to report.
        unreported = list(Outage.objects.select_for_update().filter(told_at=None).order_by("pk"))
        ready = [outage for outage in unreported if outage.caught_up_at is not None]
        if not ready or not ((len(ready) == len(unreported) and _all_run_again(now)) or _waited_long(ready, now)):
            return
        Outage.objects.filter(pk__in=[outage.pk for outage in ready]).update(told_at=now)
        _post_report(ready, now)


def _allowed() -> timedelta:
    return timedelta(seconds=settings.DESK_BEAT_LATE_AFTER_SECONDS)


def _all_run_again(now: datetime) -> bool:
    runs = SweepRun.objects.filter(name__in=reported_sweeps())
    return all(now - sweep_run.alive_at <= _allowed() for sweep_run in runs)


def _waited_long(ready: Sequence[Outage], now: datetime) -> bool:
    return any(now - outage.caught_up_at >= WAIT_FOR_THE_OTHERS for outage in ready if outage.caught_up_at)


def _post_report(outages: Sequence[Outage], now: datetime) -> None:
    report = report_on(outages)
    readers = Directory().for_role(Role.SUPPORT_MANAGER, None)
    key = f"recovery:{outages[0].pk}"
    post(to_each(readers, key, "recovery_report", _facts(report), None), now)


def _facts(report: Report) -> dict[str, Any]:
    works = report.works[:LISTED_IN_MAIL]
    return {
        "why": "you look after the desk, and it stood still",
        "expected": "See whether a customer or a manager has to be spoken to, and what made the engine stop.",
        "next": STILL_OWED if report.counts[LateOutcome.OPEN] else SEEN_TO,
        "began_at": report.began_at.isoformat(),
        "ended_at": report.ended_at.isoformat(),
        "length": report.length,
        "sentence": report.sentence,
        "works": [
            {
                "number": work.number,
                "title": work.title,
                "what": work.what,
                "due_at": work.due_at.isoformat(),
                "done_at": work.done_at.isoformat() if work.done_at else "",
                "late_by": work.late_by,
                "outcome": work.outcome.label,
            }
            for work in works
        ],
        "left_out": report.counts.total() - len(works),
        "url": settings.SITE_URL + reverse("admin:cases_outage_change", args=[report.outages[0].pk]),
    }
