"""The panels of a waiting case: its next attempt and why not sooner, the plan's steps, the closing, absences.

They show what the plan decides (F1 to F7). Moments stand in the reader's zone or, where the customer was told them, in
the customer's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cases.enums import LOST, AbsenceState, CallOutcome, FollowUpStep, MailStatus, WaitPlan
from cases.followup.state import absences_of, is_waiting, load_wait_for_page
from cases.models import Absence, Case, FollowUp, Interaction
from cases.page_cache import absences_around, newest_entry
from cases.panels import Panel, PanelLine, panel
from cases.policy.followup.explain import explain_step
from cases.policy.followup.plans import decide_follow_up, upcoming_steps
from cases.policy.followup.three_contacts import ATTEMPTS, CALL_BEFORE, NextAttempt, classify_contact, next_attempt
from cases.policy.followup.wait import TO_STAFF, DueStep, Wait
from contacts.enums import Right
from contacts.models import User
from contacts.wording import day_and_month, in_zone

#: So long a call that was logged by mistake can be withdrawn in one click.
WITHDRAWN_WITHIN = timedelta(minutes=15)
#: When people are usually at work; at other times the panel says what time it is at the customer's.
OFFICE_FROM, OFFICE_UNTIL = time(8), time(18)


@dataclass(frozen=True)
class StepLine:
    """A step of the plan: when it was or is due, what became of it, and why."""

    label: str
    at: datetime
    state: str  # sent, queued, lost, logged, told, replaced, due, planned
    why: str = ""
    local: str = ""  # the closing time that it named, in the customer's zone


@dataclass(frozen=True)
class UpcomingAttempt:
    """The next attempt as the panel shows it (F3)."""

    attempt: NextAttempt
    day: str
    call_at: datetime | None  # when the owner is asked to call, if they still are
    writes_at: datetime | None  # when the desk writes, if nobody makes the attempt before
    counts_now: bool
    why_not_now: str

    @property
    def number(self) -> str:
        """“2 of 3”."""
        return f"{self.attempt.number} of {len(ATTEMPTS)}"


@dataclass(frozen=True)
class AbsenceLine:
    """An absence as the panel shows it."""

    absence: Absence
    text: str
    is_running: bool
    former: str = ""  # the name, where it is not the contact's any more


def _waiting_line(case: Case, user: User, now: datetime) -> PanelLine | None:
    if not is_waiting(case):
        return None
    return PanelLine("Waiting for the customer", case.get_wait_plan_display(), is_open=True)


@panel(place=10, slug="waiting", line=_waiting_line)
def waiting_panel(case: Case, user: User, now: datetime) -> Panel:
    """The question and why we wait, the steps done and planned, and the contact that is next."""
    wait = load_wait_for_page(case)
    assert wait is not None
    decision = decide_follow_up(wait, now)
    upcoming = list(upcoming_steps(wait, now))
    planned = [step for step in upcoming if step.step not in TO_STAFF]
    closes_at = next((step.due_at for step in planned if step.step == FollowUpStep.RESOLVE), None)
    attempt = _upcoming_attempt(wait, upcoming, now) if wait.plan == WaitPlan.THREE_CONTACTS else None
    return Panel(
        "admin/cases/panels/waiting.html",
        {
            "steps": [*_done_lines(case), *_planned_lines(wait, planned, now)],
            "next_attempt": attempt,
            "asleep_there": _time_outside_office(wait, now),
            "held_up": decision.held_up,
            "asleep_until": decision.asleep_until,
            "unread": any(one.state == AbsenceState.UNREAD and one.asked_at for one in absences_of(case)),
            "unconfirmed": any(one.state == AbsenceState.READ for one in absences_of(case)),
            "decide": FollowUpStep.OWNER_DECIDES in wait.done and decision.asleep_until is not None,
            "closes_local": in_zone(closes_at, wait.calendar.time_zone) if closes_at else "",
            "announced": any(done.closes_at and done.sent_at for done in wait.done.values()),
            "last_logged": newest_entry(case),
            "reached_url": case.form_url("reached_customer") if user.may(Right.WORK_CASES) else "",
            "mistaken": _last_call_of(case, user, now) if user.may(Right.WORK_CASES) else None,
            "write_url": _write_address(case, attempt) if user.may(Right.WORK_CASES) else "",
        },
    )


def _absence_line(case: Case, user: User, now: datetime) -> PanelLine | None:
    """Beside a wait, whose plan depends on them, it is open where an absence is known."""
    noted = _noted_absences(case, now)
    if not noted:
        return None
    to_settle, waits = any(row.is_open for row in noted), is_waiting(case)
    return PanelLine("Out of office", noted[-1].summary(), is_open=waits, is_pressing=to_settle and waits)


def _noted_absences(case: Case, now: datetime) -> list[Absence]:
    """What was noted on this case, and what of elsewhere is not over for its contact; the newest last."""
    found = [row for row in reversed(absences_around(case)) if row.state != AbsenceState.DISMISSED]
    today = case.company.calendar().local_date(now) if found else now.date()
    return [row for row in found if row.case_id == case.pk or not _is_over(row, today)]


def _is_over(absence: Absence, today: date) -> bool:
    return absence.state != AbsenceState.UNREAD and (absence.back_on is None or absence.back_on <= today)


@panel(place=11, slug="absences", line=_absence_line)
def absence_panel(case: Case, user: User, now: datetime) -> Panel:
    """When the customer is away: what was noted, what has to be confirmed, and a button to note more (F5)."""
    today = case.company.calendar().local_date(now)
    rows, may_work = _noted_absences(case, now), user.may(Right.WORK_CASES)
    return Panel(
        "admin/cases/panels/absences.html",
        {
            "absences": [_absence_of(row, case, today) for row in reversed(rows)],
            "note_url": case.form_url("note_absence") if may_work and case.is_open else "",
        },
    )


def _absence_of(absence: Absence, case: Case, today: date) -> AbsenceLine:
    """Of somebody else than the contact it is only told: it puts nothing to sleep here."""
    of_another = absence.contact_id != case.contact_id
    ends = absence.ended_on or absence.back_on
    is_running = absence.has_dates and ends is not None and today < ends and not of_another
    return AbsenceLine(absence, absence.summary(), is_running, absence.contact.name if of_another else "")


def _upcoming_attempt(wait: Wait, upcoming: Sequence[DueStep], now: datetime) -> UpcomingAttempt | None:
    attempt = next_attempt(wait)
    if attempt is None:
        return None
    verdict = classify_contact(wait, now)
    first = {step.step: step.due_at for step in reversed(upcoming)}
    return UpcomingAttempt(
        attempt,
        day_and_month(attempt.day),
        call_at=first.get(CALL_BEFORE[attempt.step]),
        writes_at=first.get(attempt.step),
        counts_now=verdict.step is not None,
        why_not_now=verdict.why,
    )


def _last_call_of(case: Case, user: User, now: datetime) -> Interaction | None:
    """The newest entry of the log, if it is a call in vain that this person has just logged in this wait."""
    last = Interaction.objects.filter(case=case).order_by("-pk").first()
    in_vain = last is not None and last.outcome in (CallOutcome.LEFT_MESSAGE, CallOutcome.NO_ANSWER)
    if last is None or not in_vain or last.by_id != user.pk or last.withdrawn_at is not None:
        return None
    return last if last.logged_at > now - WITHDRAWN_WITHIN and last.at >= (case.waiting_since or now) else None


def _write_address(case: Case, attempt: UpcomingAttempt | None) -> str:
    """The form that writes to the customer, with a draft for the next attempt."""
    return case.form_url("write_to_customer", draft=attempt.attempt.number if attempt else 1)


def _time_outside_office(wait: Wait, now: datetime) -> str:
    """The customer's local time if hardly anybody is at work then, else ""; a call counts all the same."""
    local = now.astimezone(ZoneInfo(wait.calendar.time_zone))
    return "" if OFFICE_FROM <= local.time() < OFFICE_UNTIL else f"{local:%H:%M}"


