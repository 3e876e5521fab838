"""The active technicians with duty, business day and load, to choose owners and stand-ins from (C6, E7, E8)."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from datetime import datetime
from functools import cached_property

from django.db.models import Count

from cases.enums import Severity
from cases.models import Case
from cases.policy.assignment import WEIGHT, Candidate, Choice, choose_at_opening, choose_l3, choose_stand_in
from contacts.calendars import OpeningHours, centres_in_business_day, japanese_support_opens_at
from contacts.enums import Language, Level
from contacts.models import SupportCentre, Technician, User


def language_of_service(language: str, now: datetime, japan_on_holidays: bool = False) -> str:
    """The language somebody is served in at `now`: Japanese only while Japanese support is open, else English (D2)."""
    if language == Language.JAPANESE and japanese_support_opens_at(now, japan_on_holidays) is not None:
        return Language.ENGLISH
    return language


class Roster:
    """Every technician who can sign in (D9) with their load, read once for a batch.

    A case given to somebody counts at once.
    """

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._hours: dict[int, OpeningHours] = {}  # read when first needed
        self._holiday_work: list[bool] = []  # whether Japan works on holidays, once that was read
        active = Technician.objects.filter(user__is_active=True).select_related("user").order_by("user_id")
        self._l3 = {technician.user_id for technician in active if technician.level == Level.L3}
        technicians = [technician for technician in active if technician.user.can_sign_in]
        self.users: dict[int, User] = {technician.user_id: technician.user for technician in technicians}
        loads = open_loads(list(self.users))
        self._centre_of = {technician.user_id: technician.centre_id for technician in technicians}
        self._candidates = {
            technician.user_id: Candidate(
                user_id=technician.user_id,
                level=Level(technician.level),
                on_duty=technician.on_duty,
                languages=frozenset(technician.languages),
                in_business_day=False,
                load=loads.get(technician.user_id, 0),
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
        return [
            replace(candidate, in_business_day=self._centre_of[candidate.user_id] in self._centres_in_business_day)
            for candidate in self._candidates.values()
        ]

    @cached_property
    def _centres_in_business_day(self) -> set[int]:
        if not self._hours:
            self._hours.update(opening_hours_of_centres())
        return set(centres_in_business_day(self._hours, self.now))

    def at(self, moment: datetime) -> Roster:
        """The same people and loads at another moment, for the forecast; reads nothing again."""
        other = copy(self)
        other.now = moment
        other.__dict__.pop("_centres_in_business_day", None)
        return other

    def leave_out(self, user_id: int) -> None:
        """Choose somebody else from now on."""
        self._candidates.pop(user_id, None)

    def relieve(self, user_id: int | None, severity: Severity) -> None:
        """Take a reassigned case off the load of its former owner."""
        former = self._candidates.get(user_id) if user_id is not None else None
        if former is not None:
            self._candidates[former.user_id] = replace(former, load=former.load - WEIGHT[severity])

    def is_l3(self, user_id: int | None) -> bool:
        """Whether this person is an active L3: such an owner keeps the case (E7)."""
        return user_id in self._l3

    def _given(self, choice: Choice | None, severity: Severity, new: bool) -> Choice | None:
        if choice is not None:
            chosen = self._candidates[choice.user_id]
            self._candidates[choice.user_id] = replace(
                chosen,
                load=chosen.load + WEIGHT[severity],
                last_case_at=self.now if new else chosen.last_case_at,
            )
        return choice


def open_loads(user_ids: list[int]) -> dict[int, int]:
    """Open cases of each owner, weighted 8/4/2/1 by severity (C6); one query."""
    loads: dict[int, int] = {}
    rows = (
        Case.objects.open()
        .filter(owner__in=user_ids)
        .values("owner_id", "severity")
        .order_by()
        .annotate(cases=Count("pk"))
    )
    for row in rows:
        weight = WEIGHT[Severity(row["severity"])] * row["cases"]
        loads[row["owner_id"]] = loads.get(row["owner_id"], 0) + weight
    return loads


def opening_hours_of_centres() -> dict[int, OpeningHours]:
    """When each centre is open (D1); three queries."""
    centres = SupportCentre.objects.prefetch_related("spans", "closure_days")
    return {centre.pk: centre.opening_hours() for centre in centres}
