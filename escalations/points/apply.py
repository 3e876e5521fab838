"""Carry out the escalation schedule: everything due on one case is one step (E5), once (E6), in batches.

`apply_points` changes a case and what belongs to it in memory; the sweep writes those changes in bulk, in the
transaction that holds the claim. The forecast applies and never writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import F
from simple_history.utils import bulk_create_with_history

from cases.bulk import insert, update_columns
from cases.engine.history import record_many
from cases.engine.sweep import Sweep, Swept, sweep_of_cases
from cases.engine.sweep import run as run_sweep
from cases.enums import Move, Severity
from cases.mail.letters import Letter, post
from cases.models import Case, CaseQuerySet, CaseWatcher
from contacts.enums import Role
from contacts.wording import and_list
from escalations.audience import holders_of, keep_contacts
from escalations.clocks import load_clocks
from escalations.enums import Origin, OwnerAction, QuestionEnd
from escalations.models import Escalation, EscalationRequest, Question
from escalations.points.decide import PointDecision, SweepContext, decide_points
from escalations.points.mail import point_letters
from escalations.policy.cadence import PassedPoint
from escalations.policy.deadlines import ANSWER_WITHIN, DECIDE_WITHIN
from escalations.policy.schedule import cadence_minutes


def escalate(now: datetime) -> Swept:
    """Carry out every escalation point that is due (E1, E5, E6)."""
    return run_sweep(SWEEP, now)


def carry_out(case: Case, now: datetime, accepted: EscalationRequest) -> frozenset[str]:
    """Carry out what is due on one case, locked by the caller, in the caller's transaction, as the sweep would (E9).

    `case` comes with its company, contact and owner; whoever is mailed reads what was `accepted`. Returns the addresses
    that are mailed, in lower case.
    """
    (changes,) = _carry_out([case], SweepContext(now, accepted))
    return frozenset(letter.to.address.lower() for letter in changes.letters)


def _due(now: datetime) -> CaseQuerySet:
    return Case.objects.due_for_escalation(now)


def _work(cases: Sequence[Case], now: datetime) -> int:
    return sum(bool(changes.decision.dues) for changes in _carry_out(cases, SweepContext(now)))


def _carry_out(cases: Sequence[Case], context: SweepContext) -> list[PointChanges]:
    clocks = load_clocks(cases)
    decisions = [decide_points(clocks[case.pk], context) for case in cases]
    changes = [apply_points(decision, context) for decision in decisions]
    _persist(changes, context.now)
    return changes


# --- in memory --------------------------------------------------------------------------------------------------


@dataclass
class PointChanges:
    """What an applied decision has changed in memory, for whoever writes or reports it. New rows are unsaved."""

    decision: PointDecision
    letters: list[Letter]
    ledger: list[Escalation]
    asked: Question | None = None
    ended: Question | None = None
    reassigned: Question | None = None
    left_to_decide: EscalationRequest | None = None
    closed: list[EscalationRequest] = field(default_factory=list)


def apply_points(decision: PointDecision, context: SweepContext) -> PointChanges:
    """Change the case, its ledger, question and requests in memory as decided. No query but for the directory."""
    _apply_to_case(decision, context.now)
    _keep_contacts(decision, context)
    letters = point_letters(decision, context)
    rows = ledger_rows(decision, context.now, mailed=sorted(letter.to.address for letter in letters))
    changes = PointChanges(decision, letters, rows)
    _apply_to_ledger(changes, context.now)
    _apply_to_question(changes, context.now)
    _apply_to_requests(changes, context.now)
    if changes.ledger or changes.closed:
        decision.clock.changed()
    return changes


def _apply_to_case(decision: PointDecision, now: datetime) -> None:
    case = decision.case
    if decision.dues or decision.cadence != case.update_cadence:
        case.nudge(now, "sla")
    case.escalation_check_at, case.update_cadence = decision.check_at, decision.cadence
    case.set_next_due()
    if decision.new_owner:
        case.owner = decision.new_owner


def _keep_contacts(decision: PointDecision, context: SweepContext) -> None:
    """Whoever is mailed for a role stays the case's contact for it while the run lasts (D4)."""
    case = decision.case
    keep_contacts(case, {}, decision.run)  # those of an earlier run are forgotten before anybody is looked up
    mailed = {role for due in decision.effective for role in due.point.mailed}
    keep_contacts(case, {role: holders_of([role], case, context.directory) for role in mailed}, decision.run)


def ledger_rows(decision: PointDecision, now: datetime, mailed: Sequence[str]) -> list[Escalation]:
    """What the ledger keeps of each due point, unsaved (E6). `mailed` are the addresses that are written to."""
    timeline = decision.clock.timeline
    rows = []
    for due in decision.dues:
        assert timeline is not None
        effective = decision.is_effective(due)
        rows.append(
            Escalation(
                case=decision.case,
                run=due.run,
                severity=due.point.severity,
                number=due.point.number,
                schedule_version=timeline.at(due.due_at).version,
                due_at=due.due_at,
                done_at=now,
                carried_out=effective,
                cadence=cadence_minutes(due.point.cadence),
                asked=decision.asked if effective else None,
                owner_before=decision.owner_before,
                owner_after=decision.owner_after,
                mailed=mailed if effective else [],
            )
        )
    return rows


def _apply_to_ledger(changes: PointChanges, now: datetime) -> None:
    clock = changes.decision.clock
    for due, row in zip(changes.decision.dues, changes.ledger, strict=True):
        clock.ledger[due.key] = row
        director = row.carried_out and Role.CS_DIRECTOR in due.point.mailed
        clock.passed.append(PassedPoint(*due.key, due.due_at, now, due.point.cadence, director))


