"""The pages of cases in the admin."""

from cases.admin import case

__all__ = ["case"]
