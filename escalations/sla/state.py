"""Load the current SLA state of a batch of cases: who was told what, and what is owed next (T1, T2).

A fixed number of queries; the pure rules compute the targets from the newest ledger row of each clock on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from cases.enums import Channel, Direction
from cases.models import Case, Interaction, Mail
from cases.models.contact_log import TELLS_CUSTOMER
from cases.page_cache import kept_with_case, load_kept
from cases.policy.first_response import Response, initial_response
from contacts.compiled import KEYS, MOMENT, CompiledQuery
from contacts.directory import Addressee
from escalations.audience import watchers_of
from escalations.clocks import CaseClock, load_clock, load_clocks_for_page
from escalations.enums import Member, SlaKind, SlaOutcome
from escalations.models import SlaTarget
from escalations.policy.sla import Reason, Target, Touchpoint, targets_of

#: What a target is called that began with the desk's own update.
BY_DESK = "the desk's own update"

ClockKey = tuple[SlaKind, Member]


def update_lead() -> timedelta:
    """How long before a deadline the desk sends a status update itself (T3)."""
    return timedelta(minutes=settings.DESK_UPDATE_LEAD_MINUTES)


def desk_updates_at(target: Target, readers: Iterable[Addressee]) -> datetime:
    """When the desk sends the update of a target itself, together with others as its readers want it (T3)."""
    bundle = min((reader.bundle_minutes for reader in readers), default=0)
    return target.update_at(update_lead(), timedelta(minutes=bundle))


@dataclass
class SlaState:
    """What is known of the SLA targets of one case. `newest` is the last ledger row of each clock that has any."""

    clock: CaseClock
    touchpoints: list[Touchpoint] = field(default_factory=list)
    newest: dict[ClockKey, SlaTarget] = field(default_factory=dict)
    spoken_at: datetime | None = None  # when a person last told anybody how the case stands
    watchers: list[Addressee] = field(default_factory=list)  # both from `load_for_sweep`
    flagged: list[Interaction] = field(default_factory=list)  # a customer's contacts on the resolved case (C7)
    #: Rows of `newest` that only a mail had ended that reached nobody; they run again, and are to be written so.
    reopened: set[ClockKey] = field(default_factory=set)
    #: Earlier rows that only a mail had kept which no mail server took.
    unkept: list[SlaTarget] = field(default_factory=list)

    @property
    def is_owed_response(self) -> bool:
        """Whether a first response is, or was, owed: phoned in, and here from its opening (T1)."""
        case = self.clock.case
        return case.opened_by_channel == Channel.PHONE and (case.sla_counts_from or case.opened_at) <= case.opened_at

    @cached_property
    def response(self) -> Response | None:
        """The first response that is, or was, owed (T1); None for a case not phoned in, or taken over."""
        if not self.is_owed_response:
            return None
        contacts = [touchpoint.at for touchpoint in self.touchpoints if Member.CUSTOMER in touchpoint.members]
        states = [(snapshot.at, snapshot.status, snapshot.severity) for snapshot in self.clock.snapshots]
        case = self.clock.case
        return initial_response(states, Channel(case.opened_by_channel), contacts, case.called_at)

    @property
    def response_row(self) -> SlaTarget | None:
        """The ledger row of the first response, once it ended or was missed."""
        return self.newest.get((SlaKind.RESPONSE, Member.CUSTOMER))

    @property
    def open_response(self) -> Response | None:
        """The first response while it is owed; it stays owed after its time until somebody responds (T1)."""
        response, row = self.response, self.response_row
        is_over = response is None or response.ended_at is not None or (row is not None and row.ended_at is not None)
        return None if is_over else response

    @cached_property
    def targets(self) -> dict[Member, list[Target]]:
        """Each member's status updates from the newest row on, that one included while it runs (T2)."""
        changes = self.clock.cadence_changes
        concerned = {member for change in changes for member in change.owed}
        return {
            member: self._with_reason(targets_of(member, changes, self.touchpoints, self._anchor(member)))
            for member in Member
            if member in concerned
        }

    @property
    def running(self) -> list[Target]:
        """The status updates owed at present, soonest first."""
        last = [targets[-1] for targets in self.targets.values() if targets]
        return sorted((target for target in last if target.ended_at is None), key=lambda target: target.due_at)

    def row_of(self, target: Target) -> SlaTarget:
        """A copy of the target's ledger row; a new one, unsaved, when nothing has happened to it yet."""
        return row_after(self.newest.get((SlaKind.UPDATE, target.member)), target, self.clock.case)

    def _anchor(self, member: Member) -> datetime | None:
        newest = self.newest.get((SlaKind.UPDATE, member))
        return (newest.ended_at or newest.since) if newest else None

    def _with_reason(self, targets: list[Target]) -> list[Target]:
        """Of the desk's own update at the anchor the fold knows only the moment: give it as the first one's reason."""
        for target in targets[:1]:
            newest = self.newest.get((SlaKind.UPDATE, target.member))
            if newest is not None and newest.ended_at == target.since and newest.updated_at == target.since:
                target.why[0] = Reason(target.since, BY_DESK)
        return targets


