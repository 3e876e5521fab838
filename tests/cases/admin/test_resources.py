"""What spreadsheet programs make of an exported table: its characters, its long texts, its formulas (S4)."""

from __future__ import annotations

import csv
import io

import pytest
import tablib
from openpyxl import load_workbook

from cases.admin.resources import LONGEST_CELL, SafeCSV, SafeXLSX, defused


def table(*cells: object) -> tablib.Dataset:
    return tablib.Dataset(list(cells), headers=[f"column {number}" for number in range(len(cells))])


def in_workbook(*cells: object) -> list[object]:
    """What the cells are in the Excel export."""
    sheet = load_workbook(io.BytesIO(SafeXLSX().export_data(table(*cells)))).active
    return [cell.value for cell in list(sheet.rows)[1]]


def test_a_csv_says_that_it_is_utf_8_so_that_a_spreadsheet_shows_every_language() -> None:
    exported = SafeCSV().export_data(table("横浜支店のメールが届かない", "Zürich")).encode()
    assert exported.startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(io.StringIO(exported.decode("utf-8-sig"))))[1] == ["横浜支店のメールが届かない", "Zürich"]


@pytest.mark.parametrize("text", ["x" * LONGEST_CELL, "=" + "x" * (LONGEST_CELL - 2), "😀" * (LONGEST_CELL // 2)])
def test_what_a_cell_of_excel_holds_is_whole(text: str) -> None:
    assert in_workbook(text) == [defused(text)]


@pytest.mark.parametrize("text", ["x" * (LONGEST_CELL + 1), "=" * LONGEST_CELL, "😀" * 20_000, "a😀" * 30_000])
def test_what_is_too_long_for_a_cell_of_excel_says_that_it_was_cut_and_where_all_of_it_is(text: str) -> None:
    (cell,) = in_workbook(text)
    assert isinstance(cell, str)
    assert len(cell.encode("utf-16-le")) // 2 <= LONGEST_CELL  # Excel counts so
    start, _, note = cell.rpartition("… [")
    assert defused(text).startswith(start)
    assert len(start.encode("utf-16-le")) // 2 > LONGEST_CELL - 150
    assert note.startswith("cut off: a cell of Excel holds 32,767 characters and this text has ")
    assert note.endswith(f" {len(defused(text)):,}; the CSV has it all]")
    (whole,) = list(csv.reader(io.StringIO(SafeCSV().export_data(table(text)))))[1]
    assert whole == defused(text)


def test_characters_that_no_workbook_can_hold_do_not_break_it() -> None:
    assert in_workbook("a\x00b\x0bc\ufffed\ud800e\uffff") == ["abcde"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "  =1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert in_workbook(text) == [f"'{text}"]


def test_no_column_is_wider_than_excel_knows() -> None:
    sheet = load_workbook(io.BytesIO(SafeXLSX().export_data(table("x" * 5_000)))).active
    assert 0 < sheet.column_dimensions["A"].width < 256


def test_numbers_and_empty_cells_stay_what_they_are() -> None:
    assert in_workbook(7, None, "") == [7, None, None]
