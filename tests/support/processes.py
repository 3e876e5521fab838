"""Real processes around the desk: a Celery worker, a mail server; and what the database says of their sessions."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent.parent


def database_url() -> str:
    """Where the tests' own database is."""
    at = connection.settings_dict
    password = f":{at['PASSWORD']}" if at["PASSWORD"] else ""
    return f"postgres://{at['USER']}{password}@{at['HOST']}:{at['PORT']}/{at['NAME']}"


def environment() -> dict[str, str]:
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": database_url()}


def free_port() -> int:
    (port,) = free_ports(1)
    return port


def free_ports(number: int) -> list[int]:
    """Ports that nobody uses, each another one: all are held until the last is found."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return [int(probe.getsockname()[1]) for probe in probes]


def await_true(condition: Callable[[], object], what: str, seconds: float = 240) -> None:
    give_up_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up_at, f"{what} did not happen within {seconds:g} seconds"
        time.sleep(0.02)


def sessions(name: str, waiting: bool = False) -> int:
    """How many sessions of that name the server holds (that wait for a lock)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
            + (" AND wait_event_type = 'Lock'" if waiting else ""),
            [name],
        )
        return cursor.fetchone()[0]


class Mailbox:
    """A mail server that keeps each message, and its (Message-ID, reader), and takes its time for it."""

    def __init__(self, takes: float = 0) -> None:
        self.messages: list[Message] = []
        self.arrived: list[tuple[str, str]] = []
        self.takes = takes

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        await asyncio.sleep(self.takes)
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        message = message_from_bytes(content)
        self.messages.append(message)
        self.arrived.append((message["Message-ID"], envelope.rcpt_tos[0]))
        return "250 kept"


@contextmanager
def mail_server(takes: float = 0) -> Iterator[tuple[Mailbox, int]]:
    """A mail server that takes so many seconds for a message, and its port."""
    mailbox, port = Mailbox(takes), free_port()
    server = Controller(mailbox, hostname="127.0.0.1", port=port)
    server.start()
    try:
        yield mailbox, port
    finally:
        server.stop()


class CeleryWorker:
    """A Celery worker on the tests' database, with a queue of its own on the tests' Redis.

    It is one process, or with `children` leads a process group of that many more. With `mail_port` it sends mail there.
    """

    def __init__(self, prefix: str, log: Path, children: int = 0, mail_port: int = 0) -> None:
        self.name = f"chaos-celery-{uuid.uuid4().hex[:8]}"
        with log.open("a") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.chaos_celery", prefix, self.name, str(children), str(mail_port)],
                cwd=ROOT,
                env=environment(),
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def await_the_end_of_its_session(self) -> None:
        await_true(lambda: sessions(self.name) == 0, "The end of its session")
