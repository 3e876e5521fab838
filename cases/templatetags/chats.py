"""The chat in the composer of a case (P6)."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils import timezone

from cases.chat.state import chat_key, chat_lines, chat_standing, shown
from cases.models import QueueEntry

register = template.Library()


@register.simple_tag
def shown_chat(chat: QueueEntry) -> dict[str, Any]:
    """The lines of a chat and where it stands, as a page shows them first; three queries."""
    now = timezone.now()
    entry = shown(QueueEntry.objects.filter(pk=chat.pk)).get()
    return {
        "lines": chat_lines(entry),
        "standing": chat_standing(entry, now),
        "key": chat_key(entry, now),
        "newest": entry.newest or 0,  # type: ignore[attr-defined]
    }
