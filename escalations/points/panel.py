"""What escalation has to show on other pages: the clock of a case on its page, the newest points on the dashboard.

The panel computes with the pure clock, as the sweep does (E3), and writes nothing. A fixed number of queries,
whatever happened to the case.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils import timezone

from cases.dashboard import Card, Figure, card, listed, watches
from cases.engine.watch import late_look
from cases.enums import Status
from cases.models import Case
from cases.page_cache import directory_of, users_of
from cases.panels import Panel, PanelLine, panel
from contacts.directory import Directory
from contacts.models import User
from contacts.wording import duration, moment_formatter
from escalations.audience import holders_of, owner_is_l3
from escalations.clocks import load_clock
from escalations.enums import OwnerAction
from escalations.models import Escalation
from escalations.policy.clock import (
    ClockReading,
    ClockSpan,
    ClockView,
    Due,
    PointKey,
)
from escalations.policy.explain import why_point_due
from escalations.policy.schedule import Point, Schedule

#: A point that was done this much later than it was due says so (E5).
LATE_AFTER = timedelta(minutes=15)
#: How many of the newest spans of a case's clock the panel shows; the history page has all of them.
SPANS_SHOWN = 12
#: How far back the escalations on the dashboard go.
NEWEST_WITHIN = timedelta(hours=24)
#: How many of them the dashboard shows.
NEWEST_SHOWN = 6


@dataclass(frozen=True)
class PointLine:
    """One point of the current severity as the panel shows it."""

    name: str
    after: str
    state: str  # done, recorded, due, next, later, paused
    due_at: datetime | None
    done_at: datetime | None = None
    late_by: str = ""
    mailed: str = ""
    owner: str = ""
    may_need_more: bool = False
    why: str = ""  # what moved the clock until then, in one sentence


@dataclass(frozen=True)
class SpanLine:
    """A time in which nothing changed, and whether it counts."""

    start: datetime
    end: datetime | None
    state: str
    length: str
    counted: bool
    run: int
    moved: str = ""  # to which version of the schedule at its start, if it was (E10)


@dataclass
class ClockSummary:
    """Everything about a case's clock that the panel shows."""

    reading: ClockReading
    elapsed: str
    stands_still: str
    lines: list[PointLine]
    earlier: list[Escalation]
    schedule_version: int
    spans: list[SpanLine]
    spans_left_out: int


# --- the case page ----------------------------------------------------------------------------------------------


def _escalation_line(case: Case, user: User, now: datetime) -> PanelLine:
    """“High 1 done; next High 2 Sun 20:46”."""
    clock = load_clock(case)
    if clock.timeline is None or not clock.snapshots:
        return PanelLine("Escalation", "no schedule")
    run = clock.view(now).reading.run
    done = [row for key, row in clock.ledger.items() if key[:2] == (run, case.severity) and row.carried_out]
    last = max(done, key=lambda row: row.number) if done else None
    upcoming = clock.upcoming(now) if case.is_open else None
    due = [one.point.name for one in clock.due(now) if one.run == run and one.point.severity == case.severity]
    show = moment_formatter(now, timezone.get_current_timezone())
    parts = [f"{last.get_severity_display()} {last.number} done"] if last else []
    parts += [f"{name} due" for name in due[-1:] if case.is_open]
    if upcoming is not None:
        parts.append(f"next {upcoming.point.name}{f' {show(upcoming.due_at)}' if upcoming.due_at else ''}")
    return PanelLine("Escalation", "; ".join(parts) or "nothing comes")


@panel(place=20, slug="escalation", line=_escalation_line)
def escalation_panel(case: Case, user: User, now: datetime) -> Panel:
    """Where the case's clock stands, why, and what comes next (E1 to E5)."""
    clock, summary = load_clock(case), None
    if clock.timeline is not None and clock.snapshots:
        summary = summarise_clock(case, clock.view(now), _with_names(case, clock.ledger))
    return Panel("admin/escalations/panel.html", {"case": case, "standing": summary})


def _with_names(case: Case, ledger: dict[PointKey, Escalation]) -> dict[PointKey, Escalation]:
    """The ledger of a case with the people of all its rows: those it points to, and those whose addresses it keeps."""
    people = ("asked", "owner_before", "owner_after")
    users = users_of(case, {getattr(row, f"{role}_id") for row in ledger.values() for role in people} - {None})
    addresses = {address for row in ledger.values() for address in row.mailed}
    names = {user.email: str(user) for user in User.objects.filter(email__in=addresses)}
    for row in ledger.values():
        row.mailed = [names.get(address, address) for address in row.mailed]
        for role in people:
            setattr(row, role, users.get(getattr(row, f"{role}_id")))
    return ledger


