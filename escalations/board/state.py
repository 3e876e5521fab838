"""What the live board shows, read for everybody at once (W4): the same figures for each who may see it.

Counts are capped and each reads an index of the open cases only; what they cost does not grow with the past. A screen
asks every few seconds, so the whole is kept for as long: ten screens cost one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import cache
from django.urls import reverse

from cases.engine.watch import looks
from cases.enums import Severity
from cases.models import Case
from cases.models.case import load_people
from cases.my_desk.centres import CappedCount, CentresNow, centres_now
from cases.my_desk.state import READ, TONIGHT_NAMED, tonight_of
from cases.roster import language_of_service
from cases.work_items import upcoming_of
from contacts.calendars import JAPANESE_SUPPORT
from contacts.enums import Language
from contacts.models import Company, Contact, User
from escalations.board.figures import BY_AGE, PRESSING, BoardFigure, points
from escalations.handover.state import load_crews
from escalations.policy.board import AGES, DAY, Stretch, uncovered

#: A figure counts no further; “500+” says that there are more.
COUNTED = 500
#: So many figures are counted by one statement.
AT_ONCE = 8
#: For how long figures are kept, and what changes slowly.
KEPT, KEPT_LONG = timedelta(seconds=4), timedelta(seconds=60)
#: What the figures rest on: while one of these stands still, they are not complete (W5).
RESTS_ON = ("promises", "escalate", "follow-up", "hand-over")


@dataclass(frozen=True)
class Count:
    """A figure with how many cases it has, no more than `COUNTED` + 1."""

    key: str
    title: str
    number: int

    @property
    def text(self) -> str:
        """“12”, “500+”."""
        return f"{COUNTED}+" if self.number > COUNTED else str(self.number)

    @property
    def url(self) -> str:
        """The page of exactly its cases."""
        return reverse("admin:board_cases", args=[self.key])


@dataclass(frozen=True)
class Coming:
    """Something that happens by itself tonight."""

    at: datetime
    number: str
    title: str
    company: str
    severity: str
    what: str
    url: str


@dataclass(frozen=True)
class StandingStill:
    """A job of the engine that stands still, and since when (W5)."""

    name: str
    since: datetime | None


@dataclass(frozen=True)
class LiveBoard:
    """The whole desk at a moment."""

    now: datetime
    counts: dict[str, Count]
    by_age: list[tuple[str, str, list[Count]]]  # severity, its name, a count of each age
    points: list[tuple[str, str, list[tuple[int, Count]]]]
    centres: CentresNow
    standing: tuple[StandingStill, ...]
    uncovered: list[tuple[str, list[Stretch]]]
    tonight: list[Coming]
    tonight_more: int

    @property
    def ages(self) -> list[str]:
        return [age.label for age in AGES]


def board_of(now: datetime, reader: User) -> LiveBoard:
    """The board, as it was at most a few seconds ago; a fixed number of queries, none while it is kept."""
    board: LiveBoard | None = cache.get("board")
    if board is None or not board.now <= now < board.now + KEPT:
        board = load_board(now, reader)
        cache.set("board", board, KEPT.total_seconds())
    return board


def load_board(now: datetime, reader: User) -> LiveBoard:
    """The board at `now` (UTC). What is counted is the same for whoever may see it; `reader` is any of them."""
    of_points = points()
    counts = count([*PRESSING, *BY_AGE.values(), *of_points.values()], now, reader)
    by_age = [
        (severity.value, severity.label, [counts[BY_AGE[severity, age].key] for age in AGES]) for severity in Severity
    ]
    reached = [
        (
            severity.value,
            severity.label,
            [(number, counts[figure.key]) for (of, number), figure in of_points.items() if of == severity],
        )
        for severity in Severity
    ]
    gaps, tonight, more = _slow(now)
    return LiveBoard(
        now,
        counts,
        by_age,
        [row for row in reached if row[2]],
        centres_now(now),
        tuple(StandingStill(one.name, one.last_at) for one in looks(now) if one.name in RESTS_ON and one.is_late),
        gaps,
        tonight,
        more,
    )


def count(figures: Sequence[BoardFigure], now: datetime, reader: User) -> dict[str, Count]:
    """How many cases each figure has; a statement for a few figures at a time."""
    found: dict[str, Count] = {}
    row = User.objects.filter(pk=reader.pk).order_by()  # one row, which is there
    for at in range(0, len(figures), AT_ONCE):
        some = figures[at : at + AT_ONCE]
        numbers = row.values_list(*(CappedCount(one.cases(now).values("pk")[: COUNTED + 1]) for one in some)).get()
        found |= {one.key: Count(one.key, one.title, number) for one, number in zip(some, numbers, strict=True)}
    return found


# --- what changes slowly ----------------------------------------------------------------------------------------

Slow = tuple[list[tuple[str, list[Stretch]]], list[Coming], int]


def _slow(now: datetime) -> Slow:
    """Languages that nobody covers within a day, and what happens by itself tonight."""
    kept: tuple[datetime, Slow] | None = cache.get("board-slow")
    if kept is not None and kept[0] <= now < kept[0] + KEPT_LONG:
        return kept[1]
    slow = (languages_uncovered(now), *_tonight(now))
    cache.set("board-slow", (now, slow), KEPT_LONG.total_seconds())
    return slow


def languages_uncovered(now: datetime) -> list[tuple[str, list[Stretch]]]:
    """When in the next 24 hours a language of customers is spoken by nobody on duty where it is day (D1, D2)."""
    crews = load_crews()
    on_holidays = any(crew.centre.country == "JP" and crew.centre.open_on_holidays for crew in crews.values())
    companies = Company.objects.filter(active=True).order_by().values_list("language", flat=True)
    contacts = Contact.objects.filter(active=True).exclude(language="").order_by().values_list("language", flat=True)
    languages = {*companies.distinct(), *contacts.distinct()}
    today = JAPANESE_SUPPORT.calendar.local_date(now)
    edges = [edge for span in JAPANESE_SUPPORT.open_times(today - DAY, today + DAY) for edge in (span.start, span.end)]

    def needed_at(moment: datetime) -> Iterable[str]:
        return {language_of_service(language, moment, on_holidays) for language in languages}

    found = uncovered(needed_at, [crew.crew for crew in crews.values()], now, now + DAY, edges)
    return [(Language(language).label, stretches) for language, stretches in found.items()]


def _tonight(now: datetime) -> tuple[list[Coming], int]:
    """What the desk does by itself on the cases with the soonest deadlines, and how much more there is of it."""
    cases = list(Case.objects.open().soonest_first()[:READ])
    load_people(cases)
    coming = tonight_of(upcoming_of(cases, now).values(), now)
    lines = [
        Coming(
            one.at,
            one.case.number,
            one.case.title,
            str(one.case.company),
            one.case.severity,
            one.what,
            one.case.get_absolute_url(),
        )
        for one in coming[:TONIGHT_NAMED]
    ]
    return lines, len(coming) - len(lines)
