"""The claims of one worker on messages: short leases that a thread renews for as long as the process lives (M2).

A lease has to be short, so that another worker soon tries what a dead one held; and a message may take long, because
its server is slow. A thread of a killed process renews nothing.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from types import TracebackType
from typing import Self

from django.db import DatabaseError, connection, transaction

from cases.bulk import lock_in_order
from cases.enums import MailStatus
from cases.models import Mail
from contacts.compiled import MOMENT, CompiledQuery

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

#: For so long a message belongs to the worker that claimed it last, if nobody renews the claim.
LEASE = timedelta(seconds=40)
RENEW_EVERY = LEASE / 4
#: So many messages at a time until it is known how fast they leave; what a dead worker held waits for the lease.
CLAIM = 10
LOOK_EVERY = 0.5  # seconds


@lru_cache(maxsize=128)
def _pressing(number: int) -> CompiledQuery[Mail]:
    return CompiledQuery(
        lambda now: Mail.objects.to_send_first(now).select_for_update(skip_locked=True)[:number], now=MOMENT
    )


@lru_cache(maxsize=128)
def _due(number: int) -> CompiledQuery[Mail]:
    return CompiledQuery(lambda now: Mail.objects.to_send(now).select_for_update(skip_locked=True)[:number], now=MOMENT)


class Leases:
    """What one worker has claimed and not settled yet. `watch` is called now and then from the thread that renews."""

    def __init__(self, clock: Clock, watch: Callable[[], None]) -> None:
        self._clock, self._watch = clock, watch
        self._held: set[int] = set()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="mail-leases", daemon=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def claim(self, number: int = CLAIM) -> list[Mail]:
        """So many messages that are due and free, those that keep a promise first, then the oldest. Others leave them
        alone.
        """
        now = self._clock()
        with transaction.atomic():
            mails = _pressing(number)(now=now)
            if not mails:
                mails = _due(number)(now=now)
            elif left := number - len(mails):
                others = Mail.objects.to_send(now).exclude(pk__in=[mail.pk for mail in mails])
                mails += others.select_for_update(skip_locked=True)[:left]
            if mails:
                Mail.objects.filter(pk__in=[mail.pk for mail in mails]).update(send_at=now + LEASE)
        with self._lock:
            self._held |= {mail.pk for mail in mails}
        if mails and self._thread.ident is None:
            self._thread.start()
        return mails

    def let_go(self, mails: Sequence[Mail]) -> None:
        """Renew these no more; call it before something else is written about them."""
        with self._lock:
            self._held -= {mail.pk for mail in mails}

    def _keep(self) -> None:
        renewed_at = time.monotonic()
        try:
            while not self._over.wait(LOOK_EVERY):
                self._watch()
                if time.monotonic() - renewed_at >= RENEW_EVERY.total_seconds():
                    renewed_at = time.monotonic()
                    self._renew()
        finally:
            connection.close()

    def _renew(self) -> None:
        try:
            with self._lock:
                lease(self._held, self._clock() + LEASE)
        except DatabaseError:  # whoever settles the messages will see it too
            log.warning("the claims on %s messages could not be renewed", len(self._held), exc_info=True)
            connection.close()


def lease(mails: Collection[int], until: datetime) -> None:
    """Have other workers leave these alone until then, as far as nobody has settled them.

    Where a lease ran out two workers write about the same messages.
    """
    if not mails:
        return
    queued = Mail.objects.filter(pk__in=mails, status=MailStatus.QUEUED)
    with transaction.atomic():
        lock_in_order(queued)
        queued.update(send_at=until)
