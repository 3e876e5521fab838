"""Promised times on other pages: everybody's clock and its why on the page of a case, and what is missed, overdue or
due soon on the dashboard (T1 to T4).

The panel reckons as the sweep does, and writes nothing. A fixed number of queries, whatever happened to the case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from cases.dashboard import SHOWN, Card, Figure, card, count_shown
from cases.enums import Channel, MailStatus, Status
from cases.models import Case
from cases.page_cache import directory_of, users_of
from cases.panels import Panel, panel
from cases.policy.first_response import Response, initial_response
from contacts.directory import Addressee
from contacts.enums import Right
from contacts.models import User
from contacts.wording import and_list, duration
from escalations.audience import audience_of, centre_of_owner, readers_of
from escalations.clocks import Versions, load_clock, load_clocks
from escalations.enums import Member, SlaKind, SlaOutcome
from escalations.models import SlaTarget
from escalations.policy.explain import Said, begun_by, called, said_on, the, when, why_response_due, why_update_due
from escalations.policy.sla import Target, Touchpoint
from escalations.sla.state import BY_DESK, SlaState, load_sla_state, load_sla_states, update_lead

#: How many missed promises the panel names; the ledger has all of them.
MISSED_SHOWN = 5
#: How far back the panel looks for when somebody was told last.
TOLD_LOOKED_AT = 40
#: The dashboard tells of what was missed within this time.
MISSED_WITHIN = timedelta(hours=24)
#: So many of one's own cases are reckoned for the dashboard, those first that want a look soonest.
RECKONED = 25


@dataclass(frozen=True)
class LastWord:
    """When somebody was last told how the case stands, and by what."""

    at: datetime
    by: str


@dataclass(frozen=True)
class TargetLine:
    """The clock of a member of the audience as the panel tells it, or of several whose clocks are alike."""

    who: str
    names: str
    every: str
    due_at: datetime
    is_overdue: bool
    told: LastWord | None
    next: str
    why: str


@dataclass(frozen=True)
class ResponseLine:
    """The first response as the panel tells it."""

    due_at: datetime
    state: str  # owed, overdue, met, late, released
    ended_at: datetime | None
    by: str
    why: str


# --- the case page ----------------------------------------------------------------------------------------------


@panel(place=12)
def promises_panel(case: Case, user: User, now: datetime) -> Panel | None:
    """What is promised on a case, to whom, until when and why; what was missed (T1 to T4)."""
    page = _Page(case, now)
    return Panel(
        "Promises",
        "admin/escalations/promise_panel.html",
        {
            "response": page.response(),
            "clocks": page.clocks(),
            "none_owed": page.none_owed(),
            "missed": page.missed[:MISSED_SHOWN],
            "more_missed": len(page.missed) > MISSED_SHOWN,
            "ledger": f"{reverse('admin:escalations_slatarget_changelist')}?q={case.number}",
        },
    )


class _Page:
    """Everything that the panel of one case needs, read once."""

    def __init__(self, case: Case, now: datetime) -> None:
        self.case, self.now = case, now
        self.life = load_clock(case)
        self.state = load_sla_state(case)
        self.pieces = self.life.cadence_changes
        self.directory, self.centre = directory_of(case), centre_of_owner(case)
        self.said: Said = said_on(now, timezone.get_current_timezone())
        rows = SlaTarget.objects.filter(case=case).select_related("by")
        self.missed = list(rows.filter(outcome=SlaOutcome.BREACHED).order_by("-due_at", "-pk")[: MISSED_SHOWN + 1])
        self.ended = _ended(rows)
        row = self.state.response_row
        speakers = {word.by for word in self.state.touchpoints} | {row.by_id if row else None}
        self.people = users_of(case, speakers)

    # --- the first response ---

    def response(self) -> ResponseLine | None:
        """Where the first response stands, or how it ended (T1)."""
        response, row = self._response(), self.state.response_row
        if response is None:
            return None
        if row is not None and row.outcome:
            by = self._name(row.by_id)
        else:
            by = self._name(next((one.by for one in self.state.touchpoints if one.at == response.met_at), None))
        return ResponseLine(
            response.due_at,
            _state_of(response, self.now),
            response.ended_at,
            by,
            why_response_due(response, self.life.snapshots, self.said),
        )

    def _response(self) -> Response | None:
        """One that ended is reckoned from its row: the contacts of that time are not read any more."""
        row = self.state.response_row
        if row is None or row.ended_at is None or not self.state.is_owed_response:
            return self.state.response
        states = [(one.at, one.status, one.severity) for one in self.life.snapshots]
        resolved = [at for at, status, _ in states if status == Status.RESOLVED and at == row.ended_at]
        return initial_response(states, Channel(self.case.opened_by_channel), [] if resolved else [row.ended_at])

    # --- status updates ---

    def clocks(self) -> list[TargetLine]:
        """The clock of everybody who is owed an update, soonest first (T2)."""
        running = self.state.running
        readers = readers_of(self.case, [one.member for one in running], self.directory)
        alike: dict[TargetLine, list[Target]] = {}
        for one in running:
            alike.setdefault(self._clock(one, readers[one.member]), []).append(one)
        return [
            replace(line, who=_members(its), names=", ".join(dict.fromkeys(self._names(one, readers) for one in its)))
            for line, its in alike.items()
        ]

    def _names(self, period: Target, readers: Mapping[Member, Sequence[Addressee]]) -> str:
        return _names(readers[period.member]) or _without_address(self.case)

    def _clock(self, period: Target, readers: Sequence[Addressee]) -> TargetLine:
        """What holds for the clock, whoever it is whose clock it is."""
        begun_by_word = self._told_at(period)
        begun = called(begun_by_word.what) if begun_by_word else ""
        return TargetLine(
            who="",
            names="",
            every=duration(self.pieces[-1].owed.get(period.member, period.every)),
            due_at=period.due_at.replace(second=0, microsecond=0),
            is_overdue=period.is_missed(self.now),
            told=self._last_told(period, begun_by_word),
            next=self._next(period, readers),
            why=why_update_due(
                period,
                begun or begun_by(period, self.life.snapshots, self.case.sla_counts_from),
                self.pieces,
                self.said,
            ),
        )

    def _told_at(self, period: Target) -> Touchpoint | None:
        """The word that a period began with, a person's or the desk's; None when no word began it."""
        for word in self.state.touchpoints:
            if word.at == period.since and period.member in word.members:
                return word
        if any(row.updated_at == period.since for row in self._ended_of(period.member)):
            return Touchpoint(period.since, frozenset({period.member}), BY_DESK, by_desk=True)
        return None

    def _last_told(self, period: Target, begun: Touchpoint | None) -> LastWord | None:
        told = [row for row in self._ended_of(period.member) if row.updated_at or row.by_id]
        row = told[0] if told else None
        words = [one for one in self.state.touchpoints if period.member in one.members]
        word = words[-1] if words else None
        if row is not None and row.ended_at and (word is None or row.ended_at > word.at):
            return LastWord(row.ended_at, _by_desk(row) if row.updated_at else f"{row.by}")
        if word is not None:
            name = self._name(word.by)
            return LastWord(word.at, f"{called(word.what)}{f' by {name}' if name else ''}")
        return LastWord(begun.at, begun.what) if begun else None

    def _ended_of(self, member: Member) -> list[SlaTarget]:
        return [row for row in self.ended if row.member == member]

    def _next(self, period: Target, readers: Sequence[Addressee]) -> str:
        """What happens by itself until a person speaks (T3)."""
        row, writes_at = self.state.row_of(period), period.update_at(update_lead())
        writes = period.automatic and bool(readers)
        parts = []
        if row.reminded_at is not None:
            parts.append(f"{self._owner()} was reminded {when(row.reminded_at, self.said)}")
        elif self.now < period.remind_at and not (writes and period.remind_at >= writes_at):
            parts.append(f"{self._owner()} is reminded {when(period.remind_at, self.said)}")
        if row.manager_told_at is not None:
            parts.append(f"the Support Manager was told {when(row.manager_told_at, self.said)}")
        if writes:
            parts.append(self._desk_writes(writes_at))
        elif period.automatic:
            parts.append("the desk cannot write, as there is no address: please call")
        else:
            parts.append("the desk does not write by itself, so somebody has to")
        whole = "; ".join(parts)
        return f"{whole[0].upper()}{whole[1:]}."

    def _desk_writes(self, writes_at: datetime) -> str:
        if writes_at <= self.now:
            return "the desk is about to write itself"
        return f"the desk writes itself {when(writes_at, self.said)}"

    def _owner(self) -> str:
        readers = self.directory.for_user(self.case.owner, "Owner", self.centre)
        return readers[0].name if readers else "nobody"

    # --- none owed ---

    def none_owed(self) -> str:
        """Why no update is owed just now, and from when it counts again (T2); "" while one is."""
        if self.life.timeline is None or not self.life.snapshots:
            return "No schedule was in force when this case was opened, so no status updates are promised."
        if self.case.status not in _WHY_NONE:
            return ""
        since, again = self.life.snapshots[-1].at, self._again()
        why, from_when = _WHY_NONE[Status(self.case.status)]
        return f"Nobody is owed a status update while the case {why}, since {self.said(since)}. {from_when}{again}."

    def _again(self) -> str:
        audience = audience_of(self.life, self.now)
        told = [f"{the(member)} every {duration(every)}" for member, every in audience.items()]
        return f": {', '.join(told)}" if told else ""

    def _name(self, user_id: int | None) -> str:
        person = self.people.get(user_id) if user_id is not None else None
        return str(person) if person else ""


_WHY_NONE = {
    Status.WAITING: ("waits for the customer", "It counts again from the moment the wait ends"),
    Status.RESOLVED: ("is resolved", "It would count again from a reopening"),
}


def _members(periods: Sequence[Target]) -> str:
    """“Customer, account manager and COO”."""
    first, *others = [period.member.label for period in periods]
    return and_list([first, *(label if label.isupper() else label.lower() for label in others)])


def _ended(rows: QuerySet[SlaTarget]) -> list[SlaTarget]:
    """The newest updates of a case that somebody got, or that were no longer owed; newest first."""
    ended = rows.filter(kind=SlaKind.UPDATE, ended_at__isnull=False).select_related("mail")
    heavy = ("mail__facts", "mail__text", "mail__html")
    return list(ended.defer(*heavy).order_by("-ended_at", "-pk")[:TOLD_LOOKED_AT])


def _state_of(response: Response, now: datetime) -> str:
    if response.ended_at is None:
        return "overdue" if response.is_missed(now) else "owed"
    if response.is_missed(now):
        return "late"
    return "met" if response.met_at else "released"


def _by_desk(row: SlaTarget) -> str:
    """The desk's own update, and what became of its mail unless it simply left (T3)."""
    fate = _FATES.get(MailStatus(row.mail.status), "") if row.mail else ""
    return f"{BY_DESK}{fate}"


