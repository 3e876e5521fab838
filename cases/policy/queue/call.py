"""What the events of a call say, in whatever order, however often and however few of them came (Q1). Pure; UTC."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cases.enums import CallEventKind, QueueEnding, QueueState

#: A call that ended so was never spoken; an event that was late can correct that.
GIVEN_UP = (QueueEnding.ABANDONED, QueueEnding.LOST)


@dataclass(frozen=True, slots=True)
class HeardEvent:
    """One event as it came. `leg` tells apart who answered; "" is the call itself."""

    kind: CallEventKind
    at: datetime
    leg: str = ""


@dataclass(frozen=True, slots=True)
class CallReading:
    """What is known of a call. Always `arrived_at` <= `answered_at` <= `ended_at`, as far as they are known.

    `answered_by` is the leg that answered first. `wants_callback` says that the caller left the line to be called back.
    """

    arrived_at: datetime
    answered_at: datetime | None = None
    answered_by: str = ""
    ended_at: datetime | None = None
    wants_callback: bool = False


def read_call(events: Iterable[HeardEvent]) -> CallReading | None:
    """What the events say; None for none.

    An event that comes twice says nothing new: the first one counts. A call has arrived by the first event of any
    kind. What comes after the end was late on its way: it happened at the end at the latest.
    """
    heard = sorted(events, key=lambda event: (event.at, event.leg))
    if not heard:
        return None
    arrived_at = heard[0].at
    answer = next((event for event in heard if event.kind == CallEventKind.ANSWERED), None)
    ended_at = next((event.at for event in heard if event.kind == CallEventKind.ENDED), None)
    answered_at = answer.at if answer else None
    if answered_at is not None and ended_at is not None:
        answered_at = min(answered_at, ended_at)
    wants_callback = any(event.kind == CallEventKind.CALLBACK for event in heard)
    return CallReading(arrived_at, answered_at, answer.leg if answer else "", ended_at, wants_callback)


@dataclass(frozen=True, slots=True)
class Settled:
    """Where a caller stands once the events are read: the state, how it ended, and whether they are to be called."""

    state: QueueState
    ending: QueueEnding | None = None
    is_callback: bool = False


def settle(reading: CallReading, now: Settled, *, can_be_called: bool) -> Settled:
    """Where a caller stands after the events, who stood at `now` by what the desk itself had done (Q1, Q3).

    `can_be_called`: they are a contact with a number, so that an abandoned call becomes a callback by itself.
    What the desk did is never undone: a call that somebody took is not waiting again, and one that ended does not begin
    anew; but one that was only given up is corrected by an event that was late on its way.
    """
    spoken, callback = Settled(QueueState.ENDED, QueueEnding.SPOKEN), Settled(QueueState.WAITING, is_callback=True)
    if now.state == QueueState.TALKING:
        # The end of the call that left a callback behind is not the end of the callback.
        return spoken if reading.ended_at is not None and not now.is_callback else now
    if now.state == QueueState.ENDED and now.ending not in GIVEN_UP:
        return now
    if reading.answered_at is not None:
        if reading.ended_at is None and now.state == QueueState.ENDED:
            return now
        return Settled(QueueState.TALKING) if reading.ended_at is None else spoken
    if now.is_callback:
        return now
    if reading.wants_callback:
        return callback
    if reading.ended_at is not None and now.state != QueueState.ENDED:
        return callback if can_be_called else Settled(QueueState.ENDED, QueueEnding.ABANDONED)
    return now
