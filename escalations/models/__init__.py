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
    validate_cadence,
    validate_mailed,
)
from escalations.models.sla import DigestLine, SlaTarget

__all__ = [
    "MAILED_ROLES",
    "ClockRule",
    "DigestLine",
    "Escalation",
    "EscalationRequest",
    "EscalationRequestQuerySet",
    "Question",
    "ScheduleMove",
    "SchedulePoint",
    "ScheduleVersion",
    "SlaTarget",
    "schedules",
    "validate_cadence",
    "validate_mailed",
]
