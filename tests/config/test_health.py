"""S3: a desk that is down, or has stopped looking, says so at /readyz; /healthz only says that it lives."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as desk_settings
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from cases.models import Pulse
from config import health
from config.celery import app

PROBE = """
import django; django.setup()
from django.test import Client
answer = Client().get("/readyz")
print(answer.status_code, answer.content.decode())
"""


@pytest.fixture
def beating(db: None) -> None:
    now = timezone.now()
    Pulse.objects.all().delete()
    Pulse.objects.bulk_create(Pulse(name=name, last_at=now) for name in app.conf.beat_schedule)


@pytest.fixture
def silent_server() -> Iterator[int]:
    """The port of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def probe(tmp_path: Path, **environment: str) -> tuple[str, float]:
    """What /readyz says in a process with another environment, and how many seconds it took to say it."""
    own = {"DESK_VAR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "config.settings"}
    started = time.monotonic()
    answer = subprocess.run(
        [sys.executable, "-c", PROBE],
        cwd=desk_settings.BASE_DIR,
        env=os.environ | own | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return answer.stdout, time.monotonic() - started


def test_healthz_answers_without_touching_the_database(client: Client):
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_may_name_the_machine_instead_of_an_allowed_host(
    settings: Settings, client: Client, beating: None, path: str
):
    settings.ALLOWED_HOSTS = ["desk.example.com"]
    settings.SECURE_SSL_REDIRECT = True
    assert client.get(path, headers={"host": "10.0.0.7"}).status_code in (200, 503)


@pytest.mark.django_db
def test_a_beat_that_was_seen_just_now_is_well(beating: None):
    assert health.beat_trouble() == ""


@pytest.mark.django_db
def test_a_beat_that_was_never_seen_is_named():
    Pulse.objects.all().delete()
    trouble = health.beat_trouble()
    assert all(f"'{name}' has never run" in trouble for name in app.conf.beat_schedule)


@pytest.mark.parametrize("name", list(app.conf.beat_schedule))
def test_one_job_that_is_late_is_enough(settings: Settings, beating: None, name: str):
    settings.DESK_BEAT_LATE_AFTER_SECONDS = 180
    now = timezone.now()
    Pulse.objects.filter(name=name).update(last_at=now - timedelta(seconds=181))
    assert [late.partition(" ran last at ")[0] for late in health.late_jobs(now)] == [f"'{name}'"]


def test_a_job_on_the_last_allowed_second_is_not_late(settings: Settings, beating: None):
    settings.DESK_BEAT_LATE_AFTER_SECONDS = 180
    now = timezone.now()
    Pulse.objects.update(last_at=now - timedelta(seconds=180))
    assert list(health.late_jobs(now)) == []


def test_a_late_beat_makes_the_desk_not_ready(client: Client, beating: None):
    Pulse.objects.filter(name="escalate").delete()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["database"]) == (503, "ok")
    assert "escalate" in answer.json()["beat"]
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_database_that_is_down_makes_the_desk_not_ready(tmp_path: Path):
    said, _ = probe(tmp_path, DATABASE_URL="postgres://desk@127.0.0.1:1/desk")
    assert said.startswith("503")
    assert "The database does not answer" in said
    assert "without the database" in said


def test_a_wrong_database_address_makes_the_desk_not_ready(tmp_path: Path):
    said, _ = probe(tmp_path, DATABASE_URL="foo")
    assert said.startswith("503")


def test_a_broker_that_is_down_makes_the_desk_not_ready(client: Client, tmp_path: Path):
    said, _ = probe(tmp_path, REDIS_URL="redis://127.0.0.1:1/0")
    assert said.startswith("503")
    assert "The broker does not answer" in said


def test_servers_that_never_answer_do_not_hang_the_probe(tmp_path: Path, silent_server: int):
    said, seconds = probe(
        tmp_path,
        DATABASE_URL=f"postgres://desk@127.0.0.1:{silent_server}/desk",
        REDIS_URL=f"redis://127.0.0.1:{silent_server}/0",
    )
    assert said.startswith("503")
    assert seconds < 15
