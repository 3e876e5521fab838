"""The models of escalation."""

from escalations.models.accounts import AccountVisit, DailyDigest
from escalations.models.handover import HandoverLine, HandoverSheet
from escalations.models.ledger import Escalation
from escalations.models.question import Question
from escalations.models.report import (
    ReportCase,
    ReportContact,
    ReportEscalation,
    ReportPromise,
    ReportQuerySet,
    ReportReopening,
    ReportSubscription,
)
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
    "AccountVisit",
    "ClockRule",
    "DailyDigest",
    "DigestLine",
    "Escalation",
    "EscalationRequest",
    "EscalationRequestQuerySet",
    "HandoverLine",
    "HandoverSheet",
    "Question",
    "ReportCase",
    "ReportContact",
    "ReportEscalation",
    "ReportPromise",
    "ReportQuerySet",
    "ReportReopening",
    "ReportSubscription",
    "ScheduleMove",
    "SchedulePoint",
    "ScheduleVersion",
    "SlaTarget",
    "schedules",
    "validate_cadence",
    "validate_mailed",
]
