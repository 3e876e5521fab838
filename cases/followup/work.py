"""What a wait asks of its owner (W1): a call to make, an absence to settle, a customer whom nothing reaches; and the
step that the desk takes next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from cases.enums import AbsenceState, FollowUpStep, WorkKind
from cases.followup.state import load_waits_for_page, may_be_held_up, sleep_of
from cases.mail.letters import why_no_mail
from cases.models import Absence, Case
from cases.policy.followup.absences import OPEN_ABSENCES, owner_decides_at
from cases.policy.followup.held_up import held_up_since, manager_told_at, needs_another_contact
from cases.policy.followup.plans import upcoming_steps
from cases.policy.followup.three_contacts import CALL_BEFORE, call_wanted
from cases.policy.followup.wait import TO_STAFF, Wait
from cases.work_items import SUPPORT_MANAGER, NextByDesk, WorkItem, case_source, desk_source, work_source
from contacts.enums import Right
from contacts.models import User


@case_source
def held_up(reader: User, now: datetime, most: int) -> Iterable[int]:
    """Waits of the desk in which nothing reaches the customer, for whoever watches over it (F2)."""
    if not reader.may(Right.WATCH_THE_ENGINE):
        return []
    return [key for (key,) in may_be_held_up()[:most]]


@work_source
def waits(cases: Sequence[Case], reader: User, now: datetime) -> Iterator[WorkItem]:
    """What waiting cases ask of their owners (F2, F3, F5)."""
    found = load_waits_for_page(cases)
    for case in cases:
        if case.pk in found:
            wait, absences = found[case.pk]
            yield from _calls(case, wait, reader, now)
            yield from _absences(case, wait, absences, reader)
            yield from _decisions(case, wait, reader, now)
            yield from _held_up(case, wait, reader, now)


@desk_source
def steps(cases: Sequence[Case], now: datetime, named: bool) -> Iterator[NextByDesk]:
    """The next step of each plan, if the customer stays silent (F2 to F5)."""
    found = load_waits_for_page(cases)
    for case in cases:
        if case.pk in found:
            step = next(upcoming_steps(found[case.pk][0], now), None)
            if step is not None:
                what, name = _what_happens(step.step, case)
                yield NextByDesk(case, what, step.due_at, name)


#: The steps to staff in a word or two.
_NAMES = dict.fromkeys(CALL_BEFORE.values(), "Call asked for") | {
    FollowUpStep.RESOLVE: "Closes",
    FollowUpStep.CONTACT_LEFT: "New contact asked for",
    FollowUpStep.HELD_UP: "Manager told",
    FollowUpStep.OWNER_DECIDES: "Decision asked for",
}


def _what_happens(step: FollowUpStep, case: Case) -> tuple[str, str]:
    """What a step does, and its name in a word or two. Where no mail can go, the owner is asked instead (D5)."""
    if step == FollowUpStep.RESOLVE:
        return "Closes for no response", _NAMES[step]
    why = "" if step in TO_STAFF else why_no_mail(case)
    if why:
        return f"{step.label} is asked of {case.owner or SUPPORT_MANAGER}, as {why}", "Call asked for"
    return step.label, _NAMES.get(step, step.label)


def _expected(case: Case, reader: User) -> tuple[str, bool]:
    """Who is expected to act: the owner; without one whoever gives cases on."""
    if case.owner is None:
        return SUPPORT_MANAGER, reader.may(Right.REASSIGN)
    return str(case.owner), case.owner_id == reader.pk


def _calls(case: Case, wait: Wait, reader: User, now: datetime) -> Iterator[WorkItem]:
    """The call before the desk writes by itself (F3)."""
    call = call_wanted(wait, now)
    if call is not None:
        act = f"Call {case.contact.name} on {case.contact.phone}"
        yield WorkItem(case, WorkKind.CALL, act, call.until, call.since, *_expected(case, reader), "log_contact")


def _absences(case: Case, wait: Wait, absences: Sequence[Absence], reader: User) -> Iterator[WorkItem]:
    """Dates to confirm or to give (F5): before the plan wakes, as it does by what is known so far."""
    for absence in absences:
        if absence.state in OPEN_ABSENCES and absence.asked_at is not None:
            sleep = sleep_of(absence, wait.calendar)
            is_read = absence.state == AbsenceState.READ
            act = f"Settle the absence: {absence.summary()}" if is_read else "Settle the absence: say how long"
            due_at, action = sleep.wakes_at if sleep else None, "confirm_absence"
            since = absence.noted_at
            yield WorkItem(case, WorkKind.ABSENCE, act, due_at, since, *_expected(case, reader), action)


def _decisions(case: Case, wait: Wait, reader: User, now: datetime) -> Iterator[WorkItem]:
    """After 30 days of absence the owner decides how to go on (F5)."""
    decides_at = owner_decides_at(wait.sleeps, wait.started_at)
    if decides_at is not None and decides_at <= now < wait.skip_sleep(now):
        act = "Decide how to go on: away for 30 days"
        yield WorkItem(case, WorkKind.ABSENCE, act, None, decides_at, *_expected(case, reader), "")


def _held_up(case: Case, wait: Wait, reader: User, now: datetime) -> Iterator[WorkItem]:
    """Nothing reaches the customer: the owner's until the Support Manager is told, then theirs as well (F2, D9)."""
    since = held_up_since(wait)
    if since is None and not needs_another_contact(wait):
        return
    due_at = manager_told_at(wait)
    who, for_reader = _expected(case, reader)
    for_reader = for_reader or (due_at is not None and due_at <= now and reader.may(Right.REASSIGN))
    act = (
        f"Choose another contact: {case.contact.name} has left"
        if wait.contact_left
        else f"Reach {case.contact.name} another way: our mail does not arrive"
    )
    yield WorkItem(case, WorkKind.HELD_UP, act, due_at, since or wait.started_at, who, for_reader)
