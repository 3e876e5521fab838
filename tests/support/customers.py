"""The support page as one contact gets it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.conf import settings
from django.test import Client

from cases.models import Mail
from cases.portal.visitors import CONTACT, PROVED_ADDRESS
from contacts.entrances import SUPPORT_COOKIE, SUPPORT_PATH
from contacts.models import Contact

SIGN_IN, CODE, HOME = "/support/sign-in/", "/support/sign-in/code/", "/support/"


def signed_in_customer(contact: Contact) -> Client:
    """A client in which a contact is signed in on the support page, without the sign-in page."""
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[PROVED_ADDRESS], session[CONTACT] = contact.email.lower(), contact.pk
    session.save()
    client = Client()
    client.cookies[SUPPORT_COOKIE] = session.session_key
    client.cookies[SUPPORT_COOKIE]["path"] = SUPPORT_PATH
    return client


def mailed_code(address: str) -> str:
    """The newest code that is on its way to an address."""
    mail = Mail.objects.filter(template="sign_in_code", to_address__iexact=address).latest("pk")
    return mail.facts["code"]


def ask(client: Client, address: str, **more: Any) -> Any:
    return client.post(SIGN_IN, {"email": address}, follow=True, **more)


def sign_in_by_code(client: Client, address: str) -> Any:
    """Ask for a code and type it; the page that follows."""
    ask(client, address)
    return client.post(CODE, {"code": mailed_code(address)}, follow=True)
