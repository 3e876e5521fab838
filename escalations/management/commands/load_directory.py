"""`manage.py load_directory`: what every desk begins with, as data that people edit afterwards (D4, E1)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management import BaseCommand
from django.db import transaction
from django.utils import timezone

from contacts.lines import PUBLISHED_LINES
from contacts.models import SupportLine
from escalations.models import ScheduleVersion
from escalations.schedule.versions import load_published_schedule


def load_published_lines() -> int:
    """Write D4's lines on a desk that never had any; returns how many. What people edited or deleted stays so."""
    if SupportLine.objects.exists() or SupportLine.history.exists():
        return 0
    for line in PUBLISHED_LINES:
        SupportLine.objects.create(**line._asdict())
    return len(PUBLISHED_LINES)


def load_directory(now: datetime) -> tuple[ScheduleVersion, int]:
    """The schedule and the lines, in force from `now`, both or neither; returns the first version and the new lines."""
    with transaction.atomic():
        return load_published_schedule(now), load_published_lines()


class Command(BaseCommand):
    """Loads the escalation schedule and the support lines where the desk has none; safe to run at every start."""

    help = "Load the published escalation schedule (E1) and the support lines (D4), unless the desk had them already."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load both, all or nothing."""
        version, lines = load_directory(timezone.now())
        if options["verbosity"]:
            self.stdout.write(f"Escalation schedule: {version}. Support lines: {lines or 'none'} added.")
