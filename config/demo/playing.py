"""Plays the past: the steps of all stories in order of time, and between them the sweeps, as beat would have run them.

A story is a generator: it makes a move, yields the time until its next one, and so on; moves beyond the present are
left out. Whatever is due between two moves is carried out at the next full minute.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Protocol

from django.db.models import Min

from cases.enums import MailStatus
from cases.followup.apply import follow_up
from cases.mail.outbox import deliver
from cases.models import Case, Mail
from escalations.points.apply import escalate
from escalations.sla.apply import keep_promises

#: How often the sweeps run (S1).
TICK = timedelta(minutes=1)
#: The sweeps in the order in which they run (S1), by their check columns.
SWEEPS = {"escalation_check_at": escalate, "follow_up_check_at": follow_up, "sla_check_at": keep_promises}
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

#: Yields the time until its next step.
Story = Iterator[timedelta]


class Playable(Protocol):
    """A story and the moment it has reached (UTC)."""

    at: datetime
    story: Story


def play(scenes: Iterable[Playable], now: datetime) -> None:
    """Play all stories, and the sweeps between their steps, up to `now`."""
    order = count()
    ahead = [(scene.at, next(order), scene) for scene in scenes]
    heapq.heapify(ahead)
    swept_at = LONG_AGO
    while ahead and ahead[0][0] <= now:
        at, _, scene = heapq.heappop(ahead)
        swept_at = _sweep_until(at, swept_at)
        scene.at = at
        pause = next(scene.story, None)
        if pause is not None:
            heapq.heappush(ahead, (at + max(pause, TICK), next(order), scene))
    _sweep_until(now, swept_at)
    sweep_once(now)


def _sweep_until(end: datetime, swept_at: datetime) -> datetime:
    """Sweep at each full minute before `end` at which something is due. Returns the last of them."""
    while due := _next_due():
        tick = max(_full_minute(min(due.values())), swept_at + TICK)
        if tick >= end:
            break
        # A sweep that would find nothing is left out, for speed.
        reached = [column for column, moment in due.items() if moment <= tick]
        acted_on = sum(sweep(tick).acted_on for column, sweep in SWEEPS.items() if column in reached)
        if acted_on or "send_at" in reached:
            keep_mail(tick)
        swept_at = tick
    return swept_at


def _next_due() -> dict[str, datetime]:
    """When each sweep, by its check column, and the outbox have something to do next."""
    cases = Case.objects.aggregate(**{column: Min(column) for column in SWEEPS})
    mail = Mail.objects.filter(status=MailStatus.QUEUED).aggregate(send_at=Min("send_at"))
    return {column: moment for column, moment in (cases | mail).items() if moment is not None}


def sweep_once(at: datetime) -> None:
    """Run each sweep once, and keep the mail that is due."""
    for sweep in SWEEPS.values():
        sweep(at)
    keep_mail(at)


def keep_mail(at: datetime) -> None:
    """Mail of the past that is due is kept, never sent to the server of the settings."""
    deliver(lambda: at, keep=True)


def _full_minute(moment: datetime) -> datetime:
    """The moment itself if it is a full minute, else the next full one."""
    full = moment.replace(second=0, microsecond=0)
    return full if full == moment else full + TICK
