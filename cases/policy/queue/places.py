"""What a caller hears: their place, and how long it will take once there is enough to reckon from (Q3). Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from cases.policy.queue.offers import InLine

#: From so many recent calls on a waiting time is announced.
ENOUGH_CALLS = 5
#: So many of the last ones are looked at.
RECENT_CALLS = 20

MINUTE = timedelta(minutes=1)


def places_of(line: Sequence[InLine]) -> dict[int, int]:
    """The place of everybody in the line of their language, by key: 1 is next. Whoever is being offered is in line."""
    ahead: Counter[str] = Counter()
    places = {}
    for one in sorted(line, key=lambda one: (one.since, one.key)):
        ahead[one.language] += 1
        places[one.key] = ahead[one.language]
    return places


def minutes_to_wait(place: int, talks: Sequence[timedelta], wrap_up: timedelta, serving: int) -> int | None:
    """How many minutes to announce, rounded up and at least 1; None where it would be a guess.

    `talks` are how long recent calls took, `serving` how many technicians serve this line at present.
    """
    if len(talks) < ENOUGH_CALLS or serving < 1:
        return None
    each = sum(talks, timedelta(0)) / len(talks) + wrap_up
    return max(1, -(-(place * each) // (serving * MINUTE)))
