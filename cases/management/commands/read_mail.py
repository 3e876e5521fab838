"""`manage.py read_mail FILE... [--json]`: what the desk makes of raw messages (M6, M7)."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from cases.mail.incoming import LONGEST_MESSAGE, IncomingMessage, MessageKind, read_message
from contacts.calendars import calendar_problem

#: Characters of a value in the table.
WIDEST = 100
STANDARD_INPUT = "-"


class Command(BaseCommand):
    help = (
        "Print what the desk makes of raw messages (one a file, - is standard input): who speaks, what they wrote, "
        "what came with it. Touches no database. A file that cannot be opened is an entry of the kind unreadable; the "
        "exit code is 1 if none could be opened, else 0."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="a raw message as it came (.eml)")
        parser.add_argument("--json", action="store_true", help="a JSON list in the order of the files")
        parser.add_argument(
            "--received",
            metavar="DAY",
            help="the writer's local day of arrival, for the days of an absence, e.g. 2026-08-10; without it the day "
            "of the message's Date, without that today",
        )
        parser.add_argument(
            "--country", default="", metavar="CODE", help="the writer's country, for days as 12/11, e.g. GB"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        received_on, country = _day(options["received"]), options["country"].upper()
        if country and (problem := calendar_problem(country, "", "UTC")):
            raise CommandError(problem, returncode=2)
        entries, opened = [], 0
        for name in options["files"]:
            try:
                raw = _bytes_of(name)
            except (OSError, ValueError) as trouble:
                why = f"The file cannot be opened: {getattr(trouble, 'strerror', None) or trouble}."
                entries.append(_entry(name, IncomingMessage(MessageKind.UNREADABLE, why)))
                continue
            opened += 1
            entries.append(_entry(name, _read(raw, received_on, country)))
        if options["json"]:
            self.stdout.write(json.dumps(entries))  # ASCII, whatever the terminal can show
        else:
            self._write_table(entries)
        if not opened:
            raise CommandError("No file could be opened.", returncode=1)

    def _write_table(self, entries: list[dict[str, Any]]) -> None:
        encoding = getattr(self.stdout, "encoding", None) or "utf-8"
        for entry in entries:
            lines = [entry["file"], *(f"  {name:<12} {value}" for name, value in _rows(entry))]
            self.stdout.write("\n".join(lines).encode(encoding, "replace").decode(encoding) + "\n")


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise CommandError(f'"{text}" is no day: give --received as in 2026-08-10.', returncode=2) from None


def _bytes_of(name: str) -> bytes:
    """The bytes of the message, no more than the reader looks at."""
    if name == STANDARD_INPUT:
        return sys.stdin.buffer.read(LONGEST_MESSAGE + 1)
    with Path(name).open("rb") as file:
        return file.read(LONGEST_MESSAGE + 1)


def _read(raw: bytes, received_on: date | None, country: str) -> IncomingMessage:
    message = read_message(raw, received_on=received_on, country=country)
    if message.kind is MessageKind.OUT_OF_OFFICE and received_on is None and message.date is None:
        return read_message(raw, received_on=timezone.localdate(), country=country)
    return message


def _entry(name: str, message: IncomingMessage) -> dict[str, Any]:
    absence = message.absence and {
        "away_from": message.absence.away_from.isoformat() if message.absence.away_from else None,
        "back_on": message.absence.back_on.isoformat(),
    }
    return {
        "file": name,
        "kind": message.kind.value,
        "sender": message.sender,
        "subject": message.subject,
        "references": list(message.references),
        "text": message.text,
        "quoted": message.quoted,
        "attachments": [
            {"name": file.name, "type": file.content_type, "size": file.size} for file in message.attachments
        ],
        "absence": absence,
        "failed_recipients": list(message.failed_recipients),
        "why": message.why,
    }


def _rows(entry: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The rows of the table: what there is, each on one line."""
    absence = entry["absence"]
    files = ", ".join(f"{file['name']} ({file['type']}, {file['size']:,} bytes)" for file in entry["attachments"])
    rows = {
        "kind": entry["kind"],
        "why": entry["why"],
        "sender": entry["sender"],
        "subject": entry["subject"],
        "text": entry["text"],
        "quoted": f"{len(entry['quoted'].splitlines())} lines" if entry["quoted"] else "",
        "attachments": files,
        "absence": f"away from {absence['away_from'] or 'a day not named'}, back on {absence['back_on']}"
        if absence
        else "",
        "failed": ", ".join(entry["failed_recipients"]),
    }
    shown = {name: " ".join(value.split()) for name, value in rows.items() if value}
    whole = ("why", "attachments", "failed")
    return [
        (name, value if name in whole or len(value) <= WIDEST else value[: WIDEST - 1] + "…")
        for name, value in shown.items()
    ]
