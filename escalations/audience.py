"""Whom the audience of status updates stands for on a case, as people to write to (T2, D5), and who watches it (E7).

Each member of an audience has a clock of their own and stands for the holder of a role, or for whoever stands in when
the holder cannot be written to (D5). One person may stand for several members, and watch as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cases.enums import Severity
from cases.mail.letters import centre_of_owner as centre_of_owner
from cases.mail.letters import to_contact
from cases.models import Case, CaseWatcher
from contacts.compiled import KEYS, CompiledQuery
from contacts.directory import COMPANY_ROLES, Addressee, Directory, addressee, is_reachable
from contacts.enums import Level, Role
from escalations.clocks import CaseClock
from escalations.enums import Member
from escalations.policy.cadence import members
from escalations.policy.schedule import PUBLISHED

#: The members of the audience who are staff, in the order in which texts name them, with the role each stands for.
STAFF: dict[Member, Role] = {
    Member.ACCOUNT_MANAGER: Role.ACCOUNT_MANAGER,
    Member.CSM: Role.CSM,
    Member.CS_DIRECTOR: Role.CS_DIRECTOR,
    Member.COO: Role.COO,
}


def audience_of(clock: CaseClock, now: datetime) -> dict[Member, timedelta]:
    """Who is in the audience in force at `now`, and how often each is owed an update (E4).

    Also while the case waits or is resolved and nobody is owed one: other news of the case goes to the same people.
    An account manager who mutes it is not in it (T5).
    """
    if clock.timeline is None:
        audience = members(PUBLISHED.base_cadence(Severity(clock.case.severity)), director_contacted=False)
    else:
        cadence, _ = clock.cadence(now)
        audience = members(cadence, any(one.director for one in clock.passed if one.done_at <= now))
    if any(mute.covers(now) for mute in clock.mutes):
        audience.pop(Member.ACCOUNT_MANAGER, None)
    return audience


def staff_of(audience: Iterable[Member]) -> list[Member]:
    """The members of an audience who are staff, in the order of `STAFF`."""
    wanted = set(audience)
    return [member for member in STAFF if member in wanted]


def owner_is_l3(case: Case) -> bool:
    """Whether the owner is an L3, who keeps the case where ownership goes to L3 (E7)."""
    technician = getattr(case.owner, "technician", None)
    return technician is not None and technician.level == Level.L3


def holders_of(roles: Iterable[Role], case: Case, directory: Directory) -> list[Addressee]:
    """Who gets a message for these roles on this case (D4, D5): whoever was contacted for one before, while they hold
    it, else the holder for the owner's centre.

    No query when the case has its company, contact and owner with their technician.
    """
    centre, contacted = centre_of_owner(case), case.role_contacts.get
    return [
        reader for role in roles for reader in directory.for_role(role, centre, case.company, contacted(role.value))
    ]


def keep_contacts(case: Case, readers: Mapping[Role, Iterable[Addressee]], run: int | None = None) -> None:
    """Note in memory who is contacted for a role, so that they stay the case's contact for it (D4).

    A `run` (E2) other than that of the contacts known so far forgets those. Nobody is noted who stands in (D5).
    """
    known = case.role_contacts
    if run is not None and known.get("run", run) != run:
        known = {}
    for role, people in readers.items():
        holder = next((to.user_id for to in people if to.user_id is not None and not to.meant_for), None)
        if role not in COMPANY_ROLES and holder is not None and role.value not in known:
            known = known | {role.value: holder}
    if known and run is not None:
        known = known | {"run": run}
    case.role_contacts = known


def readers_of(case: Case, audience: Iterable[Member], directory: Directory) -> dict[Member, list[Addressee]]:
    """Whom each member stands for on this case (D4, D5); nobody for a customer who has no address or has left.

    No query when the case has its company, contact and owner with their technician.
    """
    customer = to_contact(case)
    customers = [customer] if customer else []
    return {
        member: holders_of([STAFF[member]], case, directory) if member in STAFF else customers for member in audience
    }


_watchers = CompiledQuery(
    lambda cases: CaseWatcher.objects.filter(case__in=cases).select_related("user").order_by("since", "pk"), cases=KEYS
)


def watchers_of(cases: Iterable[Case]) -> dict[int, list[Addressee]]:
    """The former owners who still watch each case, by its key; they get its updates as staff (E7). One query.

    Whoever has left or has no address is passed over; nobody stands in for them.
    """
    ids = [case.pk for case in cases]
    watchers: dict[int, list[Addressee]] = {case_id: [] for case_id in ids}
    for row in _watchers(cases=ids):
        if is_reachable(row.user):
            watchers[row.case_id].append(addressee(row.user))
    return watchers


@dataclass
class StaffReader:
    """One person who gets one mail, whatever the number of members they stand for."""

    to: Addressee
    members: list[Member] = field(default_factory=list)
    watches: bool = False

    @property
    def because(self) -> str:
        """Why they get it, to follow “You get this because”."""
        reasons = []
        if self.members:
            roles = " and the ".join(STAFF[member].label.lower() for member in self.members)
            reasons.append(f"updates on this case go to the {roles}")
        if self.watches:
            reasons.append("you watch this case")
        return ", and ".join(reasons)


def staff_readers(readers: Mapping[Member, Sequence[Addressee]], watchers: Iterable[Addressee]) -> list[StaffReader]:
    """Each member of staff once, with every member of the audience they stand for (E5); never the customer."""
    people: dict[str, StaffReader] = {}
    for member in staff_of(readers):
        for to in readers[member]:
            reader = people.setdefault(to.address.lower(), StaffReader(to))
            reader.members.append(member)
            reader.to = standing_in_for_both(reader.to, to)
    for to in watchers:
        people.setdefault(to.address.lower(), StaffReader(to)).watches = True
    return list(people.values())


def standing_in_for_both(to: Addressee, again: Addressee) -> Addressee:
    """One addressee for two entries of one person, naming everybody whom they replace (D5)."""
    if not again.meant_for or again.meant_for in to.meant_for:
        return to
    return replace(to, meant_for=", ".join(filter(None, (to.meant_for, again.meant_for))))


@dataclass
class Recipient:
    """One person with every reason to write to them and everything expected of them."""

    to: Addressee
    reasons: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    @property
    def why(self) -> str:
        return "; ".join(self.reasons)

    @property
    def what_to_do(self) -> str:
        return " ".join(self.expected) or "Nothing for now: this is to inform you."


class Recipients:
    """Who is written to about one thing, each address once."""

    def __init__(self) -> None:
        self._by_address: dict[str, Recipient] = {}

    def __iter__(self) -> Iterator[Recipient]:
        return iter(self._by_address.values())

    def add(self, readers: Iterable[Addressee], reason: str, expected: str = "") -> None:
        for to in readers:
            recipient = self._by_address.setdefault(to.address.lower(), Recipient(to))
            recipient.to = standing_in_for_both(recipient.to, to)
            if reason not in recipient.reasons:
                recipient.reasons.append(reason)
            if expected and expected not in recipient.expected:
                recipient.expected.append(expected)
