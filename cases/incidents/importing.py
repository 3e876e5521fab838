"""Import another system's incident log as new cases with their history (the exception of C5).

The history is written as the log has it, with the log's times, also where C4 has no such transition. An incident whose
number is known (`external_reference`) is skipped and each batch is one transaction, so an import can be repeated, and
one that was killed is completed by running it again. Afterwards the sweeps work an imported case like any other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import DataError, IntegrityError, transaction
from django.utils.text import slugify
from simple_history.utils import bulk_create_with_history

from cases.engine.history import write_history
from cases.enums import Move, Resolution, Status, WaitPlan, WaitReason
from cases.guards import Refused
from cases.incidents.log import BadRow, Incident, Log, State
from cases.incidents.words import shortened
from cases.models import Case
from cases.models.case import seconds_between
from cases.search import index
from contacts.calendars import calendar_problem
from contacts.enums import Language, Level, Role
from contacts.models import Company, Contact, OpeningSpan, SupportCentre, Technician, User

#: Incidents per transaction.
BATCH = 500
CENTRE = "Imported"
#: How a case ends that was called off: nobody confirmed anything.
CANCELLED = {"resolution": Resolution.NOT_PURSUED, "solution": "Cancelled in the system it was imported from."}
#: Where the made-up addresses are; example.com belongs to nobody (RFC 2606).
CUSTOMERS = "customers.example.com"
STAFF = "staff.example.com"


@dataclass(frozen=True)
class ImportOptions:
    """What the log does not say itself."""

    now: datetime  # when the sweeps first check every open case
    shift: timedelta = timedelta(0)  # added to every moment of the log
    country: str = "US"
    subdivision: str = ""
    time_zone: str = "America/New_York"
    centre: str = ""  # "": the first there is, or a new one
    l3: frozenset[str] = frozenset()  # technicians who are L3; the others are L2


@dataclass
class Imported:
    """What an import did."""

    incidents: int = 0
    cases: int = 0
    known: int = 0
    companies: int = 0
    contacts: int = 0
    technicians: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)

    def add(self, other: Imported) -> None:
        self.cases += other.cases
        self.known += other.known
        self.companies += other.companies
        self.contacts += other.contacts
        self.technicians += other.technicians


def import_log(log: Log, options: ImportOptions, on_progress: Callable[[int], object] = lambda done: None) -> Imported:
    """Write every new incident that is whole; `on_progress` gets the size of each batch that is done.

    An incident of which a row was not understood is held back, and one that the database refuses is reported among
    the bad rows (S2). Raises Refused when the options cannot be met or the file ends in the middle of a line; then
    nothing was written.
    """
    check(log, options)
    incidents = log.whole
    report = Imported(incidents=len(incidents), bad_rows=list(log.bad_rows))
    if not incidents:
        return report
    centre = _centre(options)
    homes = homes_of_callers(incidents)
    for start in range(0, len(incidents), BATCH):
        batch = incidents[start : start + BATCH]
        _write_batch(batch, homes, centre, options, report)
        on_progress(len(batch))
    return report


def homes_of_callers(incidents: Iterable[Incident]) -> dict[str, str]:
    """The company of each caller: the location of their first incident, as far as one is known.

    `incidents` come in the order of their opening.
    """
    homes: dict[str, str] = {}
    for incident in incidents:
        if not homes.get(incident.caller):
            homes[incident.caller] = incident.location
    return homes


def check(log: Log, options: ImportOptions) -> None:
    """Raises Refused for a log that is not all there and for options that cannot be met."""
    if log.cut_off_at:
        raise Refused(
            f"The file ends in the middle of line {log.cut_off_at}, so rows are missing; copy it again, or delete that "
            "line if it belongs to no incident."
        )
    problem = calendar_problem(options.country, options.subdivision, options.time_zone)
    if problem:
        raise Refused(problem)
    strangers = sorted(options.l3 - {state.assigned_to for one in log.incidents for state in one.states})
    if strangers:
        raise Refused(f"No incident of the log was assigned to {', '.join(strangers)}; correct the names of the L3.")
    if options.centre and not SupportCentre.objects.filter(name=options.centre).exists():
        there_are = ", ".join(SupportCentre.objects.values_list("name", flat=True)) or "none yet"
        raise Refused(f"There is no support centre “{options.centre}”; there are: {there_are}.")


def _centre(options: ImportOptions) -> SupportCentre:
    """The centre of new technicians: the one asked for, the first there is, or a new one that never closes."""
    if options.centre:
        return SupportCentre.objects.get(name=options.centre)
    first = SupportCentre.objects.order_by("pk").first()
    if first is not None:
        return first
    with transaction.atomic():
        centre, is_new = SupportCentre.objects.get_or_create(
            name=CENTRE,
            defaults={"country": options.country, "time_zone": options.time_zone, "open_on_holidays": True},
        )
        if is_new:
            OpeningSpan.objects.bulk_create(
                OpeningSpan(centre=centre, weekday=day, opens=time(0), closes=time(0))
                for day, _ in OpeningSpan.WEEKDAYS
            )
    return centre


# --- batches ----------------------------------------------------------------------------------------------------


def _write_batch(
    batch: Sequence[Incident], homes: dict[str, str], centre: SupportCentre, options: ImportOptions, report: Imported
) -> None:
    try:
        report.add(_write(batch, homes, centre, options))
    except (DataError, IntegrityError) as error:
        if len(batch) == 1:
            said = str(error).splitlines()[0]
            report.bad_rows.append(BadRow(batch[0].line, f"{batch[0].number} could not be written: {said}"))
            return
        for incident in batch:
            _write_batch([incident], homes, centre, options, report)


def _write(batch: Sequence[Incident], homes: dict[str, str], centre: SupportCentre, options: ImportOptions) -> Imported:
    """Write a batch, all of it or nothing."""
    done = Imported()
    with transaction.atomic():
        # Two imports at once take turns here, so neither adds what the other has just added.
        SupportCentre.objects.select_for_update(no_key=True).get(pk=centre.pk)
        fresh = not_known(batch)
        done.known = len(batch) - len(fresh)
        if fresh:
            contacts = _contacts(fresh, homes, options, done)
            technicians = _technicians(fresh, centre, options, done)
            _write_cases(fresh, homes, contacts, technicians, options)
            done.cases = len(fresh)
    return done


def not_known(batch: Sequence[Incident]) -> list[Incident]:
    """The incidents that were not imported before, in whatever spelling of their number."""
    spellings = {spelled for one in batch for spelled in (one.number, one.number.upper(), one.number.lower())}
    there = Case.objects.filter(external_reference__in=spellings).order_by()
    known = {(number or "").casefold() for number in there.values_list("external_reference", flat=True)}
    return [one for one in batch if one.number.casefold() not in known]


# --- people -----------------------------------------------------------------------------------------------------


def address_part(name: str) -> str:
    """The part of an address or username for a name; different names get different parts."""
    slug = slugify(name)[:40].strip("-_")
    if slug.replace("-", " ").capitalize() == name:
        return slug
    return f"{slug}-{hashlib.sha256(name.encode()).hexdigest()[:10]}".lstrip("-")


def company_name(location: str) -> str:
    return location or "Unknown location"


def _caller(incident: Incident, homes: dict[str, str]) -> tuple[str, str]:
    """The caller's name and location; unknown callers are one person per location."""
    if incident.caller:
        return incident.caller, homes[incident.caller]
    return f"Unknown caller of {company_name(incident.location).lower()}", incident.location


