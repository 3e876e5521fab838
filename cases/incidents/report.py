"""What a command says about a log that was read: rows, incidents held back, words not understood, what would happen."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from cases.incidents.log import BadRow, Log

#: How many rows, incidents or words are listed unless all are asked for; the others are counted.
LISTED = 20
HELD_BACK = "held back whole, because not every row was understood; mend them and import the file again:"


def limit_of(options: Mapping[str, Any]) -> int:
    """How many things of a kind a command lists: all of them with `-v 2`."""
    return sys.maxsize if options["verbosity"] > 1 else LISTED


def bad_row_lines(bad_rows: Sequence[BadRow], limit: int = LISTED) -> Iterator[str]:
    """Lines of text about the rows that were skipped, with their line numbers."""
    yield f"{len(bad_rows)} bad rows were skipped."
    yield from listed(len(bad_rows), (f"line {bad.line}: {bad.sentence}" for bad in bad_rows), limit)


def doubt_lines(log: Log, limit: int = LISTED) -> Iterator[str]:
    """What was not certain about a log, and what was not understood in it."""
    yield from log.notes
    if log.cut_off_at:
        yield f"The file ends in the middle of line {log.cut_off_at}; copy it again."
    if log.unknown_words:
        yield "Words not understood:"
        words = log.unknown_words.most_common()
        yield from listed(len(words), (f"{kind} “{word}”: {rows(count)}" for (kind, word), count in words), limit)


def held_back_lines(log: Log, limit: int = LISTED, what: str = HELD_BACK) -> Iterator[str]:
    """The incidents of which not every row was understood, each with the first such row; `what` is said of them."""
    if log.held_back:
        yield f"{_incidents(len(log.held_back))} {what}"
        lines = (f"{number}, line {bad.line}: {bad.sentence}" for number, bad in log.held_back.items())
        yield from listed(len(log.held_back), lines, limit)


def listed(count: int, lines: Iterable[str], limit: int) -> Iterator[str]:
    """The first lines, indented, and how many more there are."""
    yield from (f"  {line}" for line in islice(lines, limit))
    if count > limit:
        yield f"  and {count - limit} more. Say -v 2 to see them all."


def rows(count: int) -> str:
    return f"{count} row" if count == 1 else f"{count} rows"


def _incidents(count: int) -> str:
    return "1 incident is" if count == 1 else f"{count} incidents are"
