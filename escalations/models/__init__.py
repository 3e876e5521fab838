"""The models of escalation."""

from escalations.models.ledger import Escalation
from escalations.models.question import Question
from escalations.models.request import EscalationRequest, EscalationRequestQuerySet
from escalations.models.schedule import (
    MAILED_ROLES,
    ClockRule,
    ScheduleMove,
    SchedulePoint,
    ScheduleVersion,
    schedules,
    validate_mailed,
    validate_rhythm,
)
from escalations.models.sla import Promise, StaffLine

__all__ = [
    "MAILED_ROLES",
    "ClockRule",
    "Escalation",
    "EscalationRequest",
    "EscalationRequestQuerySet",
    "Promise",
    "Question",
    "ScheduleMove",
    "SchedulePoint",
    "ScheduleVersion",
    "StaffLine",
    "schedules",
    "validate_mailed",
    "validate_rhythm",
]