def _customer_address(name: str) -> str:
    return f"{address_part(name)}@{CUSTOMERS}"


def callers_of(incidents: Iterable[Incident], homes: dict[str, str]) -> dict[str, tuple[str, str]]:
    """The name and location of each caller, by the address they get."""
    return {_customer_address(name): (name, home) for name, home in (_caller(one, homes) for one in incidents)}


def staff_of(incidents: Iterable[Incident]) -> dict[str, str]:
    """The username that each member of staff gets, by their name in the log."""
    names = {state.assigned_to for one in incidents for state in one.states} - {""}
    return {name: address_part(name) for name in names}


def _companies(names: set[str], options: ImportOptions, done: Imported) -> dict[str, int]:
    """The key of each company; new ones are added."""
    ids = dict(Company.objects.filter(name__in=names).order_by().values_list("name", "pk"))
    rows = [
        Company(name=name, country=options.country, subdivision=options.subdivision, time_zone=options.time_zone)
        for name in sorted(names - ids.keys())
    ]
    done.companies = len(rows)
    return ids | {row.name: row.pk for row in _added(Company, rows, options)}


def _contacts(
    incidents: Sequence[Incident], homes: dict[str, str], options: ImportOptions, done: Imported
) -> dict[str, tuple[int, int]]:
    """(key, company's key) of each caller by address; new ones are added as help desks (D3)."""
    callers = callers_of(incidents, homes)
    there = {
        address: (pk, company)
        for address, pk, company in Contact.objects.filter(email__in=callers)
        .order_by("-pk")
        .values_list("email", "pk", "company")
    }
    lacking = {address: caller for address, caller in callers.items() if address not in there}
    companies = _companies({company_name(home) for _, home in lacking.values()}, options, done)
    rows = [
        Contact(company_id=companies[company_name(home)], name=name, email=address, is_help_desk=True)
        for address, (name, home) in sorted(lacking.items())
    ]
    done.contacts = len(rows)
    return there | {row.email: (row.pk, row.company_id) for row in _added(Contact, rows, options)}


