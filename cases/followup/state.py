"""Loads the wait that a case is in, as its plan sees it: from the ledger, the absences and the calendars."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db.models import Max, Min, OuterRef, Q, QuerySet, Subquery

from cases.enums import LOST, WENT_WRONG, AbsenceState, Direction, FollowUpStep, MailStatus, Status, WaitPlan
from cases.mail.letters import has_left
from cases.models import Absence, Case, FollowUp, Interaction, Mail
from cases.page_cache import kept_with_case, load_kept
from cases.policy.followup.absences import Sleep, sleep_until_answered, sleep_while_away
from cases.policy.followup.held_up import held_up_since
from cases.policy.followup.wait import TO_STAFF, ContactHours, DoneStep, Wait
from contacts.calendars import BusinessCalendar, calendar_problem
from contacts.enums import MeansOfContact
from contacts.models import Company, CompanyClosureDay, Contact

#: The message that puts the question of a wait.
QUESTION = "question"
_LEDGER = (
    *("case_id", "episode", "step", "time", "due_at", "done_at", "superseded", "closes_at", "interaction_id"),
    *("interaction__withdrawn_at", "interaction__undelivered_at"),
    *("mail__status", "mail__sent_at", "mail__to_address"),
)


@dataclass(frozen=True)
class _Rows:
    """What the waits of some cases are made of, as it was read."""

    ledger: list[dict[str, Any]]
    absences: dict[int, list[Absence]]  # by contact
    calendars: dict[int, BusinessCalendar]  # by company
    questions_lost: list[dict[str, Any]]


def contact_hours() -> ContactHours:
    """The contact hours that the settings say (F3, F4)."""
    return ContactHours(
        opens=settings.DESK_ATTEMPT_AT, closes_at=settings.DESK_CLOSES_AT, mail_at=settings.DESK_ATTEMPT_MAIL_AT
    )


def is_waiting(case: Case) -> bool:
    """Whether the case waits for its customer."""
    return case.status == Status.WAITING and case.waiting_since is not None


def load_wait(case: Case, leaving_at: datetime | None = None) -> Wait | None:
    """The wait that one case is in; None if it does not wait. Four queries, five if it is held up."""
    return load_waits([case], leaving_at).get(case.pk)


def load_waits(cases: Sequence[Case], leaving_at: datetime | None = None) -> dict[int, Wait]:
    """The waits that cases are in, by primary key of the case; four queries for all of them, five if one is held up.

    A queued mail has not left; a forecast lets it leave at `leaving_at`. Raises UnknownCalendar for a company whose
    country or time zone has no calendar.
    """
    waiting = [case for case in cases if is_waiting(case)]
    return _waits(waiting, _read(waiting), leaving_at) if waiting else {}


def load_wait_for_page(case: Case, leaving_at: datetime | None = None) -> Wait | None:
    """As `load_wait`, for several parts of one page: the rows are read once."""
    return _waits([case], _read_for_page(case), leaving_at)[case.pk] if is_waiting(case) else None


@kept_with_case
def _read_for_page(case: Case) -> _Rows:
    return _read([case])


def load_waits_for_page(cases: Iterable[Case]) -> dict[int, tuple[Wait, list[Absence]]]:
    """The waits that cases of one page are in with the absences of their contacts, by key of the case; four queries,
    five if one is held up, none for cases that are known.

    A case whose company has no calendar is left out.
    """
    waiting = [case for case in cases if is_waiting(case) and has_calendar(case.company)]
    return load_kept(_wait_and_absences, waiting, _waits_and_absences)


@kept_with_case
def _wait_and_absences(case: Case) -> tuple[Wait, list[Absence]]:
    return _waits_and_absences([case])[case.pk]


def _waits_and_absences(waiting: Sequence[Case]) -> dict[int, tuple[Wait, list[Absence]]]:
    rows = _read(waiting) if len(waiting) > 1 else _read_for_page(waiting[0])
    waits = _waits(waiting, rows, None)
    return {case.pk: (waits[case.pk], rows.absences.get(case.contact_id, [])) for case in waiting}


def has_calendar(company: Company) -> bool:
    """Whether the business days of a company are known."""
    return not calendar_problem(company.country, company.subdivision, company.time_zone)


def _read(waiting: Sequence[Case]) -> _Rows:
    rows = FollowUp.objects.filter(case__in=waiting).order_by("due_at", "time").values(*_LEDGER)
    calendars = load_calendars({case.company_id: case.company for case in waiting}.values())
    questions = Mail.objects.filter(case__in=waiting, template=QUESTION, status__in=WENT_WRONG)
    lost = questions.values("case_id", "episode", "to_address", "queued_at")
    return _Rows(list(rows), _load_absences(waiting), calendars, [*map(dict, lost)])


def _waits(waiting: Sequence[Case], rows: _Rows, leaving_at: datetime | None) -> dict[int, Wait]:
    done, times = _done_steps(waiting, rows.ledger, leaving_at)
    questions_lost = _questions_lost(waiting, rows.questions_lost)
    waits = {}
    for case in waiting:
        assert case.waiting_since is not None
        calendar = rows.calendars[case.company_id]
        waits[case.pk] = Wait(
            started_at=case.waiting_since,
            plan=WaitPlan(case.wait_plan or WaitPlan.PENDING_CLIENT_ACTION),
            calendar=calendar,
            done=done[case.pk],
            times=times[case.pk],
            sleeps=sleeps_of(rows.absences.get(case.contact_id, ()), calendar),
            phones=prefers_phone(case),
            hours=contact_hours(),
            contact_left=has_left(case),
            question_lost_at=questions_lost.get(case.pk),
        )
    held_up = [case for case in waiting if held_up_since(waits[case.pk]) is not None]
    for case_id, acted_at in _acts(held_up).items():
        waits[case_id] = replace(waits[case_id], acted_at=acted_at)
    return waits


def may_be_held_up() -> QuerySet[Any, Any]:
    """The keys of the waiting cases to whose customer something was written that may not have arrived (F2, D9).

    What was written before the longest wait began belongs to none any more: of years of lost mail the latest is read.
    A case of which several things did not arrive comes as often. Two queries, of which the second is to be cut.
    """
    waiting = Case.objects.filter(status=Status.WAITING).order_by()
    # Asked before: PostgreSQL has to know the moment to see how little is left.
    longest = waiting.aggregate(since=Min("waiting_since"))["since"]
    if longest is None:
        return Case.objects.none().values_list("pk")
    episode = waiting.filter(pk=OuterRef("case")).values("wait_episode")
    steps = FollowUp.objects.filter(superseded=False, interaction=None).exclude(step__in=TO_STAFF).order_by()
    # Subqueries of one value, which PostgreSQL asks for each of the few lost messages; joins it would begin with all
    # that waits, or with the steps of all years.
    lost = Mail.objects.filter(queued_at__gte=longest, status__in=LOST, episode=Subquery(episode))
    step = Subquery(steps.filter(mail=OuterRef("pk")).values("pk"))
    question = Q(template=QUESTION, status__in=WENT_WRONG)
    sources = [
        waiting.filter(contact__in=Contact.objects.filter(active=False)).values_list("pk"),
        waiting.filter(company__in=Company.objects.filter(active=False)).values_list("pk"),
        steps.filter(mail=None, done_at__gte=longest, episode=Subquery(episode)).values_list("case"),
        lost.alias(step=step).filter(question | Q(step__isnull=False)).values_list("case"),
    ]
    first, *others = (source.order_by() for source in sources)
    return first.union(*others, all=True)


def _questions_lost(waiting: Sequence[Case], rows: Iterable[dict[str, Any]]) -> dict[int, datetime]:
    """When the question of each wait was written, where it did not reach the address that the contact has now."""
    cases = {case.pk: case for case in waiting}
    return {
        row["case_id"]: row["queued_at"]
        for row in rows
        if row["episode"] == cases[row["case_id"]].wait_episode
        and not _may_arrive_now(cases[row["case_id"]], None, row["to_address"])
    }


def _acts(held_up: Sequence[Case]) -> dict[int, datetime]:
    """When somebody last turned to the customer themselves in each of these waits; no query for none."""
    if not held_up:
        return {}
    calls = Interaction.objects.filter(case__in=held_up, direction=Direction.OUT, by__isnull=False)
    calls = calls.filter(withdrawn_at=None, undelivered_at=None)
    last = calls.order_by().values_list("case_id").annotate(last=Max("at"))
    since = {case.pk: case.waiting_since for case in held_up}
    return {case_id: at for case_id, at in last if (began := since[case_id]) is not None and at > began}


def load_calendars(companies: Iterable[Company]) -> dict[int, BusinessCalendar]:
    """The business calendars of companies by primary key, with their closure days; one query."""
    companies = list(companies)
    closed: dict[int, set[date]] = defaultdict(set)
    rows = CompanyClosureDay.objects.filter(company__in=companies).values_list("company_id", "day")
    for company_id, day in rows:
        closed[company_id].add(day)
    return {company.pk: company.calendar(frozenset(closed[company.pk])) for company in companies}


def load_calendar(company: Company) -> BusinessCalendar:
    """The business calendar of one company; one query."""
    return load_calendars([company])[company.pk]


def prefers_phone(case: Case) -> bool:
    """Whether the customer is called first: they prefer the phone and have a number (F3)."""
    return (case.preferred_means or case.contact.preferred_means) == MeansOfContact.PHONE and bool(case.contact.phone)


def sleeps_of(absences: Iterable[Absence], calendar: BusinessCalendar) -> tuple[Sleep, ...]:
    """When a plan sleeps (F5): through the dates that were read or said, and while the owner is asked for them."""
    sleeps = (sleep_of(absence, calendar) for absence in absences)
    return tuple(sorted(sleep for sleep in sleeps if sleep is not None and sleep.start < sleep.wakes_at))


def sleep_of(absence: Absence, calendar: BusinessCalendar) -> Sleep | None:
    """When one absence puts a plan to sleep; None for one that does not."""
    wakes_at = contact_hours().opens
    if absence.has_dates:
        assert absence.away_from is not None
        assert absence.back_on is not None
        back_on = min(absence.back_on, absence.ended_on) if absence.ended_on else absence.back_on
        return sleep_while_away(absence.away_from, back_on, calendar, wakes_at) if back_on > absence.away_from else None
    if absence.asked_at is not None:
        return sleep_until_answered(absence.asked_at, calendar, wakes_at)
    return None


def absences_of(case: Case) -> list[Absence]:
    """The absences of the case's contact on the case's page, wherever they were noted (F5)."""
    return _read_for_page(case).absences.get(case.contact_id, [])


def _load_absences(cases: Sequence[Case]) -> dict[int, list[Absence]]:
    """The absences of the contacts of the cases, by primary key of the contact: an absence is its person's (F5)."""
    absences: dict[int, list[Absence]] = defaultdict(list)
    rows = Absence.objects.filter(contact__in={case.contact_id for case in cases})
    for row in rows.exclude(state=AbsenceState.DISMISSED).defer("note"):
        absences[row.contact_id].append(row)
    return absences


