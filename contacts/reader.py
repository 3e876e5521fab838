"""Moments for whoever reads the current page."""

from datetime import datetime

from django.utils import timezone

from contacts.wording import stamp


def for_reader(moment: datetime) -> str:
    """The moment in the zone of the page, which it names: “2026-06-03 14:00 CEST”. Raises ValueError if it is naive."""
    return stamp(moment, timezone.get_current_timezone())
