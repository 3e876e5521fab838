"""What one version of the schedule says otherwise than another, a sentence for each change (E10). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from cases.enums import Severity
from contacts.enums import Role
from contacts.wording import and_list, duration
from escalations.enums import Audience, OwnerAction
from escalations.policy.schedule import Point, Schedule


def differences(before: Schedule, after: Schedule) -> list[str]:
    """What holds under `after` and did not under `before`, in the order of E1; none for schedules that say the same.

    A point is compared with the one of the same severity and number (E4).
    """
    return [
        sentence
        for severity in Severity
        for sentence in [*_severity_changes(severity, before, after), *_point_changes(severity, before, after)]
    ]


def _severity_changes(severity: Severity, before: Schedule, after: Schedule) -> list[str]:
    """What holds for a severity as a whole (T2, T3, E2)."""
    name = severity.label
    every = (before.base_interval[severity], after.base_interval[severity])
    changes = [f"{name}: customer updated every {_from_to(*every)}, before any point"] if every[0] != every[1] else []
    if _switched(severity, before.automatic_updates, after.automatic_updates):
        on = severity in after.automatic_updates
        changes.append(f"{name}: the desk {'now' if on else 'no longer'} sends updates by itself when nobody else does")
    if _switched(severity, before.stands_still, after.stands_still):
        does = "stands still" if severity in after.stands_still else "goes on"
        changes.append(f"{name}: the clock now {does} while we wait for the customer")
    return changes


def _switched(severity: Severity, before: frozenset[Severity], after: frozenset[Severity]) -> bool:
    return (severity in before) != (severity in after)


def _point_changes(severity: Severity, before: Schedule, after: Schedule) -> list[str]:
    numbers = sorted({point.number for schedule in (before, after) for point in schedule.of(severity)})
    changes: list[str] = []
    for number in numbers:
        old, new = before.find(severity, number), after.find(severity, number)
        if old is None and new is not None:
            changes.append(_added(new))
        elif old is not None and new is None:
            changes.append(f"{old.name} is removed; it came after {duration(old.after)}")
        elif old is not None and new is not None:
            changes += _changed(old, new)
    return changes


def _added(point: Point) -> str:
    does = [
        f"after {duration(point.after)}",
        f"emails {_roles(point.mailed)}" if point.mailed else "emails nobody new",
        _OWNER[point.owner],
        *(f"{_AUDIENCE[who]} updated every {duration(every)}" for who, every in _in_order(point.cadence)),
        *(["an additional escalation is decided"] if point.may_need_more else []),
    ]
    return f"{point.name} is new: {', '.join(does)}"


def _changed(old: Point, new: Point) -> list[str]:
    name, changes = new.name, []
    if old.after != new.after:
        changes.append(f"{name}: after {duration(old.after)} → after {duration(new.after)}")
    more, fewer = set(new.mailed) - set(old.mailed), set(old.mailed) - set(new.mailed)
    if more:
        also = "also " if set(old.mailed) - fewer else ""
        changes.append(f"{name} now {also}emails {_roles(more)}")
    if fewer:
        changes.append(f"{name} no longer emails {_roles(fewer)}")
    if old.owner != new.owner:
        changes.append(f"{name}: {_OWNER[old.owner]} → {_OWNER[new.owner]}")
    changes += _cadence_changes(name, old.cadence, new.cadence)
    if old.may_need_more != new.may_need_more:
        now = "now" if new.may_need_more else "no longer"
        changes.append(f"{name} {now} asks the Support Manager for an additional escalation")
    return changes


def _cadence_changes(name: str, old: Mapping[Audience, timedelta], new: Mapping[Audience, timedelta]) -> Iterable[str]:
    for who in Audience:
        before, after = old.get(who), new.get(who)
        if before is None and after is not None:
            yield f"{name}: {_AUDIENCE[who]} now updated every {duration(after)}"
        elif before is not None and after is None:
            yield f"{name}: {_AUDIENCE[who]} no longer updated; it was every {duration(before)}"
        elif before is not None and after is not None and before != after:
            yield f"{name}: {_AUDIENCE[who]} updated every {_from_to(before, after)}"


def _from_to(before: timedelta, after: timedelta) -> str:
    return f"{duration(before)} → {duration(after)}"


def _in_order(cadence: Mapping[Audience, timedelta]) -> list[tuple[Audience, timedelta]]:
    return [(who, cadence[who]) for who in Audience if who in cadence]


def _roles(roles: Iterable[Role]) -> str:
    """“the CSM and the account manager”, in the order of the roles."""
    named = set(roles)
    return and_list(f"the {_ROLE.get(role, role.label)}" for role in Role if role in named)


#: How sentences name roles, audiences and what happens to the owner.
_ROLE = {
    Role.ACCOUNT_MANAGER: "account manager",
    Role.CSM: "CSM",
    Role.CS_DIRECTOR: "CS Director",
    Role.COO: "COO",
    Role.SUPPORT_MANAGER: "Support Manager",
}
_AUDIENCE = {
    Audience.CUSTOMER: "customer",
    Audience.ACCOUNT_MANAGER: "account manager",
    Audience.CS_MANAGEMENT: "CS Management",
    Audience.COO: "COO",
}
_OWNER = {
    OwnerAction.ASKED: "the owner is asked for the status",
    OwnerAction.TO_L3: "ownership goes to L3",
}
