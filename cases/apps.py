"""The case and its life."""

from importlib import import_module

from django.apps import AppConfig


class CasesConfig(AppConfig):
    """Intake, assignment, contact log, status, waiting for the customer, mail."""

    name = "cases"
    verbose_name = "Cases"

    def ready(self) -> None:
        """Show the assistant on the pages of cases that wait; its records must be loaded before it can be."""
        import_module("cases.followup.panel").register()
