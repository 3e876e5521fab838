"""The clock of each case of a batch, read in a fixed number of queries: what happened to it (E3), which schedules it
runs under (E9, E10), what was carried out (E6). Everything that decides or explains starts from here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from cases.enums import Severity, Status
from cases.models import Case
from cases.page_cache import kept_with_case, load_kept
from contacts.compiled import KEY, KEYS, CompiledQuery
from contacts.enums import Role
from escalations.enums import Audience
from escalations.models import Escalation, EscalationRequest, Question, ScheduleMove, schedules
from escalations.policy.cadence import (
    Cadence,
    CadenceChange,
    ManagementAttention,
    PassedPoint,
    cadence_in_force,
    owed_over_time,
)
from escalations.policy.clock import (
    ClockReading,
    ClockSpan,
    ClockView,
    Due,
    PointKey,
    PolicyTimeline,
    Snapshot,
    clock_spans,
)
from escalations.policy.mute import Mute, mutes_of_manager, without_muted
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

    @property
    def count(self) -> int:
        """How many versions were ever in force."""
        return len(self._versions)

    def numbered(self, number: int) -> Schedule | None:
        """The version of that number, if it was ever in force."""
        return self._numbered.get(number)


@dataclass
class CaseClock:
    """One case and everything its clocks are computed from. `timeline` is None while no schedule was put in force.

    What it answers is computed once for each moment. Whoever changes the case, its snapshots, ledger or requests in
    memory calls `changed()`.
    """

    case: Case
    snapshots: list[Snapshot] = field(default_factory=list)
    timeline: PolicyTimeline | None = None
    ledger: dict[PointKey, Escalation] = field(default_factory=dict)
    passed: list[PassedPoint] = field(default_factory=list)
    requests: list[EscalationRequest] = field(default_factory=list)  # undecided, or accepted at some time
    question: Question | None = None  # the open one
    all_requests: list[EscalationRequest] = field(default_factory=list)  # declined and withdrawn ones too
    _views: dict[datetime, ClockView] = field(default_factory=dict, init=False, repr=False, compare=False)

    def changed(self) -> None:
        """Forget what was computed."""
        self._views.clear()
        for name in ("spans", "attentions", "cadence_changes"):
            self.__dict__.pop(name, None)

    @cached_property
    def spans(self) -> list[ClockSpan]:
        """The case's life as the clock reads it; empty without a schedule."""
        return clock_spans(self.snapshots, self.timeline) if self.timeline else []

    @cached_property
    def attentions(self) -> list[ManagementAttention]:
        """Management's attention: from an acceptance with no point left, until it is closed (E9)."""
        granted = [request for request in self.requests if request.attention and request.decided_at]
        return [ManagementAttention(row.decided_at, row.closed_at, row.run or 1) for row in granted if row.decided_at]

    @cached_property
    def cadence_changes(self) -> list[CadenceChange]:
        """Who is owed updates how often, over the case's whole life (T2); empty without a schedule."""
        if self.timeline is None:
            return []
        owed = owed_over_time(self.spans, self.timeline, self.passed, self.attentions, self.case.sla_counts_from)
        return without_muted(owed, self.mutes)

    @property
    def mutes(self) -> list[Mute]:
        """When the account manager wanted no updates (T5)."""
        return mutes_of_manager(self.case.mutes)

    @property
    def question_is_over(self) -> bool:
        """Whether the open question has ended with the case, even if that was reopened before anybody looked (E8)."""
        if self.question is None or not self.case.is_open:
            return self.question is not None
        asked_at = self.question.asked_at
        return any(snapshot.status == Status.RESOLVED and snapshot.at >= asked_at for snapshot in self.snapshots)

    def view(self, now: datetime) -> ClockView:
        """The clock at `now` (UTC). Raises ValueError without a schedule."""
        if self.timeline is None:
            raise ValueError("no schedule is in force")
        if now not in self._views:
            self._views[now] = ClockView(self.spans, self.timeline, now)
        return self._views[now]

    def due(self, now: datetime) -> list[Due]:
        """What has come due by `now` and is not on the ledger yet."""
        return [due for due in self.view(now).due if due.key not in self.ledger] if self.timeline else []

    def upcoming(self, now: datetime) -> Due | None:
        """The next point if nothing touches the case."""
        return self.view(now).next_point(self.ledger) if self.timeline else None

    def reading(self, now: datetime) -> ClockReading:
        """What the clock shows. Raises ValueError without a schedule, or before the opening."""
        return self.view(now).reading

    def cadence(self, now: datetime) -> tuple[Cadence, str]:
        """The cadence in force at `now`, and what put it in force (E4). Raises ValueError likewise."""
        view = self.view(now)
        run, severity = view.reading.run, view.reading.severity
        by_then = [point for point in self.passed if point.done_at <= now]
        attention = any(one.is_paid(run, now) for one in self.attentions)
        return cadence_in_force(view.timeline.at(now), run, severity, by_then, attention)


def load_clocks(
    cases: Sequence[Case], versions: Versions | None = None, open_questions: Mapping[int, Question] | None = None
) -> dict[int, CaseClock]:
    """The clock of each case, by its key; five queries, and three for the versions unless they are given.

    `open_questions` are those of the cases, where they are known already: a query less.
    """
    versions = versions or Versions()
    ids = [case.pk for case in cases]
    snapshots, ledger, moves = snapshots_of(ids), ledger_of(ids), _moves_of(ids, versions)
    requests = _requests_of(ids)
    questions = _open_questions_of(ids) if open_questions is None else open_questions
    return {
        case.pk: CaseClock(
            case,
            snapshots[case.pk],
            _timeline(versions.opened_under(case), moves[case.pk], requests[case.pk], versions),
            ledger[case.pk],
            [passed_point(row, versions) for row in ledger[case.pk].values()],
            list(filter(_matters_to_clock, requests[case.pk])),
            questions.get(case.pk),
            requests[case.pk],
        )
        for case in cases
    }


