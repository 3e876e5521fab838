"""The pages of cases in the admin."""

from cases.admin import case, contract_questions, engine, mail, staff

__all__ = ["case", "contract_questions", "engine", "mail", "staff"]
