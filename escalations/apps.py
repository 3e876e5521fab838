"""Who hears next when nothing moves."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate

from escalations.reports.views import after_migrations, before_migrations


class EscalationsConfig(AppConfig):
    """Schedule, ledger, promises, questions, requests."""

    name = "escalations"
    verbose_name = "Escalations"

    def ready(self) -> None:
        """Keep the views of reports while tables change."""
        pre_migrate.connect(before_migrations, sender=self, dispatch_uid="drop the views of reports")
        post_migrate.connect(after_migrations, sender=self, dispatch_uid="make the views of reports")
