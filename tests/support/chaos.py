"""The crew of the chaos tests and its killer (`tests.support.chaos_crew` holds what its members do)."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.chaos_crew import MEMBER, SharedClock, make_clock
from tests.support.processes import ROOT, await_true, environment, sessions

SEED = int(os.environ.get("DESK_CHAOS_SEED", "20260603"))
JUMPS = 3  # of time between two kills
CREW = ("worker",) * 4 + ("beat",) * 2


class Crew:
    """`tests.support.chaos_crew` at work; the members by process id."""

    def __init__(self, directory: Path, now: datetime, tasks: str, mail_port: int = 0, speed: int = 1) -> None:
        make_clock(directory / "clock", 1 if speed == 1 else 0)  # a fast clock stands until everybody is there
        self.clock = SharedClock(directory / "clock")
        self.clock.set(now)
        self.directory, self.chance = directory, random.Random(SEED)
        self.members: dict[int, str] = {}
        self.killed: Counter[str] = Counter()
        options = json.dumps({"tasks": tasks, "batch": 8, "mail_port": mail_port, "speed": speed})
        with (directory / "log").open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.chaos_crew", str(directory), options],
                cwd=ROOT,
                env=environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def start(self, kind: str) -> None:
        self.members[self._order(kind=kind, seed=self.chance.getrandbits(32))] = kind

    def flush_tasks(self) -> None:
        """Lose every task that waits, as a broker does that is emptied."""
        self._order(kind="flush")

    def _order(self, **order: Any) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, self.log
        return int(json.loads(line))

    def kill_one(self) -> None:
        """Kill any member and start another of its kind at once."""
        assert not self.problems, self.problems
        pid = self.chance.choice(sorted(self.members))
        kind = self.members.pop(pid)
        os.kill(pid, signal.SIGKILL)
        self.killed[kind] += 1
        self.start(kind)

    def live_through(self, span: timedelta, kills: int, go_on: Callable[[int], object]) -> None:
        """Let so much time pass in jumps, with so many kills on the way, each at an instant of its own.

        After each kill time stands until `go_on(kills so far)`: it must not run ahead of a busy machine.
        """
        for number in range(1, kills + 1):
            for _ in range(JUMPS):
                self.clock.set(self.clock.now() + span / kills / JUMPS)
                time.sleep(self.chance.uniform(0, 0.03))  # so that a kill may fall anywhere; nothing waits for this
            self.kill_one()
            await_true(lambda number=number: self.problems or go_on(number), "The crew's work")

    def end(self) -> None:
        """Kill everybody; return once the server has given up their sessions and locks.

        Each by name: one that was only just started has no session yet, and must not open one after the others' end.
        """
        self._process.send_signal(signal.SIGSTOP)  # nobody new from here on
        for pid in self.members:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.kill()
        self._process.communicate()
        await_true(lambda: sessions(MEMBER) == 0, "The end of every session")

    @property
    def acknowledged(self) -> set[int]:
        """The entries of the contact log that people were told are saved."""
        file = self.directory / "acknowledged"
        return set(map(int, file.read_text().split())) if file.exists() else set()

    @property
    def ticks(self) -> list[datetime]:
        """When a beat asked for every sweep, in order: nobody at work in between means that the machine was busy."""
        file = self.directory / "ticks"
        return sorted(map(datetime.fromisoformat, file.read_text().split())) if file.exists() else []

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text()

    @property
    def problems(self) -> str:
        file = self.directory / "problems"
        return file.read_text() if file.exists() else ""


@contextmanager
def crew(
    directory: Path, now: datetime, tasks: str, people: Sequence[str] = (), mail_port: int = 0, speed: int = 1
) -> Iterator[Crew]:
    """Everybody at work, and nobody left behind."""
    its = Crew(directory, now, tasks, mail_port, speed)
    try:
        for kind in (*CREW, *people):
            its.start(kind)
        if speed > 1:
            its.clock.set(now, speed)
        yield its
    finally:
        its.end()
