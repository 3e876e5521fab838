"""The outbox: claim due mail, check that its reason still holds, send it, record the result (M1, M2).

A claim moves `send_at` ahead by a short lease (`cases.mail.leases`): other workers leave the row alone, and if the
worker dies another one takes the row after the lease. Mail that is sent twice after such a crash carries the same
Message-ID. No transaction is open while a mail server is spoken to.

One thread claims, checks, renders, judges and writes, all of it for many messages at once; `cases.mail.connections`
sends over several connections. What was taken is written within `SETTLED_WITHIN` seconds or after `SETTLED_TOGETHER`
messages: so many at most are repeated after a crash. The reason of a message was found to hold at most two seconds
before its connection begins with it (M1).

Kinds of trouble are kept apart:

* The server puts one message off (4xx): that message backs off.
* The server refuses one message for good (5xx): whose trouble that is shows in what comes next. If the server takes
  another message that was handed over later, this one is tried once more at once, because the server may just have got
  well. If it is refused again between others that are taken, it was its own trouble, and it fails. After
  `REFUSALS_IN_A_ROW` to different readers it is the server's: what was refused waits with the rest, and nothing has
  failed.
* The server cannot be reached, or refuses us as a sender: everything waits and no attempt is counted.
* The connection breaks over a message: the message is tried once more over a new connection. If that breaks as well,
  the message backs off and the next one is sent, so that a message that breaks the server does not hold up the rest.
  After one that the server does not answer the round ends, unless others pass meanwhile: waiting for it with each would
  hold up the rest for longer.

A round begins with one message, and goes on with one at a time while the server is in doubt: what it is given in vain
are a few messages, however many connections there are. A server in trouble is left alone for a while by every worker
(`cases.mail.circuit`).
"""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.core.mail import EmailMessage
from django.db import connection, transaction

from cases.bulk import update_columns
from cases.enums import SECRET_MESSAGES, WENT_WRONG, MailStatus
from cases.files.store import FileMissing
from cases.mail.circuit import Circuit
from cases.mail.connections import FRESH, Connections, Sending, TooLongAgo
from cases.mail.files import attach_files, enclose
from cases.mail.leases import CLAIM, Clock, Leases, lease
from cases.mail.lost import after_arrival, after_loss, recheck_wait
from cases.mail.mime import BuiltMessage
from cases.mail.reasons import stale_reason, stale_reasons
from cases.mail.refusals import Refusals, RefusedMail
from cases.mail.rendering import Lines, as_message, load_lines, render
from cases.mail.server import Broken, NotSent, NotTaken, ServerDown, TimedOut
from cases.mail.service import name_for_service
from cases.models import Mail, MailQuerySet

log = logging.getLogger(__name__)

#: The wait before the next attempt, by attempts made; after the last one a message has failed.
BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720, 1440))
#: A message with a promise is tried again no sooner than this.
SOON = timedelta(seconds=20)
#: So many messages in a row that break a fresh connection mean that the server is in trouble.
BREAKS_IN_A_ROW = 3
#: With so many refusals of which nothing is known yet the server is in doubt.
REFUSALS_IN_DOUBT = 2
#: A worker that is asked to stop waits so long for the answer to the messages under way.
ENDS_WITHIN = 4  # seconds
#: What was taken is written after so many messages, or seconds.
SETTLED_TOGETHER, SETTLED_WITHIN = 50, 0.25
#: While what was claimed is sent within `CLAIM_LASTS` seconds the next claim is larger, up to this.
LARGEST_CLAIM, CLAIM_LASTS, CLAIM_GROWS = 100, 1.0, 4
#: Seconds to wait for something to be done before it is looked again whether this worker should stop.
LOOKS_UP = 0.2
#: What is written of a message that was taken.
_TAKEN = ("status", "last_error", "attempts", "sent_at", "held_up_at", "kept", "subject", "text", "html")
_STILL_QUEUED = ("status", MailStatus.QUEUED.value)


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
    """Send what is due until nothing is, the server fails, or `at_most` were handled (M2): what keeps a promise first,
    then the oldest.

    `clock` is asked for every message, because sending takes time. With `keep` every message is rendered and kept
    instead of sent, whatever the settings say. Once `stopping()` it ends between two messages and gives the rest back.
    """
    connections = Connections(keep)
    circuit = Circuit(connections.name)
    if not connections.keeps and not circuit.lets_pass(clock()):
        return Delivery()
    delivery_round = DeliveryRound(clock, connections, circuit, stopping)
    try:
        with Leases(clock, delivery_round.watch) as delivery_round.leases:
            delivery_round.work(at_most)
    finally:
        connections.close()
    return delivery_round.result


@dataclass
class Claimed:
    """A claimed message that waits for a connection; one that was tried before brings what was built then."""

    mail: Mail
    checked_at: float  # on the monotonic clock
    message: EmailMessage | None = None


