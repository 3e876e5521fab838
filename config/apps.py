"""`config` as an app: it brings the system checks and the commands that start the desk."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig

from config import checks


class ConfigConfig(AppConfig):
    """Registers the checks of the settings (S4)."""

    name = "config"

    def ready(self) -> None:
        checks.register()


class DeskAdminConfig(AdminConfig):
    """Django's admin on the desk's own site."""

    default_site = "config.admin_site.DeskAdminSite"
