"""`config` as an app: it brings the system checks and the commands that start the desk."""

from django.apps import AppConfig

from config import checks


class ConfigConfig(AppConfig):
    """Registers the checks of the settings (S4)."""

    name = "config"

    def ready(self) -> None:
        checks.register()
