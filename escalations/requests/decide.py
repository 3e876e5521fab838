"""The effect of accepting an escalation request, as the page shows it before anybody clicks (E9, E1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cases.models import Case
from contacts.directory import Directory, once_each
from contacts.enums import Role
from contacts.wording import duration
from escalations.audience import holders_of, owner_is_l3
from escalations.clocks import CaseClock
from escalations.enums import OwnerAction
from escalations.policy.clock import Due, PointKey
from escalations.policy.deadlines import ATTENTION_INTERVAL
from escalations.policy.schedule import Point


@dataclass(frozen=True)
class AcceptanceEffect:
    """What accepting would do now. `key` is that of the point it brings forward, "" for management attention."""

    key: str
    brings: str  # half a sentence: “brings Medium 2 forward”
    details: tuple[str, ...] = ()
    under_way: str = ""  # points that are due and not carried out yet; they come in any case

    @property
    def text(self) -> str:
        """The effect with its details in one line."""
        return ": ".join(filter(None, (self.brings, "; ".join(self.details))))


def acceptance_effect(clock: CaseClock, now: datetime, directory: Directory) -> AcceptanceEffect:
    """What accepting a request would do at `now`, for an open case that does not wait (E9)."""
    case, upcoming = clock.case, clock.upcoming(now)
    under_way = ", ".join(due.point.name for due in effective_dues(clock, now))
    if upcoming is None:
        return AcceptanceEffect("", _attention(clock, now), _attention_details(case, directory), under_way)
    point = upcoming.point
    details = (_mailed(point.mailed, case, directory) if point.mailed else "", _owner(point, case), _updates(point))
    return AcceptanceEffect(
        key_text(upcoming.key), f"brings {point.name} forward", tuple(filter(None, details)), under_way
    )


def key_text(key: PointKey) -> str:
    """The key of a point as a page sends it back: “1:medium:2”."""
    run, severity, number = key
    return f"{run}:{severity.value}:{number}"


def current_run(clock: CaseClock, now: datetime) -> int:
    """The run the case is in (E2); the first while no schedule is in force."""
    return clock.reading(now).run if clock.timeline else 1


def effective_dues(clock: CaseClock, now: datetime) -> list[Due]:
    """The points that are due at `now` and will be carried out, lowest first; not those only recorded (E4)."""
    wanted = (current_run(clock, now), clock.case.severity)
    dues = [due for due in clock.due(now) if (due.run, due.point.severity) == wanted and not due.recorded_only]
    return sorted(dues, key=lambda due: due.point.number)


def _attention(clock: CaseClock, now: datetime) -> str:
    has_points = clock.timeline is not None and clock.timeline.at(now).of(clock.reading(now).severity)
    why = "no point of the schedule is left" if has_points else f"{clock.case.get_severity_display()} has no points"
    again = any(request.is_paid(current_run(clock, now), now) for request in clock.attentions)
    return f"{why}, so management's attention is asked for" + (" once more" if again else "")


def _attention_details(case: Case, directory: Directory) -> tuple[str, ...]:
    mailed = _mailed((Role.CSM, Role.ACCOUNT_MANAGER), case, directory)
    return (
        mailed,
        f"updates at least every {duration(ATTENTION_INTERVAL)}, to CS Management and the account manager as well",
    )


def _mailed(roles: tuple[Role, ...], case: Case, directory: Directory) -> str:
    names = ", ".join(reader.label for reader in once_each(holders_of(roles, case, directory)))
    return f"emails {names or 'nobody: nobody can be reached'}"


def _owner(point: Point, case: Case) -> str:
    if point.owner == OwnerAction.TO_L3:
        return f"{case.owner} is L3 and keeps the case" if owner_is_l3(case) else "ownership goes to L3"
    return f"{case.owner} is asked for the status" if case.owner else "nobody owns the case who could be asked"


def _updates(point: Point) -> str:
    cadence = ", ".join(f"{who.label} every {duration(every)}" for who, every in point.cadence.items())
    return f"updates: {cadence}" if cadence else ""
