"""Tries to sign in are counted over all processes, on files as on Redis (P1)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisIsAway

from config.cache import SharedCache
from config.environment import Environment

ROOT = Path(__file__).resolve().parents[2]
TRIES = """
import django
django.setup()
from allauth.core import ratelimit
from django.test import RequestFactory
asked = RequestFactory().post("/support/sign-in/", REMOTE_ADDR="192.0.2.1")
print(sum(ratelimit.consume(asked, action="support_code", key=f"{NAME}{number}@example.com") for number in range(6)))
"""


def allowed(name: str, directory: Path) -> int:
    """How many of six tries of another process from one address were allowed."""
    environment = {
        **{name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DESK_VAR": str(directory),
        "DESK_ENV_FILE": os.devnull,
        "BROKER_PREFIX": f"{directory.name}:",
    }
    command = [sys.executable, "-c", TRIES.replace("{NAME}", name)]
    return int(subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout)


@pytest.mark.processes
def test_eleven_tries_from_one_address_are_slowed_whichever_process_counts_them(tmp_path: Path):  # P1
    assert [allowed("ann", tmp_path), allowed("bob", tmp_path)] == [6, 4]


def test_the_cache_is_redis_where_there_is_one_and_files_elsewhere(tmp_path: Path):
    def cache(url: str) -> tuple[str, str]:
        chosen = Environment({"REDIS_URL": url}).cache("REDIS_URL", tmp_path)
        return chosen["BACKEND"].rpartition(".")[2], chosen["LOCATION"]

    assert cache("") == ("FileBasedCache", str(tmp_path))
    assert cache("redis://127.0.0.1:6379/5") == ("SharedCache", "redis://127.0.0.1:6379/5")
    assert cache("redis+socket:///run/valkey.sock") == ("SharedCache", "unix:///run/valkey.sock")
    assert cache("unix:///run/valkey.sock") == ("SharedCache", "unix:///run/valkey.sock")
    assert cache("nonsense") == ("FileBasedCache", str(tmp_path))


def test_while_redis_is_away_nobody_is_kept_from_signing_in(monkeypatch: pytest.MonkeyPatch, caplog: Any):  # S1
    def away(*args: Any, **kwargs: Any) -> None:
        raise RedisIsAway("gone")

    for name in ("add", "get", "set", "delete"):
        monkeypatch.setattr(f"django.core.cache.backends.redis.RedisCache.{name}", away)
    cache = SharedCache("redis://127.0.0.1:1/0", {})
    assert cache.add("lock", True)
    assert cache.get("tries", []) == []
    cache.set("tries", [1])
    assert not cache.delete("lock")
    assert "no limits on signing in" in caplog.text
