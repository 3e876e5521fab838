"""The pages of escalation: the schedule, its ledger, promises, questions, requests."""

from escalations.admin import ledger, questions, requests, schedule

__all__ = ["ledger", "questions", "requests", "schedule"]
