"""The dashboard: what each person should look at next, as cards.

Every card is scoped by the reader (A1), costs a fixed number of queries and reads no more rows than it shows: lists
are cut, counts are capped. Other apps register cards of their own with `card`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import product
from typing import Any, Generic, TypeVar

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from cases.engine.watch import MAILS_COUNTED, engine_state
from cases.enums import MailStatus, Severity, Status
from cases.models import Absence, Case, FailedCase, FollowUp, Interaction, Outage, Refusal
from cases.policy.followup.absences import OPEN_ABSENCES
from cases.policy.followup.three_contacts import CALL_BEFORE
from contacts.directory import directory_problems
from contacts.enums import Right
from contacts.models import Company, Technician, User
from contacts.sign_ins import failed_within

#: A list instead of "not resolved", so that the counts can use the index on status.
OPEN = [status for status in Status if status != Status.RESOLVED]
#: How many rows a card lists before it links on.
SHOWN = 12
COMPANIES_SHOWN = 100
#: Open cases are counted up to here.
COUNTED = 5_000
OUTAGE_SHOWN_FOR = timedelta(days=3)


@dataclass(frozen=True)
class Figure:
    """A number for the strip at the top of the page, “7 critical”, by rising place."""

    number: str
    label: str
    link: str = ""
    is_pressing: bool = False
    place: int = 50


@dataclass(frozen=True)
class Card:
    """A part of the dashboard. `aside` puts it into the narrow column; `figures` must cost no query of their own."""

    title: str
    template: str
    context: dict[str, Any] = field(default_factory=dict)
    link: str = ""
    link_text: str = ""
    aside: bool = False
    figures: tuple[Figure, ...] = ()


Row = TypeVar("Row")


@dataclass(frozen=True)
class Listed(Generic[Row]):
    """The rows of a list that a card shows; `count` is “3”, or “12+” for a list that was cut."""

    rows: list[Row]
    count: str
    more: bool

    @property
    def context(self) -> dict[str, Any]:
        return {"rows": self.rows, "more": self.more}


def listed(found: Sequence[Row] | QuerySet[Any, Row], most: int = SHOWN) -> Listed[Row]:
    """The first rows; a queryset is asked for one more than are shown, to know whether there are more."""
    rows = list(found[: most + 1])
    more = len(rows) > most
    return Listed(rows[:most], f"{most}+" if more else str(len(rows)), more)


def count_pairs(rows: QuerySet[Any], **values: Iterable[str]) -> dict[tuple[str, ...], int]:
    """How many rows have each pair of values of two columns; one query, also of a queryset that is cut."""
    pairs = list(product(*values.values()))
    cells = {
        f"cell_{place}": Count("pk", filter=Q(**dict(zip(values, pair, strict=True))))
        for place, pair in enumerate(pairs)
    }
    counts = rows.aggregate(**cells)
    return {pair: counts[f"cell_{place}"] for place, pair in enumerate(pairs)}


CardMaker = Callable[[User, datetime], Card | None]
_makers: dict[int, CardMaker] = {}


def card(place: int, right: Right | None = None) -> Callable[[CardMaker], CardMaker]:
    """Register the decorated maker for the dashboard of those who have the right; it returns None for no card.

    Cards stand by rising place, and no two share one. Below 20: somebody waits for the reader by the minute; 20 to
    39: the reader's own work; 40 to 59: what escalation shows; from 60 on: the rest.
    """

    def register(maker: CardMaker) -> CardMaker:
        def made(user: User, now: datetime) -> Card | None:
            return maker(user, now) if right is None or user.may(right) else None

        assert place not in _makers, f"Place {place} is taken by {_makers[place]}."
        _makers[place] = made
        return made

    return register


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Django-unfold's dashboard callback."""
    now = timezone.now()
    cards = cards_for(request.user, now)  # type: ignore[arg-type]
    columns = [[card for card in cards if card.aside is aside] for aside in (False, True)]
    return context | {
        "columns": [column for column in columns if column],
        "figures": sorted((figure for card in cards for figure in card.figures), key=lambda figure: figure.place),
        "greeting": greeting(request.user, now),  # type: ignore[arg-type]
        "now": now,
        "title": "My desk",
    }