def row_after(newest: SlaTarget | None, target: Target, case: Case) -> SlaTarget:
    """The ledger row of a target: a copy of its clock's `newest` row if it is that one, else the row that follows."""
    if newest is not None and newest.since == target.since:
        return copy(newest)
    return SlaTarget(
        case=case,
        kind=SlaKind.UPDATE,
        member=target.member,
        since=target.since,
        due_at=target.due_at,
        in_a_row=newest.in_a_row if newest else 0,
        manager_told_at=newest.manager_told_at if newest and newest.in_a_row else None,
    )


def load_sla_states(clocks: Iterable[CaseClock]) -> dict[int, SlaState]:
    """The SLA state of each case, by its key; two queries, and up to two more if a person's mail reached nobody."""
    states = {clock.case.pk: SlaState(clock) for clock in clocks}
    unsaid: set[int] = set()
    for row in _newest_rows(cases=list(states)):
        state = states[row.case_id]
        state.newest[SlaKind(row.kind), Member(row.member)] = row
        state.spoken_at = row.spoken_at  # type: ignore[attr-defined]
        if row.has_unsaid:  # type: ignore[attr-defined]
            unsaid.add(row.case_id)
    if unsaid:
        _take_back(states, unsaid)
    _load_touchpoints(states)
    for state in states.values():
        spoken = [touchpoint.at for touchpoint in state.touchpoints if touchpoint.by is not None]
        state.spoken_at = max([*spoken, *([state.spoken_at] if state.spoken_at else [])], default=None)
    return states


@kept_with_case
def load_sla_state(case: Case) -> SlaState:
    """The SLA state of one case, for the parts of its page."""
    return load_sla_states([load_clock(case)])[case.pk]


def load_sla_states_for_page(cases: Iterable[Case]) -> dict[int, SlaState]:
    """The SLA states of several cases of one page, by key; ten queries, none for cases whose state is known."""
    return load_kept(load_sla_state, cases, lambda unknown: load_sla_states(load_clocks_for_page(unknown).values()))


def load_for_sweep(states: Mapping[int, SlaState]) -> None:
    """Add the watchers and the flagged contacts to the states of cases, by key; at most two queries."""
    cases = [state.clock.case for state in states.values()]
    for case_id, watchers in watchers_of(cases).items():
        states[case_id].watchers = watchers
    resolved = [case.pk for case in cases if not case.is_open]
    if resolved:
        rows = Interaction.objects.filter(case__in=resolved, needs_answer=True, manager_told_at=None)
        for row in rows.select_related("contact").order_by("logged_at", "pk"):
            states[row.case_id].flagged.append(row)


def _last_rows(cases: Any) -> QuerySet[SlaTarget]:
    """The last row of every clock of these cases, and when a person last said how its case stands."""
    clock = SlaTarget.objects.filter(case=OuterRef("case"), kind=OuterRef("kind"), member=OuterRef("member"))
    later = clock.filter(since__gt=OuterRef("since"))
    spoken = _contacts_of_people().filter(case=OuterRef("case"))
    rows = SlaTarget.objects.filter(~Exists(later), case__in=cases).order_by("case_id", "kind", "member")
    unsaid = Interaction.objects.filter(case=OuterRef("case"), undelivered_at__isnull=False)
    return rows.annotate(spoken_at=Subquery(spoken.order_by("-at").values("at")[:1]), has_unsaid=Exists(unsaid))


