"""The choices of SLA targets, questions, requests and schedule points."""

from __future__ import annotations

from django.db.models import TextChoices


class Member(TextChoices):
    """Somebody who is owed status updates, each with a clock of their own (T2)."""

    CUSTOMER = "customer", "Customer"
    ACCOUNT_MANAGER = "account_manager", "Account manager"
    CSM = "csm", "Customer service manager"
    CS_DIRECTOR = "cs_director", "Customer service director"
    COO = "coo", "COO"

    @property
    def in_sentence(self) -> str:
        """“account manager”, “COO”."""
        return self.label if self.label.isupper() else self.label.lower()


class OwnerAction(TextChoices):
    """What a point does to the owner (E1)."""

    ASKED = "asked", "Asked for the status"
    TO_L3 = "to_l3", "Ownership goes to L3"


class Audience(TextChoices):
    """Who gets status updates (E1, T2). CS Management is the CSM, and the Director once contacted on the case."""

    CUSTOMER = "customer", "Customer"
    ACCOUNT_MANAGER = "account_manager", "Account manager"
    CS_MANAGEMENT = "cs_management", "CS Management"
    COO = "coo", "COO"

    @property
    def in_sentence(self) -> str:
        """“account manager”, “CS Management”."""
        return self.label.lower() if self in (Audience.CUSTOMER, Audience.ACCOUNT_MANAGER) else self.label


class SlaKind(TextChoices):
    """What is owed by a target (T1, T2)."""

    RESPONSE = "response", "First response"
    UPDATE = "update", "Status update"


class SlaOutcome(TextChoices):
    """How a target ended (T3, T4)."""

    MET = "person", "Kept by a person"
    MET_AUTOMATICALLY = "system", "Kept by the desk"
    BREACHED = "missed", "Missed"
    CANCELLED = "released", "No longer owed"


class TurnKind(TextChoices):
    """A change of a case after which no update follows that was announced, or updates begin anew (T5)."""

    WAITING = "waiting", "Waiting for the customer"
    RESOLVED = "resolved", "Resolved"
    REOPENED = "reopened", "Reopened"


class QuestionEnd(TextChoices):
    """How a question for the status ends (E8)."""

    ANSWERED = "answered", "Answered"
    SUPERSEDED = "superseded", "A newer question took its place"
    RESOLVED = "resolved", "The case was resolved"


class RequestStatus(TextChoices):
    """The status of an escalation request (E9)."""

    REQUESTED = "requested", "Open"
    ACCEPTED = "accepted", "Accepted"
    DECLINED = "declined", "Declined"
    WITHDRAWN = "withdrawn", "Withdrawn"
    CLOSED = "closed", "Closed"


class Origin(TextChoices):
    """Who asks for an escalation outside the schedule (E9, E1)."""

    CUSTOMER = "customer", "The customer asked for it"
    STAFF = "staff", "Our own initiative"
    SCHEDULE = "schedule", "The schedule: additional escalation where appropriate"


class HandoverState(TextChoices):
    """What became of a case on a hand-over sheet (W3)."""

    OPEN = "open", "Not accepted yet"
    ACCEPTED = "accepted", "Accepted"
    KEPT = "kept", "Kept by its owner"
    OVER = "over", "Not needed any more"
