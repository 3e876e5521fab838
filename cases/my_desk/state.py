"""My desk: everything that is wanted of the reader in one list, soonest first, one row a case and one for each kind of
work that belongs to no case (W1), and beside it what the desk does by itself tonight.

Whoever works cases sees their own; whoever watches over the desk sees what has to be decided and what went wrong;
account managers and customer engineers see what their customers are owed next. A fixed number of queries, of which each
reads the first cases of an index: by the next deadline of any kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from django.urls import reverse

from cases.actions import ACTIONS
from cases.dashboard import watches
from cases.enums import Status, WorkGroup
from cases.models import Case, CaseQuerySet
from cases.models.case import load_people
from cases.policy.work_order import watch_group_of
from cases.work_items import (
    NextByDesk,
    SharedWork,
    WorkItem,
    cases_for,
    shared_work_for,
    upcoming_of,
    work_items_of,
)
from contacts.enums import Right
from contacts.models import Company, User
from contacts.pages import url_of_company
from contacts.wording import distance_from, moment_formatter

#: How many cases a desk is made of: those with the soonest deadlines.
READ = 50
#: How many rows stand under a heading before it links on.
SHOWN = 12
WATCHED_SHOWN = 8
COMPANIES_READ = 100
#: How far ahead “tonight” looks, and of how many cases it says who would get them.
TONIGHT = timedelta(hours=12)
TONIGHT_NAMED = 8


@dataclass(frozen=True)
class WorkRow:
    """One case on a desk: what is wanted on it, or what comes next on it by itself."""

    case: Case
    group: WorkGroup
    item: WorkItem | None
    coming: NextByDesk | None
    now: datetime
    zone: tzinfo
    reader: User

    @property
    def act(self) -> str:
        """What is wanted, with whoever is expected to do it if that is not the reader."""
        if self.item is not None:
            return self.item.act
        return self.coming.what if self.coming is not None else "Nothing is due"

    @property
    def who(self) -> str:
        """Who is expected to act, where it is not the reader; else whose case it is, where it is not theirs."""
        if self.item is not None and not self.item.for_reader:
            return f"{self.item.who[0].upper()}{self.item.who[1:]}"
        if self.item is None and self.coming is not None:
            return "by itself"
        foreign = self.case.owner_id is not None and self.case.owner_id != self.reader.pk
        return f"owner {self.case.owner}" if foreign else ""

    @property
    def owner_phone(self) -> str:
        """The owner's number, for account managers and customer engineers, who ask the owner (C3)."""
        owner = self.case.owner if self.case is not None else None
        return owner.phone if owner is not None and not self.reader.may(Right.READ_EVERY_CASE) else ""

    @property
    def company_url(self) -> str:
        """The page of the company, for whoever looks after it."""
        return url_of_company(self.case.company_id) if self.reader.may(Right.READ_OWN_COMPANIES) else ""

    @property
    def at(self) -> datetime | None:
        """The deadline."""
        return self.item.due_at if self.item is not None else self.coming.at if self.coming is not None else None

    @property
    def distance(self) -> str:
        """“in 45 min”, “3 h ago”."""
        return distance_from(self.at, self.now) if self.at is not None else "no deadline"

    @property
    def clock(self) -> str:
        """The deadline on the reader's clock: “14:00”, “Tue 2 Jun, 14:00”."""
        return moment_formatter(self.now, self.zone)(self.at) if self.at is not None else ""

    @property
    def is_pressing(self) -> bool:
        return self.item is not None and self.item.is_pressing(self.now)

    @property
    def local_time(self) -> str:
        """The time of day at the company."""
        return f"{self.now.astimezone(ZoneInfo(self.case.company.time_zone)):%H:%M}"

    @property
    def button(self) -> str:
        """What the button says: the name of the action that does what is wanted of the reader, else that it opens."""
        action = ACTIONS.get(self.item.action) if self.item is not None and self.item.for_reader else None
        return action.label if action is not None else "Open"

    @property
    def url(self) -> str:
        """Where the button leads: the form of the act."""
        is_own = self.item is not None and self.item.for_reader
        return self.item.url if self.item is not None and is_own else self.case.get_absolute_url()

    @property
    def post_to(self) -> str:
        """The address that takes the act at once, if it asks for nothing more."""
        if self.item is None or not self.item.for_reader or self.item.posts is None:
            return ""
        return reverse("admin:cases_case_do", args=[self.case.pk, self.item.action])

    @property
    def hidden(self) -> dict[str, str]:
        """What is posted with it: the values, and which state of the case the page showed."""
        if self.item is None or self.item.posts is None:
            return {}
        return ACTIONS[self.item.action].stamps(self.case) | dict(self.item.posts)


