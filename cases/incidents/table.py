"""The rows of an incident log as cells, whatever separates them, and what is damaged among them. Pure.

A stray quotation mark swallows rows until the next one. Such a record is damaged: its first line is named, and the
lines that it swallowed are read again, each as a row of its own.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Literal

from cases.incidents.columns import Columns, NotALog, columns_of, why_no_header
from cases.incidents.dates import SERIALS_FROM

SEPARATORS = (",", ";", "\t", "|")
#: Characters of one record. More are no row of a log, but would fill the memory.
LONGEST_RECORD = 2_000_000
#: Lines among which the header is looked for: exports put a title above it.
HEAD = 20
EMPTY = "The log is empty: its first line has to name the columns."
#: Longer cells of a damaged row are not looked at for the number of its incident.
LONGEST_CELL = 60

_SEPARATOR_LINE = re.compile(r"\ufeff?\"?sep=([^\s\"]|\t)\"?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Damaged:
    """A record that is no row; its short cells may still name its incident."""

    sentence: str
    number: str  # the cell of the number; "" where there is none
    cells: Sequence[str]
    was_swallowed: bool = False  # by the damaged record before it: a row of its own, or a line of that one's text
    is_cut_off: bool = False  # the last line of a file that ends in its middle


Records = Iterator[tuple[int, "list[str] | Damaged"]]


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of a file and its rows, each with the number of its first line."""

    columns: Columns
    records: Records
    notes: Sequence[str] = ()
    serials_from: datetime = SERIALS_FROM


@contextmanager
def wide_fields() -> Iterator[None]:
    """Let the csv module read texts as long as a record may be; its own limit is less than one long work note."""
    before = csv.field_size_limit(2 * LONGEST_RECORD)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def csv_table(lines: Iterable[str], given: Mapping[str, str], looks_like_row: Callable[[str], bool]) -> Table:
    """The table in the lines of a text file. Raises NotALog.

    `looks_like_row` says of the cell of the update whether it stands in a row: a row inside a text was swallowed.
    """
    source = _Lines(lines)
    separator, columns, above = _dialect(source.peek(HEAD), given)
    source.drop(above)
    return Table(columns, _CsvRecords(source, separator, columns, looks_like_row).records())


def _dialect(head: Sequence[str], given: Mapping[str, str]) -> tuple[str, Columns, int]:
    """The separator, the columns, and how many lines the header and what stands above it take. Raises NotALog."""
    said = _SEPARATOR_LINE.fullmatch(head[0]) if head else None
    separators = (said[1],) if said else SEPARATORS
    first_line = int(bool(said))
    best: list[str] = []
    for separator in separators:
        reader = csv.reader(head[first_line:], delimiter=separator)
        try:
            for record in reader:
                columns = columns_of(record, given)
                if columns is not None:
                    return separator, columns, first_line + reader.line_num
                if len(record) > len(best) and any(cell.strip() for cell in record):
                    best = record
        except csv.Error:
            continue
    if not any(cell.strip() for cell in best):
        raise NotALog(EMPTY)
    raise NotALog(why_no_header(best, given))


class _Lines:
    """The lines of the file, counted; lines that a stray quotation mark swallowed can be given back."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._again: deque[str] = deque()
        self.taken: list[str] = []  # by the record that is being read
        self.number = 0
        self.length = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.number += 1
        self.taken.append(line)
        self.length += len(line)
        if self.length > LONGEST_RECORD:
            raise csv.Error("too long")
        return line

    def peek(self, count: int) -> list[str]:
        """The next lines, which stay to be read."""
        lines = list(islice(self._lines, count))
        self._again.extend(lines)
        return lines

    def drop(self, count: int) -> None:
        """Leave out the next lines, which were peeked at."""
        for _ in range(count):
            self._again.popleft()
        self.number += count

    def give_back(self) -> int:
        """Have all but the first line of the record read again; the number of the last of them."""
        last, swallowed = self.number, self.taken[1:]
        self._again.extendleft(reversed(swallowed))
        self.number -= len(swallowed)
        return last


class _CsvRecords:
    """Reads records, and tells the damaged ones from rows."""

    def __init__(self, lines: _Lines, separator: str, columns: Columns, looks_like_row: Callable[[str], bool]) -> None:
        self._lines = lines
        self._separator = separator
        self._columns = columns
        self._looks_like_row = looks_like_row
        self._given_back_to = 0  # the last line that a damaged record has given back

    def records(self) -> Records:
        lines, width = self._lines, self._columns.width
        reader = csv.reader(lines, delimiter=self._separator)
        while True:
            lines.taken.clear()
            lines.length = 0
            line = lines.number + 1
            try:
                record = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield line, self._damage(line, None)
                continue
            if len(record) == width and (len(lines.taken) == 1 or not self._swallowed_a_row()):
                yield line, record
            elif any(cell.strip() for cell in record):
                yield line, self._damage(line, record)

    def _damage(self, line: int, record: list[str] | None) -> Damaged:
        """What is wrong with the record just read; the lines that it swallowed are read again."""
        lines = self._lines
        first, is_one_line = lines.taken[0], len(lines.taken) == 1
        cells = self._cells(first, csv.QUOTE_NONE)
        was_swallowed = line <= self._given_back_to
        self._given_back_to = max(self._given_back_to, lines.give_back())
        has_too_few = record is not None and len(record) < self._columns.width
        return Damaged(
            self._what_is_wrong(record, len(first)),
            self._columns.cell(cells, "number"),
            [cell for cell in cells if cell and len(cell) <= LONGEST_CELL],
            was_swallowed,
            is_cut_off=is_one_line and has_too_few and not first.endswith(("\n", "\r")),
        )

    def _what_is_wrong(self, record: list[str] | None, length: int) -> str:
        if length > LONGEST_RECORD:
            return f"The row is longer than the {LONGEST_RECORD:,} characters that a row may have; shorten it."
        if record is None or len(record) == self._columns.width:
            return "This is not a row of CSV; look for a stray quotation mark."
        has = "1 column" if len(record) == 1 else f"{len(record)} columns"
        return f"The row has {has} where the header has {self._columns.width}."

    def _swallowed_a_row(self) -> bool:
        """Whether a text that runs over lines holds a whole row: then its quotation mark is a stray one."""
        for line in self._lines.taken[1:]:
            for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
                cells = self._cells(line, quoting)
                updated = self._columns.cell(cells, "sys_updated_at")
                if len(cells) == self._columns.width and self._looks_like_row(updated):
                    return True
        return False

    def _cells(self, line: str, quoting: Literal[0, 3]) -> list[str]:
        """The cells of a single line, without the quotation marks."""
        cells = next(csv.reader([line], delimiter=self._separator, quoting=quoting), [])
        return [cell.strip(' "\r\n') for cell in cells]
