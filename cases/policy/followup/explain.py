"""Explains in words why a step of a plan is due when it is (section 4)."""

from datetime import timedelta

from cases.enums import FollowUpStep
from cases.policy.followup.pending_client_action import PENDING_STEPS
from cases.policy.followup.three_contacts import ATTEMPTS, next_attempt
from cases.policy.followup.wait import DueStep, Wait, announce_again_at
from contacts.wording import day_and_month, duration


def explain_step(wait: Wait, due: DueStep) -> str:
    """“48 h after we asked”, “Mon 1 June was an attempt, Tue 2 June would be consecutive”; without a full stop."""
    if due.step in ATTEMPTS:
        attempt = next_attempt(wait)
        if attempt is not None and attempt.step == due.step:
            return attempt.why
        return "at least one business day lies between two attempts"
    if due.step == FollowUpStep.ANNOUNCED:
        return "the closing has to be announced, with its day and time, before it can come"
    if due.step == FollowUpStep.RESOLVE:
        return _why_closing(wait, due)
    if announce_again_at(wait.done.get(due.step), wait.sleeps) is not None:
        return "the customer is away when the case would have closed, so the closing is announced anew"
    return _why_notice(wait, due)


def _why_closing(wait: Wait, due: DueStep) -> str:
    announced = [done for done in wait.done.values() if done.closes_at == due.due_at]
    if announced:
        return f"announced on {day_and_month(wait.calendar.local_date(announced[-1].done_at))}"
    if wait.plan == "three_contacts":
        return (
            f"the first {wait.hours.closes_at:%H:%M} over there on a business day at least 24 h after it was announced"
        )
    return _why_notice(wait, due) + ", and never sooner than 24 h after the final notice was sent"


def _why_notice(wait: Wait, due: DueStep) -> str:
    offset = PENDING_STEPS.get(due.step, timedelta(0))
    planned = wait.started_at + offset
    after_asking = f"{duration(offset, days_from=timedelta(hours=49), units=1)} after we asked"
    if due.due_at <= planned:
        return after_asking
    if wait.skip_sleep(planned) != planned or any(start < due.due_at <= wakes_at for start, wakes_at in wait.sleeps):
        return f"{after_asking} would have been while they are away; it goes when they are back"
    return f"{after_asking}, put off by as much as an earlier notice was late"
