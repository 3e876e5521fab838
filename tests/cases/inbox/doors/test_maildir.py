"""Mail comes in through a Maildir: each message once, none lost, and what cannot be taken is said (M5, S2, S3)."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import DataError, OperationalError
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from cases.enums import Door
from cases.files.store import path_of
from cases.inbox.doors import fetching, rounds
from cases.inbox.doors.fetching import CLAIM, fetch, forget_taken
from cases.mail.incoming import LONGEST_MESSAGE
from cases.models import MailDoor, ReceivedMail
from cases.tasks import receive as receive_task
from tests.support.builders import Desk
from tests.support.maildirs import (
    deliver_into,
    deliver_many,
    make_maildir,
    names_in,
    raw_message,
    taken_in,
    waiting_in,
)

pytestmark = pytest.mark.django_db

NOW = timezone.now().replace(microsecond=0)


@pytest.fixture
def maildir(tmp_path: Path, settings: Settings) -> Path:
    settings.MAILDIR = str(tmp_path / "mail")
    return make_maildir(tmp_path / "mail")


def look(at: datetime = NOW, stopping: Callable[[], bool] = lambda: False) -> int:
    return fetch(lambda: at, stopping)


def subjects() -> list[str]:
    return list(ReceivedMail.objects.order_by("pk").values_list("subject", flat=True))


def failing(monkeypatch: pytest.MonkeyPatch, error: Callable[[bytes], Exception | None]) -> None:
    """Let the inbox fail on the messages for which there is an error."""
    real = rounds.receive

    def receive(raw: bytes, now: datetime, *, door: Door):  # type: ignore[no-untyped-def]
        trouble = error(raw)
        if trouble is not None:
            raise trouble
        return real(raw, now, door=door)

    monkeypatch.setattr(rounds, "receive", receive)


def test_messages_are_taken_oldest_first_and_moved_away(maildir: Path) -> None:  # M5
    for name, arrived in (("second", 200), ("third", 300), ("first", 100)):
        deliver_into(maildir, raw_message(name), arrived=arrived)
    assert look() == 3
    assert subjects() == ["first", "second", "third"]
    assert set(ReceivedMail.objects.values_list("door", "received_at")) == {(Door.MAILDIR, NOW)}
    assert waiting_in(maildir) == []
    assert all(name.endswith(":2,S") for name in taken_in(maildir))
    raw = path_of(ReceivedMail.objects.get(subject="first").stored_as).read_bytes()
    assert raw == raw_message("first")
    assert look() == 0
    assert ReceivedMail.objects.count() == 3


def test_a_large_message_holds_up_nobody(maildir: Path) -> None:  # S2
    deliver_into(maildir, raw_message("large", "x" * rounds.LARGE), arrived=100)
    deliver_into(maildir, raw_message("small"), arrived=200)
    assert look() == 2
    assert subjects() == ["small", "large"]


def test_a_message_that_somebody_has_read_in_a_mail_program_is_taken_all_the_same(maildir: Path) -> None:  # M5
    file = deliver_into(maildir, raw_message("read"))
    file.rename(maildir / "cur" / f"{file.name}:2,RS")
    assert look() == 1
    assert (waiting_in(maildir), taken_in(maildir)) == ([], [f"{file.name}:2,S"])


def test_what_a_server_still_writes_and_what_is_no_message_is_left_alone(maildir: Path) -> None:  # M5
    (maildir / "tmp" / "half").write_bytes(b"From: ")
    (maildir / "new" / ".nfs0001").write_bytes(b"")
    (maildir / "cur" / "folder").mkdir()
    assert look() == 0
    door = MailDoor.objects.get()
    assert (door.left, door.trouble, ReceivedMail.objects.count()) == (0, "", 0)


def test_two_files_of_one_name_are_both_kept(maildir: Path) -> None:
    for name in ("one", "two"):
        (maildir / "new" / "mail.eml").write_bytes(raw_message(name))
        assert look() == 1
    contents = {(maildir / ".Received/cur" / name).read_bytes() for name in taken_in(maildir)}
    assert contents == {raw_message("one"), raw_message("two")}


def test_a_message_that_came_before_is_moved_away_and_changes_nothing(maildir: Path) -> None:  # M5
    deliver_into(maildir, raw_message("one"))
    look()
    deliver_into(maildir, raw_message("one"))
    assert look() == 0
    assert (ReceivedMail.objects.count(), waiting_in(maildir), len(taken_in(maildir))) == (1, [], 2)


def test_a_message_that_the_database_does_not_take_stays_and_stops_no_other(
    maildir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # S2
    deliver_many(maildir, ("one", "bad", "two"))
    failing(monkeypatch, lambda raw: DataError("no such letter") if b"<bad@" in raw else None)
    assert look() == 2
    assert subjects() == ["one", "two"]
    assert len(waiting_in(maildir)) == 1
    door = MailDoor.objects.get()
    assert (door.left, door.trouble, door.trouble_since) == (1, "", NOW)
    assert "no such letter" in door.trouble_detail
    monkeypatch.undo()
    assert look(NOW + timedelta(seconds=10)) == 1
    door.refresh_from_db()
    assert (door.left, door.trouble_since, door.trouble_detail) == (0, None, "")


def test_a_database_that_is_away_ends_the_look_and_nothing_is_lost(
    maildir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # M5
    deliver_many(maildir, map(str, range(20)))
    tries: list[bytes] = []
    failing(monkeypatch, lambda raw: tries.append(raw) or OperationalError("the server closed the connection"))
    assert look() == 0
    assert len(tries) == rounds.FAILURES_IN_A_ROW
    assert len(waiting_in(maildir)) == 20
    assert "takes nothing" in MailDoor.objects.get().trouble


def test_a_disk_that_is_full_is_said_and_the_messages_stay(
    maildir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # M5
    deliver_many(maildir, map(str, range(5)))
    failing(monkeypatch, lambda raw: OSError(28, "No space left on device"))
    assert look() == 0
    door = MailDoor.objects.get()
    assert (len(waiting_in(maildir)), door.fetched_at) == (5, None)
    assert "No space left" in door.trouble_detail
    monkeypatch.undo()
    assert look(NOW + timedelta(seconds=20)) == 0, "not tried again before its time"
    assert look(NOW + timedelta(seconds=31)) == 5
    assert waiting_in(maildir) == []


@pytest.mark.slow
def test_a_message_that_is_too_long_is_read_no_further_and_kept_for_people(maildir: Path) -> None:  # M5, S2
    file = maildir / "new" / "1.long"
    with file.open("wb") as long:
        long.write(raw_message("long"))
        long.truncate(LONGEST_MESSAGE + 10_000_000)
    assert look() == 1
    row = ReceivedMail.objects.get()
    assert (row.subject, row.size) == ("long", LONGEST_MESSAGE + 1)
    assert taken_in(maildir) == ["1.long:2,FS"]
    assert forget_taken(timezone.now() + timedelta(days=365)) == 0
    path_of(row.stored_as).unlink()


def test_what_is_no_file_is_not_opened_and_said(maildir: Path, tmp_path: Path) -> None:  # S3
    (tmp_path / "secret").write_bytes(raw_message("secret"))
    (maildir / "new" / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(maildir / "new" / "pipe")
    deliver_into(maildir, raw_message("one"))
    assert look() == 1
    assert MailDoor.objects.get().left == 2
    assert waiting_in(maildir) == ["link", "pipe"]


def test_a_file_name_of_any_bytes_can_be_said(maildir: Path) -> None:
    os.symlink("nowhere", os.fsencode(maildir / "new") + b"/\xff\xfe")
    look()
    door = MailDoor.objects.get()
    assert (door.left, "udcff" in door.trouble_detail) == (1, True)


def test_a_directory_that_is_not_there_is_said_once_it_lasts(maildir: Path, client) -> None:  # S3
    maildir.rename(maildir.with_name("gone"))
    look()
    door = MailDoor.objects.get()
    assert (door.trouble, door.fetched_at) == ("its directory is not there", None)
    assert not maildir.exists(), "made anew, it would hide that it is gone"
    maildir.with_name("gone").rename(maildir)
    look(NOW + timedelta(minutes=1))
    door.refresh_from_db()
    assert (door.trouble, door.trouble_since, door.fetched_at) == ("", None, NOW + timedelta(minutes=1))


def test_a_directory_that_the_desk_may_not_change_is_said(maildir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    deliver_into(maildir, raw_message("one"))
    assert look() == 0
    assert "cannot be moved" in MailDoor.objects.get().trouble


def test_a_look_ends_between_two_messages_when_the_worker_is_asked_to_stop(maildir: Path) -> None:  # M5
    deliver_many(maildir, map(str, range(5)))
    answers = iter([False, False, False, True, True])
    assert look(stopping=lambda: next(answers)) == 2
    assert len(waiting_in(maildir)) == 3
    assert look() == 3


def test_a_look_takes_so_long_and_the_next_one_goes_on(maildir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver_many(maildir, map(str, range(5)))
    seconds = iter(range(0, 1000, 8))
    monkeypatch.setattr(fetching.time, "monotonic", lambda: next(seconds))
    assert look() == 2
    monkeypatch.undo()
    assert look() == 3


def test_one_worker_looks_at_a_time_and_a_dead_one_is_followed_after_a_minute(maildir: Path) -> None:  # M5
    look()
    MailDoor.objects.update(look_at=NOW + CLAIM)  # a worker that has died since
    deliver_into(maildir, raw_message("one"))
    assert look(NOW + timedelta(seconds=59)) == 0
    assert look(NOW + timedelta(seconds=60)) == 1


def test_a_moment_that_a_wrong_clock_wrote_shuts_no_door(maildir: Path) -> None:
    look()
    MailDoor.objects.update(look_at=NOW + timedelta(days=30))
    deliver_into(maildir, raw_message("one"))
    assert look() == 1


def test_what_was_taken_is_deleted_after_so_many_days(maildir: Path, settings: Settings) -> None:
    deliver_into(maildir, raw_message("one"), arrived=100)
    look()
    settings.MAILDIR_KEEP_DAYS = 30
    assert forget_taken(timezone.now() + timedelta(days=29)) == 0, "it lay there for long before it was taken"
    assert forget_taken(timezone.now() + timedelta(days=31)) == 1
    assert taken_in(maildir) == []


def test_the_state_of_the_engine_says_since_when_and_why_no_mail_comes(
    maildir: Path, client, settings: Settings
) -> None:  # S3
    look(timezone.now() - timedelta(minutes=6))
    assert client.get("/readyz").json()["inbox"].startswith("No mail has been fetched from the Maildir since ")
    look(timezone.now())
    assert client.get("/readyz").json()["inbox"] == "ok"
    maildir.rename(maildir.with_name("gone"))
    MailDoor.objects.update(fetched_at=timezone.now() - timedelta(minutes=6))
    look(timezone.now())
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["inbox"].endswith(", because its directory is not there.")
    assert str(maildir) not in answer.content.decode()
    settings.MAILDIR = ""
    look(timezone.now())
    assert client.get("/readyz").json()["inbox"] == "ok"


def test_messages_that_stay_are_said_after_a_while(maildir: Path, client) -> None:  # S3
    (maildir / "new" / "link").symlink_to("nowhere")
    look(timezone.now())
    assert client.get("/readyz").json()["inbox"] == "ok"
    MailDoor.objects.update(trouble_since=timezone.now() - timedelta(minutes=6))
    assert client.get("/readyz").json()["inbox"].startswith("1 mail in the Maildir cannot be taken, since ")


def test_the_page_of_the_engine_says_what_exactly_went_wrong(maildir: Path, client, desk: Desk) -> None:  # S3
    client.force_login(desk.manager)
    maildir.rename(maildir.with_name("gone"))
    look(timezone.now() - timedelta(minutes=6))
    page = client.get(reverse("admin:cases_sweeprun_changelist")).content.decode()
    assert "No mail has been fetched from the Maildir yet, because its directory is not there." in page
    assert "No such file or directory" in page
    assert "No mail has been fetched from the Maildir yet" in client.get(reverse("admin:index")).content.decode()


def test_a_door_that_is_named_again_goes_on_from_where_it_was(maildir: Path, settings: Settings) -> None:
    look()
    MailDoor.objects.update(since="2026-01-01")
    settings.MAILDIR = ""
    look()
    assert not MailDoor.objects.get().in_use
    settings.MAILDIR = str(maildir)
    deliver_into(maildir, raw_message("one"))
    assert look(NOW + timedelta(seconds=10)) == 1
    assert MailDoor.objects.filter(in_use=True, since="2026-01-01").exists()


def test_a_look_that_finds_nothing_costs_the_same_few_statements(maildir: Path, django_assert_num_queries) -> None:
    look()
    with django_assert_num_queries(3):  # the doors, the claim, the outcome
        look(NOW + timedelta(seconds=10))


def test_the_task_records_its_run(maildir: Path) -> None:  # S3
    deliver_into(maildir, raw_message("one"))
    receive_task()
    door = MailDoor.objects.get()
    assert door.fetched_at is not None
    assert names_in(maildir, "new") == []
