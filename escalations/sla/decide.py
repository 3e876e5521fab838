"""Decide what the SLA targets of a case ask for now: reminders, the desk's own updates, missed targets, and what the
Support Manager is told (T1 to T5, E8, E9, C7).

Reads what is loaded and changes nothing: `escalations.sla.apply` carries a decision out.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cases.enums import Severity
from cases.models import Case, Interaction
from cases.policy.first_response import Response, word_handled_by
from contacts.directory import Addressee
from escalations.audience import readers_of
from escalations.enums import Member, SlaKind, SlaOutcome
from escalations.models import EscalationRequest, SlaTarget
from escalations.points.decide import SweepContext
from escalations.policy.sla import Target, TurningPoint, turning_point
from escalations.sla.state import ClockKey, SlaState, desk_updates_at, row_after

#: An event at the moment of a deadline is in time, so a target counts as missed only after it.
JUST_AFTER = timedelta(seconds=1)
#: After so many updates in a row without a person's word the Support Manager is told (T3).
SILENCE = 2
#: While nobody speaks the Support Manager is told again after this time (T3).
TELL_AGAIN = timedelta(hours=24)


@dataclass(frozen=True)
class Reminder:
    """What the owner is reminded of: a status update, or the first response (T1, T3)."""

    member: Member
    due_at: datetime
    automatic: bool = False  # whether the desk sends it when nobody else does
    every: timedelta | None = None  # None for the first response

    @property
    def owed_to(self) -> str:
        """Who is owed it, and what if that is no update."""
        return self.member.label if self.every else f"{self.member.label}: first response"


@dataclass
class Update:
    """The desk's own update to one member: the target it answers, its ledger row and who gets it."""

    target: Target
    row: SlaTarget
    readers: Sequence[Addressee]


@dataclass
class SlaDecision:
    """Everything that the SLA targets of one case ask for at once. Rows are new, or changed copies."""

    state: SlaState
    newest: dict[ClockKey, SlaTarget]  # the last row of each clock, as the decision leaves it
    rows: list[SlaTarget] = field(default_factory=list)  # to be written
    updates: list[Update] = field(default_factory=list)
    reminders: list[Reminder] = field(default_factory=list)
    missed_response: SlaTarget | None = None  # tell the Support Manager that nobody responded in time
    turn: TurningPoint | None = None  # tell everybody who is owed updates
    silence: Target | None = None  # tell the Support Manager that nobody speaks
    question_unanswered: bool = False
    unhandled: list[Interaction] = field(default_factory=list)  # of the flagged contacts (C7)
    passed_on: list[EscalationRequest] = field(default_factory=list)
    checks: list[datetime] = field(default_factory=list)  # when something is to be done or seen next
    dues: list[datetime] = field(default_factory=list)  # when what people owe is due, overdue or not

    @property
    def case(self) -> Case:
        """The case that is decided on."""
        return self.state.clock.case

    @property
    def check_at(self) -> datetime | None:
        """When the sweep looks at the case again."""
        return min(self.checks, default=None)

    @property
    def due_at(self) -> datetime | None:
        """When the soonest of what people owe on the case is due (W2)."""
        return min(self.dues, default=None)

    @property
    def acts(self) -> bool:
        """Whether anybody is written to."""
        mailed = self.updates or self.reminders or self.silence or self.question_unanswered or self.unhandled
        return bool(mailed or self.passed_on or self.missed_response or self.turn)


def decide_sla(state: SlaState, context: SweepContext) -> SlaDecision:
    """What the targets, question, requests and flagged contacts of a case ask for at the context's moment."""
    decision = SlaDecision(state, dict(state.newest))
    _decide_response(decision, context.now)
    for targets in state.targets.values():
        for target in targets:
            _decide_target(decision, target, context)
    _take_back(decision, context.now)
    _decide_turn(decision)
    if decision.case.is_open:
        _chase_answer(decision, context.now)
        _chase_requests(decision, context.now)
    for contact in state.flagged:
        _chase_flagged(decision, contact, context.now)
    return decision


def _take_back(decision: SlaDecision, now: datetime) -> None:
    """Write what a person's mail had ended that reached nobody: the newest rows run on; of earlier ones those are
    missed that nothing else kept until they were due, as far as no mail server took the mail (T1, T2).
    """
    state = decision.state
    written = {(SlaKind(row.kind), Member(row.member), row.since) for row in decision.rows}
    for key in state.reopened:
        row = state.newest[key]
        if (*key, row.since) not in written:
            decision.rows.append(copy(row))
    for row in state.unkept:
        if row.due_at < now:
            missed = copy(row)
            missed.outcome = SlaOutcome.BREACHED
            decision.rows.append(missed)
        else:
            decision.checks.append(row.due_at + JUST_AFTER)


