"""The outbox: claim due mail, check that its reason still holds, send it, record the result (M1, M2).

A claim moves `send_at` ahead by a short lease (`cases.mail.leases`): other workers leave the row alone, and if the
worker dies another one takes the row after the lease. Mail that is sent twice after such a crash carries the same
Message-ID. No transaction is open while a mail server is spoken to.

Kinds of trouble are kept apart:

* The server puts one message off (4xx): that message backs off.
* The server refuses one message for good (5xx): whose trouble that is shows in what comes next. If the server takes
  another message, this one is tried once more at once, because the server may just have got well. If it is refused
  again between others that are taken, it was its own trouble, and it fails. After `REFUSALS_IN_A_ROW` to different
  readers it is the server's: what was refused waits with the rest, and nothing has failed.
* The server cannot be reached, or refuses us as a sender: everything waits and no attempt is counted.
* The connection breaks over a message: the message is tried once more over a new connection. If that breaks as well,
  the message backs off and the next one is sent, so that a message that breaks the server does not hold up the rest.
  After one that the server does not answer the round ends: waiting for it with each would hold up the rest for longer.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Q

from cases.enums import SECRET_MESSAGES, MailStatus, SendCondition, Severity, Status
from cases.mail.leases import Clock, Leases
from cases.mail.letters import facts, post, to_each
from cases.mail.messages import MESSAGES, Readers
from cases.mail.rendering import as_message, render
from cases.mail.server import Broken, MailServer, NotSent, NotTaken, ServerDown, TimedOut
from cases.models import Case, Mail, MailQuerySet
from cases.policy.mail_refusals import Whose
from cases.policy.severity import RANK
from contacts.directory import Addressee, Directory
from contacts.models import Contact

log = logging.getLogger(__name__)

#: The wait before the next attempt, by attempts made; after the last one a message has failed.
BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720, 1440))
#: A message with a promise is tried again no sooner than this.
SOON = timedelta(seconds=20)
#: So many messages in a row that break a fresh connection mean that the server is in trouble.
BREAKS_IN_A_ROW = 3
#: So many readers in a row who are refused, none taken between them, mean that the server refuses everybody.
REFUSALS_IN_A_ROW = 3
#: So many refusals in a row end a round, whether they are new or not.
REFUSALS_IN_A_ROUND = 20
#: A refusal that speaks of us counts as the message's own when it has lasted so long, while others are taken.
OWN_AFTER = timedelta(days=1)
#: A worker that is asked to stop waits so long for the answer to the message under way.
ENDS_WITHIN = 4  # seconds
TOO_LATE = "It could not be sent in time: what it says about when would not be true any more."


@dataclass
class Delivery:
    """What one round of delivery did."""

    sent: int = 0
    dropped: int = 0
    put_off: int = 0
    failed: int = 0


def never() -> bool:
    """Nobody asks this worker to stop."""
    return False


def deliver(
    clock: Clock, at_most: int = 5_000, *, keep: bool = False, stopping: Callable[[], bool] = never
) -> Delivery:
    """Send what is due, oldest first, until nothing is due, the server fails, or `at_most` were handled (M2).

    `clock` is asked for every message, because sending takes time. With `keep` every message is rendered and kept
    instead of sent, whatever the settings say. Once `stopping()` it ends between two messages and gives the rest back.
    """
    delivery_round = DeliveryRound(clock, MailServer(keep), stopping)
    try:
        with Leases(clock, delivery_round.watch) as delivery_round.leases:
            delivery_round.work(at_most)
    finally:
        delivery_round.server.close()
    return delivery_round.result


@dataclass(frozen=True)
class RefusedMail:
    """A message that was refused in this round, or refused `again` after another one was taken."""

    mail: Mail
    error: str
    whose: Whose
    again: bool


@dataclass
class DeliveryRound:
    """One round of delivery by one worker."""

    clock: Clock
    server: MailServer
    stopping: Callable[[], bool]
    result: Delivery = field(default_factory=Delivery)
    breaks: int = 0
    timed_out: bool = False
    refusals: list[RefusedMail] = field(default_factory=list)  # since the server took a message
    retried: set[int] = field(default_factory=set)
    asked_to_stop_at: float = 0
    leases: Leases = field(init=False)

    def work(self, at_most: int) -> None:
        """Claim and send, batch by batch."""
        handled = 0
        while handled < at_most and not self.stopping():
            mails = self.leases.claim()
            handled += len(mails)
            if not self._send_each(mails) or not (mails or self._fail_the_lonely()):
                break
        self._hold_refused()

    def watch(self) -> None:
        """From another thread: break off a message that takes too long once this worker is asked to stop."""
        if not self.stopping():
            return
        self.asked_to_stop_at = self.asked_to_stop_at or time.monotonic()
        if time.monotonic() - self.asked_to_stop_at >= ENDS_WITHIN and not self.server.is_cut:
            self.server.cut()

    def _send_each(self, mails: Sequence[Mail]) -> bool:
        """Send each. Returns False when the round is over; the rest then waits (M2)."""
        for index, mail in enumerate(mails):
            if self.stopping():
                self._give_back(mails[index:])
                return False
            try:
                self._send(mail)
            except ServerDown as error:
                self._wait_for_server([one for one in mails[index:] if one.status == MailStatus.QUEUED], str(error))
                return False
            if self.breaks >= BREAKS_IN_A_ROW or self._refuses_everybody() or self.timed_out:
                self._wait_for_server(mails[index + 1 :], mail.last_error)
                return False
        return True

    def _send(self, mail: Mail) -> None:
        stale = stale_reason(mail, self.clock())
        if stale:
            self._drop(mail, stale)
            return
        try:
            self.server.send(_build(mail))
        except ServerDown:
            raise
        except NotSent as error:
            self._not_sent(mail, error)
            return
        except Exception as error:  # a message that cannot be built must not stop the others (S2)
            log.exception("mail %s cannot be built", mail.pk)
            self._fail(mail, f"{type(error).__name__}: {error}")
            return
        # Outside the try, because the message has left: an error from here on must not mark it as failed.
        self._sent(mail)

    def _sent(self, mail: Mail) -> None:
        self.leases.let_go([mail])
        mail.sent_at = self.clock()
        mail.kept = self.server.keeps
        if mail.template in SECRET_MESSAGES and not mail.kept:
            mail.facts, mail.text, mail.html = {}, "", ""
        _settle(mail, MailStatus.SENT)
        self.result.sent += 1
        self.breaks = 0
        self._judge_refused(mail)

    def _drop(self, mail: Mail, why: str) -> None:
        self.leases.let_go([mail])
        drop(mail, why, self.clock())
        self.result.dropped += 1

    def _fail(self, mail: Mail, error: str) -> None:
        self.leases.let_go([mail])
        now = self.clock()
        with transaction.atomic():
            mail.failed_at = now
            if _settle(mail, MailStatus.FAILED, error):
                _tell_owner(mail, now)
                _recheck_wait(mail, now)
        self.result.failed += 1

    def _not_sent(self, mail: Mail, error: NotSent) -> None:
        mail.last_error = str(error)
        if isinstance(error, Broken) and self.server.is_cut:
            self._give_back([mail])
        elif isinstance(error, NotTaken):
            self._refused(RefusedMail(mail, str(error), error.whose, again=mail.pk in self.retried))
        elif mail.attempts >= len(BACK_OFF):
            self._fail(mail, str(error))
        else:
            self.breaks = self.breaks + 1 if isinstance(error, Broken) else 0
            self.timed_out = isinstance(error, TimedOut)
            self._back_off(mail)

    def _back_off(self, mail: Mail) -> None:
        """Try it again later; sooner, and uncounted, if it would come too late for its promise."""
        self.leases.let_go([mail])
        now = self.clock()
        wait = BACK_OFF[mail.attempts]
        mail.send_at = _next_try(mail, now, wait)
        mail.attempts += mail.send_at == now + wait
        _still_queued([mail]).update(
            send_at=mail.send_at, attempts=mail.attempts, last_error=mail.last_error, held_up_at=None
        )
        self.result.put_off += 1

    # --- refused for good, but by whose trouble? ---

    def _refused(self, refused: RefusedMail) -> None:
        """Keep it until something shows whose trouble it is; for one of an earlier round this is enough."""
        if refused.again and refused.mail.held_up_at is not None:
            self._fail(refused.mail, refused.error)
        else:
            self.refusals.append(refused)

    def _refuses_everybody(self) -> bool:
        new = [one.mail for one in self.refusals if not one.again and one.mail.held_up_at is None]
        readers = {mail.to_address.lower() for mail in new}
        return len(readers) >= REFUSALS_IN_A_ROW or len(self.refusals) >= REFUSALS_IN_A_ROUND

    def _judge_refused(self, taken: Mail) -> None:
        """The server has just taken a message: try what it refused before once more, fail what it refused twice."""
        before, self.refusals = self.refusals, []
        while before:
            refused = before.pop(0)
            if refused.whose is Whose.SERVER and not self._is_own_by_now(refused.mail, taken):
                self._hold(refused)
            elif refused.again:
                self._fail(refused.mail, refused.error)
            else:
                self._retry(refused, before)

    def _retry(self, refused: RefusedMail, others: Sequence[RefusedMail]) -> None:
        self.retried.add(refused.mail.pk)
        try:
            self._send(refused.mail)
        except ServerDown:
            self.refusals += [refused, *others]
            raise

    def _is_own_by_now(self, refused: Mail, taken: Mail) -> bool:
        """Whether a refusal that speaks of us is the message's own all the same: its neighbours pass, or for long."""
        since = refused.held_up_at
        return _domain(refused) == _domain(taken) or (since is not None and self.clock() - since > OWN_AFTER)

    def _fail_the_lonely(self) -> bool:
        """With nothing else to send, fail what was clearly refused for its address. Returns whether there was any."""
        lonely = [one for one in self.refusals if one.whose is Whose.OWN and one.mail.held_up_at is None]
        self.refusals = [one for one in self.refusals if one not in lonely]
        for refused in lonely:
            self._fail(refused.mail, refused.error)
        return bool(lonely)

    def _hold_refused(self) -> None:
        """Nothing has shown whose trouble these refusals are: none of them has failed, all are tried again."""
        for refused in self.refusals:
            self._hold(refused)
        self.refusals = []

    def _hold(self, refused: RefusedMail) -> None:
        """Try a refused message again, uncounted: within a minute at first, later each quarter of an hour."""
        mail, now = refused.mail, self.clock()
        so_far = now - mail.held_up_at if mail.held_up_at else timedelta(0)
        self._hold_up(mail, max(BACK_OFF[0], min(so_far / 4, BACK_OFF[2])), f"Refused: {refused.error}")

    # --- the server's trouble ---

    def _wait_for_server(self, mails: Sequence[Mail], error: str) -> None:
        """Let messages wait for the server, without counting an attempt."""
        log.warning("mail server: %s; %s messages wait", error, len(mails))
        for mail in mails:
            self._hold_up(mail, SOON if self.timed_out else BACK_OFF[0], f"The mail server could not be used: {error}")

    def _hold_up(self, mail: Mail, wait: timedelta, error: str) -> None:
        self.leases.let_go([mail])
        now = self.clock()
        _still_queued([mail]).update(
            send_at=_next_try(mail, now, wait), held_up_at=mail.held_up_at or now, last_error=error
        )
        self.result.put_off += 1

    def _give_back(self, mails: Sequence[Mail]) -> None:
        """Let messages be claimed again before their lease runs out."""
        self.leases.let_go(mails)
        _still_queued(mails).update(send_at=self.clock())


