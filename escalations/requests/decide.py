"""What accepting a request for escalation would bring at a moment, in words, before anybody presses (E9, E1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cases.models import Case
from contacts.directory import Directory, once_each
from contacts.enums import Level, Role
from contacts.wording import duration
from escalations.clocks import CaseClock
from escalations.enums import ATTENTION_EVERY, OwnerAction
from escalations.points.decide import centre_of_owner
from escalations.policy.clock import Due, PointKey
from escalations.policy.schedule import Point

#: The key of an offer that brings no point forward.
ATTENTION = ""


@dataclass(frozen=True)
class AcceptanceEffect:
    """What accepting would do now. `key` names it: “run:severity:number”, or “” for management's attention."""

    key: str
    brings: str  # half a sentence: “brings Medium 2 forward”
    details: tuple[str, ...] = ()
    under_way: str = ""  # points that are due and not carried out yet; they come in any case

    @property
    def said(self) -> str:
        """All of it in one line."""
        return ": ".join(filter(None, (self.brings, "; ".join(self.details))))


def acceptance_effect(life: CaseClock, now: datetime, directory: Directory) -> AcceptanceEffect:
    """What accepting a request on an open case that does not wait would bring at `now` (E9)."""
    case, upcoming = life.case, life.upcoming(now)
    under_way = ", ".join(due.point.name for due in effective_dues(life, now))
    if upcoming is None:
        return AcceptanceEffect(ATTENTION, _why_attention(life, now), _attention_details(case, directory), under_way)
    point = upcoming.point
    details = (_emailed(point, case, directory), _owner(point, case), _updates(point))
    return AcceptanceEffect(
        said_key(upcoming.key), f"brings {point.name} forward", tuple(filter(None, details)), under_way
    )


def said_key(key: PointKey) -> str:
    """The key of a point as a page sends it back: “1:medium:2”."""
    run, severity, number = key
    return f"{run}:{severity.value}:{number}"


def run_of(life: CaseClock, now: datetime) -> int:
    """The run the case is in (E2); the first while no schedule is in force."""
    return life.reading(now).run if life.timeline else 1


def effective_dues(life: CaseClock, now: datetime) -> list[Due]:
    """The points that are due at `now` and will be carried out, lowest first; those only recorded are left out (E4)."""
    run = run_of(life, now)
    wanted = (run, life.case.severity)
    dues = [due for due in life.due(now) if (due.run, due.point.severity) == wanted and not due.recorded_only]
    return sorted(dues, key=lambda due: due.point.number)


def _why_attention(life: CaseClock, now: datetime) -> str:
    again = any(one.is_paid(run_of(life, now), now) for one in life.attentions)
    has_points = life.timeline is not None and life.timeline.at(now).of(life.reading(now).severity)
    why = "no point of the schedule is left" if has_points else f"{life.case.get_severity_display()} has no points"
    return f"{why}, so management's attention is asked for" + (" once more" if again else "")


def _attention_details(case: Case, directory: Directory) -> tuple[str, ...]:
    every = duration(ATTENTION_EVERY)
    roles = (Role.CSM, Role.ACCOUNT_MANAGER)
    return _names(roles, case, directory), f"updates at least every {every}, to CS Management as well"


def _emailed(point: Point, case: Case, directory: Directory) -> str:
    return _names(point.mailed, case, directory) if point.mailed else ""


def _names(roles: tuple[Role, ...], case: Case, directory: Directory) -> str:
    centre = centre_of_owner(case)
    readers = once_each(one for role in roles for one in directory.for_role(role, centre, case.company))
    names = ", ".join(f"{one.name} (for {one.meant_for})" if one.meant_for else one.name for one in readers)
    return f"emails {names or 'nobody: nobody can be reached'}"


def _owner(point: Point, case: Case) -> str:
    if point.owner == OwnerAction.TO_L3:
        technician = getattr(case.owner, "technician", None)
        is_l3 = technician is not None and technician.level == Level.L3
        return f"{case.owner} is L3 and keeps the case" if is_l3 else "ownership goes to L3"
    return f"{case.owner} is asked for the status" if case.owner else "nobody owns the case who could be asked"


def _updates(point: Point) -> str:
    cadence = ", ".join(f"{who.label} every {duration(every)}" for who, every in point.cadence.items())
    return f"updates: {cadence}" if cadence else ""
