"""Where the promises of a batch of cases stand: what was said to whom since the last update, and what is owed next
(T1, T2). Read in a fixed number of queries; reckoned by the pure rules from the newest row of the ledger on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from cases.enums import Channel, Direction
from cases.models import Case, Interaction
from cases.page_cache import kept_with_case
from cases.policy.first_response import Response, initial_response
from escalations.clocks import CaseClock, load_clock
from escalations.enums import Member, SlaKind
from escalations.models import SlaTarget
from escalations.policy.sla import Reason, Target, Touchpoint, targets_of

#: What a period is called that began with the desk's own update.
BY_DESK = "the desk's own update"

Clock = tuple[SlaKind, Member]


@dataclass
class SlaState:
    """The promises of one case. `newest` are the last rows of its ledger, one for each clock that has any."""

    life: CaseClock
    words: list[Touchpoint] = field(default_factory=list)
    newest: dict[Clock, SlaTarget] = field(default_factory=dict)
    spoken_at: datetime | None = None  # when a person last told anybody how the case stands

    @property
    def is_owed_response(self) -> bool:
        """Whether a first response is, or was, promised: phoned in, and here from its opening (T1)."""
        case = self.life.case
        return case.opened_by_channel == Channel.PHONE and (case.sla_counts_from or case.opened_at) <= case.opened_at

    @cached_property
    def response(self) -> Response | None:
        """The first response it is owed, or was (T1); None for one that was not phoned in, or taken over."""
        case = self.life.case
        if not self.is_owed_response:
            return None
        contacts = [word.at for word in self.words if Member.CUSTOMER in word.members]
        states = [(one.at, one.status, one.severity) for one in self.life.snapshots]
        return initial_response(states, Channel(case.opened_by_channel), contacts)

    @property
    def response_row(self) -> SlaTarget | None:
        """Its row in the ledger, once it ended or was missed."""
        return self.newest.get((SlaKind.RESPONSE, Member.CUSTOMER))

    @cached_property
    def periods(self) -> dict[Member, list[Target]]:
        """Each member's periods from their newest row on, that one included while it runs (T2)."""
        pieces = self.life.cadence_changes
        concerned = {member for piece in pieces for member in piece.owed}
        return {
            member: self._told_why(targets_of(member, pieces, self.words, self._anchor(member)))
            for member in Member
            if member in concerned
        }

    @property
    def running(self) -> list[Target]:
        """What is owed at present, soonest first."""
        last = [periods[-1] for periods in self.periods.values() if periods]
        return sorted((one for one in last if one.ended_at is None), key=lambda one: one.due_at)

    def row_of(self, period: Target) -> SlaTarget:
        """The ledger's row of a period; a new one, unsaved, when nothing has happened to it yet."""
        newest = self.newest.get((SlaKind.UPDATE, period.member))
        if newest is not None and newest.since == period.since:
            return newest
        return SlaTarget(
            case=self.life.case,
            kind=SlaKind.UPDATE,
            member=period.member,
            since=period.since,
            due_at=period.due_at,
            in_a_row=newest.in_a_row if newest else 0,
            manager_told_at=newest.manager_told_at if newest and newest.in_a_row else None,
        )

    def _anchor(self, member: Member) -> datetime | None:
        newest = self.newest.get((SlaKind.UPDATE, member))
        return (newest.ended_at or newest.since) if newest else None

    def _told_why(self, periods: list[Target]) -> list[Target]:
        """The first period after the anchor begins with an update of which the fold knows only the moment."""
        for period in periods[:1]:
            newest = self.newest.get((SlaKind.UPDATE, period.member))
            if newest is not None and newest.ended_at == period.since and newest.updated_at == period.since:
                period.why[0] = Reason(period.since, BY_DESK)
        return periods


def load_sla_states(lives: Iterable[CaseClock]) -> dict[int, SlaState]:
    """Where the promises of each case stand, by its key; two queries."""
    standings = {life.case.pk: SlaState(life) for life in lives}
    for row in newest_promises(list(standings)):
        standing = standings[row.case_id]
        standing.newest[SlaKind(row.kind), Member(row.member)] = row
        standing.spoken_at = row.spoken_at  # type: ignore[attr-defined]
    _hear(standings)
    for standing in standings.values():
        by_people = [word.at for word in standing.words if word.by is not None]
        standing.spoken_at = max([*by_people, *([standing.spoken_at] if standing.spoken_at else [])], default=None)
    return standings


@kept_with_case
def load_sla_state(case: Case) -> SlaState:
    """Where the promises of one case stand, for the parts of its page."""
    return load_sla_states([load_clock(case)])[case.pk]


def newest_promises(case_ids: Sequence[int]) -> list[SlaTarget]:
    """The last row of every clock of these cases, and when a person last said how its case stands; one query."""
    clock = SlaTarget.objects.filter(case=OuterRef("case"), kind=OuterRef("kind"), member=OuterRef("member"))
    later = clock.filter(since__gt=OuterRef("since"))
    spoken = words_of_people().filter(case=OuterRef("case"))
    rows = SlaTarget.objects.filter(~Exists(later), case__in=case_ids).order_by("case_id", "kind", "member")
    return list(rows.annotate(spoken_at=Subquery(spoken.order_by("-at").values("at")[:1])))


def words_of_people() -> QuerySet[Interaction]:
    """The contacts by which a person told somebody of the audience, or the customer, how a case stands (T2)."""
    heard = Q(direction=Direction.OUT) | Q(direction=Direction.IN, channel__in=[Channel.PHONE, Channel.CHAT])
    return Interaction.objects.filter(heard | ~Q(told=[]), by__isnull=False, opened_the_case=False)


def _hear(standings: dict[int, SlaState]) -> None:
    """What people said, for each case from where its clocks are reckoned on."""
    rows = Interaction.objects.filter(case__in=standings).exclude(direction="internal", told=[]).order_by("at", "pk")
    since = _since(standings.values())
    if since is not None:
        rows = rows.filter(at__gte=since)
    for row in rows.defer("body"):
        word = word_of(row)
        if word is not None:
            standings[row.case_id].words.append(word)


def _since(standings: Iterable[SlaState]) -> datetime | None:
    """The first moment that any of the clocks is reckoned from; None: from the opening of a case."""
    moments = []
    for standing in standings:
        rows = [row for row in standing.newest.values() if row.kind == SlaKind.UPDATE]
        responded = standing.response_row is not None and standing.response_row.ended_at is not None
        if not rows or (standing.is_owed_response and not responded):
            return None
        moments += [row.ended_at or row.since for row in rows]
    return min(moments, default=None)


def word_of(row: Interaction) -> Touchpoint | None:
    """Whom of the audience a contact told how the case stands (T2); None when nobody."""
    members = {Member(one) for one in row.told}
    if row.tells_customer:
        members.add(Member.CUSTOMER)
    if not members:
        return None
    return Touchpoint(row.at, frozenset(members), _said(row), row.by_id)


def _said(row: Interaction) -> str:
    if row.direction == "internal":
        return "a word to staff"
    whom = "from" if row.direction == "in" else "to"
    return f"{row.get_channel_display().lower()} {whom} the customer"