@dataclass(frozen=True)
class SharedRow:
    """Work that belongs to no case, as a row among those of the cases."""

    item: SharedWork
    group: WorkGroup
    now: datetime
    zone: tzinfo

    case = None
    who = ""

    @property
    def act(self) -> str:
        return self.item.act

    @property
    def at(self) -> datetime:
        """The deadline."""
        return self.item.due_at

    @property
    def distance(self) -> str:
        """“in 45 min”, “3 h ago”."""
        return distance_from(self.item.due_at, self.now)

    @property
    def clock(self) -> str:
        """The deadline on the reader's clock."""
        return moment_formatter(self.now, self.zone)(self.item.due_at)

    @property
    def waits_since(self) -> str:
        """“09:14 (2 h ago)”: since when the oldest of it waits."""
        since = moment_formatter(self.now, self.zone)(self.item.since)
        return f"{since} ({distance_from(self.item.since, self.now)})"

    @property
    def is_pressing(self) -> bool:
        return self.item.is_pressing(self.now)

    @property
    def button(self) -> str:
        return self.item.button

    @property
    def url(self) -> str:
        return self.item.url


@dataclass(frozen=True)
class WorkRows:
    """The rows under one heading."""

    group: WorkGroup
    rows: list[WorkRow | SharedRow]
    more: bool


@dataclass
class WorkDesk:
    """Everything on a reader's desk. `is_cut` says that only the soonest cases were read."""

    rows: list[WorkRow | SharedRow] = field(default_factory=list)
    watched: list[WorkRow] = field(default_factory=list)
    is_cut: bool = False
    tonight: list[NextByDesk] = field(default_factory=list)
    shared: list[SharedWork] = field(default_factory=list)

    @property
    def groups(self) -> list[WorkRows]:
        """The headings that have rows, in their order."""
        found = []
        for group in WorkGroup:
            rows = [row for row in self.rows if row.group == group]
            if rows:
                found.append(WorkRows(group, rows[:SHOWN], len(rows) > SHOWN))
        return found

    def counted(self, rows: Iterable[WorkRow | SharedRow]) -> str:
        """How many rows; “50+” where there may be more."""
        number = len(list(rows))
        return f"{number}+" if self.is_cut and number >= READ else str(number)


def desk_of(reader: User, now: datetime, zone: tzinfo) -> WorkDesk:
    """What stands on a reader's desk at `now`, whose days are those of `zone`."""
    if reader.may(Right.WATCH_THE_ENGINE):
        return _overseers(reader, now, zone)
    return _customers(reader, now, zone) if watches(reader) else _own(reader, now, zone)


# --- one's own work ---------------------------------------------------------------------------------------------


def _own(reader: User, now: datetime, zone: tzinfo) -> WorkDesk:
    """The cases that a technician owns or is wanted on; apart from them those that they only watch."""
    owned = _read(Case.objects.owned_by(reader))
    watched = list(Case.objects.watched_by(reader).soonest_first()[:WATCHED_SHOWN])
    others = _further(cases_for(reader, now, READ), [*owned, *watched])
    cases = [*owned[:READ], *others, *watched]
    load_people(cases)
    items, coming = work_items_of(cases, reader, now), upcoming_of(cases, now)
    desk, watched_keys = WorkDesk(is_cut=len(owned) > READ), {case.pk for case in watched}
    for case in cases:
        mine = next((item for item in items[case.pk] if item.for_reader), None)
        if mine is not None:
            desk.rows.append(WorkRow(case, mine.group(now, zone), mine, None, now, zone, reader))
        elif case.pk in watched_keys:
            first = next(iter(items[case.pk]), None)
            row = WorkRow(case, WorkGroup.LATER, first, coming.get(case.pk), now, zone, reader)
            desk.watched.append(row)
        else:
            group = WorkGroup.WAITING if case.status == Status.WAITING else WorkGroup.LATER
            desk.rows.append(WorkRow(case, group, None, coming.get(case.pk), now, zone, reader))
    desk.shared = shared_work_for(reader, now)
    desk.rows += [SharedRow(work, work.group(now, zone), now, zone) for work in desk.shared]
    return _finished(desk, coming.values(), now)


