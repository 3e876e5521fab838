"""A mail server in a thread of the tests, as it misbehaves, and messages for it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from cases.mail.letters import Letter, facts, post
from cases.models import Case, Mail
from contacts.directory import Addressee
from tests.support.builders import NOON


@dataclass
class PostOffice:
    """A mail server as it misbehaves: what it answers by address, and when it hangs up."""

    received: list[EmailMessage] = field(default_factory=list)
    envelopes: list[str] = field(default_factory=list)
    connections: int = 0
    refuses: dict[str, str] = field(default_factory=dict)  # the answer to a recipient, each time
    refuses_once: dict[str, str] = field(default_factory=dict)
    refuses_us: str = ""  # the answer to the sender
    breaks_over: Callable[[str], bool] = lambda address: False
    hangs_over: set[str] = field(default_factory=set)  # never answered
    hangs_up_after: int = 10**9  # messages per connection
    on_message: Callable[[], None] = lambda: None
    on_data: Callable[[bytes], None] = lambda content: None  # also of a message over which the connection breaks
    waits_for: int = 0  # a message is answered when so many have come at once
    takes: float = 0  # seconds for each message
    at_once: int = 0  # messages that it is taking
    most_at_once: int = 0
    _of_this_connection: Counter[int] = field(default_factory=Counter)

    async def handle_EHLO(self, server: Any, session: Any, envelope: Any, name: str, responses: list[str]) -> list[str]:
        self.connections += 1
        session.host_name = name
        return responses

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self._of_this_connection[id(session)] >= self.hangs_up_after:
            server.transport.abort()
        envelope.mail_from = address
        return self.refuses_us or "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address in self.hangs_over:
            await asyncio.sleep(60)
        answer = self.refuses.get(address) or self.refuses_once.pop(address, "")
        if answer:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.on_data(envelope.content)
        if self.at_once >= self.waits_for:
            self.waits_for = 0
        try:
            await asyncio.sleep(self.takes)
            while self.waits_for:
                await asyncio.sleep(0.01)
            return self._take(server, session, envelope)
        finally:
            self.at_once -= 1

    def _take(self, server: Any, session: Any, envelope: Any) -> str:
        if any(map(self.breaks_over, envelope.rcpt_tos)):
            server.transport.abort()
            return "451 broken"
        self._of_this_connection[id(session)] += 1
        self.received.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        self.envelopes += envelope.rcpt_tos
        self.on_message()
        return "250 OK"


class HandClock:
    """A clock that stands until somebody moves it."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, by: timedelta) -> None:
        self.now += by


def queue(case: Case, *addresses: str, now: datetime = NOON, template: str = "message", **more: Any) -> list[Mail]:
    """A message to each address."""
    what = facts(case, why="you take part", expected="Nothing.", then="Nothing.", message="Hello", sender="Tech")
    letters = [Letter(f"test:{one}", template, Addressee(one, "Somebody"), what, case, **more) for one in addresses]
    post(letters, now)
    return list(Mail.objects.filter(key__in=[letter.key for letter in letters]).order_by("pk"))


def many(number: int) -> list[str]:
    return [f"reader{index}@example.com" for index in range(number)]
