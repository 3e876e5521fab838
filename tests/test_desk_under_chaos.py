"""The whole desk while everything around it fails: nothing is lost, nothing doubled, no promise missed (E6, M2, T3).

Workers and beats are killed, the database is restarted, the broker emptied, and the mail server fails in six ways,
while people log notes and work cases. The clock runs `SPEED` times as fast as the machine's own.

No promise is missed but by an outage longer than the lead (T3), the five minutes before a deadline in which the desk
writes by itself. An outage is a time in which database or mail server or everybody at work was away. In a run of a
minute or more the mail server is away for longer than the lead, once. DESK_CHAOS_SECONDS says how long it all goes on,
DESK_CHAOS_SPEED how fast the clock runs.
"""

from __future__ import annotations

import logging
import os
import random
import sys
import time
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from django.db import connection

from cases.enums import Channel, MailStatus, Severity, WaitReason
from cases.followup.apply import follow_up
from cases.mail.outbox import deliver
from cases.mail.reasons import TOO_LATE
from cases.models import Case, FailedCase, Interaction, Mail
from cases.workflow import transitions
from escalations.enums import SlaKind, SlaOutcome
from escalations.models import Escalation, SlaTarget
from escalations.points.apply import escalate
from escalations.sla.apply import keep_promises
from tests.support.builders import NOON, Desk
from tests.support.chaos import SEED, Crew, crew
from tests.support.moody_server import MOODS, WELL, MoodyServer, moody_server
from tests.support.own_postgres import restart
from tests.support.processes import await_true

pytestmark = [
    pytest.mark.slow,
    pytest.mark.postgres,
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel to end orphans"),
]

SECONDS = int(os.environ.get("DESK_CHAOS_SECONDS", "14"))
#: A restart of the database takes seconds, on a busy machine many: there the clock has to run slower.
SPEED = int(os.environ.get("DESK_CHAOS_SPEED", "30" if SECONDS < 60 else "15"))
SPAN = timedelta(seconds=SECONDS * SPEED)
#: How long nothing fails at the end; longer where a killed process of a busy machine is not back by then.
CALM = timedelta(minutes=1)
HOUR = timedelta(hours=1)
LEAD = timedelta(minutes=5)
#: In seconds of the machine: how long the mail server fails, and is well in between; all shorter than the lead.
FAILS_FOR, WELL_FOR = ((1, 2), (0.5, 1.2)) if SECONDS < 60 else ((1, 5), (3, 9))
KILL_EVERY, FLUSH_EVERY = (0.2, 0.8), (2, 4)
RESTART_EVERY = (3, 5) if SECONDS < 60 else (25, 40)
#: The outage that is longer than the lead: when it begins, and how long it lasts.
LONG_OUTAGE_AFTER, LONG_OUTAGE = SECONDS * 0.6, LEAD.total_seconds() / SPEED * 1.2
#: Nobody at work for so long is an outage as well: the machine was busy with something else.
IDLE = timedelta(seconds=30)
#: The outbox looks so often: in less time between two outages no desk can do anything.
LOOKS_EVERY = timedelta(seconds=10)