# --- the first response (T1) ------------------------------------------------------------------------------------


def _decide_response(decision: SlaDecision, now: datetime) -> None:
    state = decision.state
    response, known = state.response, state.response_row
    if response is None or (known is not None and known.ended_at is not None):
        return
    missed = response.is_missed(now)
    if response.ended_at is None:
        decision.dues.append(response.due_at)
    if response.ended_at is None and not missed:
        _remind_of_response(decision, response, known, now)
    elif known is None or not known.outcome or response.ended_at is not None:
        row = _response_row(decision, response, known)
        if not row.outcome:
            met = SlaOutcome.MET if response.met_at else SlaOutcome.CANCELLED
            row.due_at, row.outcome = response.due_at, SlaOutcome.BREACHED if missed else met
            if missed and response.ended_at is None:
                row.manager_told_at, decision.missed_response = now, row
        row.ended_at = response.ended_at
        if response.met_at:
            row.by_id = next((one.by for one in state.touchpoints if one.at == response.met_at), None)
        decision.rows.append(row)


def _response_row(decision: SlaDecision, response: Response, known: SlaTarget | None) -> SlaTarget:
    """A copy of the ledger row of the first response, or a new one."""
    if known is not None:
        return copy(known)
    return SlaTarget(case=decision.case, kind=SlaKind.RESPONSE, member=Member.CUSTOMER, since=response.since)


def _remind_of_response(decision: SlaDecision, response: Response, known: SlaTarget | None, now: datetime) -> None:
    """Remind the owner at 75 % of the target, once (T1)."""
    if (known is None or known.reminded_at is None) and response.remind_at <= now:
        row = _response_row(decision, response, known)
        row.due_at, row.reminded_at = response.due_at, now
        decision.rows.append(row)
        decision.reminders.append(Reminder(Member.CUSTOMER, response.due_at))
    decision.checks.append(response.remind_at if now < response.remind_at else response.due_at + JUST_AFTER)


# --- turning points (T5) ----------------------------------------------------------------------------------------


def _decide_turn(decision: SlaDecision) -> None:
    """Tell a turning point once; not one from before the case was taken over or its updates were promised."""
    clock, case = decision.state.clock, decision.case
    turn = turning_point(clock.snapshots) if clock.timeline is not None else None
    told_until = max((at for at in (case.turn_told_at, case.sla_counts_from) if at), default=None)
    if turn is not None and (told_until is None or told_until < turn.at):
        decision.turn = turn


# --- status updates (T2, T3) ------------------------------------------------------------------------------------


def _decide_target(decision: SlaDecision, target: Target, context: SweepContext) -> None:
    key = (SlaKind.UPDATE, target.member)
    newest = decision.newest.get(key)
    row = row_after(newest, target, decision.case)
    if row.ended_at is not None:
        return
    due_at_before = row.due_at
    if not row.outcome:
        row.due_at = target.due_at
        _settle_outcome(row, target.outcome(context.now))
    if target.ended_at is not None:
        _end(row, target)
        decision.rows.append(row)
        decision.newest[key] = row
        return
    told = _act(decision, target, row, context)
    if told or row.outcome or (row.pk and row.due_at != due_at_before):
        decision.rows.append(row)
    if newest is not None and newest.since == row.since:
        decision.newest[key] = row


def _settle_outcome(row: SlaTarget, outcome: SlaOutcome | None) -> None:
    if outcome is None:
        return
    row.outcome = outcome
    if outcome == SlaOutcome.BREACHED:
        row.in_a_row += 1
    else:
        row.in_a_row, row.manager_told_at = 0, None


def _end(row: SlaTarget, target: Target) -> None:
    row.ended_at = target.ended_at
    row.by_id = target.ended_by.by if target.ended_by else None
    if row.outcome == SlaOutcome.BREACHED and row.by_id is not None:
        row.in_a_row = 0  # a person spoke in the end: the silence is over, though the target stays missed


