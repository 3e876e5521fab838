"""What is known of a batch of cases, read in a fixed number of queries: what happened to each (E3), what it runs under
(E9, E10), what was carried out (E6). Everything that decides or explains starts from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from django.db.models import Q

from cases.enums import Severity, Status
from cases.models import Case
from contacts.enums import Role
from escalations.enums import Audience
from escalations.models import Escalation, EscalationRequest, Question, ScheduleMove, schedules
from escalations.policy.cadence import Attention, Cadence, CadenceChange, Reached, cadence_in_force, owed_over_time
from escalations.policy.clock import (
    ClockReading,
    Due,
    Key,
    PolicyTimeline,
    Snapshot,
    due_points,
    next_point,
    read_clock,
)
from escalations.policy.schedule import Schedule


class Versions:
    """Every schedule that was ever put in force (E10); three queries, once for a batch."""

    def __init__(self) -> None:
        self._versions = schedules()
        self._numbered = {schedule.version: schedule for _, schedule in self._versions}

    def opened_under(self, case: Case) -> Schedule | None:
        """The version that was in force when a case was opened, or None when none was ever put in force."""
        chosen = self._versions[0][1] if self._versions else None
        for in_force_from, schedule in self._versions:
            if in_force_from <= case.opened_at:
                chosen = schedule
        return chosen

    def numbered(self, number: int) -> Schedule | None:
        """The version of that number, if it was ever in force."""
        return self._numbered.get(number)


@dataclass
class CaseClock:
    """One case and everything its clocks are reckoned from. `course` is None while no schedule was put in force."""

    case: Case
    snapshots: list[Snapshot] = field(default_factory=list)
    timeline: PolicyTimeline | None = None
    ledger: dict[Key, Escalation] = field(default_factory=dict)
    reached: list[Reached] = field(default_factory=list)
    requests: list[EscalationRequest] = field(default_factory=list)  # undecided, or accepted at some time
    question: Question | None = None  # the open one

    @cached_property
    def attentions(self) -> list[Attention]:
        """Management's attention: from an acceptance with no point left, until it is closed (E9)."""
        granted = [one for one in self.requests if one.attention and one.decided_at]
        return [Attention(one.decided_at, one.closed_at, one.run or 1) for one in granted if one.decided_at]

    @property
    def question_is_over(self) -> bool:
        """Whether the open question has ended with the case, even if that was reopened before anybody looked (E8)."""
        if self.question is None or not self.case.is_open:
            return self.question is not None
        asked_at = self.question.asked_at
        return any(one.status == Status.RESOLVED and one.at >= asked_at for one in self.snapshots)

    def dues(self, now: datetime) -> list[Due]:
        """What has come due by `now` and is not on the ledger yet."""
        if self.timeline is None:
            return []
        return [due for due in due_points(self.snapshots, self.timeline, now) if due.key not in self.ledger]

    def upcoming(self, now: datetime) -> Due | None:
        """The next point if nothing touches the case."""
        return next_point(self.snapshots, self.timeline, now, self.ledger) if self.timeline else None

    def reading(self, now: datetime) -> ClockReading:
        """Where the clock stands. Raises ValueError without a schedule, or before the opening."""
        if self.timeline is None:
            raise ValueError("no schedule is in force")
        return read_clock(self.snapshots, self.timeline, now)

    def cadence(self, now: datetime) -> tuple[Cadence, str]:
        """The rhythm of status updates in force at `now`, and what put it in force (E4). Raises ValueError likewise."""
        reading = self.reading(now)
        assert self.timeline is not None
        by_then = [one for one in self.reached if one.done_at <= now]
        attention = any(one.holds(reading.run, now) for one in self.attentions)
        return cadence_in_force(self.timeline.at(now), reading.run, reading.severity, by_then, attention)

    def pieces(self) -> list[CadenceChange]:
        """Who is owed updates how often, over the whole life (T2)."""
        if self.timeline is None:
            return []
        since = self.case.sla_counts_from
        return owed_over_time(self.snapshots, self.timeline, self.reached, self.attentions, since)


