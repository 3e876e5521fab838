"""`manage.py recheck`: every open case is reckoned anew, after a setting or the calendars' package has changed (E3)."""

from __future__ import annotations

from typing import Any, get_args

from django.core.management import BaseCommand
from django.utils import timezone

from cases.engine.outside import recheck_open
from cases.models import Case
from cases.models.case import Check


class Command(BaseCommand):
    """Changes nothing but when the sweeps look; safe to run at any time."""

    help = "Have every open case looked at by all sweeps at once: after a change of settings or of public holidays."

    def handle(self, *args: Any, **options: Any) -> None:
        """Set the check columns to now."""
        count = recheck_open(Case.objects.all(), get_args(Check), timezone.now())
        if options["verbosity"]:
            self.stdout.write(f"{count} open cases are reckoned anew.")
