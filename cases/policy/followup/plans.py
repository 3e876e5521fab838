"""Decides what a wait asks for, whatever its plan, and looks ahead to the steps that follow. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from cases.enums import FollowUpStep, WaitPlan, WaitReason
from cases.policy.followup.absences import owner_decides_at
from cases.policy.followup.held_up import manager_told_at, needs_another_contact, why_held_up
from cases.policy.followup.pending_client_action import MAY_LEAVE_LATE, closing_after_final, pending_client_action
from cases.policy.followup.three_contacts import ATTEMPTS, attempts_made, closing_to_announce, leaves_by, three_contacts
from cases.policy.followup.wait import WARNING_PERIOD, DoneStep, DueStep, FollowUpDecision, Wait

#: The plan that a reason picks; a technician may choose the other (F1).
PLAN_FOR = {
    WaitReason.INFORMATION: WaitPlan.THREE_CONTACTS,
    WaitReason.CANNOT_NOW: WaitPlan.PENDING_CLIENT_ACTION,
    WaitReason.CONFIRM: WaitPlan.PENDING_CLIENT_ACTION,
}
#: Every wait that ends is over after fewer checks than this.
MAX_CHECKS = 48


def decide_follow_up(wait: Wait, now: datetime) -> FollowUpDecision:
    """What a wait asks for at `now`: nothing while the customer is away, else what its plan says (F1 to F5, F7).

    While nothing reaches the customer the Support Manager is told as well; to a contact who left nothing is written,
    and the owner is asked once for another (F2, D9).
    """
    if needs_another_contact(wait) and FollowUpStep.RESOLVE not in wait.done:
        return FollowUpDecision(due=DueStep(FollowUpStep.CONTACT_LEFT, now))
    decision = decide_plan(wait, now)
    tell_at = manager_told_at(wait)
    if decision.due is not None or tell_at is None or FollowUpStep.RESOLVE in wait.done:
        return decision
    decision = replace(decision, held_up=decision.held_up or why_held_up(wait))
    if tell_at <= now and decision.asleep_until is None:
        return FollowUpDecision(due=DueStep(FollowUpStep.HELD_UP, tell_at), held_up=decision.held_up)
    checks = [at for at in (decision.check_at, tell_at) if at is not None and at > now]
    return replace(decision, check_at=min(checks, default=None))


def decide_plan(wait: Wait, now: datetime) -> FollowUpDecision:
    """What the plan alone asks for at `now`, whether or not anybody is reached."""
    decision = _decide_by_plan(wait, now)
    decides_at = None if FollowUpStep.OWNER_DECIDES in wait.done else owner_decides_at(wait.sleeps, wait.started_at)
    if decides_at is None or FollowUpStep.RESOLVE in wait.done:
        return decision
    if decides_at <= now:
        owner_decides = FollowUpDecision(due=DueStep(FollowUpStep.OWNER_DECIDES, decides_at))
        return owner_decides if decision.asleep_until else decision
    if decision.check_at is not None and decides_at < decision.check_at:
        return replace(decision, check_at=decides_at)
    return decision


def _decide_by_plan(wait: Wait, now: datetime) -> FollowUpDecision:
    woken = wait.skip_sleep(now)
    if woken > now and FollowUpStep.RESOLVE not in wait.done:
        return FollowUpDecision(check_at=woken, asleep_until=woken)
    if wait.contact_left and FollowUpStep.RESOLVE not in wait.done:
        return FollowUpDecision(held_up=why_held_up(wait))
    if wait.plan == WaitPlan.THREE_CONTACTS:
        return three_contacts(wait, now)
    return pending_client_action(wait.started_at, wait.done, now, wait.sleeps)


def closing_announced_by(wait: Wait, due: DueStep, now: datetime) -> datetime | None:
    """The closing time that the step announces if it is carried out at `now`; None for a step that announces none."""
    if due.step == FollowUpStep.FINAL:
        return closing_after_final(wait.started_at, wait.done, due, now, wait.sleeps)
    if due.step == FollowUpStep.ANNOUNCED or (due.step in ATTEMPTS and len(attempts_made(wait)) == len(ATTEMPTS) - 1):
        return closing_to_announce(wait, now)
    return None


def send_by(wait: Wait, due: DueStep, now: datetime, closes_at: datetime | None) -> datetime | None:
    """Until when the mail of a step is true (M1); later it is dropped and the plan goes on from there."""
    if due.step == FollowUpStep.FINAL and closes_at is not None:
        return closes_at - WARNING_PERIOD + MAY_LEAVE_LATE
    announced_by = closes_at - WARNING_PERIOD if closes_at is not None else None
    if wait.plan == WaitPlan.THREE_CONTACTS and due.step != FollowUpStep.ANNOUNCED:
        ends = leaves_by(wait, now)
        return min(ends, announced_by) if announced_by else ends
    return announced_by


def upcoming_steps(wait: Wait, now: datetime) -> Iterator[DueStep]:
    """Every step of the plan from `now` on with its moment, if the customer stays silent and mail leaves at once."""
    wait = with_mail_sent(wait, now)
    for _ in range(MAX_CHECKS):
        decision = decide_plan(wait, now)
        if decision.due is None:
            if decision.check_at is None or decision.held_up:
                return
            now = decision.check_at
            continue
        yield DueStep(decision.due.step, max(decision.due.due_at, now))
        if decision.due.step == FollowUpStep.RESOLVE:
            return
        wait = apply_decision(wait, decision, now, sent_at=now)


def with_mail_sent(wait: Wait, now: datetime) -> Wait:
    """The wait once every queued mail has left at `now`; a call that somebody logged has no mail."""
    done = {
        step: replace(row, sent_at=now) if row.sent_at is None and not (row.lost or row.by_person) else row
        for step, row in wait.done.items()
    }
    return replace(wait, done=done)


def apply_decision(
    wait: Wait, decision: FollowUpDecision, now: datetime, sent_at: datetime | None = None, lost: bool = False
) -> Wait:
    """The wait after the step that is due was carried out at `now`.

    `sent_at` is when its mail left; `lost` means that no mail could be written to the customer.
    """
    due = decision.due
    assert due is not None
    done = dict(wait.done)
    for earlier in decision.superseded:
        done[earlier.step] = DoneStep(earlier.due_at, now, superseded=True)
    closes_at = closing_announced_by(wait, due, now)
    times = wait.times_done(due.step) + 1
    done[due.step] = DoneStep(due.due_at, now, sent_at, closes_at=closes_at, lost=lost, times=times)
    return replace(wait, done=done)