def _technicians(
    incidents: Sequence[Incident], centre: SupportCentre, options: ImportOptions, done: Imported
) -> dict[str, int | None]:
    """The key of each member of staff by their name in the log; new ones are added as technicians without password."""
    usernames = staff_of(incidents)
    ids = dict(User.objects.filter(username__in=usernames.values()).order_by().values_list("username", "pk"))
    users = User.objects.bulk_create(_user(name, options) for name in sorted(usernames) if usernames[name] not in ids)
    l3 = {address_part(name) for name in options.l3}
    rows = [
        Technician(
            user=user,
            centre=centre,
            level=Level.L3 if user.username in l3 else Level.L2,
            languages=[Language.ENGLISH.value],
        )
        for user in users
    ]
    _added(Technician, rows, options)
    done.technicians = len(rows)
    ids |= {user.username: user.pk for user in users}
    return {"": None, **{name: ids[username] for name, username in usernames.items()}}


def _user(name: str, options: ImportOptions) -> User:
    first, _, last = name.rpartition(" ")
    username = address_part(name)
    return User(
        username=username,
        email=f"{username}@{STAFF}",
        first_name=first,
        last_name=last,
        role=Role.TECHNICIAN,
        time_zone=options.time_zone,
        is_staff=True,
        password=make_password(None),
        date_joined=options.now,
    )


def _added(model: type[Any], rows: list[Any], options: ImportOptions) -> list[Any]:
    """Insert new people with their history rows (C5)."""
    if not rows:
        return []
    reason = "Imported from an incident log."
    added: list[Any] = bulk_create_with_history(
        rows, model, batch_size=BATCH, default_date=options.now, default_change_reason=reason
    )
    return added


# --- cases and their past ---------------------------------------------------------------------------------------


def _write_cases(
    incidents: Sequence[Incident],
    homes: dict[str, str],
    contacts: dict[str, tuple[int, int]],
    technicians: dict[str, int | None],
    options: ImportOptions,
) -> None:
    """Insert the cases in their last state, and a history row for each of their states (C5, E3)."""
    lives: list[list[dict[str, Any]]] = []
    cases: list[Case] = []
    for incident in incidents:
        name, _ = _caller(incident, homes)
        contact, company = contacts[_customer_address(name)]
        opening = _opening_fields(incident, contact, company, options)
        life = [opening | state for state in _state_fields(incident, technicians, options.shift)]
        if incident.was_cancelled:
            life[-1] |= CANCELLED
        lives.append(life)
        cases.append(Case(**life[-1], **_check_moments(life[-1]["status"], options.now)))
    Case.objects.bulk_create(cases, batch_size=BATCH)
    past = list(zip(incidents, cases, lives, strict=True))
    write_history(_past(past, slice(0, 1)), kind="+")
    write_history(_past(past, slice(1, None)))
    index.index_cases([case.pk for case in cases])