def _next_try(mail: Mail, now: datetime, wait: timedelta) -> datetime:
    """When to try again after `wait`; half-way to the moment by which the message is needed, if that is sooner (M2)."""
    needed_by = mail.needed_by or mail.send_by
    if needed_by is None or needed_by <= now:
        return now + wait
    return now + min(wait, max((needed_by - now) / 2, SOON))


def _domain(mail: Mail) -> str:
    return mail.to_address.rpartition("@")[2].lower()


def _still_queued(mails: Sequence[Mail]) -> MailQuerySet:
    return Mail.objects.filter(pk__in=[mail.pk for mail in mails], status=MailStatus.QUEUED)


def stale_reason(mail: Mail, now: datetime) -> str:
    """Why the reason for a message no longer holds at `now`, or "" while it does (M1)."""
    return (
        _why_no_longer(mail)
        or _why_nobody_there(mail)
        or (TOO_LATE if mail.send_by is not None and now > mail.send_by else "")
    )


def _why_no_longer(mail: Mail) -> str:
    if mail.holds == SendCondition.ALWAYS or mail.case_id is None:
        return ""
    status, episode, severity = Case.objects.values_list("status", "wait_episode", "severity").get(pk=mail.case_id)
    if mail.holds == SendCondition.OPEN:
        return "" if status != Status.RESOLVED else "The case was resolved before this was sent."
    if mail.holds == SendCondition.OWED:
        return _why_not_owed(mail, status)
    if status == Status.RESOLVED:
        return "The case was resolved before this was sent."
    if mail.holds == SendCondition.RAISED:
        lowered = RANK[Severity(severity)] > RANK[Severity(mail.facts["severity"])]
        return "The severity was lowered again before this was sent." if lowered else ""
    if status != Status.WAITING:
        return "The case no longer waits for the customer: they answered, or the question was taken back."
    return "" if episode == mail.episode else "A newer question has taken this one's place."


