"""`manage.py import_incidents FILE`: a real incident log becomes cases, with everybody who takes part in them."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, ProgrammingError
from django.utils import timezone
from tqdm import tqdm

from cases.guards import Refused
from cases.incidents import (
    YEARS,
    BadRow,
    Imported,
    ImportOptions,
    Log,
    add_reading_options,
    bad_row_lines,
    doubt_lines,
    held_back_lines,
    import_log,
    limit_of,
    preview_lines,
    read_file,
    reading_options,
    rows,
)


class Command(BaseCommand):
    help = (
        "Import a ServiceNow incident log (CSV, .csv.gz or .xlsx). Every incident becomes a case with the log's "
        "history; one that was imported before is skipped, and one of which a row is not understood is held back. With "
        "--as-of the log becomes a live desk."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="the log, CSV, .csv.gz or .xlsx")
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="write nothing; say what would be imported and what is not understood",
        )
        parser.add_argument(
            "--as-of",
            metavar="MOMENT",
            help="drop every row after this moment (ISO 8601, UTC unless it says otherwise, "
            "e.g. 2016-04-04T12:00) and move the moment to now",
        )
        parser.add_argument("--country", default=ImportOptions.country, help="of new companies (default %(default)s)")
        parser.add_argument("--subdivision", default="", help="of new companies: the region of their country, e.g. BY")
        parser.add_argument(
            "--time-zone", default=ImportOptions.time_zone, help="of new companies (default %(default)s)"
        )
        parser.add_argument("--centre", default="", help="of new technicians (default: the first there is)")
        parser.add_argument(
            "--l3", action="append", default=[], metavar="NAME", help="a new technician who is L3; may be repeated"
        )
        add_reading_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        as_of = _moment(options["as_of"])
        log = read_file(options["file"], as_of or now, reading_options(options))
        import_options = ImportOptions(
            now=now,
            shift=now - as_of if as_of else timedelta(0),
            country=options["country"].upper(),
            subdivision=options["subdivision"],
            time_zone=options["time_zone"],
            centre=options["centre"],
            l3=frozenset(options["l3"]),
        )
        limit = limit_of(options)
        imported = None
        try:
            if options["dry_run"]:
                self._say(preview_lines(log, import_options, limit))
            else:
                imported = _import(log, import_options)
        except Refused as refused:
            raise CommandError(refused.sentence) from refused
        except (OperationalError, InterfaceError, ProgrammingError) as error:
            reason = str(error).splitlines()[0]
            raise CommandError(
                f"The database cannot be used ({reason}): see that it runs and is migrated, then run this again; "
                "what was imported so far stays."
            ) from error
        if imported is not None:
            self._say(_imported_lines(imported))
        bad_rows = imported.bad_rows if imported else log.bad_rows
        self._say(_left_out_lines(log, bad_rows, limit))
        if not log.whole or (imported and not imported.cases + imported.known):
            raise CommandError(_nothing(log, bad_rows))

    def _say(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.stdout.write(line)


def _import(log: Log, options: ImportOptions) -> Imported:
    # disable=None: no bar where nobody watches
    with tqdm(total=len(log.whole), desc="Importing", unit=" incidents", disable=None) as bar:
        return import_log(log, options, bar.update)


def _imported_lines(imported: Imported) -> Iterator[str]:
    yield f"{imported.incidents} incidents: {imported.cases} new cases, {imported.known} known already and left alone."
    yield (
        f"New people: {imported.companies} companies, {imported.contacts} contacts, {imported.technicians} technicians."
    )


def _left_out_lines(log: Log, bad_rows: Sequence[BadRow], limit: int) -> Iterator[str]:
    """What was not certain, not understood or not read."""
    yield from doubt_lines(log, limit)
    if log.later_rows:
        lie = "lies" if log.later_rows == 1 else "lie"
        yield f"{rows(log.later_rows)} {lie} after the moment up to which the log was read."
    yield from bad_row_lines(bad_rows, limit)
    yield from held_back_lines(log, limit)


def _nothing(log: Log, bad_rows: Sequence[BadRow]) -> str:
    """Why there is no incident to import, in one sentence."""
    if log.held_back or bad_rows:
        return "There is nothing to import: no incident was understood whole; mend what is said above, run this again."
    if log.later_rows:
        return "There is nothing to import: every row lies after the moment up to which the log was read; see --as-of."
    return "There is nothing to import: no row stands under the header."


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
