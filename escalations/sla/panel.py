"""SLA targets on other pages: each member's deadline and its reason on the page of a case, and what is missed, overdue
or due soon on the dashboard (T1 to T4).

The panel computes as the sweep does, and writes nothing. A fixed number of queries, whatever happened to the case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from cases.dashboard import Card, Figure, card, listed
from cases.engine.watch import late_look
from cases.enums import Channel, MailStatus, Status
from cases.models import Case
from cases.page_cache import directory_of, users_of
from cases.panels import Panel, PanelLine, panel
from cases.policy.first_response import Response, initial_response
from contacts.directory import Addressee
from contacts.enums import Right
from contacts.models import User
from contacts.wording import and_list, at_moment, duration, moment_formatter, sentence
from escalations.audience import audience_of, centre_of_owner, readers_of
from escalations.clocks import load_clock
from escalations.enums import Member, SlaKind, SlaOutcome
from escalations.models import SlaTarget
from escalations.policy.explain import begun_by, contact_name, the, why_response_due, why_update_due
from escalations.policy.sla import Target, Touchpoint
from escalations.sla.state import BY_DESK, desk_updates_at, load_sla_state

#: How many missed targets the panel names; the ledger has all of them.
MISSED_SHOWN = 5
#: How many ended updates the panel reads to find the last one of each member.
ENDED_READ = 40
#: The dashboard shows what was missed within this time.
MISSED_WITHIN = timedelta(hours=24)
#: How many of them the dashboard shows.
SHOWN = 6


@dataclass(frozen=True)
class LastUpdate:
    """When a member of the audience last got an update, and from whom."""

    at: datetime
    by: str


@dataclass(frozen=True)
class TargetLine:
    """The running target of a member of the audience as the panel shows it, or of several that are alike."""

    who: str
    names: str
    every: str
    due_at: datetime
    is_overdue: bool
    last: LastUpdate | None
    next: str
    why: str


# --- the case page ----------------------------------------------------------------------------------------------


def _promises_line(case: Case, user: User, now: datetime) -> PanelLine:
    """“First response 05:09, customer 06:57”, soonest first."""
    state = load_sla_state(case)
    owed = [(target.due_at, the(target.member).removeprefix("the ")) for target in state.running]
    response = state.open_response
    if response is not None:
        owed.append((response.due_at, "first response"))
    alike: dict[datetime, list[str]] = {}
    for due_at, whom in sorted(owed):
        alike.setdefault(due_at.replace(second=0, microsecond=0), []).append(whom)
    show = moment_formatter(now, timezone.get_current_timezone())
    parts = [f"{and_list(whom)} {show(due_at)}" for due_at, whom in alike.items()]
    overdue = any(due_at < now for due_at, _ in owed)
    return PanelLine("Promises", "; ".join(parts) or "none owed now", is_pressing=overdue)


@panel(place=12, slug="promises", line=_promises_line)
def promises_panel(case: Case, user: User, now: datetime) -> Panel:
    """What is promised on a case, to whom, until when and why; what was missed (T1 to T4)."""
    page = _Page(case, now)
    return Panel(
        "admin/escalations/promise_panel.html",
        {
            "response": page.response(),
            "clocks": page.clocks(),
            "none_owed": page.none_owed(),
            "missed": page.missed.rows,
            "more_missed": page.missed.more,
            "ledger": f"{reverse('admin:escalations_slatarget_changelist')}?q={case.number}",
        },
    )


class _Page:
    """Everything that the panel of one case needs, read once."""

    def __init__(self, case: Case, now: datetime) -> None:
        self.case, self.now = case, now
        self.clock = load_clock(case)
        self.state = load_sla_state(case)
        self.changes = self.clock.cadence_changes
        self.directory = directory_of(case)
        self.show = moment_formatter(now, timezone.get_current_timezone())
        rows = SlaTarget.objects.filter(case=case).select_related("by")
        self.missed = listed(rows.filter(outcome=SlaOutcome.BREACHED).order_by("-due_at", "-pk"), MISSED_SHOWN)
        self.ended = _ended(rows)
        row = self.state.response_row
        speakers = {touchpoint.by for touchpoint in self.state.touchpoints} | {row.by_id if row else None}
        self.people = users_of(case, speakers)

    # --- the first response ---

    def response(self) -> dict[str, Any] | None:
        """Where the first response stands, or how it ended (T1)."""
        response, row = self._response(), self.state.response_row
        if response is None:
            return None
        by = row.by_id if row is not None and row.outcome else self._speaker_at(response.met_at)
        recorded = row is not None and row.outcome == SlaOutcome.BREACHED  # also if it was logged too late (T4)
        is_missed = recorded and response.ended_at is not None
        return {
            "due_at": response.due_at,
            "state": "late" if is_missed else _state_of(response, self.now),
            "logged_late": is_missed and not response.is_missed(self.now),
            "ended_at": response.ended_at,
            "by": self._name(by),
            "why": why_response_due(response, self.clock.snapshots, self.show),
        }

    def _speaker_at(self, at: datetime | None) -> int | None:
        return next((touchpoint.by for touchpoint in self.state.touchpoints if touchpoint.at == at), None)

    def _response(self) -> Response | None:
        """One that ended is computed from its row, as the contacts of that time are not read any more."""
        row = self.state.response_row
        if row is None or row.ended_at is None or not self.state.is_owed_response:
            return self.state.response
        states = [(snapshot.at, snapshot.status, snapshot.severity) for snapshot in self.clock.snapshots]
        was_resolved = any(status == Status.RESOLVED and at == row.ended_at for at, status, _ in states)
        return initial_response(states, Channel(self.case.opened_by_channel), [] if was_resolved else [row.ended_at])

    # --- status updates ---

    def clocks(self) -> list[TargetLine]:
        """The running target of everybody who is owed an update, soonest first (T2)."""
        running = self.state.running
        readers = readers_of(self.case, [target.member for target in running], self.directory)
        names = {
            member: ", ".join(reader.label for reader in its) or f"{self.case.contact.name}, no email address"
            for member, its in readers.items()
        }
        alike: dict[TargetLine, list[Member]] = {}
        for target in running:
            alike.setdefault(self._line(target, readers[target.member]), []).append(target.member)
        return [
            replace(line, who=_who(members), names=", ".join(dict.fromkeys(names[member] for member in members)))
            for line, members in alike.items()
        ]

    def _line(self, target: Target, readers: Sequence[Addressee]) -> TargetLine:
        """What holds for the target, whichever member it is of."""
        first = self._touchpoint_at_begin(target)
        begun = contact_name(first.what) if first else ""
        return TargetLine(
            who="",
            names="",
            every=duration(self.changes[-1].owed.get(target.member, target.every)),
            due_at=target.due_at.replace(second=0, microsecond=0),
            is_overdue=target.is_missed(self.now),
            last=self._last_update(target.member, first),
            next=self._next(target, readers),
            why=why_update_due(
                target,
                begun or begun_by(target, self.clock.snapshots, self.case.sla_counts_from),
                self.changes,
                self.show,
            ),
        )

    def _touchpoint_at_begin(self, target: Target) -> Touchpoint | None:
        """The touchpoint that a target counts from, a person's or the desk's; None when none began it."""
        for touchpoint in self.state.touchpoints:
            if touchpoint.at == target.since and target.member in touchpoint.members:
                return touchpoint
        if any(row.updated_at == target.since for row in self.ended if row.member == target.member):
            return Touchpoint(target.since, frozenset({target.member}), BY_DESK, by_desk=True)
        return None

    def _last_update(self, member: Member, first: Touchpoint | None) -> LastUpdate | None:
        given = (row for row in self.ended if row.member == member and (row.updated_at or row.by_id))
        row = next(given, None)
        touchpoint = next((point for point in reversed(self.state.touchpoints) if member in point.members), None)
        if row is not None and row.ended_at and (touchpoint is None or row.ended_at > touchpoint.at):
            return LastUpdate(row.ended_at, _by_desk(row) if row.updated_at else f"{row.by}")
        if touchpoint is not None:
            name = self._name(touchpoint.by)
            return LastUpdate(touchpoint.at, f"{contact_name(touchpoint.what)}{f' by {name}' if name else ''}")
        return LastUpdate(first.at, first.what) if first else None

    def _next(self, target: Target, readers: Sequence[Addressee]) -> str:
        """What happens by itself until a person gives an update (T3)."""
        row, writes_at = self.state.row_of(target), desk_updates_at(target, readers)
        writes = target.automatic and bool(readers)
        parts = []
        if row.reminded_at is not None:
            parts.append(f"{self._owner()} was reminded {at_moment(row.reminded_at, self.show)}")
        elif self.now < target.remind_at and not (writes and target.remind_at >= writes_at):
            parts.append(f"{self._owner()} is reminded {at_moment(target.remind_at, self.show)}")
        if row.manager_told_at is not None:
            parts.append(f"the Support Manager was told {at_moment(row.manager_told_at, self.show)}")
        if writes and writes_at <= self.now:
            parts.append("the desk is about to write itself")
        elif writes:
            parts.append(f"the desk writes itself {at_moment(writes_at, self.show)}")
        elif target.automatic:
            parts.append("the desk cannot write, as there is no address: please call")
        else:
            parts.append("the desk does not write by itself, so somebody has to")
        return sentence(parts)

    def _owner(self) -> str:
        readers = self.directory.for_user(self.case.owner, "Owner", centre_of_owner(self.case))
        return readers[0].name if readers else "nobody"

    # --- none owed ---

    def none_owed(self) -> str:
        """Why no update is owed just now, and from when it counts again (T2); "" while one is."""
        if self.clock.timeline is None or not self.clock.snapshots:
            return "No schedule was in force when this case was opened, so no status updates are promised."
        if self.case.status not in _WHY_NONE:
            return ""
        why, from_when = _WHY_NONE[Status(self.case.status)]
        since = self.show(self.clock.snapshots[-1].at)
        audience = audience_of(self.clock, self.now)
        again = ", ".join(f"{the(member)} every {duration(every)}" for member, every in audience.items())
        again = f": {again}" if again else ""
        return f"Nobody is owed a status update while the case {why}, since {since}. {from_when}{again}."

    def _name(self, user_id: int | None) -> str:
        person = self.people.get(user_id) if user_id is not None else None
        return str(person) if person else ""


_WHY_NONE = {
    Status.WAITING: ("waits for the customer", "It counts again from the moment the wait ends"),
    Status.RESOLVED: ("is resolved", "It would count again from a reopening"),
}


def _who(members: Sequence[Member]) -> str:
    """“Customer, account manager and COO”."""
    first, *others = members
    return and_list([first.label, *(member.in_sentence for member in others)])


def _ended(rows: QuerySet[SlaTarget]) -> list[SlaTarget]:
    """The newest updates of a case that somebody got, or that were no longer owed; newest first."""
    ended = rows.filter(kind=SlaKind.UPDATE, ended_at__isnull=False).select_related("mail")
    heavy = ("mail__facts", "mail__text", "mail__html")
    return list(ended.defer(*heavy).order_by("-ended_at", "-pk")[:ENDED_READ])


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


# --- the dashboard of those who watch ---------------------------------------------------------------------------


@card(place=44, right=Right.WATCH_THE_ENGINE)
def missed_promises(user: User, now: datetime) -> Card:
    """What was missed in the last 24 hours; two queries. What is overdue now stands in the list of the desk.

    It is written by the sweep: while that does not look, the card says so (W5).
    """
    rows = SlaTarget.objects.filter(outcome=SlaOutcome.BREACHED).select_related("case", "case__company", "case__owner")
    missed = listed(rows.filter(due_at__gt=now - MISSED_WITHIN, due_at__lte=now).order_by("-due_at", "-pk"), SHOWN)
    link = reverse("admin:escalations_slatarget_changelist")
    return Card(
        "Missed in the last 24 hours",
        "admin/escalations/promise_card.html",
        {"missed": missed.rows, "unknown": late_look(now, "promises"), "more_missed": missed.more},
        link=link,
        link_text="All promises",
        aside=True,
        figures=(Figure(missed.count, "missed in 24 h", f"{link}?state=missed&due=day", place=61),),
    )