# --- the whole desk ---------------------------------------------------------------------------------------------


def _overseers(reader: User, now: datetime, zone: tzinfo) -> WorkDesk:
    """What has to be decided and what went wrong, then what presses next; whose it is, stands with it."""
    soonest = _read(Case.objects.open())
    owned = list(Case.objects.owned_by(reader).soonest_first()[:SHOWN])
    known = {case.pk for case in soonest[:READ]}
    others = [case for case in owned if case.pk not in known]
    others += _further(cases_for(reader, now, READ), [*soonest[:READ], *others])
    cases = [*soonest[:READ], *others]
    load_people(cases)
    items, coming = work_items_of(cases, reader, now), upcoming_of(cases, now)
    desk = WorkDesk(is_cut=len(soonest) > READ)
    for case in cases:
        found = [
            (group, item)
            for item in items[case.pk]
            if (group := watch_group_of(item.kind, item.for_reader, item.due_at, now)) is not None
        ]
        order = list(WorkGroup)
        group, item = min(found, key=lambda pair: order.index(pair[0]), default=(None, None))
        if group is None:
            item = next(iter(items[case.pk]), None)
            is_own = case.owner_id == reader.pk and item is not None
            if item is not None and (is_own or item.is_pressing(now)):
                group = item.group(now, zone)
        if group is not None:
            desk.rows.append(WorkRow(case, group, item, None, now, zone, reader))
    desk.shared = shared_work_for(reader, now)
    for work in desk.shared:
        group = watch_group_of(work.kind, False, work.due_at, now)
        if group is not None:
            desk.rows.append(SharedRow(work, group, now, zone))
    return _finished(desk, coming.values(), now)


# --- the customers of one person --------------------------------------------------------------------------------


def _customers(reader: User, now: datetime, zone: tzinfo) -> WorkDesk:
    """What the reader's customers are owed next, or what the desk waits for them with (A1)."""
    companies = list(Company.objects.visible_to(reader).order_by().values_list("pk", flat=True)[:COMPANIES_READ])
    found = _read(Case.objects.open().filter(company__in=companies))
    cases = found[:READ]
    load_people(cases)
    items, coming = work_items_of(cases, reader, now), upcoming_of(cases, now)
    desk = WorkDesk(is_cut=len(found) > READ)
    for case in cases:
        owed = next((item for item in items[case.pk] if item.owed_to_customer), None)
        waits = WorkGroup.WAITING if case.status == Status.WAITING else WorkGroup.LATER
        group = owed.group(now, zone) if owed is not None else waits
        desk.rows.append(WorkRow(case, group, owed, None if owed else coming.get(case.pk), now, zone, reader))
    return _finished(desk, coming.values(), now)


# --- reading ----------------------------------------------------------------------------------------------------


def _read(cases: CaseQuerySet) -> list[Case]:
    """The cases with the soonest deadlines, one more than are shown; one query, bounded by an index."""
    return list(cases.soonest_first()[: READ + 1])


def _further(keys: Iterable[int], known: Sequence[Case]) -> list[Case]:
    """The cases with these keys that are not known yet; one query, also for none, so that every desk costs the same."""
    missing = set(keys) - {case.pk for case in known}
    return list(Case.objects.filter(pk__in=missing or {0}))


def _finished(desk: WorkDesk, coming: Iterable[NextByDesk], now: datetime) -> WorkDesk:
    """The desk with its rows soonest first, and what happens by itself in the coming hours."""
    far = datetime.max.replace(tzinfo=now.tzinfo)
    desk.rows.sort(key=lambda row: (row.at or far, row.case.pk if row.case else 0))
    desk.watched.sort(key=lambda row: (row.at or far, row.case.pk))
    desk.tonight = tonight_of(coming, now)
    return desk


def tonight_of(coming: Iterable[NextByDesk], now: datetime) -> list[NextByDesk]:
    """What happens by itself in the coming hours, soonest first; the first of it says who gets a case and is mailed."""
    tonight = sorted((one for one in coming if one.at <= now + TONIGHT), key=lambda one: (one.at, one.case.pk))
    # In this order, as of two cases that go to L3 the first one counts where the second one goes.
    named = upcoming_of([one.case for one in tonight[:TONIGHT_NAMED]], now, named=True)
    return [named.get(one.case.pk, one) for one in tonight]