def greeting(user: User, now: datetime) -> str:
    """“Good morning, Ruth”, by the reader's own clock."""
    hour = timezone.localtime(now).hour
    time_of_day = "morning" if 4 <= hour < 12 else "afternoon" if 12 <= hour < 18 else "evening"
    return f"Good {time_of_day}, {user.first_name or user.username}"


def cards_for(user: User, now: datetime) -> list[Card]:
    made = (_makers[place](user, now) for place in sorted(_makers))
    return [card for card in made if card is not None]


def watches(user: User) -> bool:
    """Whether somebody watches over cases that are not their own work: managers, AM, customer engineer."""
    return user.may(Right.WATCH_THE_ENGINE) or _only_own_companies(user)


def _only_own_companies(user: User) -> bool:
    return user.may(Right.READ_OWN_COMPANIES) and not user.may(Right.READ_EVERY_CASE)


def _case_list(**filters: str) -> str:
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return reverse("admin:cases_case_changelist") + (f"?{query}" if query else "")


@card(place=0)
def no_role_card(user: User, now: datetime) -> Card | None:
    if any(user.may(right) for right in Right):
        return None
    return Card("You have no role yet", "admin/desk/no_role.html")


# --- own work ---------------------------------------------------------------------------------------------------


def _has_a_queue(user: User) -> bool:
    return user.may(Right.WORK_CASES) and not user.may(Right.WATCH_THE_ENGINE)


def _case_context(cases: Listed[Case], moment: str, now: datetime, reader: User, **more: Any) -> dict[str, Any]:
    """A list of cases with the moment of each; `in_work`: it has come, and a sweep is about to handle it."""
    rows = [
        {"case": case, "at": at, "in_work": at is not None and at <= now}
        for case in cases.rows
        for at in [getattr(case, moment)]
    ]
    moment_title = {"escalation_check_at": "Next escalation", "follow_up_check_at": "Next follow-up"}[moment]
    return {"rows": rows, "more": cases.more, "moment_title": moment_title, "reader": reader, **more}


def _soonest_first(cases: QuerySet[Case], moment: str) -> Listed[Case]:
    return listed(cases.select_related("company", "owner").order_by(F(moment).asc(nulls_last=True), "opened_at"))


@card(place=21)
def my_queue(user: User, now: datetime) -> Card | None:
    """The open cases that one owns or watches and that do not wait, the soonest escalation first."""
    moment, link = "escalation_check_at", _case_list(queue="mine")
    cases = _soonest_first(Case.objects.in_queue_of(user).exclude(status=Status.WAITING), moment)
    if not _has_a_queue(user) and not cases.rows:
        return None
    open_a_case = reverse("admin:cases_case_add") if user.may(Right.WORK_CASES) else ""
    empty = "Your queue is empty. Time for a coffee, or for a case that waits for its customer."
    return Card(
        "My queue",
        "admin/desk/case_list.html",
        _case_context(cases, moment, now, user, empty=empty, open_a_case=open_a_case),
        link=link,
        link_text="All my cases",
        figures=(Figure(cases.count, "in my queue", link),),
    )


@card(place=22)
def my_waiting(user: User, now: datetime) -> Card | None:
    """The cases of one's queue that wait for the customer, the next follow-up first (F2)."""
    moment, link = "follow_up_check_at", _case_list(queue="mine", status__exact=Status.WAITING)
    cases = _soonest_first(Case.objects.in_queue_of(user).filter(status=Status.WAITING), moment)
    if not _has_a_queue(user) and not cases.rows:
        return None
    return Card(
        "Waiting for the customer",
        "admin/desk/case_list.html",
        _case_context(cases, moment, now, user, empty="No customer owes you an answer just now.", all_wait=True),
        link=link,
        link_text="All that wait",
        figures=(Figure(cases.count, "waiting for the customer", link),),
    )


@dataclass(frozen=True)
class ToDo:
    """Something that the owner of a waiting case has to do."""

    case: Case
    what: str
    since: datetime


@card(place=20, right=Right.WORK_CASES)
def asked_of_me(user: User, now: datetime) -> Card | None:
    """Calls to make and absences to confirm on one's own waiting cases (F3, F5)."""
    todos = listed(sorted([*_calls_to_make(user, now), *_absences_to_settle(user)], key=lambda todo: todo.since))
    if not todos.rows:
        return None
    figure = Figure(todos.count, "to call or to settle", is_pressing=True, place=20)
    return Card("Customers to call or to ask after", "admin/desk/to_do.html", todos.context, figures=(figure,))