def _planned_lines(wait: Wait, planned: Sequence[DueStep], now: datetime) -> Iterator[StepLine]:
    for step in planned:
        state = "due" if step.due_at <= now else "planned"
        yield StepLine(step.step.label, step.due_at, state, explain_step(wait, step))


def _done_lines(case: Case) -> Iterator[StepLine]:
    rows = FollowUp.objects.filter(case=case, episode=case.wait_episode).select_related("mail", "interaction")
    for row in rows.order_by("done_at", "due_at"):
        state, at, why = _outcome(row)
        named = row.closes_at if state in ("sent", "queued") else None
        local = in_zone(named, case.company.time_zone) if named else ""
        yield StepLine(row.get_step_display(), at, state, why, local)


def _outcome(row: FollowUp) -> tuple[str, datetime, str]:
    """State, moment and reason of a step that was carried out."""
    if row.superseded:
        return "replaced", row.done_at, ""
    if row.interaction is not None and row.interaction.withdrawn_at is not None:
        return "replaced", row.done_at, "Logged by mistake."
    if row.interaction is not None:
        return "logged", row.done_at, f"{row.interaction.get_channel_display()}: {row.interaction.body}"
    if row.step in TO_STAFF:
        return "told", row.done_at, ""
    if row.mail is None or row.mail.status in LOST:
        return "lost", row.done_at, row.mail.last_error if row.mail else "There is no email address."
    if row.mail.status == MailStatus.SENT and row.mail.sent_at is not None:
        return "sent", row.mail.sent_at, ""
    return "queued", row.done_at, ""
