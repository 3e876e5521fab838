"""`manage.py import_incidents FILE`: a real incident log becomes cases, with everybody who takes part in them."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, ProgrammingError
from django.utils import timezone
from tqdm import tqdm

from cases.guards import Refused
from cases.incidents import YEARS, Imported, ImportOptions, Log, bad_row_lines, import_log, read_file


class Command(BaseCommand):
    help = (
        "Import a ServiceNow incident log (CSV or .csv.gz). Every incident becomes a case with the log's history; "
        "an incident that was imported before is skipped. With --as-of the log becomes a live desk."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="the log, CSV or .csv.gz")
        parser.add_argument(
            "--as-of",
            metavar="MOMENT",
            help="drop every row after this moment (ISO 8601, UTC unless it says otherwise, "
            "e.g. 2016-04-04T12:00) and move the moment to now",
        )
        parser.add_argument("--country", default=ImportOptions.country, help="of new companies (default %(default)s)")
        parser.add_argument(
            "--time-zone", default=ImportOptions.time_zone, help="of new companies (default %(default)s)"
        )
        parser.add_argument("--centre", default="", help="of new technicians (default: the first there is)")
        parser.add_argument(
            "--l3", action="append", default=[], metavar="NAME", help="a new technician who is L3; may be repeated"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        as_of = _moment(options["as_of"])
        log = read_file(options["file"], as_of or now)
        import_options = ImportOptions(
            now=now,
            shift=now - as_of if as_of else timedelta(0),
            country=options["country"].upper(),
            time_zone=options["time_zone"],
            centre=options["centre"],
            l3=frozenset(options["l3"]),
        )
        try:
            # disable=None: no bar where nobody watches
            with tqdm(total=len(log.incidents), desc="Importing", unit=" incidents", disable=None) as bar:
                imported = import_log(log, import_options, bar.update)
        except Refused as refused:
            raise CommandError(refused.sentence) from refused
        except (OperationalError, InterfaceError, ProgrammingError) as error:
            said = str(error).splitlines()[0]
            raise CommandError(
                f"The database cannot be used ({said}): see that it runs and is migrated, then run this again; "
                "what was imported so far stays."
            ) from error
        self._report(imported, log)

    def _report(self, imported: Imported, log: Log) -> None:
        self.stdout.write(
            f"{imported.incidents} incidents: {imported.cases} new cases, "
            f"{imported.known} known already and left alone."
        )
        self.stdout.write(
            f"New people: {imported.companies} companies, {imported.contacts} contacts, "
            f"{imported.technicians} technicians."
        )
        if log.later_rows:
            self.stdout.write(f"{log.later_rows} rows lie after the moment up to which the log was read.")
        for line in bad_row_lines(imported.bad_rows):
            self.stdout.write(line)


def _moment(text: str | None) -> datetime | None:
    """The moment of `--as-of` in UTC. Raises CommandError."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.year not in YEARS:
        raise CommandError(
            f"--as-of takes a moment between {YEARS[0]} and {YEARS[-1]} like 2016-04-04T12:00, not “{text}”."
        )
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
