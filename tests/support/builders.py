"""Builders for tests: a small desk with everybody on it, and cases made by the real moves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time
from itertools import count
from typing import Any

from django.db import connection

from cases.enums import Channel, Severity
from cases.models import Case
from cases.workflow import opening
from contacts.compiled import KEY, CompiledQuery
from contacts.enums import Level, Role
from contacts.models import Company, Contact, OpeningSpan, RoleHolder, SupportCentre, Technician, User
from escalations.models import ScheduleVersion
from escalations.schedule.versions import load_published_schedule
from tests.support.snapshot import Snapshot

#: A Wednesday, in the business day of London.
NOON = datetime(2026, 6, 3, 12, 0, tzinfo=UTC)
_sequence = count(1)
_help_desks = CompiledQuery(lambda company: Contact.objects.filter(company=company, is_help_desk=True), company=KEY)


def build_user(role: Role | str = "", name: str = "", **fields: Any) -> User:
    """A member of staff who can sign in with the password “secret”."""
    name = name or f"{role or 'user'}{next(_sequence)}"
    fields = {"email": f"{name}@example.com", "is_staff": True, "role": role, "bundle_minutes": 0, **fields}
    user = User(username=name, **fields)
    user.set_password("secret")
    user.save()
    return user


def build_technician(centre: SupportCentre, level: Level = Level.L2, name: str = "", **fields: Any) -> User:
    """A technician, on duty, who speaks English."""
    user = build_user(Role.TECHNICIAN, name)
    Technician.objects.create(user=user, centre=centre, level=level, **{"languages": ["en"], **fields})
    return user


def build_centre(name: str = "London", country: str = "GB", time_zone: str = "Europe/London") -> SupportCentre:
    """A centre that is open 24 hours on every day."""
    centre = SupportCentre.objects.create(name=name, country=country, time_zone=time_zone, open_on_holidays=True)
    OpeningSpan.objects.bulk_create(
        OpeningSpan(centre=centre, weekday=day, opens=time(0), closes=time(0)) for day in range(7)
    )
    return centre


def build_company(name: str = "", **fields: Any) -> Company:
    """A German customer with a help desk contact and a caller who is none."""
    name = name or f"Company {next(_sequence)}"
    company = Company.objects.create(name=name, **{"country": "DE", "time_zone": "Europe/Berlin", **fields})
    slug = name.lower().replace(" ", "-")
    Contact.objects.create(
        company=company, name=f"Help desk of {name}", email=f"desk@{slug}.example.com", is_help_desk=True
    )
    Contact.objects.create(company=company, name=f"End user of {name}", email=f"user@{slug}.example.com")
    return company


@dataclass
class Desk:
    """Everybody a case can meet."""

    centre: SupportCentre
    technician: User
    l3: User
    manager: User
    account_manager: User
    other_account_manager: User
    customer_engineer: User
    csm: User
    director: User
    coo: User
    company: Company
    other_company: Company
    schedule: ScheduleVersion

    @property
    def contact(self) -> Contact:
        """The corporate help desk of the company."""
        return help_desk_of(self.company)

    @property
    def end_user(self) -> Contact:
        """Somebody at the company who is not its help desk (D3)."""
        return self.company.contacts.get(is_help_desk=False)

    def open_case(
        self, now: datetime = NOON, actor: User | None = None, channel: Channel = Channel.PHONE, **fields: Any
    ) -> Case:
        """A case of the company, opened by the real move."""
        company = fields.pop("company", self.company)
        fields = {
            "title": "Nobody can print",
            "severity": Severity.MEDIUM,
            "contact": help_desk_of(company),
            **fields,
        }
        case = Case(company=company, opened_by_channel=channel, **fields)
        return opening.open_case(case, actor or self.technician, now)


def help_desk_of(company: Company) -> Contact:
    """The corporate help desk of a company. Raises ValueError unless it has exactly one."""
    (contact,) = _help_desks(company=company.pk)
    contact.company = company
    return contact


def reload(case: Case) -> Case:
    """The case as the database has it now; `refresh_from_db` would raise, its status is protected."""
    return Case.objects.get(pk=case.pk)


_snapshots: list[Snapshot[Desk]] = []


def remember_desk() -> None:
    """Have `build_desk` put back the rows of a desk that is built now, in an empty database."""
    _snapshots[:] = [Snapshot.of(build_desk_anew)]


def forget_desk() -> None:
    """Have `build_desk` make its rows again, where their keys may be taken."""
    _snapshots.clear()


def build_desk() -> Desk:
    """A desk with one centre, one L2, one L3, every management role held, two companies, E1's schedule."""
    if _snapshots and _is_empty():
        return _snapshots[0].put_back()
    return build_desk_anew()


def _is_empty() -> bool:
    """Whether the tables hold no desk yet; one query."""
    found = [
        f"EXISTS (SELECT 1 FROM {model._meta.db_table})" for model in (User, SupportCentre, Company, ScheduleVersion)
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {' OR '.join(found)}")
        return not cursor.fetchone()[0]


def build_desk_anew() -> Desk:
    """As `build_desk`, by the code that makes each row."""
    centre = build_centre()
    holders = {
        role: build_user(role, role.value) for role in (Role.SUPPORT_MANAGER, Role.CSM, Role.CS_DIRECTOR, Role.COO)
    }
    for role, holder in holders.items():
        RoleHolder.objects.create(role=role, holder=holder)
    account_manager, other = build_user(Role.ACCOUNT_MANAGER, "am"), build_user(Role.ACCOUNT_MANAGER, "other-am")
    engineer = build_user(Role.CUSTOMER_ENGINEER, "engineer")
    return Desk(
        centre=centre,
        technician=build_technician(centre, name="tech"),
        l3=build_technician(centre, Level.L3, name="l3"),
        manager=holders[Role.SUPPORT_MANAGER],
        account_manager=account_manager,
        other_account_manager=other,
        customer_engineer=engineer,
        csm=holders[Role.CSM],
        director=holders[Role.CS_DIRECTOR],
        coo=holders[Role.COO],
        company=build_company("Acme", account_manager=account_manager, customer_engineer=engineer),
        other_company=build_company("Globex", account_manager=other),
        schedule=load_published_schedule(datetime(2020, 1, 1, tzinfo=UTC)),
    )
