"""Parallel connections to the mail server: a thread for each, which sends and touches no database (M2).

One thread of the process, the one that delivers, hands messages over and takes back what became of them; it alone
decides and writes. A connection is opened when it is needed and reused until the round of delivery is over.
"""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass

from django.conf import settings
from django.core.mail import EmailMessage

from cases.mail.server import Broken, MailServer
from cases.models import Mail

#: A further connection is opened for so many messages that wait for one.
MESSAGES_A_CONNECTION = 4
#: Seconds after which the check that a message's reason holds is too old to send it (M1).
FRESH = 2.0
#: Seconds in which the threads end once nothing is sent any more.
GOODBYE = 5


class TooLongAgo(Exception):
    """A message waited for a connection until the check of its reason was too old; it was not sent."""


@dataclass
class Sending:
    """A message that is handed to the mail server, and what came of it: `error` is None once it was taken."""

    mail: Mail
    message: EmailMessage
    number: int  # counts what is handed over in a round
    checked_at: float  # when its reason was found to hold, on the monotonic clock
    error: Exception | None = None

    @property
    def is_late(self) -> bool:
        """Whether the check of its reason is too old."""
        return time.monotonic() - self.checked_at > FRESH


class Connections:
    """The connections of one round of delivery. With `keep` messages are kept, not sent, in the caller's thread."""

    def __init__(self, keep: bool = False) -> None:
        self._keep = keep
        self._servers = [MailServer(keep)]
        self.keeps, self.name = self._servers[0].keeps, self._servers[0].name
        self.speaks_smtp = self._servers[0].speaks_smtp
        self.most = 1 if self.keeps else settings.DESK_MAIL_CONNECTIONS
        self.under_way = 0
        self._threads: list[threading.Thread] = []
        self._to_send: queue.SimpleQueue[Sending | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Sending] = queue.SimpleQueue()

    @property
    def is_cut(self) -> bool:
        """Whether they were broken off."""
        return self._servers[0].is_cut

    def hand_over(self, sending: Sending, waiting: int) -> None:
        """Have a message sent over the next connection that is free; `waiting` more are to follow."""
        self.under_way += 1
        if self.keeps:
            _send(self._servers[0], sending)
            self._done.put(sending)
            return
        self._to_send.put(sending)
        wanted = min(self.most, 1 + (self.under_way + waiting) // MESSAGES_A_CONNECTION)
        # No further one while the round goes in single file.
        if not self._threads or (self.under_way > len(self._threads) and len(self._threads) < wanted):
            self._open_one()

    def _open_one(self) -> None:
        number = len(self._threads)
        if number:
            self._servers.append(MailServer(self._keep))
        thread = threading.Thread(target=self._work, args=[self._servers[number]], name=f"mail-{number}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self, server: MailServer) -> None:
        while (sending := self._to_send.get()) is not None:
            _send(server, sending)
            self._done.put(sending)
        server.close()

    def take(self, seconds: float) -> Sending | None:
        """What is done next, waiting so long for it at most; None for nothing."""
        if not self.under_way:
            return None
        try:
            sending = self._done.get(timeout=seconds) if seconds else self._done.get_nowait()
        except queue.Empty:
            return None
        self.under_way -= 1
        return sending

    def cut(self) -> None:
        """Break them off, from another thread: nothing more is sent, and what is under way ends as broken."""
        for server in list(self._servers):
            server.cut()

    def close(self) -> None:
        """Hang up."""
        for _ in self._threads:
            self._to_send.put(None)
        until = time.monotonic() + GOODBYE
        for thread in self._threads:
            thread.join(timeout=max(0, until - time.monotonic()))
        if not self._threads:
            self._servers[0].close()


def _send(server: MailServer, sending: Sending) -> None:
    """Send a message and note what came of it; never raises."""
    try:
        if server.is_cut:
            raise Broken("This worker is asked to stop.")
        server.open()  # which may take seconds, so before the check
        if sending.is_late:
            raise TooLongAgo
        server.send(sending.message)
    except Exception as error:  # whatever it is, the thread that delivers decides what it means
        sending.error = error
