"""Workers that are killed anywhere while they fetch, and several at once: nothing lost, nothing doubled (M5, S1)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as desk_settings

from cases.files.store import path_of
from cases.models import ReceivedMail
from tests.support.dovecot import running_dovecot
from tests.support.maildirs import deliver_many, make_maildir, taken_in, waiting_in
from tests.support.processes import await_true, environment

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
]


def worker(how: str, at: Path, **settings: Any) -> subprocess.Popen[str]:
    order = {"how": how, "at": str(at), "settings": settings | {"DESK_FILES_DIR": str(desk_settings.DESK_FILES_DIR)}}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.fetching_worker", json.dumps(order)],
        cwd=desk_settings.BASE_DIR,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )


def told_by(process: subprocess.Popen[str]) -> Mapping[str, Any]:
    said, _ = process.communicate(timeout=300)
    return json.loads(said)


def names_of(told: Mapping[str, Any]) -> list[str]:
    """The messages that came: one for each worker that died, and one for the last."""
    assert told["died"] >= 10
    return [f"m{number}" for number in range(1, told["died"] + 2)]


def assert_each_once(names: list[str]) -> None:
    """Each message is one row, and its raw bytes are on disk."""
    rows = list(ReceivedMail.objects.all())
    assert Counter(row.subject for row in rows) == Counter(names)
    for row in rows:
        assert path_of(row.stored_as).stat().st_size == row.size


def test_a_worker_killed_before_any_step_of_a_look_into_a_maildir_loses_and_doubles_nothing(tmp_path: Path) -> None:
    maildir = make_maildir(tmp_path / "mail")
    told = told_by(worker("kill", tmp_path, MAILDIR=str(maildir)))
    assert told["status"] == 0
    assert {"move", "sql INSERT", "sql UPDATE"} <= set(told["before"])
    names = names_of(told)
    assert_each_once(names)
    assert (waiting_in(maildir), len(taken_in(maildir))) == ([], len(names))


@pytest.mark.dovecot
def test_a_worker_killed_before_any_step_of_a_look_into_a_mailbox_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with running_dovecot() as server:
        told = told_by(worker("kill", tmp_path, IMAP_ACCOUNT=server.account(), LMTP_PORT=server.lmtp))
        assert told["status"] == 0
        names = names_of(told)
        before = " ".join(told["before"])
        assert "FETCH" in before, "between the mailbox and the desk"
        assert "STORE" in before, "between the commit and the mark"
        assert_each_once(names)
        assert server.flags() == [{"$SupportDesk"}] * len(names)


@pytest.mark.parametrize("how", ["look", "fetch"])
def test_two_workers_at_once_take_each_message_once(tmp_path: Path, how: str) -> None:
    """Without a claim as well: the inbox knows what it has, and a file is moved by one of them."""
    names = [f"m{number:03}" for number in range(100)]
    maildir = make_maildir(tmp_path / "mail")
    deliver_many(maildir, names)
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    workers = [worker(how, meeting, MAILDIR=str(maildir)) for _ in range(2)]
    await_true(lambda: len(list(meeting.iterdir())) == 2, "Both being ready")
    (meeting / "go").touch()
    told = [told_by(one) for one in workers]
    assert sum(one["new"] for one in told) == len(names)
    assert [one.get("left", 0) for one in told] == [0, 0]
    assert_each_once(names)
    assert (waiting_in(maildir), len(taken_in(maildir))) == ([], len(names))
