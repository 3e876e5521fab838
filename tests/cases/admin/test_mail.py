"""Stuck mail on the page of the outbox (M1, M2, S3)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases.enums import MailStatus
from cases.models import Mail, MailCircuit
from tests.support.builders import Desk
from tests.support.post_office import queue

pytestmark = pytest.mark.django_db


@pytest.fixture
def outbox(desk: Desk) -> str:
    """The page, with a message of each kind."""
    case, now = desk.open_case(timezone.now()), timezone.now()
    Mail.objects.all().delete()
    queue(case, "new@example.com", "server@example.com", "tried@example.com", "failed@example.com", now=now)
    queue(case, "late@example.com", now=now - timedelta(minutes=16))
    rows = {mail.to_address.partition("@")[0]: Mail.objects.filter(pk=mail.pk) for mail in Mail.objects.all()}
    rows["server"].update(held_up_at=now)
    rows["tried"].update(attempts=2)
    rows["failed"].update(status=MailStatus.FAILED, failed_at=now)
    return reverse("admin:cases_mail_changelist")


@pytest.mark.parametrize("kind", ["server", "tried", "late"])
def test_stuck_mail_is_found_by_why_it_is_stuck(client: Client, desk: Desk, outbox: str, kind: str) -> None:  # M1
    client.force_login(desk.manager)
    rows = client.get(outbox, {"stuck": kind}).context["cl"].queryset
    assert [mail.to_address for mail in rows] == [f"{kind}@example.com"]
    assert client.get(outbox, {"stuck": "lost"}).context["cl"].queryset.get().to_address == "failed@example.com"
    assert client.get(outbox, {"stuck": "nonsense"}).context["cl"].queryset.count() == 5


def test_a_server_that_is_left_alone_stands_above_the_list_for_those_who_watch_the_engine(
    client: Client, desk: Desk, outbox: str
) -> None:  # S3
    now = timezone.now()
    MailCircuit.objects.create(server="mail.internal:25", since=now, try_at=now, error="535 bad <password>")
    client.force_login(desk.manager)
    page = client.get(outbox).content.decode()
    assert "mail.internal:25 has taken no mail since" in page
    assert "535 bad &lt;password&gt;" in page
    assert '<a href="?stuck=server">1 message</a> waits for the mail server' in page
    client.force_login(desk.account_manager)
    page = client.get(outbox).content.decode()
    assert "mail.internal" not in page


def test_the_page_says_nothing_of_the_server_while_it_is_well(client: Client, desk: Desk, outbox: str) -> None:
    Mail.objects.update(held_up_at=None)
    client.force_login(desk.manager)
    assert "taken no mail" not in client.get(outbox).content.decode()
    assert "for the mail server, the oldest" not in client.get(outbox).content.decode()
