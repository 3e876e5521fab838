"""The pages of escalation: the schedule, its ledger, promises, questions, requests."""

from escalations.admin import ledger, promises, questions, requests, schedule

__all__ = ["ledger", "promises", "questions", "requests", "schedule"]
