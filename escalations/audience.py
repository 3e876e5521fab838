"""Whom the audience of status updates stands for on a case, as people to write to (T2, D5), and who watches it (E7).

An audience is made of members, each with a clock of their own; a member stands for the person who holds the role, or
for whoever stands in when nobody can be written to (D5). One person may stand for several members, and watch as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cases.enums import Severity
from cases.mail.letters import to_contact
from cases.models import Case, CaseWatcher
from contacts.directory import Addressee, Directory, addressee, is_reachable
from contacts.enums import Role
from escalations.clocks import CaseClock
from escalations.enums import Member
from escalations.points.decide import centre_of_owner
from escalations.policy.cadence import members
from escalations.policy.schedule import PUBLISHED

#: Who of the audience is staff, in the order in which people name them, with the role that each stands for.
STAFF: dict[Member, Role] = {
    Member.ACCOUNT_MANAGER: Role.ACCOUNT_MANAGER,
    Member.CSM: Role.CSM,
    Member.CS_DIRECTOR: Role.CS_DIRECTOR,
    Member.COO: Role.COO,
}


def audience_of(life: CaseClock, now: datetime) -> dict[Member, timedelta]:
    """Who is in the audience in force at `now`, and how often each is owed an update (E4).

    Also while nobody is owed one because the case waits or is resolved: it is whom a word about the case concerns.
    """
    if life.timeline is None:
        return members(PUBLISHED.base_cadence(Severity(life.case.severity)), director_contacted=False)
    cadence, _ = life.cadence(now)
    return members(cadence, any(one.director for one in life.passed if one.done_at <= now))


def staff_of(audience: Iterable[Member]) -> list[Member]:
    """The members of an audience who are staff, in the order in which people name them."""
    wanted = set(audience)
    return [member for member in STAFF if member in wanted]


def readers_of(case: Case, audience: Iterable[Member], directory: Directory) -> dict[Member, list[Addressee]]:
    """Whom each member stands for on this case (D4, D5). No query when the case has its company, contact and owner
    with their technician; the customer's list is empty when they have no address.
    """
    centre = centre_of_owner(case)
    readers: dict[Member, list[Addressee]] = {}
    for member in audience:
        if member in STAFF:
            readers[member] = directory.for_role(STAFF[member], centre, case.company)
        else:
            customer = to_contact(case)
            readers[member] = [customer] if customer else []
    return readers


def watchers_of(cases: Iterable[Case]) -> dict[int, list[Addressee]]:
    """Who still watches each case as a former owner and gets its updates as staff, by the case's key (E7); one query.

    Whoever has left or has no address is passed over: they watch for their own sake, and nobody acts in their place.
    """
    ids = [case.pk for case in cases]
    watching: dict[int, list[Addressee]] = {case_id: [] for case_id in ids}
    for row in CaseWatcher.objects.filter(case__in=ids).select_related("user").order_by("since", "pk"):
        if is_reachable(row.user):
            watching[row.case_id].append(addressee(row.user))
    return watching


@dataclass
class Reader:
    """One person who gets one mail, whatever the number of members they stand for."""

    to: Addressee
    members: list[Member] = field(default_factory=list)
    watches: bool = False

    @property
    def because(self) -> str:
        """Why they get it, to follow “You get this because”."""
        said = []
        if self.members:
            roles = " and the ".join(STAFF[member].label.lower() for member in self.members)
            said.append(f"updates on this case go to the {roles}")
        if self.watches:
            said.append("you owned this case earlier and still watch it")
        return ", and ".join(said)


def staff_readers(readers: Mapping[Member, Sequence[Addressee]], watchers: Iterable[Addressee]) -> list[Reader]:
    """Each person of the staff once, with every member they stand for (E5); never the customer."""
    people: dict[str, Reader] = {}
    for member in staff_of(readers):
        for one in readers[member]:
            reader = people.setdefault(one.address.lower(), Reader(one))
            reader.members.append(member)
            if one.meant_for and one.meant_for not in reader.to.meant_for:
                reader.to = replace(reader.to, meant_for=f"{reader.to.meant_for}, {one.meant_for}".removeprefix(", "))
    for one in watchers:
        people.setdefault(one.address.lower(), Reader(one)).watches = True
    return list(people.values())