def _apply_to_question(changes: PointChanges, now: datetime) -> None:
    """A newer question ends an older one, as the end of the case does; a new owner takes it over (E8)."""
    decision = changes.decision
    clock, owner, question = decision.clock, decision.owner_after, decision.clock.question
    if question is not None and (decision.asks_owner or clock.question_is_over):
        question.ended_at = now
        question.end = QuestionEnd.SUPERSEDED if decision.asks_owner else QuestionEnd.RESOLVED
        changes.ended, clock.question = question, None
    if decision.asks_owner:
        changes.asked = clock.question = _question(decision, now)
    elif question is not None and decision.new_assignee is not None:
        question.first_asked = question.first_asked or question.asked
        question.asked = decision.new_assignee
        question.stands_in_for = owner if owner != decision.new_assignee else None
        changes.reassigned = question


def _question(decision: PointDecision, now: datetime) -> Question:
    severity, owner = Severity(decision.highest.point.severity), decision.owner_after
    return Question(
        case=decision.case,
        point=decision.highest.point.name,
        severity=severity,
        asked=decision.asked,
        stands_in_for=owner if owner != decision.asked else None,
        asked_at=now,
        answer_by=now + ANSWER_WITHIN[severity],
    )


def _apply_to_requests(changes: PointChanges, now: datetime) -> None:
    """Leave one open decision to the Support Manager (E1); on a resolved case nothing is left to decide (E9)."""
    decision, requests = changes.decision, changes.decision.clock.requests
    if decision.leaves_to_decide and not any(one.is_undecided and one.is_decision for one in requests):
        reason = f"{decision.leaves_to_decide} says: additional escalation where appropriate."
        changes.left_to_decide = EscalationRequest(
            case=decision.case,
            origin=Origin.SCHEDULE,
            reason=reason,
            requested_at=now,
            decide_by=now + DECIDE_WITHIN[Severity(decision.case.severity)],
        )
        requests.append(changes.left_to_decide)
    if not decision.case.is_open:
        changes.closed = [one for one in requests if one.closed_at is None and one.is_running]
        for request in changes.closed:
            request.close(now)


# --- in the database --------------------------------------------------------------------------------------------


def _persist(changes: Sequence[PointChanges], now: datetime) -> None:
    """Write what a batch has changed, in bulk."""
    insert([row for change in changes for row in change.ledger])
    _persist_cases([change.decision for change in changes], now)
    _persist_questions(changes)
    _persist_requests(changes, now)
    post((letter for change in changes for letter in change.letters), now)


def _persist_cases(decisions: Sequence[PointDecision], now: datetime) -> None:
    """Only a case on which a point was due gets a history row (C5). A former owner goes on watching it (E7)."""
    columns = [
        *("escalation_check_at", "update_cadence", "role_contacts"),
        *("sla_check_at", "sla_due_at", "next_due_at"),
    ]
    update_columns([one.case for one in decisions if not one.dues], columns)
    reasons = {one.case.pk: _history_reason(one) for one in decisions if one.dues}
    stepped = [one.case for one in decisions if one.dues]
    record_many(stepped, [*columns, "owner"], Move.ESCALATED, lambda case: reasons[case.pk], now)
    transferred = [one for one in decisions if one.new_owner]
    if transferred:
        watchers = (CaseWatcher(case=one.case, user=one.former_owner, since=now) for one in transferred)
        CaseWatcher.objects.bulk_create((one for one in watchers if one.user_id), ignore_conflicts=True)
        CaseWatcher.objects.filter(case__in=[one.case.pk for one in transferred], user=F("case__owner")).delete()


def _history_reason(decision: PointDecision) -> str:
    """No moment: a stored text cannot know its reader's zone. When the points were due shows `points.timeline`."""
    names = and_list(due.point.name for due in decision.dues)
    if not decision.effective:
        return f"Recorded without telling anybody: {names}."
    reason = f"Reached {names}."
    if decision.new_owner:
        former = decision.former_owner or "nobody"
        reason += f" Ownership from {former} to {decision.new_owner}: {decision.owner_reason}."
    elif decision.no_l3:
        reason += " There is no L3 technician, so the owner stays."
    elif any(due.point.owner == OwnerAction.TO_L3 for due in decision.effective):
        reason += " The owner is L3 and keeps the case."
    if decision.asked:
        reason += f" {decision.asked} is asked for the status."
    return reason


def _persist_questions(changes: Sequence[PointChanges]) -> None:
    """The older question ends before the newer one is inserted: one open question a case."""
    update_columns([change.ended for change in changes if change.ended], ["ended_at", "end"])
    insert([change.asked for change in changes if change.asked])
    update_columns(
        [change.reassigned for change in changes if change.reassigned], ["asked", "first_asked", "stands_in_for"]
    )


def _persist_requests(changes: Sequence[PointChanges], now: datetime) -> None:
    rows = [change.left_to_decide for change in changes if change.left_to_decide]
    if rows:
        bulk_create_with_history(rows, EscalationRequest, default_date=now, default_change_reason="Left to decide.")
    for request in (request for change in changes for request in change.closed):
        request._history_date = now  # type: ignore[attr-defined]
        request._change_reason = "The case was resolved."  # type: ignore[attr-defined]
        request.save()


SWEEP = sweep_of_cases(10, Sweep("escalate", _due, "escalation_check_at", _work))
