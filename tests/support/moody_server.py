"""A mail server that fails in six ways, for the chaos tests."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiosmtpd.controller import Controller

#: Its moods but for “well”.
REFUSES_CONNECTIONS, HANGS, DROPS, PUTS_OFF, REFUSES_EVERYBODY, CLOSES = MOODS = (
    "refuses connections",
    "hangs",
    "drops the connection in the middle of a message",
    "451",
    "550",
    "421",
)
WELL = "well"


class MoodyServer:
    """Keeps what it is given, (Message-ID, reader), as long as it is well."""

    def __init__(self, port: int, seed: int) -> None:
        self.port, self.mood, self.chance = port, WELL, random.Random(seed)
        self.arrived: list[tuple[str, str]] = []
        self._controller: Controller | None = None
        self.turn(WELL)

    def turn(self, mood: str) -> None:
        """Be in this mood from now on."""
        self.mood = mood
        if mood == REFUSES_CONNECTIONS:
            self.stop()
        elif self._controller is None:
            self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
            self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        """Take the sender, or close down."""
        if self.mood == REFUSES_CONNECTIONS:
            server.transport.abort()
        envelope.mail_from = address
        return "421 4.3.2 closing" if self.mood == CLOSES else "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        """Take the reader, or not."""
        if self.mood == HANGS:
            await asyncio.sleep(60)
        answer = {PUTS_OFF: "451 4.3.0 come back", REFUSES_EVERYBODY: "550 no"}.get(self.mood, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take a message; half of those over which the connection drops were taken all the same."""
        drops = self.mood == DROPS
        if not drops or self.chance.random() < 0.5:
            (line,) = [one for one in envelope.content.decode().splitlines() if one.lower().startswith("message-id:")]
            self.arrived.append((line.split(":", 1)[1].strip(), envelope.rcpt_tos[0]))
        if drops:
            server.transport.abort()
        return "250 kept"


@contextmanager
def moody_server(seed: int) -> Iterator[MoodyServer]:
    """Such a server on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    server = MoodyServer(port, seed)
    try:
        yield server
    finally:
        server.stop()
