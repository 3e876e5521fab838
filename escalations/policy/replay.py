"""Replay: what the desk would have done with another system's incidents, by the same clock and plans. Pure.

What the log did is the truth: a case that the desk would have closed goes on as the log says. Every wait follows
pending client action (F2). What is due at the very end of the log is included; an event at the same instant as a due
moment comes first.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple, TextIO

from cases.enums import FollowUpStep, Severity, Status
from cases.incidents.log import Incident
from cases.policy.followup.pending_client_action import PENDING_STEPS
from contacts.enums import Role
from escalations.enums import OwnerAction
from escalations.policy.clock import Due, Snapshot, due_points
from escalations.policy.schedule import Schedule

LEDGER_COLUMNS = ("case", "kind", "run", "severity", "step", "due_at")


class LedgerLine(NamedTuple):
    """One thing that would have been done, as a line of the ledger."""

    case: str
    due_at: datetime
    kind: str  # "escalation" or "pending"
    step: str  # "1" to "3", or a step of pending client action
    run: int  # of the clock, or the number of the wait
    severity: str  # whose schedule the point belongs to; "" for a wait


class ReplayedWait(NamedTuple):
    """One waiting episode (UTC); `ended_at` is None when it outlasted the log."""

    number: int
    started_at: datetime
    ended_at: datetime | None


@dataclass
class Tally:
    """What came to pass for one severity."""

    cases: int = 0
    points: Counter[int] = field(default_factory=Counter)
    recorded_only: int = 0
    mails: Counter[str] = field(default_factory=Counter)
    to_l3: int = 0
    notices: int = 0
    closings: int = 0
    waited: timedelta = timedelta(0)

    def as_dict(self) -> dict[str, Any]:
        """The figures under their names; hours as a number."""
        return {
            "cases": self.cases,
            "points": {str(number): self.points[number] for number in sorted(self.points)},
            "recorded_only": self.recorded_only,
            "mails": dict(sorted(self.mails.items())),
            "transfers_to_l3": self.to_l3,
            "notices": self.notices,
            "no_response_closings": self.closings,
            "hours_waiting": round(self.waited.total_seconds() / 3600, 1),
        }


@dataclass
class Replay:
    """The whole log, replayed: the figures per severity and every single thing that would have been done."""

    tallies: dict[Severity, Tally] = field(default_factory=lambda: {severity: Tally() for severity in Severity})
    ledger: list[LedgerLine] = field(default_factory=list)


def replay(incidents: Iterable[Incident], schedule: Schedule, ended_at: datetime | None) -> Replay:
    """Run every incident through the clock and the plan, up to and including `ended_at` (UTC)."""
    result = Replay()
    if ended_at is None:
        return result
    for incident in incidents:
        life = incident_snapshots(incident)
        _count(result, incident.number, life, due_points(life, schedule, ended_at), ended_at)
    result.ledger.sort()
    return result


def incident_snapshots(incident: Incident) -> list[Snapshot]:
    """The incident's states as the clock reads them."""
    return [Snapshot(at, status, severity, episode) for at, status, severity, episode, _ in incident.states]


def waits_of(life: Sequence[Snapshot]) -> list[ReplayedWait]:
    """The waiting episodes of a life, in order; one that is followed by another ends when that begins (F6)."""
    waits: list[ReplayedWait] = []
    open_wait: ReplayedWait | None = None
    for snapshot in life:
        if open_wait is not None and (snapshot.status != Status.WAITING or snapshot.episode != open_wait.number):
            waits.append(open_wait._replace(ended_at=snapshot.at))
            open_wait = None
        if open_wait is None and snapshot.status == Status.WAITING:
            open_wait = ReplayedWait(snapshot.episode, snapshot.at, None)
    if open_wait is not None:
        waits.append(open_wait)
    return waits


def steps_of(wait: ReplayedWait, log_ended_at: datetime) -> Iterator[tuple[FollowUpStep, datetime]]:
    """The steps of pending client action that come due in a wait, each on time (F2)."""
    for step, offset in PENDING_STEPS.items():
        due_at = wait.started_at + offset
        if due_at > log_ended_at or (wait.ended_at is not None and due_at >= wait.ended_at):
            return
        yield step, due_at


