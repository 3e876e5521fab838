"""Failed sign-ins are logged and seen; a session that nobody uses ends."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from cases.tasks import tidy
from contacts.models import FailedSignIn, User
from contacts.sign_ins import KEPT_FOR
from tests.support.builders import Desk

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 3, 9, tzinfo=UTC)


def try_in(client: Client, name: str, password: str = "wrong", **headers: str) -> None:
    client.post(reverse("admin:login"), {"username": name, "password": password}, headers=headers)


def test_a_failed_sign_in_is_logged_with_who_and_from_where_and_without_what_was_typed(client, desk: Desk, caplog):
    with caplog.at_level(logging.WARNING, logger="contacts.sign_ins"):
        try_in(client, "tech", "a-secret")
        try_in(client, "a-password-in-the-wrong-field", "x")
    assert list(FailedSignIn.objects.order_by("pk").values_list("user__username", "address")) == [
        ("tech", "127.0.0.1"),
        (None, "127.0.0.1"),
    ]
    assert "failed sign-in as tech from 127.0.0.1" in caplog.text
    assert "a-secret" not in caplog.text
    assert "a-password" not in caplog.text


def test_in_production_the_proxy_says_where_it_came_from_and_nobody_else_does(client, desk: Desk, settings):
    try_in(client, "tech", **{"X-Forwarded-For": "192.0.2.1"})
    settings.PRODUCTION = True
    try_in(client, "tech", **{"X-Forwarded-For": "203.0.113.9, 192.0.2.1"})
    assert list(FailedSignIn.objects.order_by("pk").values_list("address", flat=True)) == ["127.0.0.1", "192.0.2.1"]


def test_many_failed_sign_ins_show_on_the_dashboard_and_in_a_list(client, desk: Desk):
    for _ in range(10):
        try_in(client, "tech")
    client.force_login(desk.manager)
    assert "10 within the last hour" in client.get(reverse("admin:index")).content.decode()
    assert "tech" in client.get(reverse("admin:contacts_failedsignin_changelist")).content.decode()
    client.force_login(desk.account_manager)
    assert client.get(reverse("admin:contacts_failedsignin_changelist")).status_code == 403


def test_a_session_in_use_goes_on_and_an_idle_one_ends(client, desk: Desk, settings):
    settings.SESSION_COOKIE_AGE = 3600
    page = reverse("admin:index")
    with time_machine.travel(NOW, tick=False) as clock:
        client.force_login(desk.technician)
        for _ in range(6):
            clock.shift(timedelta(minutes=30))
            assert client.get(page).status_code == 200
        clock.shift(timedelta(minutes=61))
        assert client.get(page).status_code == 302


def test_a_session_is_written_now_and_then_not_at_every_page(client, desk: Desk):
    client.force_login(desk.technician)
    client.get(reverse("admin:index"))
    before = Session.objects.get().session_data
    client.get(reverse("admin:index"))
    assert Session.objects.get().session_data == before


def test_sessions_that_have_ended_and_old_tries_are_deleted(client, desk: Desk):
    client.force_login(desk.technician)
    FailedSignIn.objects.create(user=User.objects.first(), at=datetime.now(UTC) - KEPT_FOR - timedelta(days=1))
    tidy()
    assert Session.objects.count() == 1
    Session.objects.update(expire_date=datetime.now(UTC) - timedelta(seconds=1))
    tidy()
    assert not Session.objects.exists()
    assert not FailedSignIn.objects.exists()
