"""Who hears next when nothing moves."""

from django.apps import AppConfig


class EscalationsConfig(AppConfig):
    """Schedule, ledger, promises, questions, requests."""

    name = "escalations"
    verbose_name = "Escalations"
