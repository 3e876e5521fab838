"""What the desk answers to a message by itself (D3, M6)."""

from __future__ import annotations

from collections.abc import Sequence

from cases.mail.letters import Letter, customer_address
from cases.mail.phrases import phrase
from cases.models import ReceivedMail
from contacts.models import Contact


def turned_away_letter(mail: ReceivedMail, contact: Contact, help_desk: Sequence[Contact]) -> Letter:
    """Points somebody who is not their corporate help desk to it, politely (D3)."""
    what = {
        "company_id": contact.company_id,
        "company": contact.company.name,
        "about": mail.subject,
        "help_desk": [{"name": desk.name, "reach": desk.phone or desk.email} for desk in help_desk],
        "why": phrase("you wrote to us"),
        "expected": phrase("Turn to your help desk; they open a case with us."),
        "next": phrase("Nothing more by itself: we wait to hear from your help desk."),
    }
    return Letter(f"turned-away:{mail.pk}", "turned_away", customer_address(contact, contact.company), what)
