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
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from cases.engine.watch import engine_state, watched_jobs
from cases.models import Case, Mail, MailCircuit, SweepRun
from config import health
from tests.support.builders import build_desk

PROBE = """
import django; django.setup()
from django.test import Client
answer = Client().get("/readyz")
print(answer.status_code, answer.content.decode())
"""


@pytest.fixture
def beating(db: None) -> None:
    now = timezone.now()
    SweepRun.objects.all().delete()
    SweepRun.objects.bulk_create(SweepRun(name=name, last_at=now) for name in watched_jobs())


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
def test_a_beat_that_was_seen_just_now_is_well(client: Client, beating: None):
    answer = client.get("/readyz")
    assert {part: answer.json()[part] for part in health.ENGINE_PARTS} == dict.fromkeys(health.ENGINE_PARTS, "ok")
    assert set(answer.json()["engine"]["last_looks"]) == set(watched_jobs())


@pytest.mark.django_db
def test_a_beat_that_was_never_seen_is_named():
    SweepRun.objects.all().delete()
    trouble = health.read_engine()[0]["beat"]
    assert all(f"'{name}' has never run" in trouble for name in watched_jobs())
    assert "heartbeat" not in trouble


@pytest.mark.parametrize("name", ["deliver", "escalate", "follow-up"])
def test_one_job_that_is_late_is_enough(settings: Settings, beating: None, name: str):
    settings.DESK_BEAT_LATE_AFTER_SECONDS = 180
    now = timezone.now()
    SweepRun.objects.filter(name=name).update(last_at=now - timedelta(seconds=181))
    late = engine_state(now).late_looks()
    assert [sentence.partition(" ran last at ")[0] for sentence in late] == [f"'{name}'"]


def test_a_job_on_the_last_allowed_second_is_not_late(settings: Settings, beating: None):
    settings.DESK_BEAT_LATE_AFTER_SECONDS = 180
    now = timezone.now()
    SweepRun.objects.update(last_at=now - timedelta(seconds=180))
    assert engine_state(now).troubles() == []


def test_a_look_that_takes_long_is_alive_until_its_end(settings: Settings, beating: None):
    settings.DESK_BEAT_LATE_AFTER_SECONDS = 180
    now = timezone.now()
    SweepRun.objects.update(last_at=now - timedelta(seconds=400), took_seconds=300)
    assert engine_state(now).troubles() == []


@pytest.mark.parametrize(
    ("column", "what"), [("escalation_check_at", "The escalation of"), ("follow_up_check_at", "The follow-up of")]
)
def test_an_obligation_that_is_overdue_makes_the_desk_not_ready(client: Client, beating: None, column: str, what: str):
    case = build_desk().open_case(timezone.now())
    Mail.objects.all().delete()
    Case.objects.update(**{"escalation_check_at": None, column: timezone.now() - timedelta(minutes=6)})
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["beat"]) == (503, "ok")
    assert answer.json()["work"].startswith(f"{what} {case.number} is overdue")
    assert answer.json()["engine"]["oldest_due"] is not None


def test_what_is_due_just_now_is_not_overdue(client: Client, beating: None):
    build_desk().open_case(timezone.now())
    Case.objects.update(escalation_check_at=timezone.now() - timedelta(minutes=4))
    answer = client.get("/readyz").json()
    assert (answer["work"], answer["mail"]) == ("ok", "ok")
    assert answer["engine"]["oldest_due"] is not None


def test_mail_that_waits_too_long_makes_the_desk_not_ready_and_tells_strangers_no_address(
    client: Client, beating: None
):
    build_desk().open_case(timezone.now())
    Case.objects.update(escalation_check_at=None)
    Mail.objects.update(queued_at=timezone.now() - timedelta(minutes=20), last_error="550 somebody@example.com")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["mail"].startswith("1 mail waits to be sent, the oldest for 20 min")
    assert "somebody" not in answer.content.decode()


