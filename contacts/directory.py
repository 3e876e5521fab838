"""Who gets a message for a role (D4), and who gets it instead when that person cannot (D5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Q

from contacts.calendars import holidays_are_regional
from contacts.compiled import CompiledQuery
from contacts.enums import MANAGEMENT_ROLES, Role
from contacts.models import Company, RoleHolder, SupportCentre, User
from contacts.wording import and_list

COMPANY_ROLES = (Role.ACCOUNT_MANAGER, Role.CUSTOMER_ENGINEER)
#: So many places are named in one sentence.
NAMED = 5


#: How much of a name fits where names of readers are kept; a person's two names may be longer together.
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Addressee:
    """Somebody to write to; `meant_for` names whom the message was for, if this is the fallback (D5).

    Both names are cut to what fits in a row.
    """

    address: str
    name: str = ""
    time_zone: str = "UTC"
    meant_for: str = ""
    user_id: int | None = None
    bundle_minutes: int = 0  # how long mail to them that does not press may wait (T3)
    language: str = "en"  # one that the desk writes (M4)

    def __post_init__(self) -> None:
        for field in ("name", "meant_for"):
            object.__setattr__(self, field, getattr(self, field)[:LONGEST_NAME])

    @property
    def label(self) -> str:
        """“Ruth Lee”, or “Ruth Lee (for Account manager of Acme (nobody))”."""
        return f"{self.name} (for {self.meant_for})" if self.meant_for else self.name


def addressee(user: User, meant_for: str = "") -> Addressee:
    """The address of a member of staff."""
    return Addressee(user.email, str(user), user.time_zone or "UTC", meant_for, user.pk, user.bundle_minutes)


def is_reachable(user: User | None) -> bool:
    """Whether somebody is active and has an address (D5)."""
    return user is not None and user.is_active and bool(user.email)


_role_holders = CompiledQuery(lambda: RoleHolder.objects.select_related("holder").order_by())


class Directory:
    """The holders of the management roles, read once for a batch of work, when the first one is asked for."""

    @cached_property
    def _holders(self) -> dict[tuple[str, int | None], User | None]:
        return {(row.role, row.centre_id): row.holder for row in _role_holders()}

    @cached_property
    def _superusers(self) -> list[User]:
        return list(User.objects.reachable().filter(is_superuser=True).order_by("pk"))

    def holder(self, role: Role, centre_id: int | None) -> User | None:
        """Who holds the role for this centre: its own holder, else the general one; perhaps not reachable."""
        if centre_id is not None and (role.value, centre_id) in self._holders:
            return self._holders[role.value, centre_id]
        return self._holders.get((role.value, None))

    def for_role(
        self, role: Role, centre_id: int | None, company: Company | None = None, contacted: int | None = None
    ) -> list[Addressee]:
        """Who gets a message for a role (D4): empty only if nobody on the desk has an address (D5).

        `contacted` is the key of whoever was contacted for the role before: they stay, if they still hold it anywhere.
        """
        wanted = self._still_holding(role, contacted) or self._wanted(role, centre_id, company)
        if wanted is not None and is_reachable(wanted):
            return [addressee(wanted)]
        of = f" of {company}" if company and role in COMPANY_ROLES else ""
        return self.fallback(f"{role.label}{of} ({wanted or 'nobody'})", centre_id)

    def for_user(self, user: User | None, as_what: str, centre_id: int | None = None) -> list[Addressee]:
        """Who gets a message for one person: they, or the fallback if they are not reachable (D5)."""
        if user is not None and is_reachable(user):
            return [addressee(user)]
        return self.fallback(f"{as_what} ({user or 'nobody'})", centre_id)

    def fallback(self, meant_for: str, centre_id: int | None) -> list[Addressee]:
        """The Support Manager of the centre, the general one, or every superuser (D5)."""
        for centre in (centre_id, None):
            manager = self.holder(Role.SUPPORT_MANAGER, centre)
            if manager is not None and is_reachable(manager):
                return [addressee(manager, meant_for)]
        return [addressee(user, meant_for) for user in self._superusers]

    def _still_holding(self, role: Role, user_id: int | None) -> User | None:
        if user_id is None:
            return None
        holders = (holder for (held, _), holder in self._holders.items() if held == role.value)
        return next((one for one in holders if one is not None and one.pk == user_id and is_reachable(one)), None)

    def _wanted(self, role: Role, centre_id: int | None, company: Company | None) -> User | None:
        if role == Role.ACCOUNT_MANAGER:
            return company.account_manager if company else None
        if role == Role.CUSTOMER_ENGINEER:
            return company.customer_engineer if company else None
        return self.holder(role, centre_id)


def once_each(addressees: Iterable[Addressee]) -> list[Addressee]:
    """Each address once, in order; the first of several entries for the same address stays."""
    seen: dict[str, Addressee] = {}
    for reader in addressees:
        seen.setdefault(reader.address.lower(), reader)
    return list(seen.values())


#: What apps that know more than the directory find missing, one sentence each; they add themselves.
FURTHER_PROBLEMS: list[Callable[[], list[str]]] = []


def directory_problems() -> list[str]:
    """What is missing in the directory, one sentence each: what sends messages to the fallback (D5), places whose
    holidays are not known (F3), technicians who get no case (D9). A fixed number of queries.
    """
    problems = []
    holders = list(RoleHolder.objects.select_related("holder", "centre"))
    general = {row.role for row in holders if row.centre_id is None}
    for role in MANAGEMENT_ROLES:
        if role.value not in general:
            problems.append(f"Nobody holds the role {role.label}; its messages go to the fallback.")
    for row in holders:
        where = f" for {row.centre}" if row.centre else ""
        problems += [f"{Role(row.role).label}{where}: {why}" for why in _unreachable(row.holder)]
    companies = Company.objects.filter(active=True).select_related("account_manager").order_by("name")
    for company in companies.exclude(account_manager__is_active=True, account_manager__email__gt="")[:50]:
        problems += [f"Account manager of {company}: {why}" for why in _unreachable(company.account_manager)]
    problems += _missing_regions() + _unfinished_technicians()
    return problems + [sentence for more in FURTHER_PROBLEMS for sentence in more()]


def _unfinished_technicians() -> list[str]:
    """Technicians to whom no case goes because something is missing, one sentence for each kind (D9). One query."""
    staff = User.objects.filter(Q(role=Role.TECHNICIAN) | Q(technician__isnull=False), is_active=True)
    records = [(user, getattr(user, "technician", None)) for user in staff.select_related("technician")]
    return [
        f"{what}: {_first_few(names)}. {then}"
        for what, names, then in (
            (
                "Technicians of whom level, centre and languages are not known",
                [str(user) for user, record in records if record is None],
                "No case goes to them; fill it in on their page under Staff.",
            ),
            (
                "Technicians of whom no language is known",
                [str(user) for user, record in records if record is not None and not record.languages],
                "Choose their languages under Technicians.",
            ),
            (
                "Technicians who cannot sign in",
                [str(user) for user, record in records if record is not None and not user.can_sign_in],
                "They are off duty and no case goes to them; have a link mailed to them where one signs in.",
            ),
        )
        if names
    ]


def _missing_regions() -> list[str]:
    """One sentence for each country whose regions keep different holidays and in which some place names none (F3)."""
    nowhere: dict[str, list[str]] = {}
    companies = Company.objects.filter(active=True, subdivision="").order_by().values_list("country", "name")
    centres = SupportCentre.objects.filter(open_on_holidays=False, subdivision="").order_by()
    for country, name in companies.union(centres.values_list("country", "name")).order_by("name"):
        nowhere.setdefault(country, []).append(name)
    return [
        f"Public holidays in {country} differ by region: choose the subdivision of {_first_few(names)}. "
        "Until then only holidays that most of its regions keep are counted."
        for country, names in sorted(nowhere.items())
        if holidays_are_regional(country)
    ]


def _first_few(names: list[str]) -> str:
    shown, more = names[:NAMED], len(names) - NAMED
    return and_list([*shown, f"{more} more"] if more > 0 else shown)


def _unreachable(user: User | None) -> list[str]:
    if user is None:
        return ["nobody holds it; messages go to the fallback."]
    if not user.is_active:
        return [f"{user} is inactive; messages go to the fallback."]
    if not user.email:
        return [f"{user} has no email address; messages go to the fallback."]
    return []
