"""What callers hear, in English and Japanese (Q3, D2)."""

from __future__ import annotations

from datetime import datetime

from django.utils import translation
from django.utils.translation import gettext

from cases.models import QueueEntry
from cases.queue.state import QueueNow
from contacts.calendars import japanese_support_opens_at
from contacts.enums import Language
from contacts.wording import in_zone

#: The languages of the announcements; everybody else hears English.
SPOKEN = (Language.ENGLISH, Language.JAPANESE)
VOICES = {Language.ENGLISH: "en-US", Language.JAPANESE: "ja-JP"}


def heard_language(language: str) -> Language:
    """In which language somebody hears announcements."""
    return Language(language) if language in SPOKEN else Language.ENGLISH


def greeting(queue: QueueNow, entry: QueueEntry) -> str:
    """What a caller hears first. One from Japan outside hours hears when Japanese support opens (D2)."""
    with translation.override(heard_language(entry.language)):
        said = [gettext("Thank you for calling support.")]
        opens_at = japanese_support_opens_at(queue.now, queue.japan_on_holidays)
        if entry.language == Language.JAPANESE and opens_at is not None:
            at = in_zone(opens_at, "Asia/Tokyo", heard_language(entry.language))
            said.append(gettext("Japanese support opens on %(at)s; until then we speak English with you.") % {"at": at})
        return " ".join(said)


def while_waiting(queue: QueueNow, entry: QueueEntry) -> str:
    """The place in the queue, how long it will take where that can be reckoned, and how to be called back (Q3)."""
    minutes = queue.minutes(entry)
    with translation.override(heard_language(entry.language)):
        said = [gettext("You are number %(place)s in line.") % {"place": queue.place(entry)}]
        if minutes is not None:
            said.append(gettext("It will take about %(minutes)s minutes.") % {"minutes": minutes})
        said.append(gettext("Press 1 to be called back; you keep your place in line."))
        return " ".join(said)


def will_be_called(entry: QueueEntry, by: datetime, time_zone: str) -> str:
    """That we call back, and by when (Q3, T1)."""
    language = heard_language(entry.language)
    with translation.override(language):
        return gettext("We will call you back by %(at)s. Goodbye.") % {"at": in_zone(by, time_zone, language)}


def connecting(entry: QueueEntry) -> str:
    """That somebody takes the call."""
    with translation.override(heard_language(entry.language)):
        return gettext("We are connecting you.")
