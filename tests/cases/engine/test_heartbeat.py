"""The heartbeat against a real HTTP server: heard while all is well, silent while anything is overdue (S3)."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from celery import current_app
from django.utils import timezone
from pytest_django.fixtures import Settings

from cases.engine import heartbeat
from cases.engine.watch import engine_state, watched_jobs
from cases.models import Case, FailedCase, Mail, SweepRun
from cases.tasks import heartbeat as tick
from tests.support.builders import build_desk

MINUTE = timedelta(minutes=1)


class Watcher:
    """Somebody outside who listens, and answers with a status of our choice."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.answers = 200
        watcher = self

        class Listening(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                watcher.heard.append(self.path)
                self.send_response(watcher.answers)
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Listening)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/ping/secret"


@pytest.fixture
def watcher(settings: Settings) -> Iterator[Watcher]:
    one = Watcher()
    settings.HEARTBEAT_URL = one.url
    yield one
    one.server.shutdown()
    one.server.server_close()


@pytest.fixture
def well(db: None) -> None:
    """Every job looked just now, and a case is open."""
    now = timezone.now()
    SweepRun.objects.bulk_create(SweepRun(name=name, last_at=now) for name in watched_jobs())
    build_desk().open_case(now)


def test_the_heartbeat_is_heard_while_all_is_well(watcher: Watcher, well: None) -> None:
    tick()
    tick()
    assert watcher.heard == ["/ping/secret", "/ping/secret"]


def test_a_desk_whose_jobs_all_ran_is_well(watcher: Watcher, db: None) -> None:  # S3: each watched job says that it ran
    build_desk().open_case(timezone.now())
    current_app.loader.import_default_modules()
    for name in watched_jobs():
        current_app.tasks[current_app.conf.beat_schedule[name]["task"]].run()
    assert engine_state(timezone.now()).troubles() == []
    tick()
    assert watcher.heard == ["/ping/secret"]


@pytest.mark.parametrize("trouble", ["no look", "late look", "escalation", "follow-up", "set aside", "mail"])
def test_one_trouble_is_enough_for_silence(watcher: Watcher, well: None, trouble: str) -> None:  # S2, S3
    now = timezone.now()
    if trouble == "no look":
        SweepRun.objects.filter(name="deliver").delete()
    if trouble == "late look":
        SweepRun.objects.filter(name="escalate").update(last_at=now - 4 * MINUTE)
    if trouble == "escalation":
        Case.objects.update(escalation_check_at=now - 6 * MINUTE)
    if trouble == "follow-up":
        Case.objects.update(follow_up_check_at=now - 6 * MINUTE)
    if trouble == "set aside":
        at = now - 6 * MINUTE
        FailedCase.objects.create(case=Case.objects.get(), sweep="escalate", since=at, retry_at=now, error="E")
    if trouble == "mail":
        Mail.objects.update(queued_at=now - 16 * MINUTE)
    tick()
    assert watcher.heard == []


def test_the_heartbeat_comes_back_when_the_trouble_is_over(watcher: Watcher, well: None) -> None:
    Case.objects.update(escalation_check_at=timezone.now() - 6 * MINUTE)
    tick()
    Case.objects.update(escalation_check_at=timezone.now() + MINUTE)
    tick()
    assert len(watcher.heard) == 1


def test_mail_that_the_server_put_off_is_its_own_trouble_and_no_silence(watcher: Watcher, well: None) -> None:  # M2
    Mail.objects.update(queued_at=timezone.now() - 60 * MINUTE, attempts=3)
    tick()
    assert len(watcher.heard) == 1


def test_without_an_address_nobody_is_told_and_nothing_fails(settings: Settings, well: None) -> None:
    settings.HEARTBEAT_URL = ""
    tick()


# --- a watcher in trouble -------------------------------------------------------------------------------------------


def refused() -> str:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return f"http://127.0.0.1:{found.getsockname()[1]}/ping/secret"


def test_a_watcher_who_is_gone_is_logged_without_the_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    assert not heartbeat.ping(refused())
    assert "the heartbeat was not heard" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("status", [404, 500])
def test_a_watcher_who_does_not_know_us_is_logged(
    watcher: Watcher, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    watcher.answers = status
    assert not heartbeat.ping(watcher.url)
    assert str(status) in caplog.text


def test_a_watcher_who_never_answers_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "ANSWERS_WITHIN", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        began = time.monotonic()
        assert not heartbeat.ping(f"http://127.0.0.1:{server.getsockname()[1]}/")
        assert time.monotonic() - began < 3


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/", "http://[", "nonsense"])
def test_only_web_addresses_are_pinged(url: str) -> None:
    assert not heartbeat.ping(url)