@kept_with_case
def load_clock(case: Case) -> CaseClock:
    """The clock of one case for the parts of its page."""
    still_open = {row.case_id: row for row in questions_of(case) if row.is_open}
    return load_clocks([case], open_questions=still_open)[case.pk]


_questions = CompiledQuery(
    lambda case: (
        Question.objects.filter(case=case)
        .select_related("asked", "first_asked", "stands_in_for", "answered_by")
        .order_by("-asked_at", "-pk")
    ),
    case=KEY,
)


@kept_with_case
def questions_of(case: Case) -> list[Question]:
    """Every question about a case, newest first, for the parts of its page."""
    return _questions(case=case.pk)


def load_clocks_for_page(cases: Iterable[Case]) -> dict[int, CaseClock]:
    """The clocks of several cases of one page, by key; eight queries, none for cases whose clock is known."""
    return load_kept(load_clock, cases, load_clocks)


def _timeline(
    first: Schedule | None,
    moves: Iterable[tuple[datetime, int]],
    requests: Iterable[EscalationRequest],
    versions: Versions,
) -> PolicyTimeline | None:
    if first is None:
        return None
    known = ((at, versions.numbered(number)) for at, number in moves)
    in_force = tuple((at, schedule) for at, schedule in known if schedule is not None)
    return PolicyTimeline(first, in_force, brought_forward(requests))


def brought_forward(requests: Iterable[EscalationRequest]) -> dict[PointKey, datetime]:
    """The points that accepted requests brought forward, with the moments of acceptance (E9)."""
    return {
        (row.run, Severity(row.severity), row.number): row.decided_at
        for row in requests
        if row.run and row.number and row.decided_at
    }


def passed_point(row: Escalation, versions: Versions) -> PassedPoint:
    """A row of the ledger as the cadence reads it."""
    severity = Severity(row.severity)
    schedule = versions.numbered(row.schedule_version)
    point = schedule.find(severity, row.number) if schedule else None
    director = bool(row.carried_out and point and Role.CS_DIRECTOR in point.mailed)
    cadence = {Audience(who): timedelta(minutes=minutes) for who, minutes in row.cadence.items()}
    return PassedPoint(row.run, severity, row.number, row.due_at, row.done_at, cadence, director)


_history = CompiledQuery(
    lambda cases: (
        Case.history.filter(id__in=cases)
        .order_by("id", "history_date", "history_id")
        .values_list("id", "history_date", "status", "severity", "wait_episode")
    ),
    cases=KEYS,
)


def snapshots_of(case_ids: Iterable[int]) -> dict[int, list[Snapshot]]:
    """What happened to each case, from its history (E3); one query. Changes that move no clock are left out."""
    ids = list(case_ids)
    snapshots: dict[int, list[Snapshot]] = {case_id: [] for case_id in ids}
    for case_id, at, status, severity, episode in _history(cases=ids):
        life = snapshots[case_id]
        if not life or (life[-1].status, life[-1].severity, life[-1].episode) != (status, severity, episode):
            life.append(Snapshot(at, Status(status), Severity(severity), episode))
    return snapshots


_escalations = CompiledQuery(lambda cases: Escalation.objects.filter(case__in=cases).order_by("due_at"), cases=KEYS)


def ledger_of(case_ids: Iterable[int]) -> dict[int, dict[PointKey, Escalation]]:
    """What was carried out or recorded on each case already (E6); one query."""
    ids = list(case_ids)
    ledger: dict[int, dict[PointKey, Escalation]] = {case_id: {} for case_id in ids}
    for row in _escalations(cases=ids):
        ledger[row.case_id][row.run, Severity(row.severity), row.number] = row
    return ledger


def _moves_of(ids: Sequence[int], versions: Versions) -> dict[int, list[tuple[datetime, int]]]:
    moves: dict[int, list[tuple[datetime, int]]] = defaultdict(list)
    if versions.count < 2:
        return moves  # there is none to move to
    rows = ScheduleMove.objects.filter(case__in=ids).order_by("at", "pk")
    for case_id, at, number in rows.values_list("case_id", "at", "version__number"):
        moves[case_id].append((at, number))
    return moves


_requests = CompiledQuery(
    lambda cases: (
        EscalationRequest.objects.filter(case__in=cases)
        .select_related("requested_by", "decided_by")
        .order_by("requested_at", "pk")
    ),
    cases=KEYS,
)


def _requests_of(ids: Sequence[int]) -> dict[int, list[EscalationRequest]]:
    requests: dict[int, list[EscalationRequest]] = defaultdict(list)
    for row in _requests(cases=ids):
        requests[row.case_id].append(row)
    return requests


def _matters_to_clock(request: EscalationRequest) -> bool:
    """Whether it is undecided, or was accepted at some time."""
    return request.is_undecided or request.attention or request.number is not None


_open_questions = CompiledQuery(
    lambda cases: (
        Question.objects.filter(case__in=cases, ended_at=None)
        .select_related("asked", "first_asked", "stands_in_for")
        .order_by()
    ),
    cases=KEYS,
)


def _open_questions_of(ids: Sequence[int]) -> dict[int, Question]:
    return {row.case_id: row for row in _open_questions(cases=ids)}
