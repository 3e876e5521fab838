"""`manage.py clean_files`: delete files of which no case knows, left behind by what was rolled back (C3)."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand
from django.utils import timezone

from cases.files.store import remove_orphans


class Command(BaseCommand):
    """The desk does it by itself every hour; safe to run at any time."""

    help = "Delete files that belong to no case and are older than a day."

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete them, and say how many there were."""
        count = remove_orphans(timezone.now())
        if options["verbosity"]:
            self.stdout.write(f"{count} files that belonged to no case were deleted.")
