"""What a preview says of a wait: when the customer is turned to first, and when the case closes (F2, F4)."""

from __future__ import annotations

from django.utils import timezone

from cases.enums import FollowUpStep
from cases.followup.state import load_wait
from cases.policy.followup.plans import upcoming_steps
from cases.policy.followup.wait import TO_STAFF
from cases.previews import CarriedOut, PreviewPart, preview_source
from contacts.wording import at_moment, moment_formatter

#: The owner is asked to call before the desk writes (F3).
CALLS = (FollowUpStep.CALL_1, FollowUpStep.CALL_2, FollowUpStep.CALL_3)


@preview_source(20)
def follow_up_ahead(seen: CarriedOut) -> PreviewPart:
    """The call to make, the next step that turns to the customer, and the closing; in the reader's zone."""
    wait = load_wait(seen.case, leaving_at=seen.now)
    if wait is None:
        return PreviewPart()
    show = moment_formatter(seen.now, timezone.get_current_timezone())
    steps = list(upcoming_steps(wait, seen.now))
    to_customer = next((place for place, step in enumerate(steps) if step.step not in TO_STAFF), len(steps))
    first = [step for step in steps[: to_customer + 1] if step.step in CALLS or step.step not in TO_STAFF]
    then = [
        (step.due_at, f"{step.step.label} {at_moment(step.due_at, show)}")
        for step in first
        if step.step != FollowUpStep.RESOLVE
    ]
    for step in steps:
        if step.step == FollowUpStep.RESOLVE:
            then.append((step.due_at, f"Closes {at_moment(step.due_at, show)} at the soonest, if nobody answers"))
    return PreviewPart(then=then)
