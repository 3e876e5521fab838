"""The moments of an incident log: how they are written, and whether the day or the month comes first. Pure.

`3/4/2016` may be either, so the order is decided from every moment of the file: a number above 12 proves it. A file
without a proof is read day first; one that proves both is refused. A text without an offset is in the log's zone.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from enum import StrEnum

from cases.incidents.words import Bad, shown

#: Years outside are typing errors.
YEARS = range(1970, 2101)

#: Day 0 of the numbers by which a spreadsheet keeps its dates, and of those made on old Macintoshes.
SERIALS_FROM = datetime(1899, 12, 30, tzinfo=UTC)
SERIALS_FROM_1904 = datetime(1904, 1, 1, tzinfo=UTC)

_TIME = (
    r"(?:(?:\s*,\s*|\s+|T)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d{1,9})?)?"
    r"(?:\s*(?P<half>[ap])\.?m\.?)?\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?)?"
)
_FLAGS = re.ASCII | re.IGNORECASE
_NUMERIC = re.compile(r"(?P<a>\d{1,2})([/.-])(?P<b>\d{1,2})\2(?P<year>\d{4}|(?<!-)\d{2})" + _TIME, _FLAGS)
_YEAR_FIRST = re.compile(r"(?P<year>\d{4})([/.-])(?P<month>\d{1,2})\2(?P<day>\d{1,2})" + _TIME, _FLAGS)
_NAMED = re.compile(
    r"(?:(?P<day>\d{1,2})[ /.-]+(?P<name>[a-z]{3,9})|(?P<name2>[a-z]{3,9})\.? (?P<day2>\d{1,2})),?[ /.-]+"
    r"(?P<year>\d{4})" + _TIME,
    _FLAGS,
)
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class Order(StrEnum):
    """Which comes first in `3/4/2016`; the values are those of `--date-order`."""

    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"


class Moments(dict[str, datetime]):
    """The moment (UTC) of each text, parsed once. A text that is none raises Bad each time."""

    def __init__(self, order: Order | None, zone: tzinfo, serials_from: datetime = SERIALS_FROM) -> None:
        super().__init__()
        self.order = order or Order.DAY_FIRST
        self.proofs: dict[Order, str] = {}  # the first text that proves an order
        self.undecided = ""  # the first text that may be read either way
        self._is_given = order is not None
        self._zone = zone
        self._serials_from = serials_from

    def __missing__(self, text: str) -> datetime:
        moment = self[text] = self._parsed(text)
        return moment

    def decide(self) -> bool:
        """Settle the order when every text was seen; True when texts that were read have to be read again."""
        if self._is_given or self.order in self.proofs or not self.proofs:
            return False
        self.order = Order.MONTH_FIRST
        self.clear()
        return True

    @property
    def is_guess(self) -> bool:
        """Whether a text may be read either way and nothing proves which."""
        return bool(self.undecided) and not self._is_given and not self.proofs

    @property
    def contradict(self) -> bool:
        """Whether the file proves both orders."""
        return not self._is_given and len(self.proofs) == len(Order)

    def _parsed(self, text: str) -> datetime:
        clean = " ".join(text.split())  # some programs put no common space before AM and PM
        local = None
        zone = self._zone
        try:
            if match := _NUMERIC.fullmatch(clean):
                local = self._numeric(clean, match)
            elif match := _YEAR_FIRST.fullmatch(clean):
                local = _at(match, int(match["month"]), int(match["day"]))
            elif match := _NAMED.fullmatch(clean):
                month = (match["name"] or match["name2"])[:3].lower()
                local = _at(match, _MONTHS.index(month) + 1, int(match["day"] or match["day2"]))
            elif _SERIAL.fullmatch(clean):
                local = self._serials_from + timedelta(seconds=round(float(clean) * 86_400))
            if match and match["zone"]:
                zone = _offset(match["zone"])
        except ValueError:  # no such day, hour, month or offset
            local = None
        if local is None or local.year not in YEARS:
            raise Bad(f"“{shown(text)}” is not a time; write it like 2016-02-29 01:16 or 29/2/2016 01:16.")
        return local if zone is UTC else local.replace(tzinfo=zone).astimezone(UTC)

    def _numeric(self, text: str, match: re.Match[str]) -> datetime:
        """The day of `a/b/year` in the order of the file; what fits one order only proves it."""
        if len(match["year"]) == 2 and not self._is_given:  # 16/3/2 may have the year first as well
            raise Bad(f"“{shown(text)}” has a year of two digits; write four, or say --date-order dmy or mdy.")
        a, b = int(match["a"]), int(match["b"])
        if a <= 12 and b <= 12:
            if a != b and not self.undecided:
                self.undecided = text
            return _at(match, b, a) if self.order is Order.DAY_FIRST else _at(match, a, b)
        order = Order.DAY_FIRST if a > 12 else Order.MONTH_FIRST
        if self._is_given and order is not self.order:
            raise ValueError
        moment = _at(match, b, a) if a > b else _at(match, a, b)
        self.proofs.setdefault(order, text)
        return moment


def looks_like_moment(text: str) -> bool:
    """Whether a text is written like a moment, in whatever order."""
    clean = " ".join(text.split())
    return any(form.fullmatch(clean) for form in (_NUMERIC, _YEAR_FIRST, _NAMED, _SERIAL))


def _at(match: re.Match[str], month: int, day: int) -> datetime:
    """The moment that the match names, were its zone UTC. Raises ValueError where there is no such moment."""
    year, hour, minute, second, half = match.group("year", "hour", "minute", "second", "half")
    if len(year) == 2:
        year = f"{20 if year < '70' else 19}{year}"
    its_hour = int(hour or 0)
    if half:
        if not 1 <= its_hour <= 12:
            raise ValueError
        its_hour = its_hour % 12 + (12 if half in "pP" else 0)
    return datetime(int(year), month, day, its_hour, int(minute or 0), int(second or 0), tzinfo=UTC)


def _offset(zone: str) -> tzinfo:
    if zone[0] not in "+-":
        return UTC
    digits = zone[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if zone[0] == "-" else offset)
