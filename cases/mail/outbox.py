"""The outbox: claim what is due, check that it is still true, send it, write down what became of it (M1, M2).

A claim moves `send_at` ahead by a lease, so another worker leaves the row alone and a worker that dies is followed
by the next one after the lease. What is sent twice after such a crash carries the same Message-ID. No transaction is
open while a mail server is spoken to.
"""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction

from cases.mail.letters import Letter, facts, post
from cases.mail.rendering import as_message, render
from cases.models import Case, Mail
from cases.terms import Holds, MailStatus, Status
from contacts.directory import Addressee, Directory

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

LEASE = timedelta(minutes=10)
CLAIM = 50
#: How long to wait before the next try, by tries made; after the last one a message has failed for good.
BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720, 1440))


@dataclass
class Delivery:
    """What one round of delivery did."""

    sent: int = 0
    dropped: int = 0
    put_off: int = 0
    failed: int = 0


def deliver(clock: Clock, at_most: int = 5_000) -> Delivery:
    """Send what is due, oldest first, until nothing is due, the server fails, or `at_most` were handled (M2)."""
    result = Delivery()
    handled = 0
    with_server = _Server()
    try:
        while handled < at_most:
            mails = _claim(clock())
            if not mails:
                break
            handled += len(mails)
            if not _send_all(mails, with_server, clock, result):
                break
    finally:
        with_server.close()
    return result


def _claim(now: datetime) -> list[Mail]:
    with transaction.atomic():
        mails = list(Mail.objects.to_send(now).select_for_update(skip_locked=True)[:CLAIM])
        Mail.objects.filter(pk__in=[mail.pk for mail in mails]).update(send_at=now + LEASE)
    return mails


class _Server:
    """One reused connection to the mail server, opened when the first message needs it."""

    def __init__(self) -> None:
        self._connection: BaseEmailBackend | None = None

    def connection(self) -> BaseEmailBackend:
        """The open connection. Raises OSError or SMTPException when the server cannot be reached."""
        if self._connection is None:
            connection = get_connection(fail_silently=False)
            connection.open()
            self._connection = connection
        return self._connection

    def close(self) -> None:
        """Say goodbye; a server that is gone already is no trouble."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except (OSError, smtplib.SMTPException):
                log.info("the mail server was gone before the goodbye")


def _send_all(mails: Sequence[Mail], server: _Server, clock: Clock, result: Delivery) -> bool:
    """Send each; False when the server itself fails: then the rest is released and waits for its turn (M2)."""
    for index, mail in enumerate(mails):
        untrue = why_untrue(mail)
        if untrue:
            _settle(mail, MailStatus.DROPPED, error=untrue)
            result.dropped += 1
            continue
        try:
            _send(mail, server, clock)
            result.sent += 1
        except smtplib.SMTPException as error:
            code, said = _answer(error)
            server.close()
            if code is None:
                _release(mails[index:], said, clock, result)
                return False
            _not_sent(mail, f"{code} {said}", permanent=code >= 500, clock=clock, result=result)
        except OSError as error:
            server.close()
            _release(mails[index:], str(error) or type(error).__name__, clock, result)
            return False
        except Exception as error:  # a message that cannot be built must not stop the others (S2)
            log.exception("mail %s cannot be built", mail.pk)
            _not_sent(mail, f"{type(error).__name__}: {error}", permanent=True, clock=clock, result=result)
    return True


def _answer(error: smtplib.SMTPException) -> tuple[int | None, str]:
    """What the server answered about this one message: its code, or None when the server itself is the trouble."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPDataError):
        code, said = error.smtp_code, error.smtp_error
    else:
        return None, str(error) or type(error).__name__
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return (None if code == 421 else code), text


def why_untrue(mail: Mail) -> str:
    """Why the reason for a message no longer holds, or "" while it does (M1)."""
    if mail.holds == Holds.ALWAYS or mail.case_id is None:
        return ""
    status, episode = Case.objects.values_list("status", "wait_episode").get(pk=mail.case_id)
    if mail.holds == Holds.OPEN:
        return "" if status != Status.RESOLVED else "The case was resolved before this was sent."
    if status == Status.RESOLVED:
        return "The case was resolved before this was sent."
    if status != Status.WAITING:
        return "The case no longer waits for the customer: they answered, or the question was taken back."
    return "" if episode == mail.episode else "A newer question has taken this one's place."


def _send(mail: Mail, server: _Server, clock: Clock) -> None:
    rendered = render(mail)
    mail.subject, mail.text, mail.html = rendered.subject, rendered.text, rendered.html
    message = as_message(mail, rendered)
    server.connection().send_messages([message])
    mail.sent_at = clock()
    mail.kept = settings.MAIL_IS_KEPT
    _settle(mail, MailStatus.SENT)


def _settle(mail: Mail, status: MailStatus, error: str = "") -> None:
    mail.status = status
    mail.last_error = error
    mail.attempts += 1
    mail.save(update_fields=["status", "last_error", "attempts", "sent_at", "kept", "subject", "text", "html"])


def _not_sent(mail: Mail, error: str, permanent: bool, clock: Clock, result: Delivery) -> None:
    if permanent or mail.attempts >= len(BACK_OFF):
        with transaction.atomic():
            _settle(mail, MailStatus.FAILED, error)
            _tell_owner(mail, clock())
        result.failed += 1
        return
    mail.send_at = clock() + BACK_OFF[mail.attempts]
    mail.attempts += 1
    mail.last_error = error
    mail.save(update_fields=["send_at", "attempts", "last_error"])
    result.put_off += 1


def _release(mails: Sequence[Mail], error: str, clock: Clock, result: Delivery) -> None:
    """Give claimed messages back: the server's trouble is not theirs, so no try is counted against them."""
    result.put_off += len(mails)
    log.warning("mail server: %s; %s messages wait", error, len(mails))
    Mail.objects.filter(pk__in=[mail.pk for mail in mails]).update(
        send_at=clock() + BACK_OFF[0], last_error=f"The mail server could not be used: {error}"
    )


def _tell_owner(mail: Mail, now: datetime) -> None:
    """A permanent failure tells the owner (M2), or whoever stands in for them (D5); never about its own kind."""
    if mail.template == "mail_failed":
        return
    case = None
    if mail.case_id:
        case = Case.objects.select_related("company", "contact", "owner").get(pk=mail.case_id)
    readers = Directory().for_user(case.owner if case else None, "Owner")
    what = {
        "failed": {"to": mail.to_address, "subject": mail.subject or mail.template, "error": mail.last_error},
        "why": "you own this case" if case else "you look after the desk",
        "expected": "Correct the address or reach the reader in another way, then send the message again.",
        "next": "Nothing more is tried by itself.",
    }
    if case is not None:
        what = {**facts(case, why="", expected="", then=""), **what}
    post([_failure_letter(mail, reader, what, case) for reader in readers], now)


def _failure_letter(mail: Mail, reader: Addressee, what: dict[str, object], case: Case | None) -> Letter:
    return Letter(f"failed:{mail.pk}:{mail.attempts}:{reader.address}", "mail_failed", reader, what, case)


def send_again(mail: Mail, now: datetime) -> None:
    """Queue a message that failed once more, with the same Message-ID. Raises ValueError if it did not fail."""
    again = Mail.objects.filter(pk=mail.pk, status__in=[MailStatus.FAILED, MailStatus.BOUNCED]).update(
        status=MailStatus.QUEUED, send_at=now, attempts=0
    )
    if again != 1:
        raise ValueError("Only a message that failed can be sent again.")
