"""The models of cases."""

from cases.models.case import NUMBER_PREFIX, Case, CaseQuerySet, CaseWatcher, case_id_of
from cases.models.contact_log import ContractQuestion, Interaction, Refusal
from cases.models.engine import FailedCase, Outage, SweepRun
from cases.models.followup import Absence, FollowUp
from cases.models.mail import Mail, MailQuerySet
from cases.models.rows import CaseRowQuerySet

__all__ = [
    "NUMBER_PREFIX",
    "Absence",
    "Case",
    "CaseQuerySet",
    "CaseRowQuerySet",
    "CaseWatcher",
    "ContractQuestion",
    "FailedCase",
    "FollowUp",
    "Interaction",
    "Mail",
    "MailQuerySet",
    "Outage",
    "Refusal",
    "SweepRun",
    "case_id_of",
]
