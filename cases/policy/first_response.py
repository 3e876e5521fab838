"""Promised times of the first response (T1). Pure: what happened in, moments out; all UTC."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cases.enums import RANK, Channel, Severity, Status

#: T1: how soon staff first speak to a customer who phoned.
INITIAL_RESPONSE: dict[Severity, timedelta] = {
    Severity.CRITICAL: timedelta(minutes=30),
    Severity.HIGH: timedelta(hours=1),
    Severity.MEDIUM: timedelta(hours=2),
    Severity.LOW: timedelta(hours=3),
}


def initial_response_due_at(severity: Severity, channel: Channel, opened_at: datetime) -> datetime | None:
    """When the first contact that the customer can see is promised (T1); None for a case that was not phoned in."""
    return opened_at + INITIAL_RESPONSE[severity] if channel == Channel.PHONE else None


def word_handled_by(severity: Severity, said_at: datetime) -> datetime:
    """Until when somebody handles a customer's word on a resolved case, or the Support Manager is told (C7)."""
    return said_at + INITIAL_RESPONSE[severity]


@dataclass(frozen=True, slots=True)
class Response:
    """The promise of a first response: when it is, or was, due, why then, and what ended it."""

    since: datetime
    due_at: datetime
    met_at: datetime | None = None  # the first contact from staff that the customer could see
    released_at: datetime | None = None  # resolved before anybody could respond
    why: tuple[tuple[datetime, str], ...] = ()

    @property
    def ended_at(self) -> datetime | None:
        """When nothing was owed any more, in time or not."""
        return self.met_at or self.released_at

    def is_missed(self, now: datetime) -> bool:
        """Whether the deadline passed without a response (T4)."""
        return self.due_at < (self.ended_at or now)


def initial_response(
    life: Sequence[tuple[datetime, Status, Severity]], channel: Channel, contacts: Iterable[datetime]
) -> Response | None:
    """The first response that a case is owed (T1), or None for one that was not phoned in.

    `life` are its states from the opening on, in order; `contacts` the moments of contacts that told the customer
    something, in order. To wait for the customer means that they were spoken to: that counts as a contact. A raised
    severity gives the earlier of the old deadline and the raise plus the new target; a lowered one changes nothing.
    What was said before the opening is no response to it: it belongs to the call that opened the case.
    """
    if channel != Channel.PHONE or not life:
        return None
    opened_at, _, severity = life[0]
    asked_at = next((at for at, status, _ in life if status == Status.WAITING), None)
    met_at = min((at for at in [*contacts, asked_at] if at is not None and at >= opened_at), default=None)
    resolved_at = next((at for at, status, _ in life if status == Status.RESOLVED), None)
    released_at = resolved_at if resolved_at and (met_at is None or resolved_at < met_at) else None
    due_at = opened_at + INITIAL_RESPONSE[severity]
    why = [(opened_at, f"Phoned in as {severity.label}")]
    for at, _, new in life[1:]:
        if at > min(moment for moment in (due_at, met_at, released_at) if moment is not None):
            break
        if RANK[new] < RANK[severity]:
            due_at = min(due_at, at + INITIAL_RESPONSE[new])
            why.append((at, f"Raised to {new.label}"))
        severity = new
    return Response(opened_at, due_at, None if released_at else met_at, released_at, tuple(why))
