"""People and how to reach them."""

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.utils.module_loading import import_string


class ContactsConfig(AppConfig):
    """Companies, contacts, staff, support centres, roles, lines, calendars."""

    name = "contacts"
    verbose_name = "Directory"

    def ready(self) -> None:
        user_login_failed.connect(import_string("contacts.sign_ins.keep_failed_sign_in"))
        user_logged_in.connect(import_string("contacts.sign_ins.start_session"))
