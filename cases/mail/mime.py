"""The MIME of a message, built once however often it is tried (M2)."""

from __future__ import annotations

from email.generator import BytesGenerator
from email.message import Message
from email.policy import Compat32
from io import BytesIO
from typing import Any

from django.core.mail import EmailMessage

#: A header line of this length needs no fold (RFC 5322, 2.1.1).
LONGEST_LINE = 78


class ShortLines(Compat32):
    """As Django's messages are written, but that a header which needs no fold is not put through the folding."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        """The header with its line end."""
        line = f"{name}: {value}"
        if type(value) is str and len(line) <= LONGEST_LINE and line.isascii() and line.isprintable():
            return f"{line}{self.linesep}".encode("ascii")
        return super().fold_binary(name, value)


_SHORT_LINES = ShortLines()


class _Built:
    """A message as the SMTP backend wants it from `EmailMessage.message()`: in bytes."""

    def __init__(self, message: Message) -> None:
        with BytesIO() as out:
            BytesGenerator(out, mangle_from_=False, policy=_SHORT_LINES).flatten(message, linesep="\r\n")
            self._content = out.getvalue()

    def as_bytes(self, unixfrom: bool = False, linesep: str = "\r\n") -> bytes:
        """The message with the line ends of SMTP; it is asked for no others."""
        assert not unixfrom
        assert linesep == "\r\n"
        return self._content


class BuiltMessage(EmailMessage):
    """A message whose MIME is built: whoever sends it, over whatever connection, sends the same bytes."""

    def __init__(self, message: EmailMessage) -> None:
        super().__init__(message.subject, from_email=message.from_email, to=message.to, headers=message.extra_headers)
        self._mime = _Built(message.message())

    def message(self, **kwargs: Any) -> Any:
        """What the SMTP backend sends."""
        return self._mime
