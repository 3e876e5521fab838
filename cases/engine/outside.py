"""Inputs from outside a case: when the directory changes, the cases that depend on it are reckoned anew at once (E3).

A check column is a cache of what the directory said when it was written (decision 1). A look too early costs a query;
one too late is a promise that nobody keeps, and a page that says another moment than the sweep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model, Q

from cases.enums import Status
from cases.models import Case, CaseQuerySet
from cases.models.case import Check
from contacts.changes import on_directory_change
from contacts.models import Company, Contact, RoleHolder, SupportCentre, Technician, User

EVERY_CASE = Q()


@dataclass(frozen=True)
class Input:
    """A kind of row in the directory: the sweeps that depend on it, and which cases do."""

    sweeps: tuple[Check, ...]
    cases: Callable[[Any], Q]


def _cases_of_staff(user: User) -> Q:
    """Those they own or look after; every case for a holder of a role, and for who stands in for one (D4, D5)."""
    if user.is_superuser or user.held_roles.exists():
        return EVERY_CASE
    return Q(owner=user.pk) | Q(company__account_manager=user.pk) | Q(company__customer_engineer=user.pk)


#: Place, closure days and activity of a company; address, number, preference and activity of a contact; who holds a
#: role and can be written to; who is on duty where; when a centre is open.
INPUTS: dict[type[Model], Input] = {
    Company: Input(("follow_up", "sla"), lambda company: Q(company=company.pk)),
    Contact: Input(("follow_up", "sla"), lambda contact: Q(contact=contact.pk)),
    RoleHolder: Input(("follow_up", "sla"), lambda row: EVERY_CASE),
    User: Input(("escalation", "follow_up", "sla"), _cases_of_staff),
    Technician: Input(("escalation", "sla"), lambda technician: Q(owner=technician.user_id)),
    SupportCentre: Input(("escalation", "sla"), lambda centre: Q(owner__technician__centre=centre.pk)),
}


@on_directory_change
def reckon_anew(rows: Iterable[Model], now: datetime) -> None:
    """Have the open cases that depend on these rows looked at by the right sweeps at once."""
    for row in rows:
        known = INPUTS.get(type(row))
        if known is not None:
            recheck_open(Case.objects.filter(known.cases(row)), known.sweeps, now)


def recheck_open(cases: CaseQuerySet, sweeps: Iterable[Check], now: datetime) -> int:
    """Have those of the cases that are open looked at by these sweeps; returns how many are. Only a wait is followed
    up.
    """
    for sweep in sweeps:
        (cases.filter(status=Status.WAITING) if sweep == "follow_up" else cases.open()).recheck(sweep, now)
    return cases.open().count()
