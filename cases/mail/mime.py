"""The MIME of a message, built once however often it is tried (M2).

The `email` package is slow at what the desk writes most, a text and its HTML: it makes a tree of parts, gives each its
headers, compiles a pattern for each boundary, and copies the parts line by line. Such a message is put together here,
around the headers that Django makes; any other is left to Django. Both are the same to the byte.
"""

from __future__ import annotations

import random
import re
from email.generator import BytesGenerator
from email.message import Message
from email.policy import Compat32
from functools import lru_cache
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.message import sanitize_address

#: A header line of this length needs no fold (RFC 5322, 2.1.1).
LONGEST_LINE = 78
#: A part with a longer line is encoded, so that no line is (RFC 5322, 2.1.1).
LONGEST_LINE_OF_PART = 998

_LINE_END = re.compile(rb"\r\n|\r|\n")
_PART = b'Content-Type: text/%s; charset="utf-8"\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: %s\r\n\r\n%s'
_TWO_PARTS = (
    b'Content-Type: multipart/alternative;\r\n boundary="%(boundary)s"\r\nMIME-Version: 1.0\r\n%(headers)s\r\n'
    b"--%(boundary)s\r\n%(text)s\r\n--%(boundary)s\r\n%(html)s\r\n--%(boundary)s--\r\n"
)
#: The headers that a part has of its own, in lower case.
_OF_PART = frozenset({"content-type", "mime-version", "content-transfer-encoding"})


class ShortLines(Compat32):
    """As Django's messages are written, but that a header which needs no fold is not put through the folding."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        """The header with its line end."""
        line = f"{name}: {value}"
        if type(value) is str and len(line) <= LONGEST_LINE and line.isascii() and line.isprintable():
            return f"{line}{self.linesep}".encode("ascii")
        return super().fold_binary(name, value)


_SHORT_LINES = ShortLines(linesep="\r\n")


class _Built:
    """A message as the SMTP backend wants it from `EmailMessage.message()`: in bytes."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def as_bytes(self, unixfrom: bool = False, linesep: str = "\r\n") -> bytes:
        """The message with the line ends of SMTP; it is asked for no others."""
        assert not unixfrom
        assert linesep == "\r\n"
        return self._content


class BuiltMessage(EmailMessage):
    """A message whose MIME is built: whoever sends it, over whatever connection, sends the same bytes.

    `envelope` are its sender and its readers as the server is told them. Raises ValueError for an address that cannot
    be mailed.
    """

    def __init__(self, message: EmailMessage) -> None:
        super().__init__(
            message.subject,
            from_email=message.from_email,
            to=message.to,
            cc=message.cc,
            reply_to=message.reply_to,
            headers=message.extra_headers,
        )
        self.envelope = _in_envelope(self.from_email), [_in_envelope(address) for address in self.recipients()]
        parts = _two_parts(message)
        self._mime = _Built(self._around(*parts) if parts else _flattened(message.message()))

    def _around(self, text: bytes, html: bytes) -> bytes:
        """A text and its HTML with the headers of the message, which Django makes as of one without a body."""
        headers = b"".join(
            _SHORT_LINES.fold_binary(name, value)
            for name, value in super().message().raw_items()
            if name.lower() not in _OF_PART
        )
        boundary = _boundary_for(text, html)
        return _TWO_PARTS % {b"boundary": boundary, b"headers": headers, b"text": text, b"html": html}

    def message(self, **kwargs: Any) -> Any:
        """What the SMTP backend sends."""
        return self._mime


@lru_cache(maxsize=1_000)
def _in_envelope(address: str) -> str:
    """The address as Django's SMTP backend writes it. The sender is the same each time, and readers come again."""
    return sanitize_address(address, settings.DEFAULT_CHARSET)


def _flattened(message: Message) -> bytes:
    with BytesIO() as out:
        BytesGenerator(out, mangle_from_=False, policy=_SHORT_LINES).flatten(message)
        return out.getvalue()


def _two_parts(message: EmailMessage) -> tuple[bytes, bytes] | None:
    """The parts of a message that is a text and its HTML; None for any other, and for one that has to be encoded."""
    if type(message) is not EmailMultiAlternatives or message.attachments or not message.body or message.encoding:
        return None
    if len(message.alternatives) != 1:
        return None
    content, kind = message.alternatives[0]
    if kind != "text/html" or not isinstance(content, str):
        return None
    text, html = _part(b"plain", str(message.body)), _part(b"html", content)
    return (text, html) if text and html else None


def _part(kind: bytes, text: str) -> bytes | None:
    """A part of a message; None for a text that has to be encoded."""
    try:
        content = text.encode()
    except UnicodeEncodeError:
        return None
    content = _LINE_END.sub(b"\r\n", content) if b"\r" in content else content.replace(b"\n", b"\r\n")
    if max(map(len, content.split(b"\r\n"))) > LONGEST_LINE_OF_PART:
        return None
    return _PART % (kind, b"7bit" if text.isascii() else b"8bit", content)


def _boundary_for(*parts: bytes) -> bytes:
    """A boundary that stands in none of the parts, in the form that Python gives it."""
    while True:
        boundary = b"===============%019d==" % random.randrange(2**63)
        if not any(boundary in part for part in parts):
            return boundary