def test_a_mail_server_that_takes_no_mail_is_seen(client: Client, beating: None):  # M2
    desk = build_desk()
    for _ in range(3):
        desk.open_case(timezone.now())
    Case.objects.update(escalation_check_at=None)
    assert client.get("/readyz").json()["mail"] == "ok"
    Mail.objects.update(held_up_at=timezone.now(), last_error="The mail server could not be used: 535 bad password")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["mail"].startswith("The mail server takes no mail: ")
    assert answer.json()["engine"]["mails_held_up"] == Mail.objects.count() >= 3
    assert "535" not in answer.content.decode()


def test_a_mail_server_that_is_left_alone_is_seen_however_little_waits_for_it(client: Client, beating: None):  # M2, S3
    now = timezone.now()
    circuit = MailCircuit.objects.create(
        server="mail.internal:25", since=now - timedelta(seconds=50), try_at=now, error="535 bad password"
    )
    answer = client.get("/readyz").json()
    assert answer["mail"] == "ok"  # a server that restarts
    assert answer["engine"]["mail_server_tried_next"].startswith(f"{now:%Y-%m-%dT%H:%M:%S}")
    MailCircuit.objects.update(since=now - timedelta(seconds=61))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["mail"].startswith("The mail server has taken no mail since ")
    assert "535" not in answer.content.decode()
    assert "internal" not in answer.content.decode()
    circuit.delete()
    assert client.get("/readyz").json()["mail"] == "ok"


def test_mails_that_failed_within_the_hour_are_seen_above_a_threshold(client: Client, beating: None, settings):  # S3
    desk, now = build_desk(), timezone.now()
    for _ in range(4):
        desk.open_case(now)
    Case.objects.update(escalation_check_at=None)
    Mail.objects.update(status="failed", failed_at=now - timedelta(minutes=59))
    settings.DESK_MAILS_FAILED_PER_HOUR = Mail.objects.count()
    assert client.get("/readyz").json()["mail"] == "ok"
    settings.DESK_MAILS_FAILED_PER_HOUR -= 1
    assert client.get("/readyz").json()["mail"] == f"{Mail.objects.count()} mails failed within the last hour."
    Mail.objects.update(failed_at=now - timedelta(minutes=61))
    assert client.get("/readyz").json()["mail"] == "ok"


@pytest.mark.django_db
def test_a_database_that_cannot_write_makes_the_desk_not_ready(client: Client, beating: None):  # S3
    """Hosts of databases set them to read only when their disk is full."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = 1" if connection.vendor == "sqlite" else "SET transaction_read_only = on")
        answer = client.get("/readyz")
        transaction.set_rollback(True)
    if connection.vendor == "sqlite":
        connection.cursor().execute("PRAGMA query_only = 0")
    assert answer.status_code == 503
    assert "cannot write" in answer.json()["database"]


@pytest.mark.django_db
def test_the_write_of_the_probe_leaves_no_trace(client: Client, beating: None):
    before = connection.introspection.table_names()
    for _ in range(2):
        assert client.get("/readyz").json()["database"] == "ok"
    assert connection.introspection.table_names() == before


def test_the_probe_asks_the_same_few_questions_however_much_there_is(client: Client, beating: None):
    desk = build_desk()
    counted = []
    for number in (1, 9):
        for _ in range(number):
            desk.open_case(timezone.now())
        with CaptureQueriesContext(connection) as captured:
            client.get("/readyz")
        counted.append(len(captured))
    assert counted[0] == counted[1] <= 19  # one more on PostgreSQL, for its timeout


def test_a_late_beat_makes_the_desk_not_ready(client: Client, beating: None):
    SweepRun.objects.filter(name="escalate").delete()
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


@pytest.mark.slow
def test_servers_that_never_answer_do_not_hang_the_probe(tmp_path: Path, silent_server: int):
    said, seconds = probe(
        tmp_path,
        DATABASE_URL=f"postgres://desk@127.0.0.1:{silent_server}/desk",
        REDIS_URL=f"redis://127.0.0.1:{silent_server}/0",
    )
    assert said.startswith("503")
    assert seconds < 60
