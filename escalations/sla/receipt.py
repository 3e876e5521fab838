"""What the receipt of a new case promises about status updates (C1, T2)."""

from __future__ import annotations

from datetime import timedelta

from cases.enums import Severity
from cases.mail.announcements import update_interval
from cases.models import Case
from escalations.clocks import Versions
from escalations.enums import Audience


@update_interval
def first_update_interval(case: Case) -> timedelta | None:
    """How often the customer is updated before any escalation point; None without a schedule. Three queries."""
    schedule = Versions().opened_under(case)
    return schedule.base_cadence(Severity(case.severity)).get(Audience.CUSTOMER) if schedule else None
