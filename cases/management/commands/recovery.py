"""`manage.py recovery`: what the newest outages did, as text."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cases.engine.recovery import as_text, newest_reports


class Command(BaseCommand):
    help = (
        "Print the newest reports on outages of the engine: from when to when, what came due, what was done late. "
        "All times are UTC."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--last", type=int, default=1, metavar="N", help="how many reports, newest first (1)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["last"] < 1:
            raise CommandError("--last must be 1 or more.")
        reports = newest_reports(options["last"])
        if not reports:
            self.stdout.write("No outage was ever noted: the engine has looked all the time since it was started.")
        self.stdout.write("\n\n".join(as_text(report) for report in reports))
