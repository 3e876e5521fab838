"""One sentence that explains a deadline: of an update (T2), of the first response (T1), of a point of escalation (E2 to
E4, E9). Pure; moments are UTC and are formatted for the reader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta, tzinfo

from cases.enums import Severity, Status
from cases.policy.first_response import INITIAL_RESPONSE, Response
from cases.policy.severity import RANK
from contacts.wording import day_and_time, duration
from escalations.enums import Member
from escalations.policy.cadence import CadenceChange
from escalations.policy.clock import ClockReading, ClockSpan, PolicyTimeline, Snapshot
from escalations.policy.schedule import Point
from escalations.policy.sla import Reason, Target

#: Formats a moment for the reader.
Said = Callable[[datetime], str]

#: More waits than these are told as a number, and more events than these leave out the middle.
WAITS_TOLD = 3
EVENTS_TOLD = 8

#: What somebody said, as a sentence calls it.
_CALLED = {
    "phone to the customer": "the call to the customer",
    "phone from the customer": "the customer's call",
    "email to the customer": "the mail to the customer",
    "chat to the customer": "the chat with the customer",
    "chat from the customer": "the chat with the customer",
}


def said_on(now: datetime, zone: tzinfo) -> Said:
    """How moments are said to a reader in `zone` at `now`: “14:00” today, “Tue 2 Jun, 14:00” on another day."""
    today = now.astimezone(zone).date()

    def said(at: datetime) -> str:
        local = at.astimezone(zone)
        return f"{local:%H:%M}" if local.date() == today else day_and_time(local, today)

    return said


def when(at: datetime, said: Said) -> str:
    """“at 14:00”, “on Tue 2 Jun, 14:00”."""
    moment = said(at)
    return f"on {moment}" if "," in moment else f"at {moment}"


def called(what: str) -> str:
    """A contact as a sentence calls it: “the call to the customer”."""
    return _CALLED.get(what) or (f"the {what[2:]}" if what.startswith("a ") else what)


def the(member: Member) -> str:
    """A member of the audience within a sentence: “the customer”, “the COO”."""
    return f"the {member.label if member.label.isupper() else member.label.lower()}"


def _sentence(parts: Sequence[str], separator: str) -> str:
    whole = separator.join(parts)
    return f"{whole[0].upper()}{whole[1:]}."


# --- promised updates (T2) --------------------------------------------------------------------------------------


def begun_by(period: Target, snapshots: Sequence[Snapshot], since: datetime | None) -> str:
    """What a period began with that no word began: the opening, the end of a wait, a reopening, joining (T2).

    `since`: from when on our promises count, for a case that was taken over from another system.
    """
    before = [one for one in snapshots if one.at < period.since]
    if since == period.since:
        return "the take-over from another system"
    if not before:
        return "the opening"
    if before[-1].status == Status.WAITING:
        return "the end of the wait"
    if before[-1].status == Status.RESOLVED:
        return "the reopening"
    return "joining the audience"


def why_update_due(period: Target, begun: str, pieces: Sequence[CadenceChange], said: Said) -> str:
    """Every event that the deadline of an update came from, in order (T2).

    `pieces` are who is owed updates how often over the case's life, `begun` what the period began with.
    """
    every = _every(period, pieces, period.since)
    parts = [
        f"counted from {begun} {said(period.since)}",
        f"every {duration(every)} ({_in_force(pieces, period.since).why})",
    ]
    due_at = period.since + every
    for change in period.why[1:]:
        if change.at > period.since:
            every = _every(period, pieces, change.at)
            parts.append(_changed(change, every, due_at, said))
            due_at = min(due_at, change.at + every)
    return _sentence([*parts, f"so due {said(period.due_at)}"], "; ")


def _changed(change: Reason, every: timedelta, due_at: datetime, said: Said) -> str:
    told = f"{change.said} {when(change.at, said)} made it {duration(every)}"
    return told if change.at + every < due_at else f"{told}, which leaves the earlier deadline as it was"


def _in_force(pieces: Sequence[CadenceChange], at: datetime) -> CadenceChange:
    return next(piece for piece in reversed(pieces) if piece.at <= at)


def _every(period: Target, pieces: Sequence[CadenceChange], at: datetime) -> timedelta:
    return _in_force(pieces, at).owed.get(period.member, period.every)


# --- the first response (T1) ------------------------------------------------------------------------------------


def why_response_due(response: Response, life: Sequence[Snapshot], said: Said) -> str:
    """Every event that the deadline of the first response came from (T1); `life` begins with the opening."""
    parts, due_at = [], None
    for at, event in response.why:
        within = INITIAL_RESPONSE[_severity_at(life, at)]
        told = f"{event[0].lower()}{event[1:]} {said(at)}"
        if due_at is None or at + within < due_at:
            due_at = at + within
            parts.append(f"{told}, to be answered within {duration(within)}")
        else:
            parts.append(f"{told}, which leaves the earlier deadline as it was")
    return _sentence([*parts, f"so due {said(response.due_at)}"], "; ")


def _severity_at(life: Sequence[Snapshot], at: datetime) -> Severity:
    return next(one.severity for one in reversed(life) if one.at <= at)


# --- points of escalation (E2 to E4, E9) ------------------------------------------------------------------------


def why_point_due(
    life: Sequence[ClockSpan],
    timeline: PolicyTimeline,
    reading: ClockReading,
    point: Point,
    due_at: datetime | None,
    said: Said,
) -> str:
    """What moved the clock of the current run until a point was due, or will be (E2).

    `life` are the stretches up to the reading's moment, those of other runs included; `due_at` is None while the clock
    stands still.
    """
    run = [one for one in life if one.run == reading.run and one.start != one.end]
    if due_at is not None:
        run = [one for one in run if one.start <= due_at] or run[:1]
    events = sorted(_events(run, timeline, said), key=lambda event: event[0])
    parts = [text for _, text in events]
    if len(parts) > EVENTS_TOLD:
        left_out = len(parts) - EVENTS_TOLD + 1
        parts = [parts[0], f"{left_out} more changes", *parts[left_out + 1 :]]
    return _sentence([*parts, _so(run, timeline, reading, point, due_at, said)], ", ")


def _events(run: Sequence[ClockSpan], timeline: PolicyTimeline, said: Said) -> Iterator[tuple[datetime, str]]:
    """What happened in a run, each with its moment."""
    for before, one in zip([None, *run], run, strict=False):
        if before is None:
            began = "opened" if one.run == 1 else f"run {one.run} began with the reopening"
            yield one.start, f"{began} {said(one.start)} {one.severity.label}"
        elif one.severity != before.severity:
            raised = RANK[one.severity] < RANK[before.severity]
            yield one.start, f"{'raised' if raised else 'lowered'} to {one.severity.label} {said(one.start)}"
    for moved_at, schedule in timeline.moves:
        if run and run[0].start < moved_at <= run[-1].start:
            yield moved_at, f"moved to version {schedule.version} of the schedule {said(moved_at)}"
    yield from _told_waits(_joined(run, Status.WAITING), said)
    for start, end in _joined(run, Status.RESOLVED):
        yield start, f"resolved {_span(start, end, said)}" if end else f"resolved since {said(start)}"


Span = tuple[datetime, datetime | None]


def _joined(run: Sequence[ClockSpan], status: Status) -> list[Span]:
    """The times of a status, those that follow each other without a gap as one."""
    spans: list[Span] = []
    for one in run:
        if one.status != status:
            continue
        if spans and spans[-1][1] == one.start:
            spans[-1] = spans[-1][0], one.end
        else:
            spans.append((one.start, one.end))
    return spans


def _told_waits(waits: Sequence[Span], said: Said) -> Iterator[tuple[datetime, str]]:
    over = [(start, end) for start, end in waits if end is not None]
    if len(over) > WAITS_TOLD:
        total = sum((end - start for start, end in over), timedelta(0))
        yield over[0][0], f"waited {len(over)} times, {duration(total)} in all"
    else:
        yield from ((start, f"waited {_span(start, end, said)}") for start, end in over)
    yield from ((start, f"waits since {said(start)}") for start, end in waits if end is None)


def _span(start: datetime, end: datetime, said: Said) -> str:
    """“09:40-11:05”; the day is said once."""
    first, last = said(start), said(end)
    day, comma, _ = first.rpartition(", ")
    same_day = comma and last.startswith(day + comma)
    return f"{first}-{last[len(day + comma) :] if same_day else last}"


def _so(
    run: Sequence[ClockSpan],
    timeline: PolicyTimeline,
    reading: ClockReading,
    point: Point,
    due_at: datetime | None,
    said: Said,
) -> str:
    name = f"point {point.number}"
    if due_at is None:
        return f"so {name} comes {_after_the_stop(run, timeline, reading, point)}"
    if timeline.brought_forward.get((reading.run, point.severity, point.number)) == due_at:
        return f"and an accepted request brought {name} forward to {said(due_at)}"
    waited = any(span.status == Status.WAITING for span in run)
    waits = " (the waits count)" if waited and reading.severity not in timeline.last.stands_still else ""
    passed = any(span.start == due_at for span in run[1:])
    return f"so {name} at once, {said(due_at)}{waits}" if passed else f"so {name} {when(due_at, said)}{waits}"


def _after_the_stop(run: Sequence[ClockSpan], timeline: PolicyTimeline, reading: ClockReading, point: Point) -> str:
    left = point.after - reading.elapsed
    if left <= timedelta(0):
        return "as soon as the clock runs again"
    if run and run[-1].status == Status.WAITING and reading.severity not in timeline.last.stands_still:
        return f"{duration(left)} from now, though not before the wait ends (the waits count)"
    return f"{duration(left)} after the clock runs again"
