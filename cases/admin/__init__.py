"""The pages of cases in the admin."""

from cases.admin import case, contract_questions, customers, engine, mail, queue, staff

__all__ = ["case", "contract_questions", "customers", "engine", "mail", "queue", "staff"]
