"""A worker of the engine in a process of its own, for `test_engine_under_fire`: it can be held up, and killed.

It reads orders from standard input, a line of JSON each, and answers each with one: how to work (`run`, `hold` or
`kill`), what to do (`escalate`, `follow_up`, `deliver`, `triage`, or `receive` and a file), and what time it is. `run`
does the work once. `hold` stops after its first statement until another line arrives. `kill` does it again and again,
each time in a child that is killed (SIGKILL) before its first, second, third ... statement, until one lives to the end.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import DEFAULT_DB_ALIAS, connection, connections  # noqa: E402

from cases.enums import Door  # noqa: E402
from cases.followup.apply import follow_up  # noqa: E402
from cases.inbox.receive import receive  # noqa: E402
from cases.inbox.triage import carry_out  # noqa: E402
from cases.mail.leases import LEASE  # noqa: E402
from cases.mail.outbox import deliver  # noqa: E402
from escalations.points.apply import escalate  # noqa: E402
from tests.support.mails import AUTH_SERVER  # noqa: E402

CHILD = "engine-worker-child"
Execute = Callable[..., Any]


def work(what: str, now: datetime) -> int:
    """Do the work once. Returns how many cases or messages it acted on."""
    if what.startswith("receive "):
        raw = Path(what.partition(" ")[2]).read_bytes()
        return int(receive(raw, now, door=Door.COMMAND).is_new)
    if what == "deliver":
        return deliver(lambda: now).sent
    if what == "triage":
        return carry_out(now).done
    return {"escalate": escalate, "follow_up": follow_up}[what](now).acted_on


def say(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)


class HeldUp:
    """Wait for a line on standard input before the second statement: what the first one claimed stays claimed."""

    def __init__(self) -> None:
        self.statements = 0

    def __call__(self, execute: Execute, *arguments: Any) -> Any:
        self.statements += 1
        if self.statements == 2:
            say(holding=True)
            sys.stdin.readline()
        return execute(*arguments)


class KilledAt:
    """Die before a given statement, as a power cut would have it."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, execute: Execute, *arguments: Any) -> Any:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(*arguments)


def killed_in_a_child(what: str, now: datetime, number: int) -> bool:
    """Work in a child that dies before that statement. Returns whether it died of it, rather than finished."""
    child = os.fork()
    if child == 0:
        gc.disable()  # what the parent has left to be cleaned up may speak to the database when it goes
        # Of the parent's connection nothing is taken over: once a child found itself in a transaction.
        connections[DEFAULT_DB_ALIAS] = connections.create_connection(DEFAULT_DB_ALIAS)
        connection.settings_dict["OPTIONS"] |= {"application_name": CHILD}
        with connection.execute_wrapper(KilledAt(number)):
            work(what, now)
        connection.close()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    wait_until_the_server_noticed()
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def wait_until_the_server_noticed() -> None:
    """Return once the database has given up the child's session and its locks."""
    deadline = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", [CHILD])
            if cursor.fetchone()[0] == 0:
                break
        else:
            raise TimeoutError("the server still holds the session of a dead worker")
    connection.close()


def killed_before_every_statement(what: str, now: datetime) -> int:
    """Work until a child lives to the end. Returns how many were killed before."""
    for number in count(1):
        # A message that a dead worker had claimed is free again after its lease.
        at = now + number * (LEASE + timedelta(minutes=1)) if what == "deliver" else now
        if not killed_in_a_child(what, at, number):
            return number - 1
    raise AssertionError("counting never ends")


def obey(how: str, what: str, now: str, batch: int, mail_port: int = 0) -> None:
    """Carry out one order."""
    settings.DESK_BATCH = batch
    settings.MAIL_AUTH_SERVER = [AUTH_SERVER]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mail_port
    moment = datetime.fromisoformat(now)
    if how == "kill":
        say(killed=killed_before_every_statement(what, moment))
        return
    with connection.execute_wrapper(HeldUp()) if how == "hold" else nullcontext():
        acted_on = work(what, moment)
    connection.close()  # a test's end empties the tables, the last one's drops the database
    say(acted_on=acted_on)


if __name__ == "__main__":
    while order := sys.stdin.readline():
        obey(**json.loads(order))
