"""Read an incident log from a file for a command: progress bar, sentences for errors and bad rows (S4)."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TextIO

from django.core.management.base import CommandError
from tqdm import tqdm

from cases.incidents.log import BadRow, Log, NotALog, read_log

#: How many bad rows are listed; the others are counted.
LISTED = 20
GZIP = b"\x1f\x8b"


def bad_row_lines(bad_rows: Sequence[BadRow]) -> Iterator[str]:
    """Lines of text about the rows that were skipped, with their line numbers."""
    yield f"{len(bad_rows)} bad rows were skipped."
    for bad in bad_rows[:LISTED]:
        yield f"  line {bad.line}: {bad.sentence}"
    if len(bad_rows) > LISTED:
        yield f"  and {len(bad_rows) - LISTED} more."


def read_file(path: Path, until: datetime | None = None) -> Log:
    """The log in a file, up to `until`. Raises CommandError with a sentence if it cannot be read."""
    try:
        with _opened(path) as text, tqdm(text, desc="Reading", unit=" lines", disable=None) as lines:
            return read_log(lines, until)
    except NotALog as error:
        raise CommandError(f"{path}: {error}") from error
    except FileNotFoundError as error:
        raise CommandError(f"There is no file {path}; give the path of a CSV or .csv.gz file.") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{path} is not UTF-8 text; save the log as CSV in UTF-8.") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise CommandError(f"{path} is no whole gzip file ({error}); copy it again.") from error
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror or error}.") from error


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    """The file as text, unpacked if it is gzip, whatever its name."""
    with path.open("rb") as file:
        packed = path.suffix == ".gz" or file.read(2) == GZIP
    open_text = gzip.open if packed else open
    with open_text(path, "rt", encoding="utf-8-sig", newline="") as text:
        yield text
