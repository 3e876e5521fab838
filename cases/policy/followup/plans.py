"""Which plan a wait follows, what sleeps it (F5), and what it comes to if nobody touches it. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from cases.enums import FollowUpStep, WaitPlan
from cases.policy.followup.absences import owner_decides_at
from cases.policy.followup.pending_client_action import MAY_LEAVE_LATE, closing_after_final, pending_client_action
from cases.policy.followup.three_contacts import ATTEMPTS, attempts_made, closing_to_announce, leaves_by, three_contacts
from cases.policy.followup.wait import WARNED_FOR, DoneStep, DueStep, Plan, Wait

#: Steps that are told to the owner; every other one but the closing goes to the customer.
TO_OWNER = frozenset({FollowUpStep.CALL_1, FollowUpStep.CALL_2, FollowUpStep.CALL_3, FollowUpStep.OWNER_DECIDES})
#: No wait is looked at more often than this before it is over; a series that is goes no further.
MOST_LOOKS = 48


def plan_at(wait: Wait, now: datetime) -> Plan:
    """What a wait asks for at `now`: nothing while the customer is away, else what its plan says (F1 to F5, F7)."""
    plan = _awake_plan(wait, now)
    decides_at = None if FollowUpStep.OWNER_DECIDES in wait.done else owner_decides_at(wait.sleeps, wait.started_at)
    if decides_at is None or FollowUpStep.RESOLVE in wait.done:
        return plan
    if decides_at <= now:
        return Plan(act=DueStep(FollowUpStep.OWNER_DECIDES, decides_at)) if plan.asleep_until else plan
    if plan.look_again_at is not None and decides_at < plan.look_again_at:
        return replace(plan, look_again_at=decides_at)
    return plan


def _awake_plan(wait: Wait, now: datetime) -> Plan:
    woken = wait.awake(now)
    if woken > now and FollowUpStep.RESOLVE not in wait.done:
        return Plan(look_again_at=woken, asleep_until=woken)
    if wait.plan == WaitPlan.THREE_CONTACTS:
        return three_contacts(wait, now)
    return pending_client_action(wait.started_at, wait.done, now, wait.sleeps)


def closes_at_if_done(wait: Wait, due: DueStep, now: datetime) -> datetime | None:
    """When the case closes, as the step says if it is carried out at `now`; None for a step that says nothing."""
    if due.step == FollowUpStep.FINAL:
        return closing_after_final(wait.started_at, wait.done, due, now, wait.sleeps)
    if due.step == FollowUpStep.ANNOUNCED or (due.step in ATTEMPTS and len(attempts_made(wait)) == len(ATTEMPTS) - 1):
        return closing_to_announce(wait, now)
    return None


def send_by(wait: Wait, due: DueStep, now: datetime, closes_at: datetime | None) -> datetime | None:
    """Until when the mail of a step is still true (M1); later it is not sent, and the plan goes on from there."""
    if due.step == FollowUpStep.FINAL and closes_at is not None:
        return closes_at - WARNED_FOR + MAY_LEAVE_LATE
    announced_by = closes_at - WARNED_FOR if closes_at is not None else None
    if wait.plan == WaitPlan.THREE_CONTACTS and due.step != FollowUpStep.ANNOUNCED:
        ends = leaves_by(wait, now)
        return min(ends, announced_by) if announced_by else ends
    return announced_by


def coming(wait: Wait, now: datetime) -> Iterator[DueStep]:
    """Every step to come from `now` on, with its moment, if the customer stays silent and mail leaves at once."""
    wait = replace(wait, done={step: _left(done, now) for step, done in wait.done.items()})
    for _ in range(MOST_LOOKS):
        plan = plan_at(wait, now)
        if plan.act is None:
            if plan.look_again_at is None or plan.held_up:
                return
            now = plan.look_again_at
            continue
        yield DueStep(plan.act.step, max(plan.act.due_at, now))
        if plan.act.step == FollowUpStep.RESOLVE:
            return
        wait = carried_out(wait, plan, now, left_at=now)


def _left(done: DoneStep, now: datetime) -> DoneStep:
    """What is queued leaves now; a call that somebody logged has no mail."""
    return replace(done, sent_at=now) if done.sent_at is None and not (done.lost or done.by_person) else done


def carried_out(wait: Wait, plan: Plan, now: datetime, left_at: datetime | None = None, lost: bool = False) -> Wait:
    """The wait after the plan's step was carried out at `now`; its mail left at `left_at`, or could not be written."""
    assert plan.act is not None
    done = dict(wait.done)
    for one in plan.superseded:
        done[one.step] = DoneStep(one.due_at, now, superseded=True)
    closes_at = closes_at_if_done(wait, plan.act, now)
    times = wait.times_done(plan.act.step) + 1
    done[plan.act.step] = DoneStep(plan.act.due_at, now, left_at, closes_at=closes_at, lost=lost, times=times)
    return replace(wait, done=done)
