"""Signing in to the support page with a code that is mailed (P1).

An address that nobody has is treated like one that somebody has: the same page after the same statements.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac

from cases.mail.letters import as_mail
from cases.portal.mail import code_letter
from contacts.models import Contact, SignInCode
from contacts.sign_ins import keep_failed_on_support_page

GOOD_FOR = timedelta(minutes=10)
TRIES = 3
DIGITS = 8
#: Under this the browser's session keeps the row of its code, what its digest needs besides, and what was typed.
PENDING = "support_code"


class Tried(Enum):
    """What came of trying a code."""

    RIGHT = "right"
    WRONG = "wrong"
    ENDED = "ended"  # used, too old, or wrong for the third time: a new one is needed


@dataclass(frozen=True)
class Try:
    outcome: Tried
    contact: Contact | None = None


def ask_for_code(request: HttpRequest, address: str, now: datetime) -> None:
    """Mail a code to the contact who is reached at the address; this browser alone can use it.

    Nobody is mailed who may not sign in; that is kept as a failed try.
    """
    contact = Contact.objects.may_sign_in().at_address(address).order_by("pk").first()
    code, nonce = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}", secrets.token_urlsafe(16)
    with transaction.atomic():
        row = SignInCode.objects.create(
            contact=contact, digest=_digest(code, nonce), asked_at=now, expires_at=now + GOOD_FOR
        )
        if contact is not None:
            as_mail(code_letter(contact, f"{code[:4]} {code[4:]}", row.expires_at, now), now).save()
        else:
            keep_failed_on_support_page(request, None)
    request.session[PENDING] = {"row": row.pk, "nonce": nonce, "address": address}


def address_of_code(request: HttpRequest) -> str:
    """Where the code went that this browser asked for, as it was typed; "" if it asked for none."""
    return str(request.session.get(PENDING, {}).get("address", ""))


def try_code(request: HttpRequest, typed: str, now: datetime) -> Try:
    """Try what somebody typed; blanks and hyphens do not matter. Each try is counted before it is looked at (P1)."""
    pending = request.session.get(PENDING)
    if not pending:
        return Try(Tried.ENDED)
    mine = SignInCode.objects.filter(pk=pending["row"], used_at=None)
    counted = mine.filter(tries__lt=TRIES, expires_at__gt=now).update(tries=F("tries") + 1)
    row = mine.select_related("contact").first()
    if not counted or row is None:
        forget_code(request)
        return Try(Tried.ENDED)
    digits = "".join(filter(str.isdigit, typed))
    if constant_time_compare(_digest(digits, pending["nonce"]), row.digest) and mine.update(used_at=now) == 1:
        contact = Contact.objects.may_sign_in().at_address(pending["address"]).filter(pk=row.contact_id or 0).first()
        forget_code(request)
        return Try(Tried.RIGHT, contact) if contact else Try(Tried.ENDED)
    keep_failed_on_support_page(request, row.contact)
    if row.tries < TRIES:
        return Try(Tried.WRONG)
    forget_code(request)
    return Try(Tried.ENDED)


def forget_code(request: HttpRequest) -> None:
    """Ask this browser for an address again."""
    request.session.pop(PENDING, None)


def _digest(code: str, nonce: str) -> str:
    return salted_hmac("cases.portal.sign-in-code", f"{nonce}:{code}", algorithm="sha256").hexdigest()