def _act(decision: SlaDecision, target: Target, row: SlaTarget, context: SweepContext) -> bool:
    """Do what a running target asks for now, and note when to check it next. Returns whether anybody is told."""
    now, member = context.now, target.member
    readers = readers_of(decision.case, [member], context.directory)[member]
    update_at = desk_updates_at(target, readers) if target.automatic and readers else None
    if update_at is not None and update_at <= now:
        _update(decision, target, row, readers, now)
        return True
    decision.dues.append(target.due_at)
    told = False
    if target.remind_at <= now < (update_at or target.due_at) and row.reminded_at is None:
        row.reminded_at = now
        decision.reminders.append(Reminder(member, target.due_at, target.automatic, target.every))
        told = True
    told |= _tell_of_silence(decision, target, row, now)
    decision.checks += _checks(target, row, update_at, now)
    return told


def _checks(target: Target, row: SlaTarget, update_at: datetime | None, now: datetime) -> list[datetime]:
    checks = []
    if row.reminded_at is None and now < target.remind_at:
        checks.append(target.remind_at)
    if update_at is not None:
        checks.append(update_at)
    elif not row.outcome:
        checks.append(target.due_at + JUST_AFTER)
    elif row.manager_told_at is None and now < target.due_at + target.every:
        checks.append(target.due_at + target.every)
    elif target.automatic:
        checks.append(now + target.every)  # nobody can be written to; somebody may be by then, and gets the update
    return checks


def _update(decision: SlaDecision, target: Target, row: SlaTarget, readers: Sequence[Addressee], now: datetime) -> None:
    """The desk sends the update itself; whether that meets the target depends on when the mail leaves (T3)."""
    if not row.outcome:
        row.in_a_row += 1
    row.updated_at = row.ended_at = now
    decision.updates.append(Update(target, row, readers))
    _tell_of_silence(decision, target, row, now)
    following = Target(target.member, now, target.every, now + target.every, target.automatic)
    decision.checks.append(min(following.remind_at, desk_updates_at(following, readers)))
    decision.dues.append(following.due_at)


def _tell_of_silence(decision: SlaDecision, target: Target, row: SlaTarget, now: datetime) -> bool:
    """After two in a row without a person's word the Support Manager is told, and again every 24 h (T3)."""
    overdue = row.outcome == SlaOutcome.BREACHED and row.updated_at is None and target.due_at + target.every <= now
    if row.in_a_row + overdue < SILENCE:
        return False
    told_at = now if decision.silence is not None else _manager_told_at(decision, target.member, row)
    tells = told_at is None or told_at + TELL_AGAIN <= now
    if tells:
        row.manager_told_at = told_at = now
        decision.silence = target
    assert told_at is not None
    decision.checks.append(told_at + TELL_AGAIN)
    return tells


def _manager_told_at(decision: SlaDecision, member: Member, row: SlaTarget) -> datetime | None:
    """When the Support Manager was last told, because of this member, or of another one and no person spoke since."""
    own = (SlaKind.UPDATE, member)
    others = [other for key, other in decision.newest.items() if key[0] == SlaKind.UPDATE and key != own]
    told = [other.manager_told_at for other in others if other.in_a_row and other.manager_told_at]
    spoken_at = decision.state.spoken_at
    known = [at for at in told if spoken_at is None or spoken_at <= at]
    return max([*known, *([row.manager_told_at] if row.manager_told_at else [])], default=None)


# --- answers, decisions and contacts that nobody handles (E8, E9, C7) -------------------------------------------


def _chase_answer(decision: SlaDecision, now: datetime) -> None:
    question = decision.state.clock.question
    if question is not None and not decision.state.clock.question_is_over:
        decision.dues.append(question.answer_by)
    if question is None or question.manager_told_at is not None:
        return
    if question.answer_by <= now:
        decision.question_unanswered = True
    else:
        decision.checks.append(question.answer_by)


def _chase_requests(decision: SlaDecision, now: datetime) -> None:
    for request in decision.state.clock.requests:
        if request.is_undecided and request.decide_by is not None:
            decision.dues.append(request.decide_by)
        if not request.is_undecided or request.decide_by is None or request.passed_on_at is not None:
            continue
        if request.decide_by <= now:
            decision.passed_on.append(request)
        else:
            decision.checks.append(request.decide_by)


def _chase_flagged(decision: SlaDecision, contact: Interaction, now: datetime) -> None:
    handled_by = word_handled_by(Severity(decision.case.severity), contact.logged_at)
    decision.dues.append(handled_by)
    if handled_by <= now:
        decision.unhandled.append(contact)
    else:
        decision.checks.append(handled_by)
