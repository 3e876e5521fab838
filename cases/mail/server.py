"""The connection to the mail server, and what its answers mean for a message (M2)."""

from __future__ import annotations

import logging
import smtplib
import socket
from contextlib import suppress

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from cases.mail.mime import BuiltMessage
from cases.policy.mail_refusals import Whose, whose_refusal

log = logging.getLogger(__name__)

#: Seconds that each step of opening a connection may take: a worker that is asked to stop must not wait for long.
OPENS_WITHIN = 7
TOO_BIG = 552
CLOSING = 421
SMTP = "django.core.mail.backends.smtp.EmailBackend"
#: A backend that sends nothing.
KEEPING = "django.core.mail.backends.dummy.EmailBackend"


class NotSent(Exception):
    """The server took the connection but not this message, for now."""


class NotTaken(NotSent):
    """The server refused this message permanently; `whose` trouble that is."""

    def __init__(self, reason: str, whose: Whose) -> None:
        super().__init__(reason)
        self.whose = whose


class Broken(NotSent):
    """The connection broke over this message, though it was a fresh one."""


class TimedOut(Broken):
    """The server did not answer in time."""


class ServerDown(Exception):
    """The mail server cannot be used at all."""


class MailServer:
    """One reused connection to the mail server, opened when the first message needs it."""

    def __init__(self, keep: bool = False) -> None:
        self.backend = KEEPING if keep else None
        self.keeps = keep or settings.MAIL_IS_KEPT
        self.is_cut = False
        self._connection: BaseEmailBackend | None = None
        self._used = False  # whether the connection has been tried with a message

    @property
    def speaks_smtp(self) -> bool:
        """Whether a message goes there as MIME."""
        return not self.keeps and settings.EMAIL_BACKEND == SMTP

    @property
    def name(self) -> str:
        """What it is called, “smtp.example.com:587”; without a password."""
        return f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}" if self.speaks_smtp else settings.EMAIL_BACKEND

    def send(self, message: EmailMessage) -> None:
        """Hand a message over, over a fresh connection if the reused one turns out broken.

        Raises NotSent (NotTaken, Broken) or ServerDown.
        """
        fresh = not self._used
        try:
            self._hand_over(message)
        except Broken as error:
            if fresh or self.is_cut or isinstance(error, TimedOut):
                raise
            self._hand_over(message)

    def _hand_over(self, message: EmailMessage) -> None:
        connection, self._used = self.open(), True
        try:
            taken = _pass_on(connection, message)
        except (OSError, smtplib.SMTPException) as error:
            trouble = _trouble(error)
            if isinstance(trouble, Broken | ServerDown):
                self.close()
            raise trouble from error
        except BaseException:
            self.close()
            raise
        if taken != 1:
            raise NotTaken("There is no address to send it to.", Whose.OWN)

    def open(self) -> BaseEmailBackend:
        """The connection, opened unless it is open. Raises ServerDown."""
        if self._connection is None:
            connection = get_connection(self.backend, fail_silently=False)
            allowed = getattr(connection, "timeout", None)
            if allowed:
                connection.timeout = min(allowed, OPENS_WITHIN)  # type: ignore[attr-defined]
            try:
                connection.open()
            except (OSError, smtplib.SMTPException) as error:
                _hang_up(connection)
                raise ServerDown(str(error) or type(error).__name__) from error
            self._connection = connection
            if allowed and (line := self._line()):
                line.settimeout(allowed)
        return self._connection

    def _line(self) -> socket.socket | None:
        """The socket of an SMTP connection."""
        line: socket.socket | None = getattr(getattr(self._connection, "connection", None), "sock", None)
        return line

    def cut(self) -> None:
        """Break the connection off, from another thread than the one that waits for an answer."""
        self.is_cut = True
        if line := self._line():
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        connection, self._connection, self._used = self._connection, None, False
        if connection is not None:
            _hang_up(connection)


def _pass_on(connection: BaseEmailBackend, message: EmailMessage) -> int:
    """How many messages the server took; what is built for SMTP goes to it as it is."""
    server = getattr(connection, "connection", None)
    if not (isinstance(message, BuiltMessage) and isinstance(server, smtplib.SMTP)):
        return connection.send_messages([message]) or 0
    sender, readers = message.envelope
    if readers:
        server.sendmail(sender, readers, message.message().as_bytes())
    return 1 if readers else 0


def _hang_up(connection: BaseEmailBackend) -> None:
    try:
        connection.close()
    except (OSError, smtplib.SMTPException):
        log.info("the mail server was gone before the goodbye")


def _trouble(error: OSError | smtplib.SMTPException) -> NotSent | ServerDown:
    """Whether an error concerns this message (NotSent, NotTaken), the connection (Broken) or the server."""
    code: int
    reply: bytes | str
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, reply = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, reply = error.smtp_code, error.smtp_error
    else:
        status = getattr(error, "status_code", None)
        if status is not None:
            return _trouble_of_service(status, str(error).partition("\n")[0])
        timed_out = isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)
        return (TimedOut if timed_out else Broken)(str(error) or type(error).__name__)
    said = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    text = f"{code} {said}"
    if code == CLOSING or code < 0:
        return Broken(text)
    if isinstance(error, smtplib.SMTPSenderRefused) and code != TOO_BIG:
        return ServerDown(text)  # it refuses us, whatever the message
    return NotTaken(text, whose_refusal(code, said)) if code >= 500 else NotSent(text)


def _trouble_of_service(status: int, said: str) -> NotSent | ServerDown:
    """What an HTTP status of a mail service means: it refuses us or is in trouble, or it refuses this message."""
    text = f"HTTP {status}: {said}"
    if status in _REFUSES_US or status >= 500:
        return ServerDown(text)
    return NotTaken(text, Whose.UNCLEAR) if 400 <= status < 500 else NotSent(text)


#: Who are we, what do we owe, what may we do, does it exist, and not so fast.
_REFUSES_US = frozenset({401, 402, 403, 404, 429})
