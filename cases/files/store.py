"""The bytes of attachments and of mail that came in: files in a directory of the desk's own, which no web server gives
out (C3, M5).

A file is written before its row, under a name drawn by chance. What the transaction then rolls back is an orphan, and
`remove_orphans` deletes it a day later.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from cases.models import Attachment, ReceivedMail

#: A file without a row is an orphan when it is older than any transaction.
ORPHAN_AFTER = timedelta(days=1)


class FileMissing(Exception):
    """The row of a file is there, and the file is not on disk."""


@dataclass(frozen=True)
class StoredFile:
    """A file that was written."""

    stored_as: str
    size: int
    sha256: str


def path_of(stored_as: str) -> Path:
    """Where the file of that name lies."""
    return Path(settings.DESK_FILES_DIR) / stored_as[:2] / stored_as


def write(chunks: Iterable[bytes]) -> StoredFile:
    """Write a file and make sure that it is on disk. Raises OSError, and leaves nothing then."""
    name, size, digest = secrets.token_hex(16), 0, hashlib.sha256()
    path = path_of(name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for chunk in chunks:
                file.write(chunk)
                digest.update(chunk)
                size += len(chunk)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return StoredFile(name, size, digest.hexdigest())


def open_file(attachment: Attachment) -> BinaryIO:
    """The file of an attachment. Raises FileMissing."""
    try:
        return path_of(attachment.stored_as).open("rb")
    except OSError as error:
        raise FileMissing(f"The file “{attachment.name}” is not on the desk's disk any more.") from error


def remove_orphans(now: datetime) -> int:
    """Delete the files that no row knows and that are old enough; how many there were."""
    before = (now - ORPHAN_AFTER).timestamp()
    removed = 0
    for folder in _folders():
        old = {path.name: path for path in folder.iterdir() if path.is_file() and path.stat().st_mtime < before}
        known = set(Attachment.objects.filter(stored_as__in=old).values_list("stored_as", flat=True))
        known |= set(ReceivedMail.objects.filter(stored_as__in=old).values_list("stored_as", flat=True))
        for name in old.keys() - known:
            old[name].unlink(missing_ok=True)
            removed += 1
    return removed


def _folders() -> Iterator[Path]:
    root = Path(settings.DESK_FILES_DIR)
    return (path for path in sorted(root.iterdir()) if path.is_dir()) if root.is_dir() else iter(())
