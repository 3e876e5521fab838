"""The people of the demonstration: three support centres, staff, management and customers, all of them invented.

Every address is under example.com and every telephone number is one that is kept for fiction or unassigned.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any, TypeVar

from django.contrib.auth.hashers import check_password, make_password
from django.db import models

from contacts.enums import MANAGEMENT_ROLES, Language, Level, MeansOfContact, Role
from contacts.models import Company, Contact, OpeningSpan, RoleHolder, SupportCentre, Technician, User

#: Everybody's password in the demonstration, which no desk in production takes.
PASSWORD = "desk-demo-2026"
STAFF_DOMAIN = "support-desk.example.com"

PHILADELPHIA, BRACKNELL, TOKYO = "Philadelphia", "Bracknell", "Tokyo"

Record = TypeVar("Record", bound=models.Model)


@dataclass(frozen=True)
class CentreSketch:
    """A centre and its hours, the same on all seven days; together they leave no gap in any season (D1)."""

    name: str
    country: str
    subdivision: str
    time_zone: str
    opens: time
    closes: time


CENTRES = (
    CentreSketch(PHILADELPHIA, "US", "PA", "America/New_York", time(8), time(20)),
    CentreSketch(BRACKNELL, "GB", "ENG", "Europe/London", time(7, 30), time(18)),
    CentreSketch(TOKYO, "JP", "", "Asia/Tokyo", time(8), time(17, 30)),
)


@dataclass(frozen=True)
class StaffSketch:
    """A member of staff; they sign in with their first name."""

    first_name: str
    last_name: str
    role: Role
    time_zone: str
    phone: str
    level: Level | None = None
    centre: str = ""
    languages: tuple[Language, ...] = ()
    on_duty: bool = True

    @property
    def username(self) -> str:
        """The first name in small letters, without accents."""
        return _plain(self.first_name)


_EN, _JA, _FR, _DE = Language.ENGLISH, Language.JAPANESE, Language.FRENCH, Language.GERMAN
_ES, _HI = Language.SPANISH, Language.HINDI
_NY, _LONDON, _JST = "America/New_York", "Europe/London", "Asia/Tokyo"


def _technician(
    name: str, level: Level, centre: str, phone: str, *languages: Language, on_duty: bool = True
) -> StaffSketch:
    first, last = name.split(" ", 1)
    zone = next(sketch.time_zone for sketch in CENTRES if sketch.name == centre)
    return StaffSketch(first, last, Role.TECHNICIAN, zone, phone, level, centre, languages, on_duty)


STAFF = (
    _technician("Marcus Bennett", Level.L2, PHILADELPHIA, "+1 215 555 0111", _EN),
    _technician("Elena Ruiz", Level.L2, PHILADELPHIA, "+1 215 555 0112", _EN, _ES),
    _technician("Dana Whitfield", Level.L2, PHILADELPHIA, "+1 215 555 0113", _EN, on_duty=False),
    _technician("Priscilla Okafor", Level.L3, PHILADELPHIA, "+1 215 555 0121", _EN, _ES),
    _technician("Oliver Hartley", Level.L2, BRACKNELL, "+44 1632 960 111", _EN),
    _technician("Camille Rousseau", Level.L2, BRACKNELL, "+44 1632 960 112", _EN, _FR),
    _technician("Jonas Weber", Level.L2, BRACKNELL, "+44 1632 960 113", _EN, _DE),
    _technician("Fiona MacAllister", Level.L3, BRACKNELL, "+44 1632 960 121", _EN, _FR),
    _technician("Stefan Krüger", Level.L3, BRACKNELL, "+44 1632 960 122", _EN, _DE),
    _technician("Haruka Sato", Level.L2, TOKYO, "+81 3 5550 0111", _JA, _EN),
    _technician("Kenji Yamamoto", Level.L2, TOKYO, "+81 3 5550 0112", _JA, _EN),
    _technician("Priya Nair", Level.L2, TOKYO, "+81 3 5550 0113", _EN, _HI),
    _technician("Takumi Watanabe", Level.L3, TOKYO, "+81 3 5550 0121", _JA, _EN),
    StaffSketch("Laura", "Mitchell", Role.ACCOUNT_MANAGER, _NY, "+1 215 555 0131"),
    StaffSketch("Thomas", "Berger", Role.ACCOUNT_MANAGER, "Europe/Berlin", "+49 30 23125 131"),
    StaffSketch("Aiko", "Tanaka", Role.ACCOUNT_MANAGER, _JST, "+81 3 5550 0131"),
    StaffSketch("Ben", "Sorensen", Role.CUSTOMER_ENGINEER, _NY, "+1 215 555 0141"),
    StaffSketch("Ines", "Laurent", Role.CUSTOMER_ENGINEER, "Europe/Paris", "+33 1 99 00 01 41"),
    StaffSketch("Rohan", "Mehta", Role.CUSTOMER_ENGINEER, "Asia/Kolkata", "+91 22 5550 0141"),
    StaffSketch("Ruth", "Castellano", Role.SUPPORT_MANAGER, _NY, "+1 215 555 0151"),
    StaffSketch("Graham", "Whitlock", Role.CSM, _LONDON, "+44 1632 960 152"),
    StaffSketch("Naomi", "Fujimoto", Role.CSM, _JST, "+81 3 5550 0152"),
    StaffSketch("Helen", "Strand", Role.CS_DIRECTOR, _LONDON, "+44 1632 960 153"),
    StaffSketch("Victor", "Almeida", Role.COO, _NY, "+1 215 555 0154"),
)

#: Holders of a role for one centre only (D4): user name and centre.
OWN_HOLDERS = {"naomi": TOKYO}

ADMIN = "admin"

#: The logins that `demo --logins` prints.
LOGINS = (
    ("Technician (L2)", "oliver"),
    ("Technician (L3)", "fiona"),
    ("Account manager", "thomas"),
    ("Customer engineer", "ines"),
    ("Support manager", "ruth"),
    ("Customer service manager", "graham"),
    ("Customer service director", "helen"),
    ("Chief operating officer", "victor"),
    ("Administrator", ADMIN),
)


@dataclass(frozen=True)
class Site:
    """A place of a customer; the names of its machines begin with `code`."""

    name: str
    code: str


@dataclass(frozen=True)
class CompanySketch:
    """A customer: two people at the help desk and one who is not (D3), as (name, phone)."""

    name: str
    country: str
    subdivision: str
    time_zone: str
    language: Language
    account_manager: str
    customer_engineer: str
    sites: tuple[Site, ...]
    by_phone: tuple[str, str]
    by_email: tuple[str, str]
    end_user: tuple[str, str]
    end_user_speaks: str = ""

    @property
    def domain(self) -> str:
        """The domain of its email addresses."""
        return f"{_plain(self.name).replace(' ', '-')}.example.com"


COMPANIES = (
    CompanySketch(
        *("Lakeshore Freight", "US", "IL", "America/Chicago", _EN, "laura", "ben"),
        (Site("Chicago Loop", "CHI"), Site("Joliet yard", "JOL"), Site("Milwaukee depot", "MKE")),
        ("Denise Kowalski", "+1 312 555 0160"),
        ("Andre Simmons", "+1 312 555 0161"),
        ("Carlos Mendoza", "+1 312 555 0162"),
        _ES,
    ),
    CompanySketch(
        *("Harbour Mutual", "GB", "SCT", "Europe/London", _EN, "thomas", "ines"),
        (Site("Edinburgh head office", "EDI"), Site("Glasgow claims centre", "GLA"), Site("Leith archive", "LTH")),
        ("Moira Sinclair", "+44 131 496 0160"),
        ("Callum Reid", "+44 131 496 0161"),
        ("Janet Boyle", "+44 131 496 0162"),
    ),
    CompanySketch(
        *("Rheinwerk Antriebe", "DE", "BY", "Europe/Berlin", _DE, "thomas", "ines"),
        (Site("Augsburg plant", "AUG"), Site("Munich office", "MUC"), Site("Landshut warehouse", "LND")),
        ("Matthias Vogel", "+49 30 23125 160"),
        ("Sabine Hofmann", "+49 30 23125 161"),
        ("Lukas Brandl", "+49 30 23125 162"),
    ),
    CompanySketch(
        *("Maison Delorme", "FR", "Zone A", "Europe/Paris", _FR, "thomas", "ines"),
        (Site("Lyon headquarters", "LYO"), Site("Paris boutique", "PAR"), Site("Grasse laboratory", "GRA")),
        ("Nathalie Girard", "+33 1 99 00 01 60"),
        ("Antoine Lefebvre", "+33 1 99 00 01 61"),
        ("Chloé Marchand", "+33 1 99 00 01 62"),
    ),
    CompanySketch(
        *("Aozora Logistics", "JP", "", "Asia/Tokyo", _JA, "aiko", "rohan"),
        (Site("Yokohama terminal", "YOK"), Site("Osaka hub", "OSA"), Site("Shinagawa office", "SHI")),
        ("Yuki Nakamura", "+81 3 5550 0160"),
        ("Daisuke Mori", "+81 3 5550 0161"),
        ("Mai Kobayashi", "+81 3 5550 0162"),
    ),
    CompanySketch(
        *("Sahyadri Textiles", "IN", "MH", "Asia/Kolkata", _EN, "aiko", "rohan"),
        (Site("Pune mill", "PNQ"), Site("Mumbai office", "BOM"), Site("Nashik dye works", "ISK")),
        ("Vikram Kulkarni", "+91 22 5550 0160"),
        ("Meera Joshi", "+91 22 5550 0161"),
        ("Sunita Pawar", "+91 22 5550 0162"),
        _HI,
    ),
    CompanySketch(
        *("Kauri Health", "NZ", "AUK", "Pacific/Auckland", _EN, "laura", "ben"),
        (Site("Auckland clinic", "AKL"), Site("Hamilton clinic", "HLZ"), Site("Wellington records office", "WLG")),
        ("Aroha Ngata", "+64 9 555 0160"),
        ("Simon Fletcher", "+64 9 555 0161"),
        ("Jess Whittaker", "+64 9 555 0162"),
    ),
    CompanySketch(
        *("Wattle Ridge Council", "AU", "NSW", "Australia/Sydney", _EN, "laura", "rohan"),
        (Site("Town hall", "TWN"), Site("Works depot", "DEP"), Site("Civic library", "LIB")),
        ("Bronwyn Taylor", "+61 2 5550 0160"),
        ("Darren O'Neill", "+61 2 5550 0161"),
        ("Sophie Tran", "+61 2 5550 0162"),
    ),
)


@dataclass
class Desk:
    """The demonstration's people as they are in the database."""

    centres: dict[str, SupportCentre] = field(default_factory=dict)
    staff: dict[str, User] = field(default_factory=dict)
    companies: dict[str, Company] = field(default_factory=dict)

    def technicians(self) -> list[Technician]:
        """Those on duty, in the order of the table."""
        return list(Technician.objects.filter(on_duty=True).select_related("user", "centre").order_by("pk"))


