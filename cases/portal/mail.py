"""The letter with the code that opens the support page (P1)."""

from __future__ import annotations

from datetime import datetime

from cases.mail.letters import Letter, customer_address
from cases.mail.phrases import phrase
from contacts.models import Contact


def code_letter(contact: Contact, code: str, expires_at: datetime, now: datetime) -> Letter:
    """A code for a contact. Somebody sits and waits for it, so it goes before other mail, and not at all when late."""
    what = {
        "code": code,
        "minutes": round((expires_at - now).total_seconds() / 60),
        "company_id": contact.company_id,
        "why": phrase("somebody, perhaps you, asked for it on our support page"),
        "expected": phrase("Type the code where you asked for it. If you did not ask for it, do nothing."),
        "next": phrase("The code works once, and in that browser only. Nobody of us will ever ask you for it."),
    }
    to = customer_address(contact, contact.company)
    key = f"sign-in-code:{contact.pk}:{now.isoformat()}"
    return Letter(key, "sign_in_code", to, what, send_by=expires_at, needed_by=expires_at)
