"""Processes of a desk while calls come in: they tell events, sweep, take and pass, until they are killed (Q1, Q2).

`python -m tests.support.queue_worker WORKERS KILLS CALLS BEGAN` starts so many, kills one after another (SIGKILL) and
starts another in its place; a minute passes in a second, counted from the moment BEGAN. It says how many were killed,
and fails if one ended by itself.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
import traceback
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import django

django.setup()

from cases.enums import CallEventKind  # noqa: E402
from cases.guards import Refused  # noqa: E402
from cases.models import QueueEntry  # noqa: E402
from cases.queue.apply import pass_on, say_over, sweep_queue, take  # noqa: E402
from cases.queue.events import ToldEvent, take_event  # noqa: E402
from contacts.models import User  # noqa: E402

#: How much faster than the world.
SPEED = 60


def moment(began: float) -> datetime:
    """The time of the desk."""
    return datetime.fromtimestamp(began, UTC) + SPEED * timedelta(seconds=time.time() - began)


def step(chance: random.Random, crew: list[User], calls: int, now: datetime) -> None:
    """One thing that happens at a desk."""
    what = chance.choice(["event", "event", "sweep", "act", "act", "act"])
    if what == "event":
        number, kind = chance.randrange(calls), chance.choice([CallEventKind.ARRIVED, *CallEventKind])
        leg = str(chance.randrange(10)) if kind == CallEventKind.ANSWERED else ""
        take_event(ToldEvent("pbx", f"c{number}", kind, leg, f"+4930{number:07}"), now)
    elif what == "sweep":
        sweep_queue(now)
    else:
        user = chance.choice(crew)
        mine = QueueEntry.objects.filter(technician=user, state__in=("offered", "talking")).first()
        if mine is not None:
            chance.choice([take, take, pass_on, say_over])(mine.pk, user, now)


def work(seed: int, calls: int, began: float) -> None:
    """Until somebody kills us."""
    chance, crew = random.Random(seed), list(User.objects.filter(technician__extension__gt=""))
    while True:
        with suppress(Refused):
            step(chance, crew, calls, moment(began))


def start(seed: int, calls: int, began: float) -> int:
    """A worker in a process of its own; nobody has opened a connection before."""
    child = os.fork()
    if child == 0:
        try:
            work(seed, calls, began)
        finally:
            traceback.print_exc()
            os._exit(1)
    return child


def killed(child: int) -> bool:
    """Kill a worker. Returns whether it died of that, rather than of a move that failed."""
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def main(workers: int, kills: int, calls: int, began: float) -> None:
    chance = random.Random(workers)
    children = [start(seed, calls, began) for seed in range(workers)]
    died = []
    for number in range(kills):
        time.sleep(chance.random() / 2)
        victim = chance.randrange(workers)
        died.append(killed(children[victim]))
        children[victim] = start(workers + number, calls, began)
    time.sleep(1)
    died += [killed(child) for child in children]
    print(f"{sum(died)} of {len(died)} were killed", flush=True)


if __name__ == "__main__":
    main(*(int(text) for text in sys.argv[1:4]), float(sys.argv[4]))  # type: ignore[misc]
