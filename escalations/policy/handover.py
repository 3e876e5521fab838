"""Which cases a centre hands over at the end of its day, to which centre, and how one says in a line where they stand
(W3). Pure; all moments UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contacts.calendars import OpeningHours
from contacts.wording import MomentFormatter, at_moment

#: What nobody has accepted so long after it was handed over is the Support Manager's (W3).
ACCEPT_WITHIN = timedelta(minutes=30)
#: A shorter break, such as one at noon, ends no day.
BREAK = timedelta(hours=3)
#: How long the end of a day waits for sweeps that have a case of it to look at: until then its deadline is not known.
PATIENCE = timedelta(minutes=5)
#: The days around a moment that are looked at: longer than any row of holidays.
_BEFORE, _AFTER = timedelta(days=10), timedelta(days=24)
#: Characters of the last word that fit into a line.
QUOTED = 120


@dataclass(frozen=True)
class EndingDay:
    """The working day of a centre that ends soon or has ended: when it does, and when the next one begins, if ever."""

    ends_at: datetime
    back_at: datetime | None

    def is_over(self, now: datetime) -> bool:
        return now >= self.ends_at

    def leaves(self, next_due_at: datetime | None) -> bool:
        """Whether the next deadline falls after this day and before the centre works again: somebody else has to meet
        it. What is due later, the centre covers itself.
        """
        return next_due_at is not None and next_due_at > self.ends_at and self._before_return(next_due_at)

    def leaves_undone(self, next_due_at: datetime | None) -> bool:
        """As `leaves` once the day is over: what was due within it and was not done has to be met by others as well."""
        return next_due_at is not None and self._before_return(next_due_at)

    def _before_return(self, moment: datetime) -> bool:
        return self.back_at is None or moment <= self.back_at


def ending_day(hours: OpeningHours, now: datetime, before: timedelta) -> EndingDay | None:
    """The day that a centre hands over at `now`: the present one from `before` its end on, else the last one.

    None while the day goes on, for a centre that never closes, and for one that has not been open for ten days.
    """
    days = list(_days_around(hours, now))
    begun = [place for place, (start, _) in enumerate(days) if start <= now]
    if not begun:
        return None
    ends_at = days[begun[-1]][1]
    if now < ends_at - before or ends_at > now + _AFTER / 2:
        return None
    return EndingDay(ends_at, _start_after(days, begun[-1]))


def day_cut_short(hours: OpeningHours, now: datetime) -> EndingDay:
    """The day of somebody who leaves at `now`: they are back when their centre begins its next one."""
    days = list(_days_around(hours, now))
    following = next((place for place, (start, _) in enumerate(days) if start > now), None)
    return EndingDay(now, days[following][0] if following is not None else None)


def _days_around(hours: OpeningHours, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The working days around a moment, with the breaks in them."""
    first = hours.calendar.local_date(now - _BEFORE)
    current: tuple[datetime, datetime] | None = None
    for span in hours.open_times(first, hours.calendar.local_date(now + _AFTER)):
        if current is None:
            current = (span.start, span.end)
        elif span.start - current[1] < BREAK:
            current = (current[0], max(current[1], span.end))
        else:
            yield current
            current = (span.start, span.end)
    if current is not None:
        yield current


def _start_after(days: Sequence[tuple[datetime, datetime]], place: int) -> datetime | None:
    return days[place + 1][0] if place + 1 < len(days) else None


# --- to whom ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Crew:
    """A centre that may cover: its hours, and the languages of each person who is on duty there."""

    centre: int
    hours: OpeningHours
    languages: tuple[frozenset[str], ...] = ()


@dataclass(frozen=True)
class Cover:
    """The centre that covers, and from when on."""

    centre: int
    since: datetime


