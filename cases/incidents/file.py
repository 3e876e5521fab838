"""Read an incident log from a file for a command: its kind, its encoding, progress bar, sentences for errors (S4)."""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TextIO

from django.core.management.base import CommandError
from tqdm import tqdm

from cases.incidents.log import Log, NotALog, ReadOptions, read_log, read_table
from cases.incidents.sheet import sheet_table
from cases.incidents.table import LONGEST_RECORD

GZIP = b"\x1f\x8b"
#: How files begin that are no text, and what to do with them.
OTHER_KINDS = {
    b"\xd0\xcf\x11\xe0": "is an old Excel file (.xls), or one with a password; save it as .xlsx without one, or as CSV",
    b"%PDF": "is a PDF; export the list as CSV or .xlsx",
    b"\xfd7zXZ": "is packed with xz; unpack it first",
    b"BZh": "is packed with bzip2; unpack it first",
}
ZIP = b"PK\x03\x04"
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
#: How a text that is no UTF-8 is read: what Western spreadsheet programs write.
FALLBACK = "cp1252"
#: What Western texts hardly have, but every Japanese one that is read as Windows-1252.
_NOT_WESTERN = re.compile("[‚ƒ†‡ˆ‰˜]")
#: Characters read at once while the rest of a line that is too long is thrown away.
PIECE = 1_000_000


@dataclass(frozen=True, slots=True)
class FileOptions(ReadOptions):
    """What is said about the file besides what its rows say."""

    encoding: str = ""  # "": UTF-8, UTF-16 or else Windows-1252, whichever it is


def read_file(path: Path, until: datetime | None = None, options: FileOptions | None = None) -> Log:
    """The log in a file, up to `until`. Raises CommandError with a sentence if it cannot be read."""
    options = options or FileOptions()
    try:
        head = _head(path)
        if head.startswith(ZIP):
            return _read_sheet(path, until, options)
        return _read_text(path, head, until, options)
    except NotALog as error:
        raise CommandError(f"{path}: {error}") from error
    except FileNotFoundError as error:
        raise CommandError(f"There is no file {path}; give the path of a CSV, .csv.gz or .xlsx file.") from error
    except UnicodeError as error:
        raise CommandError(f"{path} {_not_text(options.encoding)}") from error
    except LookupError as error:
        raise CommandError(
            f"There is no encoding “{options.encoding}”; say one like utf-8, cp1252 or cp932."
        ) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise CommandError(f"{path} is no whole gzip file ({error}); copy it again.") from error
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror or error}.") from error


def _not_text(encoding: str) -> str:
    if encoding:
        return f"is not written in {encoding}; say another --encoding."
    return "is not UTF-8 text, nor Windows-1252; say how it is written, like --encoding cp932 for Japanese."


def _head(path: Path) -> bytes:
    """How the file begins, unpacked. Raises NotALog for a kind of file that is not read."""
    packed = _is_gzip(path)
    with gzip.open(path) if packed else path.open("rb") as file:
        head = file.read(400)
    if packed and head.startswith(ZIP):
        raise NotALog("This is packed twice; unpack it with gunzip first.")
    for magic, what in OTHER_KINDS.items():
        if head.startswith(magic):
            raise NotALog(f"This {what}.")
    first = head.removeprefix(codecs.BOM_UTF8).lstrip()[:1]
    if first in (b"<", b"{", b"["):
        kind = "HTML or XML" if first == b"<" else "JSON"
        raise NotALog(f"This is {kind} and no table; export the list as CSV or .xlsx.")
    return head


def _is_gzip(path: Path) -> bool:
    """Whether it is gzip, whatever its name."""
    with path.open("rb") as file:
        return path.suffix == ".gz" or file.read(2) == GZIP


def _read_sheet(path: Path, until: datetime | None, options: FileOptions) -> Log:
    with (
        sheet_table(path, options.columns) as table,
        tqdm(table.records, desc="Reading", unit=" rows", disable=None) as records,
    ):
        return read_table(replace(table, records=iter(records)), until, options)


def _read_text(path: Path, head: bytes, until: datetime | None, options: FileOptions) -> Log:
    encoding = options.encoding or _encoding(head)
    try:
        return _read_as(encoding, path, until, options)
    except UnicodeError:
        if options.encoding or encoding != "utf-8-sig":
            raise
    log = _read_as(FALLBACK, path, until, options, _western)
    log.notes.append("The file is not UTF-8, so it is read as Windows-1252; say --encoding if names look wrong.")
    return log


def _encoding(head: bytes) -> str:
    """The encoding that the first bytes tell of; UTF-16 without a mark has a zero in every other byte."""
    for mark, encoding in MARKS.items():
        if head.startswith(mark):
            return encoding
    for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        every_other = head[start::2]
        if every_other and every_other.count(0) * 2 > len(every_other):
            return encoding
    return "utf-8-sig"


def _read_as(
    encoding: str,
    path: Path,
    until: datetime | None,
    options: FileOptions,
    check: Callable[[Iterable[str]], Iterable[str]] = iter,
) -> Log:
    open_text = gzip.open if _is_gzip(path) else open
    with (
        open_text(path, "rt", encoding=encoding, newline="") as text,
        tqdm(check(_lines(text)), desc="Reading", unit=" lines", disable=None) as lines,
    ):
        return read_log(lines, until, options)


def _western(lines: Iterable[str]) -> Iterator[str]:
    """The lines of a text that is taken for Windows-1252. Raises UnicodeError when it is none."""
    for line in lines:
        if _NOT_WESTERN.search(line):
            raise UnicodeError
        yield line


def _lines(text: TextIO) -> Iterator[str]:
    """The lines; of one that is longer than any row only the beginning, so that it cannot fill the memory."""
    while line := text.readline(LONGEST_RECORD + 1):
        yield line
        if len(line) > LONGEST_RECORD:
            while not line.endswith(("\n", "\r")) and (line := text.readline(PIECE)):
                pass
