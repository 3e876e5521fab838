"""Files are scanned for viruses where a scanner is set up: by whoever they come, before they are kept (C3, S4)."""

from __future__ import annotations

import html
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from cases.enums import Channel, Direction, Door
from cases.files.apply import sort_files
from cases.files.scanner import ScannerAway, virus_in, why_not
from cases.guards import Refused
from cases.inbox.receive import receive
from cases.models import Attachment, Interaction
from cases.workflow import contact_log
from config.environment import Environment
from tests.support.builders import NOON, Desk
from tests.support.mails import raw_mail

#: The test file that every scanner calls a virus, in two pieces so that nobody's scanner finds it here.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class Clamd:
    """A daemon that speaks as ClamAV's does; `says` makes its answer of the bytes it was sent."""

    def __init__(self, says: Callable[[bytes], bytes]) -> None:
        self.says = says
        self.asked: list[bytes] = []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self.server.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self.server.accept()
            except OSError:
                return
            with caller, caller.makefile("rb") as stream:
                assert stream.read(10) == b"zINSTREAM\0"
                sent = b""
                while size := struct.unpack("!I", stream.read(4))[0]:
                    sent += stream.read(size)
                self.asked.append(sent)
                caller.sendall(self.says(sent))


def _verdict(sent: bytes) -> bytes:
    return b"stream: Win.Test.EICAR_HDB-1 FOUND\0" if EICAR in sent else b"stream: OK\0"


@pytest.fixture
def clamd(settings: Any) -> Iterator[Clamd]:
    daemon = Clamd(_verdict)
    settings.DESK_CLAMAV = daemon.address
    yield daemon
    daemon.server.close()


def file(content: bytes = b"12:00 ERROR\n", name: str = "printer.log") -> ContentFile[bytes]:
    return ContentFile(content, name)


def test_a_clean_file_is_sent_whole_and_once(clamd: Clamd) -> None:
    large = file(bytes(range(256)) * 1_000)
    assert (why_not(large), why_not(large)) == ("", "")
    assert clamd.asked == [bytes(range(256)) * 1_000]


def test_a_virus_is_named(clamd: Clamd) -> None:
    assert why_not(file(b"at the end " + EICAR)) == "holds a virus (Win.Test.EICAR_HDB-1) and is not kept"


@pytest.mark.parametrize(
    "answer", [b"INSTREAM size limit exceeded. ERROR\0", b"", b"\xff\xfe", b"x" * 5_000, b"OK FOU"]
)
def test_an_answer_that_says_neither_keeps_nothing(clamd: Clamd, answer: bytes) -> None:
    clamd.says = lambda _: answer
    assert why_not(file()).startswith("cannot be scanned for viruses just now")
    with pytest.raises(ScannerAway):
        virus_in(file(), clamd.address)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "unix:///no/such/socket", "unix://"])
def test_a_daemon_that_is_away_keeps_nothing(settings: Any, address: str) -> None:
    settings.DESK_CLAMAV = address
    assert why_not(file()).startswith("cannot be scanned for viruses just now")


def test_without_a_scanner_every_file_passes(settings: Any) -> None:
    settings.DESK_CLAMAV = ""
    assert why_not(file(EICAR)) == ""


def test_a_daemon_on_a_socket_of_this_machine_is_asked_too(tmp_path: Path) -> None:
    where = tmp_path / "clamd.ctl"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(where))
        server.listen()

        def serve() -> None:
            caller, _ = server.accept()
            with caller, caller.makefile("rb") as stream:
                stream.read(10 + 4 + len(EICAR) + 4)
                caller.sendall(_verdict(EICAR))

        threading.Thread(target=serve, daemon=True).start()
        assert virus_in(file(EICAR), f"unix://{where}") == "Win.Test.EICAR_HDB-1"


def test_what_comes_by_mail_or_from_a_customer_is_sorted(clamd: Clamd) -> None:
    sorted_files = sort_files([file(), file(EICAR, "tool.txt")])
    assert [one.name for one in sorted_files.kept] == ["printer.log"]
    assert sorted_files.refused == ["“tool.txt” holds a virus (Win.Test.EICAR_HDB-1) and is not kept."]


@pytest.mark.django_db
def test_no_move_keeps_a_virus(desk: Desk, clamd: Clamd) -> None:
    case = desk.open_case()
    words = {"channel": Channel.NOTE, "direction": Direction.INTERNAL, "body": "See the file."}
    with pytest.raises(Refused, match="holds a virus"):
        contact_log.log_contact(case.pk, desk.technician, NOON, attachments=[file(EICAR)], **words)
    assert not Attachment.objects.exists()
    assert not Interaction.objects.filter(channel=Channel.NOTE).exists()


@pytest.mark.django_db
def test_the_form_says_it_and_keeps_the_words(desk: Desk, client: Client, clamd: Clamd) -> None:
    case = desk.open_case()
    client.force_login(desk.technician)
    address = reverse("admin:cases_case_do", args=[case.pk, "add_note"])
    answer = client.post(address, {"body": "See the file.", "attachments": [file(EICAR, "tool.txt")]})
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert "“tool.txt” holds a virus (Win.Test.EICAR_HDB-1) and is not kept." in page
    assert "See the file." in page
    assert not Attachment.objects.exists()


@pytest.mark.django_db
def test_a_virus_in_received_mail_is_not_given_out(desk: Desk, client: Client, clamd: Clamd) -> None:  # M7
    raw = raw_mail(sender="somebody@stranger.example", files={"tool.txt": EICAR, "log.txt": b"line\n"})
    mail = receive(raw, NOON, door=Door.COMMAND).mail
    client.force_login(desk.technician)
    refused = client.get(reverse("admin:cases_receivedmail_file", args=[mail.pk, 0, "tool.txt"]), follow=True)
    assert "“tool.txt” holds a virus" in html.unescape(refused.content.decode())
    given = client.get(reverse("admin:cases_receivedmail_file", args=[mail.pk, 1, "log.txt"]))
    assert b"".join(given.streaming_content) == b"line\n"  # type: ignore[attr-defined]


@pytest.mark.parametrize("url", ["tcp://clamav:3310", "tcp://[::1]:3310", "unix:///run/clamav/clamd.ctl", ""])
def test_the_address_of_the_daemon_is_read(url: str) -> None:
    environment = Environment({"DESK_CLAMAV": url})
    assert environment.scanner("DESK_CLAMAV") == url
    assert environment.problems == []


@pytest.mark.parametrize("url", ["clamav:3310", "tcp://clamav", "tcp://clamav:x", "http://clamav:3310", "unix://"])
def test_an_address_that_cannot_be_read_is_said_and_lets_nothing_pass(url: str) -> None:
    environment = Environment({"DESK_CLAMAV": url})
    assert environment.scanner("DESK_CLAMAV") == "unix://"
    assert [problem.id for problem in environment.problems] == ["E017"]
