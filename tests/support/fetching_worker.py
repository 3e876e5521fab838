"""A worker that fetches mail in a process of its own, for `test_fetching_under_fire`; it can be killed anywhere.

Its argument is JSON: `settings` to set, `how` to work, and a directory `at` to meet in. `look` waits for the file `go`
there and looks into the Maildir without a claim; `fetch` does so with one. `kill` fetches again and again, a few
minutes later each time, in a child that is killed (SIGKILL) before its first, second, third ... step, until one lives
to the end; each finds one more message than its forerunner has left. A step is a statement for the database, a command
for the IMAP server, or the moving of a file. It prints JSON.
"""

from __future__ import annotations

import imaplib
import json
import os
import signal
import smtplib
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from cases.enums import Door  # noqa: E402
from cases.inbox.doors.fetching import fetch  # noqa: E402
from cases.inbox.doors.maildir import Maildir  # noqa: E402
from cases.inbox.doors.rounds import FetchRound  # noqa: E402
from tests.support.dovecot import USER  # noqa: E402
from tests.support.maildirs import deliver_into, raw_message  # noqa: E402


class Death:
    """Kill this process before the step of that number."""

    def __init__(self, number: int, log: Path) -> None:
        self.left, self.log = number, log

    def step(self, what: str) -> None:
        self.left -= 1
        if self.left == 0:
            with self.log.open("a") as log:
                log.write(f"{what}\n")
            os.kill(os.getpid(), signal.SIGKILL)

    def before(self, function: Callable[..., Any], what: Callable[..., str]) -> Callable[..., Any]:
        def stepping(*arguments: Any, **named: Any) -> Any:
            self.step(what(*arguments))
            return function(*arguments, **named)

        return stepping


def live_for(number: int, now: datetime, log: Path) -> None:
    """Fetch, and die before the step of that number."""
    death = Death(number, log)
    os.rename = death.before(os.rename, lambda *_: "move")
    imaplib.IMAP4.send = death.before(imaplib.IMAP4.send, lambda _, data: f"imap {data.split()[1:3]}")

    def statement(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        death.step(f"sql {sql.split()[0]}")
        return execute(sql, *rest)

    with connection.execute_wrapper(statement):
        fetch(lambda: now, lambda: False)


def kill(at: Path) -> dict[str, Any]:
    """Let children die one step later each; how many died before one lived."""
    now, log = timezone.now(), at / "deaths"
    for number in count(1):
        deliver(raw_message(f"m{number}"))
        child = os.fork()
        if child == 0:
            status = 1
            try:
                live_for(number, now + number * timedelta(minutes=3), log)
                status = 0
            finally:
                os._exit(status)
        _, waited = os.waitpid(child, 0)
        if not os.WIFSIGNALED(waited):
            return {"died": number - 1, "status": os.WEXITSTATUS(waited), "before": log.read_text().splitlines()}
    raise AssertionError


def deliver(raw: bytes) -> None:
    """As the mail server does that the settings name."""
    if settings.MAILDIR:
        deliver_into(Path(settings.MAILDIR), raw)
    else:
        with smtplib.LMTP("127.0.0.1", settings.LMTP_PORT) as server:
            server.sendmail("ann@acme.example", [USER], raw)


def look(at: Path) -> dict[str, Any]:
    fetch_round = FetchRound(Door.MAILDIR, timezone.now, lambda: True)
    meet(at)
    Maildir(Path(settings.MAILDIR)).look(fetch_round)
    return {"new": fetch_round.new, "left": fetch_round.left}


def fetch_once(at: Path) -> dict[str, Any]:
    meet(at)
    return {"new": fetch(timezone.now, lambda: False)}


def meet(at: Path) -> None:
    connection.ensure_connection()
    (at / str(os.getpid())).touch()
    while not (at / "go").exists():
        time.sleep(0.001)


if __name__ == "__main__":
    order = json.loads(sys.argv[1])
    for name, value in order["settings"].items():
        setattr(settings, name, value)
    print(json.dumps({"kill": kill, "look": look, "fetch": fetch_once}[order["how"]](Path(order["at"]))))
