"""What escalation has to show on other pages: the clock of a case on its page, the newest points on the dashboard.

The panel reckons with the pure clock, as the sweep does (E3), and writes nothing. A fixed number of queries,
whatever happened to the case.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils import timezone

from cases.dashboard import Card, Figure, card, count_shown, watches
from cases.enums import Status
from cases.models import Case
from cases.page_cache import directory_of, users_of
from cases.panels import Panel, panel
from contacts.directory import Addressee, Directory
from contacts.models import User
from contacts.wording import duration
from escalations.clocks import load_clock
from escalations.enums import OwnerAction
from escalations.models import Escalation
from escalations.policy.clock import (
    ClockReading,
    ClockSpan,
    ClockView,
    Due,
    PointKey,
    PolicyTimeline,
)
from escalations.policy.explain import said_on, why_point_due
from escalations.policy.schedule import Point, Schedule

#: A point that was done this much later than it was due says so (E5).
LATE_AFTER = timedelta(minutes=15)
#: How many of the newest stretches of a case's life the panel tells; the history page has all of them.
STRETCHES_SHOWN = 12
#: How many escalations the dashboard lists, and how far back they go.
NEWEST_SHOWN = 12
NEWEST_WITHIN = timedelta(hours=24)


@dataclass(frozen=True)
class PointLine:
    """One point of the current severity as the panel tells it."""

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
    """A time in which nothing changed: what it was, and what it added to the clock."""

    start: datetime
    end: datetime | None
    said: str
    length: str
    counted: bool
    run: int
    moved: str = ""  # to which version of the schedule at its start, if it was (E10)


@dataclass
class ClockSummary:
    """Everything about a case's clock that the panel tells."""

    reading: ClockReading
    elapsed: str
    stands_still: str
    lines: list[PointLine]
    earlier: list[Escalation]
    schedule_version: int
    life: list[SpanLine] = field(default_factory=list)
    life_left_out: int = 0


# --- the case page ----------------------------------------------------------------------------------------------


@panel(place=20)
def escalation_panel(case: Case, user: User, now: datetime) -> Panel | None:
    """Where the case's clock stands, why, and what comes next (E1 to E5)."""
    life = load_clock(case)
    if life.timeline is None or not life.snapshots:
        return Panel("Escalation", "admin/escalations/panel.html", {"case": case, "standing": None})
    told = summarise_clock(case, life.view(now), _with_names(case, life.ledger))
    return Panel("Escalation", "admin/escalations/panel.html", {"case": case, "standing": told})


def _with_names(case: Case, done: dict[PointKey, Escalation]) -> dict[PointKey, Escalation]:
    """The ledger of a case with the people of all its rows: those it points to, and those whose addresses it keeps."""
    people = ("asked", "owner_before", "owner_after")
    ids = {getattr(row, f"{role}_id") for row in done.values() for role in people} - {None}
    users = users_of(case, ids)
    for row in done.values():
        for role in people:
            setattr(row, role, users.get(getattr(row, f"{role}_id")))
    addresses = {address for row in done.values() for address in row.mailed}
    names = {user.email: str(user) for user in User.objects.filter(email__in=addresses)}
    for row in done.values():
        row.mailed = [names.get(address, address) for address in row.mailed]
    return done


def summarise_clock(case: Case, clock: ClockView, done: dict[PointKey, Escalation]) -> ClockSummary:
    """What the clock says of a case; `done` is its ledger."""
    timeline, now = clock.timeline, clock.now
    schedule, reading = timeline.at(now), clock.reading
    told = [_told(span, timeline, now) for span in clock.past]
    current = {key for key in done if key[:2] == (reading.run, reading.severity)}
    return ClockSummary(
        reading=reading,
        elapsed=duration(reading.elapsed),
        stands_still=_why_it_stands(case, schedule, reading),
        lines=_lines(case, clock, done),
        earlier=[row for key, row in done.items() if key not in current],
        schedule_version=schedule.version,
        life=told[-STRETCHES_SHOWN:],
        life_left_out=max(0, len(told) - STRETCHES_SHOWN),
    )


def _why_it_stands(case: Case, schedule: Schedule, reading: ClockReading) -> str:
    if case.status == Status.RESOLVED:
        return "because the case is resolved"
    if case.status == Status.WAITING and reading.severity not in schedule.stands_still:
        return "for the points only: the clock goes on, and what comes due meanwhile is due when the wait ends"
    return "because the case waits for the customer" if case.status == Status.WAITING else ""


