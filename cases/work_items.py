"""What is wanted on cases, of whom and by when (W1), and what the desk does by itself next: two small registries, so
that later apps add theirs without being known.

A source looks at a batch of cases at a moment (UTC) and asks the database the same few questions for one case as for
fifty, so that the head of a case's page and the list of a person's desk say the same. It computes from the state from
which the sweeps decide, and writes nothing: what it says holds also while no engine runs (W5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from cases.enums import WorkGroup, WorkKind
from cases.models import Case
from cases.policy.work_order import WorkOrder, group_of, is_overdue, is_pressing, work_order
from contacts.enums import Right
from contacts.models import User

#: Who is expected to act where nobody owns the case, and to decide.
SUPPORT_MANAGER = "the Support Manager"


@dataclass(frozen=True)
class WorkItem:
    """One thing that is wanted on a case: an act in words and its deadline, if it has one.

    `who` is expected to do it, which `for_reader` says of the reader. `action` is the slug of the `CaseAction` that
    does it, "" where the page of the case has to be read first; `posts` are the values with which that action can be
    sent at once, None where its form asks for more.
    """

    case: Case
    kind: WorkKind
    act: str
    due_at: datetime | None
    since: datetime
    who: str
    for_reader: bool
    action: str = ""
    short: str = ""  # as a column of a list names it, if not by its kind
    posts: Mapping[str, str] | None = None
    owed_to_customer: bool = False

    @property
    def place(self) -> WorkOrder:
        """Where it stands among other work, soonest first."""
        return work_order(self.kind, self.since, self.due_at)

    @property
    def name(self) -> str:
        """The act in a word or two, for the column of a list."""
        return self.short or self.kind.label

    @property
    def url(self) -> str:
        """The page of the case, opened at the form of the act."""
        return self.case.form_url(self.action) if self.action else self.case.get_absolute_url()

    @property
    def text(self) -> str:
        """The act, with whoever is expected to do it if that is not the reader: “Oliver Hartley: answer High 1”."""
        if self.for_reader:
            return self.act
        who = f"{self.who[0].upper()}{self.who[1:]}"
        return f"{who}: {self.act[0].lower()}{self.act[1:]}"

    def is_pressing(self, now: datetime) -> bool:
        """Whether it is overdue or soon will be."""
        return is_pressing(self.since, self.due_at, now)

    def is_overdue(self, now: datetime) -> bool:
        """Whether its deadline has passed."""
        return is_overdue(self.due_at, now)

    def group(self, now: datetime, zone: tzinfo) -> WorkGroup:
        """Under which heading it stands on the desk of a reader in `zone`."""
        return group_of(self.since, self.due_at, now, zone)


@dataclass(frozen=True)
class SharedWork:
    """Something that belongs to no case and to nobody, and that whoever comes first does: one row on a desk for all of
    it. `act` says how much there is, `about` what it is, `since` how long the oldest waits; `due_at` is its deadline.
    """

    kind: WorkKind
    act: str
    about: str
    count: str
    noun: str  # what the strip at the top of a desk counts: “in triage”
    since: datetime
    due_at: datetime
    url: str
    button: str
    whose: str = "of nobody yet"

    def is_pressing(self, now: datetime) -> bool:
        """Whether it is overdue or soon will be."""
        return is_pressing(self.since, self.due_at, now)

    def is_overdue(self, now: datetime) -> bool:
        """Whether its deadline has passed."""
        return is_overdue(self.due_at, now)

    def group(self, now: datetime, zone: tzinfo) -> WorkGroup:
        """Under which heading it stands on the desk of a reader in `zone`."""
        return group_of(self.since, self.due_at, now, zone)


@dataclass(frozen=True)
class NextByDesk:
    """What the desk does by itself on a case: “High 2 goes to L3”, and when."""

    case: Case
    what: str
    at: datetime
    name: str  # in a word or two, for the column of a list


#: The keys of cases on which something may be wanted of a reader; at most `most` of them, the most urgent first.
CaseSource = Callable[[User, datetime, int], Iterable[int]]
WorkSource = Callable[[Sequence[Case], User, datetime], Iterable[WorkItem]]
SharedSource = Callable[[User, datetime], SharedWork | None]
DeskSource = Callable[[Sequence[Case], datetime, bool], Iterable[NextByDesk]]

_case_sources: list[CaseSource] = []
_work_sources: list[WorkSource] = []
_desk_sources: list[DeskSource] = []
_shared_sources: list[SharedSource] = []


def work_source(source: WorkSource) -> WorkSource:
    """Register the decorated source of what people have to do. A fixed number of queries for any number of cases, which
    come `with_people`.
    """
    _work_sources.append(source)
    return source


def case_source(source: CaseSource) -> CaseSource:
    """Register the decorated source of cases that belong on a reader's desk though they own none of them, or that are
    resolved. Two queries at most, bounded by an index.
    """
    _case_sources.append(source)
    return source


def cases_for(reader: User, now: datetime, most: int) -> set[int]:
    """The keys of the cases that the sources put on a reader's desk, at most so many of each source."""
    return {key for source in _case_sources for key in source(reader, now, most)}


