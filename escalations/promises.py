"""Promised status updates, for each member of the audience a clock of their own (T2, T3, T4). Pure; all moments UTC.

A period begins when an update starts to be owed (the opening, the end of a wait, a reopening, joining the audience) or
with the last update that reached the member, and ends with the next one. Its deadline is its begin plus the interval;
when the interval changes, the earlier of the old deadline and the change plus the new interval. An event at the very
moment of a deadline comes before it: a word then is in time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import merge

from escalations.rhythm import Piece
from escalations.terms import Member, Outcome

#: T3: the owner is reminded when this share of the interval is left (75 % are over).
REMIND_WITH_LEFT = 0.25


@dataclass(frozen=True, slots=True)
class Word:
    """Something that told members of the audience how the case stands: a person's contact or update, or the desk's.

    `by` is the person's key; None for the desk.
    """

    at: datetime
    members: frozenset[Member]
    what: str
    by: int | None = None
    by_desk: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """One event that a deadline came from, for whoever asks why."""

    at: datetime
    said: str


@dataclass(slots=True)
class Period:
    """A time for which one member is owed one update. `due_at` is final once `ended_at` is set or it has passed."""

    member: Member
    since: datetime
    every: timedelta
    due_at: datetime
    automatic: bool = True
    ended_at: datetime | None = None
    ended_by: Word | None = None  # None while it runs, or when the update was no longer owed
    why: list[Reason] = field(default_factory=list)

    def is_missed(self, now: datetime) -> bool:
        """Whether its deadline has passed without an update (T4)."""
        return self.due_at < (self.ended_at or now)

    def outcome(self, now: datetime) -> Outcome | None:
        """What became of it by `now`; None while that is open. The desk's own update keeps it only once it has left:
        that is settled from the outbox, so it is open here.
        """
        if self.is_missed(now):
            return Outcome.MISSED
        if self.ended_at is None:
            return None
        if self.ended_by is None:
            return Outcome.RELEASED
        return None if self.ended_by.by_desk else Outcome.PERSON

    @property
    def remind_at(self) -> datetime:
        """When the owner is reminded (T3)."""
        return self.due_at - self.every * REMIND_WITH_LEFT

    def update_at(self, lead: timedelta) -> datetime:
        """When the desk sends the update itself: `lead` before the deadline (T3); never before the reminder's time."""
        return self.due_at - min(lead, self.every * REMIND_WITH_LEFT)


def periods_of(
    member: Member, pieces: Sequence[Piece], words: Iterable[Word], anchor: datetime | None = None
) -> list[Period]:
    """Every period of a member, in order; only the last may still run. Pieces and words are in order.

    With `anchor`, the moment a period is known to have begun or ended at, only the periods from then on.
    """
    told = [word for word in words if member in word.members and (anchor is None or word.at >= anchor)]
    fold = _Fold(member)
    if anchor is not None:
        before = [piece for piece in pieces if piece.at <= anchor]
        if before:
            last_word = next((word for word in told if word.at == anchor), None)
            fold.changed(Piece(anchor, before[-1].owed, before[-1].why, before[-1].automatic))
            if last_word is not None and fold.current is not None:
                fold.current.why = [Reason(anchor, last_word.what)]
    heard = ((word.at, 0, word) for word in told if anchor is None or word.at > anchor)
    changes = ((piece.at, 1, piece) for piece in pieces if anchor is None or piece.at > anchor)
    for _, _, event in merge(heard, changes, key=lambda one: one[:2]):
        if isinstance(event, Piece):
            fold.changed(event)
        else:
            fold.heard(event)
    return fold.found + ([fold.current] if fold.current else [])


class _Fold:
    """Goes through what happened in the order of time; of a word and a change at one moment the word comes first."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self.every: timedelta | None = None
        self.automatic = True
        self.current: Period | None = None
        self.found: list[Period] = []

    def heard(self, word: Word) -> None:
        """The member was told how the case stands."""
        if self.current is None or self.every is None:
            return
        self._end(word.at, word)
        self._begin(word.at, self.every, word.what)

    def changed(self, piece: Piece) -> None:
        """From now on another rhythm is in force."""
        every = piece.owed.get(self.member)
        before, self.every, self.automatic = self.every, every, piece.automatic
        if every is None:
            if self.current is not None:
                self._end(piece.at, None)
        elif self.current is None:
            self._begin(piece.at, every, piece.why)
        else:
            self.current.automatic = piece.automatic
            if every != before:
                self._interval_changed(self.current, piece, every)

    def _begin(self, at: datetime, every: timedelta, said: str) -> None:
        self.current = Period(self.member, at, every, at + every, self.automatic, why=[Reason(at, said)])

    def _end(self, at: datetime, by: Word | None) -> None:
        assert self.current is not None
        self.current.ended_at, self.current.ended_by = at, by
        self.found.append(self.current)
        self.current = None

    @staticmethod
    def _interval_changed(current: Period, piece: Piece, every: timedelta) -> None:
        current.every = every
        current.why.append(Reason(piece.at, piece.why))
        if piece.at == current.since:
            current.due_at = piece.at + every
        elif piece.at <= current.due_at:  # what is missed stays missed at its moment (T4)
            current.due_at = min(current.due_at, piece.at + every)
