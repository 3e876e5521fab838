"""`config` as an app: registers the system checks, and loads what the subjects of the other apps register."""

import gc
from importlib import import_module
from pkgutil import iter_modules

from allauth.account.signals import user_logged_in
from django.apps import AppConfig, apps
from django.contrib.admin.apps import AdminConfig
from django.utils.module_loading import import_string

from config import checks

DESK_APPS = ("contacts", "cases", "escalations")
#: Modules of a subject that register something on import: pages, buttons, reports, receipts, who hears of changes.
REGISTERING = {
    "actions",
    "admin",
    "late",
    "outside",
    "panel",
    "portal",
    "previews",
    "receipt",
    "replies",
    "timeline",
    "work",
}


class ConfigConfig(AppConfig):
    """Registers the checks of the settings (S4) and what the subjects add to pages and reports."""

    name = "config"

    def ready(self) -> None:
        checks.register()
        for label in DESK_APPS:
            autodiscover_subjects(label)
        if apps.is_installed("allauth.socialaccount"):
            user_logged_in.connect(import_string("config.company_sign_in.note_second_factor"))
        # What is there now stays: a collection need not look at it, and forked processes share it. With Python's
        # thresholds the collector took a twelfth of the time of a page; what it finds is little, and can wait.
        gc.freeze()
        gc.set_threshold(10_000, 20, 20)
        gc.enable()


def autodiscover_subjects(label: str) -> None:
    """Import the modules of an app's subjects that register something, as Django does with every app's `admin`."""
    package = import_module(apps.get_app_config(label).name)
    for subject in iter_modules(package.__path__, f"{package.__name__}."):
        if subject.ispkg:
            for module in iter_modules(import_module(subject.name).__path__, f"{subject.name}."):
                if module.name.rpartition(".")[2] in REGISTERING:
                    import_module(module.name)


class DeskAdminConfig(AdminConfig):
    """Django's admin on the desk's own site."""

    default_site = "config.admin_site.DeskAdminSite"
