"""Addresses that mail can be sent to: whatever a form accepts can stand in a header and in an envelope."""

from __future__ import annotations

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

LONGEST_LOCAL_PART = 64  # RFC 5321
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def ascii_domain(domain: str) -> str:
    """The domain as mail servers know it: müller.example is xn--mller-kva.example. Raises UnicodeError."""
    return domain if domain.isascii() else domain.encode("idna").decode("ascii")


def ascii_address(address: str) -> str:
    """The address with the domain as mail servers know it. Raises UnicodeError if it cannot be mailed."""
    local, at, domain = address.rpartition("@")
    return (local + at + ascii_domain(domain)).encode("ascii").decode("ascii")


def validate_mailable(address: str) -> None:
    """Raises ValidationError with what is wrong and what to do. Use it beside Django's own check of the form."""
    local, _, domain = address.rpartition("@")
    if not local.isascii() or _CONTROL.search(local) or local == '""':
        raise ValidationError(
            "What stands before the @ has letters that mail servers do not take: use another address of this person.",
            code="local_part",
        )
    if len(local) > LONGEST_LOCAL_PART:
        raise ValidationError(
            "What stands before the @ is longer than the 64 characters that mail servers take: correct the address.",
            code="local_part",
        )
    if not _is_known_to_servers(domain):
        raise ValidationError(
            "The domain after the @ cannot be mailed as it is written: write it in its xn-- form.", code="domain"
        )


def is_mailable(address: str) -> bool:
    """Whether mail can be sent to and from the address."""
    try:
        validate_email(address)
        validate_mailable(address)
    except ValidationError:
        return False
    return True


def _is_known_to_servers(domain: str) -> bool:
    """Whether the domain has one ASCII form. Of “ß” and three other letters two are in use, which differ."""
    if domain.isascii():
        return True
    try:
        return ascii_domain(domain).encode().decode("idna") == unicodedata.normalize("NFKC", domain).lower()
    except UnicodeError:
        return False
