"""The outbox: claim due mail, check that its reason still holds, send it, record the result (M1, M2).

A claim moves `send_at` ahead by a lease: other workers leave the row alone, and if the worker dies another one takes
the row after the lease. Mail that is sent twice after such a crash carries the same Message-ID. No transaction is open
while a mail server is spoken to.

Three kinds of trouble are kept apart:

* The server refuses one message (its address, its content): that message backs off or fails.
* The server cannot be reached, or refuses us as a sender: everything waits and no attempt is counted.
* The connection breaks over a message: the message is tried once more over a new connection. If that breaks as well,
  the message backs off and the next one is sent, so that a message that breaks the server does not hold up the rest.
"""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction

from cases.enums import SECRET_MESSAGES, MailStatus, SendCondition, Status
from cases.mail.letters import facts, post, to_each
from cases.mail.rendering import as_message, render
from cases.models import Case, Mail, MailQuerySet
from contacts.directory import Addressee, Directory

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

LEASE = timedelta(minutes=10)
#: A slow batch is given back after this time, long before its lease ends.
WORK_FOR = LEASE / 2
CLAIM = 50
#: The wait before the next attempt, by attempts made; after the last one a message has failed.
BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720, 1440))
#: So many messages in a row that break a fresh connection mean that the server is in trouble.
BREAKS_IN_A_ROW = 3
TOO_BIG = 552
CLOSING = 421
TOO_LATE = "It could not be sent in time: what it says about when would not be true any more."
#: A backend that sends nothing.
KEEPING = "django.core.mail.backends.dummy.EmailBackend"


@dataclass
class Delivery:
    """What one round of delivery did."""

    sent: int = 0
    dropped: int = 0
    put_off: int = 0
    failed: int = 0


class NotSent(Exception):
    """The server took the connection but not this message; `permanent` when trying again is no use."""

    def __init__(self, reason: str, permanent: bool = False) -> None:
        super().__init__(reason)
        self.permanent = permanent


class Broken(NotSent):
    """The connection broke over this message, though it was a fresh one."""


class ServerDown(Exception):
    """The mail server cannot be used at all."""


def deliver(clock: Clock, at_most: int = 5_000, *, keep: bool = False) -> Delivery:
    """Send what is due, oldest first, until nothing is due, the server fails, or `at_most` were handled (M2).

    `clock` is asked for every message, because sending takes time. With `keep` every message is rendered and kept
    instead of sent, whatever the settings say.
    """
    result = Delivery()
    handled = 0
    server = MailServer(keep)
    try:
        while handled < at_most:
            mails = _claim(clock())
            if not mails:
                break
            handled += len(mails)
            if not DeliveryBatch(mails, server, clock, result).send():
                break
    finally:
        server.close()
    return result


def _claim(now: datetime) -> list[Mail]:
    with transaction.atomic():
        mails = list(Mail.objects.to_send(now).select_for_update(skip_locked=True)[:CLAIM])
        Mail.objects.filter(pk__in=[mail.pk for mail in mails]).update(send_at=now + LEASE)
    return mails


class MailServer:
    """One reused connection to the mail server, opened when the first message needs it."""

    def __init__(self, keep: bool = False) -> None:
        self.backend = KEEPING if keep else None
        self.keeps = keep or settings.MAIL_IS_KEPT
        self._connection: BaseEmailBackend | None = None

    def send(self, message: EmailMultiAlternatives) -> None:
        """Hand a message over, over a fresh connection if the reused one turns out broken.

        Raises NotSent, Broken or ServerDown.
        """
        fresh = self._connection is None
        try:
            self._hand_over(message)
        except Broken:
            if fresh:
                raise
            self._hand_over(message)

    def _hand_over(self, message: EmailMultiAlternatives) -> None:
        connection = self._open()
        try:
            taken = connection.send_messages([message])
        except (OSError, smtplib.SMTPException) as error:
            trouble = _trouble(error)
            if type(trouble) is not NotSent:
                self.close()
            raise trouble from error
        except BaseException:
            self.close()
            raise
        if taken != 1:
            raise NotSent("There is no address to send it to.", permanent=True)

    def _open(self) -> BaseEmailBackend:
        if self._connection is None:
            connection = get_connection(self.backend, fail_silently=False)
            try:
                connection.open()
            except (OSError, smtplib.SMTPException) as error:
                raise ServerDown(str(error) or type(error).__name__) from error
            self._connection = connection
        return self._connection

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except (OSError, smtplib.SMTPException):
                log.info("the mail server was gone before the goodbye")


