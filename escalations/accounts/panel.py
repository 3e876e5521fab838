"""The switch of the daily digest on the desk of those who look after companies (W4)."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.urls import reverse

from cases.dashboard import Card, card
from contacts.enums import LOOKING_AFTER
from contacts.models import User


@card(place=64)
def daily_digest(user: User, now: datetime) -> Card | None:
    """Whether the digest comes, and a button that switches it; no query."""
    if user.role not in LOOKING_AFTER:
        return None
    context = {
        "on": user.daily_digest,
        "at": f"{settings.DESK_DIGEST_AT:%H:%M}",
        "address": user.email,
        "switch": reverse("admin:contacts_company_daily_digest"),
    }
    return Card("Daily digest", "admin/escalations/digest_card.html", context, aside=True)