def _calls_to_make(user: User, now: datetime) -> list[ToDo]:
    """Calls that the owner was asked to make within the last day and that no later step has followed."""
    since = FollowUp.objects.filter(case=OuterRef("case"), episode=OuterRef("episode"), done_at__gt=OuterRef("done_at"))
    calls = FollowUp.objects.filter(
        ~Exists(since),
        step__in=CALL_BEFORE.values(),
        case__owner=user,
        case__status=Status.WAITING,
        episode=F("case__wait_episode"),
        done_at__gt=now - timedelta(days=1),
    ).select_related("case", "case__contact", "case__company")
    return [
        ToDo(row.case, f"Call {row.case.contact.name} on {row.case.contact.phone}", row.done_at)
        for row in calls.order_by("done_at")[: SHOWN + 1]
    ]


def _absences_to_settle(user: User) -> list[ToDo]:
    rows = Absence.objects.filter(state__in=OPEN_ABSENCES, case__owner=user, contact=F("case__contact"))
    rows = rows.filter(case__status=Status.WAITING, asked_at__isnull=False).select_related("case", "case__company")
    return [
        ToDo(
            row.case,
            f"Confirm or correct: {row.summary()}" if row.back_on else "Say how long they are away",
            row.noted_at,
        )
        for row in rows.order_by("noted_at")[: SHOWN + 1]
    ]


@card(place=23, right=Right.WORK_CASES)
def unanswered(user: User, now: datetime) -> Card | None:
    """Contacts of customers on resolved cases that nobody has handled, on one's own cases or on all (C7)."""
    contacts = Interaction.objects.filter(needs_answer=True).select_related("case", "case__company", "contact")
    if not user.may(Right.WATCH_THE_ENGINE):
        contacts = contacts.filter(case__owner=user)
    found = listed(contacts.order_by("at"))
    if not found.rows and not _has_a_queue(user):
        return None
    figure = Figure(found.count, "written after closing", is_pressing=True, place=90)
    figures = (figure,) if found.rows else ()
    return Card("Written after closing", "admin/desk/unanswered.html", found.context, aside=True, figures=figures)


@card(place=24, right=Right.WORK_CASES)
def my_duty(user: User, now: datetime) -> Card | None:
    """The technician's switch between on duty and away (C6)."""
    technician = Technician.objects.filter(user=user).select_related("centre").first()
    if technician is None:
        return None
    context = {"technician": technician, "switch": reverse("admin:contacts_technician_own_duty")}
    return Card("On duty", "admin/desk/duty.html", context, aside=True)


# --- the cases one watches --------------------------------------------------------------------------------------


@card(place=26, right=Right.WATCH_THE_ENGINE)
def open_cases(user: User, now: datetime) -> Card:
    """Open cases by severity and status, for those who watch the whole desk; one capped query."""
    counted = Case.objects.filter(status__in=OPEN).order_by().values("pk", "severity", "status")[:COUNTED]
    counts = count_pairs(counted, severity=Severity, status=OPEN)
    rows = [
        {
            "severity": severity,
            "cells": [
                {
                    "count": counts[severity, status],
                    "link": _case_list(severity__exact=severity, status__exact=status),
                }
                for status in OPEN
            ],
            "total": sum(counts[severity, status] for status in OPEN),
        }
        for severity in Severity
    ]
    total, critical = sum(counts.values()), sum(counts[Severity.CRITICAL, status] for status in OPEN)
    waiting = sum(counts[severity, Status.WAITING] for severity in Severity)
    return Card(
        "Open cases",
        "admin/desk/open_cases.html",
        {"statuses": OPEN, "rows": rows, "total": total, "capped": total >= COUNTED},
        link=_case_list(),
        link_text="All cases",
        figures=(
            Figure(f"{total:,}" + ("+" if total >= COUNTED else ""), "open", _case_list(queue="open")),
            _critical_figure(critical),
            Figure(f"{waiting:,}", "waiting for the customer", _case_list(queue="waiting")),
        ),
    )


def _critical_figure(count: int) -> Figure:
    link = _case_list(queue="open", severity__exact=Severity.CRITICAL)
    return Figure(f"{count:,}", "critical", link, is_pressing=bool(count))


