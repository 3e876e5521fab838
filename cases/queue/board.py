"""What the board of the queue shows (Q2, Q3): who waits and how long, what the technicians do, whom we owe a call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from cases.enums import MISSED_ENDINGS, Availability, QueueState
from cases.models import QueueEntry
from cases.policy.queue.offers import at_work
from cases.queue.state import QueueNow, TechnicianNow, load_queue
from contacts.enums import Language
from contacts.models import User
from contacts.wording import distance_from, moment_formatter, rough_duration

#: How many missed calls and callbacks a page lists.
SHOWN = 20
_LANGUAGES = dict(Language.choices)


@dataclass(frozen=True)
class WaitingLine:
    """Somebody on the board."""

    entry: QueueEntry
    place: int
    waited: str
    promise: str = ""
    is_late: bool = False
    is_mine: bool = False
    is_held: bool = False  # offered to, or spoken by, somebody else


@dataclass(frozen=True)
class LanguageLine:
    """Everybody who waits in one language, first come first."""

    language: str
    lines: list[WaitingLine]


@dataclass(frozen=True)
class CrewGroup:
    """The technicians who do the same at present."""

    availability: Availability
    name: str
    people: list[tuple[TechnicianNow, str]]


@dataclass(frozen=True)
class Board:
    """The board at a moment, for one reader."""

    waiting: list[LanguageLine]
    callbacks: list[WaitingLine]
    talking: list[WaitingLine]
    crew: list[CrewGroup]
    missed: list[QueueEntry]

    @property
    def is_quiet(self) -> bool:
        return not (self.waiting or self.callbacks or self.talking)


def board_of(reader: User, now: datetime) -> Board:
    """The board; eight queries, however many wait."""
    queue = load_queue(now)
    lines = [_line(queue, entry, reader) for entry in queue.line]
    live = [line for line in lines if not line.entry.is_callback]
    languages = dict.fromkeys(queue.served_in(line.entry) for line in live)
    waiting = [
        LanguageLine(_LANGUAGES.get(one, one), [line for line in live if queue.served_in(line.entry) == one])
        for one in languages
    ]
    callbacks = sorted((line for line in lines if line.entry.is_callback), key=lambda line: line.entry.due_at or now)
    talking = [_line(queue, entry, reader) for entry in queue.talking]
    return Board(waiting, callbacks[:SHOWN], talking, _crew(queue), missed_today(now))


def _line(queue: QueueNow, entry: QueueEntry, reader: User) -> WaitingLine:
    show = moment_formatter(queue.now, timezone.get_current_timezone())
    since = entry.taken_at if entry.state == QueueState.TALKING and entry.taken_at else entry.in_line_since
    promise = f"{show(entry.due_at)}, {distance_from(entry.due_at, queue.now)}" if entry.due_at else ""
    return WaitingLine(
        entry,
        queue.place(entry),
        rough_duration(queue.now - since),
        promise,
        is_late=entry.due_at is not None and entry.due_at < queue.now,
        is_mine=entry.technician_id == reader.pk,
        is_held=entry.technician_id not in (None, reader.pk),
    )


def _crew(queue: QueueNow) -> list[CrewGroup]:
    """Free first, away last; each with how long, and with whom."""

    def said(one: TechnicianNow) -> str:
        length = rough_duration(queue.now - one.since) if one.since is not None else ""
        whom = f"{one.entry.who}, " if one.entry is not None else ""
        return f"{whom}{length}" if length else whom.rstrip(", ")

    crew = {agent.user_id for agent in at_work(queue.agents)}
    groups = []
    for kind in Availability:
        people = [one for one in queue.technicians if one.agent.availability == kind]
        here = [(one, said(one)) for one in people if one.agent.user_id in crew or kind == Availability.AWAY]
        elsewhere = [(one, said(one)) for one in people if one.agent.user_id not in crew and kind != Availability.AWAY]
        groups.append(CrewGroup(kind, kind.label, here))
        groups.append(CrewGroup(kind, f"{kind.label}, but outside their business day", elsewhere))
    order = sorted(groups, key=lambda group: group.name != group.availability.label)
    return [group for group in order if group.people]


def missed_today(now: datetime) -> list[QueueEntry]:
    """Callers of the reader's day with whom nobody has spoken, the newest first; one query."""
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    missed = QueueEntry.objects.filter(state=QueueState.ENDED, ending__in=MISSED_ENDINGS, ended_at__gte=midnight)
    return list(missed.select_related("contact", "company").order_by("-ended_at")[:SHOWN])
