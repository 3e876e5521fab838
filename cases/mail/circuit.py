"""The circuit of a mail server: while it takes no mail, one worker tries it now and then, and the others do not (M2).

Without it each worker, on each look, would wait for a dead server to answer. It is a row (`MailCircuit`) that all
workers share, and that the admin and `/readyz` show.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from cases.enums import MailStatus
from cases.mail.rendering import one_line
from cases.models import Mail, MailCircuit

log = logging.getLogger(__name__)

#: A server that takes no mail is tried so often. It is short, because mail that keeps a promise waits for it (T3).
TRIED_EVERY = timedelta(seconds=20)
LONGEST_ERROR = 500


class Circuit:
    """The circuit of one server, as one worker sees it in one round of delivery."""

    def __init__(self, server: str) -> None:
        self._server = server[:255]
        self._is_open = False

    def lets_pass(self, now: datetime) -> bool:
        """Whether this worker may try the server: it is well, or it is time and this worker is the one that tries."""
        row = MailCircuit.objects.filter(server=self._server).first()
        self._is_open = row is not None
        if row is None:
            return True
        due = MailCircuit.objects.filter(pk=row.pk, try_at__lte=now)
        return row.try_at <= now and due.update(try_at=now + TRIED_EVERY) == 1

    def break_off(self, error: str, now: datetime) -> None:
        """The server takes no mail at present: nobody tries it for a while."""
        log.warning("mail server %s: %s", self._server, error)
        when = {"try_at": now + TRIED_EVERY, "error": one_line(error)[:LONGEST_ERROR]}
        MailCircuit.objects.update_or_create(server=self._server, defaults=when, create_defaults={**when, "since": now})
        self._is_open = True

    def forget_if_nothing_waits(self) -> None:
        """Nobody has mail for the server any more, so nobody would find out that it is well."""
        if self._is_open and not Mail.objects.filter(status=MailStatus.QUEUED).exists():
            self.close()

    def close(self) -> None:
        """The server takes mail."""
        if self._is_open:
            MailCircuit.objects.filter(server=self._server).delete()
            self._is_open = False
