"""The pages of cases in the admin."""

from cases.admin import case, engine, mail

__all__ = ["case", "engine", "mail"]
