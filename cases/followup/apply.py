"""Follows up waiting customers: carries out each step of a plan once, then closes the case (F2 to F7).

`apply_follow_up` decides and changes a case in memory. The sweep persists its outcome; the forecast only reports it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cases.bulk import update_columns
from cases.engine.history import record_many
from cases.engine.sweep import Sweep, Swept, run, sweep_of_cases
from cases.enums import FollowUpStep, Move, Resolution
from cases.followup.mail import StepMails, build_step_mails
from cases.followup.state import load_waits
from cases.mail.announcements import resolved_letters
from cases.mail.letters import Letter, as_mail, post
from cases.models import Case, CaseQuerySet, FollowUp, Mail
from cases.policy.followup.plans import apply_decision, decide_follow_up
from cases.policy.followup.wait import DueStep, FollowUpDecision, Wait
from contacts.directory import Directory

CLOSED_FIELDS = (
    *("status", "resolution", "agreed_by", "solution", "resolved_at", "waiting_since", "waited_seconds"),
    *("escalation_check_at", "sla_check_at", "sla_due_at", "next_due_at"),
)


@dataclass(frozen=True)
class FollowUpOutcome:
    """What following up one case came to. `case` is changed in memory, nothing is written yet.

    `before` and `after` are its wait around the step that was due, if one was; the step's mail has not left yet.
    """

    case: Case
    before: Wait | None
    after: Wait | None
    decision: FollowUpDecision
    mails: StepMails = field(default_factory=StepMails)
    closing_letters: list[Letter] = field(default_factory=list)

    @property
    def closes(self) -> bool:
        """Whether the case was resolved for no response."""
        return self.decision.due is not None and self.decision.due.step == FollowUpStep.RESOLVE


def apply_follow_up(case: Case, wait: Wait | None, now: datetime, directory: Directory) -> FollowUpOutcome:
    """Decide what the wait of a case asks for at `now` (UTC), and change `case` in memory accordingly (F2 to F7).

    `wait` is None for a case that does not wait: it is not checked again.
    """
    decision = decide_follow_up(wait, now) if wait is not None else FollowUpDecision()
    case.follow_up_check_at = decision.check_at
    if wait is None or decision.due is None:
        return FollowUpOutcome(case, wait, wait, decision)
    if decision.due.step == FollowUpStep.RESOLVE:
        case.resolve(Resolution.NO_RESPONSE, "", now)
        case.nudge(now, "escalation", "sla")
        return FollowUpOutcome(case, wait, None, decision, closing_letters=resolved_letters(case))
    mails = build_step_mails(case, wait, decision.due, now, directory)
    after = apply_decision(wait, decision, now, lost=mails.lost)
    upcoming = decide_follow_up(after, now)
    case.follow_up_check_at = now if upcoming.due is not None else upcoming.check_at
    return FollowUpOutcome(case, wait, after, decision, mails)


def follow_up(now: datetime) -> Swept:
    """Carry out every step that is due and close every case whose plan has run out (F2 to F5, F7)."""
    return run(SWEEP, now)


def _due(now: datetime) -> CaseQuerySet:
    return Case.objects.due_for_follow_up(now)


def _work(cases: Sequence[Case], now: datetime) -> int:
    waits, directory = load_waits(cases), Directory()
    outcomes = [apply_follow_up(case, waits.get(case.pk), now, directory) for case in cases]
    steps = [outcome for outcome in outcomes if outcome.decision.due is not None and not outcome.closes]
    closings = [outcome for outcome in outcomes if outcome.closes]
    if steps:
        _write_steps(steps, now)
    if closings:
        _write_closings(closings, now)
    for case in cases:
        case.set_next_due()
    update_columns(cases, ["follow_up_check_at", "next_due_at"])
    return len(steps) + len(closings)


def _write_steps(outcomes: Sequence[FollowUpOutcome], now: datetime) -> None:
    rows = [row for outcome in outcomes for row in _ledger_rows(outcome, now)]
    Mail.objects.bulk_create([row.mail for row in rows if row.mail is not None], batch_size=500)
    FollowUp.objects.bulk_create(rows, batch_size=500)
    post([letter for outcome in outcomes for letter in outcome.mails.others], now)
    decisions = {outcome.case.pk: outcome.decision for outcome in outcomes}
    cases = [outcome.case for outcome in outcomes]
    record_many(cases, [], Move.FOLLOWED_UP, lambda case: _history_text(decisions[case.pk]), now)


def _ledger_rows(outcome: FollowUpOutcome, now: datetime) -> list[FollowUp]:
    """The step, unsaved and with its unsaved mail, after the steps that it supersedes (F7)."""
    assert outcome.decision.due is not None
    superseded = [_ledger_row(outcome, step, now) for step in outcome.decision.superseded]
    for row in superseded:
        row.superseded = True
    done = _ledger_row(outcome, outcome.decision.due, now)
    done.closes_at = outcome.mails.closes_at
    done.mail = as_mail(outcome.mails.main, now) if outcome.mails.main is not None else None
    return [*superseded, done]


def _ledger_row(outcome: FollowUpOutcome, step: DueStep, now: datetime) -> FollowUp:
    assert outcome.before is not None
    return FollowUp(
        case=outcome.case,
        episode=outcome.case.wait_episode,
        step=step.step,
        time=outcome.before.times_done(step.step) + 1,
        due_at=step.due_at,
        done_at=now,
    )


def _history_text(decision: FollowUpDecision) -> str:
    """No moment: a stored text cannot know its reader's zone. When the step was due shows `followup.timeline`."""
    assert decision.due is not None
    text = decision.due.step.label
    if decision.superseded:
        text += f"; it stands for {', '.join(step.step.label.lower() for step in decision.superseded)} as well"
    return text + "."


def _write_closings(outcomes: Sequence[FollowUpOutcome], now: datetime) -> None:
    """Resolved for no response, by the same transition as by hand (C4, F2, F4)."""
    FollowUp.objects.bulk_create([row for outcome in outcomes for row in _ledger_rows(outcome, now)], batch_size=500)
    cases = [outcome.case for outcome in outcomes]
    record_many(cases, CLOSED_FIELDS, Move.RESOLVED, lambda case: "No response from the customer.", now)
    post([letter for outcome in outcomes for letter in outcome.closing_letters], now)


SWEEP = sweep_of_cases(20, Sweep("follow-up", _due, "follow_up_check_at", _work))
