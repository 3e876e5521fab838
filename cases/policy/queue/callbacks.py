"""When a callback is owed, and what a call in vain leads to (Q3, T1). Pure; all moments UTC."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from cases.enums import Severity
from cases.policy.first_response import INITIAL_RESPONSE
from cases.policy.severity import RANK

#: How often somebody is called again who did not answer, and how long after. **decision**
RETRIES = 2
RETRY_AFTER = timedelta(minutes=10)


def callback_due_at(arrived_at: datetime, open_severities: Iterable[Severity]) -> datetime:
    """When the caller is called back at the latest (T1), counted from their call.

    What they call about is not known: the target is that of the worst open case of their company, and at least that of
    Medium, as for everything that nobody has judged yet. **decision**
    """
    worst = min([Severity.MEDIUM, *open_severities], key=RANK.__getitem__)
    return arrived_at + INITIAL_RESPONSE[worst]


def call_again_at(tries: int, now: datetime) -> datetime | None:
    """When to call again after so many calls in vain; None after the last one."""
    return now + RETRY_AFTER if tries <= RETRIES else None
