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

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from cases.engine.watch import MAILS_COUNTED, engine_state
from cases.enums import MailStatus, Severity, Status
from cases.models import Case, FailedCase, Outage, Refusal
from contacts.directory import directory_problems
from contacts.enums import Right
from contacts.models import Company, User
from contacts.pages import url_of_company
from contacts.reader import for_reader
from contacts.sign_ins import failed_within

#: A list instead of "not resolved", so that the counts can use the index on status.
OPEN = [status for status in Status if status != Status.RESOLVED]
#: How many rows a card lists before it links on.
SHOWN = 12
COMPANIES_SHOWN = 100
#: Open cases are counted up to here.
COUNTED = 5_000
OUTAGE_SHOWN_FOR = timedelta(days=3)
NO_MAIL_SERVER = "No mail server is set (EMAIL_URL): every message is kept here, and none leaves."


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
    on_top: bool = False  # beside the greeting
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


CardMaker = Callable[[User, datetime], Card | Sequence[Card] | None]
_makers: dict[int, CardMaker] = {}


def card(place: int, right: Right | None = None) -> Callable[[CardMaker], CardMaker]:
    """Register the decorated maker for the dashboard of those who have the right; it returns None for no card, or
    several that are made of the same.

    Cards stand by rising place, and no two share one. Below 20: somebody waits for the reader by the minute; 20 to
    39: the reader's own work; 40 to 59: what escalation shows; from 60 on: the rest.
    """

    def register(maker: CardMaker) -> CardMaker:
        def made(user: User, now: datetime) -> Card | Sequence[Card] | None:
            return maker(user, now) if right is None or user.may(right) else None

        assert place not in _makers, f"Place {place} is taken by {_makers[place]}."
        _makers[place] = made
        return made

    return register


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Django-unfold's dashboard callback."""
    now = timezone.now()
    cards = cards_for(request.user, now)  # type: ignore[arg-type]
    below = [card for card in cards if not card.on_top]
    columns = [[card for card in below if card.aside is aside] for aside in (False, True)]
    return context | {
        "on_top": [card for card in cards if card.on_top],
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
    several = ([one] if isinstance(one, Card) else one for one in made if one)
    return [card for cards in several for card in cards]


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


# --- the cases one watches --------------------------------------------------------------------------------------


@card(place=58, right=Right.WATCH_THE_ENGINE)
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
            "page": url_of_company(company.pk),
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


#: So many failed sign-ins within an hour are no slip of the fingers.
FAILED_SIGN_INS_SHOWN = 10


# --- the engine and the directory -------------------------------------------------------------------------------


@card(place=25, right=Right.WATCH_THE_ENGINE)
def engine_watch(user: User, now: datetime) -> Card | None:
    """The state of sweeps and mail, and cases set aside, while something is wrong with them (S2, S3, M1, W5)."""
    state = engine_state(now)
    mails = [
        (status, count, count >= MAILS_COUNTED, f"{reverse('admin:cases_mail_changelist')}?{link}")
        for status, count, link in (
            (MailStatus.QUEUED, state.mail.queued, "status__exact=queued"),
            (MailStatus.FAILED, state.mail.failed, "status__exact=failed"),
        )
    ]
    set_aside = list(FailedCase.objects.filter(solved_at=None).select_related("case")[:SHOWN])
    failed_sign_ins = failed_within(timedelta(hours=1), now)
    is_attacked = failed_sign_ins >= FAILED_SIGN_INS_SHOWN
    if not (state.troubles() or set_aside or state.mail.failed or is_attacked):
        return None
    return Card(
        "The engine",
        "admin/desk/engine.html",
        {
            "looks": state.looks,
            "overdue": [(work.what, work.due_at) for work in state.overdue],
            "mails": mails,
            "mail_troubles": list(state.mail_troubles(for_reader)),
            "mail_error": state.mail.last_error,
            "door_troubles": list(state.door_troubles(for_reader)),
            "failed_sign_ins": failed_sign_ins,
            "many_sign_ins": FAILED_SIGN_INS_SHOWN,
            "set_aside": set_aside,
            "outage": Outage.objects.filter(ended_at__gt=now - OUTAGE_SHOWN_FOR).first(),
        },
        link=reverse("admin:cases_failedcase_changelist"),
        link_text="Cases set aside",
        aside=True,
    )


@card(place=19, right=Right.WATCH_THE_ENGINE)
def problems(user: User, now: datetime) -> Card | None:
    """What is missing in the set-up, such as a role without a holder, whose messages go to the fallback (D5).

    That no mail server is set is for administrators alone, who can set one.
    """
    sentences = [*([NO_MAIL_SERVER] if user.is_superuser and settings.MAIL_IS_KEPT else []), *directory_problems()]
    if not sentences:
        return None
    return Card(
        "Missing in the set-up",
        "admin/desk/problems.html",
        {"problems": sentences[:SHOWN], "left_out": max(0, len(sentences) - SHOWN)},
        link=reverse("admin:contacts_roleholder_changelist"),
        link_text="Management roles",
        aside=not user.is_superuser,
    )


@card(place=63, right=Right.WATCH_THE_ENGINE)
def refusals(user: User, now: datetime) -> Card:
    """The latest callers who were turned away (D3)."""
    return Card(
        "Callers turned away",
        "admin/desk/refusals.html",
        {"rows": list(Refusal.objects.select_related("company", "by").order_by("-pk")[:5])},
        link=reverse("admin:cases_refusal_changelist"),
        link_text="All callers turned away",
        aside=True,
    )