@dataclass
class DeliveryRound:
    """One round of delivery by one worker."""

    clock: Clock
    connections: Connections
    circuit: Circuit
    stopping: Callable[[], bool]
    result: Delivery = field(default_factory=Delivery)
    waiting: deque[Claimed] = field(default_factory=deque)
    refusals: Refusals = field(default_factory=Refusals)
    taken: list[Mail] = field(default_factory=list)  # and not written yet
    trouble: str = ""  # the server's, which ends the round
    breaks: int = 0
    timed_out: bool = False
    handed_over: int = 0
    last_taken: int = 0  # the highest number of those that were taken
    claimed: int = 0
    claims: int = CLAIM
    claimed_at: float = 0
    nothing_due: bool = False
    taken_since: float = 0
    lines: Lines = field(default_factory=dict)  # of those that wait
    asked_to_stop_at: float = 0
    leases: Leases = field(init=False)

    def work(self, at_most: int) -> None:
        """Claim and send until nothing is due, the server is in trouble, or the worker is asked to stop."""
        try:
            while not self.trouble and not self.stopping():
                self._claim(at_most)
                if self.waiting and self._has_room:
                    self._hand_over_next()
                elif not self.waiting and not self.connections.under_way and not self._fail_the_lonely():
                    break
                self._take_back(0 if self.waiting and self._has_room else LOOKS_UP)
                self._write_taken_if_due()
            self._leave()
        finally:
            self._write_taken_at_last()

    def watch(self) -> None:
        """From another thread: break off what takes too long once this worker is asked to stop."""
        if not self.stopping():
            return
        self.asked_to_stop_at = self.asked_to_stop_at or time.monotonic()
        if time.monotonic() - self.asked_to_stop_at >= ENDS_WITHIN and not self.connections.is_cut:
            self.connections.cut()

    # --- on the way out ---

    @property
    def _has_room(self) -> bool:
        """Whether another message may be handed over: one at a time while the server is in doubt."""
        most = self.connections.most
        in_doubt = not self.last_taken or self.breaks or self.refusals.open >= REFUSALS_IN_DOUBT
        # One more than is sent waits for each connection, so that none waits for this thread.
        return self.connections.under_way < (1 if in_doubt or most == 1 else 2 * most)

    def _claim(self, at_most: int) -> None:
        left = at_most - self.claimed
        if self.nothing_due or left <= 0 or len(self.waiting) >= self.connections.most:
            return
        if self.claimed and time.monotonic() - self.claimed_at < CLAIM_LASTS:
            self.claims = min(CLAIM_GROWS * self.claims, LARGEST_CLAIM)
        mails = self.leases.claim(min(self.claims, left))
        self.claimed, self.claimed_at = self.claimed + len(mails), time.monotonic()
        self.nothing_due = not mails
        self.waiting += self._check([Claimed(mail, 0) for mail in mails])

    def _check(self, waiting: Sequence[Claimed]) -> list[Claimed]:
        """Those whose reasons hold; the others are dropped (M1)."""
        checked_at = time.monotonic()
        stale = stale_reasons([one.mail for one in waiting], self.clock())
        for one in waiting:
            one.checked_at = checked_at
            if one.mail.pk in stale:
                self._drop(one.mail, stale[one.mail.pk])
        self.lines |= load_lines(one.mail for one in waiting if one.mail.case_id not in self.lines)
        return [one for one in waiting if one.mail.pk not in stale]

    def _hand_over_next(self) -> None:
        if time.monotonic() - self.waiting[0].checked_at > FRESH:
            self.waiting = deque(self._check(self.waiting))
        while self.waiting:
            one = self.waiting.popleft()
            message = one.message or self._build(one.mail)
            if message is not None:
                self.handed_over += 1
                sending = Sending(one.mail, message, self.handed_over, one.checked_at)
                self.connections.hand_over(sending, len(self.waiting))
                return

    def _build(self, mail: Mail) -> EmailMessage | None:
        """The message of a row; None for one that cannot be built: it has failed, and stops no other (S2)."""
        try:
            return _built(mail, self.lines, self.connections.speaks_smtp)
        except FileMissing as error:
            self._fail(mail, f"{error} Write again, with the file.")
        except Exception as error:
            self._cannot_be_sent(mail, error)
        return None

    def _cannot_be_sent(self, mail: Mail, error: Exception) -> None:
        log.error("mail %s cannot be sent", mail.pk, exc_info=error)
        self._fail(mail, f"{type(error).__name__}: {error}")

    # --- on the way back ---

    def _take_back(self, seconds: float) -> None:
        """See what became of messages; wait so long for the first."""
        while (sending := self.connections.take(seconds)) is not None:
            self._settle_one(sending)
            seconds = 0

    def _settle_one(self, sending: Sending) -> None:
        mail, error = sending.mail, sending.error
        if error is None:
            self._sent(sending)
        elif isinstance(error, TooLongAgo):
            self.waiting.appendleft(Claimed(mail, 0, sending.message))
        elif isinstance(error, ServerDown):
            self._end_with_trouble(str(error))
            self._wait_for_server([mail])
        elif isinstance(error, NotSent):
            self._not_sent(sending, error)
        else:
            self._cannot_be_sent(mail, error)

    def _sent(self, sending: Sending) -> None:
        mail = sending.mail
        mail.status, mail.last_error, mail.held_up_at = MailStatus.SENT.value, "", None
        mail.sent_at, mail.kept = self.clock(), self.connections.keeps
        mail.attempts += 1
        self.taken_since = self.taken_since if self.taken else time.monotonic()
        self.taken.append(mail)
        self.result.sent += 1
        self.last_taken, self.breaks = max(self.last_taken, sending.number), 0
        self.circuit.close()
        if self.refusals.open:
            self._judge_refused(sending)

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
                after_loss(mail, now)
        self.nothing_due = False  # the owner is told
        self.result.failed += 1

    def _not_sent(self, sending: Sending, error: NotSent) -> None:
        mail = sending.mail
        mail.last_error = str(error)
        if isinstance(error, Broken) and self.connections.is_cut:
            self._give_back([mail])
        elif isinstance(error, Broken) and self.trouble:
            self._wait_for_server([mail])
        elif isinstance(error, NotTaken):
            if failed := self.refusals.add(sending, error, self.handed_over):
                self._fail(failed.mail, str(failed.error))
        elif mail.attempts >= len(BACK_OFF):
            self._fail(mail, str(error))
        else:
            self._count_break(sending, error)
            self._back_off(mail)
        refused = not self.connections.under_way and self.refusals.of_everybody
        if self.breaks >= BREAKS_IN_A_ROW or refused or self.timed_out:
            self._end_with_trouble(mail.last_error)

    def _count_break(self, sending: Sending, error: NotSent) -> None:
        """A connection that breaks is the message's own trouble if a later one was taken meanwhile."""
        if not isinstance(error, Broken):
            self.breaks = 0
        elif sending.number > self.last_taken:
            self.breaks += 1
            self.timed_out = isinstance(error, TimedOut)

    def _back_off(self, mail: Mail) -> None:
        """Try it again later; sooner, and uncounted, if it would come too late for its promise."""
        self.leases.let_go([mail])
        now = self.clock()
        wait = BACK_OFF[mail.attempts]
        mail.send_at = _next_try(mail, now, wait)
        mail.attempts += mail.send_at == now + wait
        _still_queued(mail).update(
            send_at=mail.send_at, attempts=mail.attempts, last_error=mail.last_error, held_up_at=None
        )
        self.result.put_off += 1

    # --- what was taken is written together ---

    def _write_taken_if_due(self) -> None:
        is_idle = not self.waiting and not self.connections.under_way
        waited = time.monotonic() - self.taken_since
        if self.taken and (is_idle or len(self.taken) >= SETTLED_TOGETHER or waited >= SETTLED_WITHIN):
            self._write_taken()

    def _write_taken(self) -> None:
        # A worker that took one over meanwhile, or a bounce that was faster, has written its own result.
        self.leases.let_go(self.taken)
        with transaction.atomic():
            update_columns(self.taken, _TAKEN, only=_STILL_QUEUED)
            secret = [mail.pk for mail in self.taken if mail.template in SECRET_MESSAGES and not mail.kept]
            if secret:
                Mail.objects.filter(pk__in=secret).update(facts={}, text="", html="")
            after_arrival(self.taken)
        self.taken = []

    def _write_taken_at_last(self) -> None:
        """Also after an error: a database that is back by now need not let a message be repeated."""
        if self.taken and not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        if self.taken:
            self._write_taken()

    # --- refused for good, but by whose trouble? ---

    def _judge_refused(self, taken: Sending) -> None:
        verdict = self.refusals.judge(taken, self.clock())
        self._hold(verdict.servers)
        for refused in verdict.own:
            self._fail(refused.mail, str(refused.error))
        for refused in reversed(verdict.unknown):
            self.refusals.retry(refused)
            self.waiting.appendleft(Claimed(refused.mail, 0, refused.sending.message))

    def _fail_the_lonely(self) -> bool:
        """With nothing else to send, fail what was clearly refused for its address. Returns whether there was any."""
        lonely = self.refusals.take_lonely()
        for refused in lonely:
            self._fail(refused.mail, str(refused.error))
        return bool(lonely)

    def _hold(self, refused: Sequence[RefusedMail]) -> None:
        """Try refused messages again, uncounted: within a minute at first, later each quarter of an hour."""
        now = self.clock()
        for one in refused:
            so_far = now - one.mail.held_up_at if one.mail.held_up_at else timedelta(0)
            one.mail.last_error = f"Refused: {one.error}"
            _hold_up(one.mail, max(BACK_OFF[0], min(so_far / 4, BACK_OFF[2])), now)
        self._write_held_up([one.mail for one in refused])

    # --- the server's trouble, and the end ---

    def _end_with_trouble(self, error: str) -> None:
        if not self.trouble:
            self.trouble = error or "It does not say why."
            self.circuit.break_off(self.trouble, self.clock())

    def _leave(self) -> None:
        """Let go of what is left, and see to what is under way."""
        self._let_wait()
        while self.connections.under_way:
            self._take_back(LOOKS_UP)
        self._let_wait()
        # Nothing has shown whose trouble these are: none of them has failed, all are tried again.
        self._hold(self.refusals.take_all())
        if not self.claimed:
            self.circuit.forget_if_nothing_waits()

    def _let_wait(self) -> None:
        mails = [one.mail for one in self.waiting]
        self.waiting.clear()
        if self.trouble:
            self._wait_for_server(mails)
        else:
            self._give_back(mails)

    def _wait_for_server(self, mails: Sequence[Mail]) -> None:
        """Let messages wait for the server, without counting an attempt."""
        now = self.clock()
        for mail in mails:
            mail.last_error = f"The mail server could not be used: {self.trouble}"
            _hold_up(mail, SOON if self.timed_out else BACK_OFF[0], now)
        self._write_held_up(mails)

    def _write_held_up(self, mails: Sequence[Mail]) -> None:
        self.leases.let_go(mails)
        update_columns(mails, ("send_at", "held_up_at", "last_error"), only=_STILL_QUEUED)
        self.result.put_off += len(mails)

    def _give_back(self, mails: Sequence[Mail]) -> None:
        """Let messages be claimed again before their lease runs out."""
        if mails:
            self.leases.let_go(mails)
            lease([mail.pk for mail in mails], self.clock())


