"""`manage.py reindex_search`: the search documents of all cases are made anew."""

from __future__ import annotations

import time
from typing import Any

from django.core.management import BaseCommand, CommandParser

from cases.models import Case, UnindexedCase
from cases.search.index import ask_to_index, index_waiting

#: How often it says how far it is.
SECONDS_BETWEEN_REPORTS = 10


class Command(BaseCommand):
    """Works in small batches beside a running desk; stopped in the middle, the rest goes on in the background."""

    help = "Index the words of all cases for the search; --waiting only those that wait for it, as after an upgrade."

    def add_arguments(self, parser: CommandParser) -> None:
        """`--waiting` leaves alone what is indexed."""
        parser.add_argument("--waiting", action="store_true", help="only cases that wait to be indexed")

    def handle(self, *args: Any, waiting: bool, verbosity: int, **options: Any) -> None:
        """Put the cases on the list, then work it off."""
        if not waiting:
            ask_to_index(Case.objects.all())
        done = 0
        while True:
            until = time.monotonic() + SECONDS_BETWEEN_REPORTS
            count = index_waiting(lambda end=until: time.monotonic() > end)  # type: ignore[misc]
            done += count
            if not count:
                break
            if verbosity:
                self.stdout.write(f"{done:,} cases are indexed.")
        if left := UnindexedCase.objects.count():
            self.stdout.write(f"{left:,} cases are being changed by somebody; they are indexed within minutes.")