_newest_rows = CompiledQuery(_last_rows, cases=KEYS)


def _take_back(states: Mapping[int, SlaState], case_ids: Iterable[int]) -> None:
    """Let the rows of these cases run on that a person's mail had ended which reached nobody (T1, T2)."""
    left = Mail.objects.filter(interaction=OuterRef("pk"), sent_at__isnull=False)
    unsaid = Interaction.objects.filter(case__in=case_ids, undelivered_at__isnull=False)
    rows = unsaid.annotate(since=Coalesce("resent_at", "at"), left=Exists(left)).values_list("case_id", "since", "left")
    left_at = {(case_id, told): left for case_id, told, left in rows}
    for case_id in case_ids:
        state = states[case_id]
        for key, row in state.newest.items():
            if key[1] == Member.CUSTOMER and (case_id, row.ended_at) in left_at:
                row.ended_at = row.by_id = None
                row.outcome = "" if row.outcome == SlaOutcome.MET else row.outcome
                state.reopened.add(key)
    refused = [(case_id, told) for (case_id, told), left in left_at.items() if not left]
    if refused:
        _find_unkept(states, refused)


def _find_unkept(states: Mapping[int, SlaState], refused: Sequence[tuple[int, datetime]]) -> None:
    """Earlier targets that count as kept by a mail which no server took (T2)."""
    met = SlaTarget.objects.filter(member=Member.CUSTOMER, outcome=SlaOutcome.MET, kind=SlaKind.UPDATE)
    met = met.filter(case__in={case_id for case_id, _ in refused}, ended_at__in={told for _, told in refused})
    for row in met.order_by("since"):
        state = states[row.case_id]
        newest = state.newest[SlaKind.UPDATE, Member.CUSTOMER]
        if (row.case_id, row.ended_at) in refused and row.pk != newest.pk:
            state.unkept.append(row)


def _contacts_of_people() -> QuerySet[Interaction]:
    """The contacts by which a person told somebody of the audience, or the customer, how a case stands (T2)."""
    return Interaction.objects.filter(TELLS_CUSTOMER | ~Q(told=[]), by__isnull=False, opened_the_case=False)


def _said(cases: Any) -> QuerySet[Interaction]:
    rows = Interaction.objects.filter(case__in=cases).exclude(direction=Direction.INTERNAL, told=[])
    return rows.defer("body").order_by()


_all_said = CompiledQuery(_said, cases=KEYS)
_said_since = CompiledQuery(
    lambda cases, since: _said(cases).filter(Q(at__gte=since) | Q(resent_at__gte=since)), cases=KEYS, since=MOMENT
)


def _load_touchpoints(states: dict[int, SlaState]) -> None:
    """What people said, for each case from the moment on that its clocks are computed from."""
    since, cases = _since(states.values()), list(states)
    rows = _all_said(cases=cases) if since is None else _said_since(cases=cases, since=since)
    for row in sorted(rows, key=lambda row: (row.told_at, row.pk)):
        touchpoint = _touchpoint(row)
        if touchpoint is not None:
            states[row.case_id].touchpoints.append(touchpoint)


def _since(states: Iterable[SlaState]) -> datetime | None:
    """The first moment that any of the clocks is computed from; None: from the opening of a case."""
    moments = []
    for state in states:
        rows = [row for row in state.newest.values() if row.kind == SlaKind.UPDATE]
        responded = state.response_row is not None and state.response_row.ended_at is not None
        if not rows or (state.is_owed_response and not responded):
            return None
        moments += [row.ended_at or row.since for row in rows]
    return min(moments, default=None)


def _touchpoint(row: Interaction) -> Touchpoint | None:
    """Which members of the audience a contact told how the case stands (T2); None when nobody."""
    members = {Member(member) for member in row.told}
    if row.tells_customer:
        members.add(Member.CUSTOMER)
    if not members:
        return None
    return Touchpoint(row.told_at, frozenset(members), _name_of(row), row.by_id)


def _name_of(row: Interaction) -> str:
    if row.direction == Direction.INTERNAL:
        return "a word to staff"
    preposition = "from" if row.direction == Direction.IN else "to"
    return f"{row.get_channel_display().lower()} {preposition} the customer"
