"""What one row of an incident log says. Pure.

Each text that repeats (moments, names, priorities) is parsed once: a log has many more rows than different texts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple, TypeVar

from cases.enums import Severity, Status
from cases.incidents.dates import Moments
from cases.incidents.words import (
    STATUS_OF_STATE,
    Bad,
    Odd,
    description_of,
    key_of,
    name_of,
    number_of,
    says_nothing,
    severity_of,
    shown,
    status_of,
    status_on_hold,
)

V = TypeVar("V")


class Row(NamedTuple):
    """What one row of the log says. `status` is None where it says nothing of it, or nothing that is understood."""

    at: datetime
    opened_at: datetime
    line: int
    number: str
    status: Status | None
    severity: Severity
    caller: str
    location: str
    assigned_to: str
    contact_type: str
    category: str
    subcategory: str
    symptom: str
    state: str  # as the file writes it
    reason: str  # to hold; as the file writes it
    updated: str  # as the file writes it, because a later row may settle the order of its days and months
    opened: str


class _Memo(dict[str, V]):
    """A cache of parsed texts. A text that cannot be parsed raises Bad each time."""

    def __init__(self, parse: Callable[[str], V]) -> None:
        super().__init__()
        self._parse = parse

    def __missing__(self, text: str) -> V:
        value = self[text] = self._parse(text)
        return value


class RowReader:
    """The parsers of the columns, each with its cache."""

    def __init__(
        self,
        moments: Moments,
        states: Mapping[str, Status],
        severities: Mapping[str, Severity],
        has_three_grades: bool = False,
    ) -> None:
        self.moments = moments
        self._numbers = _Memo(self._number)
        self._spellings: dict[str, str] = {}
        self._given = states
        self.statuses = _Memo(lambda text: status_of(text, states))
        self.severities = _Memo(lambda text: severity_of(text, severities, word_first=has_three_grades))
        self._names = _Memo(name_of)
        self._descriptions = _Memo(description_of)

    def row(
        self,
        line: int,
        number: str,
        state: str,
        priority: str,
        updated: str,
        opened: str,
        caller: str,
        location: str,
        assigned_to: str,
        contact_type: str,
        category: str,
        subcategory: str,
        symptom: str,
        reason: str,
    ) -> Row:
        """What the fields of a row say. Raises Bad with the sentence for the first one that cannot be read."""
        moments, names, descriptions = self.moments, self._names, self._descriptions
        status = self.statuses[state]
        if status is Odd.ON_HOLD:
            status = status_on_hold(state, reason, self._given)
        return Row(  # by position, because most of the time of reading a log is spent here
            moments[updated],
            moments[opened],
            line,
            self._numbers[number],
            None if status.__class__ is Odd else status,  # type: ignore[arg-type]
            self.severities[priority],
            names[caller],
            names[location],
            names[assigned_to],
            descriptions[contact_type],
            descriptions[category],
            descriptions[subcategory],
            descriptions[symptom],
            state,
            reason,
            updated,
            opened,
        )

    def reread(self, row: Row) -> Row:
        """The row with its moments in the order that was settled after it was read."""
        return row._replace(at=self.moments[row.updated], opened_at=self.moments[row.opened])

    def may_doubt(self) -> bool:
        """Whether there was a state whose meaning is not known by itself."""
        return any(isinstance(status, Odd) for status in self.statuses.values())

    def number(self, text: str) -> str:
        """The number as its incident was first spelled, "" where there is none: `INC1` and `inc1` are one."""
        try:
            return self._numbers[text]
        except Bad:
            return ""

    def is_known(self, number: str) -> bool:
        """Whether a text is the number of an incident of which a row was read."""
        return number.casefold() in self._spellings

    def _number(self, text: str) -> str:
        number = number_of(text)
        return self._spellings.setdefault(number.casefold(), number)


def why_not_understood(row: Row, has_reasons: bool) -> tuple[str, tuple[str, str]]:
    """The sentence for a state whose meaning is not known, and its word with its kind."""
    state = shown(row.state.strip())
    if STATUS_OF_STATE.get(key_of(row.state)) is not Odd.ON_HOLD:
        return f'“{state}” is not a state; say what it means, like --state "{state}=in progress".', ("state", state)
    if says_nothing(row.reason):
        why = "gives no reason" if has_reasons else "has no column “On hold reason” (hold_reason)"
        return (
            f"“{state}” waits for the customer or for others, and the log {why}; "
            f'export it, or say --state "{state}=waiting" or "{state}=in progress".',
            ("state", state),
        )
    reason = shown(row.reason.strip())
    return (
        f'“{reason}” is not a reason to hold; say --state "{state}=waiting" or "{state}=in progress".',
        ("reason to hold", reason),
    )
