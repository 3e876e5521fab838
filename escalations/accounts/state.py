"""What stands on the page of a company, for whoever looks after it: what its customer is owed next, what is at risk,
what was said last, what changed, how promises were kept (W4, A1).

A fixed number of queries for any number of cases. It reads the first cases of an index, those with the soonest
deadlines, and computes from the state from which the sweeps decide: nothing of it rests on rows that only a running
engine writes (W5), but for what is missed and escalated, which the ledgers tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Q

from cases.enums import Direction, Move, Severity, Status, WorkKind
from cases.models import Case, Interaction
from cases.models.case import load_people
from cases.work_items import NextByDesk, WorkItem, upcoming_of, work_items_of
from contacts.models import Company, User
from contacts.wording import and_list
from escalations.accounts.wording import promise_name
from escalations.clocks import CaseClock, load_clocks_for_page
from escalations.enums import Member, SlaKind, SlaOutcome
from escalations.models import AccountVisit, Escalation, EscalationRequest, SlaTarget
from escalations.policy.accounts import RISKS, Risk, changed_from, risk_of
from escalations.sla.mail import LastSaid, Quote

#: How many cases a page is made of: those with the soonest deadlines.
READ = 50
#: How many of the cases that changed last are looked through for what changed, and how many lines are shown.
CHANGED_READ, CHANGES_SHOWN = 50, 60
#: How many lines of what changed stand there before the others are unfolded.
CHANGES_FIRST = 10
#: How far back the promises are counted.
PROMISES_OF = timedelta(days=30)
MISSED_SHOWN = 5
#: Characters of a note or word in a line.
QUOTED = 160


@dataclass(frozen=True)
class AccountRow:
    """An open case on the page of its company."""

    case: Case
    item: WorkItem | None  # what its customer is owed next
    trouble: WorkItem | None  # a question that nobody answers, or mail that does not arrive
    coming: NextByDesk | None  # what the desk does next by itself
    risk: Risk | None
    said: Quote | None
    is_muted: bool

    @property
    def shown(self) -> WorkItem | NextByDesk | None:
        """What the row says: what is at risk, else what is owed next, else what comes by itself."""
        if self.risk in (Risk.UNANSWERED, Risk.HELD_UP):
            return self.trouble
        return self.coming if self.risk == Risk.ESCALATES else self.item or self.coming

    @property
    def at(self) -> datetime | None:
        """By when."""
        shown = self.shown
        return shown.due_at if isinstance(shown, WorkItem) else shown.at if shown is not None else None

    @property
    def act(self) -> str:
        """What is wanted, or what comes by itself."""
        shown = self.shown
        return shown.act if isinstance(shown, WorkItem) else shown.what if shown is not None else "Nothing is due"

    @property
    def who(self) -> str:
        """Who is expected to act."""
        shown = self.shown
        return shown.who if isinstance(shown, WorkItem) else "by itself" if shown is not None else ""

    @property
    def waits(self) -> bool:
        """Whether the desk waits for the customer."""
        return self.case.status == Status.WAITING

    @property
    def risk_label(self) -> str:
        return RISKS[self.risk] if self.risk is not None else ""

    @property
    def order(self) -> tuple[int, int, datetime]:
        """The worst first: by risk, by severity, by deadline."""
        at = self.at or self.case.opened_at + timedelta(days=36_500)
        return (self.risk or 99, list(Severity).index(Severity(self.case.severity)), at)


def account_rows(cases: Sequence[Case], reader: User, now: datetime, *, with_words: bool = True) -> list[AccountRow]:
    """A row for each of these open cases, whose people are loaded."""
    items, coming = work_items_of(cases, reader, now), upcoming_of(cases, now)
    clocks = load_clocks_for_page(cases)
    said = LastSaid(cases) if with_words and cases else None
    rows = []
    for case in cases:
        own = items[case.pk]
        owed = next((item for item in own if item.owed_to_customer), None)
        question = next((item for item in own if item.kind == WorkKind.QUESTION), None)
        held_up = next((item for item in own if item.kind == WorkKind.HELD_UP), None)
        point = clocks[case.pk].upcoming(now) if clocks[case.pk].snapshots else None
        risk = risk_of(
            now,
            owed_since=owed.since if owed else None,
            owed_at=owed.due_at if owed else None,
            answer_by=question.due_at if question else None,
            held_up=held_up is not None,
            point_at=point.due_at if point and case.status != Status.WAITING else None,
        )
        words = said.of(case.pk, for_customer=False) if said else None
        trouble = question if risk == Risk.UNANSWERED else held_up
        rows.append(AccountRow(case, owed, trouble, coming.get(case.pk), risk, words, case.is_muted_by(reader)))
    return rows


# --- what changed -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """Something that happened on a case, in a line."""

    at: datetime
    case: Case
    what: str
    by: str = ""
    is_bad: bool = False


#: Moves that every case makes by itself, or that change nothing for the customer.
_UNTOLD = {Move.FOLLOWED_UP, Move.EDITED, Move.MOVED, Move.ESCALATED}
UNTOLD_MOVES = sorted(move.value for move in _UNTOLD)


def changes_of(cases: Sequence[Case], since: datetime, now: datetime) -> list[Change]:
    """What happened on these cases after `since`, newest first; five queries."""
    by_key = {case.pk: case for case in cases}
    found = [*_moves(by_key, since), *_words(by_key, since), *_points(by_key, since)]
    found += [*_misses(by_key, since, now), *_requests(by_key, since)]
    return sorted(found, key=lambda change: (change.at, change.case.pk), reverse=True)


def _moves(cases: dict[int, Case], since: datetime) -> Iterable[Change]:
    rows = Case.history.filter(id__in=cases, history_date__gt=since).exclude(last_move__in=UNTOLD_MOVES)
    rows = rows.select_related("history_user").only(
        "id", "history_date", "last_move", "severity", "history_change_reason", "history_user"
    )
    for row in rows:
        move, by = Move(row.last_move), str(row.history_user or "")
        what = move.label
        if move == Move.OPENED:
            what = f"Opened as {Severity(row.severity).label}"
        elif row.history_change_reason and move in (Move.SEVERITY, Move.REASSIGNED, Move.TAKEN_OVER):
            what = f"{move.label}: {shortened(row.history_change_reason)}"
        yield Change(row.history_date, cases[row.id], what, by, is_bad=move == Move.REOPENED)


def _words(cases: dict[int, Case], since: datetime) -> Iterable[Change]:
    # By when it was, which the index knows: it may have been some days before it was logged.
    rows = Interaction.objects.filter(
        case__in=cases, at__gt=since - timedelta(days=settings.DESK_LOG_BACK_DAYS), logged_at__gt=since
    )
    for row in rows.filter(opened_the_case=False, withdrawn_at=None).select_related("by", "contact"):
        incoming = row.direction == Direction.IN
        by = str(row.contact or "") if incoming else str(row.by or "")
        yield Change(row.logged_at, cases[row.case_id], f"{row.title}: {shortened(row.body)}", by)


def _points(cases: dict[int, Case], since: datetime) -> Iterable[Change]:
    for row in Escalation.objects.filter(case__in=cases, done_at__gt=since, carried_out=True).order_by():
        what = f"Escalated: {row.get_severity_display()} {row.number}"
        yield Change(row.done_at, cases[row.case_id], what, is_bad=True)


def _misses(cases: dict[int, Case], since: datetime, now: datetime) -> Iterable[Change]:
    rows = SlaTarget.objects.filter(case__in=cases, due_at__gt=since, due_at__lte=now, outcome=SlaOutcome.BREACHED)
    for row in rows.filter(member=Member.CUSTOMER).order_by():
        yield Change(row.due_at, cases[row.case_id], f"Missed: {promise_name(row)}", is_bad=True)


def _requests(cases: dict[int, Case], since: datetime) -> Iterable[Change]:
    lately = Q(requested_at__gt=since) | Q(decided_at__gt=since)
    rows = EscalationRequest.objects.filter(lately, case__in=cases).select_related("requested_by", "decided_by")
    for row in rows.order_by():
        what = "Decision left open" if row.is_decision else "Escalation requested"
        if row.requested_at > since:
            yield Change(row.requested_at, cases[row.case_id], what, str(row.requested_by or row.asked_by))
        if row.decided_at is not None and row.decided_at > since:
            yield Change(
                row.decided_at, cases[row.case_id], f"{what}: {row.get_status_display().lower()}", str(row.decided_by)
            )


def shortened(text: str, most: int = QUOTED) -> str:
    """The beginning of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


