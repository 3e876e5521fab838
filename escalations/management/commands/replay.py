"""`manage.py replay FILE`: what the desk would have done with another system's incidents; no database is touched."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from cases.incidents import (
    add_reading_options,
    bad_row_lines,
    doubt_lines,
    held_back_lines,
    limit_of,
    read_file,
    reading_options,
)
from escalations.policy.replay import as_json, as_table, replay, write_ledger
from escalations.policy.schedule import PUBLISHED

#: A replay lets nothing loose, so its figures take what could be read, and say so.
IN_PART = "not understood whole; the figures take the rows that were, and a state that was not changes nothing:"


class Command(BaseCommand):
    """Replay a ServiceNow incident log through the published schedule and pending client action."""

    help = (
        "Replay a ServiceNow incident log (CSV, .csv.gz or .xlsx) through the published escalation schedule (E1) and "
        "pending client action (F2), and report per severity what the desk would have done. Nothing is written to the "
        "desk."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, and how to report."""
        parser.add_argument("file", type=Path, metavar="FILE", help="the log, CSV, .csv.gz or .xlsx")
        parser.add_argument("--json", action="store_true", help="the figures as JSON instead of a table")
        parser.add_argument(
            "--ledger", type=Path, metavar="OUT.csv", help="write a line for everything that would have been done"
        )
        add_reading_options(parser, "--time-zone")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, replay, report. Raises CommandError with one sentence."""
        log = read_file(options["file"], options=reading_options(options))
        limit = limit_of(options)
        self._say(doubt_lines(log, limit))
        if not log.incidents:
            self._say(bad_row_lines(log.bad_rows, limit) if log.bad_rows else ())
            raise CommandError(f"{options['file']}: no incident could be read, so there is nothing to replay.")
        with tqdm(log.incidents, desc="Replaying", unit=" incidents", disable=None) as incidents:
            result = replay(incidents, PUBLISHED, log.ended_at)
        if options["ledger"]:
            try:
                with options["ledger"].open("w", encoding="utf-8", newline="") as out:
                    write_ledger(result.ledger, out)
            except OSError as error:
                raise CommandError(f"{options['ledger']} cannot be written: {error.strerror or error}.") from error
        if log.bad_rows:
            self._say(bad_row_lines(log.bad_rows, limit))
        self._say(held_back_lines(log, limit, IN_PART))
        self.stdout.write(json.dumps(as_json(result), indent=2) if options["json"] else as_table(result))

    def _say(self, lines: Iterable[str]) -> None:
        """Beside the report, so that JSON stays JSON."""
        for line in lines:
            self.stderr.write(line)
