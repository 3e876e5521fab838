"""Pending client action (F2): notices after 48 hours, 4 and 6 days, closed after 7; re-spaced after an outage (F7)."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from cases.enums import FollowUpStep
from cases.policy.followup.absences import Sleep, awake
from cases.policy.followup.wait import (
    RECHECK,
    WARNED_FOR,
    Done,
    DoneStep,
    DueStep,
    Plan,
    announced_again_at,
)

#: F2: counted from the start of the wait, in plain elapsed time (decision).
PENDING_STEPS: dict[FollowUpStep, timedelta] = {
    FollowUpStep.NOTICE_1: timedelta(hours=48),
    FollowUpStep.NOTICE_2: timedelta(days=4),
    FollowUpStep.FINAL: timedelta(days=6),
    FollowUpStep.RESOLVE: timedelta(days=7),
}
#: A final notice that leaves this much later than planned names a moment that is past: another one is written (M1).
MAY_LEAVE_LATE = timedelta(hours=1)


def planned_steps(started_at: datetime, done: Done, sleeps: Iterable[Sleep] = ()) -> list[DueStep]:
    """The steps still to come, each with its planned moment (F2), re-spaced after a late one (F7) or a sleep (F5)."""
    sleeps = tuple(sleeps)
    if FollowUpStep.RESOLVE in done:
        return []
    again_at = announced_again_at(done.get(FollowUpStep.FINAL), sleeps)
    if again_at is not None:
        closes_at = awake(again_at + WARNED_FOR, sleeps)
        return [DueStep(FollowUpStep.FINAL, again_at), DueStep(FollowUpStep.RESOLVE, closes_at)]
    went = [(step, done[step]) for step in PENDING_STEPS if step in done and not done[step].superseded]
    at, passed = (went[-1][1].counts_from, PENDING_STEPS[went[-1][0]]) if went else (started_at, timedelta(0))
    planned = []
    for step, offset in PENDING_STEPS.items():
        if step not in done and offset > passed:
            at, passed = awake(at + (offset - passed), sleeps), offset
            planned.append(DueStep(step, at))
    return planned


def pending_client_action(started_at: datetime, done: Done, now: datetime, sleeps: Iterable[Sleep] = ()) -> Plan:
    """What pending client action asks for at `now` (F2, F5, F7), awake; all moments UTC."""
    planned = planned_steps(started_at, done, sleeps)
    due_notices = [one for one in planned if one.step != FollowUpStep.RESOLVE and one.due_at <= now]
    if due_notices:
        return Plan(act=due_notices[-1], superseded=tuple(due_notices[:-1]))
    if not planned:
        return Plan()
    if planned[0].step != FollowUpStep.RESOLVE:
        return Plan(look_again_at=planned[0].due_at)
    return _closing(planned[0], done[FollowUpStep.FINAL], now)


def closing_after_final(
    started_at: datetime, done: Done, due: DueStep, now: datetime, sleeps: Iterable[Sleep]
) -> datetime:
    """When the case closes if its final notice, due as given, goes at `now` (F2)."""
    rest = planned_steps(started_at, {**done, due.step: DoneStep(due.due_at, now)}, sleeps)
    return awake(max(rest[-1].due_at, now + WARNED_FOR), sleeps)


def _closing(resolve: DueStep, final: DoneStep, now: datetime) -> Plan:
    if final.sent_at is None:
        return Plan(
            look_again_at=max(resolve.due_at, now + RECHECK),
            held_up="The final notice has not been delivered, so the case stays open.",
        )
    closes_at = max(resolve.due_at, final.sent_at + WARNED_FOR)
    if closes_at > now:
        return Plan(look_again_at=closes_at)
    return Plan(act=DueStep(FollowUpStep.RESOLVE, closes_at))
