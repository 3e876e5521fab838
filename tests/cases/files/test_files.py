"""Files of contacts and notes: taken in, kept, sent, given out (C3, A1, M1)."""

from __future__ import annotations

import hashlib
import html
import io
import os
import re
import stat
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from cases.enums import Channel, Direction, Status, WaitReason
from cases.files import store
from cases.files.state import files_of
from cases.guards import Refused
from cases.mail.rendering import render
from cases.models import Attachment, Case, Interaction, Mail
from cases.tasks import tidy
from cases.workflow import contact_log, transitions
from contacts.models import User
from tests.support.builders import NOON, Desk, reload
from tests.support.outbox import Outbox

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LOG = b"12:00 ERROR printer on fire\r\n"


@pytest.fixture(autouse=True)
def files_dir(settings: Any, tmp_path: Path) -> Path:
    settings.DESK_FILES_DIR = tmp_path / "files"
    return tmp_path / "files"


def upload(name: str = "printer.log", content: bytes = LOG, said: str = "image/png") -> SimpleUploadedFile:
    """A file as a browser sends it; what it says of its type is not believed."""
    return SimpleUploadedFile(name, content, content_type=said)


def on_disk(files_dir: Path) -> list[Path]:
    return sorted(path for path in files_dir.rglob("*") if path.is_file())


def note(desk: Desk, case: Case, *files: SimpleUploadedFile, actor: User | None = None) -> Interaction:
    return contact_log.log_contact(
        case.pk,
        actor or desk.technician,
        NOON + HOUR,
        channel=Channel.NOTE,
        direction=Direction.INTERNAL,
        body="See the log.",
        attachments=files,
    )


def write(desk: Desk, case: Case, *files: SimpleUploadedFile) -> Interaction:
    return contact_log.log_contact(
        case.pk,
        desk.technician,
        NOON + HOUR,
        channel=Channel.EMAIL,
        direction=Direction.OUT,
        body="Please try this.",
        send=True,
        attachments=files,
    )


# --- taken in ---------------------------------------------------------------------------------------------------


def test_a_file_is_kept_with_what_its_bytes_say(desk: Desk, files_dir: Path) -> None:  # C3
    case = desk.open_case(NOON)
    word = note(desk, case, upload("..\\up/printer.log"))
    row = Attachment.objects.get()
    assert (row.case_id, row.interaction_id, row.name) == (case.pk, word.pk, "printer.log")
    assert (row.content_type, row.size, row.sha256) == ("text/plain", len(LOG), hashlib.sha256(LOG).hexdigest())
    assert (row.added_at, row.added_by) == (NOON + HOUR, desk.technician)
    (path,) = on_disk(files_dir)
    assert path.read_bytes() == LOG
    assert re.fullmatch(r"[0-9a-f]{32}", path.name)
    assert row.stored_as == path.name
    assert "printer" not in str(path.relative_to(files_dir))
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("files", "sentences"),
    [
        ([("a.log", b"")], ["“a.log” is empty."]),
        (
            [("big.log", b"x" * 100_001)],
            ["“big.log” has 0.1 MB, and a file may have 0.1 MB; pack it, or send a part of it."],
        ),
        (
            [("a.exe", b"MZ\0")],
            ["“a.exe” is a program or a script, and those are not taken in; ask for its log or a picture."],
        ),
        (
            [("a.svg", b"<svg/>"), ("ok.log", LOG), ("b.log", b"")],
            [
                "“a.svg” is a web page, which may run scripts; send it as text, a PDF or a picture.",
                "“b.log” is empty.",
            ],
        ),
        ([(f"{number}.log", LOG) for number in range(4)], ["These are 4 files, and at most 3 go together."]),
        (
            [(f"{number}.log", b"x" * 90_000) for number in range(3)],
            ["The files have 0.3 MB together, and at most 0.2 MB go at once; send some of them later."],
        ),
        ([("a.zip", b"PK\x03\x04broken")], ["“a.zip” is a damaged archive; have it packed anew."]),
    ],
)
def test_each_file_that_is_not_taken_in_gets_a_sentence(  # C3, S4
    desk: Desk, files_dir: Path, settings: Any, files: list[tuple[str, bytes]], sentences: list[str]
) -> None:
    settings.DESK_MOST_FILES, settings.DESK_LARGEST_FILE, settings.DESK_LARGEST_FILES = 3, 100_000, 200_000
    case = desk.open_case(NOON)
    with pytest.raises(Refused) as caught:
        note(desk, case, *(upload(name, content) for name, content in files))
    refused = caught.value
    assert [one.sentence for one in (refused, *refused.others)] == sentences
    assert {one.field for one in (refused, *refused.others)} == {"attachments"}
    assert not Interaction.objects.filter(case=case, channel=Channel.NOTE).exists()
    assert on_disk(files_dir) == []


