"""What an import would write, without writing: `--dry-run`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TypeVar

from cases.enums import Severity, Status
from cases.incidents.importing import (
    BATCH,
    ImportOptions,
    callers_of,
    check,
    company_name,
    homes_of_callers,
    not_known,
    staff_of,
)
from cases.incidents.log import Incident, Log
from cases.incidents.report import LISTED, listed
from contacts.models import Company, Contact, User

V = TypeVar("V")


def preview_lines(log: Log, options: ImportOptions, limit: int = LISTED) -> Iterator[str]:
    """What would be imported: moments, cases by state and severity, people. Raises Refused as the import does."""
    check(log, options)
    incidents = log.whole
    fresh = [one for batch in _batches(incidents) for one in not_known(batch)]
    yield "Nothing is written (--dry-run)."
    if log.incidents and log.ended_at:
        yield f"The log goes from {_shown(min(one.opened_at for one in log.incidents))} to {_shown(log.ended_at)}."
    known = len(incidents) - len(fresh)
    yield f"{len(incidents)} incidents: {len(fresh)} would become cases, {known} are known already."
    statuses = Counter(one.states[-1].status for one in fresh)
    severities = Counter(one.states[-1].severity for one in fresh)
    yield "Cases by state: " + ", ".join(f"{statuses[status]} {status.label}" for status in Status) + "."
    yield "Cases by severity: " + ", ".join(f"{severities[severity]} {severity.label}" for severity in Severity) + "."
    yield from _people_lines(fresh, homes_of_callers(incidents), limit)


def _people_lines(fresh: Iterable[Incident], homes: dict[str, str], limit: int) -> Iterator[str]:
    callers = callers_of(fresh, homes)
    usernames = set(staff_of(fresh).values())
    for addresses in _batches(list(callers)):
        for known in Contact.objects.filter(email__in=addresses).values_list("email", flat=True):
            callers.pop(known, None)
    for names in _batches(list(usernames)):
        usernames -= set(User.objects.filter(username__in=names).values_list("username", flat=True))
    companies = {company_name(home) for _, home in callers.values()}
    for names in _batches(list(companies)):
        companies -= set(Company.objects.filter(name__in=names).values_list("name", flat=True))
    yield f"New people: {len(companies)} companies, {len(callers)} contacts, {len(usernames)} technicians."
    if companies:
        yield "New companies:"
        yield from listed(len(companies), sorted(companies), limit)


def _batches(all_of_them: list[V]) -> Iterator[list[V]]:
    for start in range(0, len(all_of_them), BATCH):
        yield all_of_them[start : start + BATCH]


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
