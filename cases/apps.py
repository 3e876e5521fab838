"""The case and its life."""

from django.apps import AppConfig


class CasesConfig(AppConfig):
    """Intake, assignment, contact log, status, waiting for the customer, mail."""

    name = "cases"
    verbose_name = "Cases"
