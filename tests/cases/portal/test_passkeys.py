"""Passkeys of customers: what is no answer of a device opens and adds nothing (P1). A real one: test_in_browser.py."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from contacts.models import Contact, FailedSignIn, Passkey
from tests.support.builders import Desk
from tests.support.customers import HOME, SIGN_IN

pytestmark = pytest.mark.django_db
PASSKEY, PASSKEYS = "/support/sign-in/passkey/", "/support/passkeys/"

ODD = [
    "",
    "{",
    "[]",
    "null",
    "{}",
    "x" * 100_000,
    json.dumps({"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {}}),
    json.dumps({"id": 1, "rawId": [], "type": {}, "response": "x"}),
    json.dumps(
        {
            "id": "AAAA",
            "rawId": "AAAA",
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {"clientDataJSON": "e30", "authenticatorData": "AAAA", "signature": "AA", "userHandle": "AA"},
        }
    ),
]


def key_of(contact: Contact, **fields: Any) -> Passkey:
    return Passkey.objects.create(
        **{"contact": contact, "address": contact.email, "name": "Phone", "credential_id": "AAAA", "credential": "AAAA"}
        | {"added_at": timezone.now()}
        | fields
    )


@pytest.mark.parametrize("answer", ODD)
def test_what_proves_nothing_signs_nobody_in(client: Client, desk: Desk, answer: str):  # P1, S4
    key_of(desk.contact)
    asked = client.get(PASSKEY).json()["publicKey"]
    assert asked["userVerification"] == "required"
    assert not asked.get("allowCredentials")  # it says of nobody that they have one
    assert client.post(PASSKEY, {"credential": answer}).headers["Location"] == SIGN_IN
    assert client.get(HOME).status_code == 302
    assert FailedSignIn.objects.get().on_support_page


@pytest.mark.parametrize("answer", ODD)
def test_what_proves_nothing_adds_no_passkey(customer: Client, desk: Desk, answer: str):  # P1, S4
    customer.get("/support/passkeys/options/")
    page = customer.post(PASSKEYS, {"name": "Phone", "credential": answer}, follow=True)
    assert "No passkey was added" in page.content.decode()
    assert not Passkey.objects.exists()


def test_one_sees_and_removes_ones_own_passkeys_and_no_others(customer: Client, desk: Desk):  # P1, A3
    mine, others = (
        key_of(desk.contact),
        key_of(desk.other_company.contacts.get(is_help_desk=True), credential_id="BBBB", name="Theirs"),
    )
    former = key_of(desk.contact, credential_id="CCCC", name="Of the former address", address="former@example.com")
    page = customer.get(PASSKEYS).content.decode()
    assert ("Phone" in page, others.name in page, former.name in page) == (True, False, False)
    assert customer.post(f"{PASSKEYS}{others.pk}/remove/").status_code == 404
    assert customer.get(f"{PASSKEYS}{mine.pk}/remove/").status_code == 405
    assert customer.post(f"{PASSKEYS}{mine.pk}/remove/").status_code == 302
    assert not Passkey.objects.filter(pk=mine.pk).exists()


def test_strangers_are_asked_to_sign_in_before_they_add_a_passkey(client: Client):  # P1
    for address in (PASSKEYS, "/support/passkeys/options/"):
        assert client.get(address).headers["Location"].startswith(SIGN_IN)
    assert client.post(f"{PASSKEYS}1/remove/").headers["Location"] == SIGN_IN


def test_passkeys_are_limited_like_codes(client: Client):  # P1
    assert [client.post(PASSKEY).status_code for _ in range(31)] == [302] * 30 + [429]
