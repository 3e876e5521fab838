"""The pages of escalation: the schedule, its ledger, promises, questions, requests."""

from escalations.points import admin as ledger
from escalations.questions import admin as questions
from escalations.requests import admin as requests
from escalations.schedule import admin as schedule
from escalations.sla import admin as promises

__all__ = ["ledger", "promises", "questions", "requests", "schedule"]
