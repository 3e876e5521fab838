"""Take in the files of a contact or a note: check them all, write them, and add their rows (C3)."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.core.files.base import File

from cases.files import scanner, store
from cases.guards import Refused, refuse_together
from cases.models import Attachment, Interaction
from cases.policy.file_types import HEAD, clean_name, judge_file
from cases.search import index
from contacts.models import User

FIELD = "attachments"
_UNREADABLE = (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError, struct.error, OverflowError)


@dataclass(frozen=True)
class CheckedFile:
    """A file that may be kept: its cleaned name, and what its bytes are."""

    name: str
    content_type: str
    file: File[Any]


def check_files(files: Sequence[File[Any]]) -> list[CheckedFile]:
    """What may be kept. Raises Refused with a sentence for each file that may not (S4)."""
    if len(files) > settings.DESK_MOST_FILES:
        raise Refused(f"These are {len(files)} files, and at most {settings.DESK_MOST_FILES} go together.", FIELD)
    together = sum(_size(file) for file in files)
    if together > settings.DESK_LARGEST_FILES:
        raise Refused(
            f"The files have {megabytes(together)} together, and at most {megabytes(settings.DESK_LARGEST_FILES)} go "
            "at once; send some of them later.",
            FIELD,
        )
    checked = [_check(file) for file in files]
    refuse_together(*(one for one in checked if isinstance(one, Refused)))
    return [one for one in checked if isinstance(one, CheckedFile)]


@dataclass(frozen=True)
class SortedFiles:
    """The files that may be kept, and one sentence for each that may not."""

    kept: list[File[Any]]
    refused: list[str]


def sort_files(files: Sequence[File[Any]]) -> SortedFiles:
    """As `check_files`, where nobody can be asked to send them in another way: what may not be kept is left out."""
    kept: list[File[Any]] = []
    refused: list[str] = []
    room = settings.DESK_LARGEST_FILES
    for file in files:
        checked = _check(file)
        if isinstance(checked, Refused):
            refused.append(checked.sentence)
        elif len(kept) >= settings.DESK_MOST_FILES or _size(file) > room:
            refused.append(f"“{checked.name}” is one file too many for one message.")
        else:
            kept.append(file)
            room -= _size(file)
    return SortedFiles(kept, refused)


def _check(file: File[Any]) -> CheckedFile | Refused:
    name = clean_name(file.name or "")
    size = _size(file)
    if not size:
        return Refused(f"“{name}” is empty.", FIELD)
    if size > settings.DESK_LARGEST_FILE:
        return Refused(
            f"“{name}” has {megabytes(size)}, and a file may have {megabytes(settings.DESK_LARGEST_FILE)}; pack it, or "
            "send a part of it.",
            FIELD,
        )
    file.seek(0)
    verdict = judge_file(name, file.read(HEAD), partial(_names_inside, file))
    reason = verdict.why_not or scanner.why_not(file)
    if reason:
        return Refused(f"“{name}” {reason}.", FIELD)
    return CheckedFile(name, verdict.content_type, file)


def _size(file: File[Any]) -> int:
    return file.size or 0


def _names_inside(file: File[Any]) -> Collection[str] | None:
    """What a zip archive holds; None if it cannot be read."""
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.namelist()
    except _UNREADABLE:
        return None


def attach(
    interaction: Interaction, files: Sequence[CheckedFile], actor: User | None, now: datetime
) -> list[Attachment]:
    """Write the files and add their rows, in the transaction of their contact; their names can be searched.

    Raises Refused if the disk is full.
    """
    rows = []
    for one in files:
        one.file.seek(0)
        try:
            stored = store.write(one.file.chunks())
        except OSError as error:
            raise Refused(
                f"“{one.name}” cannot be kept just now ({error.strerror or error}); nothing was saved. Send it without "
                "files, and tell an administrator.",
                FIELD,
            ) from error
        row = Attachment.objects.create(
            case=interaction.case,
            interaction=interaction,
            name=one.name,
            content_type=one.content_type,
            size=stored.size,
            sha256=stored.sha256,
            stored_as=stored.stored_as,
            added_at=now,
            added_by=actor,
        )
        rows.append(row)
    index.add_words(interaction.case_id, " ".join(row.name for row in rows))
    return rows


def megabytes(size: int) -> str:
    """“2.5 MB”, as limits are said."""
    return f"{size / 1_000_000:.1f} MB"
