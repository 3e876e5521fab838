"""Plays the past: the steps of all stories in order of time, and between them the sweeps, as beat would have run them.

A story is a generator: it makes a move, yields the time until its next one, and so on; moves beyond the present are
left out. Whatever is due between two moves is carried out at the next full minute.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import NamedTuple, Protocol

from django.db.models import Min

from cases.enums import MailStatus
from cases.followup.apply import follow_up
from cases.mail.outbox import deliver
from cases.models import Case, Mail
from escalations.points.apply import escalate
from escalations.sla.apply import keep_promises

#: How often the sweeps run (S1).
TICK = timedelta(minutes=1)
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
    _sweep(now)


def _sweep_until(end: datetime, swept_at: datetime) -> datetime:
    """Sweep at each full minute before `end` at which something is due. Returns the last of them."""
    while (due := NextDue.read()).first is not None:
        tick = max(_full_minute(due.first), swept_at + TICK)
        if tick >= end:
            break
        # A sweep that would find nothing is left out, for speed.
        acted_on = escalate(tick).acted_on if due.reached(due.escalation_check_at, tick) else 0
        acted_on += follow_up(tick).acted_on if due.reached(due.follow_up_check_at, tick) else 0
        acted_on += keep_promises(tick).acted_on if due.reached(due.sla_check_at, tick) else 0
        if acted_on or due.reached(due.send_at, tick):
            _deliver(tick)
        swept_at = tick
    return swept_at


def _sweep(at: datetime) -> None:
    escalate(at)
    follow_up(at)
    keep_promises(at)
    _deliver(at)


def _deliver(at: datetime) -> None:
    """Mail of the past is kept, never sent to the server of the settings."""
    deliver(lambda: at, keep=True)


class NextDue(NamedTuple):
    """When each sweep, and the outbox, has something to do next; None for never."""

    escalation_check_at: datetime | None
    follow_up_check_at: datetime | None
    sla_check_at: datetime | None
    send_at: datetime | None

    @classmethod
    def read(cls) -> NextDue:
        cases = Case.objects.aggregate(
            look=Min("escalation_check_at"), follow_up=Min("follow_up_check_at"), promise=Min("sla_check_at")
        )
        mail = Mail.objects.filter(status=MailStatus.QUEUED).aggregate(first=Min("send_at"))
        return cls(cases["look"], cases["follow_up"], cases["promise"], mail["first"])

    @property
    def first(self) -> datetime | None:
        return min((moment for moment in self if moment is not None), default=None)

    @staticmethod
    def reached(moment: datetime | None, tick: datetime) -> bool:
        return moment is not None and moment <= tick


def _full_minute(moment: datetime) -> datetime:
    """The moment itself if it is a full minute, else the next full one."""
    full = moment.replace(second=0, microsecond=0)
    return full if full == moment else full + TICK