# --- promises ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kept:
    """How many promises of a kind to the customer came due, and how they went (T3)."""

    name: str
    by_people: int
    by_desk: int
    missed: int

    @property
    def total(self) -> int:
        return self.by_people + self.by_desk + self.missed

    @property
    def share(self) -> str:
        """“97 %”: how many were kept, rounded down so that 100 % means all; "" of none."""
        return f"{100 * (self.by_people + self.by_desk) // self.total} %" if self.total else ""


def promises_kept(company: Company, now: datetime) -> list[Kept]:
    """The first responses and the status updates promised to a company that were due in the last 30 days, and all of
    them; one query. Counted are those that have an outcome.
    """
    since = now - PROMISES_OF
    rows = SlaTarget.objects.filter(company_id=company.pk, member=Member.CUSTOMER, due_at__gt=since, due_at__lte=now)
    counts = Counter(
        {
            (kind, outcome): number
            for kind, outcome, number in rows.order_by().values_list("kind", "outcome").annotate(number=Count("*"))
        }
    )
    found = [
        Kept(
            name,
            *(counts[kind, outcome] for outcome in (SlaOutcome.MET, SlaOutcome.MET_AUTOMATICALLY, SlaOutcome.BREACHED)),
        )
        for kind, name in ((SlaKind.RESPONSE, "First responses"), (SlaKind.UPDATE, "Status updates"))
    ]
    return [
        *found,
        Kept("Together", *(sum(getattr(one, name) for one in found) for name in ("by_people", "by_desk", "missed"))),
    ]


