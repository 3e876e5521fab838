"""Moments in the time zone of the reader of a mail (M4)."""

from __future__ import annotations

from datetime import datetime

from django import template

from contacts import wording

register = template.Library()


@register.filter
def in_zone(moment: datetime | str | None, time_zone: str) -> str:
    """“Thu 4 June 2026, 14:00 (Berlin, UTC+02:00)”; empty for what is no moment.

    Raises UnknownCalendar for an unknown time zone, ValueError for a naive moment.
    """
    return wording.in_zone(moment, time_zone) if isinstance(moment, datetime) else ""
