"""Who hears next when nothing moves."""

from importlib import import_module

from django.apps import AppConfig


class EscalationsConfig(AppConfig):
    """Schedule, ledger, dispatch."""

    name = "escalations"
    verbose_name = "Escalations"

    def ready(self) -> None:
        """Show the clock on the pages of cases, and tell what an outage did; both need the models, loaded by now."""
        import_module("escalations.panels").register()
        import_module("escalations.points.late").register()
        import_module("escalations.sla.late").register()
