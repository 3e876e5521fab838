"""How long, as people write and read it: “4 h”, “2 d 12 h”, “90 min”. Pure; a day is 24 hours."""

import re
from datetime import timedelta

_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "min": timedelta(minutes=1)}
_SPELLINGS = {
    "d": ("d", "day", "days"),
    "h": ("h", "hour", "hours", "hr", "hrs"),
    "min": ("m", "min", "mins", "minute", "minutes"),
}
_UNIT_OF = {spelling: unit for unit, spellings in _SPELLINGS.items() for spelling in spellings}
_PART = re.compile(r"(\d{1,5})\s*([a-z]+)")

#: Longer than any case is open; beyond it the text is a slip of the keyboard.
LONGEST = timedelta(days=1000)


class NotADuration(ValueError):
    """The text is no duration; the message says so in a sentence and shows how to write one (S4)."""


def read_duration(text: str) -> timedelta:
    """The duration that a text such as “2 d 12 h” or “90 min” names. Raises NotADuration."""
    written = text.strip().lower().replace(",", " ")
    parts = _PART.findall(written)
    units = [_UNIT_OF.get(unit, "") for _, unit in parts]
    if not parts or not all(units) or _PART.sub("", written).strip() or len(set(units)) != len(units):
        raise NotADuration(f"“{text.strip()}” is not a duration; write one like 4 h, 2 d 12 h or 90 min.")
    total = sum((int(amount) * _UNITS[unit] for (amount, _), unit in zip(parts, units, strict=True)), timedelta(0))
    if total > LONGEST:
        raise NotADuration(f"“{text.strip()}” is longer than {duration(LONGEST)}; give a shorter time.")
    return total


def duration(length: timedelta) -> str:
    """A duration as people read it, to the minute: “5 h 12 min”, “36 h”; in days from 48 h on."""
    minutes = int(abs(length).total_seconds() // 60)
    days, minutes = divmod(minutes, 24 * 60) if minutes >= 48 * 60 else (0, minutes)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{amount} {unit}" for amount, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if amount]
    return " ".join(parts) or "0 min"
