"""`manage.py read_absence_note` (F5). No database."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from cases.policy.absence_notes import UnreadReason

ROOT = Path(__file__).parents[3]


@pytest.fixture
def read(monkeypatch):
    def read(note: bytes, *options: str) -> dict[str, str | None]:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(note)))
        out = io.StringIO()
        call_command("read_absence_note", *(options or ("--received", "2026-08-10", "--country", "GB")), stdout=out)
        return json.loads(out.getvalue())

    return read


def test_it_prints_the_timeframe_and_the_words_that_give_it(read) -> None:  # F5
    assert read(b"Out of office on Friday 21 August, back on Monday.") == {
        "away_from": "2026-08-21",
        "back_on": "2026-08-24",
        "phrase": "Out of office on Friday 21 August, back on Monday",
    }


def test_a_start_that_the_note_does_not_name_is_null(read) -> None:  # F5
    assert read(b"Away until 14 August")["away_from"] is None


def test_the_country_and_the_day_of_receipt_decide(read) -> None:  # F5
    note = b"Away until 12/11"
    assert read(note, "--received", "2026-11-01", "--country", "gb")["back_on"] == "2026-11-13"
    assert read(note, "--received", "2026-12-01", "--country", "US")["back_on"] == "2026-12-12"


@pytest.mark.parametrize(
    ("note", "why"),
    [
        ("", UnreadReason.NO_RETURN),
        ("I am out of the office.", UnreadReason.NO_RETURN),
        ("Back on 20 or 21 August.", UnreadReason.OPEN_DAY),
        ("Next week on holiday, back on Monday.", UnreadReason.WHICH_WEEK),
        ("Away until 31 June.", UnreadReason.NO_SUCH_DAY),
        ("Away until 14 August. Away until 21 August.", UnreadReason.TWO_WAYS),
        ("Away until 21 August and back on 17 August.", UnreadReason.WRONG_ORDER),
        ("Away until 3 August 2026.", UnreadReason.OUT_OF_REACH),
        ("My last day was 31 July.", UnreadReason.LEFT),
        ("Away until 14 August. " * 50, UnreadReason.TOO_MANY_DAYS),
    ],
)
def test_a_note_that_it_cannot_read_gets_one_sentence_why(read, note, why) -> None:  # F5
    assert read(note.encode()) == {"asks": why.value}
    assert (why.value[-1], why.value.count(". ")) == (".", 0)


def test_a_byte_order_mark_is_no_part_of_the_note(read) -> None:  # F5
    assert read(b"\xef\xbb\xbfAway until 14 August")["phrase"] == "Away until 14 August"


@pytest.mark.parametrize(
    ("note", "options", "sentence"),
    [
        (b"x", ("--received", "soon", "--country", "GB"), '"soon" is no day: give --received as in 2026-08-10.'),
        (b"x", ("--received", "2026-02-30", "--country", "GB"), '"2026-02-30" is no day'),
        (b"x", ("--received", "2026-08-10", "--country", "Britain"), "two-letter ISO 3166 code"),
        ("zurück am 3. März".encode("latin-1"), (), "The note is not UTF-8 text: convert it, e.g. with iconv."),
        ("away until 14 August".encode("utf-16"), (), "not UTF-8"),
        (b"x" * 20_001, (), "The note is longer than 20,000 characters: give only the note."),
        ("休".encode() * 200_000, (), "longer than 20,000 characters"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence_with_exit_code_2(read, note, options, sentence) -> None:  # S4
    with pytest.raises(CommandError) as refused:
        read(note, *options)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.returncode == 2


def test_a_missing_argument_is_named(read) -> None:  # S4
    with pytest.raises(CommandError, match="--received"):
        read(b"", "--country", "GB")


@pytest.mark.slow
def test_from_a_shell_the_answer_is_plain_ascii_and_a_damaged_note_exits_with_2() -> None:  # F5
    command = [sys.executable, "manage.py", "read_absence_note", "--received", "2026-08-10", "--country", "JP"]
    answer = subprocess.run(command, input="8月14日まで不在です".encode(), capture_output=True, cwd=ROOT)
    assert (answer.returncode, json.loads(answer.stdout.decode("ascii"))["back_on"]) == (0, "2026-08-15")
    answer = subprocess.run(command, input=b"\xff\xfe\x00\x81", capture_output=True, cwd=ROOT)
    assert (answer.returncode, answer.stdout) == (2, b"")
    assert answer.stderr.decode() == "CommandError: The note is not UTF-8 text: convert it, e.g. with iconv.\n"
