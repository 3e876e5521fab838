"""Pending client action (F2): notices after 48 hours, 4 and 6 days, closed after 7; re-spaced after an outage (F7)."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from cases.enums import FollowUpStep
from cases.policy.followup.absences import Sleep, skip_sleep
from cases.policy.followup.wait import (
    RECHECK,
    WARNING_PERIOD,
    DoneStep,
    DoneSteps,
    DueStep,
    FollowUpDecision,
    announce_again_at,
)

#: F2: counted from the start of the wait, in plain elapsed time (**decision**).
PENDING_STEPS: dict[FollowUpStep, timedelta] = {
    FollowUpStep.NOTICE_1: timedelta(hours=48),
    FollowUpStep.NOTICE_2: timedelta(days=4),
    FollowUpStep.FINAL: timedelta(days=6),
    FollowUpStep.RESOLVE: timedelta(days=7),
}
#: M1: a final notice that leaves later than this names a moment that is past, so another one is written.
MAY_LEAVE_LATE = timedelta(hours=1)


def planned_steps(started_at: datetime, done: DoneSteps, sleeps: Iterable[Sleep] = ()) -> list[DueStep]:
    """The steps still to come, each when it is planned (F2), re-spaced after a late step (F7) or a sleep (F5)."""
    sleeps = tuple(sleeps)
    if FollowUpStep.RESOLVE in done:
        return []
    again_at = announce_again_at(done.get(FollowUpStep.FINAL), sleeps)
    if again_at is not None:
        closes_at = skip_sleep(again_at + WARNING_PERIOD, sleeps)
        return [DueStep(FollowUpStep.FINAL, again_at), DueStep(FollowUpStep.RESOLVE, closes_at)]
    went = [(step, done[step]) for step in PENDING_STEPS if step in done and not done[step].superseded]
    at, passed = (went[-1][1].counts_from, PENDING_STEPS[went[-1][0]]) if went else (started_at, timedelta(0))
    planned = []
    for step, offset in PENDING_STEPS.items():
        if step not in done and offset > passed:
            at, passed = skip_sleep(at + (offset - passed), sleeps), offset
            planned.append(DueStep(step, at))
    return planned


def pending_client_action(
    started_at: datetime, done: DoneSteps, now: datetime, sleeps: Iterable[Sleep] = ()
) -> FollowUpDecision:
    """What pending client action asks for at `now`, a moment outside every sleep (F2, F5, F7); all moments UTC."""
    planned = planned_steps(started_at, done, sleeps)
    due_notices = [step for step in planned if step.step != FollowUpStep.RESOLVE and step.due_at <= now]
    if due_notices:
        return FollowUpDecision(due=due_notices[-1], superseded=tuple(due_notices[:-1]))
    if not planned:
        return FollowUpDecision()
    if planned[0].step != FollowUpStep.RESOLVE:
        return FollowUpDecision(check_at=planned[0].due_at)
    return _decide_closing(planned[0], done[FollowUpStep.FINAL], now)


def closing_after_final(
    started_at: datetime, done: DoneSteps, due: DueStep, now: datetime, sleeps: Iterable[Sleep]
) -> datetime:
    """When the case closes if its final notice goes at `now` (F2)."""
    rest = planned_steps(started_at, {**done, due.step: DoneStep(due.due_at, now)}, sleeps)
    return skip_sleep(max(rest[-1].due_at, now + WARNING_PERIOD), sleeps)


def _decide_closing(resolve: DueStep, final: DoneStep, now: datetime) -> FollowUpDecision:
    if final.sent_at is None:
        return FollowUpDecision(
            check_at=max(resolve.due_at, now + RECHECK),
            held_up="The final notice has not been delivered, so the case stays open.",
        )
    closes_at = max(resolve.due_at, final.sent_at + WARNING_PERIOD)
    if closes_at > now:
        return FollowUpDecision(check_at=closes_at)
    return FollowUpDecision(due=DueStep(FollowUpStep.RESOLVE, closes_at))