def _trouble(error: OSError | smtplib.SMTPException) -> NotSent | ServerDown:
    """Whether an error concerns this message (NotSent), the connection (Broken) or the server (ServerDown)."""
    code: int
    reply: bytes | str
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, reply = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, reply = error.smtp_code, error.smtp_error
    else:
        return Broken(str(error) or type(error).__name__)
    text = f"{code} {reply.decode('utf-8', 'replace') if isinstance(reply, bytes) else reply}"
    if code == CLOSING or code < 0:
        return Broken(text)
    if isinstance(error, smtplib.SMTPSenderRefused) and code != TOO_BIG:
        return ServerDown(text)  # it refuses us, whatever the message
    return NotSent(text, permanent=code >= 500)


@dataclass
class DeliveryBatch:
    """Claimed messages that are being sent."""

    mails: Sequence[Mail]
    server: MailServer
    clock: Clock
    result: Delivery
    breaks: int = 0

    def send(self) -> bool:
        """Send each. Returns False when the server cannot be used; the rest then waits (M2)."""
        until = self.clock() + WORK_FOR
        for index, mail in enumerate(self.mails):
            if self.clock() >= until:
                _give_back(self.mails[index:], self.clock())
                return True
            try:
                self._send(mail)
            except ServerDown as error:
                self._release(self.mails[index:], str(error))
                return False
            if self.breaks >= BREAKS_IN_A_ROW:
                self._release(self.mails[index + 1 :], mail.last_error)
                return False
        return True

    def _send(self, mail: Mail) -> None:
        stale = stale_reason(mail, self.clock())
        if stale:
            with transaction.atomic():
                if _settle(mail, MailStatus.DROPPED, stale):
                    _recheck_wait(mail, self.clock())
            self.result.dropped += 1
            return
        try:
            self.server.send(_build(mail))
        except ServerDown:
            raise
        except NotSent as error:
            self.breaks = self.breaks + 1 if isinstance(error, Broken) else 0
            self._not_sent(mail, str(error), error.permanent)
            return
        except Exception as error:  # a message that cannot be built must not stop the others (S2)
            log.exception("mail %s cannot be built", mail.pk)
            self._not_sent(mail, f"{type(error).__name__}: {error}", permanent=True)
            return
        # Outside the try, because the message has left: an error from here on must not mark it as failed.
        self.breaks = 0
        mail.sent_at = self.clock()
        mail.kept = self.server.keeps
        if mail.template in SECRET_MESSAGES and not mail.kept:
            mail.facts, mail.text, mail.html = {}, "", ""
        _settle(mail, MailStatus.SENT)
        self.result.sent += 1

    def _not_sent(self, mail: Mail, error: str, permanent: bool) -> None:
        if permanent or mail.attempts >= len(BACK_OFF):
            with transaction.atomic():
                if _settle(mail, MailStatus.FAILED, error):
                    _tell_owner(mail, self.clock())
                    _recheck_wait(mail, self.clock())
            self.result.failed += 1
            return
        mail.send_at = self.clock() + BACK_OFF[mail.attempts]
        mail.attempts += 1
        mail.last_error = error
        mail.save(update_fields=["send_at", "attempts", "last_error"])
        self.result.put_off += 1

    def _release(self, mails: Sequence[Mail], error: str) -> None:
        """Let messages wait for the server, without counting an attempt."""
        self.result.put_off += len(mails)
        log.warning("mail server: %s; %s messages wait", error, len(mails))
        _still_queued(mails).update(
            send_at=self.clock() + BACK_OFF[0], last_error=f"The mail server could not be used: {error}"
        )


def _give_back(mails: Sequence[Mail], now: datetime) -> None:
    """Let messages be claimed again before their lease runs out."""
    _still_queued(mails).update(send_at=now)


def _still_queued(mails: Sequence[Mail]) -> MailQuerySet:
    return Mail.objects.filter(pk__in=[mail.pk for mail in mails], status=MailStatus.QUEUED)


def stale_reason(mail: Mail, now: datetime) -> str:
    """Why the reason for a message no longer holds at `now`, or "" while it does (M1)."""
    return _why_no_longer(mail) or (TOO_LATE if mail.send_by is not None and now > mail.send_by else "")


