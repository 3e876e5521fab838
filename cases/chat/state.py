"""Where a chat stands (P6): its lines, who writes, its place in the queue. Most of what pages poll costs no query."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db.models import Max, Min, OuterRef, Q, Subquery

from cases.enums import Direction, QueueKind, QueueState
from cases.files.state import FileLine, files_of
from cases.models import Case, Interaction, QueueEntry, QueueEntryQuerySet
from cases.policy.queue.chats import ChatNow
from cases.policy.queue.offers import at_work
from cases.queue.state import live_about, load_queue
from contacts.calendars import japanese_support_opens_at
from contacts.enums import Language
from contacts.models import Contact, User

#: So long the places in line that pages show are good for, in seconds.
PLACES_FOR = 3
#: So long somebody counts as writing after their page said so, in seconds.
WRITING_FOR = 6
_PLACES = "chat-places"
#: Lines that a page shows at most.
MOST_SHOWN = 300
#: From then on the technician sees that the customer may have left: a page that is hidden asks once a minute.
SEEMS_GONE_AFTER = timedelta(seconds=90)


@dataclass(frozen=True)
class LineNow:
    """The line at a moment. `places` holds the place of each who waits, and the minutes to announce if they are known;
    `opens_at` is when Japanese support opens, if it is closed (D2).
    """

    somebody_works: bool
    places: dict[int, tuple[int, int | None]]
    opens_at: datetime | None

    def place(self, entry: QueueEntry) -> tuple[int, int | None]:
        """The place of a chat in the line of its language, and how many minutes it will take if that is known (Q3)."""
        return self.places.get(entry.pk, (1, None))

    def japanese_opens_at(self, entry: QueueEntry) -> datetime | None:
        """When somebody who speaks Japanese will be there, for whoever speaks it and is served in English (D2)."""
        return self.opens_at if entry.language == Language.JAPANESE else None


def line_now(now: datetime) -> LineNow:
    """The line, reckoned once in a few seconds for everybody who waits in it."""
    line: LineNow | None = cache.get(_PLACES)
    if line is None:
        queue = load_queue(now)
        line = LineNow(
            somebody_works=bool(at_work(queue.agents)),
            places=queue.places(QueueKind.CHAT),
            opens_at=japanese_support_opens_at(now, queue.japan_on_holidays),
        )
        cache.set(_PLACES, line, PLACES_FOR)
    return line


def somebody_works(now: datetime) -> bool:
    """Whether anybody is there who takes chats (Q2); read afresh."""
    return bool(at_work(load_queue(now).agents))


# Chats ----------------------------------------------------------------------------------------------------------------


def shown(chats: QueueEntryQuerySet) -> QueueEntryQuerySet:
    """Chats with what a poll needs to know of them, `newest` being the key of the last line; in the one query that
    reads them.
    """
    newest = Interaction.objects.filter(chat=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    return chats.select_related("technician", "contact").annotate(newest=Subquery(newest))


def chat_of(contact: Contact, case_id: int) -> QueueEntry | None:
    """The newest chat of a contact on a case of their company, also one that is over; one query."""
    mine = QueueEntry.objects.chats().filter(contact=contact, case=case_id, case__company=contact.company_id)
    return shown(mine).order_by("-pk").first()


def open_chat_of(contact: Contact) -> QueueEntry | None:
    """The chat that a contact is in, on whatever case; one query."""
    mine = QueueEntry.objects.chats().filter(contact=contact).exclude(state=QueueState.ENDED)
    return mine.select_related("case").first()


def chat_with(case: Case, user: User) -> QueueEntry | None:
    """The chat about a case that somebody has taken; one query a page, shared with the callbacks about it."""
    talking = (entry for entry in live_about(case) if entry.is_chat and entry.state == QueueState.TALKING)
    return next((entry for entry in talking if entry.technician_id == user.pk), None)


def chats_now(entries: Iterable[int] | None = None) -> list[tuple[int, ChatNow]]:
    """Every chat that has not ended, as the rules see it, or those of `entries`; one query."""
    rows = QueueEntry.objects.chats().exclude(state=QueueState.ENDED)
    if entries is not None:
        rows = rows.filter(pk__in=entries)
    times = rows.annotate(
        last=Max("lines__at"), answered=Min("lines__at", filter=Q(lines__direction=Direction.OUT))
    ).order_by("pk")
    values = times.values_list("pk", "state", "arrived_at", "heard_at", "last", "taken_at", "answered")
    return [
        (key, ChatNow(QueueState(state), arrived_at, seen_at, last or arrived_at, taken_at, answered_at))
        for key, state, arrived_at, seen_at, last, taken_at, answered_at in values
    ]


def speaker(line: Interaction) -> str:
    """Who wrote a line; no query where its people are loaded."""
    ours = line.direction == Direction.OUT
    return str(line.by or "") if ours else line.contact.name if line.contact else ""


@dataclass(frozen=True)
class ChatLine:
    """A line as its technician reads it."""

    row: Interaction
    is_ours: bool
    files: list[FileLine]

    @property
    def who(self) -> str:
        return speaker(self.row)


def chat_lines(entry: QueueEntry, after: int = 0) -> list[ChatLine]:
    """The lines that came after the contact with that key, the oldest first; two queries."""
    newest = entry.lines.filter(pk__gt=after).select_related("by", "contact").order_by("-pk")
    rows = list(newest[:MOST_SHOWN])[::-1]
    files = files_of(rows)
    return [ChatLine(row, row.direction == Direction.OUT, files.get(row.pk, [])) for row in rows]


@dataclass(frozen=True)
class ChatStanding:
    """Where a chat stands, as its technician reads it. `gone_since` is set once the customer seems to have left."""

    is_over: bool
    is_writing: bool
    gone_since: datetime | None


def chat_standing(entry: QueueEntry, now: datetime) -> ChatStanding:
    """No query."""
    is_over = entry.state == QueueState.ENDED
    away = now - entry.heard_at >= SEEMS_GONE_AFTER
    return ChatStanding(is_over, is_writing(entry.pk, ours=False), entry.heard_at if away else None)


def chat_key(entry: QueueEntry, now: datetime) -> str:
    """Differs when the page of a shown chat has something else to show."""
    standing = chat_standing(entry, now)
    return f"{entry.newest or 0}:{entry.state}:{standing.is_writing}:{standing.gone_since is not None}"  # type: ignore[attr-defined]


# Who writes -----------------------------------------------------------------------------------------------------------


def say_writing(entry_id: int, *, ours: bool) -> None:
    """Somebody writes at this moment; it is forgotten within seconds, and never stored."""
    cache.set(_writing_key(entry_id, ours), "1", WRITING_FOR)


def stop_writing(entry_id: int, *, ours: bool) -> None:
    """What they wrote has arrived."""
    cache.delete(_writing_key(entry_id, ours))


def is_writing(entry_id: int, *, ours: bool) -> bool:
    """Whether one of us, or the customer, writes in a chat at this moment."""
    return cache.get(_writing_key(entry_id, ours)) is not None


def _writing_key(entry_id: int, ours: bool) -> str:
    return f"chat-writing:{entry_id}:{'us' if ours else 'them'}"
