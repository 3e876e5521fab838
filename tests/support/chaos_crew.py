"""The crew of the chaos tests: workers, beats and users as real processes that may be killed at any instant.

This process imports the desk once and then forks: a member is there again a few milliseconds after it was killed.
It reads a line of JSON for each member to start, and answers with its process id.

How late it is stands in a file that the test writes and everybody maps. Beats put tasks into a pipe and workers take
them out, so a task whose worker is killed is lost: the engine must not mind (S1).
Whatever a member raises is appended to a file of problems.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import random
import select
import signal
import struct
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import InterfaceError, OperationalError, connection  # noqa: E402

from cases.enums import Channel, Direction, Resolution, Severity, Status, WaitReason  # noqa: E402
from cases.followup.apply import follow_up  # noqa: E402
from cases.guards import Refused  # noqa: E402
from cases.mail import leases  # noqa: E402
from cases.mail.outbox import deliver  # noqa: E402
from cases.models import Case  # noqa: E402
from cases.workflow import transitions  # noqa: E402
from cases.workflow.contact_log import log_contact  # noqa: E402
from contacts.models import User  # noqa: E402
from escalations.points.apply import escalate  # noqa: E402
from escalations.sla.apply import keep_promises  # noqa: E402

MEMBER = "chaos-crew"
PR_SET_PDEATHSIG = 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


CLOCK = struct.Struct("qq")


def make_clock(path: Path, speed: int = 1) -> None:
    """Make the file of a clock that runs so many times as fast as the machine's own, or stands (0)."""
    path.write_bytes(CLOCK.pack(0, speed))


