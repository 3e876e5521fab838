"""Out over SMTP, in again over LMTP, IMAP and a Maildir, on real sockets: no loop, no lost word (M3, M5, M6)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from django.utils import timezone
from pytest_django.fixtures import Settings

from cases.enums import Direction, MailStatus, ReceivedOutcome
from cases.inbox.doors.fetching import fetch
from cases.mail.outbox import deliver
from cases.models import Mail, ReceivedMail
from tests.support.builders import Desk
from tests.support.dovecot import running_dovecot
from tests.support.maildirs import deliver_into, make_maildir, taken_in, waiting_in
from tests.support.mails import AUTH_SERVER, proven, raw_mail
from tests.support.processes import free_port

pytestmark = [pytest.mark.django_db, pytest.mark.processes]


class IntoMaildir:
    """A mail server that delivers everything into one Maildir."""

    def __init__(self, maildir: Path) -> None:
        self.maildir = maildir

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        deliver_into(self.maildir, b"Received: by mx.example\r\n" + envelope.content)
        return "250 delivered"


@contextmanager
def sink(maildir: Path, settings: Settings) -> Iterator[None]:
    """The desk sends its mail to a server that delivers it into the Maildir."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.MAIL_IS_KEPT = "127.0.0.1", free_port(), False
    server = Controller(IntoMaildir(maildir), hostname="127.0.0.1", port=settings.EMAIL_PORT)
    server.start()
    try:
        yield
    finally:
        server.stop()


def test_our_own_mail_that_comes_back_is_taken_once_and_answered_by_nothing(
    desk: Desk, tmp_path: Path, settings: Settings
) -> None:  # M6
    maildir = make_maildir(tmp_path / "mail")
    settings.MAILDIR = str(maildir)
    desk.open_case(timezone.now())
    queued = Mail.objects.count()
    with sink(maildir, settings):
        assert deliver(timezone.now).sent == queued > 0
    assert len(waiting_in(maildir)) == queued
    assert fetch(timezone.now, lambda: False) == queued
    assert (waiting_in(maildir), len(taken_in(maildir))) == ([], queued)
    assert set(ReceivedMail.objects.values_list("outcome", flat=True)) == {ReceivedOutcome.NOTHING}
    assert Mail.objects.count() == queued, "something answered it"


@pytest.mark.dovecot
def test_a_customers_answer_comes_from_our_mail_to_the_case(desk: Desk, tmp_path: Path, settings: Settings) -> None:
    """What left over SMTP is answered to its Reply-To, by LMTP into the mailbox, from which it is fetched (M3, M5)."""
    settings.MAIL_AUTH_SERVER = [AUTH_SERVER]
    maildir = make_maildir(tmp_path / "mail")
    case = desk.open_case(timezone.now())
    with sink(maildir, settings):
        deliver(timezone.now)
    ours = Mail.objects.get(case=case, to_address=case.contact.email, status=MailStatus.SENT)
    answer = raw_mail(
        case.contact.email, text="The blue one.", references=[ours.message_id], headers=proven(case.contact.email)
    )
    with running_dovecot() as server:
        settings.IMAP_ACCOUNT = server.account()
        server.deliver([answer])
        assert fetch(timezone.now, lambda: False) == 1
        assert server.flags() == [{"$SupportDesk"}]
    row = ReceivedMail.objects.get()
    assert (row.case, row.outcome, row.answers) == (case, ReceivedOutcome.LOGGED, ours)
    assert row.interaction is not None
    assert (row.interaction.direction, row.interaction.body) == (Direction.IN, "The blue one.")
