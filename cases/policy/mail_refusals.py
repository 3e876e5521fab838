"""Whose trouble a mail server's refusal is: this message's own, the server's with us, or not to be told (M2)."""

from __future__ import annotations

import re
from enum import Enum


class Whose(Enum):
    """Whom a permanent refusal (5xx) concerns."""

    OWN = "own"  # this address or this message: another one may pass
    SERVER = "server"  # us, whatever the message: relaying, signing in, a blocklist
    UNCLEAR = "unclear"


#: The enhanced status code (RFC 3463) that many servers begin their answer with.
_ENHANCED = re.compile(r"\s*[45]\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_SENDERS_ADDRESS = (("1", "7"), ("1", "8"))
_OWN_SUBJECTS = ("1", "2", "6")  # address, mailbox, content
_TOO_BIG = ("3", "4")

_OWN_CODES = (551, 552, 553)
_SERVER_CODES = (530, 534, 535, 538, 571)
_SAYS_OWN = re.compile(
    r"no such|unknown|does(n't| not) exist|not found|unrout\w+|no mailbox|mailbox (is )?(unavailable|disabled|full)"
    r"|(user|account|mailbox|recipient) (is )?(disabled|inactive|suspended|invalid)"
    r"|invalid (user|mailbox|recipient|address)",
    re.IGNORECASE,
)
_SAYS_SERVER = re.compile(
    r"relay|authenticat|\bauth\b|log ?in|block|black ?list|spamhaus|reputation|access denied|not (permitted|allowed)"
    r"|sender|your (ip|host|domain)|policy|client host",
    re.IGNORECASE,
)


def whose_refusal(code: int, reply: str) -> Whose:
    """Whom a refusal with this code and text concerns; the enhanced code goes before the words."""
    enhanced = _ENHANCED.match(reply)
    if enhanced:
        return _by_enhanced_code(enhanced[1], enhanced[2])
    if code in _SERVER_CODES:
        return Whose.SERVER
    if code in _OWN_CODES:
        return Whose.OWN
    if _SAYS_SERVER.search(reply):
        return Whose.SERVER
    return Whose.OWN if _SAYS_OWN.search(reply) else Whose.UNCLEAR


def _by_enhanced_code(subject: str, detail: str) -> Whose:
    if subject == "7" or (subject, detail) in _SENDERS_ADDRESS:
        return Whose.SERVER
    return Whose.OWN if subject in _OWN_SUBJECTS or (subject, detail) == _TOO_BIG else Whose.UNCLEAR