class SharedClock:
    """The time of the desk for every process that maps the file: the machine's own, ahead by what stands there.

    It goes on by itself, so no two looks see the same moment, and jumps when the test sets it ahead.
    """

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), CLOCK.size)

    def now(self) -> datetime:
        """What time it is."""
        ahead, speed = CLOCK.unpack(self._memory[:])
        return EPOCH + timedelta(microseconds=time.monotonic_ns() // 1_000 * speed + ahead)

    def set(self, now: datetime, speed: int | None = None) -> None:
        """Make it that late, and run as fast as before or as `speed` says."""
        if speed is None:
            _, speed = CLOCK.unpack(self._memory[:])
        ahead = (now - EPOCH) // timedelta(microseconds=1) - time.monotonic_ns() // 1_000 * speed
        self._memory[:] = CLOCK.pack(ahead, speed)


class Crew:
    """What its members share: the clock, the pipe of tasks, the file of problems.

    With a `lenient` crew the database may go away at any moment: what it held up is left for the next time.
    """

    def __init__(self, directory: Path, tasks: str, lenient: bool) -> None:
        self.clock = SharedClock(directory / "clock")
        self.problems, self.acknowledged = directory / "problems", directory / "acknowledged"
        self.ticks = directory / "ticks"
        self.lenient = lenient
        self.taken, self.given = os.pipe()
        os.set_blocking(self.given, False)
        self.tasks = tasks.encode()

    def worker(self, chance: random.Random) -> None:
        """Take a task and do it."""
        tasks: dict[bytes, Callable[[], object]] = {
            b"e": lambda: escalate(self.clock.now()),
            b"f": lambda: follow_up(self.clock.now()),
            b"d": lambda: deliver(self.clock.now),
            b"p": lambda: keep_promises(self.clock.now()),
        }
        while task := os.read(self.taken, 1):
            with self.trying():
                tasks[task]()

    @contextmanager
    def trying(self) -> Iterator[None]:
        """Inside it a lenient crew minds no loss of the database."""
        try:
            yield
        except (OperationalError, InterfaceError):
            if not self.lenient:
                raise
            connection.close()

    def caller(self, chance: random.Random) -> None:
        """Log notes, and remember those that were acknowledged."""
        while True:
            with self.trying():
                actor = User.objects.get(username="tech")
                case = chance.choice(Case.objects.filter(title__in=("Point", "Update")).values_list("pk", flat=True))
                channel, out = Channel.NOTE, Direction.INTERNAL
                entry = log_contact(case, actor, self.clock.now(), channel=channel, direction=out, body="Looked.")
                with self.acknowledged.open("a") as file:
                    file.write(f"{entry.pk}\n")
            time.sleep(chance.uniform(0.2, 0.6))

    def flush(self) -> None:
        """Lose what waits in the pipe."""
        while select.select([self.taken], [], [], 0)[0]:
            os.read(self.taken, 4096)

    def beat(self, chance: random.Random) -> None:
        """Ask for every sweep, again and again; what finds no room in the pipe is left out."""
        while True:
            with self.ticks.open("a") as file:  # what a beat waits for is the machine alone
                file.write(f"{self.clock.now().isoformat()}\n")
            with suppress(BlockingIOError):
                os.write(self.given, self.tasks)
            time.sleep(chance.uniform(0.1, 0.3) if self.lenient else chance.uniform(0.01, 0.04))

    def user(self, chance: random.Random) -> None:
        """Work cases at random, as the pages do: what may no longer be done is refused."""
        while True:
            with self.trying():
                actor, now = User.objects.get(username="support_manager"), self.clock.now()
                known = Case.objects.filter(opened_at__lte=now, title="Busy").order_by("-opened_at")[:15]
                if known:
                    case = chance.choice(list(known))
                    with suppress(Refused):
                        act(chance, case.pk, chance.choice(DEEDS[Status(case.status)]), actor, now)
            time.sleep(chance.uniform(0.2, 0.6) if self.lenient else chance.uniform(0, 0.01))

    def start(self, kind: str, seed: int = 0) -> int:
        """Fork a member. Returns its process id."""
        if kind == "flush":
            self.flush()
            return 0
        pid = os.fork()
        if pid:
            return pid
        try:
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # nobody outlives the test
            connection.settings_dict["OPTIONS"] |= {"application_name": MEMBER}
            {"worker": self.worker, "beat": self.beat, "user": self.user, "caller": self.caller}[kind](
                random.Random(seed)
            )
        except BaseException:
            with self.problems.open("a") as problems:
                problems.write(f"{kind}:\n{traceback.format_exc()}\n")
        os._exit(1)


#: What people do to a case that stands like this.
DEEDS = {
    Status.ASSIGNED: ("start", "ask", "resolve", "severity"),
    Status.IN_PROGRESS: ("ask", "ask", "resolve", "severity"),
    Status.WAITING: ("ask", "take back", "hear", "resolve", "severity"),
    Status.RESOLVED: ("reopen", "reopen", "hear", "severity"),
}


def act(chance: random.Random, case: int, kind: str, actor: User, now: datetime) -> None:
    """One thing that people do to a case."""
    if kind == "start":
        transitions.start_work(case, actor, now)
    elif kind == "ask":
        transitions.ask_customer(
            case, actor, now, question="?", reason=WaitReason.CONFIRM, send=False, channel=Channel.PHONE
        )
    elif kind == "take back":
        transitions.take_back(case, actor, now, reason="Found it.")
    elif kind == "hear":
        log_contact(case, actor, now, channel=Channel.PHONE, direction=Direction.IN, body="It works.")
    elif kind == "resolve":
        transitions.resolve(case, actor, now, resolution=Resolution.NOT_PURSUED)
    elif kind == "reopen":
        transitions.reopen(case, actor, now, reason="It is back.")
    else:
        transitions.change_severity(case, actor, now, severity=chance.choice(list(Severity)), reason="Looked again.")


def main(directory: Path, tasks: str, batch: int, mail_port: int, speed: int) -> None:
    settings.DESK_BATCH = batch
    if mail_port:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.MAIL_IS_KEPT = "127.0.0.1", mail_port, False
    if speed > 1:  # what is measured in the machine's own seconds runs as fast as the clock
        settings.EMAIL_TIMEOUT = max(1, settings.EMAIL_TIMEOUT / speed)
        leases.RENEW_EVERY, leases.LOOK_EVERY = leases.RENEW_EVERY / speed, leases.LOOK_EVERY / speed
    # The dead are not waited for: until this process ends, nobody else can be given the process id of one of them.
    crew = Crew(directory, tasks, lenient=speed > 1)
    while order := sys.stdin.readline():
        print(json.dumps(crew.start(**json.loads(order))), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), **json.loads(sys.argv[2]))
