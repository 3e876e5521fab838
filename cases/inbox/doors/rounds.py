"""One look through a door by one worker: message after message, until time is up or nothing is left (M5, S2)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError, OperationalError, connection

from cases.enums import Door
from cases.inbox.receive import receive

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

#: What the database or the disk does not take so often in a row is their trouble, not the messages' own.
FAILURES_IN_A_ROW = 3
#: Larger messages are taken after all others, so that one that takes long, or too much memory, holds up nobody.
LARGE = 5_000_000
#: A door that cannot be looked into is tried again after this, unless its trouble says otherwise.
TRY_AGAIN = timedelta(seconds=30)


class NotFetched(Exception):
    """A door cannot be looked into, or not any further.

    `why` ends a sentence that begins with "because", for anybody to read; `detail` is for the admin.
    """

    def __init__(self, why: str, detail: object = "", wait: timedelta = TRY_AGAIN) -> None:
        super().__init__(why)
        self.why, self.detail, self.wait = why, str(detail), wait


@dataclass
class FetchRound:
    """What a look has to keep to, and what it did.

    A door asks `goes_on` before each message, hands it to `take`, and lets go of it only if that says so.
    """

    kind: Door
    clock: Clock
    goes_on: Callable[[], bool]
    put_off: list[int] = field(default_factory=list)
    new: int = 0
    left: int = 0
    detail: str = ""
    _failures: int = 0

    def take(self, raw: bytes, name: str) -> bool:
        """Whether the desk has the message now. Else it stays where it is, and is counted as left.

        Raises NotFetched once it is clear that the desk can take nothing at the moment.
        """
        try:
            received = receive(raw, self.clock(), door=self.kind)
        except (OSError, OperationalError, InterfaceError) as error:
            self.leave(name, error)
            self._failures += 1
            if self._failures >= FAILURES_IN_A_ROW:
                raise NotFetched("the desk's own database or disk takes nothing", self.detail) from error
            _reconnect()
            return False
        except Exception as error:  # one message must not stop the others (S2)
            log.exception("%s could not be taken: %s", self.kind.label, name)
            self.leave(name, error)
            if isinstance(error, DatabaseError):
                _reconnect()
            return False
        self._failures = 0
        self.new += received.is_new
        return True

    def leave(self, name: str, why: object) -> None:
        """Count a message that stays where it is though it should not; the first one is named in the admin."""
        self.left += 1
        self.detail = self.detail or f"{name}: {why}"


def _reconnect() -> None:
    """Let the next message have a connection that works, if this one does not any more."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
