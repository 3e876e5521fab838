"""Who waits, and what every technician does at present (Q2): a fixed number of queries, nothing of it stored twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from django.conf import settings
from django.db.models import Exists, F, Max, OuterRef, Q

from cases.enums import Availability, QueueEnding, QueueKind, QueueState
from cases.models import Case, QueueEntry
from cases.page_cache import HAS_ROWS, kept_with_case, may_have
from cases.policy.queue.offers import Agent, InLine, at_work, availability
from cases.policy.queue.places import RECENT_CALLS, minutes_to_wait, places_of
from cases.roster import language_of_service, opening_hours_of_centres
from contacts.calendars import centres_in_business_day
from contacts.enums import Right
from contacts.models import SupportCentre, Technician, User

#: Since when a conversation is looked for that tells how long somebody has been free.
SPOKEN_WITHIN = timedelta(days=1)
#: From when on calls are recent enough to reckon a waiting time from.
RECENT = timedelta(hours=12)
HAS_LIVE_CALLS = "has_live_calls"
HAS_ROWS[HAS_LIVE_CALLS] = Exists(QueueEntry.objects.exclude(state=QueueState.ENDED).filter(case=OuterRef("pk")))


@kept_with_case
def live_about(case: Case) -> list[QueueEntry]:
    """The calls, callbacks and chats about a case that have not ended; those to call back by the promise. One query."""
    return live_by_case([case])[case.pk]


def live_by_case(cases: Sequence[Case]) -> dict[int, list[QueueEntry]]:
    """As `live_about`, of several cases by their key; one query, none where it is known that there is none."""
    found: dict[int, list[QueueEntry]] = {case.pk: [] for case in cases}
    some = [case.pk for case in cases if may_have(case, HAS_LIVE_CALLS)]
    if not some:
        return found
    live = QueueEntry.objects.exclude(state=QueueState.ENDED).filter(case__in=some)
    for entry in live.select_related("contact").order_by("due_at", "pk"):
        found[entry.case_id or 0].append(entry)
    return found


def wrap_up() -> timedelta:
    """How long a technician is left alone after a call (Q2)."""
    return timedelta(seconds=settings.DESK_WRAP_UP_SECONDS)


@dataclass(frozen=True)
class TechnicianNow:
    """A technician at a moment: whether they are free, since when, and with whom they speak."""

    technician: Technician
    agent: Agent
    entry: QueueEntry | None = None
    since: datetime | None = None

    @property
    def user(self) -> User:
        return self.technician.user


@dataclass
class QueueNow:
    """The queue at a moment. `line` are all who want a technician, first come first, callbacks among them."""

    now: datetime
    technicians: list[TechnicianNow]
    line: list[QueueEntry]
    talking: list[QueueEntry] = field(default_factory=list)
    japan_on_holidays: bool = False

    def served_in(self, entry: QueueEntry) -> str:
        """The language the caller is served in at this moment (D2)."""
        return language_of_service(entry.language, self.now, self.japan_on_holidays)

    def in_line(self, entries: Iterable[QueueEntry]) -> list[InLine]:
        """Those entries as the rules see them."""
        return [
            InLine(
                entry.pk,
                self.served_in(entry),
                entry.in_line_since,
                {int(user): number for user, number in entry.passed.items()},
            )
            for entry in entries
        ]

    @property
    def agents(self) -> list[Agent]:
        return [one.agent for one in self.technicians]

    def place(self, entry: QueueEntry) -> int:
        """The caller's place in the line of their language (Q3)."""
        return self._places.get(entry.pk, 1)

    @cached_property
    def _places(self) -> dict[int, int]:
        return places_of(self.in_line(self.line))

    def minutes(self, entry: QueueEntry) -> int | None:
        """How many minutes to announce to the caller (Q3); one query. None where it would be a guess."""
        serving = self._serving(self.served_in(entry))
        return minutes_to_wait(self.place(entry), recent_talks(self.now, entry.kind), wrap_up(), serving)

    def places(self, kind: QueueKind) -> dict[int, tuple[int, int | None]]:
        """The place of everybody of a kind in the line of their language, and the minutes to announce; one query."""
        talks, ours = recent_talks(self.now, kind), [entry for entry in self.line if entry.kind == kind]
        serving = {language: self._serving(language) for language in {self.served_in(entry) for entry in ours}}
        return {
            entry.pk: (
                self.place(entry),
                minutes_to_wait(self.place(entry), talks, wrap_up(), serving[self.served_in(entry)]),
            )
            for entry in ours
        }

    def _serving(self, language: str) -> int:
        """How many technicians serve the line of a language at present."""
        crew = at_work(self.agents)
        return sum(language in agent.languages for agent in crew) or len(crew)


