"""Who hears next when nothing moves."""

from importlib import import_module

from django.apps import AppConfig


class EscalationsConfig(AppConfig):
    """Schedule, ledger, dispatch."""

    name = "escalations"
    verbose_name = "Escalations"

    def ready(self) -> None:
        """Show the clock on the pages of cases; the panels need the models, which are loaded by now."""
        import_module("escalations.panels").register()
