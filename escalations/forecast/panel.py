"""“If nobody touches this case”: the coming seven days on the case's page, day by day in the reader's zone.

Repeated events (the desk's updates, reminders) are one line a day, and days that are alike are one entry. Writes
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from django.conf import settings
from django.utils import timezone

from cases.models import Case
from cases.panels import Panel, PanelLine, panel
from contacts.models import User
from contacts.wording import duration, short_day
from escalations.forecast.simulate import Event, Forecast, ForecastRecipient, Kind, forecast_of
from escalations.sla.state import load_sla_state

#: How many times of a repeated event its line shows; all of them stand below it.
TIMES_SHOWN = 3

ICONS = {
    Kind.POINT: "trending_up",
    Kind.RECORDED: "history",
    Kind.OWNER: "swap_horiz",
    Kind.ASKED: "contact_support",
    Kind.INHERITED: "contact_support",
    Kind.NOTICE: "mail",
    Kind.STAFF_TOLD: "call",
    Kind.HELD_UP: "front_hand",
    Kind.CLOSED: "lock",
    Kind.REMINDER: "notifications",
    Kind.UPDATE: "outgoing_mail",
    Kind.MISSED: "error",
    Kind.TURN: "turn_right",
    Kind.RESPONSE: "phone_missed",
    Kind.SILENCE: "volume_off",
    Kind.QUESTION: "help",
    Kind.WORD: "mark_email_unread",
    Kind.PASSED_ON: "forward",
}
_BAD = frozenset({Kind.MISSED, Kind.RESPONSE, Kind.SILENCE, Kind.QUESTION, Kind.WORD, Kind.HELD_UP})
_SOON = frozenset({Kind.POINT, Kind.OWNER, Kind.CLOSED, Kind.PASSED_ON})
#: The texts of these name the people already.
_NAMES_PEOPLE = frozenset({Kind.OWNER, Kind.ASKED, Kind.INHERITED, Kind.REMINDER})


@dataclass(frozen=True)
class ForecastLine:
    """One event, or the same event several times; all moments in the reader's zone."""

    event: Event
    times: tuple[datetime, ...]

    @property
    def icon(self) -> str:
        return ICONS[self.event.kind]

    @property
    def tone(self) -> str:
        """“bad” for what should not come to pass, “soon” for a step of the schedule or the plan."""
        return "bad" if self.event.kind in _BAD else "soon" if self.event.kind in _SOON else ""

    @property
    def at(self) -> datetime:
        return self.times[0]

    @property
    def is_repeated(self) -> bool:
        return len(self.times) > 1

    @property
    def first_times(self) -> Sequence[datetime]:
        """The times in the line itself, those within a minute once."""
        return list(dict.fromkeys(at.replace(second=0, microsecond=0) for at in self.times))[:TIMES_SHOWN]

    @property
    def what(self) -> str:
        """What happens; reminders of different updates are one line."""
        if not self.is_repeated:
            return self.event.what
        if self.event.kind == Kind.REMINDER:
            return "Reminders of these updates"
        every = f" every {duration(self.event.every)}" if self.event.every else ""
        return f"{self.event.what}{every}"

    @property
    def why(self) -> str:
        """The reason; of several reminders the one they share."""
        if self.is_repeated and self.event.kind == Kind.REMINDER:
            return "an update is owed soon"
        return self.event.why

    @property
    def shown(self) -> Sequence[ForecastRecipient]:
        """The people whom the line names besides its text, which names some kinds' people already."""
        stood_in = any(recipient.meant_for for recipient in self.event.people)
        is_named = self.event.kind in _NAMES_PEOPLE and not stood_in and not self.is_repeated
        return () if is_named else self.event.people


@dataclass(frozen=True)
class ForecastDays:
    """A day, or several that are alike."""

    first: date
    last: date
    heading: str
    lines: tuple[ForecastLine, ...]


def _forecast_line(case: Case, user: User, now: datetime) -> PanelLine:
    return PanelLine("If nobody touches it", "the next seven days" if case.is_open else "nothing happens by itself")


@panel(place=40, slug="forecast", line=_forecast_line)
def forecast_panel(case: Case, user: User, now: datetime) -> Panel:
    """What happens by itself in the next seven days, with the people who would be written to."""
    forecast = forecast_of(case, now, load_sla_state(case))
    return Panel(
        "admin/escalations/forecast_panel.html",
        {
            "days": list(days_of(forecast)),
            "warnings": forecast.warnings,
            "until": forecast.until,
            "reopen_until": _reopen_until(case, now),
        },
    )


def _reopen_until(case: Case, now: datetime) -> datetime | None:
    """Until when a resolved case can be reopened (C4); None for one that is open, or was resolved too long ago."""
    if case.is_open or case.resolved_at is None:
        return None
    until = case.resolved_at + timedelta(days=settings.DESK_REOPEN_WITHIN_DAYS)
    return until if until >= now else None


def days_of(forecast: Forecast) -> list[ForecastDays]:
    """The events by the reader's day, days that are alike put together."""
    local = [(timezone.localtime(event.at), event) for event in forecast.events]
    today = timezone.localtime(forecast.now).date()
    found: list[ForecastDays] = []
    for day, events in groupby(local, key=lambda timed: timed[0].date()):
        lines = _condensed(events)
        if found and _is_like(found[-1], day, lines):
            found.append(_joined(found.pop(), day, lines, today))
        else:
            found.append(ForecastDays(day, day, _heading(day, day, today), lines))
    return found


def _condensed(events: Iterable[tuple[datetime, Event]]) -> tuple[ForecastLine, ...]:
    """The events of a day; what happens more than once is one line."""
    lines: dict[tuple[object, ...], ForecastLine] = {}
    for at, event in events:
        first = lines.get(_key(event))
        lines[_key(event)] = ForecastLine(first.event, (*first.times, at)) if first else ForecastLine(event, (at,))
    return tuple(sorted(lines.values(), key=lambda line: line.at))


def _key(event: Event) -> tuple[object, ...]:
    """What two events have in common that differ only in time."""
    people = tuple((recipient.address, recipient.meant_for) for recipient in event.people)
    return (event.kind, people) if event.kind == Kind.REMINDER else (event.kind, event.what, event.every, people)


def _is_like(before: ForecastDays, day: date, lines: Iterable[ForecastLine]) -> bool:
    """Whether a day is like the one before: nothing but the same repeated events, and what comes once a day."""
    alike = {_key(line.event) for line in before.lines} == {_key(line.event) for line in lines}
    repeated = all(line.is_repeated or line.event.kind == Kind.SILENCE for line in (*before.lines, *lines))
    return alike and repeated and day - before.last == timedelta(days=1)


def _joined(before: ForecastDays, day: date, lines: Iterable[ForecastLine], today: date) -> ForecastDays:
    more = {_key(line.event): line.times for line in lines}
    both = tuple(ForecastLine(line.event, line.times + more[_key(line.event)]) for line in before.lines)
    return ForecastDays(before.first, day, _heading(before.first, day, today), both)


def _heading(first: date, last: date, today: date) -> str:
    if first != last:
        return f"{short_day(first)} to {short_day(last)}"
    names = {today: "Today, ", today + timedelta(days=1): "Tomorrow, "}
    return f"{names.get(first, '')}{short_day(first)}"
