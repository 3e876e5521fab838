"""When the steps of a wait were due that the desk carried out late, for the history of a case (F7)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from cases.due_lines import due_source
from cases.enums import Move
from cases.models import Case, FollowUp


@due_source(Move.FOLLOWED_UP)
def steps_due(case: Case, moments: Collection[datetime]) -> Iterator[tuple[datetime, str, datetime]]:
    """The steps of the ledger that were done at these moments; one query."""
    for row in FollowUp.objects.filter(case=case, done_at__in=moments, interaction=None).order_by("due_at", "pk"):
        yield row.done_at, row.get_step_display(), row.due_at