def test_what_is_exactly_as_large_as_allowed_is_taken_in(desk: Desk, settings: Any) -> None:  # C3
    settings.DESK_MOST_FILES, settings.DESK_LARGEST_FILE, settings.DESK_LARGEST_FILES = 2, 100_000, 200_000
    note(desk, desk.open_case(NOON), upload("a.log", b"x" * 100_000), upload("b.log", b"y" * 100_000))
    assert Attachment.objects.count() == 2


def test_a_document_is_known_by_what_is_packed_in_it(desk: Desk) -> None:  # C3
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("[Content_Types].xml", "")
        archive.writestr("word/document.xml", "")
    note(desk, desk.open_case(NOON), upload("report.zip", packed.getvalue()))
    assert Attachment.objects.get().content_type.endswith("wordprocessingml.document")


def test_a_disk_that_is_full_is_said_and_nothing_is_saved(  # S4
    desk: Desk, files_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    case = desk.open_case(NOON)
    monkeypatch.setattr(store.os, "fsync", full)
    with pytest.raises(Refused, match=re.escape("cannot be kept just now (No space left on device)")) as caught:
        note(desk, case, upload())
    assert caught.value.field == "attachments"
    assert not Interaction.objects.filter(case=case, channel=Channel.NOTE).exists()
    assert on_disk(files_dir) == []


# --- rows and files ---------------------------------------------------------------------------------------------


def test_what_is_rolled_back_leaves_no_row_and_an_orphan_that_is_deleted_a_day_later(  # C3
    desk: Desk, files_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = desk.open_case(NOON)
    note(desk, case, upload("kept.log"))
    (kept,) = on_disk(files_dir)
    with transaction.atomic():
        note(desk, case, upload("lost.log"))
        transaction.set_rollback(True)
    assert [row.name for row in Attachment.objects.all()] == ["kept.log"]
    (orphan,) = set(on_disk(files_dir)) - {kept}
    now = NOON + 30 * DAY
    for path, age in ((kept, 20 * DAY), (orphan, DAY - timedelta(seconds=1))):
        os.utime(path, times=((now - age).timestamp(),) * 2)
    assert store.remove_orphans(now) == 0  # its transaction may be under way
    os.utime(orphan, times=((now - DAY - timedelta(seconds=1)).timestamp(),) * 2)
    with time_machine.travel(now, tick=False):
        call_command("clean_files")
        assert capsys.readouterr().out == "1 files that belonged to no case were deleted.\n"
    assert on_disk(files_dir) == [kept]


def test_the_desk_tidies_by_itself(desk: Desk, files_dir: Path) -> None:  # C3
    orphan = files_dir / "ab" / ("ab" * 16)
    orphan.parent.mkdir(parents=True)
    orphan.write_bytes(b"x")
    os.utime(orphan, times=(0, 0))
    tidy()
    assert on_disk(files_dir) == []


def test_where_no_file_ever_came_there_is_nothing_to_tidy(db: None) -> None:
    assert store.remove_orphans(NOON) == 0


# --- sent -------------------------------------------------------------------------------------------------------


def test_the_files_of_a_mail_are_named_in_it_and_in_its_copies(desk: Desk) -> None:  # C3, M1
    case = desk.open_case(NOON)
    word = write(desk, case, upload("fix.txt"), upload("手順.txt"))
    mail = Mail.objects.get(template="message")
    keys = list(word.attachments.values_list("pk", flat=True))
    assert [(file["id"], file["name"]) for file in mail.facts["files"]] == list(
        zip(keys, ["fix.txt", "手順.txt"], strict=True)
    )
    rendered = render(mail)
    assert "Attached: fix.txt (29\xa0bytes), 手順.txt (29\xa0bytes)\n" in rendered.text
    assert "Attached: fix.txt" in rendered.html


def test_a_question_takes_its_files_along_if_it_is_sent(desk: Desk) -> None:  # C3
    for send, channel in ((True, None), (False, Channel.PHONE)):
        case = desk.open_case(NOON)
        transitions.ask_customer(
            case.pk,
            desk.technician,
            NOON + HOUR,
            question="Is it this one?",
            reason=WaitReason.INFORMATION,
            send=send,
            channel=channel,
            attachments=[upload("photo.png", b"\x89PNG\r\n\x1a\n")],
        )
        asked = Interaction.objects.filter(case=case).last()
        assert asked is not None
        assert [row.name for row in asked.attachments.all()] == ["photo.png"]
        mails = Mail.objects.filter(case=case, template="question")
        assert [mail.facts["files"][0]["name"] for mail in mails] == (["photo.png"] if send else [])


def test_files_of_notes_and_of_calls_are_sent_to_nobody(desk: Desk) -> None:  # C3
    case, outbox = desk.open_case(NOON, actor=desk.l3), Outbox()
    note(desk, case, upload(), actor=desk.l3)
    contact_log.log_contact(
        case.pk,
        desk.l3,
        NOON + HOUR,
        channel=Channel.PHONE,
        direction=Direction.IN,
        body="They sent a log.",
        attachments=[upload()],
    )
    assert Attachment.objects.count() == 2
    assert all("files" not in mail.facts for mail in outbox.rows())


# --- given out --------------------------------------------------------------------------------------------------


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_file_is_downloaded_and_never_shown(desk: Desk) -> None:  # C3
    note(desk, desk.open_case(NOON), upload("Störung 1.log"))
    row = Attachment.objects.get()
    answer = client_of(desk.technician).get(row.get_absolute_url())
    assert (answer.status_code, answer.streaming) == (200, True)
    assert b"".join(answer) == LOG  # type: ignore[arg-type]
    assert answer["Content-Type"] == "text/plain"
    assert answer["Content-Disposition"] == "attachment; filename*=utf-8''St%C3%B6rung%201.log"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"].startswith("sandbox")
    assert "no-store" in answer["Cache-Control"]
    assert answer["Content-Length"] == str(len(LOG))


def test_a_file_is_for_whoever_reads_its_case(desk: Desk) -> None:  # A1
    case, foreign = desk.open_case(NOON), desk.open_case(NOON, company=desk.other_company)
    note(desk, case, upload())
    row = Attachment.objects.get()
    url = row.get_absolute_url()
    expected = {desk.technician: 200, desk.manager: 200, desk.account_manager: 200, desk.customer_engineer: 200}
    expected |= {desk.other_account_manager: 404}
    for user, status in expected.items():
        answer = client_of(user).get(url)
        assert (user, answer.status_code) == (user, status)
        assert not answer.streaming or b"".join(answer) == LOG  # type: ignore[arg-type]
    assert Client().get(url).status_code == 302  # to sign in
    worker = client_of(desk.technician)
    assert worker.post(url).status_code == 405
    # Only by its own case, key and name.
    for args in ([foreign.pk, row.pk, row.name], [case.pk, row.pk + 1, row.name], [case.pk, row.pk, "other.log"]):
        assert worker.get(reverse("admin:cases_case_file", args=args)).status_code == 404
    reader = client_of(desk.other_account_manager)
    own = reverse("admin:cases_case_file", args=[foreign.pk, row.pk, row.name])
    assert reader.get(own).status_code == 404


def test_a_file_that_is_gone_is_said_to_be(desk: Desk, files_dir: Path) -> None:  # S4
    note(desk, desk.open_case(NOON), upload())
    on_disk(files_dir)[0].unlink()
    answer = client_of(desk.technician).get(Attachment.objects.get().get_absolute_url())
    assert answer.status_code == 404


def test_the_files_of_many_contacts_are_one_query(  # C3
    desk: Desk, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    case = desk.open_case(NOON)
    words = [note(desk, case, upload("a.log"), upload("b.log")) for _ in range(3)] + [note(desk, case)]
    with django_assert_num_queries(1):
        lines = files_of(words)
    assert [[line.name for line in lines.get(word.pk, [])] for word in words] == [["a.log", "b.log"]] * 3 + [[]]
    first = lines[words[0].pk][0]
    assert (first.size, first.url) == ("29\xa0bytes", Attachment.objects.first().get_absolute_url())
    with django_assert_num_queries(0):
        assert files_of([]) == {}


# --- pages ------------------------------------------------------------------------------------------------------


def press(desk: Desk, case: Case, name: str, **typed: Any) -> Any:
    with time_machine.travel(NOON + HOUR, tick=False):
        address = reverse("admin:cases_case_do", args=[case.pk, name])
        return client_of(desk.technician).post(address, typed, follow=True)


FORMS: dict[str, dict[str, str]] = {
    "write_to_customer": {"body": "Please try this."},
    "log_contact": {"body": "They sent a log.", "channel": "email", "direction": "in"},
    "add_note": {"body": "See the log."},
    "ask_customer": {"question": "Is it this one?", "reason": "information", "send": "on"},
}


@pytest.mark.parametrize("name", FORMS)
def test_files_come_with_each_of_these_forms(desk: Desk, name: str) -> None:  # C3
    case = desk.open_case(NOON)
    answer = press(desk, case, name, **FORMS[name], attachments=[upload("a.log"), upload("b.log")])
    assert answer.status_code == 200
    assert [row.name for row in Attachment.objects.filter(case=case)] == ["a.log", "b.log"]


@pytest.mark.parametrize("name", FORMS)
def test_words_stay_and_files_are_asked_for_again(desk: Desk, name: str) -> None:  # S4
    case = desk.open_case(NOON)
    answer = press(desk, case, name, **FORMS[name], attachments=[upload("a.exe", b"MZ\0"), upload("b.log")])
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert "“a.exe” is a program or a script" in page
    assert "Choose the files again, a browser does not keep them: a.exe, b.log." in page
    assert next(word for field, word in FORMS[name].items() if field in ("body", "question")) in page
    assert 'enctype="multipart/form-data"' in page
    assert (reload(case).status, Attachment.objects.count()) == (Status.ASSIGNED, 0)


def test_forms_without_files_are_sent_as_before(desk: Desk) -> None:
    answer = press(desk, desk.open_case(NOON), "resolve")
    assert answer.status_code == 422
    assert "multipart" not in answer.content.decode()


def test_a_preview_writes_no_file(desk: Desk, files_dir: Path) -> None:  # E10
    case = desk.open_case(NOON)
    address = reverse("admin:cases_case_preview", args=[case.pk, "ask_customer"])
    with time_machine.travel(NOON + HOUR, tick=False):
        typed = {**FORMS["ask_customer"], "attachments": [upload()]}
        answer = client_of(desk.technician).post(address, typed)
    assert answer.status_code == 200
    assert "The customer (Help desk of Acme) gets the question." in html.unescape(answer.content.decode())
    assert on_disk(files_dir) == []


def test_more_than_a_request_may_hold_is_said_before_it_is_read(desk: Desk, settings: Any) -> None:  # S4
    settings.DESK_LARGEST_UPLOAD = 50_000
    answer = press(desk, desk.open_case(NOON), "add_note", body="See.", attachments=[upload("a.log", b"x" * 60_000)])
    assert answer.status_code == 413
    assert Attachment.objects.count() == 0


def test_what_is_allowed_fits_into_a_request(settings: Any) -> None:  # S4
    assert settings.DESK_LARGEST_FILES + settings.DATA_UPLOAD_MAX_MEMORY_SIZE <= settings.DESK_LARGEST_UPLOAD