def _count(result: Replay, number: str, life: Sequence[Snapshot], dues: list[Due], ended_at: datetime) -> None:
    last = result.tallies[life[-1].severity]
    last.cases += 1
    _count_points(result, number, dues)
    for wait in waits_of(life):
        for step, due_at in steps_of(wait, ended_at):
            result.ledger.append(LedgerLine(number, due_at, "pending", step.value, wait.number, ""))
            if step == FollowUpStep.RESOLVE:
                last.closings += 1
            else:
                last.notices += 1
        last.waited += (wait.ended_at or ended_at) - wait.started_at


def _count_points(result: Replay, number: str, dues: list[Due]) -> None:
    """Points due at one moment are one step: each role is mailed once, ownership moves at most once (E5)."""
    if not dues:
        return
    owner_is_l3 = False
    for _, at_once in groupby(dues, key=attrgetter("due_at")):
        step = list(at_once)
        for due in step:
            point = due.point
            severity, its_number = point.severity.value, str(point.number)
            result.ledger.append(LedgerLine(number, due.due_at, "escalation", its_number, due.run, severity))
            result.tallies[point.severity].points[point.number] += 1
            result.tallies[point.severity].recorded_only += due.recorded_only
        effective = [due.point for due in step if not due.recorded_only]
        if not effective:
            continue
        tally = result.tallies[effective[-1].severity]
        goes_to_l3 = not owner_is_l3 and any(point.owner == OwnerAction.TO_L3 for point in effective)
        roles = {role.value for point in effective for role in point.mailed}
        roles |= {OWNER} if goes_to_l3 or any(point.owner == OwnerAction.ASKED for point in effective) else set()
        tally.mails.update(roles)
        if goes_to_l3:
            owner_is_l3 = True
            tally.to_l3 += 1
            tally.mails[NEW_OWNER] += 1


#: Who else is mailed than the roles of the schedule (E1, E7).
OWNER = "owner"
NEW_OWNER = "new_owner"


def write_ledger(ledger: Iterable[LedgerLine], out: TextIO) -> None:
    """The ledger as CSV, sorted by case, due_at, kind and step; times like 2016-03-02T06:38:00+00:00."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(LEDGER_COLUMNS)
    writer.writerows(
        (line.case, line.kind, line.run, line.severity, line.step, line.due_at.astimezone(UTC).isoformat())
        for line in ledger
    )


def as_json(result: Replay) -> dict[str, Any]:
    """The figures per severity, for `--json`."""
    return {severity.value: tally.as_dict() for severity, tally in result.tallies.items()}


def as_table(result: Replay) -> str:
    """The figures per severity, for people."""
    header = ("", *(severity.label for severity in Severity), "All")
    rows = [header, *_rows(result)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) if column == 0 else cell.rjust(width) for column, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(row, widths, strict=True)) for row in rows)
    )


def _rows(result: Replay) -> Iterator[tuple[str, ...]]:
    tallies = [result.tallies[severity] for severity in Severity]

    def row(name: str, values: Sequence[float]) -> tuple[str, ...]:
        return (name, *(f"{value:,.0f}" if value else "-" for value in [*values, sum(values)]))

    yield row("cases", [tally.cases for tally in tallies])
    for number in sorted({number for tally in tallies for number in tally.points}):
        yield row(f"point {number} reached", [tally.points[number] for tally in tallies])
    yield row("  of these only recorded (E4)", [tally.recorded_only for tally in tallies])
    for role in sorted({role for tally in tallies for role in tally.mails}):
        yield row(f"mails to {_role_label(role)}", [tally.mails[role] for tally in tallies])
    yield row("transfers to L3", [tally.to_l3 for tally in tallies])
    yield row("notices to customers", [tally.notices for tally in tallies])
    yield row("closings for no response", [tally.closings for tally in tallies])
    yield row("hours spent waiting", [tally.waited.total_seconds() / 3600 for tally in tallies])


def _role_label(role: str) -> str:
    known = {one.value: one.label for one in Role}
    return {OWNER: "the owner", NEW_OWNER: "the new owner"}.get(role) or known[role]
