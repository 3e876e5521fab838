"""What a command says about a log that was read: rows, incidents held back, words not understood, what would happen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from cases.incidents.log import BadRow, Log

#: How many rows, incidents or words are listed; the others are counted.
LISTED = 20
HELD_BACK = "held back whole, because not every row was understood; mend them and import the file again:"


def bad_row_lines(bad_rows: Sequence[BadRow]) -> Iterator[str]:
    """Lines of text about the rows that were skipped, with their line numbers."""
    yield f"{len(bad_rows)} bad rows were skipped."
    yield from listed(len(bad_rows), (f"line {bad.line}: {bad.sentence}" for bad in bad_rows))


def doubt_lines(log: Log) -> Iterator[str]:
    """What was not certain about a log, and what was not understood in it."""
    yield from log.notes
    if log.cut_off_at:
        yield f"The file ends in the middle of line {log.cut_off_at}; copy it again."
    if log.unknown_words:
        yield "Words not understood:"
        words = log.unknown_words.most_common()
        yield from listed(len(words), (f"{kind} “{word}”: {rows(count)}" for (kind, word), count in words))


def held_back_lines(log: Log, what: str = HELD_BACK) -> Iterator[str]:
    """The incidents of which not every row was understood, each with the first such row; `what` is said of them."""
    if log.held_back:
        yield f"{_incidents(len(log.held_back))} {what}"
        lines = (f"{number}, line {bad.line}: {bad.sentence}" for number, bad in log.held_back.items())
        yield from listed(len(log.held_back), lines)


def listed(count: int, lines: Iterable[str]) -> Iterator[str]:
    """The first lines, indented, and how many more there are."""
    yield from (f"  {line}" for line in islice(lines, LISTED))
    if count > LISTED:
        yield f"  and {count - LISTED} more."


def rows(count: int) -> str:
    return f"{count} row" if count == 1 else f"{count} rows"


def _incidents(count: int) -> str:
    return "1 incident is" if count == 1 else f"{count} incidents are"
