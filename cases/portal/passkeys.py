"""Passkeys of customers (P1): a key on their device, added after a code, that signs them in without one.

The ceremonies are WebAuthn's, checked by fido2. What a ceremony asked for waits in the browser's session and is good
once.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.db.models import F, Q
from django.http import HttpRequest
from django.http.request import split_domain_port
from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from contacts.models import Contact, Passkey

#: Under this the session keeps what a ceremony asked for.
CEREMONY = "support_passkey"
MOST = 10
LONGEST = 64_000


class PasskeyRefused(Exception):
    """What the browser sent proves nothing."""


def options_to_add(request: HttpRequest, contact: Contact) -> dict[str, Any]:
    """What the browser needs in order to make a passkey for a contact who is signed in."""
    user = PublicKeyCredentialUserEntity(
        id=f"contact-{contact.pk}".encode(), name=contact.email, display_name=contact.name
    )
    options, request.session[CEREMONY] = _server(request).register_begin(
        user,
        [_credential(key) for key in of_contact(contact)],
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return dict(options)


def add(request: HttpRequest, contact: Contact, name: str, answer: str, now: datetime) -> Passkey:
    """Keep the passkey that the browser made. Raises PasskeyRefused."""
    try:
        response = RegistrationResponse.from_dict(_read(answer))
        made = _server(request).register_complete(request.session.pop(CEREMONY, {}), response)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise PasskeyRefused from error
    credential = made.credential_data
    if credential is None or of_contact(contact).count() >= MOST:
        raise PasskeyRefused
    key, created = Passkey.objects.get_or_create(
        credential_id=websafe_encode(credential.credential_id),
        defaults={
            "contact": contact,
            "address": contact.email,
            "name": name,
            "credential": websafe_encode(bytes(credential)),
            "uses": made.counter,
            "added_at": now,
        },
    )
    if not created:
        raise PasskeyRefused
    return key


def options_to_sign_in(request: HttpRequest) -> dict[str, Any]:
    """What the browser needs in order to use a passkey; it names nobody, so it tells nothing about who has one."""
    options, request.session[CEREMONY] = _server(request).authenticate_begin(
        user_verification=UserVerificationRequirement.REQUIRED
    )
    return dict(options)


def sign_in_with(request: HttpRequest, answer: str, now: datetime) -> Contact:
    """The contact whose passkey was used, if the support page lets them in. Raises PasskeyRefused."""
    ceremony = request.session.pop(CEREMONY, {})
    try:
        response = AuthenticationResponse.from_dict(_read(answer))
        key = Passkey.objects.filter(credential_id=websafe_encode(response.raw_id)).first()
        if key is None:
            raise PasskeyRefused
        _server(request).authenticate_complete(ceremony, [_credential(key)], response)
        counted = response.response.authenticator_data.counter
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise PasskeyRefused from error
    # A device that counts goes on counting: one that does not is a copy of it.
    went_on = Q(uses__lt=counted) if counted else Q(uses=0)
    contact = Contact.objects.may_sign_in().at_address(key.address).filter(pk=key.contact_id).first()
    if contact is None or not Passkey.objects.filter(went_on, pk=key.pk).update(uses=counted, used_at=now):
        raise PasskeyRefused
    return contact


def of_contact(contact: Contact) -> Any:
    """The passkeys that open the support page to a contact: those of the address they have now."""
    return contact.passkeys.filter(address__iexact=F("contact__email"))


def _server(request: HttpRequest) -> Fido2Server:
    host = split_domain_port(request.get_host())[0]
    return Fido2Server(PublicKeyCredentialRpEntity(id=host, name="Support"))


def _credential(key: Passkey) -> AttestedCredentialData:
    return AttestedCredentialData(websafe_decode(key.credential))


def _read(answer: str) -> dict[str, Any]:
    """What the browser sent, as JSON. Raises ValueError, TypeError."""
    if len(answer) > LONGEST:
        raise ValueError
    read = json.loads(answer)
    if not isinstance(read, dict):
        raise TypeError
    return read
