"""`manage.py read_absence_note --received DAY --country CODE < note.txt`: what the desk reads from a note (F5)."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cases.followup.absences import LONGEST_NOTE
from cases.policy.absence_notes import Timeframe, read_or_ask
from contacts.calendars import calendar_problem

LONGEST_UTF8_CHARACTER = 4


class Command(BaseCommand):
    help = (
        "Read an out-of-office note from standard input (UTF-8) and print as JSON the timeframe that the desk reads "
        "from it, or why it would ask the owner. Touches no database."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--received", required=True, metavar="DAY", help="the writer's local day of the note, e.g. 2026-08-10"
        )
        parser.add_argument("--country", required=True, metavar="CODE", help="the writer's country, e.g. GB")

    def handle(self, *args: Any, **options: Any) -> None:
        received_on, country = _day(options["received"]), options["country"].upper()
        if problem := calendar_problem(country, "", "UTC"):
            raise CommandError(problem, returncode=2)
        found = read_or_ask(_note(), received_on, country)
        if isinstance(found, Timeframe):
            away_from = found.away_from.isoformat() if found.away_from else None
            answer = {"away_from": away_from, "back_on": found.back_on.isoformat(), "phrase": found.phrase}
        else:
            answer = {"asks": found.value}
        self.stdout.write(json.dumps(answer))  # ASCII, whatever the terminal can show


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(f'"{text}" is no day: give --received as in 2026-08-10.', returncode=2) from None


def _note() -> str:
    """The note on standard input. A damaged one is refused: a lost letter could make another day of it."""
    data = sys.stdin.buffer.read(LONGEST_UTF8_CHARACTER * LONGEST_NOTE + 1)
    is_cut = len(data) > LONGEST_UTF8_CHARACTER * LONGEST_NOTE
    try:
        text = "" if is_cut else data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CommandError("The note is not UTF-8 text: convert it, e.g. with iconv.", returncode=2) from None
    if is_cut or len(text) > LONGEST_NOTE:
        raise CommandError(f"The note is longer than {LONGEST_NOTE:,} characters: give only the note.", returncode=2)
    return text
