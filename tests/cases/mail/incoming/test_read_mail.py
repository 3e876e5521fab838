"""`manage.py read_mail` (M6, M7). No database."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
import time_machine
from django.core.management import CommandError, call_command

from tests.cases.mail.incoming.samples import SAMPLES

ROOT = Path(__file__).parents[4]
RAW = {sample.name: sample.raw for sample in SAMPLES}


@pytest.fixture
def path_of(tmp_path):
    def path_of(name: str, raw: bytes | None = None) -> str:
        path = tmp_path / f"{name}.eml"
        path.write_bytes(RAW[name] if raw is None else raw)
        return str(path)

    return path_of


def read(*arguments: str) -> list[dict[str, object]]:
    out = io.StringIO()
    call_command("read_mail", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_each_file_is_an_entry_in_the_order_given(path_of) -> None:  # M6
    paths = [path_of("bounce-postfix"), path_of("person-with-a-pdf"), path_of("away-en-headers")]
    bounce, person, note = read(*paths)
    assert [each["file"] for each in (bounce, person, note)] == paths
    assert bounce["kind"] == "bounce"
    assert bounce["failed_recipients"] == ["bob@customer.example"]
    assert person == {
        "file": paths[1],
        "kind": "person",
        "sender": "ann@customer.example",
        "subject": "Replication stops",
        "references": [],
        "text": "See the PDF.",
        "quoted": "",
        "attachments": [{"name": "report.pdf", "type": "application/pdf", "size": 10}],
        "absence": None,
        "failed_recipients": [],
        "why": "Nothing in it says that a machine wrote it.",
    }
    assert note["absence"] == {"away_from": None, "back_on": "2026-08-17"}


def test_the_day_of_arrival_and_the_country_are_for_the_absence_note(path_of) -> None:  # F5
    note = b"From: a@b.example\nSubject: Out of office\nAuto-Submitted: auto-replied\n\nOut of office until 11/12.\n"
    path = path_of("note", note)
    assert read(path, "--received", "2026-11-05", "--country", "US")[0]["absence"] == {
        "away_from": None,
        "back_on": "2026-11-13",
    }
    assert read(path, "--received", "2026-11-05", "--country", "GB")[0]["absence"] == {
        "away_from": None,
        "back_on": "2026-12-12",
    }


def test_a_note_without_a_date_arrived_today(path_of) -> None:  # F5
    note = b"From: a@b.example\nSubject: Away\nAuto-Submitted: auto-replied\n\nOut of office until 14 August.\n"
    with time_machine.travel("2026-08-10T12:00Z", tick=False):
        assert read(path_of("note", note))[0]["absence"] == {"away_from": None, "back_on": "2026-08-15"}


def test_a_file_that_cannot_be_opened_is_an_unreadable_entry(path_of, tmp_path) -> None:  # M6
    missing, folder = str(tmp_path / "none.eml"), str(tmp_path)
    entries = read(missing, path_of("person-en-alone"), folder)
    assert [each["kind"] for each in entries] == ["unreadable", "person", "unreadable"]
    assert entries[0]["why"] == "The file cannot be opened: No such file or directory."
    assert entries[2]["why"] == "The file cannot be opened: Is a directory."


def test_it_fails_only_when_no_file_could_be_opened(tmp_path, path_of) -> None:
    with pytest.raises(CommandError) as failed:
        read(str(tmp_path / "none.eml"))
    assert failed.value.returncode == 1
    assert read(path_of("broken-empty"))[0]["kind"] == "unreadable"


@pytest.mark.parametrize("options", [("--received", "10.8.2026"), ("--country", "XX")])
def test_an_option_that_makes_no_sense_is_refused(path_of, options: tuple[str, str]) -> None:  # S4
    with pytest.raises(CommandError) as refused:
        read(path_of("person-en-alone"), *options)
    assert refused.value.returncode == 2


def test_without_json_it_is_a_table_for_people(path_of) -> None:
    out = io.StringIO()
    call_command("read_mail", path_of("person-en-top"), path_of("bounce-two-recipients"), stdout=out)
    table = out.getvalue()
    assert "  kind         person\n" in table
    assert "  text         The replication stopped again at 03:12. I attach nothing yet.\n" in table
    assert "  quoted       3 lines\n" in table
    assert "  failed       bob@customer.example, cy@customer.example\n" in table


def test_it_needs_no_database_and_reads_standard_input() -> None:
    run = subprocess.run(
        [sys.executable, "manage.py", "read_mail", "-", "--json"],
        cwd=ROOT,
        input=RAW["ja-iso-2022-jp-ms"],
        env={"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "SECRET_KEY": "x", "DEBUG": "1", "PATH": ""},
        capture_output=True,
        check=True,
    )
    assert json.loads(run.stdout)[0]["subject"] == "㈱髙橋の件"
