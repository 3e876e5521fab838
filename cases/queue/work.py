"""Callbacks about a case stand with what is wanted on it (W1, Q3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.urls import reverse

from cases.enums import WorkKind
from cases.models import Case, QueueEntry
from cases.page_cache import load_kept
from cases.queue.state import live_about, live_by_case
from cases.work_items import SharedWork, WorkItem, shared_source, work_source
from contacts.enums import Right
from contacts.models import User

#: How far callbacks are counted.
COUNTED = 100


@shared_source
def callbacks_owed(reader: User, now: datetime) -> SharedWork | None:
    """One row for all callers whom somebody has to call back (Q3)."""
    if not reader.may(Right.WORK_CASES):
        return None
    owed = list(QueueEntry.objects.callbacks().values_list("due_at", "in_line_since")[: COUNTED + 1])
    if not owed or owed[0][0] is None:
        return None
    count = f"{COUNTED}+" if len(owed) > COUNTED else str(len(owed))
    return SharedWork(
        WorkKind.CALL,
        "Call somebody back" if len(owed) == 1 else f"Call {count} people back",
        "Callers who left the line or hung up before anybody answered",
        count,
        "to call back",
        since=min(since for _, since in owed),
        due_at=owed[0][0],
        url=reverse("admin:cases_queueentry_board"),
        button="The board",
    )


@work_source
def callbacks(cases: Sequence[Case], reader: User, now: datetime) -> Iterator[WorkItem]:
    """Callers whom we promised to call back about these cases: the next available technician's (Q3). One query."""
    live = load_kept(live_about, cases, live_by_case)
    for case, entry in ((one, entry) for one in cases for entry in live[one.pk] if entry.waits_for_callback):
        who = f"Call {entry.who} back" + (f" on {entry.shown_number}" if entry.number else "")
        yield WorkItem(
            case,
            WorkKind.CALL,
            who,
            entry.due_at,
            entry.in_line_since,
            "the next available technician",
            reader.may(Right.WORK_CASES),
            owed_to_customer=True,
        )
