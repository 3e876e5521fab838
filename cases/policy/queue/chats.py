"""When a chat ends that nobody ends (P6): nobody answers, its customer has left, or both are silent. Pure; all UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cases.enums import QueueEnding, QueueState

#: Nobody has taken it in this time: it becomes a message on the case (P6).
ANSWERED_WITHIN = timedelta(minutes=2)
#: Whoever took it has written nothing in this time: nobody answers here. **decision**
FIRST_WORD_WITHIN = timedelta(minutes=5)
#: The page of the customer has not asked for so long: they have left. Browsers let a hidden page ask once a minute.
GONE_AFTER = timedelta(minutes=3)
#: Neither has written for so long: it is over. **decision**
SILENT_FOR = timedelta(minutes=20)


@dataclass(frozen=True, slots=True)
class ChatNow:
    """A chat that has not ended. `seen_at` is when its customer last saw it, `answered_at` when we first wrote."""

    state: QueueState
    arrived_at: datetime
    seen_at: datetime
    last_line_at: datetime
    taken_at: datetime | None = None
    answered_at: datetime | None = None


def ending_of(chat: ChatNow, now: datetime, *, somebody_works: bool) -> QueueEnding | None:
    """How a chat ends at `now` by itself; None while it goes on.

    One that is being offered waits for the answer to the offer, which comes within seconds (Q2).
    """
    if chat.state == QueueState.WAITING:
        unanswered = now - chat.arrived_at >= ANSWERED_WITHIN
        return QueueEnding.MESSAGE if unanswered or not somebody_works else None
    if chat.state != QueueState.TALKING or chat.taken_at is None:
        return None
    if is_gone(chat.seen_at, now) or now - max(chat.last_line_at, chat.taken_at) >= SILENT_FOR:
        return over(chat.answered_at)
    if chat.answered_at is None and now - chat.taken_at >= FIRST_WORD_WITHIN:
        return QueueEnding.MESSAGE
    return None


def over(answered_at: datetime | None) -> QueueEnding:
    """How a chat ends that somebody ends: what nobody has answered stays a message."""
    return QueueEnding.SPOKEN if answered_at is not None else QueueEnding.MESSAGE


def is_gone(seen_at: datetime, now: datetime) -> bool:
    """Whether the customer has left the page."""
    return now - seen_at >= GONE_AFTER
