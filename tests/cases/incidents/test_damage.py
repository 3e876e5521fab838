"""Damaged rows: an incident is read whole or held back, and what nobody reads damages nothing (pure)."""

from __future__ import annotations

import pytest

from cases.incidents.log import EXPORT_LIMIT, Log, NotALog, read_log
from tests.cases.incidents.test_log import HEADER, at, lines_of, read

WITH_NOTES = [*HEADER, "work_notes"]


def noted(*rows: dict[str, str]) -> list[str]:
    return lines_of(*rows, header=WITH_NOTES)


def held(log: Log) -> dict[str, int]:
    """The line for which each incident is held back."""
    return {number: bad.line for number, bad in log.held_back.items()}


def test_a_column_that_nobody_reads_may_hold_what_it_likes() -> None:
    for notes in ("x" * 200_000, "\0\x1b[31m", "line\n" * 12_000, 'said "no", and "yes"', "=1+1"):
        log = read_log(noted({}, at("08:00", work_notes=notes), at("09:00", "Resolved")))
        assert (log.bad_rows, log.held_back) == ([], {})
        assert len(log.incidents[0].states) == 3


@pytest.mark.parametrize(
    "row",
    [
        {"priority": "9"},
        {"sys_updated_at": "soon"},
        {"opened_at": ""},
        {"assigned_to": "R" * 121},
        {"caller_id": "bell\a"},
    ],
)
def test_a_row_that_cannot_be_read_holds_back_its_incident_whole(row: dict[str, str]) -> None:
    log = read({}, at("08:00", **{"number": "inc1"} | row), at("09:00", "Resolved"), {"number": "INC2"})
    assert held(log) == {"INC1": 3}
    assert [one.number for one in log.whole] == ["INC2"]


def test_a_row_of_another_width_holds_back_the_incident_that_it_names() -> None:
    lines = lines_of({}, at("08:00"), {"number": "INC2"}, at("08:00", number="INC2"), {"number": "INC3"})
    lines[2] = lines[2].rstrip("\n") + ",more\n"
    lines[4] = "INC2,Resolved\n"
    assert held(read_log(lines)) == {"INC1": 3, "INC2": 5}


def test_a_stray_quotation_mark_holds_back_the_incident_of_its_row_and_no_other() -> None:
    lines = lines_of(*({"number": f"INC{number}"} for number in range(1, 400)))
    lines[2] = '"' + lines[2]
    lines[7] = lines[7].replace("Location 1", '"Location 1')
    log = read_log(lines)
    assert held(log) == {"INC2": 3, "INC7": 8}
    assert all("stray quotation mark" in bad.sentence or "columns" in bad.sentence for bad in log.bad_rows)
    assert len(log.whole) == 397


def test_rows_between_two_stray_quotation_marks_are_not_swallowed_by_a_text() -> None:
    lines = noted(*({"number": f"INC{number}", "work_notes": "-"} for number in range(1, 400)))
    for line in (3, 300):  # in the same column, so that all between is one text of a row of the right width
        lines[line] = lines[line].replace("Location 1", '"Location 1')
    log = read_log(lines)
    assert held(log) == {"INC3": 4, "INC300": 301}
    assert len(log.whole) == 397


def test_a_stray_quotation_mark_in_the_last_column_does_not_swallow_the_rest_of_the_file() -> None:
    lines = noted({}, {"number": "INC2", "work_notes": "x"}, {"number": "INC3"}, {"number": "INC4"})
    lines[2] = lines[2].replace(",x", ',"x')
    assert held(read_log(lines)) == {"INC2": 3}


def test_the_lines_of_a_damaged_text_are_one_bad_row_and_not_thousands() -> None:
    lines = noted({}, at("08:00", work_notes="called back\nno, answer\n" * 6_000), {"number": "INC2"})
    lines[2] = lines[2].replace("1/3/2016 08:00", "1/3/2016 08:00,more")
    log = read_log(lines)
    assert [(bad.line, bad.number) for bad in log.bad_rows] == [(3, "INC1")]
    assert [one.number for one in log.whole] == ["INC2"]


