"""A walk through the queue that knows the rules of section 10 by itself: it does something, then looks at every row.

It asks nothing of `cases.policy.queue`: who is free, who came first and who may speak with whom is worked out here from
the rows, in the plainest way.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cases.enums import CallEventKind, QueueState
from cases.guards import Refused
from cases.models import QueueEntry
from cases.queue.apply import called_in_vain, pass_on, say_over, sweep_queue, take
from cases.queue.events import ToldEvent, take_event
from contacts.models import Technician, User

SECOND = timedelta(seconds=1)
WRAP_UP = 120 * SECOND


@dataclass
class QueueWalk:
    """Ten technicians, some calls, one clock. `numbers` are what callers dial from, by call."""

    now: datetime
    numbers: dict[str, str]
    told: set[str] = field(default_factory=set)
    seen: dict[int, tuple[str, int | None]] = field(default_factory=dict)
    #: With whom each caller spoke first.
    spoke_with: dict[int, int] = field(default_factory=dict)

    def tell(self, call: str, kind: CallEventKind, leg: str = "") -> None:
        self.told.add(call)
        take_event(ToldEvent("pbx", call, kind, leg, self.numbers[call]), self.now)
        self.look()

    def tick(self, seconds: float) -> None:
        self.now += seconds * SECOND
        sweep_queue(self.now)
        self.look()

    def act(self, user: User, what: str) -> None:
        """What somebody does with whatever they have on their screen."""
        mine = QueueEntry.objects.filter(technician=user, state__in=("offered", "talking")).first()
        if mine is None:
            return
        moves = {"take": take, "pass": pass_on, "over": say_over, "vain": called_in_vain}
        with suppress(Refused):
            moves[what](mine.pk, user, self.now)
        self.look()

    def look(self) -> None:
        """Everything that has to hold at every moment."""
        rows = list(QueueEntry.objects.order_by("in_line_since", "pk"))
        with_them = [row.technician_id for row in rows if row.state in ("offered", "talking") and row.technician_id]
        assert len(set(with_them)) == len(with_them), "somebody has two"
        assert {row.call_id for row in rows} == self.told, "a call is lost, or there twice"
        self._first_come_first_served(rows)
        for row in rows:
            if row.state == "talking" and row.technician_id:
                before, last = self.seen.get(row.pk, ("", None))
                was_theirs = self.spoke_with.setdefault(row.pk, row.technician_id) == row.technician_id
                assert was_theirs or before != "talking" or last is None, "two have one call"
                self.spoke_with[row.pk] = row.technician_id
        self.seen = {row.pk: (row.state, row.technician_id) for row in rows}

    def _first_come_first_served(self, rows: list[QueueEntry]) -> None:
        for row in rows:
            if row.state != "offered" or self.seen.get(row.pk, ("", None)) == ("offered", row.technician_id):
                continue
            for other in rows:
                ahead = (other.in_line_since, other.pk) < (row.in_line_since, row.pk)
                ready = other.not_before is None or other.not_before <= self.now
                same_line = other.state == "waiting" and other.language == row.language
                assert not (ahead and ready and same_line), "overtaken"

    def nobody_waits_while_somebody_is_free(self) -> None:
        """To be asked after a sweep. A technician is free who is on duty and has not spoken in the last two minutes."""
        rows = list(QueueEntry.objects.all())
        busy = {row.technician_id for row in rows if row.state in ("offered", "talking")}
        spoken = [row for row in rows if row.taken_at and row.ended_at]
        wraps = {row.technician_id for row in spoken if self.now < row.ended_at + WRAP_UP}
        free = set(Technician.objects.filter(on_duty=True).values_list("user_id", flat=True)) - busy - wraps
        waits = [row for row in rows if row.state == "waiting" and (not row.not_before or row.not_before <= self.now)]
        assert not (free and waits), "somebody waits while somebody is free"

    def wind_down(self) -> None:
        """Everybody hangs up, and the technicians work on what is left until nothing is."""
        for call in sorted(self.told):
            self.tell(call, CallEventKind.ENDED)
        users = list(User.objects.filter(technician__on_duty=True))
        for _ in range(60):
            if not QueueEntry.objects.exclude(state=QueueState.ENDED).exists():
                return
            self.tick(60)
            for user in users:
                self.act(user, "take")
                self.act(user, "over")
        raise AssertionError("the queue never empties")
