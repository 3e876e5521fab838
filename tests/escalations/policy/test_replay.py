"""The replay of a whole real log, held against an independent simulator that walks minute by minute (E1-E4, F2)."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from cases.incidents.log import read_log
from escalations.policy.replay import LEDGER_COLUMNS, Replay, as_json, replay, write_ledger
from escalations.policy.schedule import PUBLISHED
from tests.support import brute_force

HERE = Path(__file__).resolve().parents[3]
LOG = Path(os.environ.get("SHARED_DATA", HERE.parent / "shared" / "data")) / "servicenow_incidents.csv.gz"
with_the_log = pytest.mark.skipif(not LOG.exists(), reason="the shared incident log is not here")

HEADER = "number,incident_state,priority,sys_updated_at,opened_at,caller_id,location,assigned_to\n"
OPENED = "1/3/2016 08:00"


def log_of(*rows: tuple[str, str, str], number: str = "INC1", opened: str = OPENED, extra: Iterable[str] = ()) -> str:
    """A log of one incident: (when, state, priority) each."""
    lines = [f"{number},{state},{priority},{at},{opened},C,L,?" for at, state, priority in rows]
    return HEADER + "\n".join([*lines, *extra]) + "\n"


def replayed(text: str) -> Replay:
    log = read_log(io.StringIO(text))
    return replay(log.incidents, PUBLISHED, log.ended_at)


def ledger(text: str) -> list[tuple[str, int, str, str, str]]:
    """(kind, run, severity, step, due) of each line."""
    out = io.StringIO()
    write_ledger(replayed(text).ledger, out)
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    return [(row["kind"], int(row["run"]), row["severity"], row["step"], row["due_at"][5:16]) for row in rows]


def test_points_and_notices_are_listed_with_their_due_times() -> None:  # E1, F2
    text = log_of(
        ("1/3/2016 08:00", "New", "1 - Critical"),
        ("1/3/2016 13:00", "Awaiting User Info", "1 - Critical"),
        ("4/3/2016 13:00", "Active", "1 - Critical"),
        ("5/3/2016 13:00", "Resolved", "1 - Critical"),
    )
    assert ledger(text) == [
        ("escalation", 1, "critical", "1", "03-01T12:00"),
        ("pending", 1, "", "notice-1", "03-03T13:00"),
        ("escalation", 1, "critical", "2", "03-04T20:00"),
        ("escalation", 1, "critical", "3", "03-05T08:00"),
    ]


def test_what_is_due_at_the_end_of_the_log_is_included_and_an_event_at_that_instant_comes_first() -> None:
    still_open = log_of(("1/3/2016 08:00", "New", "1 - Critical"), ("1/3/2016 12:00", "New", "1 - Critical"))
    assert [line[3] for line in ledger(still_open)] == ["1"]
    resolved = log_of(("1/3/2016 08:00", "New", "1 - Critical"), ("1/3/2016 12:00", "Resolved", "1 - Critical"))
    assert ledger(resolved) == []


@pytest.mark.parametrize(("reopened", "run"), [("3/3/2016 08:00", 1), ("3/3/2016 08:01", 2)])
def test_within_a_day_a_reopening_goes_on_and_later_it_begins_anew(reopened: str, run: int) -> None:  # E2
    text = log_of(
        ("1/3/2016 08:00", "New", "2 - High"),
        ("2/3/2016 08:00", "Resolved", "2 - High"),
        ("2/3/2016 20:00", "Closed", "2 - High"),
        (reopened, "Active", "2 - High"),
        ("3/3/2016 20:01", "Active", "2 - High"),
    )
    points = [(line[1], line[3], line[4]) for line in ledger(text)]
    if run == 1:  # 24 h on the clock at the resolution, so 36 h come 12 h after the reopening
        assert points == [(1, "1", "03-01T20:00"), (1, "2", "03-03T20:00")]
    else:
        assert points == [(1, "1", "03-01T20:00"), (2, "1", "03-03T20:01")]


def test_a_lowered_severity_lists_what_it_only_records_and_tells_nobody() -> None:  # E4
    text = log_of(
        ("1/3/2016 08:00", "New", "4 - Low"),
        ("8/3/2016 08:00", "Active", "2 - High"),
        ("8/3/2016 08:00", "Active", "3 - Moderate"),
        ("9/3/2016 08:00", "Active", "3 - Moderate"),
    )
    assert [line[1:] for line in ledger(text)] == [
        (1, "medium", "1", "03-08T08:00"),
        (1, "medium", "2", "03-08T08:00"),
    ]
    medium = as_json(replayed(text))["medium"]
    assert (medium["recorded_only"], medium["mails"], medium["transfers_to_l3"]) == (2, {}, 0)


def test_points_due_at_once_are_one_mail_to_each_role() -> None:  # E5
    text = log_of(("1/3/2016 08:00", "New", "4 - Low"), ("3/3/2016 08:00", "New", "1 - Critical"))
    critical = as_json(replayed(text))["critical"]
    assert critical["points"] == {"1": 1, "2": 1, "3": 1}
    assert critical["mails"] == {"account_manager": 1, "coo": 1, "csm": 1, "new_owner": 1, "owner": 1}
    assert critical["transfers_to_l3"] == 1


def test_a_wait_of_no_length_is_an_episode_and_a_bad_row_does_not_move_the_end() -> None:  # F6
    text = log_of(
        ("1/3/2016 08:00", "Awaiting User Info", "3 - Moderate"),
        ("1/3/2016 09:00", "Active", "3 - Moderate"),
        ("1/3/2016 09:00", "Awaiting User Info", "3 - Moderate"),
        ("1/3/2016 09:00", "Active", "3 - Moderate"),
        ("1/3/2016 09:00", "Awaiting User Info", "3 - Moderate"),
        ("3/3/2016 09:00", "Awaiting User Info", "3 - Moderate"),
        extra=["INC2,New,9 - Unknown,1/1/2020 00:00,1/1/2020 00:00,C,L,?"],
    )
    assert ledger(text) == [("pending", 3, "", "notice-1", "03-03T09:00")]


def test_the_command_reports_as_table_and_json_and_writes_the_ledger(tmp_path: Path) -> None:
    file, out = tmp_path / "log.csv", tmp_path / "ledger.csv"
    file.write_text(
        log_of(
            ("1/3/2016 08:00", "New", "2 - High"),
            ("2/3/2016 08:00", "Active", "2 - High"),
            extra=["INC2,New,nonsense,1/3/2016 08:00,1/3/2016 08:00,C,L,?"],
        )
    )
    said, bad = io.StringIO(), io.StringIO()
    call_command("replay", str(file), "--ledger", str(out), stdout=said, stderr=bad)
    assert "point 1 reached" in said.getvalue()
    assert "line 4: “nonsense” is not a priority" in bad.getvalue()
    assert out.read_text().splitlines() == [
        ",".join(LEDGER_COLUMNS),
        "INC1,escalation,1,high,1,2016-03-01T20:00:00+00:00",
    ]
    said = io.StringIO()
    call_command("replay", str(file), "--json", stdout=said, stderr=bad)
    assert json.loads(said.getvalue())["high"]["points"] == {"1": 1}
    with pytest.raises(CommandError, match="There is no file"):
        call_command("replay", str(tmp_path / "none.csv"))
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("replay", str(file), "--ledger", str(tmp_path / "no" / "where.csv"), stdout=said, stderr=bad)


@pytest.mark.slow
@with_the_log
def test_the_whole_shared_log_agrees_with_the_brute_force_simulator() -> None:
    """At least 2,000 incidents, among them every one whose priority changed and every one that was reopened."""
    with gzip.open(LOG, "rt", encoding="utf-8", newline="") as lines:
        log = read_log(lines)
    result = replay(log.incidents, PUBLISHED, log.ended_at)
    with gzip.open(LOG, "rt", encoding="utf-8", newline="") as lines:
        events, end = brute_force.read(lines)
    assert brute_force.EPOCH.timestamp() == 0
    assert log.ended_at == datetime.fromtimestamp(end * 60, UTC)

    changed = {case for case, its in events.items() if len({severity for _, _, severity in its}) > 1}
    reopened = {case for case, its in events.items() if _reopens([state for _, state, _ in its])}
    checked = changed | reopened | set(sorted(events)[::8])
    assert len(checked) >= 2_000
    assert (len(changed), len(reopened)) == (210, 181)

    expected = {line for case in checked for line in brute_force.simulate(case, events[case], end)}
    found = {
        (done.case, done.kind, done.run, done.severity, done.step, done.due_at.isoformat())
        for done in result.ledger
        if done.case in checked
    }
    assert found == expected
    assert len(expected) > 2_500
    assert result.ledger == sorted(result.ledger)


def _reopens(states: list[str | None]) -> bool:
    known = [state for state in states if state]
    return any(earlier == "resolved" != later for earlier, later in pairwise(known))
