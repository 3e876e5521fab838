"""Pages of the desk as one member of staff gets them."""

from __future__ import annotations

from django.test import Client

from cases.models import Case
from contacts.models import User


def signed_in(user: User | None) -> Client:
    """A client in which a user is signed in; nobody for None."""
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


#: How a script asks for a part of a page.
BY_SCRIPT = {"HX-Request": "true"}


def panel_of(client: Client, case: Case, slug: str) -> str:
    """The opened row of the side column; "" where the case has no such row."""
    address = case.get_absolute_url().removesuffix("change/")
    answer = client.get(f"{address}panels/{slug}/", headers=BY_SCRIPT)
    assert answer.status_code in (200, 404), answer.status_code
    return answer.content.decode() if answer.status_code == 200 else ""


def form_of(client: Client, case: Case, slug: str) -> str:
    """The form of an action; "" where it is not offered."""
    address = case.get_absolute_url().removesuffix("change/")
    answer = client.get(f"{address}do/{slug}/", headers=BY_SCRIPT)
    assert answer.status_code in (200, 302), answer.status_code
    return answer.content.decode() if answer.status_code == 200 else ""
