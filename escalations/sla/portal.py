"""What the support page says is promised next (P2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cases.models import Case
from cases.portal.state import promise_source
from escalations.enums import Member
from escalations.sla.state import SlaState, load_sla_states_for_page


@promise_source
def promised_to_customers(cases: Sequence[Case], now: datetime) -> dict[int, datetime]:
    """When each customer hears from us at the latest: the first response or the next update (T1, T2); ten queries."""
    states = load_sla_states_for_page(cases)
    found = {case.pk: min(_dues(states[case.pk]), default=None) for case in cases}
    return {key: due_at for key, due_at in found.items() if due_at is not None}


def _dues(state: SlaState) -> list[datetime]:
    response = state.open_response
    updates = [target.due_at for target in state.running if target.member == Member.CUSTOMER]
    return updates if response is None else [*updates, response.due_at]