def _done_steps(
    cases: Sequence[Case], rows: Iterable[dict[str, Any]], leaving_at: datetime | None
) -> tuple[dict[int, dict[FollowUpStep, DoneStep]], dict[int, dict[FollowUpStep, int]]]:
    """The steps of each case's current episode, and how often each was carried out; of a repeated step the latest row.

    An attempt whose call was withdrawn, or whose mail reached nobody, was not made, but its number is taken.
    """
    by_key = {case.pk: case for case in cases}
    done: dict[int, dict[FollowUpStep, DoneStep]] = {key: {} for key in by_key}
    times: dict[int, dict[FollowUpStep, int]] = {key: {} for key in by_key}
    for row in rows:
        case = by_key[row["case_id"]]
        if row["episode"] != case.wait_episode:
            continue
        step = FollowUpStep(row["step"])
        times[case.pk][step] = max(row["time"], times[case.pk].get(step, 0))
        known = done[case.pk].get(step)
        was_made = row["interaction__withdrawn_at"] is None and row["interaction__undelivered_at"] is None
        if was_made and (known is None or known.times < row["time"]):
            done[case.pk][step] = _done_step(row, step, case, leaving_at)
    return done, times


def _done_step(row: dict[str, Any], step: FollowUpStep, case: Case, leaving_at: datetime | None) -> DoneStep:
    status = row["mail__status"]
    by_person = row["interaction_id"] is not None
    to_customer = step not in TO_STAFF and step != FollowUpStep.RESOLVE and not row["superseded"] and not by_person
    lost = to_customer and (status is None or status in LOST)
    sent_at = leaving_at if status == MailStatus.QUEUED else None
    return DoneStep(
        due_at=row["due_at"],
        done_at=row["done_at"],
        sent_at=row["mail__sent_at"] if status == MailStatus.SENT else sent_at,
        superseded=row["superseded"],
        closes_at=row["closes_at"],
        by_person=by_person,
        lost=lost,
        worth_repeating=lost and _may_arrive_now(case, status, row["mail__to_address"] or ""),
        times=row["time"],
    )


def _may_arrive_now(case: Case, status: str | None, address: str) -> bool:
    """Whether another mail may arrive where one was lost: it only left too late, or the address has changed."""
    current = case.contact.email
    return bool(current) and not has_left(case) and (status == MailStatus.DROPPED or current.lower() != address.lower())
