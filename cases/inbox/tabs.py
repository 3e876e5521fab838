"""The tabs of the list of received mail: what waits in triage, everything, and one kind each."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest

from cases.enums import ReceivedKind, ReceivedOutcome
from cases.models.inbox import ReceivedMailQuerySet
from contacts.enums import Right
from contacts.models import User

TRIAGE, EVERYTHING, NOT_DELIVERED = "triage", "everything", "not_delivered"
OUT_OF_OFFICE, AUTOMATIC, DISMISSED = "out_of_office", "automatic", "dismissed"
#: What of an address narrows no list.
NO_FILTER = ("p", "o", "e", "tab")


def tabs_of(user: User) -> list[tuple[str, str]]:
    """The tabs that the reader has, with their names; the first is shown when none is asked for."""
    decides = user.may(Right.WORK_CASES)
    return [
        *([(TRIAGE, "Triage")] if decides else []),
        (EVERYTHING, "Everything"),
        (NOT_DELIVERED, "Not delivered"),
        (OUT_OF_OFFICE, "Out of office"),
        (AUTOMATIC, "Automatic"),
        *([(DISMISSED, "Dismissed")] if decides else []),
    ]


def tab_of(request: HttpRequest) -> str:
    """The tab in the address; else the first of the reader's, or everything under another search or filter."""
    known, asked = [value for value, _ in tabs_of(cast(User, request.user))], request.GET.get("tab")
    if asked in known:
        return asked
    narrowed = any(value for name, value in request.GET.items() if name not in NO_FILTER)
    return EVERYTHING if narrowed else known[0]


def in_tab(mails: ReceivedMailQuerySet, tab: str) -> ReceivedMailQuerySet:
    """Those of the messages that stand under a tab."""
    if tab == TRIAGE:
        return mails.in_triage()
    if tab == NOT_DELIVERED:
        return mails.filter(kind__in=(ReceivedKind.BOUNCE, ReceivedKind.DELAY))
    if tab == OUT_OF_OFFICE:
        return mails.filter(kind=ReceivedKind.OUT_OF_OFFICE)
    if tab == AUTOMATIC:
        return mails.filter(kind=ReceivedKind.AUTOMATIC)
    return mails.filter(outcome=ReceivedOutcome.DISMISSED) if tab == DISMISSED else mails
