"""S4: a desk that is told nonsense, or too little for production, says so in sentences at its first command."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as desk_settings
from django.core.checks import run_checks
from pytest_django.fixtures import Settings

from config import checks
from config.environment import Problem

COMPLETE: dict[str, Any] = {
    "PRODUCTION": True,
    "SECRET_KEY": "x" * 60,
    "ALLOWED_HOSTS": ["desk.example.com"],
    "DEBUG": False,
    "SITE_URL": "https://desk.example.com",
    "EMAIL_URL": "smtp://mail",
    "REDIS_URL": "redis://cache/0",
    "DATABASES": {"default": {"ENGINE": "django.db.backends.postgresql"}},
}


def ids() -> set[str]:
    return {message.id or "" for message in run_checks() if (message.id or "").startswith("config.")}


def test_a_desk_that_was_told_nothing_has_nothing_to_complain_about():
    assert ids() == set()


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, set()),
        ({"SECRET_KEY": ""}, {"config.E001"}),
        ({"ALLOWED_HOSTS": []}, {"config.E002"}),
        ({"SITE_URL": "http://desk.example.com"}, {"config.E006"}),
        ({"SITE_URL": "https://"}, {"config.E006"}),
        ({"SITE_URL": "https://[desk"}, {"config.E006"}),
        ({"DEBUG": True}, {"config.E008"}),
        ({"SUPPORT_HOST": "support.example.org"}, {"config.E016"}),
        ({"SUPPORT_HOST": "https://desk.example.com", "ALLOWED_HOSTS": ["*"]}, {"config.E016"}),
        ({"SUPPORT_HOST": "support.example.com", "ALLOWED_HOSTS": [".example.com"]}, set()),
        ({"DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3"}}}, {"config.W001"}),
        ({"EMAIL_URL": ""}, {"config.W002"}),
        ({"REDIS_URL": ""}, {"config.W003"}),
        ({"MAILDIR": Path("/nowhere"), "MAIL_AUTH_SERVER": []}, {"config.W006", "config.W008"}),  # M5a
        ({"MAILDIR": Path("/nowhere"), "MAIL_AUTH_SERVER": ["mx.example.com"]}, {"config.W006"}),
        ({"SECRET_KEY": "", "ALLOWED_HOSTS": []}, {"config.E001", "config.E002"}),
    ],
)
@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
def test_production_names_what_it_misses(settings: Settings, changed: dict[str, Any], expected: set[str]):
    for name, value in (COMPLETE | changed).items():
        setattr(settings, name, value)
    assert ids() == expected


@pytest.mark.parametrize(
    ("site_url", "expected"),
    [("http://127.0.0.1:8000", set()), ("desk.example.com", {"config.E006"}), ("ftp://desk", {"config.E006"})],
)
def test_outside_production_links_may_be_plain_http_but_must_be_links(
    settings: Settings, site_url: str, expected: set[str]
):
    settings.SITE_URL = site_url
    assert ids() == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", set()),
        ("https://watcher.example.com/ping/secret", set()),
        ("http://127.0.0.1:8080/", set()),
        ("watcher.example.com", {"config.E009"}),
        ("ftp://watcher.example.com", {"config.E009"}),
        ("file:///etc/passwd", {"config.E009"}),
        ("https://", {"config.E009"}),
        ("https://watcher:port/", {"config.E009"}),
        ("https://[watcher/", {"config.E009"}),
    ],
)
def test_the_heartbeat_goes_to_a_web_address_or_nowhere(settings: Settings, url: str, expected: set[str]):
    settings.HEARTBEAT_URL = url
    assert ids() == expected
    assert not any("secret" in message.msg + (message.hint or "") for message in run_checks())


def test_what_could_not_be_read_is_an_error_with_advice(settings: Settings):
    settings.ENVIRONMENT_PROBLEMS = [Problem("E003", "DATABASE_URL cannot be read.", "Correct it.")]
    (message,) = (message for message in run_checks() if message.id == "config.E003")
    assert (message.msg, message.hint, message.is_serious()) == ("DATABASE_URL cannot be read.", "Correct it.", True)


def check(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`manage.py check` in a process of its own, as an operator runs it."""
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    own = {"DESK_VAR": str(tmp_path), "DESK_ENV_FILE": os.devnull, "DJANGO_SETTINGS_MODULE": "config.settings"}
    return subprocess.run(
        [sys.executable, "manage.py", "check", *arguments],
        cwd=desk_settings.BASE_DIR,
        env=clean | own | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_complete_production_passes_djangos_own_deployment_checks(tmp_path: Path):
    answer = check(
        tmp_path,
        *("--deploy", "--fail-level", "WARNING"),
        PRODUCTION="1",
        SECRET_KEY="kQ7f-2Zx_9vBnM4pL8sT1wY6uR3eA5hJ0gD-cXiOqWtKzNyE" * 2,
        ALLOWED_HOSTS="desk.example.com",
        DATABASE_URL="postgres://desk:secret@db.example.com:5432/desk",
        REDIS_URL="rediss://cache.example.com:6379/0",
        EMAIL_URL="smtp+tls://desk:secret@mail.example.com:587",
        SITE_URL="https://desk.example.com",
    )
    assert (answer.returncode, answer.stdout) == (0, "System check identified no issues (0 silenced).\n"), answer.stderr


def test_every_wrong_value_is_reported_at_once_and_without_a_traceback(tmp_path: Path):
    answer = check(
        tmp_path,
        PRODUCTION="1",
        DATABASE_URL="foo",
        REDIS_URL="foo",
        EMAIL_URL="foo",
        SITE_URL="foo",
        PORT="eighty",
        LOG_LEVEL="loud",
        CONN_MAX_AGE="long",
        DESK_BATCH="0",
    )
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    for check_id in ("E001", "E002", "E003", "E004", "E005", "E006", "E007"):
        assert f"config.{check_id}" in answer.stderr
    for name in ("PORT", "LOG_LEVEL", "DESK_BATCH"):
        assert name in answer.stderr


def closes_at(tmp_path: Path, **environment: str) -> str:
    """The hour of closing that a desk has which was told this, or the sentence of its check."""
    shown = "from django.conf import settings; print(settings.DESK_CLOSES_AT, settings.ENVIRONMENT_PROBLEMS)"
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    own = {"DESK_VAR": str(tmp_path), "DESK_ENV_FILE": os.devnull, "DJANGO_SETTINGS_MODULE": "config.settings"}
    answer = subprocess.run(
        [sys.executable, "-c", shown],
        cwd=desk_settings.BASE_DIR, env=clean | own | environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return answer.stdout.strip() or answer.stderr


@pytest.mark.parametrize(
    ("told", "closes"),
    [
        ({}, "11:00:00 []"),
        ({"DESK_CLOSES_AT": "14:30"}, "14:30:00 []"),
        ({"DESK_ATTEMPT_AT": "11:30"}, "12:00:00 []"),  # the default never comes before an attempt
        ({"DESK_ATTEMPT_AT": "12:00"}, "13:00:00 []"),
        ({"DESK_ATTEMPT_AT": "09:00", "DESK_CLOSES_AT": "09:00"}, "09:00:00 []"),
    ],
)
def test_cases_close_at_eleven_or_when_it_is_set_but_not_before_attempts(tmp_path: Path, told, closes):  # F4
    assert closes_at(tmp_path, **told) == closes


@pytest.mark.parametrize("said", ["09:59", "17:00", "eleven"])
def test_a_closing_outside_the_hours_of_contacts_is_reported_and_the_default_stands(tmp_path: Path, said):  # F4, S4
    answer = closes_at(tmp_path, DESK_CLOSES_AT=said)
    assert answer.startswith("11:00:00 [Problem(id='E007'")
    assert f"DESK_CLOSES_AT is '{said}', but it must be a time from 10:00 to 16:45, such as 11:00." in answer


def test_a_notice_that_the_desk_does_not_know_cannot_be_switched_off(settings):  # D6, S4
    settings.DESK_NOTICES_OFF = ["severe_case", "newsletter"]
    [warning] = checks.check_notices(None)
    assert (warning.id, "newsletter" in warning.msg, "severe_case" in warning.msg) == ("config.W004", True, False)
    settings.DESK_NOTICES_OFF = ["severe_case"]
    assert checks.check_notices(None) == []


def test_a_directory_for_files_has_to_be_writable_and_private(settings: Settings, tmp_path: Path):  # C3, S4
    settings.DESK_FILES_DIR = tmp_path / "new" / "files"
    assert ids() == set()
    assert settings.DESK_FILES_DIR.is_dir()
    (tmp_path / "a file").write_text("")
    settings.DESK_FILES_DIR = tmp_path / "a file" / "files"
    assert ids() == {"config.E011"}
    settings.STATIC_ROOT = tmp_path / "static"
    settings.DESK_FILES_DIR = tmp_path / "static" / "files"
    assert ids() == {"config.E012"}


def test_files_that_are_allowed_have_to_fit_into_a_request(settings: Settings):  # C3, S4
    settings.DESK_LARGEST_FILES = settings.DESK_LARGEST_UPLOAD
    assert ids() == {"config.W005"}


def test_a_maildir_that_the_desk_cannot_use_is_said_and_keeps_nothing_from_starting(
    settings: Settings, tmp_path: Path
):  # M5, S4
    settings.MAILDIR = str(tmp_path / "mail")
    assert [(message.id, message.is_serious()) for message in checks.check_maildir(None)] == [("config.W006", False)]
    for folder in ("new", "cur", "tmp"):
        (tmp_path / "mail" / folder).mkdir(parents=True)
    assert checks.check_maildir(None) == []


@pytest.mark.parametrize(
    ("security", "host", "expected"),
    [
        ("none", "mail.example.com", ["config.W007"]),
        ("none", "127.0.0.1", []),
        ("tls", "mail.example.com", []),
        ("starttls", "mail.example.com", []),
    ],
)
def test_a_mailbox_over_an_open_line_is_warned_of(settings: Settings, security: str, host: str, expected: list[str]):
    settings.IMAP_ACCOUNT = {"security": security, "host": host}
    assert [message.id for message in checks.check_imap(None)] == expected
