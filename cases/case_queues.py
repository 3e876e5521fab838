"""The queues of the list of cases: whose cases, and in which state."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest

from cases.enums import Status
from cases.models import CaseQuerySet
from contacts.enums import Right
from contacts.models import User

MINE, WATCHED, OPEN, WAITING = "mine", "watched", "open", "waiting"
RESOLVED, EVERYTHING = "resolved", "everything"
#: The queues of open cases, whose tabs say how many there are.
OF_OPEN_CASES = (MINE, WATCHED, OPEN, WAITING)
#: What of an address narrows no list.
NO_FILTER = ("p", "o", "e", "queue")


def queues_of(user: User) -> list[tuple[str, str]]:
    """The queues that the reader has, with their names; the first is shown when none is asked for."""
    own = [(MINE, "My queue"), (WATCHED, "Watched")] if user.may(Right.WORK_CASES) else []
    return [
        *own,
        (OPEN, "All open"),
        (WAITING, "Waiting for the customer"),
        (RESOLVED, "Resolved"),
        (EVERYTHING, "Everything"),
    ]


def queue_of(request: HttpRequest) -> str:
    """The queue in the address; else the first of the reader's, or everything under another search or filter."""
    known, asked = [value for value, _ in queues_of(cast(User, request.user))], request.GET.get("queue")
    if asked in known:
        return asked
    return EVERYTHING if is_narrowed(request) else known[0]


def is_narrowed(request: HttpRequest) -> bool:
    """Whether there is a search, or a filter besides the queue."""
    return any(value for name, value in request.GET.items() if name not in NO_FILTER)


def in_queue(cases: CaseQuerySet, queue: str, user: User) -> CaseQuerySet:
    """Those of the cases that are in a queue."""
    if queue == MINE:
        return cases.owned_by(user)
    if queue == WATCHED:
        return cases.watched_by(user)
    if queue == OPEN:
        return cases.open()
    if queue == WAITING:
        return cases.filter(status=Status.WAITING)
    return cases.filter(status=Status.RESOLVED) if queue == RESOLVED else cases
