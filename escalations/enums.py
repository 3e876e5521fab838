"""The words of promises, questions and requests. Plain enums and times, no database."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import TextChoices

from cases.enums import Severity


class Member(TextChoices):
    """Somebody who is owed status updates, each with a clock of their own (T2)."""

    CUSTOMER = "customer", "Customer"
    ACCOUNT_MANAGER = "account_manager", "Account manager"
    CSM = "csm", "Customer service manager"
    CS_DIRECTOR = "cs_director", "Customer service director"
    COO = "coo", "COO"


class OwnerAction(TextChoices):
    """What happens to the owner at a point (E1)."""

    ASKED = "asked", "Asked for the status"
    TO_L3 = "to_l3", "Ownership goes to L3"


class Audience(TextChoices):
    """Who gets status updates (E1, T2). CS Management is the CSM, and the Director once contacted on the case."""

    CUSTOMER = "customer", "Customer"
    ACCOUNT_MANAGER = "account_manager", "Account manager"
    CS_MANAGEMENT = "cs_management", "CS Management"
    COO = "coo", "COO"


class SlaKind(TextChoices):
    """What is promised (section 3)."""

    RESPONSE = "response", "First response"
    UPDATE = "update", "Status update"


class SlaOutcome(TextChoices):
    """What became of a promise (T3, T4)."""

    MET = "person", "Kept by a person"
    MET_AUTOMATICALLY = "system", "Kept by the desk"
    BREACHED = "missed", "Missed"
    CANCELLED = "released", "No longer owed"


class QuestionEnd(TextChoices):
    """How a question for the status ends (E8)."""

    ANSWERED = "answered", "Answered"
    SUPERSEDED = "superseded", "A newer question took its place"
    RESOLVED = "resolved", "The case was resolved"


class RequestStatus(TextChoices):
    """Where a request for escalation stands (E9)."""

    REQUESTED = "requested", "Requested"
    ACCEPTED = "accepted", "Accepted"
    DECLINED = "declined", "Declined"
    WITHDRAWN = "withdrawn", "Withdrawn"
    CLOSED = "closed", "Closed"


class Origin(TextChoices):
    """Who wants an escalation that the schedule does not make by itself (E9, E1)."""

    CUSTOMER = "customer", "The customer asked for it"
    STAFF = "staff", "Our own initiative"
    SCHEDULE = "schedule", "The schedule: additional escalation where appropriate"


#: E8: how long a question may stay unanswered before the Support Manager is told (decision). Low is never asked by the
#: schedule; one of its cases may have been worse when it was asked.
ANSWER_WITHIN: dict[Severity, timedelta] = {
    Severity.CRITICAL: timedelta(minutes=30),
    Severity.HIGH: timedelta(hours=1),
    Severity.MEDIUM: timedelta(hours=4),
    Severity.LOW: timedelta(hours=4),
}

#: E9: how long a request may stay undecided before it goes on to the CSM.
DECIDE_WITHIN: dict[Severity, timedelta] = {
    Severity.CRITICAL: timedelta(minutes=30),
    Severity.HIGH: timedelta(minutes=30),
    Severity.MEDIUM: timedelta(hours=4),
    Severity.LOW: timedelta(hours=4),
}

#: E9: how often updates are owed while a case has management's attention because no point was left to bring forward.
ATTENTION_EVERY = timedelta(hours=4)
