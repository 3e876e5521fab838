"""The commands over logs as people have them: what they say, what they write, and how they end (C5, S4)."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from cases.enums import Resolution, Status
from cases.models import Case, Mail
from contacts.models import Company, Contact
from escalations.models import Escalation
from escalations.points.apply import escalate
from tests.cases.incidents.test_file import text_of, workbook
from tests.cases.incidents.test_importing import LIFE, OTHERS, everything, run_import, write_log
from tests.cases.incidents.test_log import at, lines_of
from tests.support.builders import build_desk

pytestmark = pytest.mark.django_db


def run_replay(path: Path, *options: str) -> tuple[str, str, str]:
    """The report, what is said beside it, and the ledger."""
    said, beside, ledger = io.StringIO(), io.StringIO(), path.with_suffix(".ledger")
    call_command("replay", str(path), "--ledger", str(ledger), *options, stdout=said, stderr=beside)
    return said.getvalue(), beside.getvalue(), ledger.read_text()


def test_a_dry_run_says_what_would_be_imported_and_writes_nothing(tmp_path: Path) -> None:
    run_import(write_log(tmp_path, OTHERS[0]))
    there = everything()
    path = write_log(
        tmp_path, *LIFE, *OTHERS, at("15:00", "Wartet", number="INC4"), {"number": "INC5", "caller_id": "Caller 5"},
        at("08:00", number="INC5", priority="p9"), at("1/3/2099 08:00", number="INC1"),
    )  # fmt: skip
    said = run_import(path, "--dry-run")
    assert everything() == there
    for line in (
        "Nothing is written (--dry-run).",
        "The log goes from 2016-02-29 01:16 UTC to 2016-03-01 15:00 UTC.",
        "3 incidents: 2 would become cases, 1 are known already.",
        "Cases by state: 1 Assigned, 0 In Progress, 0 Customer Update Required, 1 Resolved.",
        "Cases by severity: 0 Critical, 0 High, 2 Medium, 0 Low.",
        "New people: 1 companies, 1 contacts, 2 technicians.",
        "  Location 1",
        "  priority “p9”: 1 row",
        "  state “Wartet”: 1 row",
        "1 row lies after the moment",
        "1 bad rows were skipped.",
        "2 incidents are held back whole",
        "  INC5, line 14: “p9” is not a priority",
        '  INC4, line 12: “Wartet” is not a state; say what it means, like --state "Wartet=in progress".',
    ):
        assert line in said
    assert "2 new cases, 1 known" in run_import(path)
    assert Company.objects.count() == 2


def test_no_state_of_the_family_leaves_a_finished_case_to_the_sweeps(tmp_path: Path) -> None:  # C5
    build_desk()
    header = "number;state;priority;sys_updated_on;opened_at;caller_id;location;assigned_to\n"
    rows = [f"INC{words};{words};1;2026-03-01 08:00:00;2026-03-01 08:00:00;C;L;T\n" for words in ("Canceled", "6", "7")]
    rows += ["INC1;1;1;2026-03-01 08:00:00;2026-03-01 08:00:00;C;L;T\n"]
    rows += [
        f"INC1;{word};1;2026-03-01 08:0{minute}:00;2026-03-01 08:00:00;C;L;T\n" for minute, word in enumerate("268")
    ]
    rows += ["INC2;On Hold;1;2026-03-01 08:00:00;2026-03-01 08:00:00;C;L;T\n"]
    path = tmp_path / "log.csv"
    path.write_text(header + "".join(rows))
    said = run_import(path)
    assert "INC2, line 9: “On Hold” waits for the customer or for others" in said
    assert set(Case.objects.values_list("status", flat=True)) == {Status.RESOLVED}
    mails = Mail.objects.count()
    escalate(timezone.now())
    assert (Escalation.objects.count(), Mail.objects.count()) == (0, mails)


def test_a_case_that_was_called_off_was_confirmed_by_nobody(tmp_path: Path) -> None:
    run_import(write_log(tmp_path, {}, at("08:00", "Canceled"), {"number": "INC2", "incident_state": "Closed"}))
    called_off, closed = (Case.objects.get(external_reference=number) for number in ("INC1", "INC2"))
    assert (called_off.status, called_off.resolution) == (Status.RESOLVED, Resolution.NOT_PURSUED)
    assert called_off.solution == "Cancelled in the system it was imported from."
    assert (closed.status, closed.resolution) == (Status.RESOLVED, Resolution.CONFIRMED)


def test_nobody_is_called_null_and_an_incident_is_known_in_any_spelling(tmp_path: Path) -> None:
    run_import(write_log(tmp_path, {"caller_id": "NULL", "location": "(empty)", "assigned_to": "n/a"}))
    assert [(one.name, one.company.name) for one in Contact.objects.all()] == [
        ("Unknown caller of unknown location", "Unknown location")
    ]
    assert Case.objects.get().owner is None
    assert "0 new cases, 1 known" in run_import(write_log(tmp_path, {"number": "inc1"}))


def test_a_workbook_is_imported_with_the_region_of_its_companies(tmp_path: Path) -> None:
    run_import(workbook(tmp_path), "--state", "On Hold=in progress", "--country", "de", "--subdivision", "BY",
               "--time-zone", "Europe/Berlin")  # fmt: skip
    assert Case.objects.count() == 2
    assert {(one.country, one.subdivision) for one in Company.objects.all()} == {("DE", "BY")}


def test_the_times_of_the_log_may_be_in_another_zone(tmp_path: Path) -> None:
    run_import(write_log(tmp_path, {}, at("08:00")), "--log-time-zone", "Asia/Tokyo")
    assert Case.objects.get().changed_at == datetime(2016, 2, 29, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        ([], [], "no row stands under the header"),
        ([at("08:00", "Wartet")], [], "no incident was understood whole"),
        ([{"priority": ""}], [], "no incident was understood whole"),
        ([{}], ["--as-of", "2015-01-01"], "every row lies after the moment"),
    ],
)
def test_an_import_of_nothing_ends_with_a_sentence_and_not_with_success(
    tmp_path: Path, rows: list[dict[str, str]], options: list[str], said: str
) -> None:
    there = everything()
    for more in ([], ["--dry-run"]):
        with pytest.raises(CommandError, match=f"There is nothing to import: {said}") as refused:
            run_import(write_log(tmp_path, *rows), *options, *more)
        assert refused.value.returncode == 1
    assert everything() == there


def test_a_file_that_ends_in_the_middle_of_a_line_is_not_imported(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("".join(lines_of(*LIFE))[:-60])
    for more in ([], ["--dry-run"]):
        with pytest.raises(CommandError, match="ends in the middle of line 9, so rows are missing; copy it again"):
            run_import(path, *more)
    assert Case.objects.count() == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--column", "colour=Blue"], "--column takes FIELD=NAME, not “colour=Blue”; the field is one of number"),
        (["--state", "Wartet"], "--state takes WORD=MEANING, not “Wartet”; the meaning is one of assigned"),
        (["--priority", "Eilig=soon"], "--priority takes WORD=MEANING, not “Eilig=soon”; .* critical, high"),
        (["--log-time-zone", "Mars/Olympus"], "Mars/Olympus"),
        (["--subdivision", "XX"], "XX"),
        (["--encoding", "klingon"], "klingon"),
    ],
)
def test_an_option_that_cannot_be_understood_is_refused_in_a_sentence(
    tmp_path: Path, options: list[str], said: str
) -> None:
    with pytest.raises(CommandError, match=said):
        run_import(write_log(tmp_path, *LIFE), *options)


def test_all_that_is_not_understood_is_listed_when_it_is_asked_for(tmp_path: Path) -> None:
    rows = [{"number": f"INC{number}", "incident_state": f"Wort {number}"} for number in range(30)]
    path = write_log(tmp_path, *OTHERS, *(row | {"number": f"X{row['number']}"} for row in rows))
    said = run_import(path, "--dry-run")
    assert said.count("Wort 29") == 0
    assert said.count("  and 10 more. Say -v 2 to see them all.") == 2
    said = run_import(path, "--dry-run", "-v", "2")
    assert said.count("Wort 29") == 3  # the word, and the sentence that quotes it twice


def test_the_replay_reads_every_shape_to_the_same_ledger(tmp_path: Path) -> None:
    reason = ["--state", "On Hold=waiting"]
    path = tmp_path / "log.csv"
    path.write_text(text_of())
    expected = run_replay(path, *reason)[2]
    assert len(expected.splitlines()) == 4
    iso = text_of(";").replace("29/2/2016 ", "2016-02-29T").replace("1/3/2016 ", "2016-03-01T")
    for text in (iso, text_of("\t").replace("29/2/2016", "2/29/2016").replace("1/3/2016", "3/1/2016")):
        path.write_text(text)
        assert run_replay(path, *reason)[2] == expected
    assert run_replay(workbook(tmp_path), *reason)[2] == expected
    path.write_text(text_of())
    shifted = run_replay(path, *reason, "--time-zone", "Asia/Tokyo")[2]
    assert "2016-02-28T20:16:00" in shifted


def test_a_replay_lets_nothing_loose_so_it_takes_what_it_understands_and_says_what_not(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    rows = [
        {"priority": "1"},
        at("08:00", "Wartet", priority="1"),
        at("09:00", priority="1"),
        at("10:00", priority="9"),
    ]
    path.write_text("".join(lines_of(*rows)))
    report, beside, ledger = run_replay(path, "--json")
    assert ledger.splitlines()[1:] == ["INC1,escalation,1,critical,1,2016-02-29T05:16:00+00:00",
                                       "INC1,escalation,1,critical,2,2016-02-29T13:16:00+00:00",
                                       "INC1,escalation,1,critical,3,2016-03-01T01:16:00+00:00"]  # fmt: skip
    assert report.startswith("{")
    assert "1 incident is not understood whole" in beside
    assert "state “Wartet”: 1 row" in beside
    assert "line 5: “9” is not a priority" in beside


@pytest.mark.parametrize("rows", [[], [{"priority": "9"}]])
def test_a_replay_of_nothing_ends_with_a_sentence(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    with pytest.raises(CommandError, match="no incident could be read, so there is nothing to replay"):
        run_replay(write_log(tmp_path, *rows))
