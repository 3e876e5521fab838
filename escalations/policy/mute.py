"""What stops for an account manager or customer engineer who mutes a case, and how its clocks count meanwhile (T5).

Whoever mutes a case leaves the audience of its status updates until they want them again. Pure.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from escalations.enums import Member
from escalations.policy.cadence import CadenceChange

#: Mail to staff about one case that is stopped while its reader mutes the case: whatever only tells how it stands.
#: Parts of the digest of a sweep are named after it. Every other message goes on.
STOPPED = frozenset({"staff_lines:update", "staff_lines:turn", "status_by_person_to_staff", "status_answer"})
#: What goes on to whoever looks after a company, muted or not: somebody asks or decides something, or the case is new.
GOES_ON = frozenset(
    {
        "escalation",
        "management_attention",
        "escalation_asked_for",
        "escalation_request_outcome",
        "contract_question",
        "critical_case",
    }
)

#: Why an account manager is owed updates again.
WANTED_AGAIN = "the account manager wants updates again"


@dataclass(frozen=True, slots=True)
class Mute:
    """A time in which the account manager wants no updates; still so without `until`. UTC."""

    since: datetime
    until: datetime | None = None

    def covers(self, moment: datetime) -> bool:
        """Whether it holds at the moment: from its beginning, not at its end."""
        return self.since <= moment and (self.until is None or moment < self.until)


def mutes_of_manager(rows: Iterable[Mapping[str, Any]]) -> list[Mute]:
    """The mutes among those that a case keeps which were its account manager's."""
    return [
        Mute(datetime.fromisoformat(row["since"]), datetime.fromisoformat(row["until"]) if row["until"] else None)
        for row in rows
        if row["by_manager"]
    ]


def without_muted(changes: Sequence[CadenceChange], mutes: Sequence[Mute]) -> list[CadenceChange]:
    """Who is owed updates how often, without the account manager while they mute the case (T2).

    A mute ends what they were owed; afterwards their clock begins anew, as for somebody who joins the audience.
    """
    if not mutes or not changes:
        return list(changes)
    starts = [change.at for change in changes]
    ends = {mute.until for mute in mutes if mute.until is not None}
    found: list[CadenceChange] = []
    for mark in sorted({*starts, *ends, *(mute.since for mute in mutes)}):
        if mark < starts[0]:
            continue
        current = changes[bisect_right(starts, mark) - 1]
        is_muted = any(mute.covers(mark) for mute in mutes)
        owed = {who: every for who, every in current.owed.items() if not (is_muted and who == Member.ACCOUNT_MANAGER)}
        why = WANTED_AGAIN if mark in ends and mark != current.at else current.why
        change = replace(current, at=mark, owed=owed, why=why)
        if not found or not change.is_like(found[-1]):
            found.append(change)
    return found