def summarise_clock(case: Case, clock: ClockView, ledger: dict[PointKey, Escalation]) -> ClockSummary:
    schedule, reading = clock.timeline.at(clock.now), clock.reading
    return ClockSummary(
        reading=reading,
        elapsed=duration(reading.elapsed),
        stands_still=_why_it_stands(case, schedule, reading),
        lines=list(_lines(case, clock, ledger)),
        earlier=[row for key, row in ledger.items() if key[:2] != (reading.run, reading.severity)],
        schedule_version=schedule.version,
        spans=[_span_line(span, clock) for span in clock.past[-SPANS_SHOWN:]],
        spans_left_out=max(0, len(clock.past) - SPANS_SHOWN),
    )


def _why_it_stands(case: Case, schedule: Schedule, reading: ClockReading) -> str:
    if case.status == Status.RESOLVED:
        return "because the case is resolved"
    if case.status == Status.WAITING and reading.severity not in schedule.stands_still:
        return "for the points only: the clock goes on, and what comes due meanwhile is due when the wait ends"
    return "because the case waits for the customer" if case.status == Status.WAITING else ""


def _lines(case: Case, clock: ClockView, ledger: dict[PointKey, Escalation]) -> Iterator[PointLine]:
    """The points of the current severity: those on the ledger, and those to come with the reason for their time."""
    reading, directory = clock.reading, directory_of(case)
    due_now = {due.key: due for due in clock.due}
    upcoming = clock.next_point(ledger)
    show = moment_formatter(clock.now, timezone.get_current_timezone())
    for point in clock.timeline.at(clock.now).of(reading.severity):
        key = (reading.run, point.severity, point.number)
        if key in ledger:
            yield _past_line(point, ledger[key])
        else:
            line = _coming_line(point, due_now.get(key), upcoming, clock, case, directory)
            yield replace(line, why=why_point_due(clock, point, line.due_at, show))


def _past_line(point: Point, row: Escalation) -> PointLine:
    late = row.done_at - row.due_at
    return PointLine(
        name=point.name,
        after=duration(point.after),
        state="done" if row.carried_out else "recorded",
        due_at=row.due_at,
        done_at=row.done_at,
        late_by=duration(late) if row.carried_out and late > LATE_AFTER else "",
        mailed=", ".join(row.mailed),
        owner=_what_became_of_owner(row) if row.carried_out else "",
    )


def _what_became_of_owner(row: Escalation) -> str:
    parts = []
    if row.owner_before_id != row.owner_after_id:
        parts.append(f"{row.owner_before or 'nobody'} → {row.owner_after or 'nobody'}")
    if row.asked_id:
        parts.append(f"{row.asked} asked for the status")
    return "; ".join(parts) or "owner kept the case"


def _coming_line(
    point: Point, due: Due | None, upcoming: Due | None, clock: ClockView, case: Case, directory: Directory
) -> PointLine:
    reading = clock.reading
    is_next = upcoming is not None and upcoming.point is point
    due_at = due.due_at if due else upcoming.due_at if upcoming and is_next else None
    if due_at is None and reading.running:
        due_at = clock.now + point.after - reading.elapsed
    return PointLine(
        name=point.name,
        after=duration(point.after),
        state="due" if due else "next" if is_next else "later" if reading.running else "paused",
        due_at=due_at,
        mailed=", ".join(reader.label for reader in holders_of(point.mailed, case, directory)) or "nobody new",
        owner=_owner_to_come(point, case),
        may_need_more=point.may_need_more,
    )


def _owner_to_come(point: Point, case: Case) -> str:
    if point.owner == OwnerAction.TO_L3:
        return f"{case.owner} is L3 and keeps the case" if owner_is_l3(case) else "ownership goes to an L3 technician"
    return f"{case.owner} is asked for the status" if case.owner else "nobody owns the case yet"


def _span_line(span: ClockSpan, clock: ClockView) -> SpanLine:
    stands_still = clock.timeline.at(span.start).stands_still
    moved = [schedule.version for moved_at, schedule in clock.timeline.moves if moved_at == span.start]
    waits = span.status == Status.WAITING
    return SpanLine(
        start=span.start,
        end=span.end,
        state=f"{span.severity.label}, {span.status.label}",
        length=duration((span.end or clock.now) - span.start),
        counted=span.status != Status.RESOLVED and not (waits and span.severity in stands_still),
        run=span.run,
        moved=f"moved to version {moved[-1]}" if moved else "",
    )


# --- the dashboard ----------------------------------------------------------------------------------------------


@card(place=42)
def newest_escalations(user: User, now: datetime) -> Card | None:
    """The points of the last 24 hours on the cases that the user may read (A1); two queries at most."""
    if not watches(user):
        return None
    newest = (
        Escalation.objects.visible_to(user)
        .filter(done_at__gt=now - NEWEST_WITHIN)
        .select_related("case", "case__company", "owner_after")
        .order_by("-done_at", "-pk")
    )
    rows, ledger = listed(newest, NEWEST_SHOWN), reverse("admin:escalations_escalation_changelist")
    return Card(
        "Escalations of the last 24 hours",
        "admin/escalations/newest_card.html",
        rows.context | {"unknown": None if rows.rows else late_look(now, "escalate")},
        link=ledger,
        link_text="All escalations",
        aside=True,
        figures=(Figure(rows.count, "escalated in 24 h", ledger, place=80),),
    )
