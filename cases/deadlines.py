"""Promised times (section 3). Pure: what happened in, moments out; all UTC."""

from datetime import datetime, timedelta

from cases.terms import Channel, Severity

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