def _opening_fields(incident: Incident, contact: int, company: int, options: ImportOptions) -> dict[str, Any]:
    """The fields of a case that never change."""
    return {
        "company_id": company,
        "contact_id": contact,
        "title": shortened(incident.title),
        "external_reference": incident.number,
        "opened_at": incident.opened_at + options.shift,
        "opened_by_channel": incident.channel,
    }


def _state_fields(incident: Incident, technicians: dict[str, int | None], shift: timedelta) -> Iterator[dict[str, Any]]:
    """The other fields of a case, after each change."""
    before: State | None = None
    since: datetime | None = None  # when the present status began
    waited = reopenings = 0
    for state in incident.states:
        at = state.at + shift
        if before is None or state.status is not before.status:
            if before is not None and since is not None:
                waited += seconds_between(since, at) if before.status is Status.WAITING else 0
                reopenings += before.status is Status.RESOLVED
            since = at
        fields: dict[str, Any] = {
            "severity": state.severity,
            "status": state.status,
            "owner_id": technicians[state.assigned_to],
            "wait_episode": state.episode,
            "last_move": move_between(before, state),
            "changed_at": at,
            "waited_seconds": waited,
            "reopenings": reopenings,
        }
        if state.episode:
            # The log knows no more of a wait than that the user's information is awaited; F2's plan follows it up.
            fields |= {"wait_reason": WaitReason.INFORMATION, "wait_plan": WaitPlan.PENDING_CLIENT_ACTION}
        if state.status is Status.WAITING:
            fields["waiting_since"] = since
        if state.status is Status.RESOLVED:
            fields |= {
                "resolved_at": since,
                "resolution": Resolution.CONFIRMED,
                "solution": "Solved in the system it was imported from.",
            }
        yield fields
        before = state


def move_between(before: State | None, after: State) -> Move:
    """The move between two states of the log, also where C4 has no such transition."""
    if before is None:
        return Move.IMPORTED
    if after.status is before.status:
        return Move.SEVERITY if after.severity is not before.severity else Move.REASSIGNED
    if after.status is Status.WAITING:
        return Move.ASKED
    if after.status is Status.RESOLVED:
        return Move.RESOLVED
    if before.status is Status.RESOLVED:
        return Move.REOPENED
    if before.status is Status.WAITING:
        return Move.RESPONDED
    return Move.STARTED if after.status is Status.IN_PROGRESS else Move.REASSIGNED


def _check_moments(status: Status, now: datetime) -> dict[str, datetime]:
    """When the sweeps check the case first: at once while it is open.

    SLA targets count from the import on, also for a case that is reopened later (T2).
    """
    if status is Status.RESOLVED:
        return {"sla_counts_from": now}
    looks = dict.fromkeys(("escalation_check_at", "sla_check_at", "sla_due_at", "next_due_at", "sla_counts_from"), now)
    return looks | {"follow_up_check_at": now} if status is Status.WAITING else looks


def _past(
    past: Sequence[tuple[Incident, Case, list[dict[str, Any]]]], which: slice
) -> Iterator[tuple[Case, datetime, str]]:
    """The changes of each case in `which`, for `write_history`."""
    for incident, case, life in past:
        for fields, state in zip(life[which], incident.states[which], strict=True):
            values = f"{state.status.label}, {state.severity.label}, {state.assigned_to or 'assigned to nobody known'}"
            yield Case(pk=case.pk, **fields), fields["changed_at"], f"The log of {incident.number} says: {values}."