def prepare(desk: Desk) -> int:
    """Cases whose points, updates and notices fall due throughout the span, so many of each kind."""
    count = max(8, SECONDS // 4)  # so few that also a busy machine sends the mail as fast as the clock runs
    for number in range(count):
        ahead = SPAN / count * (number + 0.5)
        for title, severity, since in (
            ("Point", Severity.CRITICAL, 4 * HOUR),
            ("Update", Severity.CRITICAL, 3.75 * HOUR),
            ("Busy", Severity.MEDIUM, HOUR),
        ):
            desk.open_case(NOON - since + ahead, title=title, severity=severity, channel=Channel.EMAIL)
        asked_at = NOON - 48 * HOUR + ahead
        waiting = desk.open_case(asked_at, title="Waits", severity=Severity.LOW, channel=Channel.EMAIL)
        how = {"question": "?", "reason": WaitReason.CANNOT_NOW, "send": False, "channel": Channel.PHONE}
        transitions.ask_customer(waiting.pk, desk.technician, asked_at, **how)
    # When their first updates were due, and what is owed just before it begins.
    for begins, ends in ((2 * HOUR + LEAD, 1.75 * HOUR - SPAN), (LEAD * 3, 0 * HOUR)):
        now = NOON - begins
        while now < min(NOON, NOON - ends):
            work_everything(now, keep=True)
            now += timedelta(minutes=4)
    work_everything(NOON, keep=True)
    return count


def work_everything(now, keep: bool = False) -> None:
    keep_promises(now)
    escalate(now)
    follow_up(now)
    deliver(lambda: now, keep=keep)


def story(target: SlaTarget, chaos: Chaos) -> str:
    """What became of a promise that was missed."""
    mail, near = target.mail, [one for one in chaos.outages() if one.overlaps(target.due_at - LEAD, target.due_at)]
    well = f"away {', '.join(map(str, near)) or 'never'}"
    told = f"{target.case_id} {target.member} due {target.due_at:%H:%M:%S}, updated {target.updated_at}"
    return f"{told}, mail queued {mail.queued_at}, sent {mail.sent_at}, {mail.attempts} tries; {well}" if mail else told


def lose_the_database() -> None:
    """Crash the server if it is this run's own, else end every session but this one."""
    if restart():
        connection.close()
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


class Outage(NamedTuple):
    """A time in which something was away."""

    began: datetime
    ended: datetime

    def __str__(self) -> str:
        return f"{self.began:%H:%M:%S}-{self.ended:%H:%M:%S}"

    def overlaps(self, begins: datetime, ends: datetime) -> bool:
        return self.began < ends and self.ended > begins


class Chaos:
    """Lets things fail, each at times of its own."""

    def __init__(self, its: Crew, server: MoodyServer) -> None:
        self.its, self.server, self.chance = its, server, random.Random(SEED)
        self.done: Counter[str] = Counter()
        self.down: list[tuple[str, datetime, datetime]] = []
        self._since = self._began = its.clock.now()
        self._long_outage_is_over = SECONDS < 60
        self._next = {
            self.kill: KILL_EVERY,
            self.flush: FLUSH_EVERY,
            self.restart: RESTART_EVERY,
            self.turn: WELL_FOR,
        }

    def go_on(self, seconds: float) -> None:
        """Fail for so long, and be well in the end."""
        began = time.monotonic()
        due = {what: began + self.chance.uniform(*every) for what, every in self._next.items()}
        while time.monotonic() - began < seconds:
            what = min(due, key=due.get)
            time.sleep(max(0, due[what] - time.monotonic()))
            every = what() or self._next[what]
            due[what] = time.monotonic() + self.chance.uniform(*every)
        if self.server.mood != WELL:
            self._end_outage()

    def kill(self) -> None:
        self.its.kill_one()
        self.done["kills"] += 1

    def flush(self) -> None:
        self.its.flush_tasks()
        self.done["broker flushes"] += 1

    def restart(self) -> None:
        since = self.its.clock.now()
        lose_the_database()
        self.down.append(("database", since, self.its.clock.now()))
        self.done["database restarts"] += 1

    def turn(self) -> tuple[float, float]:
        """The server's next mood: each of the six in turn, well in between."""
        if self.server.mood != WELL:
            self._end_outage()
            return WELL_FOR
        mood = MOODS[self.done["outages of the mail server"] % len(MOODS)]
        self.server.turn(mood)
        self._since = self.its.clock.now()
        self.done["outages of the mail server"] += 1
        if not self._long_outage_is_over and self._since - self._began > timedelta(seconds=LONG_OUTAGE_AFTER * SPEED):
            self._long_outage_is_over = True
            return LONG_OUTAGE, LONG_OUTAGE
        return FAILS_FOR

    def _end_outage(self) -> None:
        self.down.append((self.server.mood, self._since, self.its.clock.now()))
        self.server.turn(WELL)

    def outages(self) -> list[Outage]:
        """Every time in which something was away; those with no time for a look between them are one."""
        ticks = self.its.ticks
        idle = [Outage(before, after) for before, after in pairwise(ticks) if after - before > IDLE]
        merged: list[Outage] = []
        for outage in sorted([*(Outage(down, up) for _, down, up in self.down), *idle]):
            if merged and outage.began <= merged[-1].ended + LOOKS_EVERY:
                merged[-1] = Outage(merged[-1].began, max(outage.ended, merged[-1].ended))
            else:
                merged.append(outage)
        return merged

    def excuses(self, due_at: datetime) -> bool:
        """Whether an outage longer than the lead fell into the lead of this deadline."""
        return any(one.ended - one.began > LEAD and one.overlaps(due_at - LEAD, due_at) for one in self.outages())


def test_nothing_is_lost_or_doubled_and_no_promise_missed_whatever_fails(
    desk: Desk, tmp_path: Path, settings
) -> None:  # E6, M2, T3
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    count = prepare(desk)
    with moody_server(SEED) as server:
        with crew(tmp_path, NOON, "efpdd", ["user", "caller"], server.port, SPEED) as its:
            chaos = Chaos(its, server)
            chaos.go_on(SECONDS)
            over = its.clock.now()
            untried = Mail.objects.filter(status=MailStatus.QUEUED, attempts=0, send_at__lt=over)
            await_true(
                lambda: its.clock.now() > over + CALM and not untried.exists(),
                "A try of every message that was due before everything went well again",
                seconds=30,
            )
        assert not its.problems, its.problems
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.MAIL_IS_KEPT = "127.0.0.1", server.port, False
        now = its.clock.now()
        while Mail.objects.filter(status=MailStatus.QUEUED).exists() and now < its.clock.now() + 3 * HOUR:
            work_everything(now)
            now += timedelta(minutes=1)
    arrived = Counter(server.arrived)
    sent = set(Mail.objects.filter(status=MailStatus.SENT, kept=False).values_list("message_id", "to_address"))
    too_late = set(Mail.objects.filter(status=MailStatus.DROPPED).values_list("message_id", "to_address"))
    missed = SlaTarget.objects.filter(kind=SlaKind.UPDATE, outcome=SlaOutcome.BREACHED, due_at__gt=NOON)
    kept = SlaTarget.objects.filter(kind=SlaKind.UPDATE, due_at__gt=NOON).exclude(outcome__in=("", SlaOutcome.BREACHED))
    figures = dict(chaos.done) | {
        "minutes of the desk": int(SPAN.total_seconds() // 60),
        "mails sent": len(sent),
        "of them repeated with the same Message-ID": sum(1 for number in arrived.values() if number > 1),
        "promises kept": kept.count(),
        "missed": missed.count(),
        "of them by an outage longer than the lead": sum(chaos.excuses(target.due_at) for target in missed),
        "the longest outage": max((one.ended - one.began for one in chaos.outages()), default=timedelta(0)),
        "escalation points": Escalation.objects.filter(done_at__gt=NOON).count(),
        "acknowledged notes": len(its.acknowledged),
    }
    print("\n" + ", ".join(f"{what}: {number}" for what, number in figures.items()))
    not_excused = [story(target, chaos) for target in missed if not chaos.excuses(target.due_at)]
    if missed:
        print("\n".join(not_excused))
        print("; ".join(f"{what} {down:%H:%M:%S}-{up:%H:%M:%S}" for what, down, up in chaos.down))
    # nothing lost
    assert not Mail.objects.filter(status__in=(MailStatus.QUEUED, MailStatus.FAILED)).exists()
    assert sent <= set(arrived)
    assert its.acknowledged <= set(Interaction.objects.values_list("pk", flat=True))
    assert not FailedCase.objects.filter(solved_at=None).exists(), FailedCase.objects.first().error
    for case in Case.objects.filter(title="Point", opened_at__lt=NOON - 4 * HOUR + SPAN):
        assert Escalation.objects.filter(case=case, done_at__gt=NOON, carried_out=True).count() == 1
    # nothing doubled: whatever arrived is one row of the outbox, whose repeats carry its Message-ID
    assert set(arrived) <= sent | too_late
    dropped_for_nothing = Mail.objects.filter(status=MailStatus.DROPPED, holds="").exclude(last_error=TOO_LATE)
    assert not dropped_for_nothing.exists()
    # no promise missed but by an outage longer than the lead
    assert not_excused == []
    assert kept.count() >= count
