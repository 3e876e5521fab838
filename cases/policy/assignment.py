"""Who gets a case: at its opening (C6) and when it goes to L3 (E7). Pure: candidates in, a choice and its why out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from contacts.enums import Level

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An active technician as assignment sees them; `load` is open cases weighted 8/4/2/1 by severity."""

    user_id: int
    level: Level
    on_duty: bool
    languages: frozenset[str]
    in_business_day: bool
    load: int
    last_case_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Who it is, and why in words for the history (C5)."""

    user_id: int
    why: str


Wish = tuple[str, Callable[[Candidate], bool]]


def _least_loaded(candidates: Sequence[Candidate]) -> Candidate:
    return min(candidates, key=lambda one: (one.load, one.last_case_at or LONG_AGO, one.user_id))


def _first_fulfilled(candidates: Sequence[Candidate], wishes: Sequence[Wish]) -> Choice | None:
    for why, fulfils in wishes:
        fitting = [candidate for candidate in candidates if fulfils(candidate)]
        if fitting:
            return Choice(_least_loaded(fitting).user_id, f"{why}, least loaded")
    return None


def choose_at_opening(candidates: Sequence[Candidate], language: str) -> Choice | None:
    """The L2 who gets a new case (C6): language yields first, then the business day, then duty. None: nobody at all."""
    l2 = [candidate for candidate in candidates if candidate.level == Level.L2]
    return _first_fulfilled(
        l2,
        [
            (
                "L2 on duty in their business day who speaks the customer's language",
                lambda one: one.on_duty and one.in_business_day and language in one.languages,
            ),
            ("L2 on duty in their business day", lambda one: one.on_duty and one.in_business_day),
            ("L2 on duty outside their business day", lambda one: one.on_duty),
            ("L2 off duty, as none is on duty", lambda one: True),
        ],
    )


def choose_l3(candidates: Sequence[Candidate], language: str) -> Choice | None:
    """The L3 whom ownership goes to (E7): on duty with the language, on duty, any. None: there is no L3 at all."""
    l3 = [candidate for candidate in candidates if candidate.level == Level.L3]
    return _first_fulfilled(
        l3,
        [
            ("L3 on duty who speaks the customer's language", lambda one: one.on_duty and language in one.languages),
            ("L3 on duty", lambda one: one.on_duty),
            ("L3 off duty, as none is on duty", lambda one: True),
        ],
    )


def choose_stand_in(candidates: Sequence[Candidate], language: str) -> Choice | None:
    """Who answers for an owner who is off duty (E8): on duty at a centre in its business day. None: nobody is."""
    return _first_fulfilled(
        candidates,
        [
            (
                "on duty at the covering centre and speaks the customer's language",
                lambda one: one.on_duty and one.in_business_day and language in one.languages,
            ),
            ("on duty at the covering centre", lambda one: one.on_duty and one.in_business_day),
        ],
    )
