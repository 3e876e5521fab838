"""Chooses who gets a case at its opening (C6), at L3 (E7), and who answers for an owner off duty (E8). Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from contacts.enums import Level

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


#: Why somebody is chosen, and who fits.
Preference = tuple[str, Callable[[Candidate], bool]]


def _is_at_work(person: Candidate) -> bool:
    return person.on_duty and person.in_business_day


def _least_loaded(candidates: Sequence[Candidate]) -> Candidate:
    return min(candidates, key=lambda person: (person.load, person.last_case_at or LONG_AGO, person.user_id))


def _choose_by(candidates: Sequence[Candidate], preferences: Sequence[Preference]) -> Choice | None:
    """The least loaded candidate of the first preference that anybody fits."""
    for why, fits in preferences:
        fitting = [candidate for candidate in candidates if fits(candidate)]
        if fitting:
            return Choice(_least_loaded(fitting).user_id, f"{why}, least loaded")
    return None


def choose_at_opening(candidates: Sequence[Candidate], language: str) -> Choice | None:
    """The L2 who gets a new case (C6): language yields first, then the business day, then duty. None without any L2."""
    l2 = [candidate for candidate in candidates if candidate.level == Level.L2]
    return _choose_by(
        l2,
        [
            (
                "L2 on duty in their business day who speaks the customer's language",
                lambda person: _is_at_work(person) and language in person.languages,
            ),
            ("L2 on duty in their business day", _is_at_work),
            ("L2 on duty outside their business day", lambda person: person.on_duty),
            ("L2 off duty, as none is on duty", lambda person: True),
        ],
    )


def choose_l3(candidates: Sequence[Candidate], language: str) -> Choice | None:
    """The L3 who becomes the owner (E7): on duty with the language, on duty, any. None without any L3."""
    l3 = [candidate for candidate in candidates if candidate.level == Level.L3]
    return _choose_by(
        l3,
        [
            (
                "L3 on duty who speaks the customer's language",
                lambda person: person.on_duty and language in person.languages,
            ),
            ("L3 on duty", lambda person: person.on_duty),
            ("L3 off duty, as none is on duty", lambda person: True),
        ],
    )


def choose_stand_in(candidates: Sequence[Candidate], language: str) -> Choice | None:
    """Who answers for an owner off duty (E8): somebody on duty at a centre in its business day; None if nobody is."""
    return _choose_by(
        candidates,
        [
            (
                "on duty at the covering centre and speaks the customer's language",
                lambda person: _is_at_work(person) and language in person.languages,
            ),
            ("on duty at the covering centre", _is_at_work),
        ],
    )
