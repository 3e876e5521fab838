"""Who is due the daily digest, and what it tells them: a batch of readers in a fixed number of queries (W4, A1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import F, Max, Q, Window
from django.db.models.functions import RowNumber

from cases.mail.rendering import reader_zone
from cases.models import Case
from cases.models.case import load_people
from contacts.calendars import BusinessCalendar
from contacts.enums import LOOKING_AFTER
from contacts.models import Company, SupportCentre, User
from escalations.accounts.state import UNTOLD_MOVES, AccountRow, account_rows
from escalations.enums import Member, SlaOutcome
from escalations.models import DailyDigest, Escalation, EscalationRequest, SlaTarget
from escalations.policy.accounts import digest_day, is_working_day, told_from

#: So many cases of a company, and of a reader, are looked at: those with the soonest deadlines.
OF_A_COMPANY, OF_A_READER = 15, 24


@dataclass(frozen=True)
class DueReader:
    """A reader whose digest of a day of theirs is due, or was and could not be made."""

    user_id: int
    day: date


@dataclass
class DailyNews:
    """What the digest tells one reader. Cases that they mute are left out, but for what has to be decided (T5)."""

    user: User
    day: date
    since: datetime
    rows: list[AccountRow] = field(default_factory=list)
    missed: list[SlaTarget] = field(default_factory=list)
    requests: list[EscalationRequest] = field(default_factory=list)
    changed: list[Case] = field(default_factory=list)
    points: list[Escalation] = field(default_factory=list)
    is_cut: bool = False

    @property
    def zone(self) -> ZoneInfo:
        return reader_zone(self.user.time_zone)

    @property
    def ends_at(self) -> datetime:
        """The end of the reader's day: later the digest would not be true any more."""
        return datetime.combine(self.day + timedelta(days=1), time(0), tzinfo=self.zone)


def due_readers(now: datetime) -> list[DueReader]:
    """Whoever looks after companies, wants the digest, and is due today's at `now`; three queries, and one more."""
    users = User.objects.reachable().filter(daily_digest=True, role__in=LOOKING_AFTER).order_by("pk")
    calendars = _calendars()
    due = []
    for key, name in users.values_list("pk", "time_zone"):
        zone = reader_zone(name)
        calendar = calendars.get(zone.key)
        works_on = calendar.is_business_day if calendar is not None else is_working_day
        day = digest_day(now, zone, settings.DESK_DIGEST_AT, works_on)
        if day is not None:
            due.append(DueReader(key, day))
    return still_due(due, now)


def still_due(readers: Sequence[DueReader], now: datetime) -> list[DueReader]:
    """Those of the readers whose digest is not in the ledger yet, or waits there to be tried again; one query."""
    if not readers:
        return []
    rows = DailyDigest.objects.filter(
        user__in=[one.user_id for one in readers], day__in={one.day for one in readers}
    ).values_list("user_id", "day", "retry_at")
    known = {(user_id, day): retry_at for user_id, day, retry_at in rows}
    return [
        one
        for one in readers
        if (one.user_id, one.day) not in known
        or ((retry_at := known[one.user_id, one.day]) is not None and retry_at <= now)
    ]


def _calendars() -> dict[str, BusinessCalendar]:
    """The business days by time zone: those of the support centre there, of several the first by name."""
    found: dict[str, BusinessCalendar] = {}
    for centre in SupportCentre.objects.prefetch_related("closure_days").order_by("name"):
        closed = frozenset(closure.day for closure in centre.closure_days.all())
        found.setdefault(centre.time_zone, centre.calendar(closed))
    return found


# --- what it tells ----------------------------------------------------------------------------------------------


