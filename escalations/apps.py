"""Who hears next when nothing moves."""

from django.apps import AppConfig


class EscalationsConfig(AppConfig):
    """Schedule, ledger, dispatch."""

    name = "escalations"
    verbose_name = "Escalations"
