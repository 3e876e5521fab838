"""Accept a case that is handed over, in one click (W3)."""

from __future__ import annotations

from cases.actions import CaseAction, RowField, register_action
from contacts.enums import Right
from escalations.enums import HandoverState
from escalations.handover import apply
from escalations.handover.state import handovers_of
from escalations.models import HandoverLine


@register_action
class AcceptHandover(CaseAction):
    slug, label, icon = "accept_handover", "Accept", "handshake"
    hint = "The case becomes yours with everything that is owed on it; the former owner goes on watching it."
    right = Right.WORK_CASES
    in_composer = False

    line = RowField(
        HandoverLine.objects.all(),
        "Say which hand-over is accepted.",
        "This hand-over does not belong to the case",
    )

    def offered(self) -> bool:
        return any(
            line.state == HandoverState.OPEN and line.owner_id != self.actor.pk for line in handovers_of(self.case)
        )

    def perform(self) -> str:
        line = self.cleaned_data["line"]
        done = apply.accept(line.sheet_id, self.actor, self.now, lines=[line.pk])
        return f"{self.case.number} is {done.changes[0].after}'s now." if done.changes else f"Left: {done.why_left}."