def load_clocks(cases: Sequence[Case], versions: Versions | None = None) -> dict[int, CaseClock]:
    """What is known of each case, by its key; five queries, and three for the versions unless they are given."""
    versions = versions or Versions()
    ids = [case.pk for case in cases]
    snapshots, ledger, moves = snapshots_of(ids), ledger_of(ids), _moves_of(ids)
    requests, questions = _requests_of(ids), _questions_of(ids)
    lives = {}
    for case in cases:
        first = versions.opened_under(case)
        lives[case.pk] = life = CaseClock(
            case,
            snapshots[case.pk],
            ledger=ledger[case.pk],
            reached=[reached_by(row, versions) for row in ledger[case.pk].values()],
            requests=requests.get(case.pk, []),
            question=questions.get(case.pk),
        )
        if first is not None:
            life.timeline = PolicyTimeline(
                first, _known(moves.get(case.pk, []), versions), brought_forward(life.requests)
            )
    return lives


def load_clock(case: Case) -> CaseClock:
    """The life of one case for the parts of its page, read once and kept with the case. Moves read it afresh."""
    known: CaseClock | None = case.__dict__.get("_life")
    if known is None:
        known = case.__dict__["_life"] = load_clocks([case])[case.pk]
    return known


def brought_forward(requests: Iterable[EscalationRequest]) -> dict[Key, datetime]:
    """The points that accepted requests brought forward, with the moments of acceptance (E9)."""
    return {
        (one.run, Severity(one.severity), one.number): one.decided_at
        for one in requests
        if one.run and one.number and one.decided_at
    }


def reached_by(row: Escalation, versions: Versions) -> Reached:
    """A row of the ledger as the rhythm reads it."""
    severity = Severity(row.severity)
    schedule = versions.numbered(row.schedule_version)
    points = schedule.of(severity) if schedule else ()
    point = next((one for one in points if one.number == row.number), None)
    director = bool(row.carried_out and point and Role.CS_DIRECTOR in point.mailed)
    cadence = {Audience(who): timedelta(minutes=minutes) for who, minutes in row.cadence.items()}
    return Reached(row.run, severity, row.number, row.due_at, row.done_at, cadence, director)


def snapshots_of(case_ids: Iterable[int]) -> dict[int, list[Snapshot]]:
    """What happened to each case, from its history (E3); one query. Changes that move no clock are left out."""
    ids = list(case_ids)
    lives: dict[int, list[Snapshot]] = {case_id: [] for case_id in ids}
    rows = (
        Case.history.filter(id__in=ids)
        .order_by("id", "history_date", "history_id")
        .values_list("id", "history_date", "status", "severity", "wait_episode")
    )
    for case_id, at, status, severity, episode in rows.iterator(chunk_size=2_000):
        life = lives[case_id]
        if not life or (life[-1].status, life[-1].severity, life[-1].episode) != (status, severity, episode):
            life.append(Snapshot(at, Status(status), Severity(severity), episode))
    return lives


def ledger_of(case_ids: Iterable[int]) -> dict[int, dict[Key, Escalation]]:
    """What was carried out or recorded on each case already (E6); one query."""
    ids = list(case_ids)
    ledger: dict[int, dict[Key, Escalation]] = {case_id: {} for case_id in ids}
    for row in Escalation.objects.filter(case__in=ids).order_by("due_at"):
        ledger[row.case_id][row.run, Severity(row.severity), row.number] = row
    return ledger


def _moves_of(ids: Sequence[int]) -> dict[int, list[tuple[datetime, int]]]:
    moves: dict[int, list[tuple[datetime, int]]] = {}
    rows = ScheduleMove.objects.filter(case__in=ids).order_by("at", "pk")
    for case_id, at, number in rows.values_list("case_id", "at", "version__number"):
        moves.setdefault(case_id, []).append((at, number))
    return moves


def _known(moves: Iterable[tuple[datetime, int]], versions: Versions) -> tuple[tuple[datetime, Schedule], ...]:
    found = ((at, versions.numbered(number)) for at, number in moves)
    return tuple((at, schedule) for at, schedule in found if schedule is not None)


def _requests_of(ids: Sequence[int]) -> dict[int, list[EscalationRequest]]:
    requests: dict[int, list[EscalationRequest]] = {}
    rows = EscalationRequest.objects.filter(case__in=ids).filter(
        Q(status="requested") | Q(attention=True) | Q(number__isnull=False)
    )
    for row in rows.select_related("requested_by").order_by("requested_at", "pk"):
        requests.setdefault(row.case_id, []).append(row)
    return requests


def _questions_of(ids: Sequence[int]) -> dict[int, Question]:
    rows = Question.objects.filter(case__in=ids, ended_at=None).select_related("asked", "stands_in_for")
    return {row.case_id: row for row in rows}