def load_news(readers: Sequence[DueReader], users: Mapping[int, User], now: datetime) -> list[DailyNews]:
    """What each of these readers is told at `now`."""
    last = dict(
        DailyDigest.objects.filter(user__in=users, retry_at=None)
        .order_by()
        .values_list("user_id")
        .annotate(until=Max("until"))
    )
    news = [DailyNews(users[one.user_id], one.day, told_from(last.get(one.user_id), now)) for one in readers]
    companies = _companies_of(users)
    everywhere = {key for keys in companies.values() for key in keys}
    first = min((one.since for one in news), default=now)
    batch = _Batch(everywhere, first, now)
    _add_rows(news, companies, everywhere, now)
    for one in news:
        own = companies[one.user.pk]
        one.missed = [row for row in batch.missed if row.case.company_id in own and row.due_at > one.since]
        one.requests = [row for row in batch.requests if row.case.company_id in own]
        one.changed = [case for case in batch.changed if case.company_id in own and case.changed_at > one.since]
        one.points = [row for row in batch.points if row.case.company_id in own and row.done_at > one.since]
        _leave_out_muted(one)
    return news


def _companies_of(users: Iterable[int]) -> dict[int, set[int]]:
    """The keys of the companies that each of these users looks after (A1); one query."""
    keys = list(users)
    rows = Company.objects.filter(Q(account_manager__in=keys) | Q(customer_engineer__in=keys), active=True).order_by()
    found: dict[int, set[int]] = {key: set() for key in keys}
    for company, manager, engineer in rows.values_list("pk", "account_manager", "customer_engineer"):
        for user in (manager, engineer):
            if user in found:
                found[user].add(company)
    return found


class _Batch:
    """What happened at the companies of a batch of readers since a moment; four queries."""

    def __init__(self, companies: set[int], since: datetime, now: datetime) -> None:
        there = {"case__company__in": companies}
        missed = SlaTarget.objects.filter(outcome=SlaOutcome.BREACHED, member=Member.CUSTOMER, **there)
        missed = missed.filter(due_at__gt=since, due_at__lte=now)
        self.missed = list(missed.select_related("case__company", "case__owner").order_by("-due_at"))
        requests = EscalationRequest.objects.undecided().filter(**there)
        self.requests = list(requests.select_related("case__company", "requested_by").order_by("requested_at"))
        changed = Case.objects.filter(company__in=companies, changed_at__gt=since).exclude(last_move__in=UNTOLD_MOVES)
        self.changed = list(changed.select_related("company").order_by("-changed_at", "-pk"))
        points = Escalation.objects.filter(done_at__gt=since, carried_out=True, **there)
        self.points = list(points.select_related("case__company").order_by("-done_at", "-number"))


def _add_rows(
    news: Sequence[DailyNews], companies: Mapping[int, set[int]], everywhere: Iterable[int], now: datetime
) -> None:
    """The open cases of each reader with the soonest deadlines."""
    place = Window(RowNumber(), partition_by=F("company"), order_by=[F("next_due_at").asc(), F("pk").desc()])
    soonest = Case.objects.open().filter(company__in=everywhere, next_due_at__isnull=False).alias(place=place)
    rows = soonest.filter(place__lte=OF_A_COMPANY + 1).order_by("next_due_at", "-pk")
    by_company: dict[int, list[tuple[int, datetime]]] = defaultdict(list)
    for key, company, due_at in rows.values_list("pk", "company", "next_due_at"):
        if due_at is not None:
            by_company[company].append((key, due_at))
    chosen: dict[int, list[int]] = {}
    for one in news:
        own = sorted((row for company in companies[one.user.pk] for row in by_company[company]), key=lambda row: row[1])
        one.is_cut = len(own) > OF_A_READER or any(
            len(by_company[company]) > OF_A_COMPANY for company in companies[one.user.pk]
        )
        chosen[one.user.pk] = [key for key, _ in own[:OF_A_READER]]
    keys = {key for own in chosen.values() for key in own}
    cases: dict[int, Any] = Case.objects.in_bulk(keys)
    load_people(list(cases.values()))
    reader = next((one.user for one in news), None)
    made = {}
    if reader is not None:
        made = {row.case.pk: row for row in account_rows(list(cases.values()), reader, now, with_words=False)}
    for one in news:
        one.rows = [made[key] for key in chosen[one.user.pk] if key in made]


def _leave_out_muted(news: DailyNews) -> None:
    user = news.user
    news.rows = [row for row in news.rows if not row.case.is_muted_by(user)]
    news.missed = [row for row in news.missed if not row.case.is_muted_by(user)]
    news.changed = [case for case in news.changed if not case.is_muted_by(user)]
    news.points = [row for row in news.points if not row.case.is_muted_by(user)]