_FATES = {
    MailStatus.QUEUED: ", on its way",
    MailStatus.FAILED: ", which could not be sent",
    MailStatus.BOUNCED: ", which came back",
    MailStatus.DROPPED: ", which was not needed any more",
}


def _names(readers: Iterable[Addressee]) -> str:
    return ", ".join(f"{one.name} (for {one.meant_for})" if one.meant_for else one.name for one in readers)


def _without_address(case: Case) -> str:
    return f"{case.contact.name}, no email address"


# --- the dashboard of those who watch ---------------------------------------------------------------------------


@card(place=44)
def missed_promises(user: User, now: datetime) -> Card | None:
    """What is overdue now, and what was missed in the last 24 hours; two queries."""
    if not user.may(Right.WATCH_THE_ENGINE):
        return None
    rows = SlaTarget.objects.filter(outcome=SlaOutcome.BREACHED).select_related("case", "case__company", "case__owner")
    overdue = list(rows.filter(ended_at=None).order_by("due_at", "pk")[: SHOWN + 1])
    missed = list(rows.filter(due_at__gt=now - MISSED_WITHIN, due_at__lte=now).order_by("-due_at", "-pk")[: SHOWN + 1])
    link = reverse("admin:escalations_slatarget_changelist")
    return Card(
        "Promises",
        "admin/escalations/promise_card.html",
        {
            "overdue": overdue[:SHOWN],
            "more_overdue": len(overdue) > SHOWN,
            # what is overdue stands above already
            "missed": [row for row in missed[:SHOWN] if row.ended_at is not None],
            "more_missed": len(missed) > SHOWN,
        },
        link=link,
        link_text="All promises",
        figures=(
            Figure(count_shown(overdue), "overdue now", f"{link}?state=overdue", is_pressing=bool(overdue), place=60),
            Figure(count_shown(missed), "missed in 24 h", f"{link}?state=missed&due=day", place=61),
        ),
    )