def create_people(founded_at: datetime) -> Desk:
    """Create everybody as of `founded_at`, with histories. Raises ValidationError for an unknown place."""
    desk = Desk()
    for centre in CENTRES:
        desk.centres[centre.name] = _create_centre(centre, founded_at)
    hashed = make_password(PASSWORD)  # hashed once: a hundred milliseconds and more for each would add up
    for person in STAFF:
        desk.staff[person.username] = _create_staff(person, desk, hashed, founded_at)
    _assign_roles(desk, founded_at)
    User.objects.get_or_create(
        username=ADMIN,
        defaults={
            **_account(hashed, founded_at),
            "first_name": "Ada",
            "last_name": "Quill",
            "email": f"admin@{STAFF_DOMAIN}",
            "is_superuser": True,
        },
    )
    for company in COMPANIES:
        desk.companies[company.name] = _create_company(company, desk, founded_at)
    return desk


def login_table() -> list[tuple[str, str, str]]:
    """Role, user name and password of the demonstration's logins that still have its password."""
    hashes = dict(User.objects.filter(is_active=True).values_list("username", "password"))
    # Untouched accounts share one hash, so the slow check is made once.
    valid = {hashed: check_password(PASSWORD, hashed) for hashed in {hashes.get(name) for _, name in LOGINS} if hashed}
    return [(role, name, PASSWORD) for role, name in LOGINS if valid.get(hashes.get(name))]


