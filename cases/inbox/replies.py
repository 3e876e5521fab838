"""Replies of staff that other apps take: which message of the desk asks for which answer (E8).

A higher app registers a function with `staff_reply`; `cases.inbox` knows none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from cases.models import Mail
from contacts.models import User

#: Takes a message of ours, who answers it, their own words and the moment (UTC); returns whether that was an answer.
StaffReply = Callable[[Mail, User, str, datetime], bool]

_takers: dict[str, StaffReply] = {}


def staff_reply(*templates: str) -> Callable[[StaffReply], StaffReply]:
    """Register the decorated function for replies to messages of these templates. It may raise Refused."""

    def register(taker: StaffReply) -> StaffReply:
        _takers.update(dict.fromkeys(templates, taker))
        return taker

    return register


def handled_by_other_app(answered: Mail, staff: User, text: str, now: datetime) -> bool:
    """Whether the reply to `answered` was what another app waited for; then that is done."""
    taker = _takers.get(answered.template)
    return taker is not None and bool(text.strip()) and taker(answered, staff, text.strip(), now)