def _why_no_longer(mail: Mail) -> str:
    if mail.holds == SendCondition.ALWAYS or mail.case_id is None:
        return ""
    status, episode = Case.objects.values_list("status", "wait_episode").get(pk=mail.case_id)
    if mail.holds == SendCondition.OPEN:
        return "" if status != Status.RESOLVED else "The case was resolved before this was sent."
    if mail.holds == SendCondition.OWED:
        return _why_not_owed(mail, status)
    if status == Status.RESOLVED:
        return "The case was resolved before this was sent."
    if status != Status.WAITING:
        return "The case no longer waits for the customer: they answered, or the question was taken back."
    return "" if episode == mail.episode else "A newer question has taken this one's place."


def _why_not_owed(mail: Mail, status: str) -> str:
    """Why a status update is not owed any more (T2)."""
    if status == Status.RESOLVED:
        return "The case was resolved before this was sent."
    if status == Status.WAITING:
        return "The case waits for the customer now, so no update is owed."
    newer = Mail.objects.filter(
        case=mail.case_id,
        template=mail.template,
        to_address=mail.to_address,
        status__in=(MailStatus.QUEUED, MailStatus.SENT),
        pk__gt=mail.pk,
    )
    return "A newer update has taken this one's place." if newer.exists() else ""


def _build(mail: Mail) -> EmailMultiAlternatives:
    """The message, rendered into its row (M1)."""
    rendered = render(mail)
    mail.subject, mail.text, mail.html = rendered.subject, rendered.text, rendered.html
    return as_message(mail, rendered)


def _settle(mail: Mail, status: MailStatus, error: str = "") -> bool:
    """Record the result for a message; False if another worker has done so already."""
    mail.status = status
    mail.last_error = error
    mail.attempts += status != MailStatus.DROPPED
    fields = ("status", "last_error", "attempts", "sent_at", "kept", "facts", "subject", "text", "html")
    return _still_queued([mail]).update(**{name: getattr(mail, name) for name in fields}) == 1


def _recheck_wait(mail: Mail, now: datetime) -> None:
    """A message of a waiting plan got lost: have the plan checked at once (F2, F3)."""
    if mail.holds == SendCondition.WAITING and mail.case_id is not None:
        waiting = Case.objects.filter(pk=mail.case_id, status=Status.WAITING, wait_episode=mail.episode)
        waiting.recheck("follow_up", now)


def _tell_owner(mail: Mail, now: datetime) -> None:
    """Mail the owner, or the fallback, about a failed message (M2, D5); not if that was such a mail itself."""
    if mail.template == "mail_failed":
        return
    case = None
    if mail.case_id:
        case = Case.objects.select_related("company", "contact", "owner").get(pk=mail.case_id)
    owner = case.owner if case else None
    readers = _other_than(mail.to_address, Directory().for_user(owner, "Owner"))
    if not readers:  # it was the owner's own mail that failed
        readers = _other_than(mail.to_address, Directory().fallback(f"Owner ({owner})", None))
    what = {
        "failed": {"to": mail.to_address, "subject": mail.subject or mail.template, "error": mail.last_error},
        "why": "you own this case" if case else "you look after the desk",
        "expected": "Correct the address or reach the reader in another way, then send the message again.",
        "next": "Nothing more is tried by itself.",
    }
    if case is not None:
        what = {**facts(case, why="", expected="", then=""), **what}
    # The moment is part of the key: a message that was sent again may fail again.
    post(to_each(readers, f"failed:{mail.pk}:{now.isoformat()}", "mail_failed", what, case), now)


def _other_than(address: str, readers: Sequence[Addressee]) -> list[Addressee]:
    return [reader for reader in readers if reader.address.lower() != address.lower()]


WENT_WRONG = (MailStatus.FAILED, MailStatus.BOUNCED)


def can_go_again(mail: Mail) -> bool:
    return mail.status in WENT_WRONG


def send_again(mail: Mail, now: datetime) -> None:
    """Queue a message that failed once more, with the same Message-ID. Raises ValueError if it did not fail."""
    again = Mail.objects.filter(pk=mail.pk, status__in=WENT_WRONG).update(
        status=MailStatus.QUEUED, send_at=now, attempts=0, sent_at=None
    )
    if again != 1:
        raise ValueError("Only a message that failed can be sent again.")
