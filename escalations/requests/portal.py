"""What a customer asks for on the support page (P4)."""

from __future__ import annotations

from datetime import datetime

from cases.models import Case
from cases.portal.apply import escalation_requester
from contacts.models import Contact
from escalations.requests.apply import request_by_customer


@escalation_requester
def take_request(case: Case, contact: Contact, impact: str, reason: str, now: datetime) -> None:
    """Record it as theirs. Raises Refused."""
    request_by_customer(case, contact, now, impact=impact, reason=reason)
