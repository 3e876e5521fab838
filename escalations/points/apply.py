"""Carrying out the schedule: everything due on one case is one step (E5), once (E6), in batches.

A step writes the ledger rows with the times they were due and done, the rhythm of status updates, the owner and the
watchers, the question to the owner (E8), the decision that is left to the Support Manager (E1), one history row and
one mail per person, all in the transaction that holds the claim.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import F
from simple_history.utils import bulk_create_with_history

from cases.bulk import insert, update_columns
from cases.engine.history import record_many
from cases.engine.sweep import RETRY_AFTER, Sweep, Swept
from cases.engine.sweep import run as run_sweep
from cases.enums import Move, Severity
from cases.mail.letters import post
from cases.models import Case, CaseQuerySet, CaseWatcher
from contacts.models import User
from escalations.clocks import CaseClock, Versions, load_clocks
from escalations.enums import Origin, OwnerAction, QuestionEnd
from escalations.models import Escalation, EscalationRequest, Question
from escalations.points.decide import Batch, PointDecision, decide, inherited
from escalations.points.mail import inheritance_letters, step_letters
from escalations.policy.deadlines import ANSWER_WITHIN
from escalations.policy.schedule import cadence_minutes


def escalate(now: datetime) -> Swept:
    """Carry out every escalation point that is due (E1, E5, E6)."""
    return run_sweep(SWEEP, now)


def carry_out(case: Case, now: datetime) -> bool:
    """Carry out what is due on one case, locked by the caller, in the caller's transaction, as the sweep would (E9).

    `case` comes with its company, contact and owner. Returns whether anything was due.
    """
    return _step([case], now) == 1


def _due(now: datetime) -> CaseQuerySet:
    return Case.objects.due_for_escalation(now)


def _step(cases: Sequence[Case], now: datetime) -> int:
    versions = Versions()
    lives = load_clocks(cases, versions)
    batch = Batch(now)
    steps: list[PointDecision] = []
    for case in cases:
        life = lives[case.pk]
        if life.timeline is None:  # nothing was put in force yet: the case must not be forgotten when it is
            case.escalation_check_at = now + RETRY_AFTER
            continue
        step = decide(life, batch)
        if step.dues:
            steps.append(step)
    _write(steps, batch)
    stepped = {step.case.pk for step in steps}
    quiet = [case for case in cases if case.pk not in stepped]
    update_columns(quiet, ["escalation_check_at", "update_cadence", "sla_check_at"])
    _settle_questions([lives[case.pk] for case in quiet if lives[case.pk].timeline], batch)
    _close_requests([life for life in lives.values() if not life.case.is_open], now)
    return len(steps)


def _write(steps: Sequence[PointDecision], batch: Batch) -> None:
    """Everything the steps come to, in bulk."""
    if not steps:
        return
    letters = [letter for step in steps for letter in step_letters(step, batch)]
    insert([ledger_row(step, number, batch.now) for step in steps for number in range(len(step.dues))])
    CaseWatcher.objects.bulk_create(
        (
            CaseWatcher(case=step.case, user=step.former_owner, since=batch.now)
            for step in steps
            if step.new_owner and step.former_owner
        ),
        ignore_conflicts=True,
    )
    said = {step.case.pk: _said(step) for step in steps}
    fields = ["escalation_check_at", "update_cadence", "owner", "sla_check_at"]
    record_many([step.case for step in steps], fields, Move.ESCALATED, lambda case: said[case.pk], batch.now)
    moved = [step.case.pk for step in steps if step.new_owner]
    CaseWatcher.objects.filter(case__in=moved, user=F("case__owner")).delete()  # whoever owns it need not watch it
    _ask([step for step in steps if step.asks], batch.now)
    _leave_to_decide(steps, batch.now)
    _reassign_questions(steps)
    _settle_questions([step.life for step in steps if not step.asks and not step.new_assignee], batch)
    post(letters, batch.now)


def ledger_row(step: PointDecision, number: int, now: datetime) -> Escalation:
    """What the ledger keeps of one of the step's points, unsaved (E6)."""
    due = step.dues[number]
    effective = step.is_effective(due)
    assert step.life.timeline is not None
    return Escalation(
        case=step.case,
        run=due.run,
        severity=due.point.severity,
        number=due.point.number,
        schedule_version=step.life.timeline.at(due.due_at).version,
        due_at=due.due_at,
        done_at=now,
        carried_out=effective,
        cadence=cadence_minutes(due.point.cadence),
        asked=step.asked if effective else None,
        owner_before=step.former_owner if step.new_owner else step.case.owner,
        owner_after=step.case.owner,
        mailed=step.mailed if effective else [],
    )


