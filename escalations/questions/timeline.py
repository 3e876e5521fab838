"""Answers in the conversation of a case, under the name of what asked for them (E8)."""

from __future__ import annotations

from collections.abc import Iterator

from cases.models import Case
from cases.timeline import Entry, timeline_source
from escalations.clocks import questions_of
from escalations.enums import QuestionEnd


@timeline_source
def answers(case: Case, enough: int) -> Iterator[Entry]:
    """Each answer, in place of the note that was logged with it; no query beyond that of the panel."""
    for row in [one for one in questions_of(case) if one.end == QuestionEnd.ANSWERED][:enough]:
        assert row.ended_at is not None
        yield Entry(
            at=row.ended_at,
            kind="answer",
            icon="quickreply",
            title=f"Answer to {row.point}",
            who=str(row.answered_by or ""),
            body=row.answer,
            lines=[f"For the customer: {row.for_customer}"] if row.for_customer else [],
        )
