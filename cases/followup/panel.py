"""The assistant beside a case that waits: which contact is next and why not sooner, a draft, absences, when it closes.

It shows what the plan reckons and decides nothing (F1 to F7); times stand in the reader's zone and, where the customer
is told them, in the customer's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from cases.actions import CaseAction, button_of
from cases.enums import AbsenceState, FollowUpStep, MailStatus, WaitPlan
from cases.followup.mail import draft_message
from cases.followup.state import is_waiting, load_wait_for_page
from cases.models import Absence, Case, FollowUp
from cases.panels import Panel, panel
from cases.policy.followup.explain import explain_step
from cases.policy.followup.plans import TO_OWNER, decide_follow_up, upcoming_steps
from cases.policy.followup.three_contacts import ATTEMPTS, CALL_BEFORE, NextAttempt, classify_contact, next_attempt
from cases.policy.followup.wait import DueStep, Wait
from contacts.enums import Right
from contacts.models import User
from contacts.wording import day_and_month, in_zone

#: When people are usually at work; outside of it the assistant says what time it is over there.
OFFICE_FROM, OFFICE_UNTIL = time(8), time(18)


@dataclass(frozen=True)
class StepLine:
    """A step of the plan as the panel tells it: when it was or is due, what became of it, and why then."""

    label: str
    at: datetime
    state: str  # sent, queued, lost, logged, told, replaced, due, planned
    why: str = ""
    local: str = ""


@dataclass(frozen=True)
class Next:
    """The attempt that comes next, as the panel tells it (F3)."""

    attempt: NextAttempt
    day: str
    told_at: datetime | None  # when the owner is told to phone, if they still are
    writes_at: datetime | None  # when the desk writes, if nobody makes the attempt before
    counts_now: bool
    why_not_now: str

    @property
    def number(self) -> str:
        """“2 of 3”."""
        return f"{self.attempt.number} of {len(ATTEMPTS)}"


@dataclass(frozen=True)
class AbsenceLine:
    """An absence as the panel tells it; `runs` while they are away."""

    absence: Absence
    said: str
    runs: bool


@panel(place=10)
def waiting_panel(case: Case, user: User, now: datetime) -> Panel | None:
    """What we asked, why we wait, what the plan has done and will do, and what one may do now."""
    if not is_waiting(case):
        return None
    wait = load_wait_for_page(case)
    assert wait is not None
    plan = decide_follow_up(wait, now)
    ahead = list(upcoming_steps(wait, now))
    planned = [one for one in ahead if one.step not in TO_OWNER]
    closing = next((one.due_at for one in planned if one.step == FollowUpStep.RESOLVE), None)
    works = user.may(Right.WORK_CASES)
    attempt = _next(wait, ahead, now) if wait.plan == WaitPlan.THREE_CONTACTS else None
    return Panel(
        "Waiting for the customer",
        "admin/cases/panels/waiting.html",
        {
            "steps": [*_done(case), *_planned(wait, planned, now)],
            "next_attempt": attempt,
            "asleep_there": _at_home(wait, now),
            "held_up": plan.held_up,
            "asleep_until": plan.asleep_until,
            "unconfirmed": any(absence.is_open and absence.asked_at for absence in case.absences.all()),
            "decide": FollowUpStep.OWNER_DECIDES in wait.done and plan.asleep_until is not None,
            "closes_local": in_zone(closing, wait.calendar.time_zone) if closing else "",
            "announced": _announced(wait),
            "write": _writing(case, user, attempt, now) if works else None,
        },
    )


@panel(place=11)
def absences_of_a_wait(case: Case, user: User, now: datetime) -> Panel | None:
    """Beside the assistant, while the plan depends on them."""
    return absence_panel(case, user, now) if is_waiting(case) else None


@panel(place=85)
def absences_besides(case: Case, user: User, now: datetime) -> Panel | None:
    """Further down, while nobody is waited for."""
    return absence_panel(case, user, now) if case.is_open and not is_waiting(case) else None


def absence_panel(case: Case, user: User, now: datetime) -> Panel | None:
    """When the customer is away: what was noted, what has to be confirmed, and a way to note more (F5)."""
    rows = list(case.absences.exclude(state=AbsenceState.DISMISSED).select_related("noted_by"))
    works = user.may(Right.WORK_CASES)
    if not rows and not works:
        return None
    today = case.company.calendar().local_date(now)
    lines = [AbsenceLine(row, row.said(), _runs(row, today)) for row in rows]
    return Panel(
        "Out of office",
        "admin/cases/panels/absences.html",
        {
            "absences": lines[::-1],
            "note": button_of("note_absence", case, user, now) if works else None,
        },
    )


def _runs(absence: Absence, today: date) -> bool:
    ends = absence.ended_on or absence.back_on
    return absence.state == AbsenceState.CONFIRMED and ends is not None and today < ends


def _next(wait: Wait, ahead: Sequence[DueStep], now: datetime) -> Next | None:
    attempt = next_attempt(wait)
    if attempt is None:
        return None
    judged = classify_contact(wait, now)
    first = {one.step: one.due_at for one in reversed(ahead)}
    return Next(
        attempt,
        day_and_month(attempt.day),
        first.get(CALL_BEFORE[attempt.step]),
        first.get(attempt.step),
        judged.step is not None,
        judged.why,
    )


def _writing(case: Case, user: User, attempt: Next | None, now: datetime) -> CaseAction:
    """The button that writes to the customer, with the draft for the coming attempt."""
    button = button_of("write_to_customer", case, user, now)
    button.initial["body"] = draft_message(case, attempt.attempt.number if attempt else 1)
    return button


def _at_home(wait: Wait, now: datetime) -> str:
    """What time it is over there, when nobody is likely to be at work; a call counts all the same."""
    local = now.astimezone(ZoneInfo(wait.calendar.time_zone))
    return "" if OFFICE_FROM <= local.time() < OFFICE_UNTIL else f"{local:%H:%M}"


def _announced(wait: Wait) -> bool:
    return any(done.closes_at is not None and done.sent_at is not None for done in wait.done.values())


def _planned(wait: Wait, planned: Sequence[DueStep], now: datetime) -> Iterator[StepLine]:
    for one in planned:
        state = "due" if one.due_at <= now else "planned"
        yield StepLine(one.step.label, one.due_at, state, explain_step(wait, one))


def _done(case: Case) -> Iterator[StepLine]:
    rows: Sequence[FollowUp] = list(
        FollowUp.objects.filter(case=case, episode=case.wait_episode)
        .select_related("mail", "interaction")
        .order_by("done_at", "due_at")
    )
    for row in rows:
        line = StepLine(row.get_step_display(), row.done_at, "told")
        if row.superseded:
            line = replace(line, state="replaced")
        elif row.interaction is not None:
            line = replace(line, state="logged", why=f"{row.interaction.get_channel_display()}: {row.interaction.body}")
        elif row.step in TO_OWNER:
            pass
        elif row.mail is None or row.mail.status in (MailStatus.FAILED, MailStatus.BOUNCED, MailStatus.DROPPED):
            line = replace(line, state="lost", why=row.mail.last_error if row.mail else "There is no email address.")
        elif row.mail.status == MailStatus.SENT and row.mail.sent_at is not None:
            line = replace(line, state="sent", at=row.mail.sent_at)
        else:
            line = replace(line, state="queued")
        if row.closes_at is not None and line.state in ("sent", "queued"):
            line = replace(line, local=in_zone(row.closes_at, case.company.time_zone))
        yield line
