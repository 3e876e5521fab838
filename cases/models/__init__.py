"""The models of cases."""

from cases.models.case import NUMBER_PREFIX, Case, CaseQuerySet, CaseWatcher, case_id_of
from cases.models.contact_log import ContractQuestion, Interaction, Refusal
from cases.models.doors import MailDoor
from cases.models.engine import FailedCase, Outage, SweepRun
from cases.models.files import Attachment
from cases.models.followup import Absence, FollowUp
from cases.models.inbox import ReceivedMail, ReceivedMailQuerySet
from cases.models.load import LoadEntry
from cases.models.mail import Mail, MailCircuit, MailQuerySet
from cases.models.queue import CallEvent, QueueEntry, QueueEntryQuerySet
from cases.models.rows import CaseRowQuerySet, CompanyOfCase
from cases.models.saved_view import SavedView
from cases.models.search import SearchDocument, UnindexedCase

__all__ = [
    "NUMBER_PREFIX",
    "Absence",
    "Attachment",
    "CallEvent",
    "Case",
    "CaseQuerySet",
    "CaseRowQuerySet",
    "CaseWatcher",
    "CompanyOfCase",
    "ContractQuestion",
    "FailedCase",
    "FollowUp",
    "Interaction",
    "LoadEntry",
    "Mail",
    "MailCircuit",
    "MailDoor",
    "MailQuerySet",
    "Outage",
    "QueueEntry",
    "QueueEntryQuerySet",
    "ReceivedMail",
    "ReceivedMailQuerySet",
    "Refusal",
    "SavedView",
    "SearchDocument",
    "SweepRun",
    "UnindexedCase",
    "case_id_of",
]
