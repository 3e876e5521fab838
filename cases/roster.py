"""The active technicians with duty, business day and load, to choose owners and stand-ins from (C6, E7, E8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import TypeVar
from zoneinfo import ZoneInfo

from cases.enums import Severity
from cases.loads import open_loads
from cases.policy.assignment import WEIGHT, Candidate, Choice, choose_at_opening, choose_l3, choose_stand_in
from contacts.calendars import OpeningHours, centres_in_business_day, japanese_support_opens_at
from contacts.compiled import CompiledQuery
from contacts.enums import Language, Level
from contacts.models import ClosureDay, OpeningSpan, SupportCentre, Technician, User
from contacts.wording import and_list

OfCentre = TypeVar("OfCentre", OpeningSpan, ClosureDay)


def language_of_service(language: str, now: datetime, japan_on_holidays: bool = False) -> str:
    """The language somebody is served in at `now`: Japanese only while Japanese support is open, else English (D2)."""
    if language == Language.JAPANESE and japanese_support_opens_at(now, japan_on_holidays) is not None:
        return Language.ENGLISH
    return language


@dataclass(frozen=True)
class Colleague:
    """A technician as somebody sees them who looks for whom to give a case to (C8)."""

    technician: Technician
    candidate: Candidate
    now: datetime

    def __str__(self) -> str:
        """“Priya Nair (L2, Tokyo 21:05, English and Japanese, load 6)”."""
        centre = self.technician.centre
        there = f"{self.now.astimezone(ZoneInfo(centre.time_zone)):%H:%M}"
        labels = dict(Language.choices)
        languages = and_list(labels.get(one, one) for one in self.technician.languages) or "no language on file"
        return (
            f"{self.technician.user} ({self.technician.level}, {centre.name} {there}, {languages}, "
            f"load {self.candidate.load})"
        )

    @property
    def availability(self) -> str:
        """Under which heading they stand."""
        if not self.candidate.on_duty:
            return "Away"
        return "On duty, in their business day" if self.candidate.in_business_day else "On duty, outside their day"

    def rank(self, language: str) -> tuple[bool, bool, bool, int, str]:
        """What they are sorted by."""
        one = self.candidate
        away = not one.on_duty
        return away, away or not one.in_business_day, language not in one.languages, one.load, str(self.technician.user)


_everybody = CompiledQuery(lambda: Technician.objects.select_related("user", "centre").order_by("user_id"))
_centres = CompiledQuery(lambda: SupportCentre.objects.order_by())
_spans = CompiledQuery(lambda: OpeningSpan.objects.order_by("weekday", "opens"))
_closure_days = CompiledQuery(lambda: ClosureDay.objects.order_by("day"))


class Roster:
    """Every technician who can sign in (D9) with their load, read once for a batch.

    A case given to somebody counts at once.
    """

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._hours: dict[int, OpeningHours] = {}  # read when first needed
        self._holiday_work: list[bool] = []  # whether Japan works on holidays, once that was read
        self._changed: list[Candidate] = []  # whose load changed, also by these people at another moment
        self._present: tuple[int, list[Candidate]] = (-1, [])  # as after so many changes
        everybody = _everybody()
        self._every_l3 = {technician.user_id for technician in everybody if technician.level == Level.L3}
        self._l3 = self._every_l3 & {technician.user_id for technician in everybody if technician.user.is_active}
        self._technicians = technicians = [technician for technician in everybody if technician.user.can_sign_in]
        self.users: dict[int, User] = {technician.user_id: technician.user for technician in technicians}
        loads = open_loads(self.users)
        self._centre_of = {technician.user_id: technician.centre_id for technician in technicians}
        self._candidates = {
            technician.user_id: Candidate(
                user_id=technician.user_id,
                level=Level(technician.level),
                on_duty=technician.on_duty,
                languages=frozenset(technician.languages),
                in_business_day=False,
                load=loads[technician.user_id],
                last_case_at=technician.last_case_at,
            )
            for technician in technicians
        }

    def at_opening(self, severity: Severity, language: str) -> Choice | None:
        """Choose the L2 for a new case and add it to their load (C6); None when there is no L2 at all."""
        choice = choose_at_opening(self._with_business_day(), self._served_in(language))
        return self._given(choice, severity, new=True)

    def to_l3(self, severity: Severity, language: str) -> Choice | None:
        """Choose the L3 for an escalated case and add it to their load (E7); None when there is no L3 at all."""
        choice = choose_l3(list(self._candidates.values()), self._served_in(language))
        return self._given(choice, severity, new=False)

    def successor(self, owner_id: int | None, severity: Severity, language: str) -> Choice | None:
        """Choose who gets a case that its owner gives away: as for a new one, or if they are L3, an L3 (C8, D9)."""
        others = [person for person in self._with_business_day() if person.user_id != owner_id]
        choose = choose_l3 if owner_id in self._every_l3 else choose_at_opening
        return self._given(choose(others, self._served_in(language)), severity, new=False)

    def covering(
        self, centre_id: int | None, owner_id: int, severity: Severity, language: str, *, l3: bool
    ) -> Choice | None:
        """Choose who on duty at that centre (None: at any) takes a case that is handed over (W3); None if nobody can.

        As for a new case, or with `l3` an L3 (E7).
        """
        there = [
            person
            for person in self._with_business_day()
            if person.on_duty and person.user_id != owner_id and centre_id in (None, self._centre_of[person.user_id])
        ]
        choose = choose_l3 if l3 else choose_at_opening
        return self._given(choose(there, self._served_in(language)), severity, new=False)

    def was_l3(self, user_id: int | None) -> bool:
        """Whether this person is an L3, active or not."""
        return user_id in self._every_l3

    def stand_in(self, language: str, besides: int) -> Choice | None:
        """Who answers for `besides`, an owner who is off duty (E8); None when nobody is on duty."""
        others = [candidate for candidate in self._with_business_day() if candidate.user_id != besides]
        return choose_stand_in(others, self._served_in(language))

    def _served_in(self, language: str) -> str:
        japanese = language == Language.JAPANESE
        return language_of_service(language, self.now, japanese and self._japan_on_holidays())

    def _japan_on_holidays(self) -> bool:
        """Read once, also for the same people at other moments."""
        if not self._holiday_work:
            self._holiday_work.append(SupportCentre.objects.japan_works_on_holidays())
        return self._holiday_work[0]

    def _with_business_day(self) -> list[Candidate]:
        """Made once until a load changes: a page or a batch asks for as many owners as are off duty."""
        changes = len(self._changed)
        if self._present[0] != changes:
            there = self._centres_in_business_day
            present = [
                replace(candidate, in_business_day=True) if self._centre_of[candidate.user_id] in there else candidate
                for candidate in self._candidates.values()
            ]
            self._present = (changes, present)
        return self._present[1]

    @cached_property
    def _centres_in_business_day(self) -> set[int]:
        if not self._hours:
            self._hours.update(opening_hours_of_centres())
        return set(centres_in_business_day(self._hours, self.now))

    def at(self, moment: datetime) -> Roster:
        """The same people and loads at another moment, for the forecast; reads nothing again."""
        other = copy(self)
        other.now, other._present = moment, (-1, [])
        other.__dict__.pop("_centres_in_business_day", None)
        return other

    def colleagues(self, language: str) -> list[Colleague]:
        """Everybody, the best first: on duty in their business day, who speaks the language, least loaded (C8)."""
        served_in = self._served_in(language)
        technicians = {technician.user_id: technician for technician in self._technicians}
        people = [Colleague(technicians[one.user_id], one, self.now) for one in self._with_business_day()]
        return sorted(people, key=lambda one: one.rank(served_in))

    def relieve(self, user_id: int | None, severity: Severity) -> None:
        """Take a reassigned case off the load of its former owner."""
        former = self._candidates.get(user_id) if user_id is not None else None
        if former is not None:
            self._change(replace(former, load=former.load - WEIGHT[severity]))

    def is_l3(self, user_id: int | None) -> bool:
        """Whether this person is an active L3: such an owner keeps the case (E7)."""
        return user_id in self._l3

    def _given(self, choice: Choice | None, severity: Severity, new: bool) -> Choice | None:
        if choice is not None:
            chosen = self._candidates[choice.user_id]
            last_case_at = self.now if new else chosen.last_case_at
            self._change(replace(chosen, load=chosen.load + WEIGHT[severity], last_case_at=last_case_at))
        return choice

    def _change(self, candidate: Candidate) -> None:
        self._candidates[candidate.user_id] = candidate
        self._changed.append(candidate)


def opening_hours_of_centres() -> dict[int, OpeningHours]:
    """When each centre is open (D1); three queries."""
    spans, closure_days = _by_centre(_spans()), _by_centre(_closure_days())
    return {centre.pk: centre.opening_hours_with(spans[centre.pk], closure_days[centre.pk]) for centre in _centres()}


def _by_centre(rows: Iterable[OfCentre]) -> dict[int, list[OfCentre]]:
    """The rows of each centre, in their order; none for a centre without any."""
    found: dict[int, list[OfCentre]] = defaultdict(list)
    for row in rows:
        found[row.centre_id].append(row)
    return found
