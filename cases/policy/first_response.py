"""The SLA target of the first response (T1). Pure; all moments UTC."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cases.enums import Channel, Severity, Status
from cases.policy.severity import RANK

#: T1, T3: the owner is reminded when this share of a target is left (75 % are over).
REMIND_WITH_LEFT = 0.25

#: T1: how soon a customer who phoned hears from staff.
INITIAL_RESPONSE: dict[Severity, timedelta] = {
    Severity.CRITICAL: timedelta(minutes=30),
    Severity.HIGH: timedelta(hours=1),
    Severity.MEDIUM: timedelta(hours=2),
    Severity.LOW: timedelta(hours=3),
}


def initial_response_due_at(
    severity: Severity, channel: Channel, opened_at: datetime, called_at: datetime | None = None
) -> datetime | None:
    """When the first contact that the customer can see is due (T1); None for a case that was not phoned in.

    `called_at` is when the call came in, if it waited in the queue before the case was opened (Q4).
    """
    return (called_at or opened_at) + INITIAL_RESPONSE[severity] if channel == Channel.PHONE else None


def word_handled_by(severity: Severity, received_at: datetime) -> datetime:
    """When a message on a resolved case that nobody has handled goes to the Support Manager (C7)."""
    return received_at + INITIAL_RESPONSE[severity]


@dataclass(frozen=True, slots=True)
class Response:
    """The target of a first response: when it is or was due, why then, and what ended it."""

    since: datetime
    due_at: datetime
    met_at: datetime | None = None  # the first contact from staff that the customer could see
    released_at: datetime | None = None  # resolved before anybody could respond
    why: tuple[tuple[datetime, str], ...] = ()
    allowed: timedelta = timedelta(0)  # the target that the deadline came from

    @property
    def remind_at(self) -> datetime:
        """When the owner is reminded: at 75 % of the target that the deadline came from (T1)."""
        return self.due_at - self.allowed * REMIND_WITH_LEFT

    @property
    def ended_at(self) -> datetime | None:
        """When the response, or the resolution, ended it."""
        return self.met_at or self.released_at

    def is_missed(self, now: datetime) -> bool:
        """Whether the deadline passed without a response (T4)."""
        return self.due_at < (self.ended_at or now)


def initial_response(
    life: Sequence[tuple[datetime, Status, Severity]],
    channel: Channel,
    contacts: Iterable[datetime],
    called_at: datetime | None = None,
) -> Response | None:
    """The first response that a case is owed (T1), or None for one that was not phoned in.

    `life` are its states from the opening on and `contacts` the moments at which the customer heard from us, both in
    order. A change of status is no contact. A raised severity gives the earlier of the old deadline and the raise plus
    the new target; a lowered one changes nothing. Contacts before the opening belong to the call that opened the case
    and do not count. The target counts from the arrival of that call, `called_at`, if it waited in the queue (Q4).
    """
    if channel != Channel.PHONE or not life:
        return None
    opened_at, _, severity = life[0]
    met_at = min((at for at in contacts if at >= opened_at), default=None)
    resolved_at = next((at for at, status, _ in life if status == Status.RESOLVED), None)
    released_at = resolved_at if resolved_at and (met_at is None or resolved_at < met_at) else None
    allowed = INITIAL_RESPONSE[severity]
    since = min(opened_at, called_at or opened_at)
    due_at = since + allowed
    why = [(since, f"Phoned in as {severity.label}")]
    for at, _, new in life[1:]:
        if at > min(moment for moment in (due_at, met_at, released_at) if moment is not None):
            break
        if RANK[new] < RANK[severity]:
            due_at, allowed = min((due_at, allowed), (at + INITIAL_RESPONSE[new], INITIAL_RESPONSE[new]))
            why.append((at, f"Raised to {new.label}"))
        severity = new
    return Response(since, due_at, None if released_at else met_at, released_at, tuple(why), allowed)
