"""The pages of cases in the admin."""

from cases.admin import case, engine, mail, staff

__all__ = ["case", "engine", "mail", "staff"]