def covering_centre(crews: Sequence[Crew], at: datetime, needed: Mapping[str, int]) -> Cover | None:
    """Which of these centres takes what is handed over at `at`; `needed` says how many cases want which language.

    One that is open: with somebody on duty, in its business day, who speaks the language of the most cases, open for
    the longest, the lowest key. With none open, the first one that opens. None if there is none at all.
    """
    is_open = [crew for crew in crews if crew.hours.is_open(at)]
    if is_open:
        return Cover(min(is_open, key=lambda crew: _rank(crew, at, needed)).centre, at)
    opening = [(opens, crew.centre) for crew in crews if (opens := crew.hours.next_opening(at)) is not None]
    if not opening:
        return None
    since, centre = min(opening)
    return Cover(centre, since)


def _rank(crew: Crew, at: datetime, needed: Mapping[str, int]) -> tuple[bool, bool, int, float, int]:
    spoken = frozenset[str]().union(*crew.languages)
    understood = sum(count for language, count in needed.items() if language in spoken)
    closes = crew.hours.closes_at(at)
    open_for = (closes - at).total_seconds() if closes is not None else float("inf")
    return not crew.languages, not crew.hours.in_business_day(at), -understood, -open_for, crew.centre


def accept_by(cover: Cover | None, handed_over_at: datetime, first_due_at: datetime | None, has_crew: bool) -> datetime:
    """Until when a sheet has to be accepted; from then on it is the Support Manager's (W3).

    At once, where nobody covers: no centre, nobody on duty there, or not before something is due.
    """
    if cover is None or (cover.since <= handed_over_at and not has_crew):
        return handed_over_at
    if cover.since > handed_over_at and first_due_at is not None and first_due_at < cover.since:
        return handed_over_at
    return max(handed_over_at, cover.since) + ACCEPT_WITHIN


# --- where it stands --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LastWord:
    """The newest contact with the customer."""

    from_customer: bool
    who: str
    how: str  # “by phone”
    at: datetime
    words: str


@dataclass(frozen=True)
class Standing:
    """What a line is made of: status, last word, what the case waits for, escalation."""

    status: str
    last_word: LastWord | None = None
    waits_for: str = ""  # the question that the customer has not answered
    waits_since: datetime | None = None
    point: str = ""  # the highest point that was carried out, “High 1”
    next_point: str = ""
    next_point_at: datetime | None = None


def where_it_stands(standing: Standing, show: MomentFormatter) -> str:
    """“In Progress. Ana Ruiz wrote by email at 14:05: “It stopped again.” High 1 done, High 2 comes at 20:46.”"""
    return " ".join(filter(None, (_status(standing, show), _last_word(standing, show), _escalation(standing, show))))


def _status(standing: Standing, show: MomentFormatter) -> str:
    if standing.waits_since is None:
        return f"{standing.status}."
    asked = f": “{_quoted(standing.waits_for)}”" if standing.waits_for.strip() else "."
    return f"Waits for the customer since {show(standing.waits_since)}{asked}"


def _last_word(standing: Standing, show: MomentFormatter) -> str:
    word = standing.last_word
    if word is None:
        return "Nobody has spoken with the customer yet."
    if (
        standing.waits_since is not None
        and not word.from_customer
        and _quoted(word.words) == _quoted(standing.waits_for)
    ):
        return ""  # the question, which stands there already
    spoke = "turned to us" if word.from_customer else "turned to the customer"
    said = f": “{_quoted(word.words)}”" if word.words.strip() else "."
    return f"{word.who} {spoke} {word.how} {at_moment(word.at, show)}{said}"


def _escalation(standing: Standing, show: MomentFormatter) -> str:
    parts = [f"{standing.point} done"] if standing.point else []
    if standing.next_point and standing.next_point_at is not None:
        parts.append(f"{standing.next_point} comes {at_moment(standing.next_point_at, show)}")
    return f"{', '.join(parts)}." if parts else ""


def _quoted(words: str) -> str:
    """The words in one line, cut at a word."""
    line = " ".join(words.split())
    if len(line) <= QUOTED:
        return line
    cut = line[:QUOTED].rsplit(" ", 1)[0] if " " in line[:QUOTED] else line[:QUOTED]
    return f"{cut} …"
