"""Hand-overs in the conversation of a case (W3)."""

from __future__ import annotations

from collections.abc import Iterator

from cases.models import Case
from cases.timeline import Entry, timeline_source
from escalations.enums import HandoverState
from escalations.handover.state import handovers_of
from escalations.models import HandoverLine


@timeline_source
def handovers(case: Case, enough: int) -> Iterator[Entry]:
    """Each hand-over that went, and what became of it; no query beyond that of the panel. The change of owner, with its
    history row, is an entry of its own.
    """
    for line in handovers_of(case)[:enough]:
        sheet = line.sheet
        if sheet.sent_at is not None:
            yield Entry(
                at=sheet.sent_at,
                kind="change",
                icon="sync_alt",
                title=f"Handed over to {sheet.receiver}",
                who=str(line.owner),
                body=line.stands,
                lines=[_outcome(line)],
            )


def _outcome(line: HandoverLine) -> str:
    if line.state == HandoverState.ACCEPTED:
        to = f", for {line.new_owner}" if line.new_owner_id != line.accepted_by_id else ""
        return f"{line.accepted_by} accepted it{to}."
    return f"{line.get_state_display()}."
