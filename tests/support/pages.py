"""Pages of the desk as one member of staff gets them."""

from __future__ import annotations

from django.test import Client

from contacts.models import User


def signed_in(user: User | None) -> Client:
    """A client in which a user is signed in; nobody for None."""
    client = Client()
    if user is not None:
        client.force_login(user)
    return client
