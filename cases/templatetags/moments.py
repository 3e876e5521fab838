"""Moments and lengths of time as the reader of a mail reads them: in their time zone and language (M4)."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils.translation import get_language

from contacts import wording

register = template.Library()


@register.filter
def in_zone(moment: datetime | str | None, time_zone: str) -> str:
    """“Thu 4 June 2026, 14:00 (Berlin, UTC+02:00)” in the active language; empty for what is no moment.

    Raises UnknownCalendar for an unknown time zone, ValueError for a naive moment.
    """
    return wording.in_zone(moment, time_zone, get_language() or "en") if isinstance(moment, datetime) else ""


@register.filter
def duration(text: str) -> str:
    """The length of time that a fact names as “2 h 30 min”, in the active language: “2時間30分”.

    Raises NotADuration.
    """
    return wording.duration(wording.read_duration(text), language=get_language() or "en")
