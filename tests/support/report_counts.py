"""The figures of reports counted by hand: case by case, out of the history and the ledgers, in plain Python.

It reads neither the views nor the columns that were made for reports, and knows nothing of how they are queried.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from cases.enums import Direction
from cases.models import Case, Interaction
from contacts.models import Technician
from escalations.models import Escalation, SlaTarget

ZERO = timedelta(0)
AGES = [(0, 1), (1, 3), (3, 7), (7, 30), (30, 10**6)]


@dataclass
class Life:
    """One case, as its rows tell it."""

    case: Case
    centre: int | None
    past: list[tuple[datetime, str]]
    contacts: list[Interaction]
    promises: list[SlaTarget]
    points: list[Escalation]

    @property
    def start(self) -> datetime:
        return self.case.called_at or self.case.opened_at

    @property
    def answered_at(self) -> datetime | None:
        return min((one.told_at for one in self.contacts if one.tells_customer), default=None)

    @property
    def resolved_at(self) -> datetime | None:
        """Since when it is resolved; None if it is open."""
        since = None
        for at, status in self.past:
            since = (since or at) if status == "resolved" else None
        return since

    @property
    def reopened_at(self) -> list[datetime]:
        pairs = zip(self.past, self.past[1:], strict=False)
        return [at for (_, before), (at, after) in pairs if before == "resolved" and after != "resolved"]

    @property
    def waited(self) -> int:
        pairs = zip(self.past, self.past[1:], strict=False)
        waits = [(at, until) for (at, status), (until, _) in pairs if status == "customer_update_required"]
        return sum(seconds(at, until) for at, until in waits)

    def is_open(self, at: datetime) -> bool:
        """Just before that moment."""
        statuses = [status for when, status in self.past if when < at]
        return bool(statuses) and statuses[-1] != "resolved"


def seconds(start: datetime, end: datetime) -> int:
    return int(end.timestamp()) - int(start.timestamp())


def read_lives() -> list[Life]:
    """Every case, a query for each of its ledgers."""
    centres = dict(Technician.objects.values_list("user_id", "centre_id"))
    return [
        Life(
            case,
            centres.get(case.owner_id),
            list(case.history.order_by("history_date", "history_id").values_list("history_date", "status")),
            list(case.interactions.all()),
            list(SlaTarget.objects.filter(case=case)),
            list(Escalation.objects.filter(case=case, carried_out=True)),
        )
        for case in Case.objects.order_by("pk")
    ]


@dataclass(frozen=True)
class Asked:
    """What a figure is about: days there, and which cases."""

    first: date
    last: date
    zone: str
    company: int | None = None
    centre: int | None = None
    owner: int | None = None
    severity: str = ""

    def covers(self, at: datetime | None) -> bool:
        return at is not None and self.first <= at.astimezone(ZoneInfo(self.zone)).date() <= self.last

    def is_about(self, life: Life) -> bool:
        wanted = [
            (self.company, life.case.company_id),
            (self.owner, life.case.owner_id or 0),
            (self.centre, life.centre or 0),
            (self.severity or None, life.case.severity),
        ]
        return all(asked in (None, there) for asked, there in wanted)


def figures_of(report: str, asked: Asked, lives: Iterable[Life], now: datetime) -> dict[str, Any]:
    """The values of all columns of a report about these cases."""
    there = [life for life in lives if asked.is_about(life)]
    return _COUNTED[report](asked, there, now)


def _promises(asked: Asked, lives: Sequence[Life], now: datetime) -> dict[str, Any]:
    due = [row.outcome for life in lives for row in life.promises if asked.covers(row.due_at)]
    people, desk, missed = (due.count(outcome) for outcome in ("person", "system", "missed"))
    all_of_them = people + desk + missed
    return {
        "kept_by_people": people,
        "kept_by_desk": desk,
        "missed": missed,
        "settled": all_of_them,
        "kept_share": (people + desk) / all_of_them if all_of_them else None,
    }


def _spread(name: str, values: list[int]) -> dict[str, Any]:
    if not values:
        return {f"{name}_{part}": None for part in ("median", "p90", "mean")}
    values = sorted(values)
    ranked = {
        part: values[ceil(share * len(values)) - 1]
        for part, share in (("median", Fraction(1, 2)), ("p90", Fraction(9, 10)))
    }
    return {f"{name}_{part}": value for part, value in ranked.items()} | {f"{name}_mean": sum(values) / len(values)}


def _times(asked: Asked, lives: Sequence[Life], now: datetime) -> dict[str, Any]:
    opened = [life for life in lives if asked.covers(life.case.opened_at)]
    answered = [seconds(life.start, life.answered_at) for life in opened if life.answered_at]
    silent = [life for life in opened if not life.answered_at and life.case.sla_counts_from is None]
    resolved = [life for life in lives if asked.covers(life.resolved_at)]
    whole = [seconds(life.start, life.resolved_at) for life in resolved if life.resolved_at]
    worked = [all_in - life.waited for all_in, life in zip(whole, resolved, strict=True)]
    return {
        "opened": len(opened),
        "unanswered": len(silent),
        "resolved": len(resolved),
        **_spread("response", answered),
        **_spread("resolution", whole),
        **_spread("worked", worked),
    }


def _escalations(asked: Asked, lives: Sequence[Life], now: datetime) -> dict[str, Any]:
    done = [f"{row.severity}-{row.number}" for life in lives for row in life.points if asked.covers(row.done_at)]
    return {point: done.count(point) for point in done} | {"escalated": len(done)}


def _backlog(asked: Asked, lives: Sequence[Life], now: datetime) -> dict[str, Any]:
    midnight = datetime.combine(asked.last + timedelta(days=1), datetime.min.time(), ZoneInfo(asked.zone))
    at = min(midnight, now)
    if asked.first > now.astimezone(ZoneInfo(asked.zone)).date():
        return {"backlog": None} | {f"age_{n}": None for n in range(5)}
    ages = [at - life.case.opened_at for life in lives if life.is_open(at) and life.case.opened_at < at]
    by_age = {
        f"age_{n}": sum(timedelta(days=least) < age <= timedelta(days=below) for age in ages)
        for n, (least, below) in enumerate(AGES)
    }
    return by_age | {"backlog": len(ages)}


def _contacts(asked: Asked, lives: Sequence[Life], now: datetime) -> dict[str, Any]:
    resolved = [life for life in lives if asked.covers(life.resolved_at)]
    many = [
        sum(one.direction != Direction.INTERNAL and one.withdrawn_at is None for one in life.contacts)
        for life in resolved
    ]
    return {
        "resolved": len(resolved),
        "contacts": sum(many),
        "reopened": sum(any(asked.covers(at) for at in life.reopened_at) for life in lives),
        **_spread("contacts", many),
    }


_COUNTED = {
    "promises": _promises,
    "times": _times,
    "escalations": _escalations,
    "backlog": _backlog,
    "contacts": _contacts,
}


def table_differs(table: Any, lives: Sequence[Life], now: datetime) -> list[str]:
    """In words, each cell of a table that is not what was counted by hand."""
    found = []
    for row in [*table.rows, table.total]:
        scope = row.scope
        period = scope.period
        if table.report.slug == "backlog" and row is table.total and table.by == "time":
            last = min(period.last, now.astimezone(ZoneInfo(scope.zone)).date())
            asked_period = (min(period.first, last), last) if last >= period.first else (period.first, period.last)
        else:
            asked_period = (period.first, period.last)
        asked = Asked(*asked_period, scope.zone, scope.company, scope.centre, scope.owner, scope.severity)
        counted = figures_of(table.report.slug, asked, lives, now)
        for column in table.columns:
            ours, theirs = row.values[column.slug], counted.get(column.slug, 0)
            same = ours == theirs if ours is None or theirs is None else abs(ours - theirs) < 1e-6
            if not same:
                found.append(f"{table.report.slug} by {table.by}, {row.label}: {column.slug} {ours}, by hand {theirs}")
    return found
