"""The reader of incident logs: what its rows come to (pure, no database)."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from cases.enums import Channel, Severity, Status
from cases.incidents.log import Incident, Log, NotALog, State, read_log
from escalations.policy.clock import due_points
from escalations.policy.schedule import PUBLISHED
from tests.support.incident_logs import HEADER, at, lines_of, march

OPENED = datetime(2016, 2, 29, 1, 16, tzinfo=UTC)


def read(*rows: dict[str, str], until: datetime | None = None) -> Log:
    """The log of these rows."""
    return read_log(lines_of(*rows), until)


def only(*rows: dict[str, str]) -> Incident:
    """The one incident of these rows."""
    log = read(*rows)
    assert log.bad_rows == []
    (incident,) = log.incidents
    return incident


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("New", Status.ASSIGNED),
        ("Active", Status.IN_PROGRESS),
        ("Awaiting Problem", Status.IN_PROGRESS),
        ("Awaiting Vendor", Status.IN_PROGRESS),
        ("Awaiting Evidence", Status.IN_PROGRESS),
        ("Awaiting User Info", Status.WAITING),
        ("Resolved", Status.RESOLVED),
        ("Closed", Status.RESOLVED),
        (" awaiting USER info ", Status.WAITING),
        ("-100", Status.ASSIGNED),
        ("?", Status.ASSIGNED),
    ],
)
def test_each_state_of_the_log_is_one_of_the_four_and_an_unknown_first_one_is_assigned(
    state: str, status: Status
) -> None:
    assert only({"incident_state": state}).states[0].status is status


@pytest.mark.parametrize(
    ("priority", "severity"),
    [
        ("1 - Critical", Severity.CRITICAL),
        ("2 - High", Severity.HIGH),
        ("3 - Moderate", Severity.MEDIUM),
        ("4 - Low", Severity.LOW),
        ("5 - Planning", Severity.LOW),
        ("2", Severity.HIGH),
    ],
)
def test_priorities_one_to_five_are_critical_to_low(priority: str, severity: Severity) -> None:
    assert only({"priority": priority}).states[0].severity is severity


def test_the_first_row_holds_from_the_opening_and_later_ones_from_their_update() -> None:
    incident = only({}, at("08:00", "Active", priority="2 - High", assigned_to="Resolver 7"))
    assert incident.opened_at == OPENED
    assert incident.states == (
        State(OPENED, Status.ASSIGNED, Severity.MEDIUM, 0, ""),
        State(march(1, 8), Status.IN_PROGRESS, Severity.HIGH, 0, "Resolver 7"),
    )


def test_rows_count_in_the_order_of_their_update_whatever_the_order_of_the_file() -> None:
    incident = only(at("12:00", "Resolved"), at("08:00", "New"), at("10:00", "Active"))
    assert [state.status for state in incident.states] == [Status.ASSIGNED, Status.IN_PROGRESS, Status.RESOLVED]


def test_rows_of_one_instant_count_in_the_order_of_the_file() -> None:
    incident = only({}, at("08:00", "Resolved"), at("08:00", "Active"), at("08:00", "Resolved"))
    assert [state.status for state in incident.states[1:]] == [Status.RESOLVED, Status.IN_PROGRESS, Status.RESOLVED]


def test_an_update_from_before_the_opening_counts_from_the_opening() -> None:
    incident = only(at("28/2/2016 10:00", "New"), at("28/2/2016 11:00", "Active"))
    assert [state.at for state in incident.states] == [OPENED, OPENED]


def test_a_state_that_says_nothing_leaves_the_status_as_it_was_and_still_changes_the_severity() -> None:
    incident = only({}, at("08:00", "Awaiting User Info"), at("09:00", "-100", priority="1 - Critical"))
    last = incident.states[-1]
    assert (last.at, last.status, last.severity, last.episode) == (march(1, 9), Status.WAITING, Severity.CRITICAL, 1)


def test_rows_that_change_nothing_are_no_change() -> None:
    assert len(only({}, at("08:00", "Active"), at("09:00", "Awaiting Vendor"), at("10:00", "Active")).states) == 2


def test_waiting_rows_in_a_row_are_one_episode_and_a_wait_after_something_else_is_another() -> None:  # F6
    wait = "Awaiting User Info"
    incident = only(
        at("07:00", wait), at("08:00", wait, priority="2 - High"), at("09:00", "Active"), at("09:00", wait),
        at("09:00", "Active"), at("10:00", wait),
    )  # fmt: skip
    assert [(state.status is Status.WAITING, state.episode) for state in incident.states] == [
        (True, 1), (True, 1), (False, 1), (True, 2), (False, 2), (True, 3),
    ]  # fmt: skip


def test_a_question_mark_leaves_the_last_known_assignee() -> None:
    incident = only({}, at("08:00", assigned_to="Resolver 7"), at("09:00", "Resolved", assigned_to="?"))
    assert incident.assigned_to == "Resolver 7"


def test_a_title_says_what_is_known() -> None:
    assert only({}).title == "Category 55, Subcategory 170: Symptom 72"
    assert only({"u_symptom": "?"}).title == "Category 55, Subcategory 170"
    assert only({"category": "?", "subcategory": "?", "u_symptom": "?"}).title == "Incident INC1"


def test_how_it_came_in_is_read_where_the_log_says_it() -> None:
    header = [name for name in HEADER if name not in ("contact_type", "u_symptom")]
    assert read_log(lines_of({}, header=header)).incidents[0].channel is Channel.PHONE
    assert only({"contact_type": "Self service"}).channel is Channel.EMAIL


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"sys_updated_at": "31/2/2016 10:00"}, "“31/2/2016 10:00” is not a time"),
        ({"sys_updated_at": "?"}, "“?” is not a time"),
        ({"opened_at": "2/30/2016 10:00"}, "“2/30/2016 10:00” is not a time"),
        ({"opened_at": "1/1/0001 10:00"}, "is not a time"),
        ({"number": ""}, "no incident number"),
        ({"number": " ? "}, "no incident number"),
        ({"number": "I" * 41}, "longer than the 40 characters"),
        ({"priority": "?"}, "“?” is not a priority"),
        ({"priority": "6 - Someday"}, "“6 - Someday” is not a priority"),
        ({"priority": "10"}, "“10” is not a priority"),
        ({"caller_id": "C" * 121}, "longer than the 120 characters"),
        ({"location": "Loc\0ation"}, "cannot be read"),
    ],
)
def test_a_bad_row_is_skipped_with_its_line_and_a_sentence_and_the_rest_counts(
    row: dict[str, str], said: str
) -> None:  # S4
    log = read({}, {"number": "INC2"}, row, {"number": "INC3"}, row)
    assert [one.number for one in log.incidents] == ["INC1", "INC2", "INC3"]
    assert [bad.line for bad in log.bad_rows] == [4, 6]
    assert all(said in bad.sentence and "\0" not in bad.sentence for bad in log.bad_rows)


def test_a_row_of_another_width_is_bad_and_an_empty_line_is_nothing() -> None:
    lines = lines_of({}, {"number": "INC2"}, {"number": "INC3"})
    lines[1:1] = ["\n", "INC9,New\n"]
    lines[4] = lines[4].rstrip("\n") + ",more\n"
    log = read_log(lines)
    assert [one.number for one in log.incidents] == ["INC1", "INC3"]
    assert [(bad.line, bad.sentence) for bad in log.bad_rows] == [
        (3, "The row has 2 columns where the header has 12."),
        (5, "The row has 13 columns where the header has 12."),
    ]


def test_a_stray_quotation_mark_costs_its_own_row_only() -> None:
    rows = [{"number": f"INC{number}"} for number in range(1, 2_000)]
    lines = lines_of(*rows)
    lines[2] = '"' + lines[2]
    lines[7] = lines[7].replace("Location 1", '"Location 1')
    log = read_log(lines)
    assert [bad.line for bad in log.bad_rows] == [3, 8]
    assert {row["number"] for row in rows} - {one.number for one in log.incidents} == {"INC2", "INC7"}


def test_a_text_may_run_over_lines_and_the_line_number_is_that_of_its_first() -> None:
    lines = lines_of({"u_symptom": "does\nnot print"}, {"priority": "?"})
    log = read_log(lines)
    assert log.incidents[0].symptom == "does not print"
    assert [bad.line for bad in log.bad_rows] == [4]


def test_skipped_rows_do_not_move_the_end_of_the_log() -> None:
    log = read({}, at("08:00"), at("2/3/2016 08:00", priority="?"))
    assert log.ended_at == march(1, 8)
    assert read().ended_at is None


def test_rows_after_the_moment_are_left_out_and_one_at_the_moment_counts() -> None:
    log = read({}, at("08:00"), at("08:01", "Resolved"), at("09:00", number="INC2"), until=march(1, 8))
    (incident,) = log.incidents
    assert incident.states[-1].status is Status.IN_PROGRESS
    assert (log.later_rows, log.ended_at) == (2, march(1, 8))


def test_an_incident_that_opens_after_the_moment_is_left_out_although_it_was_updated_before() -> None:
    log = read(at("08:00", opened_at="2/3/2016 08:00"), until=march(1, 9))
    assert (log.incidents, log.later_rows, log.ended_at) == ([], 1, None)


@pytest.mark.parametrize("missing", ["number", "priority", "sys_updated_at", "caller_id", "location", "assigned_to"])
def test_a_header_without_a_needed_column_is_refused_by_name(missing: str) -> None:
    with pytest.raises(NotALog, match=f"lacks the column {missing}"):
        read_log(lines_of({}, header=[name for name in HEADER if name != missing]))


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(NotALog, match="empty"):
        read_log([])


def test_incidents_come_in_the_order_of_their_opening() -> None:
    log = read({"number": "INC2", "opened_at": "29/2/2016 02:00"}, {"number": "INC1"})
    assert [one.number for one in log.incidents] == ["INC1", "INC2"]
    assert all(one.opened_at <= other.opened_at for one, other in pairwise(log.incidents))


def test_the_states_of_an_incident_are_what_the_escalation_clock_is_reckoned_from() -> None:  # E3
    opened = {"opened_at": "1/3/2016 01:16"}
    incident = only(opened, at("08:00", priority="1 - Critical", **opened), at("2/3/2016 08:00", "Closed", **opened))
    dues = due_points(incident.states, PUBLISHED, march(3, 0))  # type: ignore[arg-type]
    assert [(due.point.name, due.due_at) for due in dues] == [
        ("Critical 1", march(1, 8)),
        ("Critical 2", march(1, 13, 16)),
        ("Critical 3", march(2, 1, 16)),
    ]