# --- the dashboard of those who work on cases -------------------------------------------------------------------


@dataclass(frozen=True)
class DueLine:
    """What is due soonest on one case: to whom, and when."""

    case: Case
    what: str
    due_at: datetime
    is_overdue: bool


@card(place=43)
def due_soon(user: User, now: datetime) -> Card | None:
    """One's own open cases with the soonest deadline of an update or a first response; nothing for whom there is none.

    At most `RECKONED` cases are reckoned, in a fixed number of queries.
    """
    if not user.may(Right.WORK_CASES):
        return None
    cases = _own_cases(user)
    states = load_sla_states(load_clocks(cases[:RECKONED], Versions()).values()) if cases else {}
    lines = [line for state in states.values() if (line := _soonest(state, now)) is not None]
    lines.sort(key=lambda line: line.due_at)
    if not lines:
        return None
    overdue = sum(line.is_overdue for line in lines)
    return Card(
        "Due soon",
        "admin/escalations/promise_due_card.html",
        {"rows": lines[:SHOWN], "more": len(lines) > SHOWN, "cut": len(cases) > RECKONED, "reckoned": RECKONED},
        figures=(Figure(str(overdue), "of mine overdue", is_pressing=True, place=7),) if overdue else (),
    )


def _own_cases(user: User) -> list[Case]:
    """The open cases of an owner on which something is promised: overdue ones first, then as the sweep looks at them.

    The sweep looks at a case before anything is due on it, so that order is nearly the order of the deadlines.
    """
    missed = SlaTarget.objects.filter(case=OuterRef("pk"), outcome=SlaOutcome.BREACHED, ended_at=None)
    cases = Case.objects.open().filter(owner=user).exclude(status=Status.WAITING)
    owed = cases.filter(Q(sla_check_at__isnull=False) | Exists(missed)).select_related("company")
    return list(owed.order_by(F("sla_check_at").asc(nulls_first=True), "pk")[: RECKONED + 1])


def _soonest(state: SlaState, now: datetime) -> DueLine | None:
    case = state.clock.case
    found = [(one.due_at, f"Status update to {the(one.member)}") for one in state.running]
    response, row = state.response, state.response_row
    if response is not None and response.ended_at is None and (row is None or row.ended_at is None):
        found.append((response.due_at, "First response"))
    if not found:
        return None
    due_at, what = min(found)
    return DueLine(case, what, due_at, due_at < now)
