"""Whom a message for a role is for (D4), and who gets it when nobody can (D5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from contacts.enums import MANAGEMENT_ROLES, Role
from contacts.models import Company, RoleHolder, User


@dataclass(frozen=True, slots=True)
class Addressee:
    """Somebody to write to, in their own time zone; `meant_for` says whom it replaces, if anybody (D5)."""

    address: str
    name: str = ""
    time_zone: str = "UTC"
    meant_for: str = ""
    user_id: int | None = None


def addressee(user: User, meant_for: str = "") -> Addressee:
    """A member of staff as somebody to write to."""
    return Addressee(user.email, str(user), user.time_zone or "UTC", meant_for, user.pk)


def is_reachable(user: User | None) -> bool:
    """Whether a message can be for this person: they exist, are active and have an address (D5)."""
    return user is not None and user.is_active and bool(user.email)


class Directory:
    """The holders of the management roles, read once for a batch of work (four roles, a handful of rows)."""

    def __init__(self) -> None:
        self._holders: dict[tuple[str, int | None], User | None] = {
            (row.role, row.centre_id): row.holder for row in RoleHolder.objects.select_related("holder")
        }
        self._superusers: list[User] | None = None

    def holder(self, role: Role, centre_id: int | None) -> User | None:
        """Who holds the role for this centre: its own holder, else the general one. Reachable or not."""
        if centre_id is not None and (role.value, centre_id) in self._holders:
            return self._holders[role.value, centre_id]
        return self._holders.get((role.value, None))

    def for_role(self, role: Role, centre_id: int | None, company: Company | None = None) -> list[Addressee]:
        """Whom to write to for a role (D4). Never nobody unless the whole desk has nobody with an address (D5)."""
        wanted = self._wanted(role, centre_id, company)
        if wanted is not None and is_reachable(wanted):
            return [addressee(wanted)]
        return self.fallback(self._said(role, wanted, company), centre_id)

    def for_user(self, user: User | None, as_what: str, centre_id: int | None = None) -> list[Addressee]:
        """Whom to write to for one person, or the fallback if they cannot be written to (D5)."""
        if user is not None and is_reachable(user):
            return [addressee(user)]
        return self.fallback(f"{as_what} ({user or 'nobody'})", centre_id)

    def fallback(self, meant_for: str, centre_id: int | None) -> list[Addressee]:
        """The Support Manager, then every superuser (D5), told whom it was meant for."""
        manager = self.holder(Role.SUPPORT_MANAGER, centre_id)
        if manager is not None and is_reachable(manager):
            return [addressee(manager, meant_for)]
        general = self.holder(Role.SUPPORT_MANAGER, None)
        if general is not None and is_reachable(general):
            return [addressee(general, meant_for)]
        if self._superusers is None:
            self._superusers = list(User.objects.reachable().filter(is_superuser=True).order_by("pk"))
        return [addressee(user, meant_for) for user in self._superusers]

    def _wanted(self, role: Role, centre_id: int | None, company: Company | None) -> User | None:
        if role == Role.ACCOUNT_MANAGER:
            return company.account_manager if company else None
        if role == Role.CUSTOMER_ENGINEER:
            return company.customer_engineer if company else None
        return self.holder(role, centre_id)

    def _said(self, role: Role, wanted: User | None, company: Company | None) -> str:
        of = f" of {company}" if company and role in (Role.ACCOUNT_MANAGER, Role.CUSTOMER_ENGINEER) else ""
        return f"{role.label}{of} ({wanted or 'nobody'})"


def once_each(addressees: Iterable[Addressee]) -> list[Addressee]:
    """Each address once, in order; of several reasons for the same address the first stays."""
    seen: dict[str, Addressee] = {}
    for one in addressees:
        seen.setdefault(one.address.lower(), one)
    return list(seen.values())


def directory_problems() -> list[str]:
    """What would send messages to the fallback, a sentence each (D5); three queries."""
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
    return problems


def _unreachable(user: User | None) -> list[str]:
    if user is None:
        return ["nobody holds it; messages go to the fallback."]
    if not user.is_active:
        return [f"{user} is inactive; messages go to the fallback."]
    if not user.email:
        return [f"{user} has no email address; messages go to the fallback."]
    return []