def _hold_up(mail: Mail, wait: timedelta, now: datetime) -> None:
    """Try it again after `wait`; soon, if it keeps a promise: no short outage of the server may break that (T3)."""
    wait = min(wait, SOON) if mail.needed_by is not None and mail.needed_by > now else wait
    mail.send_at, mail.held_up_at = _next_try(mail, now, wait), mail.held_up_at or now


def _next_try(mail: Mail, now: datetime, wait: timedelta) -> datetime:
    """When to try again after `wait`; half-way to the moment by which the message is needed, if that is sooner (M2)."""
    needed_by = mail.needed_by or mail.send_by
    if needed_by is None or needed_by <= now:
        return now + wait
    return now + min(wait, max((needed_by - now) / 2, SOON))


def _still_queued(mail: Mail) -> MailQuerySet:
    return Mail.objects.filter(pk=mail.pk, status=MailStatus.QUEUED)


def _built(mail: Mail, lines: Lines, as_mime: bool) -> EmailMessage:
    """The message, rendered into its row (M1), with its files. Raises FileMissing."""
    rendered = render(mail, lines)
    mail.subject, mail.text, mail.html = rendered.subject, rendered.text, rendered.html
    message = as_message(mail, rendered)
    attach_files(message, mail)
    enclose(message, mail)
    name_for_service(message, mail)
    return BuiltMessage(message) if as_mime else message


