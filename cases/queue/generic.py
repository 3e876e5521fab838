"""The generic push interface: `newCall`, `answer` and `hangup`, as bridges of many telephone systems speak it (Q5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cases.enums import CallEventKind
from cases.queue.events import ToldEvent

EVENTS = {"newcall": CallEventKind.ARRIVED, "answer": CallEventKind.ANSWERED, "hangup": CallEventKind.ENDED}
#: With these causes one of several telephones stops ringing, and the call goes on.
OF_ONE_LEG = frozenset({"forwarded", "answeredelsewhere"})
#: Characters that are kept of each part.
LONGEST_ID, LONGEST_LEG, LONGEST_PART = 128, 64, 40


class BadCall(ValueError):
    """What was pushed is no event of a call; the message says so in a sentence (S4)."""


def read_push(provider: str, fields: Mapping[str, Any]) -> ToldEvent | None:
    """The event that was pushed; None for one that says nothing of the call as a whole. Unknown fields are ignored.

    Raises BadCall.
    """
    parts = {_plain(name): value for name, value in fields.items()}
    event = _text(parts.get("event")).lower()
    if event not in EVENTS:
        raise BadCall("Say in “event” what happened: newCall, answer or hangup.")
    call_id = _text(parts.get("callid"))
    if not call_id or len(call_id) > LONGEST_ID:
        raise BadCall(f"Name the call in “callId”, with up to {LONGEST_ID} characters.")
    cause = _text(parts.get("cause"))
    if event == "hangup" and cause.lower() in OF_ONE_LEG:
        return None
    is_outgoing = _text(parts.get("direction")).lower() in ("out", "outbound", "outgoing")
    answered_by = _text(parts.get("answeringnumber")) or _text(parts.get("user"))
    return ToldEvent(
        provider,
        call_id,
        EVENTS[event],
        leg=answered_by[:LONGEST_LEG] if event == "answer" else "",
        number=_text(parts.get("from"))[:LONGEST_PART],
        dialled=_text(parts.get("to"))[:LONGEST_PART],
        cause=cause[:LONGEST_PART],
        is_outgoing=is_outgoing,
    )


def _plain(name: Any) -> str:
    """“user[]”, “call_id” and “callId” as one spelling."""
    return str(name).lower().replace("_", "").removesuffix("[]")


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = value[0] if value else ""
    return str(value).replace("\0", "").strip() if isinstance(value, str | int) else ""
