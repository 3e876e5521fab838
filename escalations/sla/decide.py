"""What the promises of a case ask for at a moment: reminders, the desk's own updates, what is missed, who is told of it
(T1 to T4, E8, E9). Decided here in memory and written by `escalations.sla.apply`; the forecast asks the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cases.enums import Severity
from cases.models import Case, Interaction
from cases.policy.first_response import word_handled_by
from contacts.directory import Addressee
from escalations.audience import readers_of
from escalations.enums import Member, SlaKind, SlaOutcome
from escalations.models import EscalationRequest, SlaTarget
from escalations.points.decide import Batch
from escalations.policy.sla import Target
from escalations.sla.state import SlaState

#: An event at the moment of a deadline is in time, so what is missed shows itself only after it.
JUST_AFTER = timedelta(seconds=1)
#: So many in a row without a person's word, and the Support Manager is told (T3).
SILENCE = 2


@dataclass
class Update:
    """The desk's own update to one member: what was due, and whom it goes to."""

    period: Target
    row: SlaTarget
    readers: Sequence[Addressee]


@dataclass
class SlaDecision:
    """Everything that the promises of one case ask for at once, and when to look again."""

    standing: SlaState
    rows: list[SlaTarget] = field(default_factory=list)  # new or changed
    updates: list[Update] = field(default_factory=list)
    reminders: list[Target] = field(default_factory=list)
    watchers: Sequence[Addressee] = ()
    silence: Target | None = None  # the Support Manager is told that nobody speaks
    question_unanswered: bool = False
    unhandled: list[Interaction] = field(default_factory=list)  # words on a resolved case (C7)
    passed_on: list[EscalationRequest] = field(default_factory=list)
    looks: list[datetime] = field(default_factory=list)

    @property
    def case(self) -> Case:
        """The case."""
        return self.standing.life.case

    @property
    def look_again_at(self) -> datetime | None:
        """When the next of its promises wants something."""
        return min(self.looks, default=None)

    @property
    def acts(self) -> bool:
        """Whether anybody is told anything."""
        told = self.updates or self.reminders or self.silence or self.question_unanswered or self.unhandled
        return bool(told or self.passed_on)


class SweepContext:
    """What keeping promises needs to know besides the cases, for one batch at one moment."""

    def __init__(
        self,
        batch: Batch,
        lead: timedelta,
        watchers: Mapping[int, Sequence[Addressee]],
        flagged: Mapping[int, Sequence[Interaction]],
    ) -> None:
        self.batch = batch
        self.now = batch.now
        self.lead = lead
        self.watchers = watchers
        self.flagged = flagged


def decide_sla(standing: SlaState, keeping: SweepContext) -> SlaDecision:
    """What the case's promises ask for at the keeping's moment (T1 to T3, E8, E9)."""
    step = SlaDecision(standing, watchers=keeping.watchers.get(standing.life.case.pk, ()))
    _respond(step, keeping)
    for periods in standing.periods.values():
        for period in periods:
            _keep(step, period, keeping)
    if step.case.is_open:
        _chase_answer(step, keeping.now)
        _chase_decision(step, keeping.now)
    for word in keeping.flagged.get(step.case.pk, ()):
        _chase_word(step, word, keeping.now)
    return step


# --- the first response (T1) ------------------------------------------------------------------------------------


def _respond(step: SlaDecision, keeping: SweepContext) -> None:
    response, row = step.standing.response, step.standing.response_row
    if response is None or (row is not None and row.ended_at is not None):
        return
    missed = response.is_missed(keeping.now)
    if response.ended_at is None and not missed:
        step.looks.append(response.due_at + JUST_AFTER)
        return
    row = row or SlaTarget(
        case=step.case, kind=SlaKind.RESPONSE, member=Member.CUSTOMER, since=response.since, due_at=response.due_at
    )
    kept = SlaOutcome.MET if response.met_at else SlaOutcome.CANCELLED
    changed = not row.outcome or response.ended_at is not None
    if not row.outcome:
        row.due_at = response.due_at
        row.outcome = SlaOutcome.BREACHED if missed else kept
    row.ended_at = response.ended_at
    if response.met_at:
        row.by_id = next((word.by for word in step.standing.words if word.at == response.met_at), None)
    if changed:
        step.rows.append(row)


# --- status updates (T2, T3) ------------------------------------------------------------------------------------


def _keep(step: SlaDecision, period: Target, keeping: SweepContext) -> None:
    row = step.standing.row_of(period)
    if row.ended_at is not None:
        return
    before = row.outcome, row.ended_at, row.due_at
    if not row.outcome:
        row.due_at = period.due_at
        outcome = period.outcome(keeping.now)
        if outcome is not None:
            row.outcome = outcome
            if outcome == SlaOutcome.BREACHED:
                row.in_a_row += 1
            else:
                row.in_a_row, row.manager_told_at = 0, None
    row.ended_at = period.ended_at
    if row.ended_at is not None:
        row.by_id = period.ended_by.by if period.ended_by else None
        _write(step, row)
        _goes_on(step, row)
        return
    told = _act(step, period, row, keeping)
    if told or (row.pk and before != (row.outcome, row.ended_at, row.due_at)) or row.outcome:
        _write(step, row)


