"""Incident logs as programs write them: each file comes to the same incidents, or to one sentence (S4)."""

from __future__ import annotations

import csv
import gzip
import io
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from openpyxl import Workbook
from openpyxl.utils.datetime import MAC_EPOCH, to_excel

from cases.enums import Channel
from cases.incidents.file import FileOptions, read_file
from cases.incidents.log import Incident, Log
from tests.cases.incidents.test_log import HEADER, at, lines_of, march, read

ROWS = [
    {},
    at("08:00", "In Progress", assigned_to="Zoë 7"),
    at("09:00", "On Hold"),
    at("10:00", "Resolved"),
    {"number": "INC2", "caller_id": "Caller; 2", "u_symptom": 'says "no",\nand beeps', "priority": "1 - Critical"},
]
#: What a ServiceNow list export names its columns.
LABELS = {
    "number": "Number",
    "incident_state": "State",
    "caller_id": "Caller",
    "opened_at": "Opened",
    "sys_updated_at": "Updated",
    "contact_type": "Channel",
    "location": "Location",
    "category": "Category",
    "subcategory": "Subcategory",
    "u_symptom": "Short description",
    "priority": "Priority",
    "assigned_to": "Assigned to",
}


def text_of(separator: str = ",", header: list[str] | None = None, rows: list[dict[str, str]] = ROWS) -> str:
    """The log with another separator, or another header over the same columns."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\r\n")
    table = list(csv.reader(lines_of(*rows)))
    writer.writerows([header or table[0], *table[1:]])
    return out.getvalue()


def read_bytes(directory: Path, content: bytes, name: str = "log.csv", **options: Any) -> Log:
    path = directory / name
    path.write_bytes(content)
    return read_file(path, options=FileOptions(**options))


def lives(log: Log) -> list[Incident]:
    assert log.bad_rows == []
    return log.incidents


def expected() -> list[Incident]:
    return lives(read(*ROWS))


@pytest.mark.parametrize(
    "content",
    [
        text_of().encode(),
        text_of().encode("utf-8-sig"),
        text_of().encode("utf-16"),
        text_of().encode("utf-16-le"),
        text_of().encode("utf-16-be"),
        text_of().encode("cp1252"),
        gzip.compress(text_of().encode(), mtime=0),
        text_of(";").encode(),
        text_of("\t").encode("utf-16"),
        text_of("|").encode(),
        text_of(header=list(LABELS.values())).encode(),
        text_of(header=[name.upper() for name in HEADER]).encode(),
        text_of(header=[f" {name.replace('_', ' ').title()} " for name in HEADER]).encode(),
        text_of().replace("sys_updated_at", "sys_updated_on").encode(),
        text_of().replace("\r\n", "\r").encode(),
    ],
)
def test_a_text_file_is_read_however_a_program_wrote_it(tmp_path: Path, content: bytes) -> None:
    log = read_bytes(tmp_path, content)
    assert [(one.number, one.states, one.title) for one in lives(log)] == [
        (one.number, one.states, one.title) for one in expected()
    ]


@pytest.mark.parametrize("first", ["sep=;\r\n", "\r\n\r\n", "All incidents of 2016\r\n\r\n", '"sep=;"\r\n'])
def test_what_stands_above_the_header_is_no_row_and_the_lines_are_counted_all_the_same(
    tmp_path: Path, first: str
) -> None:
    log = read_bytes(tmp_path, (first + text_of(";")).encode())
    lines = first.count("\n")
    assert [(one.number, one.line) for one in lives(log)] == [("INC1", 2 + lines), ("INC2", 6 + lines)]


def test_a_file_that_is_read_as_windows_1252_says_so_and_another_encoding_can_be_named(tmp_path: Path) -> None:
    rows = [{"caller_id": "Zoë"}]
    log = read_bytes(tmp_path, text_of(rows=rows).encode("cp1252"))
    assert log.incidents[0].caller == "Zoë"
    assert "not UTF-8, so it is read as Windows-1252" in log.notes[0]
    rows = [{"caller_id": "横浜"}]
    log = read_bytes(tmp_path, text_of(rows=rows).encode("cp932"), encoding="cp932")
    assert (log.incidents[0].caller, log.notes) == ("横浜", [])


def test_columns_can_be_named(tmp_path: Path) -> None:
    content = text_of(header=["Eröffnet am" if name == "opened_at" else name for name in HEADER]).encode()
    with pytest.raises(CommandError, match=r"lacks the column opened_at; .* --column opened_at="):
        read_bytes(tmp_path, content)
    assert lives(read_bytes(tmp_path, content, columns={"opened_at": "Eröffnet am"})) == expected()
    with pytest.raises(CommandError, match="There is no column “Opened” for --column opened_at; the header has number"):
        read_bytes(tmp_path, content, columns={"opened_at": "Opened"})


def test_the_better_name_of_a_column_counts_where_a_file_has_two(tmp_path: Path) -> None:
    header = [*HEADER, "State", "Created"]
    row = {"State": "Closed", "Created": "1/1/2001 10:00"}
    log = read_bytes(tmp_path, "".join(lines_of(row, header=header)).encode())
    assert log.incidents[0] == lives(read({}))[0]


# --- workbooks ----------------------------------------------------------------------------------------------------


def workbook(directory: Path, change: Callable[[Workbook], object] = lambda book: None) -> Path:
    """The log as a workbook with real dates and numbers."""
    book = Workbook()
    sheet: Any = book.active
    sheet.append(list(LABELS.values()))
    for row in list(csv.reader(lines_of(*ROWS)))[1:]:
        cells: list[Any] = list(row)
        for column in (3, 4):
            day, time = row[column].split(" ")
            year, month, day_ = (int(part) for part in reversed(day.split("/")))
            cells[column] = datetime(year, month, day_, *(int(part) for part in time.split(":")))  # noqa: DTZ001
        sheet.append(cells)
    change(book)
    path = directory / "log.xlsx"
    book.save(path)
    return path


def test_a_workbook_is_read_like_the_csv_of_it(tmp_path: Path) -> None:
    assert lives(read_file(workbook(tmp_path))) == [
        one if one.number == "INC1" else one.__class__(**{**fields(one), "line": 6}) for one in expected()
    ]


def test_a_workbook_is_known_by_what_it_is_and_not_by_its_name(tmp_path: Path) -> None:
    path = workbook(tmp_path).rename(tmp_path / "log.csv")
    assert len(lives(read_file(path))) == 2


def fields(one: Incident) -> dict[str, Any]:
    return {name: getattr(one, name) for name in Incident.__slots__}


def serials(book: Workbook) -> None:
    """The dates as bare numbers, which is how a column without a date format keeps them."""
    sheet: Any = book.active
    for (cell,) in sheet.iter_rows(min_row=2, min_col=4, max_col=4):
        cell.value, cell.number_format = to_excel(cell.value, book.epoch), "General"
    for (cell,) in sheet.iter_rows(min_row=2, min_col=5, max_col=5):
        cell.value, cell.number_format = to_excel(cell.value, book.epoch), "General"


def on_a_macintosh(book: Workbook) -> None:
    book.epoch = MAC_EPOCH
    serials(book)


def numbers(book: Workbook) -> None:
    """Priorities as numbers, and a remark beside the table."""
    sheet: Any = book.active
    for (cell,) in sheet.iter_rows(min_row=2, min_col=11, max_col=11):
        cell.value = int(cell.value[0])
    sheet["Z3"] = "ask Tom"


def title(book: Workbook) -> None:
    sheet: Any = book.active
    sheet.insert_rows(1, 2)
    sheet["A1"] = "Incidents"


def second_sheet(book: Workbook) -> None:
    """The last row on a second sheet with the same header, and a sheet that is something else."""
    first: Any = book.active
    second: Any = book.create_sheet("Page 2")
    rows = list(first.values)
    second.append(rows[0])
    second.append(rows[-1])
    first.delete_rows(len(rows))
    book.create_sheet("Legend").append(["State", "Meaning"])


@pytest.mark.parametrize("change", [serials, on_a_macintosh, numbers, title, second_sheet])
def test_a_workbook_is_read_however_somebody_arranged_it(tmp_path: Path, change: Callable[[Workbook], object]) -> None:
    log = read_file(workbook(tmp_path, change))
    assert [(one.number, one.states) for one in lives(log)] == [(one.number, one.states) for one in expected()]
    assert log.notes == (
        ["Left out of the workbook: “Legend”, without the header of a log."] if change is second_sheet else []
    )


def test_a_wrong_size_in_a_workbook_loses_no_row(tmp_path: Path) -> None:
    path = workbook(tmp_path)
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = parts[sheet].replace(b'<dimension ref="A1:L6"', b'<dimension ref="A1:L2"')
    with zipfile.ZipFile(path, "w") as packed:
        for name, part in parts.items():
            packed.writestr(name, part)
    assert len(lives(read_file(path))) == 2


# --- what is refused ----------------------------------------------------------------------------------------------


def zipped(name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr(name, "")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old Excel file .*save it as .xlsx"),
        (b"%PDF-1.7", "PDF; export the list as CSV"),
        (b"<?xml version='1.0'?><unload/>", "HTML or XML and no table; export"),
        (b"\n<html><table>", "HTML or XML"),
        (b'{"records": []}', "JSON and no table"),
        (zipped("log.csv"), "zip file, but no Excel workbook.*unpack"),
        (zipped("content.xml"), "zip file, but no Excel workbook"),
        (zipped("xl/workbook.xml"), "workbook cannot be read"),
        (zipped("xl/workbook.xml")[:-9], "no whole Excel file"),
        (gzip.compress(zipped("xl/workbook.xml")), "packed twice"),
        (b"a;b;c\n1;2;3\n", "lacks the columns number, .*--column number="),
        (b"\xff\xfea", "not UTF-8 text"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # the bytes of a packed file hold the time
)
def test_a_file_of_another_kind_is_named_with_what_to_do(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(CommandError, match=said) as refused:
        read_bytes(tmp_path, content)
    assert "\n" not in str(refused.value)


def test_a_workbook_without_a_log_is_refused_like_a_text(tmp_path: Path) -> None:
    path = tmp_path / "log.xlsx"
    book = Workbook()
    book.save(path)
    with pytest.raises(CommandError, match="empty"):
        read_file(path)
    sheet: Any = book.active
    sheet.append(["number", "state"])
    book.save(path)
    with pytest.raises(CommandError, match="lacks the columns priority, sys_updated_at"):
        read_file(path)


def test_a_workbook_that_would_fill_the_memory_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = workbook(tmp_path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet9.xml", b" " * 20_000_000)
    with pytest.raises(CommandError, match="unpacks to more than the desk reads at once; save the log as CSV"):
        read_file(path)


def test_an_encoding_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no encoding “klingon”"):
        read_bytes(tmp_path, text_of().encode(), encoding="klingon")
    with pytest.raises(CommandError, match="is not written in ascii"):
        read_bytes(tmp_path, text_of().encode(), encoding="ascii")


def test_a_line_that_is_far_too_long_costs_its_incident_and_not_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "log.csv.gz"
    lines = lines_of({}, {"number": "INC2"}, {"number": "INC3"})
    with gzip.open(path, "wt", newline="", compresslevel=1) as packed:
        packed.writelines(lines[:2])
        packed.write(lines[2].rstrip("\n") + ",")
        for _ in range(60):
            packed.write("x" * 1_000_000)
        packed.write("\n")
        packed.writelines(lines[3:])
    tracemalloc.start()
    log = read_file(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [one.number for one in log.incidents] == ["INC1", "INC3"]
    assert [(bad.line, bad.number) for bad in log.bad_rows] == [(3, "INC2")]
    assert "longer than the 2,000,000 characters" in log.bad_rows[0].sentence
    assert peak < 40_000_000


def test_the_first_and_last_moment_and_the_channel_are_read(tmp_path: Path) -> None:
    log = read_file(workbook(tmp_path))
    assert (log.ended_at, log.incidents[0].channel) == (march(1, 10), Channel.PHONE)
    assert log.incidents[0].opened_at == datetime(2016, 2, 29, 1, 16, tzinfo=UTC)
