"""People and how to reach them."""

from django.apps import AppConfig


class ContactsConfig(AppConfig):
    """Companies, contacts, staff, support centres, roles, lines, calendars."""

    name = "contacts"
    verbose_name = "Directory"
