"""`manage.py replay FILE`: what the desk would have done with another system's incidents; no database is touched."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from cases.incidents import bad_row_lines, read_file
from escalations.policy.replay import as_json, as_table, replay, write_ledger
from escalations.policy.schedule import PUBLISHED


class Command(BaseCommand):
    """Replay a ServiceNow incident log through the published schedule and pending client action."""

    help = (
        "Replay a ServiceNow incident log (CSV or .csv.gz) through the published escalation schedule (E1) and pending "
        "client action (F2), and report per severity what the desk would have done. Nothing is written to the desk."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, and how to report."""
        parser.add_argument("file", type=Path, metavar="FILE", help="the log, CSV or .csv.gz")
        parser.add_argument("--json", action="store_true", help="the figures as JSON instead of a table")
        parser.add_argument(
            "--ledger", type=Path, metavar="OUT.csv", help="write a line for everything that would have been done"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, replay, report. Raises CommandError with one sentence."""
        log = read_file(options["file"])
        with tqdm(log.incidents, desc="Replaying", unit=" incidents", disable=None) as incidents:
            result = replay(incidents, PUBLISHED, log.ended_at)
        if options["ledger"]:
            try:
                with options["ledger"].open("w", encoding="utf-8", newline="") as out:
                    write_ledger(result.ledger, out)
            except OSError as error:
                raise CommandError(f"{options['ledger']} cannot be written: {error.strerror or error}.") from error
        if log.bad_rows:  # beside the report, so that JSON stays JSON
            for line in bad_row_lines(log.bad_rows):
                self.stderr.write(line)
        self.stdout.write(json.dumps(as_json(result), indent=2) if options["json"] else as_table(result))