def _settle(mail: Mail, status: MailStatus, error: str = "") -> bool:
    """Record the result for a message; False if another worker has done so already."""
    mail.status = status
    mail.last_error = error
    mail.attempts += status != MailStatus.DROPPED
    mail.held_up_at = None
    fields = ("status", "last_error", "attempts", "sent_at", "failed_at", "held_up_at", "subject", "text", "html")
    return _still_queued(mail).update(**{name: getattr(mail, name) for name in fields}) == 1


def drop(mail: Mail, why: str, now: datetime) -> None:
    """Settle a queued message whose reason no longer holds (M1)."""
    with transaction.atomic():
        if _settle(mail, MailStatus.DROPPED, why):
            recheck_wait(mail, now)


def can_go_again(mail: Mail) -> bool:
    """Whether it failed and can be built once more: a link that opens an account is forgotten once it has left (A3)."""
    return mail.status in WENT_WRONG and not (mail.template in SECRET_MESSAGES and mail.sent_at)


def send_again(mail: Mail, now: datetime) -> str:
    """Queue a message that failed once more, with the same Message-ID (M2).

    Returns why it is dropped instead, if its reason no longer holds (M1), else "". Raises ValueError if it did not
    fail.
    """
    failed = Mail.objects.filter(pk=mail.pk, status__in=WENT_WRONG)
    again = failed.exclude(template__in=SECRET_MESSAGES, sent_at__isnull=False).update(
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
