"""The panels of a waiting case: its next attempt and why not sooner, the plan's steps, the closing, absences.

They show what the plan decides (F1 to F7). Moments stand in the reader's zone or, where the customer was told them, in
the customer's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q

from cases.actions import CaseAction, button_of
from cases.dashboard import Card, Figure, ToDo, card, listed
from cases.enums import AbsenceState, CallOutcome, FollowUpStep, MailStatus, Status, WaitPlan
from cases.followup.mail import draft_message
from cases.followup.state import LOST, absences_of, find_held_up, is_waiting, load_wait_for_page
from cases.models import Absence, Case, FollowUp, Interaction
from cases.panels import Panel, panel
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


@panel(place=10)
def waiting_panel(case: Case, user: User, now: datetime) -> Panel | None:
    """The question and why we wait, the steps done and planned, and the contact that is next."""
    wait = load_wait_for_page(case)
    if wait is None:
        return None
    decision = decide_follow_up(wait, now)
    upcoming = list(upcoming_steps(wait, now))
    planned = [step for step in upcoming if step.step not in TO_STAFF]
    closes_at = next((step.due_at for step in planned if step.step == FollowUpStep.RESOLVE), None)
    attempt = _upcoming_attempt(wait, upcoming, now) if wait.plan == WaitPlan.THREE_CONTACTS else None
    return Panel(
        "Waiting for the customer",
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
            "reached": button_of("reached_customer", case, user, now) if user.may(Right.WORK_CASES) else None,
            "mistaken": _last_call_of(case, user, now) if user.may(Right.WORK_CASES) else None,
            "write": _write_button(case, user, attempt, now) if user.may(Right.WORK_CASES) else None,
        },
    )


@card(place=27)
def held_up_waits(user: User, now: datetime) -> Card | None:
    """The waits in which nothing reaches the customer, the longest first: of the desk, or one's own (F2, D9)."""
    if not user.may(Right.WORK_CASES) and not user.may(Right.WATCH_THE_ENGINE):
        return None
    cases = Case.objects.filter(status=Status.WAITING)
    cases = cases if user.may(Right.WATCH_THE_ENGINE) else cases.filter(owner=user)
    todos = [ToDo(case, why, since) for case, since, why in find_held_up(cases)]
    shown = listed(sorted(todos, key=lambda todo: todo.since))
    if not shown.rows:
        return None
    figure = Figure(shown.count, "waits held up", is_pressing=True, place=21)
    return Card("Waits that are held up", "admin/desk/to_do.html", shown.context, figures=(figure,))


@panel(place=11)
def absences_of_a_wait(case: Case, user: User, now: datetime) -> Panel | None:
    """The absences beside the waiting panel, while the plan depends on them."""
    return absence_panel(case, user, now) if is_waiting(case) else None


@panel(place=85)
def absences_besides(case: Case, user: User, now: datetime) -> Panel | None:
    """The absences further down, while the case does not wait."""
    return absence_panel(case, user, now) if case.is_open and not is_waiting(case) else None


def absence_panel(case: Case, user: User, now: datetime) -> Panel | None:
    """When the customer is away: what was noted, what has to be confirmed, and a button to note more (F5)."""
    today = case.company.calendar().local_date(now)
    here, not_over = Q(case=case), Q(state=AbsenceState.UNREAD) | Q(back_on__gt=today)
    noted = Absence.objects.filter(here | not_over & Q(contact=case.contact_id)).exclude(state=AbsenceState.DISMISSED)
    rows = list(noted.select_related("noted_by", "contact").order_by("noted_at", "pk"))
    may_work = user.may(Right.WORK_CASES)
    if not rows and not may_work:
        return None
    return Panel(
        "Out of office",
        "admin/cases/panels/absences.html",
        {
            "absences": [_absence_line(row, case, today) for row in reversed(rows)],
            "note": button_of("note_absence", case, user, now) if may_work else None,
        },
    )


def _absence_line(absence: Absence, case: Case, today: date) -> AbsenceLine:
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
    return last if last.at > now - WITHDRAWN_WITHIN and last.at >= (case.waiting_since or now) else None


def _write_button(case: Case, user: User, attempt: UpcomingAttempt | None, now: datetime) -> CaseAction:
    """The button that writes to the customer, with a draft for the next attempt."""
    button = button_of("write_to_customer", case, user, now)
    button.initial["body"] = draft_message(case, attempt.attempt.number if attempt else 1)
    return button


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
