"""People and how to reach them."""

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.utils.module_loading import import_string

#: What django-allauth says of second factors, and who listens.
SECOND_FACTOR = {
    "authenticator_used": "take_note",
    "authenticator_added": "take_note",
    "authenticator_removed": "forget",
    "authentication_failed": "keep_failed_factor",
}


class ContactsConfig(AppConfig):
    """Companies, contacts, staff, support centres, roles, lines, calendars."""

    name = "contacts"
    verbose_name = "Directory"

    def ready(self) -> None:
        user_login_failed.connect(import_string("contacts.sign_ins.keep_failed_sign_in"))
        user_logged_in.connect(import_string("contacts.sign_ins.start_session"))
        for signal, receiver in SECOND_FACTOR.items():
            import_string(f"allauth.mfa.signals.{signal}").connect(import_string(f"contacts.second_factor.{receiver}"))
