"""“If nobody touches this case”: the coming seven days on the case's page, day by day in the reader's zone.

What comes again and again (the desk's updates, reminders) is one line a day, and days that are alike are one entry.
Nothing is written; the page shows the case to those who may read it only (A1), so this does too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from django.conf import settings
from django.utils import timezone

from cases.models import Case
from cases.panels import Panel, panel
from contacts.models import User
from contacts.wording import duration, short_day
from escalations.forecast.simulate import Event, Forecast, Kind, Told, forecast_of
from escalations.sla.state import load_sla_state

#: From so many on, the same thing on one day is one line.
REPEATED = 2
#: So many of its times are told in the line; all of them when it is opened.
TIMES_SHOWN = 3

ICONS = {
    Kind.POINT: "trending_up",
    Kind.RECORDED: "history",
    Kind.OWNER: "swap_horiz",
    Kind.ASKED: "contact_support",
    Kind.INHERITED: "contact_support",
    Kind.NOTICE: "mail",
    Kind.OWNER_TOLD: "call",
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
#: Its words name the people already.
_NAMES_ITSELF = frozenset({Kind.OWNER, Kind.ASKED, Kind.INHERITED, Kind.REMINDER})


@dataclass(frozen=True)
class NamedRecipient:
    """Somebody whom a line names; `instead_of` in short, if they stand in for an empty role (D5)."""

    told: Told

    @property
    def name(self) -> str:
        """What they are called."""
        return self.told.name or self.told.address

    @property
    def instead_of(self) -> str:
        """“Account manager of Acme” of “Account manager of Acme (nobody)”."""
        return (
            ", ".join(part.partition(" (")[0] for part in self.told.meant_for.split("), "))
            if self.told.meant_for
            else ""
        )


@dataclass(frozen=True)
class ForecastLine:
    """One thing that happens, or the same thing several times; all moments in the reader's zone."""

    event: Event
    times: tuple[datetime, ...]

    @property
    def icon(self) -> str:
        """Its picture; the words say it all."""
        return ICONS[self.event.kind]

    @property
    def tone(self) -> str:
        """“bad” for what should not come to pass, “soon” for a step of the schedule or the plan."""
        return "bad" if self.event.kind in _BAD else "soon" if self.event.kind in _SOON else ""

    @property
    def at(self) -> datetime:
        """Its first moment."""
        return self.times[0]

    @property
    def is_repeated(self) -> bool:
        """Whether it stands for several."""
        return len(self.times) > 1

    @property
    def first_times(self) -> Sequence[datetime]:
        """The times that are told in the line, those within a minute once."""
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
    def shown(self) -> Sequence[NamedRecipient]:
        """The people whom the line names besides what it says."""
        named = self.event.kind in _NAMES_ITSELF and not self.stood_in and not self.is_repeated
        return () if named else [NamedRecipient(one) for one in self.event.people]

    @property
    def stood_in(self) -> bool:
        """Whether somebody gets it in another's place (D5)."""
        return any(one.meant_for for one in self.event.people)


@dataclass(frozen=True)
class ForecastDays:
    """A day, or several that are alike."""

    first: date
    last: date
    heading: str
    lines: tuple[ForecastLine, ...]


@panel(place=40)
def forecast_panel(case: Case, user: User, now: datetime) -> Panel:
    """What happens by itself in the next seven days, with the people who would really be written to."""
    forecast = forecast_of(case, now, load_sla_state(case))
    return Panel(
        "If nobody touches this case",
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
    """The events by the reader's day, those that are alike put together."""
    local = [(timezone.localtime(event.at), event) for event in forecast.events]
    today = timezone.localtime(forecast.now).date()
    days = [
        (day, _condensed([(at, event) for at, event in its]))
        for day, its in groupby(local, key=lambda one: one[0].date())
    ]
    found: list[ForecastDays] = []
    for day, lines in days:
        if found and _goes_on(found[-1], day, lines):
            last = found.pop()
            found.append(_joined(last, day, lines, today))
        else:
            found.append(ForecastDays(day, day, _heading(day, day, today), lines))
    return found


def _condensed(events: Sequence[tuple[datetime, Event]]) -> tuple[ForecastLine, ...]:
    groups: dict[tuple[object, ...], list[tuple[datetime, Event]]] = {}
    for at, event in events:
        groups.setdefault(_same(event), []).append((at, event))
    lines: list[ForecastLine] = []
    for its in groups.values():
        if len(its) >= REPEATED:
            lines.append(ForecastLine(its[0][1], tuple(at for at, _ in its)))
        else:
            lines += [ForecastLine(event, (at,)) for at, event in its]
    return tuple(sorted(lines, key=lambda line: line.at))


def _same(event: Event) -> tuple[object, ...]:
    """What makes two events the same thing at another time."""
    people = tuple((one.address, one.meant_for) for one in event.people)
    return (event.kind, people) if event.kind == Kind.REMINDER else (event.kind, event.what, event.every, people)


def _goes_on(before: ForecastDays, day: date, lines: Iterable[ForecastLine]) -> bool:
    """Whether a day is like the one before: nothing but the same repeated things, and what comes once a day."""
    alike = {_same(line.event) for line in before.lines} == {_same(line.event) for line in lines}
    repeated = all(line.is_repeated or line.event.kind == Kind.SILENCE for line in (*before.lines, *lines))
    return alike and repeated and day - before.last == timedelta(days=1)


def _joined(before: ForecastDays, day: date, lines: Iterable[ForecastLine], today: date) -> ForecastDays:
    more = {_same(line.event): line.times for line in lines}
    both = tuple(ForecastLine(line.event, line.times + more[_same(line.event)]) for line in before.lines)
    return ForecastDays(before.first, day, _heading(before.first, day, today), both)


def _heading(first: date, last: date, today: date) -> str:
    if first != last:
        return f"{short_day(first)} to {short_day(last)}"
    names = {today: "Today, ", today + timedelta(days=1): "Tomorrow, "}
    return f"{names.get(first, '')}{short_day(first)}"
