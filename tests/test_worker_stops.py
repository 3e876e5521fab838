"""A worker ends in the middle of its deliveries (M2): stopped by a service manager it gives them back, and soon;
killed, it has sent a few that it could not write down, and those alone are repeated.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings as desk_settings
from django.utils import timezone

from cases.enums import MailStatus
from cases.mail.leases import LEASE
from cases.mail.letters import Letter, post
from cases.mail.outbox import SETTLED_TOGETHER
from cases.mail.outbox import deliver as deliver_due
from cases.models import Mail
from cases.tasks import deliver
from contacts.directory import Addressee
from tests.support.builders import Desk
from tests.support.processes import CeleryWorker, await_true, mail_server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.postgres,
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not os.environ.get("REDIS_URL"), reason="needs a Redis of its own: set REDIS_URL"),
]

STOPS_WITHIN = 10  # seconds
CHILDREN = 2


@pytest.mark.parametrize("whom", ["main process", "whole group"])
def test_a_worker_that_is_stopped_gives_back_its_mail_and_ends_within_ten_seconds(
    desk: Desk, tmp_path: Path, whom: str
) -> None:  # M2
    """`KillMode=mixed` signals the main process first, any other unit every process of the worker."""
    now = timezone.now()
    post(
        (Letter(f"test:{one}", "message", Addressee(f"{one}@example.com"), {"message": "Hi"}) for one in range(200)),
        now,
    )
    prefix = desk_settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    broker = redis.Redis.from_url(desk_settings.REDIS_URL)
    with mail_server(takes=0.2) as (mailbox, port):
        worker = CeleryWorker(prefix, tmp_path / "log", CHILDREN, port)
        try:
            for _ in range(CHILDREN):
                deliver.delay()
            await_true(
                lambda: Mail.objects.filter(send_at__gt=now, status=MailStatus.QUEUED).count() > 10, "Two claims"
            )
            await_true(lambda: len(mailbox.arrived) >= 4, "A few messages' arrival")
            began = time.monotonic()
            (os.kill if whom == "main process" else os.killpg)(worker.process.pid, signal.SIGTERM)
            worker.process.wait(timeout=60)
            took = time.monotonic() - began
            worker.await_the_end_of_its_session()
        finally:
            worker.kill()
            for key in broker.scan_iter(f"{prefix}*"):
                broker.delete(key)
    assert took < STOPS_WITHIN
    queued, sent = Mail.objects.filter(status=MailStatus.QUEUED), Mail.objects.filter(status=MailStatus.SENT)
    assert queued.count() > 100
    assert not queued.filter(send_at__gt=timezone.now()).exists(), "A claim was not given back"
    assert sorted(mailbox.arrived) == sorted(sent.values_list("message_id", "to_address"))
    assert "signal" not in (tmp_path / "log").read_text()


def test_a_worker_that_is_killed_between_sending_and_writing_it_down_loses_nothing(
    desk: Desk, tmp_path: Path, settings: Any
) -> None:  # M2
    """Killed over eight connections, again and again: everything arrives, and what arrives twice has one Message-ID."""
    post(
        (Letter(f"test:{one}", "message", Addressee(f"{one}@example.com"), {"message": "Hi"}) for one in range(900)),
        timezone.now(),
    )
    prefix = desk_settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    broker, kills = redis.Redis.from_url(desk_settings.REDIS_URL), 3
    with mail_server(takes=0.005) as (mailbox, port):
        for _ in range(kills):
            worker = CeleryWorker(prefix, tmp_path / "log", 0, port)
            try:
                before = len(mailbox.arrived)
                deliver.delay()
                await_true(lambda so_far=before: len(mailbox.arrived) >= so_far + 60, "The sending of some")
            finally:
                worker.kill()
                worker.await_the_end_of_its_session()
                for key in broker.scan_iter(f"{prefix}*"):
                    broker.delete(key)
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.MAIL_IS_KEPT = "127.0.0.1", port, False
        deliver_due(lambda: timezone.now() + 2 * LEASE)
    arrived = Counter(mailbox.arrived)
    rows = Mail.objects.all()
    assert set(rows.values_list("status", flat=True)) == {MailStatus.SENT}
    assert set(arrived) == set(rows.values_list("message_id", "to_address"))
    repeated = sum(arrived.values()) - len(arrived)
    # What waited to be written when it was killed, and what was under way.
    assert 0 < repeated <= kills * (SETTLED_TOGETHER + 2 * desk_settings.DESK_MAIL_CONNECTIONS)