def customer_login() -> str:
    """The address with which a help desk of the demonstration signs in to the support page; "" if it is gone."""
    contacts = Contact.objects.may_sign_in().filter(company__name=COMPANIES[0].name).order_by("pk")
    return contacts.values_list("email", flat=True).first() or ""


def _plain(text: str) -> str:
    """Small letters without accents, for names in addresses."""
    return unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()


def _save(record: Record, at: datetime) -> Record:
    """Save a checked record with a history that begins at `at`."""
    record.full_clean()
    record._history_date = at  # type: ignore[attr-defined]
    record._change_reason = "The demonstration"  # type: ignore[attr-defined]
    record.save()
    return record


def _place(sketch: CentreSketch | CompanySketch) -> dict[str, str]:
    return {name: getattr(sketch, name) for name in ("name", "country", "subdivision", "time_zone")}


def _create_centre(sketch: CentreSketch, at: datetime) -> SupportCentre:
    centre = _save(SupportCentre(open_on_holidays=True, **_place(sketch)), at)
    OpeningSpan.objects.bulk_create(
        OpeningSpan(centre=centre, weekday=day, opens=sketch.opens, closes=sketch.closes) for day in range(7)
    )
    return centre


def _account(hashed: str, at: datetime) -> dict[str, Any]:
    return {"password": hashed, "is_staff": True, "date_joined": at}


