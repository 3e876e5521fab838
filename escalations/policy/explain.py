"""One sentence that explains a deadline: of an update (T2), of the first response (T1), of a point of escalation (E2 to
E4, E9). Pure; moments are UTC, and `show` formats them for the reader.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from cases.enums import Severity, Status
from cases.policy.first_response import INITIAL_RESPONSE, Response
from cases.policy.severity import RANK
from contacts.wording import MomentFormatter, at_moment, duration, sentence
from escalations.enums import Member
from escalations.policy.cadence import CadenceChange
from escalations.policy.clock import ClockSpan, ClockView, PolicyTimeline, Snapshot
from escalations.policy.schedule import Point
from escalations.policy.sla import Reason, Target

#: More waits than these are given as a number, and more events than these leave out the middle.
MAX_WAITS = 3
MAX_EVENTS = 8

#: A contact within a sentence, by its name in the contact log.
_CONTACTS = {
    "phone to the customer": "the call to the customer",
    "phone from the customer": "the customer's call",
    "email to the customer": "the mail to the customer",
    "chat to the customer": "the chat with the customer",
    "chat from the customer": "the chat with the customer",
}


def contact_name(what: str) -> str:
    """A contact within a sentence: “the call to the customer”."""
    return _CONTACTS.get(what) or (f"the {what[2:]}" if what.startswith("a ") else what)


def the(member: Member) -> str:
    """A member of the audience within a sentence: “the customer”, “the COO”."""
    return f"the {member.in_sentence}"


# --- status updates (T2) ----------------------------------------------------------------------------------------


def begun_by(target: Target, snapshots: Sequence[Snapshot], since: datetime | None) -> str:
    """What a target counts from if no touchpoint began it: the opening, the end of a wait, a reopening, joining (T2).

    `since`: from when on our promises count, for a case that was taken over from another system.
    """
    before = [snapshot for snapshot in snapshots if snapshot.at < target.since]
    if since == target.since:
        return "the take-over from another system"
    if not before:
        return "the opening"
    if before[-1].status == Status.WAITING:
        return "the end of the wait"
    if before[-1].status == Status.RESOLVED:
        return "the reopening"
    return "joining the audience"


def why_update_due(target: Target, begun: str, changes: Sequence[CadenceChange], show: MomentFormatter) -> str:
    """Every event that the deadline of an update came from, in order (T2).

    `changes` is the cadence over the whole case, `begun` what the target counts from.
    """
    every = _interval(target, changes, target.since)
    parts = [
        f"counted from {begun} {show(target.since)}",
        f"every {duration(every)} ({_in_force(changes, target.since).why})",
    ]
    due_at = target.since + every
    for reason in target.why[1:]:
        if reason.at > target.since:
            every = _interval(target, changes, reason.at)
            parts.append(_changed(reason, every, due_at, show))
            due_at = min(due_at, reason.at + every)
    return sentence([*parts, f"so due {show(target.due_at)}"])


def _changed(reason: Reason, every: timedelta, due_at: datetime, show: MomentFormatter) -> str:
    changed = f"{reason.said} {at_moment(reason.at, show)} made it {duration(every)}"
    return changed if reason.at + every < due_at else f"{changed}, which leaves the earlier deadline as it was"


def _in_force(changes: Sequence[CadenceChange], at: datetime) -> CadenceChange:
    return next(change for change in reversed(changes) if change.at <= at)


def _interval(target: Target, changes: Sequence[CadenceChange], at: datetime) -> timedelta:
    return _in_force(changes, at).owed.get(target.member, target.every)


# --- the first response (T1) ------------------------------------------------------------------------------------


def why_response_due(response: Response, snapshots: Sequence[Snapshot], show: MomentFormatter) -> str:
    """Every event that the deadline of the first response came from (T1); the snapshots begin with the opening."""
    parts, due_at = [], None
    for at, event in response.why:
        within = INITIAL_RESPONSE[_severity_at(snapshots, at)]
        happened = f"{event[0].lower()}{event[1:]} {show(at)}"
        if due_at is None or at + within < due_at:
            due_at = at + within
            parts.append(f"{happened}, to be answered within {duration(within)}")
        else:
            parts.append(f"{happened}, which leaves the earlier deadline as it was")
    return sentence([*parts, f"so due {show(response.due_at)}"])


def _severity_at(snapshots: Sequence[Snapshot], at: datetime) -> Severity:
    return next(snapshot.severity for snapshot in reversed(snapshots) if snapshot.at <= at)


# --- points of escalation (E2 to E4, E9) ------------------------------------------------------------------------


def why_point_due(clock: ClockView, point: Point, due_at: datetime | None, show: MomentFormatter) -> str:
    """What moved the clock of the current run until a point was due, or will be (E2).

    `due_at` is None while the clock stands still.
    """
    run = [span for span in clock.past if span.run == clock.reading.run and span.start != span.end]
    if due_at is not None:
        run = [span for span in run if span.start <= due_at] or run[:1]
    parts = [text for _, text in sorted(_events(run, clock.timeline, show), key=lambda event: event[0])]
    if len(parts) > MAX_EVENTS:
        left_out = len(parts) - MAX_EVENTS + 1
        parts = [parts[0], f"{left_out} more changes", *parts[left_out + 1 :]]
    parts.append(_comes(run, clock, point) if due_at is None else _due(run, clock, point, due_at, show))
    return sentence(parts, ", ")


def _events(
    run: Sequence[ClockSpan], timeline: PolicyTimeline, show: MomentFormatter
) -> Iterator[tuple[datetime, str]]:
    """What happened in a run, each with its moment."""
    for before, span in zip([None, *run], run, strict=False):
        if before is None:
            began = "opened" if span.run == 1 else f"run {span.run} began with the reopening"
            yield span.start, f"{began} {show(span.start)} {span.severity.label}"
        elif span.severity != before.severity:
            raised = RANK[span.severity] < RANK[before.severity]
            yield span.start, f"{'raised' if raised else 'lowered'} to {span.severity.label} {show(span.start)}"
    for moved_at, schedule in timeline.moves:
        if run and run[0].start < moved_at <= run[-1].start:
            yield moved_at, f"moved to version {schedule.version} of the schedule {show(moved_at)}"
    yield from _waits(_times_of(run, Status.WAITING), show)
    for start, end in _times_of(run, Status.RESOLVED):
        yield start, f"resolved {_from_to(start, end, show)}" if end else f"resolved since {show(start)}"


def _times_of(run: Sequence[ClockSpan], status: Status) -> list[tuple[datetime, datetime | None]]:
    """The times of a status, those that follow each other without a gap as one."""
    times: list[tuple[datetime, datetime | None]] = []
    for span in run:
        if span.status != status:
            continue
        if times and times[-1][1] == span.start:
            times[-1] = times[-1][0], span.end
        else:
            times.append((span.start, span.end))
    return times


def _waits(waits: Sequence[tuple[datetime, datetime | None]], show: MomentFormatter) -> Iterator[tuple[datetime, str]]:
    over = [(start, end) for start, end in waits if end is not None]
    if len(over) > MAX_WAITS:
        total = sum((end - start for start, end in over), timedelta(0))
        yield over[0][0], f"waited {len(over)} times, {duration(total)} in all"
    else:
        yield from ((start, f"waited {_from_to(start, end, show)}") for start, end in over)
    yield from ((start, f"waits since {show(start)}") for start, end in waits if end is None)


def _from_to(start: datetime, end: datetime, show: MomentFormatter) -> str:
    """“09:40-11:05”, with the day once."""
    first, last = show(start), show(end)
    day, comma, _ = first.rpartition(", ")
    same_day = comma and last.startswith(day + comma)
    return f"{first}-{last[len(day + comma) :] if same_day else last}"


def _due(run: Sequence[ClockSpan], clock: ClockView, point: Point, due_at: datetime, show: MomentFormatter) -> str:
    name = f"point {point.number}"
    if clock.timeline.brought_forward.get((clock.reading.run, point.severity, point.number)) == due_at:
        return f"and an accepted request brought {name} forward to {show(due_at)}"
    waited = any(span.status == Status.WAITING for span in run)
    waits = " (the waits count)" if waited and _counts_waits(clock) else ""
    at_once = any(span.start == due_at for span in run[1:])
    return f"so {name} at once, {show(due_at)}{waits}" if at_once else f"so {name} {at_moment(due_at, show)}{waits}"


def _comes(run: Sequence[ClockSpan], clock: ClockView, point: Point) -> str:
    """When a point comes while the clock stands still."""
    name, left = f"so point {point.number} comes", point.after - clock.reading.elapsed
    if left <= timedelta(0):
        return f"{name} as soon as the clock runs again"
    if run and run[-1].status == Status.WAITING and _counts_waits(clock):
        return f"{name} {duration(left)} from now, though not before the wait ends (the waits count)"
    return f"{name} {duration(left)} after the clock runs again"


def _counts_waits(clock: ClockView) -> bool:
    return clock.reading.severity not in clock.timeline.last.stands_still
