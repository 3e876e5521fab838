"""Give on the open cases of somebody who leaves, in one step (D9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count

from cases.enums import Severity
from cases.guards import Refused, allow, locked, needs
from cases.models import Case, CaseQuerySet
from cases.roster import Roster
from cases.workflow.transitions import reassign
from contacts.enums import Level, Right
from contacts.models import Technician, User


@dataclass(frozen=True)
class GivenOn:
    """How many cases have a new owner, and the numbers of those for which there is nobody."""

    given: int
    left: tuple[str, ...] = ()


def give_on_cases(leaver: User, actor: User, now: datetime, *, reason: str, to: User | None = None) -> GivenOn:
    """Give every open case of `leaver` to `to`; without them each to whom the rules choose (C6, or E7 for an L3's).

    Each case is a change of its own. Raises Refused or NotAllowed, then nothing has changed.
    """
    allow(actor, Right.REASSIGN, "reassign a case")
    why = needs(reason, "Say why the cases go to somebody else.", "reason")
    if to == leaver:
        raise Refused(f"They are {leaver}'s already; choose somebody else.", "to")
    roster = Roster(now)
    roster.leave_out(leaver.pk)
    deep = Technician.objects.filter(user=leaver, level=Level.L3).exists()
    choose = roster.to_l3 if deep else roster.at_opening
    given, left = 0, []
    for case_id in open_cases_of(leaver).values_list("pk", flat=True):
        with transaction.atomic():
            case = locked(case_id, actor)
            if case.owner_id != leaver.pk or not case.is_open:
                continue  # somebody else was faster
            choice = None if to else choose(Severity(case.severity), case.contact.speaks)
            owner = to or (roster.users[choice.user_id] if choice else None)
            if owner is None:
                left.append(case.number)
                continue
            reassign(case, actor, now, owner=owner, reason=why)
            given += 1
    return GivenOn(given, tuple(left))


def open_cases_of(owner: User) -> CaseQuerySet:
    """Their open cases, the oldest first."""
    return Case.objects.open().filter(owner=owner).order_by("pk")


def left_behind() -> list[str]:
    """One sentence for each member of staff who left and still owns open cases (D9)."""
    leavers = User.objects.filter(is_active=False, owned_cases__in=Case.objects.open())
    return [
        f"{leaver} has left and still owns {counted(leaver.cases)}. Give them on, on {leaver}'s page under Staff."
        for leaver in leavers.annotate(cases=Count("owned_cases"))
    ]


def counted(cases: int) -> str:
    """“1 open case”, “3 open cases”."""
    return f"{cases:,} open case{'' if cases == 1 else 's'}"