def _create_staff(sketch: StaffSketch, desk: Desk, hashed: str, at: datetime) -> User:
    user = User.objects.create(
        username=sketch.username,
        first_name=sketch.first_name,
        last_name=sketch.last_name,
        email=f"{sketch.username}.{_plain(sketch.last_name)}@{STAFF_DOMAIN}",
        role=sketch.role,
        phone=sketch.phone,
        time_zone=sketch.time_zone,
        **_account(hashed, at),
    )
    if sketch.level is not None:
        languages = [language.value for language in sketch.languages]
        centre = desk.centres[sketch.centre]
        _save(Technician(user=user, level=sketch.level, centre=centre, languages=languages, on_duty=sketch.on_duty), at)
    return user


def _assign_roles(desk: Desk, at: datetime) -> None:
    for user in desk.staff.values():
        if user.role in MANAGEMENT_ROLES:
            centre = desk.centres.get(OWN_HOLDERS.get(user.username, ""))
            _save(RoleHolder(role=user.role, centre=centre, holder=user), at)


def _create_company(sketch: CompanySketch, desk: Desk, at: datetime) -> Company:
    company = _save(
        Company(
            **_place(sketch),
            language=sketch.language,
            account_manager=desk.staff[sketch.account_manager],
            customer_engineer=desk.staff[sketch.customer_engineer],
        ),
        at,
    )
    _create_contact(company, sketch, sketch.by_phone, at, is_help_desk=True, preferred_means=MeansOfContact.PHONE)
    _create_contact(company, sketch, sketch.by_email, at, is_help_desk=True, preferred_means=MeansOfContact.EMAIL)
    _create_contact(company, sketch, sketch.end_user, at, language=sketch.end_user_speaks)
    return company


def _create_contact(
    company: Company, sketch: CompanySketch, who: tuple[str, str], at: datetime, **more: Any
) -> Contact:
    name, phone = who
    address = f"{_plain(name).replace(' ', '.').replace(chr(39), '')}@{sketch.domain}"
    return _save(Contact(company=company, name=name, email=address, phone=phone, **more), at)
