"""Chooses who gets a case at its opening (C6), at L3 (E7), and who answers for an owner off duty (E8). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from cases.enums import Severity
from contacts.enums import Level

#: What one open case of each severity weighs when the least loaded technician is looked for (C6).
WEIGHT = {Severity.CRITICAL: 8, Severity.HIGH: 4, Severity.MEDIUM: 2, Severity.LOW: 1}

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An active technician; `load` is their open cases weighted 8/4/2/1 by severity."""

    user_id: int
    level: Level
    on_duty: bool
    languages: frozenset[str]
    in_business_day: bool
    load: int
    last_case_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Who it is, and why in words, for the history (C5)."""

    user_id: int
    why: str


#: Preferences in order: why somebody is chosen, and what they have to fulfil.
_Preferences = tuple[tuple[str, frozenset[str]], ...]
_DUTY, _DAY, _LANGUAGE = "on duty", "in the business day", "speaks the language"
_AT_OPENING: _Preferences = (
    ("L2 on duty in their business day who speaks the customer's language", frozenset({_DUTY, _DAY, _LANGUAGE})),
    ("L2 on duty in their business day", frozenset({_DUTY, _DAY})),
    ("L2 on duty outside their business day", frozenset({_DUTY})),
    ("L2 off duty, as none is on duty", frozenset()),
)
_AT_L3: _Preferences = (
    ("L3 on duty who speaks the customer's language", frozenset({_DUTY, _LANGUAGE})),
    ("L3 on duty", frozenset({_DUTY})),
    ("L3 off duty, as none is on duty", frozenset()),
)
_STAND_IN: _Preferences = (
    ("on duty at the covering centre and speaks the customer's language", frozenset({_DUTY, _DAY, _LANGUAGE})),
    ("on duty at the covering centre", frozenset({_DUTY, _DAY})),
)


def choose_at_opening(candidates: Iterable[Candidate], language: str) -> Choice | None:
    """The L2 who gets a new case (C6): language yields first, then the business day, then duty. None without any L2."""
    return _choose((person for person in candidates if person.level == Level.L2), language, _AT_OPENING)


def choose_l3(candidates: Iterable[Candidate], language: str) -> Choice | None:
    """The L3 who becomes the owner (E7): on duty with the language, on duty, any. None without any L3."""
    return _choose((person for person in candidates if person.level == Level.L3), language, _AT_L3)


def choose_stand_in(candidates: Iterable[Candidate], language: str) -> Choice | None:
    """Who answers for an owner off duty (E8): somebody on duty at a centre in its business day; None if nobody is."""
    return _choose(candidates, language, _STAND_IN)


def _choose(candidates: Iterable[Candidate], language: str, preferences: _Preferences) -> Choice | None:
    """The least loaded candidate of the first preference that anybody fulfils."""
    qualities = [(person, _qualities(person, language)) for person in candidates]
    for why, needed in preferences:
        fitting = [person for person, has in qualities if needed <= has]
        if fitting:
            chosen = min(fitting, key=lambda person: (person.load, person.last_case_at or LONG_AGO, person.user_id))
            return Choice(chosen.user_id, f"{why}, least loaded")
    return None


def _qualities(person: Candidate, language: str) -> frozenset[str]:
    has = {_DUTY: person.on_duty, _DAY: person.in_business_day, _LANGUAGE: language in person.languages}
    return frozenset(quality for quality, holds in has.items() if holds)
