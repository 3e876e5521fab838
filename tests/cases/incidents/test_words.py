"""What the words of a log mean, and that no word is guessed at (pure, no database)."""

from __future__ import annotations

import pytest

from cases.enums import Severity, Status
from cases.incidents.log import Log, ReadOptions, read_log
from tests.cases.incidents.test_log import HEADER, at, lines_of, only, read

WITH_REASON = [*HEADER, "hold_reason"]


def held(*rows: dict[str, str], options: ReadOptions | None = None) -> tuple[Log, list[str]]:
    """The log with a column of reasons, and the numbers that are held back."""
    log = read_log(lines_of(*rows, header=WITH_REASON), options=options)
    return log, sorted(log.held_back)


@pytest.mark.parametrize(
    ("states", "status"),
    [
        (["New", "NEW", " new ", "1", "1 - New", "Assigned", "Open"], Status.ASSIGNED),
        (["In Progress", "in_progress", "Work in Progress", "Active", "2", "2 - In Progress"], Status.IN_PROGRESS),
        (["Reopened", "Awaiting Change", "Awaiting  Vendor", "Awaiting Problem"], Status.IN_PROGRESS),
        (["Awaiting User Info", "AWAITING CALLER", "Pending Customer", "4"], Status.WAITING),
        (["Resolved", "6", "Closed", "7", "7 - Closed", "Canceled", "Cancelled", "8"], Status.RESOLVED),
    ],
)
def test_the_states_of_the_family_are_understood_in_any_spelling(states: list[str], status: Status) -> None:
    for state in states:
        assert only({"incident_state": state}).states[0].status is status


@pytest.mark.parametrize(
    ("reasons", "status"),
    [
        (["Awaiting Caller", "awaiting caller", "1", "1 - Awaiting Caller", "Awaiting User Info"], Status.WAITING),
        (["Awaiting Vendor", "Awaiting Problem", "Awaiting Change", "Awaiting Evidence", "3", "4", "5"],
         Status.IN_PROGRESS),
    ],
)  # fmt: skip
def test_on_hold_waits_for_the_customer_only_if_the_caller_is_awaited(reasons: list[str], status: Status) -> None:
    for state in ("On Hold", "3", "3 - On Hold", "on_hold"):
        for reason in reasons:
            log, numbers = held({}, at("08:00", state, hold_reason=reason))
            assert (log.incidents[0].states[-1].status, numbers) == (status, [])


@pytest.mark.parametrize(
    ("row", "said", "word"),
    [
        (at("08:00", "In Bearbeitung"), "“In Bearbeitung” is not a state", ("state", "In Bearbeitung")),
        (at("08:00", "9"), "“9” is not a state", ("state", "9")),
        (at("08:00", "On Hold", hold_reason=""), "the log gives no reason", ("state", "On Hold")),
        (at("08:00", "On Hold", hold_reason="Holidays"), "“Holidays” is not a reason", ("reason to hold", "Holidays")),
        (at("08:00", priority="0 - Now"), "“0 - Now” is not a priority", ("priority", "0 - Now")),
    ],
)
def test_an_incident_with_a_word_that_is_not_understood_is_held_back_and_the_word_is_counted(
    row: dict[str, str], said: str, word: tuple[str, str]
) -> None:
    log, numbers = held({}, row, row, at("09:00", "Resolved"), {"number": "INC2"})
    assert numbers == ["INC1"]
    assert said in log.held_back["INC1"].sentence
    assert log.held_back["INC1"].line == 3
    assert log.unknown_words == {word: 2}
    assert [one.number for one in log.whole] == ["INC2"]


def test_a_word_after_the_moment_up_to_which_the_log_is_read_holds_nothing_back() -> None:
    log = read({}, at("08:00"), at("09:00", "Whatever"), until=read({}, at("08:30")).ended_at)
    assert (log.held_back, log.later_rows) == ({}, 1)


def test_on_hold_without_a_column_of_reasons_is_held_back_with_what_to_do() -> None:
    log = read({}, at("08:00", "On Hold"))
    assert 'hold_reason); export it, or say --state "On Hold=waiting"' in log.held_back["INC1"].sentence


def test_somebody_can_say_what_a_word_means() -> None:
    options = ReadOptions(
        states={"in bearbeitung": Status.IN_PROGRESS, "on hold": Status.WAITING}, severities={"dringend": Severity.HIGH}
    )
    log, numbers = held(
        {},
        at("08:00", "In Bearbeitung", priority="Dringend"),
        at("09:00", "On Hold"),
        at("10:00", "On Hold", hold_reason="Awaiting Vendor"),
        options=options,
    )
    assert numbers == []
    assert [(state.status, state.severity) for state in log.incidents[0].states[1:3]] == [
        (Status.IN_PROGRESS, Severity.HIGH),
        (Status.WAITING, Severity.MEDIUM),
    ]
    assert log.incidents[0].states[-1].status is Status.IN_PROGRESS  # a reason that is known says more


@pytest.mark.parametrize(
    ("priorities", "severity"),
    [
        (["1 - Critical", "1", "p1", "Sev 1", "Priority 1", "critical", "1-Critical", "1 – Critical"],
         Severity.CRITICAL),
        (["2 - High", "High", "p2"], Severity.HIGH),
        (["3 - Moderate", "Medium", "moderate", "s3"], Severity.MEDIUM),
        (["4 - Low", "LOW", "5 - Planning", "5", "Planning"], Severity.LOW),
    ],
)  # fmt: skip
def test_priorities_are_words_numbers_or_both(priorities: list[str], severity: Severity) -> None:
    for priority in priorities:
        for text in (priority, priority.upper(), f" {priority.title()} "):
            assert only({"priority": text}).states[0].severity is severity


@pytest.mark.parametrize("priority", ["", "0", "6", "10", "12 - High", "p10", "1.5", "urgent", "n/a"])
def test_what_is_no_priority_is_not_read_as_one(priority: str) -> None:
    assert read({}, at("08:00", priority=priority)).held_back.keys() == {"INC1"}


def test_an_urgency_has_no_critical_so_its_word_counts_and_not_its_number() -> None:
    header = ["urgency" if name == "priority" else name for name in HEADER]
    log = read_log(lines_of({"urgency": "1 - High"}, header=header))
    assert log.incidents[0].states[0].severity is Severity.HIGH


@pytest.mark.parametrize("nothing", ["NULL", "null", "(empty)", "?", "n/a", "N/A", " ", "NaN"])
def test_what_programs_write_for_nothing_is_nobody_and_no_state(nothing: str) -> None:
    incident = only({"caller_id": nothing, "location": nothing, "category": nothing}, at("08:00", assigned_to="R 7"),
                    at("09:00", nothing, assigned_to=nothing))  # fmt: skip
    assert (incident.caller, incident.assigned_to) == ("Caller 1", "R 7")
    assert incident.states[-1].status is Status.IN_PROGRESS
    assert read({"number": nothing}).incidents == []


def test_a_number_is_one_incident_in_any_spelling() -> None:
    incident = only({}, at("08:00", number="inc1"), at("09:00", "Resolved", number=" Inc1 "))
    assert (incident.number, len(incident.states)) == ("INC1", 3)


def test_a_long_description_is_shortened_and_a_long_name_holds_its_incident_back() -> None:
    assert only({"u_symptom": "s" * 5_000}).symptom == "s" * 199 + "…"
    assert read({"assigned_to": "R" * 121}).held_back.keys() == {"INC1"}