# --- the page ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AccountPage:
    """Everything on the page of a company, for one reader at a moment."""

    company: Company
    reader: User
    now: datetime
    rows: list[AccountRow]
    is_cut: bool
    by_severity: list[tuple[Severity, int]]
    kept: list[Kept]
    missed: list[SlaTarget]
    points: list[Escalation]
    requests: list[EscalationRequest]
    since: datetime
    was_seen: bool
    changes: list[Change]
    more_changes: int

    @cached_property
    def at_risk(self) -> list[AccountRow]:
        """The worst first."""
        return sorted((row for row in self.rows if row.risk is not None), key=lambda row: row.order)

    @cached_property
    def next_rows(self) -> list[AccountRow]:
        """What else is owed to the customer or comes next, soonest first."""
        return self._soonest(waits=False)

    @cached_property
    def waiting(self) -> list[AccountRow]:
        """What waits for the customer, the soonest step first."""
        return self._soonest(waits=True)

    def _soonest(self, *, waits: bool) -> list[AccountRow]:
        far = self.now + timedelta(days=36_500)
        others = [row for row in self.rows if row.risk is None and row.waits is waits]
        return sorted(others, key=lambda row: (row.at or far, row.case.pk))

    @property
    def first_changes(self) -> list[Change]:
        return self.changes[:CHANGES_FIRST]

    @property
    def other_changes(self) -> list[Change]:
        return self.changes[CHANGES_FIRST:]

    @property
    def local_time(self) -> str:
        """“Wed 14:05”, at the company."""
        return f"{self.now.astimezone(ZoneInfo(self.company.time_zone)):%a %H:%M}"

    @property
    def open_cases(self) -> int:
        return sum(number for _, number in self.by_severity)

    @property
    def looked_after_by(self) -> str:
        """“Thomas Berg (account manager) and Ines Roth (customer engineer)”."""
        people = (
            (self.company.account_manager, "account manager"),
            (self.company.customer_engineer, "customer engineer"),
        )
        return and_list(f"{person} ({part})" for person, part in people if person) or "nobody yet"


def account_page(company: Company, reader: User, now: datetime) -> AccountPage:
    """The page of a company that the reader may read."""
    open_there = Case.objects.open().filter(company=company)
    found = list(open_there.soonest_first()[: READ + 1])
    changed = list(Case.objects.filter(company=company).order_by("-changed_at", "-pk")[:CHANGED_READ])
    cases = found[:READ]
    known = {case.pk for case in cases}
    others = [case for case in changed if case.pk not in known]
    load_people([*cases, *others])
    rows = account_rows(cases, reader, now)
    severities: Counter[str] = Counter(dict(open_there.order_by().values_list("severity").annotate(cases=Count("*"))))
    visit = AccountVisit.objects.filter(user=reader, company=company).first()
    since = changed_from(visit.seen_until if visit else None, now)
    changes = changes_of([*cases, *others], since, now)
    clocks = load_clocks_for_page(cases)
    missed = SlaTarget.objects.filter(outcome=SlaOutcome.BREACHED, member=Member.CUSTOMER, case__company=company)
    requests = (
        EscalationRequest.objects.undecided().filter(case__company=company).select_related("case", "requested_by")
    )
    return AccountPage(
        company=company,
        reader=reader,
        now=now,
        rows=rows,
        is_cut=len(found) > READ,
        by_severity=[(severity, severities[severity.value]) for severity in Severity],
        kept=promises_kept(company, now),
        missed=list(
            missed.filter(due_at__gt=now - PROMISES_OF).select_related("case").order_by("-due_at")[:MISSED_SHOWN]
        ),
        points=_open_points(cases, clocks, now),
        requests=list(requests.order_by("requested_at")),
        since=since,
        was_seen=visit is not None,
        changes=changes[:CHANGES_SHOWN],
        more_changes=max(0, len(changes) - CHANGES_SHOWN),
    )


def _open_points(cases: Sequence[Case], clocks: Mapping[int, CaseClock], now: datetime) -> list[Escalation]:
    """The highest point that was carried out in the present run of each open case, the newest first; no query."""
    found = []
    for case in cases:
        clock = clocks[case.pk]
        if clock.timeline is None or not clock.snapshots:
            continue
        run = clock.reading(now).run
        own = [
            row
            for (of_run, severity, _), row in clock.ledger.items()
            if of_run == run and severity == case.severity and row.carried_out
        ]
        if own:
            highest = max(own, key=lambda row: row.number)
            highest.case = case
            found.append(highest)
    return sorted(found, key=lambda row: row.done_at, reverse=True)
