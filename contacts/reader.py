"""Moments for whoever reads the current page."""

from datetime import datetime

from django.utils import timezone

from contacts.wording import day_and_time


def for_reader(moment: datetime) -> str:
    """The moment in the reader's zone, as the whole page shows moments: “Wed 3 Jun, 14:00”, of another year with it.

    For sentences that are shown, never for what is stored. Raises ValueError for a naive moment.
    """
    return day_and_time(timezone.localtime(moment), timezone.localdate())
