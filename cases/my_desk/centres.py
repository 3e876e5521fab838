"""The centres as they are now: in their business day or not, who is on duty with how much, languages not covered (D1,
D2). Six queries, whatever the number of cases: what somebody owns is counted no further than is worth knowing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import IntegerField, OuterRef, Subquery
from django.urls import reverse

from cases.enums import Severity, Status
from cases.models import Case
from cases.policy.assignment import WEIGHT
from cases.roster import language_of_service
from contacts.enums import Language
from contacts.models import Company, Contact, SupportCentre, Technician

#: Open cases of one severity of one technician are counted up to here.
COUNTED = 50


class CappedCount(Subquery):
    """How many rows a sliced subquery has."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS capped)"
    output_field = IntegerField()


@dataclass(frozen=True)
class OnDuty:
    """A technician on duty with their open cases, weighted 8/4/2/1 by severity (C6)."""

    name: str
    user_id: int
    level: str
    load: int
    is_capped: bool

    @property
    def cases_url(self) -> str:
        """The list of their open cases, for whoever reads every case, as those do who see the centres."""
        return f"{reverse('admin:cases_case_changelist')}?queue=open&owner__id__exact={self.user_id}"

    @property
    def load_text(self) -> str:
        """“14”, or “100+” where counting stopped."""
        return f"{self.load}{'+' if self.is_capped else ''}"


@dataclass
class CentreNow:
    """One centre at a moment."""

    name: str
    local_time: str
    is_open: bool
    on_duty: list[OnDuty] = field(default_factory=list)

    @property
    def load(self) -> str:
        """What everybody on duty has together."""
        capped = any(one.is_capped for one in self.on_duty)
        return f"{sum(one.load for one in self.on_duty)}{'+' if capped else ''}"


@dataclass(frozen=True)
class CentresNow:
    """All centres, those in their business day first, and the languages of customers that nobody on duty speaks."""

    centres: list[CentreNow]
    uncovered: list[str]


def centres_now(now: datetime) -> CentresNow:
    """The centres at `now` (UTC)."""
    centres = list(SupportCentre.objects.prefetch_related("spans", "closure_days"))
    found = {centre.pk: _centre(centre, now) for centre in centres}
    spoken: set[str] = set()
    for technician in _on_duty():
        centre = found[technician.centre_id]
        centre.on_duty.append(_with_load(technician))
        if centre.is_open:
            spoken |= set(technician.languages)
    in_order = sorted(found.values(), key=lambda centre: (not centre.is_open, centre.name))
    works_on_holidays = any(centre.country == "JP" and centre.open_on_holidays for centre in centres)  # D2
    return CentresNow(in_order, _uncovered(spoken, works_on_holidays, now))


def _centre(centre: SupportCentre, now: datetime) -> CentreNow:
    local_time = f"{now.astimezone(ZoneInfo(centre.time_zone)):%H:%M}"
    return CentreNow(centre.name, local_time, centre.opening_hours().in_business_day(now))


def _on_duty() -> list[Technician]:
    """Everybody on duty who can sign in (D9), with how many open cases of each severity they own."""
    open_cases = Case.objects.filter(owner=OuterRef("user")).exclude(status=Status.RESOLVED).order_by()
    counts = {
        f"of_{severity.value}": CappedCount(open_cases.filter(severity=severity).values("pk")[:COUNTED])
        for severity in Severity
    }
    rows = Technician.objects.at_work().filter(on_duty=True).select_related("user").annotate(**counts)
    return list(rows.order_by("user__first_name", "user__last_name", "user__username"))


def _with_load(technician: Technician) -> OnDuty:
    counts = {severity: getattr(technician, f"of_{severity.value}") for severity in Severity}
    load = sum(WEIGHT[severity] * count for severity, count in counts.items())
    return OnDuty(
        str(technician.user),
        technician.user_id,
        technician.level,
        load,
        any(count >= COUNTED for count in counts.values()),
    )


def _uncovered(spoken: set[str], japan_on_holidays: bool, now: datetime) -> list[str]:
    """The languages that customers are served in now and that nobody on duty speaks (D2)."""
    companies = Company.objects.filter(active=True).order_by().values_list("language", flat=True)
    contacts = Contact.objects.filter(active=True).exclude(language="").order_by().values_list("language", flat=True)
    languages = {*companies.distinct(), *contacts.distinct()}
    served = {language_of_service(language, now, japan_on_holidays) for language in languages}
    return [Language(language).label for language in sorted(served - spoken)]
