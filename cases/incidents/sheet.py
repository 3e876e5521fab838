"""The rows of an incident log in an Excel workbook (.xlsx), as the cells a CSV of it would have. Pure.

Every sheet with the header of the first one is read, because exports go on in a second sheet when one is full. Rows are
read one by one; what a workbook holds only unpacks up to a bound.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.utils.datetime import MAC_EPOCH

from cases.incidents.columns import Columns, NotALog, columns_of, why_no_header
from cases.incidents.dates import SERIALS_FROM, SERIALS_FROM_1904
from cases.incidents.table import EMPTY, HEAD, Records, Table

#: Bytes that a workbook may unpack to; its texts are held in memory at once. A log that is larger is read as CSV.
LARGEST = 1_000_000_000
LARGEST_TEXTS = 200_000_000
#: How many times its size a part may unpack to; sheets come to 30, files made to fill the memory to 1,000.
LARGEST_RATIO = 100


@contextmanager
def sheet_table(path: Path, given: Mapping[str, str]) -> Iterator[Table]:
    """The table in a workbook of whatever name, its line numbers being those of the sheets. Raises NotALog."""
    _check_size(path)
    with path.open("rb") as file:
        try:
            book = load_workbook(file, read_only=True, data_only=True)
        except Exception as error:  # openpyxl raises whatever its parsers do
            raise _unreadable(error) from error
        yield _table(book, given)


def _table(book: Workbook, given: Mapping[str, str]) -> Table:
    header: list[str] = []
    columns: Columns | None = None
    best: list[str] = []
    parts: list[Iterator[tuple[int, list[str]]]] = []
    left_out: list[str] = []
    for sheet in book.worksheets:
        rows = _rows(sheet)
        for _, cells in islice(rows, HEAD):
            found = columns_of(cells, given)
            if found is not None and (columns is None or cells == header):
                header, columns = cells, found
                parts.append(rows)
                break
            best = max(best, cells, key=lambda row: sum(map(bool, row)))
        else:
            left_out.append(f"“{sheet.title}”")
    if columns is None:
        raise NotALog(why_no_header(best, given) if best else EMPTY)
    notes = [f"Left out of the workbook: {', '.join(left_out)}, without the header of a log."] if left_out else []
    serials_from = SERIALS_FROM_1904 if book.epoch == MAC_EPOCH else SERIALS_FROM
    return Table(columns, _records(chain(*parts), columns.width), notes, serials_from)


def _check_size(path: Path) -> None:
    """Refuse what is no workbook of this kind, and one that would fill the memory (zip files may say any size)."""
    try:
        with zipfile.ZipFile(path) as packed:
            parts = {info.filename: info for info in packed.infolist()}
    except (zipfile.BadZipFile, ValueError) as error:
        raise NotALog(f"This is no whole Excel file ({error}); copy it again.") from error
    if "xl/workbook.xml" not in parts:
        raise NotALog(
            "This is a zip file, but no Excel workbook (.xlsx); save the log as .xlsx or CSV, and unpack a zip first."
        )
    texts = parts.get("xl/sharedStrings.xml")
    if (
        sum(part.file_size for part in parts.values()) > LARGEST
        or (texts is not None and texts.file_size > LARGEST_TEXTS)
        or any(part.file_size > LARGEST_RATIO * max(part.compress_size, 10_000) for part in parts.values())
    ):
        raise NotALog("The workbook unpacks to more than the desk reads at once; save the log as CSV.")


def _unreadable(error: Exception) -> NotALog:
    why = next(iter(str(error).splitlines()), type(error).__name__)
    return NotALog(f"The workbook cannot be read ({why}); open it in Excel and save it as .xlsx or CSV.")


def _rows(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with its number."""
    sheet.reset_dimensions()  # exporters write the wrong ones, and rows beyond them would be lost
    try:
        for line, row in enumerate(sheet.iter_rows(values_only=True), start=1):
            cells = [_text(value) for value in row]
            if any(cells):
                yield line, cells
    except Exception as error:
        raise _unreadable(error) from error


def _records(rows: Iterator[tuple[int, list[str]]], width: int) -> Records:
    """The rows as wide as the header: what stands beside the table belongs to no column."""
    for line, cells in rows:
        record = (cells + [""] * (width - len(cells)))[:width]
        if any(record):
            yield line, record


def _text(value: object) -> str:
    """A cell as text: dates unmistakable, numbers without the “.0” of a spreadsheet."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value + timedelta(microseconds=500_000):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
