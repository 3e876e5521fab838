"""The models of cases."""

from cases.models.case import NUMBER_PREFIX, Case, CaseQuerySet, CaseWatcher, case_id_of
from cases.models.contact_log import Interaction, Refusal
from cases.models.engine import Outage, Pulse, SetAside
from cases.models.followup import Absence, Notice
from cases.models.mail import Mail, MailQuerySet

__all__ = [
    "NUMBER_PREFIX",
    "Absence",
    "Case",
    "CaseQuerySet",
    "CaseWatcher",
    "Interaction",
    "Mail",
    "MailQuerySet",
    "Notice",
    "Outage",
    "Pulse",
    "Refusal",
    "SetAside",
    "case_id_of",
]
