"""Playing the past: every story takes its steps in the order of time, and the sweeps look as beat would have made them.

A story is a generator: it makes a move, yields how long it is until its next one, and so on; what lies beyond the
present has not happened. Between two moves whatever is due is carried out at the next full minute.
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

#: How often the sweeps look (S1).
TICK = timedelta(minutes=1)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

#: How long until the story goes on.
Story = Iterator[timedelta]


class Scene(Protocol):
    """A story and the moment it has reached."""

    at: datetime
    story: Story


def play(scenes: Iterable[Scene], now: datetime) -> None:
    """Play every story, and the sweeps between their steps, up to `now`."""
    order = count()
    ahead = [(scene.at, next(order), scene) for scene in scenes]
    heapq.heapify(ahead)
    looked_at = LONG_AGO
    while ahead and ahead[0][0] <= now:
        at, _, scene = heapq.heappop(ahead)
        looked_at = _look_until(at, looked_at)
        scene.at = at
        pause = next(scene.story, None)
        if pause is not None:
            heapq.heappush(ahead, (at + max(pause, TICK), next(order), scene))
    _look_until(now, looked_at)
    _sweep(now)


def _look_until(end: datetime, looked_at: datetime) -> datetime:
    """Sweep at each full minute before `end` at which something is due; returns when that was last."""
    while (due := Due.read()).first is not None:
        tick = max(_full_minute(due.first), looked_at + TICK)
        if tick >= end:
            break
        # A sweep that would find nothing is left out, to be quick.
        acted_on = escalate(tick).acted_on if due.reached(due.escalation_check_at, tick) else 0
        acted_on += follow_up(tick).acted_on if due.reached(due.follow_up_check_at, tick) else 0
        acted_on += keep_promises(tick).acted_on if due.reached(due.sla_check_at, tick) else 0
        if acted_on or due.reached(due.send_at, tick):
            _deliver(tick)
        looked_at = tick
    return looked_at


def _sweep(at: datetime) -> None:
    escalate(at)
    follow_up(at)
    keep_promises(at)
    _deliver(at)


def _deliver(at: datetime) -> None:
    """The past's mail is kept, whatever server the settings name."""
    deliver(lambda: at, keep=True)


class Due(NamedTuple):
    """When each of the sweeps has something to do next, if ever."""

    escalation_check_at: datetime | None
    follow_up_check_at: datetime | None
    sla_check_at: datetime | None
    send_at: datetime | None

    @classmethod
    def read(cls) -> Due:
        """As the database has it now."""
        cases = Case.objects.aggregate(
            look=Min("escalation_check_at"), follow_up=Min("follow_up_check_at"), promise=Min("sla_check_at")
        )
        mail = Mail.objects.filter(status=MailStatus.QUEUED).aggregate(first=Min("send_at"))
        return cls(cases["look"], cases["follow_up"], cases["promise"], mail["first"])

    @property
    def first(self) -> datetime | None:
        """The earliest of them."""
        return min((moment for moment in self if moment is not None), default=None)

    @staticmethod
    def reached(moment: datetime | None, tick: datetime) -> bool:
        """Whether there is something to do at the tick."""
        return moment is not None and moment <= tick


def _full_minute(moment: datetime) -> datetime:
    """The moment itself when it is a full minute, else the next one."""
    full = moment.replace(second=0, microsecond=0)
    return full if full == moment else full + TICK