def _why_nobody_there(mail: Mail) -> str:
    """Nothing is sent to a contact who left, or to a company that is no customer any more (D9)."""
    message = MESSAGES.get(mail.template)
    if mail.case_id is None or message is None or message.to != Readers.CUSTOMER:
        return ""
    people = Contact.objects.filter(company__cases=mail.case_id, email__iexact=mail.to_address)
    left = people.filter(Q(active=False) | Q(company__active=False))
    return "The customer's contact had left before this was sent." if left.exists() else ""


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
    mail.held_up_at = None
    outcome = ("status", "last_error", "attempts", "sent_at", "failed_at", "held_up_at", "kept")
    fields = (*outcome, "facts", "subject", "text", "html")
    return _still_queued([mail]).update(**{name: getattr(mail, name) for name in fields}) == 1


def drop(mail: Mail, why: str, now: datetime) -> None:
    """Settle a queued message whose reason no longer holds (M1)."""
    with transaction.atomic():
        if _settle(mail, MailStatus.DROPPED, why):
            _recheck_wait(mail, now)


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


def send_again(mail: Mail, now: datetime) -> str:
    """Queue a message that failed once more, with the same Message-ID (M2).

    Returns why it is dropped instead, if its reason no longer holds (M1), else "". Raises ValueError if it did not
    fail.
    """
    again = Mail.objects.filter(pk=mail.pk, status__in=WENT_WRONG).update(
        status=MailStatus.QUEUED, send_at=now, attempts=0, sent_at=None, failed_at=None, held_up_at=None
    )
    if again != 1:
        raise ValueError("Only a message that failed can be sent again.")
    stale = stale_reason(mail, now)
    if stale:
        mail.attempts, mail.failed_at = 0, None
        drop(mail, stale, now)
    return stale


@dataclass(frozen=True)
class SentAgain:
    """What became of messages that somebody wants sent again."""

    queued: int
    dropped: int  # the reason no longer holds (M1)
    left: int  # they had not failed


def send_all_again(mails: Iterable[Mail], now: datetime) -> SentAgain:
    """Queue those of them that failed once more, each by itself (M2)."""
    what: Counter[str] = Counter()
    for mail in mails:
        try:
            what["dropped" if send_again(mail, now) else "queued"] += 1
        except ValueError:
            what["left"] += 1
    return SentAgain(what["queued"], what["dropped"], what["left"])
