"""Hand-over as work (W1, W3): to accept for whoever is on duty at the centre that covers, late the Support Manager's;
to check for the owners before it goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.urls import reverse

from cases.enums import WorkKind
from cases.models import Case
from cases.work_items import SUPPORT_MANAGER, SharedWork, WorkItem, shared_source, work_source
from contacts.enums import Right
from contacts.models import Technician, User
from contacts.wording import and_list
from escalations.enums import HandoverState
from escalations.handover.state import handovers_for_page
from escalations.models import HandoverLine, HandoverSheet
from escalations.policy.handover import ACCEPT_WITHIN


def accept_limit(sheet: HandoverSheet) -> datetime:
    """Until when a sheet has to be accepted; of one that is not handed over yet, as far as one can say."""
    return sheet.accept_by or sheet.ends_at + ACCEPT_WITHIN


@work_source
def handovers(cases: Sequence[Case], reader: User, now: datetime) -> Iterator[WorkItem]:
    """Cases that wait to be accepted: of the centre that covers, then of the Support Manager. One query, and one more
    for a technician while there are any.
    """
    found = handovers_for_page(cases)
    waiting = [(case, line) for case in cases for line in found[case.pk] if line.is_open and case.is_open]
    if not waiting:
        return
    works = reader.may(Right.WORK_CASES)
    centre = getattr(reader, "technician", None) if works else None
    for case, line in waiting:
        sheet = line.sheet
        if case.owner_id != line.owner_id:
            continue
        is_managers = sheet.is_managers(now)
        is_there = centre is not None and centre.centre_id == sheet.to_centre_id and centre.on_duty
        for_reader = works and line.owner_id != reader.pk and (is_there or (is_managers and reader.may(Right.REASSIGN)))
        yield WorkItem(
            case,
            WorkKind.HANDOVER,
            f"Accept the hand-over from {sheet.giver}",
            accept_limit(sheet),
            sheet.sent_at or sheet.made_at,
            SUPPORT_MANAGER if is_managers or sheet.to_centre is None else str(sheet.to_centre),
            for_reader,
            "accept_handover",
            posts={"line": str(line.pk)},
        )


#: How far cases on sheets are counted.
COUNTED = 100


@dataclass(frozen=True)
class _Waiting:
    """Open cases on sheets that are not settled, as a desk counts them."""

    count: str
    is_one: bool
    since: datetime
    due_at: datetime
    url: str
    givers: str
    receivers: str

    def as_work(self, act: str, about: str, unit: str, due_at: datetime) -> SharedWork:
        """The one row that stands for all of it on a desk."""
        return SharedWork(
            WorkKind.HANDOVER,
            act,
            about,
            self.count,
            unit,
            since=self.since,
            due_at=due_at,
            url=self.url,
            button="The sheet",
            whose="",
        )


def _waiting(lines: Q) -> _Waiting | None:
    """What waits on these lines, None for nothing; one query, which begins with the sheets that are not settled."""
    rows = HandoverLine.objects.filter(lines, state=HandoverState.OPEN, sheet__settled_at=None)
    found = [
        line.sheet for line in rows.select_related("sheet__centre", "sheet__to_centre", "sheet__person")[: COUNTED + 1]
    ]
    if not found:
        return None
    sheets = list({sheet.pk: sheet for sheet in found}.values())
    lists = reverse("admin:escalations_handoversheet_changelist")
    return _Waiting(
        f"{COUNTED}+" if len(found) > COUNTED else str(len(found)),
        len(found) == 1,
        min(sheet.sent_at or sheet.made_at for sheet in sheets),
        min(accept_limit(sheet) for sheet in sheets),
        sheets[0].get_absolute_url() if len(sheets) == 1 else f"{lists}?state=open",
        and_list(dict.fromkeys(sheet.giver for sheet in sheets)),
        and_list(dict.fromkeys(sheet.receiver for sheet in sheets)),
    )


@shared_source
def to_accept(reader: User, now: datetime) -> SharedWork | None:
    """What waits to be accepted: one row for all cases, with a link to the sheet (W3)."""
    if not reader.may(Right.WORK_CASES):
        return None
    mine = Q(sheet__to_centre__in=Technician.objects.filter(user=reader, on_duty=True).values("centre"))
    if reader.may(Right.REASSIGN):
        mine |= Q(sheet__sent_at__isnull=False, sheet__accept_by__lte=now)
    waiting = _waiting(mine & ~Q(owner=reader))
    if waiting is None:
        return None
    act = (
        "Accept a case that is handed over" if waiting.is_one else f"Accept {waiting.count} cases that are handed over"
    )
    about = f"From {waiting.givers} to {waiting.receivers}"
    return waiting.as_work(act, about, "handed over", waiting.due_at)


@shared_source
def to_check(reader: User, now: datetime) -> SharedWork | None:
    """The reader's own cases on a sheet that goes at the end of the day: whether their lines say what matters (W3)."""
    if not reader.may(Right.WORK_CASES):
        return None
    waiting = _waiting(Q(owner=reader, sheet__sent_at=None))
    if waiting is None:
        return None
    act = "Check the line of your case" if waiting.is_one else f"Check the lines of your {waiting.count} cases"
    about = f"They go to {waiting.receivers} at the end of the day"
    return waiting.as_work(act, about, "to hand over", waiting.due_at - ACCEPT_WITHIN)
