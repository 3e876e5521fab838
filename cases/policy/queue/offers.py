"""Who is free, and who of them is offered the next call or chat (Q2, D1, D2). Pure; all moments UTC."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cases.enums import Availability

#: Q2: what is offered and not taken in this time goes to the next.
OFFERED_FOR = timedelta(seconds=20)
#: Who has waited this long for somebody who speaks their language gets the next free technician. **decision**
LANGUAGE_PATIENCE = timedelta(minutes=3)

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Agent:
    """A technician as the queue sees them.

    `in_business_day`: their centre is open in its local business day, so that it covers. `free_since` is when they
    became free, None if they have not spoken with anybody yet.
    """

    user_id: int
    languages: frozenset[str]
    availability: Availability
    in_business_day: bool = True
    free_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class InLine:
    """Somebody who waits: since when, in which language they are served, and who has let an offer of it pass.

    `passed` holds how often each technician did.
    """

    key: int
    language: str
    since: datetime
    passed: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Match:
    """Who is offered whom, and why in words."""

    key: int
    user_id: int
    why: str


def availability(
    *,
    on_duty: bool,
    has_offer: bool,
    talking: bool,
    ended_at: datetime | None,
    is_ready: bool,
    wrap_up: timedelta,
    now: datetime,
) -> Availability:
    """Whether a technician is free (Q2). `ended_at` is when they last spoke; `is_ready`: they said that they are done.

    Whoever talks stays seen as talking, also when they went off duty meanwhile.
    """
    if talking:
        return Availability.TALKING
    if has_offer:
        return Availability.OFFERED
    if not on_duty:
        return Availability.AWAY
    if ended_at is not None and not is_ready and now < ended_at + wrap_up:
        return Availability.WRAPPING_UP
    return Availability.FREE


def at_work(agents: Iterable[Agent]) -> list[Agent]:
    """Who takes calls: those on duty at a centre in its business day; with nobody there, whoever is on duty (D1)."""
    here = [agent for agent in agents if agent.availability != Availability.AWAY]
    return [agent for agent in here if agent.in_business_day] or here


def next_available(line: Sequence[InLine], agents: Sequence[Agent], now: datetime) -> list[Match]:
    """Everybody who is offered somebody now, in the order of the offers (Q2).

    Within a language it is first come, first served: only the head of each language's line is looked at. Who has not
    let it pass goes first, then who speaks the language, then who has been free the longest; of two heads the one that
    came first. Somebody whose language nobody at work speaks, or who has been patient, is served by anybody.
    """
    crew = at_work(agents)
    free = {agent.user_id: agent for agent in crew if agent.availability == Availability.FREE}
    spoken = {language for agent in crew for language in agent.languages}
    waiting = sorted(line, key=lambda one: (one.since, one.key))
    matches: list[Match] = []
    while free and waiting:
        heads: dict[str, InLine] = {}
        for one in waiting:
            heads.setdefault(one.language, one)
        pairs = ((head, agent) for head in heads.values() for agent in free.values())
        best, agent = min(pairs, key=lambda pair: _order(pair[0], pair[1], spoken, now))
        matches.append(Match(best.key, agent.user_id, _why(best, agent, spoken)))
        del free[agent.user_id]
        waiting.remove(best)
    return matches


def _order(
    one: InLine, agent: Agent, spoken: set[str], now: datetime
) -> tuple[int, bool, datetime, bool, datetime, int, int]:
    speaks = one.language in agent.languages
    for_anybody = one.language not in spoken or now - one.since >= LANGUAGE_PATIENCE
    return (
        one.passed.get(agent.user_id, 0),
        not (speaks or for_anybody),
        one.since,
        not speaks,
        agent.free_since or _NEVER,
        one.key,
        agent.user_id,
    )


def _why(one: InLine, agent: Agent, spoken: set[str]) -> str:
    """“speaks the language, free the longest”, for the board."""
    if one.language in agent.languages:
        first = "speaks the language"
    elif one.language in spoken:
        first = "nobody who speaks the language is free"
    else:
        first = "nobody at work speaks the language"
    day = "" if agent.in_business_day else ", outside their business day"
    again = ", once more: the others are busy" if one.passed.get(agent.user_id) else ""
    return f"{first}{day}, free the longest{again}"