def _goes_on(step: SlaDecision, row: SlaTarget) -> None:
    """The next period of the member counts on from this row."""
    step.standing.newest[SlaKind.UPDATE, Member(row.member)] = row
    if row.outcome == SlaOutcome.BREACHED and row.by_id is not None:
        # a person spoke in the end: the silence is over, though the promise stays missed
        row.in_a_row = 0


def _write(step: SlaDecision, row: SlaTarget) -> None:
    if row not in step.rows:
        step.rows.append(row)


def _act(step: SlaDecision, period: Target, row: SlaTarget, keeping: SweepContext) -> bool:
    """What a running period asks for now; when it wants the next look. Returns whether anybody is told."""
    now, readers = keeping.now, _readers(step, period.member, keeping)
    update_at = period.update_at(keeping.lead)
    if period.automatic and readers and update_at <= now:
        _update(step, period, row, readers, keeping)
        return True
    told = False
    by_itself = period.automatic and bool(readers)
    remind_until = update_at if by_itself else period.due_at
    if period.remind_at <= now < remind_until and row.reminded_at is None:
        row.reminded_at = now
        step.reminders.append(period)
        told = True
    told |= _tell_of_silence(step, period, row, now)
    step.looks += _looks(period, row, update_at if by_itself else None, now)
    return told


def _looks(period: Target, row: SlaTarget, update_at: datetime | None, now: datetime) -> list[datetime]:
    looks = []
    if row.reminded_at is None and now < period.remind_at:
        looks.append(period.remind_at)
    if update_at is not None:
        looks.append(update_at)
    elif not row.outcome:
        looks.append(period.due_at + JUST_AFTER)
    elif row.manager_told_at is None and now < period.due_at + period.every:
        looks.append(period.due_at + period.every)
    elif period.automatic:
        looks.append(now + period.every)  # nobody can be written to; somebody may be by then, and gets the update
    return looks


def _readers(step: SlaDecision, member: Member, keeping: SweepContext) -> Sequence[Addressee]:
    return readers_of(step.case, [member], keeping.batch.directory)[member]


def _update(
    step: SlaDecision, period: Target, row: SlaTarget, readers: Sequence[Addressee], keeping: SweepContext
) -> None:
    """The desk says itself how the case stands; whether that keeps the promise, the outbox tells (T3)."""
    if not row.outcome:
        row.in_a_row += 1
    row.updated_at = row.ended_at = keeping.now
    step.updates.append(Update(period, row, readers))
    _tell_of_silence(step, period, row, keeping.now)
    step.looks.append(_first_look(period, keeping))


def _first_look(period: Target, keeping: SweepContext) -> datetime:
    """When the period that begins with the update wants a look: its reminder comes first."""
    following = Target(period.member, keeping.now, period.every, keeping.now + period.every, period.automatic)
    return following.remind_at


def _tell_of_silence(step: SlaDecision, period: Target, row: SlaTarget, now: datetime) -> bool:
    """After two in a row without a person's word the Support Manager is told, once until somebody speaks (T3)."""
    overdue = row.outcome == SlaOutcome.BREACHED and row.updated_at is None and period.due_at + period.every <= now
    if row.in_a_row + overdue < SILENCE or row.manager_told_at is not None or step.silence is not None:
        return False
    if _knows_already(step.standing, row):
        return False
    row.manager_told_at = now
    step.silence = period
    return True


def _knows_already(standing: SlaState, row: SlaTarget) -> bool:
    """Whether the Support Manager was told by another clock of the case, and no person has spoken since."""
    others = [other for other in standing.newest.values() if other is not row and other.in_a_row]
    told_at = max((other.manager_told_at for other in others if other.manager_told_at), default=None)
    return told_at is not None and (standing.spoken_at is None or standing.spoken_at <= told_at)


# --- answers and decisions that stay out (E8, E9, C7) -----------------------------------------------------------


def flagged_words(cases: Iterable[Case]) -> dict[int, list[Interaction]]:
    """What customers said on these cases after they were resolved, and nobody has handled (C7); one query."""
    flagged: dict[int, list[Interaction]] = {}
    resolved = [case.pk for case in cases if not case.is_open]
    if resolved:
        rows = Interaction.objects.filter(case__in=resolved, needs_answer=True, manager_told_at=None)
        for row in rows.select_related("contact").order_by("at", "pk"):
            flagged.setdefault(row.case_id, []).append(row)
    return flagged


def _chase_word(step: SlaDecision, word: Interaction, now: datetime) -> None:
    handled_by = word_handled_by(Severity(step.case.severity), word.at)
    if handled_by <= now:
        step.unhandled.append(word)
    else:
        step.looks.append(handled_by)


def _chase_answer(step: SlaDecision, now: datetime) -> None:
    question = step.standing.life.question
    if question is None or question.manager_told_at is not None:
        return
    if question.answer_by <= now:
        step.question_unanswered = True
    else:
        step.looks.append(question.answer_by)


def _chase_decision(step: SlaDecision, now: datetime) -> None:
    for request in step.standing.life.requests:
        if not request.is_undecided or request.decide_by is None or request.passed_on_at is not None:
            continue
        if request.decide_by <= now:
            step.passed_on.append(request)
        else:
            step.looks.append(request.decide_by)
