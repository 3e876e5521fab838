"""Messages that wait in triage, on the desk of everybody who works cases (M5, W1)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse

from cases.enums import WorkKind
from cases.models import ReceivedMail
from cases.work_items import SharedWork, shared_source
from contacts.enums import Right
from contacts.models import User

#: How far messages are counted.
COUNTED = 100


@shared_source
def triage_work(reader: User, now: datetime) -> SharedWork | None:
    """One row for all of them; whoever watches over the desk sees it when the oldest waits for longer than it may."""
    if not reader.may(Right.WORK_CASES):
        return None
    came_in = ReceivedMail.objects.in_triage().order_by("received_at").values_list("received_at", flat=True)
    arrivals = list(came_in[: COUNTED + 1])
    if not arrivals:
        return None
    count = f"{COUNTED}+" if len(arrivals) > COUNTED else str(len(arrivals))
    return SharedWork(
        WorkKind.TRIAGE,
        "Decide about a message" if len(arrivals) == 1 else f"Decide about {count} messages",
        "Mail that came in and that the desk may not act on by itself",
        count,
        "in triage",
        since=arrivals[0],
        due_at=arrivals[0] + timedelta(minutes=settings.DESK_TRIAGE_WITHIN_MINUTES),
        url=f"{reverse('admin:cases_receivedmail_changelist')}?tab=triage",
        button="Look at it" if len(arrivals) == 1 else "Look at them",
    )
