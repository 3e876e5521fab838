"""A wait that is held up: nothing reaches the customer, or they have left (F2, D9). Pure; all moments UTC.

The owner hears of it at once, the Support Manager after one business day and on each one after, until somebody acts.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from cases.enums import FollowUpStep
from cases.policy.followup.wait import TO_STAFF, DoneStep, Wait


def held_up_since(wait: Wait) -> datetime | None:
    """Since when nothing has reached the customer that was written to them; None while something may reach them."""
    if wait.contact_left:
        asked = wait.done.get(FollowUpStep.CONTACT_LEFT)
        return asked.done_at if asked is not None else None
    since = wait.question_lost_at
    for done in _written(wait):
        since = (since or done.done_at) if done.lost and not done.worth_repeating else None
    return since


def needs_another_contact(wait: Wait) -> bool:
    """Whether the owner is to be asked, once, for a contact in place of one who left (D9)."""
    asked = wait.done.get(FollowUpStep.CONTACT_LEFT)
    reached_since = asked is not None and any(
        done.sent_at is not None and done.done_at > asked.done_at for done in _written(wait)
    )
    return wait.contact_left and (asked is None or reached_since)


def manager_told_at(wait: Wait) -> datetime | None:
    """When the Support Manager is told of a held up wait (F2): one business day after it began, after somebody last
    acted, or after they were told before; at the same time of day, and not in a sleep. None if it is not held up.
    """
    since = held_up_since(wait)
    if since is None:
        return None
    told = wait.done.get(FollowUpStep.HELD_UP)
    last = max(since, wait.acted_at or since, told.counts_from if told is not None else since)
    clock = last.astimezone(ZoneInfo(wait.calendar.time_zone)).time()
    day = wait.calendar.next_business_day(wait.calendar.local_date(last))
    return wait.skip_sleep(wait.calendar.at_local_time(day, clock))


def why_held_up(wait: Wait) -> str:
    """One sentence for staff: what did not reach the customer and what to do."""
    if wait.contact_left:
        return "The contact has left: choose another contact for the case, or close it."
    lost = [step for step, done in wait.done.items() if done in _written(wait) and done.lost]
    what = f"“{lost[-1].label}”" if lost else "The question"
    return f"{what} did not reach the customer: call them, correct the address, or choose another contact."


def _written(wait: Wait) -> list[DoneStep]:
    """The steps that went to the customer, in order; a call that a technician logged is one of them."""
    to_customer = (
        done
        for step, done in wait.done.items()
        if step not in TO_STAFF and step != FollowUpStep.RESOLVE and not done.superseded
    )
    return sorted(to_customer, key=lambda done: done.done_at)