def test_a_damaged_row_inside_what_another_one_swallowed_is_not_lost() -> None:
    lines = lines_of(*({"number": f"INC{number}"} for number in range(1, 10)))
    lines[2] = '"' + lines[2]
    lines[4] = "INC4,Resolved\n"
    lines[6] = lines[6].replace("Category 55", 'Category "55')
    lines[7] = '"' + lines[7]
    assert held(read_log(lines)) == {"INC2": 3, "INC4": 5, "INC7": 8}


@pytest.mark.parametrize("rest", [{}, {"sys_updated_at": "soon"}])
def test_a_row_without_a_number_is_taken_to_belong_to_the_one_above_it(rest: dict[str, str]) -> None:
    # a spreadsheet with merged cells has the number in the first row of an incident only
    log = read({"number": "INC2"}, {}, at("08:00", "Resolved", number="", **rest), {"number": "INC3"})
    assert held(log) == {"INC1": 4}
    assert "it is taken to belong to INC1, the row above it" in log.bad_rows[0].sentence


@pytest.mark.parametrize("line", ["\n", ",,,,,,,,,,,\n", " , ,\n", "\r\n", '"",""\n'])
def test_an_empty_row_is_nothing(line: str) -> None:
    lines = lines_of({}, {"number": "INC2"})
    lines.insert(2, line)
    log = read_log(lines)
    assert (log.bad_rows, len(log.whole)) == ([], 2)


def test_a_remark_under_the_table_is_a_bad_row_that_holds_nothing_back() -> None:
    log = read_log([*lines_of({}), "Total 1\n"])
    assert [(bad.line, bad.number) for bad in log.bad_rows] == [(3, "")]
    assert len(log.whole) == 1


def test_a_file_that_ends_in_the_middle_of_a_row_is_known_to_be_cut_off() -> None:
    lines = lines_of({}, {"number": "INC2"})
    assert read_log(lines).cut_off_at is None
    assert read_log([*lines[:-1], lines[-1].rstrip("\n")]).cut_off_at is None
    assert read_log([*lines[:-1], lines[-1][:30]]).cut_off_at == 3
    assert read_log([*lines[:-1], "INC2,Res\n"]).cut_off_at is None


def test_an_incident_of_which_no_row_could_be_read_is_named_all_the_same() -> None:
    log = read({}, {"number": "INC77", "priority": "9"})
    assert held(log) == {"INC77": 3}
    lines = [*lines_of({}), "INC78,New\n"]
    assert held(read_log(lines)) == {"INC78": 3}


def test_a_log_with_as_many_rows_as_an_export_may_have_is_said_to_be_doubtful() -> None:
    rows = [{"number": f"INC{number}"} for number in range(EXPORT_LIMIT)]
    assert "exactly 10,000 rows, which looks like the limit of an export" in read(*rows).notes[0]
    assert read(*rows[1:]).notes == []


def test_the_number_of_a_damaged_row_is_not_taken_from_another_column_where_it_has_one() -> None:
    lines = [*lines_of({"number": "3"}, {"number": "4"}), "17,New,3\n", "?,New,4\n"]
    assert held(read_log(lines)) == {"17": 4, "4": 5}


def test_whatever_stands_above_the_header_is_skipped_and_counted() -> None:
    for above in (["x" * 3_000_000 + "\n"], ["title\n"] * 19, ["sep=,\n"]):
        log = read_log([*above, *lines_of({}, {"priority": "9"})])
        assert held(log) == {"INC1": len(above) + 3}
    for first in ("sep=\r\n", 'sep="\n', "sep=;\n"):
        with pytest.raises(NotALog, match="lacks the columns"):
            read_log([first, *(line.replace(",", "~") for line in lines_of({}))])