@card(place=60)
def own_companies(user: User, now: datetime) -> Card | None:
    """An AM's or customer engineer's companies with their open cases by severity (A1); two queries."""
    if not _only_own_companies(user):
        return None
    companies = list(Company.objects.visible_to(user).order_by("name")[:COMPANIES_SHOWN])
    found = (
        Case.objects.filter(company__in=[company.pk for company in companies], status__in=OPEN)
        .order_by()
        .values_list("company_id", "severity")[:COUNTED]
    )
    counts = Counter(found)
    rows = [
        {
            "company": company,
            "counts": [(severity, counts[company.pk, severity.value]) for severity in Severity],
            "link": _case_list(company__id__exact=str(company.pk)),
        }
        for company in companies
    ]
    critical = sum(count for (_, severity), count in counts.items() if severity == Severity.CRITICAL.value)
    return Card(
        "My companies",
        "admin/desk/own_companies.html",
        {"rows": rows, "severities": list(Severity)},
        figures=(
            Figure(str(len(companies)), "companies", reverse("admin:contacts_company_changelist")),
            Figure(f"{sum(counts.values()):,}", "open", _case_list(queue="open")),
            _critical_figure(critical),
        ),
    )


@card(place=61)
def newest_of_own_companies(user: User, now: datetime) -> Card | None:
    """The newest open cases of an AM's or customer engineer's companies."""
    if not _only_own_companies(user):
        return None
    newest = Case.objects.visible_to(user).filter(status__in=OPEN).select_related("company", "owner").order_by("-pk")
    empty = "Nothing is open at your companies. A good day."
    return Card(
        "Open cases of my companies",
        "admin/desk/case_list.html",
        _case_context(listed(newest), "escalation_check_at", now, user, empty=empty),
        link=_case_list(),
        link_text="All cases of my companies",
    )


#: So many failed sign-ins within an hour are no slip of the fingers.
FAILED_SIGN_INS_SHOWN = 10


# --- the engine and the directory -------------------------------------------------------------------------------


@card(place=25, right=Right.WATCH_THE_ENGINE)
def engine_watch(user: User, now: datetime) -> Card:
    """The state of sweeps and mail, and cases set aside (S2, S3, M1)."""
    state = engine_state(now)
    mails = [
        (status, count, count >= MAILS_COUNTED, f"{reverse('admin:cases_mail_changelist')}?{link}")
        for status, count, link in (
            (MailStatus.QUEUED, state.mail.queued, "status__exact=queued"),
            (MailStatus.FAILED, state.mail.failed, "status__exact=failed"),
        )
    ]
    set_aside = list(FailedCase.objects.filter(solved_at=None).select_related("case")[:SHOWN])
    return Card(
        "The engine",
        "admin/desk/engine.html",
        {
            "looks": state.looks,
            "overdue": [(work.what, work.due_at) for work in state.overdue],
            "mails": mails,
            "mail_troubles": list(state.mail_troubles()),
            "mail_error": state.mail.last_error,
            "failed_sign_ins": failed_within(timedelta(hours=1), now),
            "many_sign_ins": FAILED_SIGN_INS_SHOWN,
            "set_aside": set_aside,
            "outage": Outage.objects.filter(ended_at__gt=now - OUTAGE_SHOWN_FOR).first(),
            "healthy": not (state.troubles() or set_aside or state.mail.failed),
        },
        link=reverse("admin:cases_failedcase_changelist"),
        link_text="Cases set aside",
        aside=True,
    )


@card(place=62, right=Right.WATCH_THE_ENGINE)
def problems(user: User, now: datetime) -> Card:
    """Gaps of the directory that send messages to the fallback (D5)."""
    sentences = directory_problems()
    return Card(
        "Directory",
        "admin/desk/problems.html",
        {"problems": sentences[:SHOWN], "left_out": max(0, len(sentences) - SHOWN)},
        link=reverse("admin:contacts_roleholder_changelist"),
        link_text="Management roles",
        aside=True,
    )


@card(place=63, right=Right.WATCH_THE_ENGINE)
def refusals(user: User, now: datetime) -> Card:
    """The latest callers who were turned away (D3)."""
    return Card(
        "Turned away",
        "admin/desk/refusals.html",
        {"rows": list(Refusal.objects.select_related("company", "by").order_by("-pk")[:5])},
        link=reverse("admin:cases_refusal_changelist"),
        link_text="All refusals",
        aside=True,
    )
