"""`manage.py receive_mail`: a mail server that pipes a message to it keeps the message unless the desk has it (M5)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from django.conf import settings as desk_settings
from django.db import connection

from cases.enums import Door
from cases.files.store import path_of
from cases.mail.incoming import LONGEST_MESSAGE
from cases.models import ReceivedMail
from tests.support.maildirs import raw_message
from tests.support.processes import database_url

pytestmark = pytest.mark.processes

TAKEN, NO_MESSAGE, TRY_AGAIN = 0, 65, 75
NOWHERE = "postgres://desk@127.0.0.1:1/desk"


def run(raw: bytes, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Pipe a message to the command, as a mail server does, on the tests' own database."""
    own = {"DJANGO_SETTINGS_MODULE": "config.settings", "DESK_FILES_DIR": str(desk_settings.DESK_FILES_DIR)}
    if connection.vendor == "postgresql":
        own["DATABASE_URL"] = database_url()
    else:
        own["DATABASE_URL"] = f"sqlite:///{connection.settings_dict['NAME']}"
    return subprocess.run(
        [sys.executable, "manage.py", "receive_mail", *arguments],
        cwd=desk_settings.BASE_DIR,
        env=os.environ | own | environment,
        input=raw,
        capture_output=True,
        timeout=60,
    )


@pytest.mark.django_db(transaction=True)
def test_a_message_is_taken_and_when_it_comes_again_as_well() -> None:  # M5
    for _ in range(2):
        answer = run(b"From ann@acme.example  Wed Jun  3 12:00:00 2026\n" + raw_message("piped"))
        assert (answer.returncode, answer.stdout, answer.stderr) == (TAKEN, b"", b"")
    row = ReceivedMail.objects.get()
    assert (row.subject, row.door, row.sender) == ("piped", Door.COMMAND, "ann@acme.example")
    assert raw_message("piped") in path_of(row.stored_as).read_bytes()


@pytest.mark.any_database
@pytest.mark.django_db(transaction=True)
def test_a_message_that_is_too_long_is_read_to_its_end_and_kept_as_far_as_the_desk_looks() -> None:  # M5
    answer = run(raw_message("long") + b"x" * LONGEST_MESSAGE)
    assert answer.returncode == TAKEN, answer.stderr
    row = ReceivedMail.objects.get()
    assert (row.subject, row.size) == ("long", LONGEST_MESSAGE + 1)
    path_of(row.stored_as).unlink()


@pytest.mark.any_database
@pytest.mark.parametrize("raw", [b"", b"\r\n \n"])
def test_without_a_message_the_server_need_not_try_again(raw: bytes) -> None:
    answer = run(raw, DATABASE_URL=NOWHERE)
    assert answer.returncode == NO_MESSAGE
    assert b"no message" in answer.stderr


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({"DATABASE_URL": NOWHERE}, b"OperationalError"),
        ({"DATABASE_URL": "foo"}, b"ImproperlyConfigured"),
        ({"DATABASE_URL": "sqlite:////dev/null/desk"}, b"unable to open"),
        ({"DJANGO_SETTINGS_MODULE": "config.no_settings"}, b"No module named"),
        ({"DESK_VAR": "/dev/null/desk"}, b"Not a directory"),
    ],
    ids=["no database", "no address", "no file", "no settings", "no directory"],
)
def test_whatever_is_away_the_server_keeps_the_message_and_tries_again(
    environment: Mapping[str, str], why: bytes
) -> None:  # M5
    answer = run(raw_message("one"), **environment)
    assert answer.returncode == TRY_AGAIN
    assert why in answer.stderr
    assert answer.stdout == b""
    assert b"Traceback" not in answer.stderr


@pytest.mark.any_database
def test_a_database_without_tables_keeps_the_message_at_the_server(tmp_path: Path) -> None:  # M5
    """As where the mail server starts the command without the settings of the desk."""
    assert run(raw_message("one"), DATABASE_URL=f"sqlite:///{tmp_path}/new.sqlite3").returncode == TRY_AGAIN


@pytest.mark.any_database
@pytest.mark.django_db(transaction=True)
def test_a_disk_that_takes_nothing_keeps_the_message_at_the_server() -> None:  # M5
    assert run(raw_message("one"), DESK_FILES_DIR="/dev/null/files").returncode == TRY_AGAIN
    assert not ReceivedMail.objects.exists()


@pytest.mark.any_database
def test_without_django_in_the_middle_of_an_upgrade_the_server_keeps_the_message(tmp_path: Path) -> None:  # M5
    (tmp_path / "django").mkdir()
    (tmp_path / "django" / "__init__.py").write_text("raise ImportError('half installed')")
    answer = run(raw_message("one"), PYTHONPATH=str(tmp_path))
    assert (answer.returncode, b"half installed" in answer.stderr) == (TRY_AGAIN, True)


@pytest.mark.any_database
def test_an_option_that_there_is_not_bounces_no_message() -> None:  # M5
    assert run(raw_message("one"), "--fast").returncode == TRY_AGAIN
