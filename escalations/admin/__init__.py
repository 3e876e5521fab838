"""The pages of escalation: the schedule, its ledger, promises, questions, requests."""

from escalations.admin import ledger, schedule

__all__ = ["ledger", "schedule"]