def _lines(case: Case, clock: ClockView, done: dict[PointKey, Escalation]) -> list[PointLine]:
    timeline, now, reading = clock.timeline, clock.now, clock.reading
    due_now = {due.key: due for due in clock.due}
    upcoming = clock.next_point(done)
    directory = directory_of(case)
    said = said_on(now, timezone.get_current_timezone())
    lines = []
    for point in timeline.at(now).of(reading.severity):
        key = (reading.run, point.severity, point.number)
        row = done.get(key)
        if row is not None:
            lines.append(_past_line(point, row))
        else:
            line = _coming_line(point, due_now.get(key), upcoming, reading, case, directory, now)
            lines.append(replace(line, why=why_point_due(clock.past, timeline, reading, point, line.due_at, said)))
    return lines


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
        owner=_owner_said(row),
    )


def _owner_said(row: Escalation) -> str:
    if not row.carried_out:
        return ""
    said = []
    if row.owner_before_id != row.owner_after_id:
        said.append(f"{row.owner_before or 'nobody'} → {row.owner_after or 'nobody'}")
    if row.asked_id:
        said.append(f"{row.asked} asked for the status")
    return "; ".join(said) or "owner kept the case"


def _coming_line(
    point: Point,
    due: Due | None,
    upcoming: Due | None,
    reading: ClockReading,
    case: Case,
    directory: Directory,
    now: datetime,
) -> PointLine:
    is_next = upcoming is not None and upcoming.point is point
    due_at = due.due_at if due else upcoming.due_at if upcoming and is_next else None
    if due_at is None and reading.running:
        due_at = now + point.after - reading.elapsed
    state = "due" if due else "next" if is_next else "later" if reading.running else "paused"
    return PointLine(
        name=point.name,
        after=duration(point.after),
        state=state,
        due_at=due_at,
        mailed=", ".join(_who(one) for one in _to_be_mailed(point, case, directory)) or "nobody new",
        owner=_owner_to_come(point, case),
        may_need_more=point.may_need_more,
    )


def _to_be_mailed(point: Point, case: Case, directory: Directory) -> list[Addressee]:
    technician = getattr(case.owner, "technician", None)
    centre = technician.centre_id if technician else None
    return [one for role in point.mailed for one in directory.for_role(role, centre, case.company)]


def _who(one: Addressee) -> str:
    return f"{one.name} (for {one.meant_for})" if one.meant_for else one.name


def _owner_to_come(point: Point, case: Case) -> str:
    if point.owner == OwnerAction.TO_L3:
        technician = getattr(case.owner, "technician", None)
        is_l3 = technician is not None and technician.level == "L3"
        return f"{case.owner} is L3 and keeps the case" if is_l3 else "ownership goes to an L3 technician"
    return f"{case.owner} is asked for the status" if case.owner else "nobody owns the case yet"


def _told(stretch: ClockSpan, timeline: PolicyTimeline, now: datetime) -> SpanLine:
    schedule = timeline.at(stretch.start)
    moved = [its_schedule.version for moved_at, its_schedule in timeline.moves if moved_at == stretch.start]
    counts = stretch.status not in (Status.WAITING, Status.RESOLVED) or (
        stretch.status == Status.WAITING and stretch.severity not in schedule.stands_still
    )
    return SpanLine(
        start=stretch.start,
        end=stretch.end,
        said=f"{stretch.severity.label}, {stretch.status.label}",
        length=duration((stretch.end or now) - stretch.start),
        counted=counts,
        run=stretch.run,
        moved=f"moved to version {moved[-1]}" if moved else "",
    )


# --- the dashboard ----------------------------------------------------------------------------------------------


@card(place=42)
def newest_escalations(user: User, now: datetime) -> Card | None:
    """The points of the last 24 hours on the cases this person may read (A1); one query."""
    if not watches(user):
        return None
    newest = (
        Escalation.objects.filter(done_at__gt=now - NEWEST_WITHIN, case__in=Case.objects.visible_to(user))
        .select_related("case", "case__company", "owner_after")
        .order_by("-done_at", "-pk")
    )
    rows = list(newest[: NEWEST_SHOWN + 1])
    return Card(
        title="Escalations of the last 24 hours",
        template="admin/escalations/newest_card.html",
        context={"rows": rows[:NEWEST_SHOWN], "more": len(rows) > NEWEST_SHOWN},
        link=reverse("admin:escalations_escalation_changelist"),
        link_text="The whole ledger",
        figures=(
            Figure(
                count_shown(rows, NEWEST_SHOWN),
                "escalated in 24 h",
                reverse("admin:escalations_escalation_changelist"),
                place=80,
            ),
        ),
    )
