"""In which order a person's work stands, what presses, and how their desk is divided (W1). Pure; all moments UTC."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from cases.enums import WorkGroup, WorkKind
from cases.policy.first_response import REMIND_WITH_LEFT

#: What is due within this time presses, however long there was for it.
PRESSING_WITHIN = timedelta(minutes=30)

_PLACE = {kind: place for place, kind in enumerate(WorkKind)}

#: Sorts soonest first; what has no deadline comes last.
WorkOrder = tuple[bool, datetime, int]


def work_order(kind: WorkKind, since: datetime, due_at: datetime | None) -> WorkOrder:
    """Where something stands among other work: by its deadline, at one moment by its kind; without one by its age."""
    return due_at is None, due_at or since, _PLACE[kind]


def is_pressing(since: datetime, due_at: datetime | None, now: datetime) -> bool:
    """Whether it is overdue, or a quarter of its time is left, or no more than half an hour."""
    if due_at is None:
        return False
    return due_at - now <= max(PRESSING_WITHIN, (due_at - since) * REMIND_WITH_LEFT)


def is_overdue(due_at: datetime | None, now: datetime) -> bool:
    """Whether the deadline has passed; what happens at the very moment is in time."""
    return due_at is not None and due_at < now


def group_of(since: datetime, due_at: datetime | None, now: datetime, zone: tzinfo) -> WorkGroup:
    """Under which heading something that is wanted stands; “today” is the reader's own day.

    What has no deadline can be done today.
    """
    if is_pressing(since, due_at, now):
        return WorkGroup.NOW
    if due_at is None or due_at.astimezone(zone).date() <= now.astimezone(zone).date():
        return WorkGroup.TODAY
    return WorkGroup.LATER


def watch_group_of(kind: WorkKind, for_reader: bool, due_at: datetime | None, now: datetime) -> WorkGroup | None:
    """Under which heading something stands for whoever watches over the whole desk; None for what is in hand.

    Decisions are theirs from the beginning, everything else once it went wrong.
    """
    if kind == WorkKind.DECISION:
        return WorkGroup.DECIDE if for_reader else None
    if kind == WorkKind.WORD:
        return WorkGroup.WORDS
    if kind == WorkKind.QUESTION and due_at is not None and due_at <= now:
        return WorkGroup.UNANSWERED
    if kind == WorkKind.HELD_UP:
        return WorkGroup.HELD_UP
    return WorkGroup.OVERDUE if is_overdue(due_at, now) else None
