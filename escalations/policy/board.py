"""What the live board reckons: ages of cases, and languages that nobody speaks in the coming day (W4, D2). Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from escalations.policy.handover import Crew

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Age:
    """A class of ages: from, counted, to, not counted; None for no end."""

    key: str
    label: str
    start: timedelta
    end: timedelta | None

    def opened(self, now: datetime) -> tuple[datetime | None, datetime]:
        """After which moment, and until which one, cases of this age were opened."""
        return (now - self.end if self.end is not None else None), now - self.start


AGES = (
    Age("4h", "under 4 h", 0 * HOUR, 4 * HOUR),
    Age("24h", "4 to 24 h", 4 * HOUR, DAY),
    Age("3d", "1 to 3 d", DAY, 3 * DAY),
    Age("7d", "3 to 7 d", 3 * DAY, 7 * DAY),
    Age("older", "over 7 d", 7 * DAY, None),
)

#: From when until when something is the case.
Stretch = tuple[datetime, datetime]


def uncovered(
    needed_at: Callable[[datetime], Iterable[str]],
    crews: Sequence[Crew],
    start: datetime,
    end: datetime,
    edges: Iterable[datetime] = (),
) -> dict[str, list[Stretch]]:
    """When, between start and end, a language in which customers are served is spoken by nobody who is on duty at a
    centre that is open; by language, in their order.

    `needed_at` says in which languages customers are served at a moment, which changes at `edges` only.
    """
    found: dict[str, list[Stretch]] = {}
    for begins, ends in pairwise(_moments(crews, start, end, edges)):
        spoken = {
            language for crew in crews if crew.hours.is_open(begins) for one in crew.languages for language in one
        }
        for language in sorted(set(needed_at(begins)) - spoken):
            stretches = found.setdefault(language, [])
            if stretches and stretches[-1][1] == begins:
                begins_before, _ = stretches.pop()
                stretches.append((begins_before, ends))
            else:
                stretches.append((begins, ends))
    return dict(sorted(found.items()))


def _moments(crews: Sequence[Crew], start: datetime, end: datetime, edges: Iterable[datetime]) -> list[datetime]:
    """The moments at which something may change, with start and end."""
    changes = {start, end, *edges}
    for crew in crews:
        first = crew.hours.calendar.local_date(start) - DAY
        for span in crew.hours.open_times(first, crew.hours.calendar.local_date(end)):
            changes |= {span.start, span.end}
    return sorted(moment for moment in changes if start <= moment <= end)
