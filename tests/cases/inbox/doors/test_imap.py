"""Mail comes in from a mailbox on a real Dovecot: each message once, marked after the commit (M5, S2, S3)."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DataError, OperationalError
from django.utils import timezone
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientAbortError
from pytest_django.fixtures import Settings

from cases.enums import Door
from cases.inbox.doors import access_tokens, imap, rounds
from cases.inbox.doors.fetching import fetch
from cases.inbox.doors.imap import FOLDER, KEYWORD
from cases.models import MailDoor, ReceivedMail
from tests.support.dovecot import PASSWORD, USER, Dovecot, running_dovecot
from tests.support.maildirs import raw_message
from tests.support.token_server import CLIENT, SCOPE, SECRET, TokenServer, token_server

pytestmark = [pytest.mark.django_db, pytest.mark.dovecot, pytest.mark.processes]

NOW = timezone.now().replace(microsecond=0)
LATER = NOW + timedelta(minutes=6)


@pytest.fixture
def server(settings: Settings) -> Iterator[Dovecot]:
    with running_dovecot() as dovecot:
        settings.IMAP_ACCOUNT = dovecot.account()
        yield dovecot


def look(at: datetime = NOW, stopping: Callable[[], bool] = lambda: False) -> int:
    return fetch(lambda: at, stopping)


def messages(*names: str) -> list[bytes]:
    return [raw_message(name) for name in names]


def subjects() -> list[str]:
    return list(ReceivedMail.objects.order_by("pk").values_list("subject", flat=True))


def door() -> MailDoor:
    return MailDoor.objects.get(in_use=True)


def failing(monkeypatch: pytest.MonkeyPatch, error: Callable[[bytes], Exception | None]) -> None:
    """Let the inbox fail on the messages for which there is an error."""
    real = rounds.receive

    def receive(raw: bytes, now: datetime, *, door: Door):  # type: ignore[no-untyped-def]
        trouble = error(raw)
        if trouble is not None:
            raise trouble
        return real(raw, now, door=door)

    monkeypatch.setattr(rounds, "receive", receive)


def test_messages_are_taken_and_marked_and_stay_as_people_left_them(server: Dovecot) -> None:  # M5
    server.deliver(messages("first", "second", "third"))
    with server.client() as client:
        client.add_flags([2], ["\\Seen"])  # somebody has read it before the desk
    assert look() == 3
    assert subjects() == ["first", "second", "third"]
    assert set(ReceivedMail.objects.values_list("door", flat=True)) == {Door.IMAP}
    assert server.flags() == [{KEYWORD}, {KEYWORD, "\\Seen"}, {KEYWORD}]
    server.deliver(messages("fourth"))
    assert look(NOW + timedelta(seconds=10)) == 0, "every half minute is enough"
    assert look(NOW + timedelta(seconds=30)) == 1
    assert subjects()[-1] == "fourth"


def test_the_raw_message_is_kept_as_it_lies_in_the_mailbox(server: Dovecot) -> None:  # M5
    server.deliver([raw_message("bytes", "Größe €\r\n.\r\nend")])
    look()
    with server.client() as client:
        stored = client.fetch([1], ["BODY.PEEK[]"])[1][b"BODY[]"]
    assert ReceivedMail.objects.get().size == len(stored)


def test_a_message_that_the_database_does_not_take_is_not_marked(
    server: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:  # M5, S2
    server.deliver(messages("one", "bad", "two"))
    failing(monkeypatch, lambda raw: DataError("no such letter") if b"<bad@" in raw else None)
    assert look() == 2
    assert server.flags() == [{KEYWORD}, set(), {KEYWORD}]
    assert (door().left, door().trouble) == (1, "")
    monkeypatch.undo()
    assert look(LATER) == 1
    assert server.flags() == [{KEYWORD}] * 3


def test_a_database_that_is_away_leaves_the_mailbox_as_it_is(
    server: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:  # M5
    server.deliver(messages(*map(str, range(6))))
    failing(monkeypatch, lambda raw: OperationalError("gone"))
    assert look() == 0
    assert server.flags() == [set()] * 6
    assert "takes nothing" in door().trouble


def test_a_mailbox_that_is_made_anew_gives_no_message_twice(server: Dovecot) -> None:  # M5
    """Its numbers begin anew (UIDVALIDITY), and the marks are lost."""
    server.deliver(messages("one", "two"))
    look()
    with server.client() as client:
        raws = [each[b"BODY[]"] for each in client.fetch([1, 2], ["BODY.PEEK[]"]).values()]
        client.create_folder("again")
        for raw in raws:
            client.append("again", raw)
        client.delete_messages([1, 2])
        client.expunge()
        for raw in raws:
            client.append("INBOX", raw)
    assert look(LATER) == 0
    assert ReceivedMail.objects.count() == 2
    assert server.flags() == [{KEYWORD}] * 2


def test_three_hundred_messages_come_in_batches(server: Dovecot, monkeypatch: pytest.MonkeyPatch) -> None:  # M5
    names = [f"{number:03}" for number in range(300)]
    server.deliver(messages(*names))
    monkeypatch.setattr(imap, "BATCH", 120)
    monkeypatch.setattr("cases.inbox.doors.fetching.LOOK_SECONDS", 600)
    assert [look(NOW + timedelta(minutes=minute)) for minute in range(4)] == [120, 120, 60, 0]
    assert subjects() == names
    assert server.flags() == [{KEYWORD}] * 300


def test_a_look_ends_between_two_messages_when_the_worker_is_asked_to_stop(server: Dovecot) -> None:
    server.deliver(messages("one", "two", "three"))
    answers = iter([False, False, True])
    assert look(stopping=lambda: next(answers)) == 1
    assert server.flags() == [{KEYWORD}, set(), set()]


@pytest.mark.any_database
def test_a_message_that_is_too_long_is_fetched_no_further_after_all_others(
    server: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:  # M5, S2
    monkeypatch.setattr(imap, "LONGEST_MESSAGE", 2_000)
    monkeypatch.setattr(imap, "LARGE", 1_000)
    server.deliver([raw_message("long", "word " * 10_000), raw_message("short")])
    assert look() == 2
    assert subjects() == ["short", "long"]
    assert ReceivedMail.objects.get(subject="long").size == 2_001
    assert server.flags() == [{KEYWORD, "\\Flagged"}, {KEYWORD}]


@pytest.mark.any_database
def test_a_message_over_which_the_connection_breaks_is_taken_last(
    server: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:  # S2
    server.deliver(messages("breaks", "one", "two"))
    real = imap._raw

    def raw(client: IMAPClient, uid: int) -> bytes | None:
        if uid == 1:
            raise IMAPClientAbortError("socket error: EOF")
        return real(client, uid)

    monkeypatch.setattr(imap, "_raw", raw)
    assert look() == 0
    assert "broke off" in door().trouble
    assert look(NOW + timedelta(minutes=1)) == 2
    assert (door().trouble, door().left, door().put_off) == ("", 1, [1])
    monkeypatch.undo()
    assert look(NOW + timedelta(minutes=2)) == 1
    assert (door().left, door().put_off) == (0, [])


def test_what_came_long_before_the_desk_first_looked_is_left_alone(server: Dovecot, settings: Settings) -> None:  # M5
    """A mailbox of years is not to open cases for what was answered long ago; who wants it says since when."""
    with server.client() as client:
        for days, name in ((40, "old"), (3, "lately"), (0, "today")):
            client.append("INBOX", raw_message(name), msg_time=NOW - timedelta(days=days))
    assert look() == 1
    assert (subjects(), server.flags()) == (["today"], [set(), set(), {KEYWORD}])
    settings.IMAP_SINCE = (NOW - timedelta(days=10)).date()
    assert look(LATER) == 1
    assert subjects() == ["today", "lately"]


@pytest.mark.any_database
def test_a_server_without_keywords_has_what_was_taken_moved(settings: Settings) -> None:  # M5
    """As Exchange does. Whether somebody has read a message must not decide whether it is taken."""
    with running_dovecot(keywords=False) as server:
        settings.IMAP_ACCOUNT = server.account()
        server.deliver(messages("one", "two"))
        with server.client() as client:
            client.add_flags([1], ["\\Seen"])
        assert look() == 2
        assert server.flags() == []
        with server.client() as client:
            assert client.select_folder(FOLDER, readonly=True)[b"EXISTS"] == 2
        server.deliver(messages("three"))
        assert look(LATER) == 1
        assert subjects() == ["one", "two", "three"]


@pytest.mark.any_database
@pytest.mark.parametrize("lacking", ["MOVE", "MOVE and UIDPLUS"])
def test_a_server_that_cannot_move_either_has_it_copied_and_deleted(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:  # M5
    real = IMAPClient.has_capability
    monkeypatch.setattr(IMAPClient, "has_capability", lambda self, name: name not in lacking and real(self, name))
    with running_dovecot(keywords=False) as server:
        settings.IMAP_ACCOUNT = server.account()
        server.deliver(messages("one"))
        assert look() == 1
        assert server.flags() == ([] if lacking == "MOVE" else [{"\\Deleted"}])
        with server.client() as client:
            assert client.select_folder(FOLDER, readonly=True)[b"EXISTS"] == 1
        assert look(LATER) == 0


@pytest.mark.any_database
def test_a_folder_of_any_name_can_be_the_mailbox(server: Dovecot, settings: Settings) -> None:
    with server.client() as client:
        client.create_folder("Anfragen/Köln & サポート")
        client.append("Anfragen/Köln & サポート", raw_message("one"))
    settings.IMAP_ACCOUNT = server.account(folder="Anfragen/Köln & サポート")
    assert look() == 1


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"password": "wrong-s3cret"}, "the server refuses the sign-in"),
        ({"folder": "Nowhere"}, "its folder cannot be opened"),
        ({"port": 1}, "the server cannot be reached"),
        ({"security": "tls"}, "the server cannot be reached"),
        ({"security": "starttls"}, "the server cannot do what the desk needs"),
        ({"host": "mail.invalid"}, "the server cannot be reached"),
    ],
    ids=["password", "folder", "port", "no TLS", "no STARTTLS", "host"],
)
def test_what_is_wrong_is_said_without_secrets(
    server: Dovecot, settings: Settings, client: Any, caplog: pytest.LogCaptureFixture, changes: Any, why: str
) -> None:  # S3
    settings.IMAP_ACCOUNT = server.account(**changes)
    caplog.set_level("DEBUG")
    at = timezone.now() - timedelta(minutes=6)
    assert look(at) == 0
    assert (door().trouble, door().fetched_at) == (why, None)
    answer = client.get("/readyz").json()
    assert answer["inbox"] == f"No mail has been fetched from the IMAP mailbox yet, because {why}."
    assert "s3cret" not in caplog.text + door().trouble_detail + repr(imap.ImapMailbox(**settings.IMAP_ACCOUNT))


@pytest.mark.any_database
def test_a_refused_sign_in_is_not_tried_again_before_five_minutes(server: Dovecot, settings: Settings) -> None:
    """Servers lock accounts after some tries."""
    server.deliver(messages("one"))
    settings.IMAP_ACCOUNT = server.account(password="wrong")
    look()
    settings.IMAP_ACCOUNT = server.account()
    assert look(NOW + timedelta(minutes=4, seconds=59)) == 0
    assert look(NOW + timedelta(minutes=5)) == 1


@pytest.mark.any_database
def test_a_server_that_never_answers_holds_up_the_worker_for_so_long(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:  # S2
    monkeypatch.setattr(imap, "TIMEOUTS", imap.SocketTimeout(connect=0.2, read=0.2))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.IMAP_ACCOUNT = Dovecot.account_at(silent.getsockname()[1])
        assert look() == 0
    assert door().trouble == "the server does not answer"


@pytest.mark.any_database
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_mail_comes_over_tls_from_a_server_that_can_be_believed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:  # M5
    with running_dovecot(tls=True) as server:
        port = server.imaps if security == "tls" else server.imap
        settings.IMAP_ACCOUNT = server.account(host="localhost", port=port, security=security)
        server.deliver(messages("one"))
        assert look() == 0
        assert door().trouble == "the certificate of the server is not valid"
        monkeypatch.setenv("SSL_CERT_FILE", str(server.base / "cert.pem"))
        assert look(LATER) == 1


@pytest.fixture
def tokens() -> Iterator[TokenServer]:
    access_tokens._tokens.clear()
    with token_server(USER) as server:
        yield server


@pytest.fixture
def modern(tokens: TokenServer, settings: Settings) -> Iterator[Dovecot]:
    """A mailbox that is entered with a token."""
    with running_dovecot(introspection=f"{tokens.address}/introspect") as dovecot:
        settings.IMAP_ACCOUNT = dovecot.account(password="")
        settings.IMAP_OAUTH = {
            "url": f"{tokens.address}/token", "client_id": CLIENT, "client_secret": SECRET,
            "scope": SCOPE, "refresh_token": "",
        }  # fmt: skip
        yield dovecot


@pytest.mark.any_database
def test_a_mailbox_is_entered_with_a_token_that_is_kept_until_it_expires(
    modern: Dovecot, tokens: TokenServer, caplog: pytest.LogCaptureFixture
) -> None:  # M5
    caplog.set_level("DEBUG")
    modern.deliver(messages("one"))
    assert look() == 1
    modern.deliver(messages("two"))
    assert look(LATER) == 1
    wanted = {
        "grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET, "scope": SCOPE,
    }  # fmt: skip
    assert tokens.asked == [wanted]
    assert SECRET not in caplog.text
    assert "token-1" not in caplog.text


@pytest.mark.any_database
def test_an_expired_token_is_asked_for_anew(modern: Dovecot, tokens: TokenServer) -> None:
    tokens.lives = 60
    modern.deliver(messages("one"))
    assert (look(), look(LATER)) == (1, 0)
    assert len(tokens.asked) == 2


@pytest.mark.any_database
def test_a_token_that_the_mailbox_refuses_is_asked_for_anew(modern: Dovecot, tokens: TokenServer) -> None:
    modern.deliver(messages("one"))
    look()
    tokens.valid.clear()
    look(NOW + timedelta(minutes=1))
    assert door().trouble == "the server refuses the sign-in"
    modern.deliver(messages("two"))
    assert look(NOW + timedelta(minutes=7)) == 1


@pytest.mark.any_database
def test_a_refresh_token_is_another_way_to_a_token(modern: Dovecot, tokens: TokenServer, settings: Settings) -> None:
    settings.IMAP_OAUTH = settings.IMAP_OAUTH | {"refresh_token": "once-given", "scope": ""}
    modern.deliver(messages("one"))
    assert look() == 1
    asked = {"grant_type": "refresh_token", "refresh_token": "once-given", "client_id": CLIENT, "client_secret": SECRET}
    assert tokens.asked == [asked]


@pytest.mark.any_database
def test_a_token_server_that_refuses_is_said_in_its_words(modern: Dovecot, settings: Settings) -> None:  # S3
    settings.IMAP_OAUTH = settings.IMAP_OAUTH | {"client_secret": "wrong-s3cret"}
    assert look() == 0
    assert door().trouble == "the token server refuses us"
    assert "invalid_client: The secret is wrong." in door().trouble_detail
    assert "wrong-s3cret" not in door().trouble_detail


@pytest.mark.any_database
def test_a_token_server_that_is_away_is_said(modern: Dovecot, tokens: TokenServer, settings: Settings) -> None:  # S3
    settings.IMAP_OAUTH = settings.IMAP_OAUTH | {"url": "http://127.0.0.1:1/token"}
    assert look() == 0
    assert door().trouble == "the token server cannot be reached"


def test_the_database_holds_no_password(server: Dovecot) -> None:
    look()
    assert PASSWORD not in repr(MailDoor.objects.values().get())