def load_queue(now: datetime, waiting: Sequence[QueueEntry] | None = None) -> QueueNow:
    """The queue at `now`; seven queries, one fewer with `waiting`, the line that the caller has read."""
    busy = list(
        QueueEntry.objects.exclude(state=QueueState.ENDED)
        .select_related("contact", "company", "technician", "line", "case")
        .order_by("in_line_since", "pk")
    )
    line = [entry for entry in busy if entry.state in (QueueState.WAITING, QueueState.OFFERED)]
    talking = [entry for entry in busy if entry.state == QueueState.TALKING]
    japan = SupportCentre.objects.japan_works_on_holidays()
    return QueueNow(now, technicians_now(now, busy), list(waiting) if waiting is not None else line, talking, japan)


def technicians_now(now: datetime, busy: Iterable[QueueEntry]) -> list[TechnicianNow]:
    """Everybody who can take calls, with what they do; `busy` holds whatever is offered or spoken. Five queries."""
    people = Technician.objects.at_work().select_related("user", "centre").order_by("user_id")
    technicians = [one for one in people if one.user.may(Right.WORK_CASES)]
    with_them = {entry.technician_id: entry for entry in busy if entry.state != QueueState.WAITING}
    covering = set(centres_in_business_day(opening_hours_of_centres(), now))
    ended = last_talks([one.user_id for one in technicians], now)
    return [_now(one, with_them.get(one.user_id), ended.get(one.user_id), covering, now) for one in technicians]


def _now(
    technician: Technician,
    entry: QueueEntry | None,
    ended: tuple[datetime, bool] | None,
    covering: set[int],
    now: datetime,
) -> TechnicianNow:
    ended_at, is_ready = ended or (None, False)
    state = availability(
        on_duty=technician.on_duty,
        has_offer=entry is not None and entry.state == QueueState.OFFERED,
        talking=entry is not None and entry.state == QueueState.TALKING,
        ended_at=ended_at,
        is_ready=is_ready,
        wrap_up=wrap_up(),
        now=now,
    )
    agent = Agent(
        user_id=technician.user_id,
        languages=frozenset(technician.languages),
        availability=state,
        in_business_day=technician.centre_id in covering,
        free_since=ended_at,
    )
    since = {
        Availability.TALKING: entry.taken_at if entry else None,
        Availability.OFFERED: entry.offered_at if entry else None,
        Availability.WRAPPING_UP: ended_at,
        Availability.FREE: ended_at,
    }.get(state)
    return TechnicianNow(technician, agent, entry, since)


def last_talks(user_ids: Sequence[int], now: datetime) -> dict[int, tuple[datetime, bool]]:
    """When each of them last spoke with a caller, and whether they said that they are done with it; one query."""
    spoken = QueueEntry.objects.filter(
        technician__in=user_ids, ended_at__gt=now - SPOKEN_WITHIN, taken_at__isnull=False, state=QueueState.ENDED
    ).order_by()
    rows = spoken.values("technician").annotate(
        last=Max("ended_at"), ready=Max("ended_at", filter=Q(ready_at__gte=F("ended_at")))
    )
    return {row["technician"]: (row["last"], row["ready"] == row["last"]) for row in rows}


def recent_talks(now: datetime, kind: str = QueueKind.CALL) -> list[timedelta]:
    """How long the last conversations took, the newest first; one query."""
    spoken = QueueEntry.objects.filter(
        state=QueueState.ENDED, ending=QueueEnding.SPOKEN, kind=kind, ended_at__gt=now - RECENT, taken_at__isnull=False
    ).order_by("-ended_at")
    moments = spoken.values_list("ended_at", "taken_at")[:RECENT_CALLS]
    return [ended_at - taken_at for ended_at, taken_at in moments if ended_at and taken_at]


def mine_now(user: User) -> QueueEntry | None:
    """What is offered to somebody or spoken by them; one query."""
    mine = QueueEntry.objects.with_technician().filter(technician=user)
    return mine.select_related("contact", "company", "line", "case").first()