def shared_source(source: SharedSource) -> SharedSource:
    """Register the decorated source of work that belongs to no case. One query at most, bounded by an index."""
    _shared_sources.append(source)
    return source


def shared_work_for(reader: User, now: datetime) -> list[SharedWork]:
    """What belongs to no case and waits for the reader as well as for others."""
    return [work for source in _shared_sources if (work := source(reader, now)) is not None]


def desk_source(source: DeskSource) -> DeskSource:
    """Register the decorated source of what the desk does by itself; as for `work_source`."""
    _desk_sources.append(source)
    return source


def work_items_of(cases: Sequence[Case], reader: User, now: datetime) -> dict[int, list[WorkItem]]:
    """Everything that is wanted on each case, by its key, soonest first."""
    found: dict[int, list[WorkItem]] = {case.pk: [] for case in cases}
    for source in _work_sources if cases else ():
        for item in source(cases, reader, now):
            found[item.case.pk].append(item)
    return {key: sorted(items, key=lambda item: item.place) for key, items in found.items()}


def next_for(case: Case, reader: User, now: datetime) -> WorkItem | None:
    """What stands in the head of a case's page (W2): what is wanted next of the reader, else of anybody else."""
    return next_of(work_items_of([case], reader, now)[case.pk], reader)


def next_of(items: Sequence[WorkItem], reader: User) -> WorkItem | None:
    """Of the items of one case, soonest first: the reader's own goes first, and of those a manager's decision."""
    own = [item for item in items if item.for_reader]
    decisions = [item for item in own if item.kind == WorkKind.DECISION] if reader.may(Right.DECIDE_REQUESTS) else []
    return next(iter([*decisions, *own, *items]), None)


def soonest_of(items: Sequence[WorkItem], by_desk: NextByDesk | None) -> WorkItem | NextByDesk | None:
    """What comes first on a case, wanted of whomever or done by the desk itself (W2); `items` are soonest first."""
    first = next(iter(items), None)
    if first is None or by_desk is None:
        return first or by_desk
    return by_desk if first.due_at is None or by_desk.at < first.due_at else first


def upcoming(case: Case, now: datetime) -> NextByDesk | None:
    """What the desk does next on the case by itself, if nobody touches it (W2)."""
    return upcoming_of([case], now, named=True).get(case.pk)


def upcoming_of(cases: Sequence[Case], now: datetime, named: bool = False) -> dict[int, NextByDesk]:
    """What the desk does next by itself on each case, by its key; nothing for cases on which nothing is to come.

    `named` says who would get a case and who would be mailed, which costs a few more queries.
    """
    soonest: dict[int, NextByDesk] = {}
    for source in _desk_sources if cases else ():
        for coming in source(cases, now, named):
            known = soonest.get(coming.case.pk)
            if known is None or coming.at < known.at:
                soonest[coming.case.pk] = coming
    return soonest
