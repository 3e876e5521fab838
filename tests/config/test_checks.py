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
        ({"DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3"}}}, {"config.W001"}),
        ({"EMAIL_URL": ""}, {"config.W002"}),
        ({"REDIS_URL": ""}, {"config.W003"}),
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


def test_a_notice_that_the_desk_does_not_know_cannot_be_switched_off(settings):  # D6, S4
    settings.DESK_NOTICES_OFF = ["severe_case", "newsletter"]
    [warning] = checks.check_notices(None)
    assert (warning.id, "newsletter" in warning.msg, "severe_case" in warning.msg) == ("config.W004", True, False)
    settings.DESK_NOTICES_OFF = ["severe_case"]
    assert checks.check_notices(None) == []