def _said(step: PointDecision) -> str:
    """The step in words, for the history (C5)."""
    names = ", ".join(f"{due.point.name} (due {due.due_at:%Y-%m-%d %H:%M} UTC)" for due in step.dues)
    if not step.effective:
        return f"Recorded without telling anybody: {names}."
    said = f"Reached {names}."
    if step.new_owner:
        said += f" Ownership from {step.former_owner or 'nobody'} to {step.new_owner}: {step.why_owner}."
    elif step.no_l3:
        said += " There is no L3 technician, so the owner stays."
    elif any(due.point.owner == OwnerAction.TO_L3 for due in step.effective):
        said += " The owner is L3 and keeps the case."
    if step.asked:
        said += f" {step.asked} is asked for the status."
    return said


# --- questions (E8) ---------------------------------------------------------------------------------------------


def _ask(steps: Sequence[PointDecision], now: datetime) -> None:
    """A question to each; an older one that is still open ends, as a newer one takes its place."""
    if not steps:
        return
    older = [step.life.question.pk for step in steps if step.life.question]
    _end_questions(older, QuestionEnd.SUPERSEDED, now)
    insert([question_of(step, now) for step in steps])


def question_of(step: PointDecision, now: datetime) -> Question:
    """The question that a step asks its owner, unsaved (E8)."""
    severity = Severity(step.highest.point.severity)
    owner = step.case.owner
    return Question(
        case=step.case,
        point=step.highest.point.name,
        severity=severity,
        asked=step.asked,
        stands_in_for=owner if owner != step.asked else None,
        asked_at=now,
        answer_by=now + ANSWER_WITHIN[severity],
    )


def _settle_questions(lives: Iterable[CaseClock], batch: Batch) -> None:
    """Open questions of resolved cases end; of cases that have a new owner, the new owner inherits them."""
    with_question = [life for life in lives if life.question]
    ended = [life.question.pk for life in with_question if life.question and life.question_is_over]
    _end_questions(ended, QuestionEnd.RESOLVED, batch.now)
    for life in with_question:
        new_assignee = inherited(life, batch)
        if new_assignee is not None:
            _pass_to(new_assignee, life)
            post(inheritance_letters(life, new_assignee, batch), batch.now)


def _reassign_questions(steps: Sequence[PointDecision]) -> None:
    """Whoever owns the case after the step inherits its question; the letter of the step says so (E5)."""
    for step in steps:
        if step.new_assignee is not None:
            _pass_to(step.new_assignee, step.life)


def _pass_to(new_assignee: User, life: CaseClock) -> None:
    assert life.question is not None
    owner = life.case.owner
    stands_in_for = owner if owner != new_assignee else None
    Question.objects.filter(pk=life.question.pk).update(asked=new_assignee, stands_in_for=stands_in_for)


def _end_questions(keys: Sequence[int], end: QuestionEnd, now: datetime) -> None:
    if keys:
        Question.objects.filter(pk__in=keys, ended_at=None).update(ended_at=now, end=end)


# --- requests and decisions (E1, E9) ----------------------------------------------------------------------------


def _leave_to_decide(steps: Sequence[PointDecision], now: datetime) -> None:
    """“Additional escalation where appropriate”: an open decision for the Support Manager, one a case (E1)."""
    rows = [
        EscalationRequest(
            case=step.case,
            origin=Origin.SCHEDULE,
            reason=f"{step.leaves_to_decide} says: additional escalation where appropriate.",
            requested_at=now,
        )
        for step in steps
        if step.leaves_to_decide and not any(one.is_undecided and one.is_decision for one in step.life.requests)
    ]
    if rows:
        bulk_create_with_history(rows, EscalationRequest, default_date=now, default_change_reason="Left to decide.")


def _close_requests(lives: Iterable[CaseClock], now: datetime) -> None:
    """On a resolved case nothing is left to decide, and management's attention ends (E9)."""
    for life in lives:
        for request in life.requests:
            if request.closed_at is None and request.is_running:
                request.close(now)
                request._history_date = now  # type: ignore[attr-defined]
                request._change_reason = "The case was resolved."  # type: ignore[attr-defined]
                request.save()


SWEEP = Sweep("escalate", _due, "escalation_check_at", _step)
