"""What is wrong with incoming mail as a whole, for My desk and the health page (M5a)."""

from __future__ import annotations

from django.conf import settings

from cases.models import ReceivedMail
from contacts.directory import FURTHER_PROBLEMS


def senders_not_proven() -> list[str]:
    """Mail has come in, and no setting says which server proves its senders (M5a). One query, none with the setting."""
    if settings.MAIL_AUTH_SERVER or not ReceivedMail.objects.exists():
        return []
    return [
        "Senders are not proven, so all mail that comes in waits in triage: have MAIL_AUTH_SERVER name the mail server "
        "that checks them."
    ]


FURTHER_PROBLEMS.append(senders_not_proven)
