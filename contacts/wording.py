"""How durations, moments, days and lists of names are written for people. Pure; a day of a duration has 24 hours."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from contacts.calendars import WEEKDAYS, UnknownCalendar, in_utc, time_zone_problem

# Written out, because strftime's names follow the locale of the process.
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)

#: How days, hours and minutes are written after their number, and what stands between them.
_WRITTEN = {"en": (" d", " h", " min", " "), "ja": ("日", "時間", "分", "")}
_WEEKDAYS_IN_JAPANESE = "月火水木金土日"

_UNITS = {"d": DAY, "h": HOUR, "min": MINUTE}
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


def duration(
    length: timedelta,
    *,
    days_from: timedelta = timedelta(hours=48),
    units: int = 3,
    under_a_minute: str = "0 min",
    language: str = "en",
) -> str:
    """A length of time to the minute: “5 h 12 min”, “36 h”, “2 d 12 h”; in Japanese “5時間12分”.

    Days are used from `days_from` on; only the first `units` of d, h and min that are not zero are named.
    """
    minutes = abs(length) // MINUTE
    days, minutes = divmod(minutes, 24 * 60) if minutes * MINUTE >= days_from else (0, minutes)
    hours, minutes = divmod(minutes, 60)
    *written, between = _WRITTEN[language]
    parts = [f"{amount}{unit}" for amount, unit in zip((days, hours, minutes), written, strict=True) if amount]
    return between.join(parts[:units]) or under_a_minute


def rough_duration(length: timedelta) -> str:
    """The two largest units: “2 h 45 min”, “3 d 4 h”, “under a minute”; for delays and outages."""
    return duration(length, days_from=DAY, units=2, under_a_minute="under a minute")


def distance(length: timedelta) -> str:
    """How far away a moment is: “2 h 5 min”, “3 d 4 h”, from ten days on “12 d”; “now” under a minute."""
    exact = DAY if abs(length) >= 10 * DAY else HOUR if abs(length) >= DAY else MINUTE
    return duration(abs(length) // exact * exact, days_from=DAY, under_a_minute="now")


def distance_from(moment: datetime, now: datetime) -> str:
    """“in 2 h”, “3 d ago”, “now”."""
    away = distance(moment - now)
    if away == "now":
        return away
    return f"in {away}" if moment > now else f"{away} ago"


def and_list(names: Iterable[str]) -> str:
    """“High 1, High 2 and High 3”; "" for none."""
    *first, last = [*names] or [""]
    return f"{', '.join(first)} and {last}" if first else last


def sentence(parts: Sequence[str], separator: str = "; ") -> str:
    """The parts as one sentence, with a capital letter and a full stop."""
    whole = separator.join(parts)
    return f"{whole[0].upper()}{whole[1:]}."


def day_and_month(day: date) -> str:
    """“Wed 3 June”."""
    return f"{WEEKDAYS[day.weekday()][:3]} {day.day} {MONTHS[day.month - 1]}"


def full_day(day: date) -> str:
    """“Wed 3 June 2026”."""
    return f"{day_and_month(day)} {day.year}"


def short_day(day: date) -> str:
    """“Wed 3 Jun”."""
    return f"{WEEKDAYS[day.weekday()][:3]} {day.day} {MONTHS[day.month - 1][:3]}"


def day_and_time(local: datetime, today: date) -> str:
    """“Wed 3 Jun, 14:00”, with the year where it is not this one. Both are given in the reader's zone."""
    year = f" {local.year}" if local.year != today.year else ""
    return f"{short_day(local)}{year}, {local:%H:%M}"


#: Writes a moment for one reader.
MomentFormatter = Callable[[datetime], str]


def moment_formatter(now: datetime, zone: tzinfo) -> MomentFormatter:
    """Writes moments for a reader in `zone` at `now`: “14:00” today, “Tue 2 Jun, 14:00” on another day."""
    today = now.astimezone(zone).date()

    def show(moment: datetime) -> str:
        local = moment.astimezone(zone)
        return f"{local:%H:%M}" if local.date() == today else day_and_time(local, today)

    return show


def at_moment(moment: datetime, show: MomentFormatter) -> str:
    """“at 14:00”, “on Tue 2 Jun, 14:00”."""
    shown = show(moment)
    return f"on {shown}" if "," in shown else f"at {shown}"


def in_zone(moment: datetime, time_zone: str, language: str = "en") -> str:
    """The moment as its reader's calendar and clock show it (M4): “Wed 3 June 2026, 10:00 (Tokyo, UTC+09:00)”.

    In Japanese “2026年6月3日（水）10:00（日本時間）”, and of another place than Japan “（Berlin、UTC+02:00）”.

    Raises UnknownCalendar for an unknown time zone, ValueError for a naive moment.
    """
    problem = time_zone_problem(time_zone)
    if problem:
        raise UnknownCalendar(problem)
    local = in_utc(moment).astimezone(ZoneInfo(time_zone))
    where = [name for name in (_place_name(time_zone), _offset(local)) if name]
    if language == "ja":
        zone = "日本時間" if time_zone in ("Asia/Tokyo", "Japan") else "、".join(where)
        weekday = _WEEKDAYS_IN_JAPANESE[local.weekday()]
        return f"{local.year}年{local.month}月{local.day}日（{weekday}）{local:%H:%M}（{zone}）"
    zone = ", ".join(where)
    return f"{day_and_month(local)} {local.year}, {local:%H:%M} ({zone})"


def stamp(moment: datetime, zone: tzinfo = UTC) -> str:
    """The moment in a zone that it names: “2026-06-03 14:00 CEST”, “2026-06-03 16:00 UTC+04:00”.

    Raises ValueError for a naive moment.
    """
    local = in_utc(moment).astimezone(zone)
    name = local.tzname() or ""
    return f"{local:%Y-%m-%d %H:%M} {name if name.isalpha() else _offset(local)}"


def utc_stamp(moment: datetime, *, seconds: bool = False) -> str:
    """“2026-06-03 12:00” in UTC, for texts that name the zone themselves. Raises ValueError for a naive moment."""
    return f"{in_utc(moment):%Y-%m-%d %H:%M:%S}" if seconds else f"{in_utc(moment):%Y-%m-%d %H:%M}"


def _place_name(time_zone: str) -> str:
    """The city in a zone's name; none for a zone named after an offset (UTC; Etc/GMT+5 is UTC-05:00)."""
    if time_zone.startswith("Etc/") or time_zone.isupper():
        return ""
    return time_zone.rpartition("/")[2].replace("_", " ")


def _offset(local: datetime) -> str:
    """“UTC+09:00”."""
    offset = f"{local:%z}"
    return f"UTC{offset[:3]}:{offset[3:5]}"
