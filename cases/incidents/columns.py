"""The columns of an incident log: which of them the header names, by field name, label or what somebody said. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

#: Columns without which a log cannot be read, in the order of `RowReader.row`.
NEEDED = (
    "number",
    "incident_state",
    "priority",
    "sys_updated_at",
    "opened_at",
    "caller_id",
    "location",
    "assigned_to",
)
OPTIONAL = ("contact_type", "category", "subcategory", "u_symptom", "hold_reason")

#: Other names of a column, the better one first; labels are compared without capitals and signs.
ALIASES = {
    "number": ("incident_number", "incident_id", "incident", "ticket_number", "ticket"),
    "incident_state": ("state", "status"),
    "priority": ("severity", "urgency"),
    "sys_updated_at": ("sys_updated_on", "updated", "updated_at", "updated_on", "last_updated"),
    "opened_at": ("opened", "opened_on", "created", "created_at", "created_on", "sys_created_at", "sys_created_on"),
    "caller_id": ("caller", "caller_name", "caller_id_name", "requested_for", "requester"),
    "location": ("caller_id_location", "caller_location", "company", "caller_id_company", "caller_company", "account"),
    "assigned_to": ("assigned_to_name", "assignee"),
    "contact_type": ("channel", "contact_method"),
    "u_symptom": ("symptom", "short_description", "title", "summary"),
    "hold_reason": ("on_hold_reason",),
}
#: Columns whose `1 - High` is High, because they have no Critical.
THREE_GRADES = frozenset({"severity", "urgency"})

_SIGNS = re.compile(r"[\W_]+")


class NotALog(ValueError):
    """The file is no incident log; the message is a sentence that says why (S4)."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the fields of a row stand; `index` has the columns that the header names."""

    width: int
    index: Mapping[str, int]
    names: Sequence[str]  # the header as it is written

    @property
    def pick(self) -> Callable[[list[str]], tuple[str, ...]]:
        """What picks the fields in the order of `RowReader.row`.

        A column that is not there is read from the "?" that every row is given at its end.
        """
        return itemgetter(*(self.index.get(name, self.width) for name in NEEDED + OPTIONAL))

    def cell(self, cells: Sequence[str], name: str) -> str:
        """A field of a row that may be too short; "" where there is none."""
        index = self.index[name]
        return cells[index] if index < len(cells) else ""

    def label(self, name: str) -> str:
        """The column as the header of the file writes it."""
        return self.names[self.index[name]]

    @property
    def has_three_grades(self) -> bool:
        return _plain(self.label("priority")) in THREE_GRADES


def columns_of(header: Sequence[str], given: Mapping[str, str]) -> Columns | None:
    """The columns of a header; None when it lacks a needed one. `given` are headers that somebody named."""
    names = [name.strip().lstrip("\ufeff") for name in header]
    index = _index(names, given)
    return Columns(len(names), index, names) if all(name in index for name in NEEDED) else None


def why_no_header(header: Sequence[str], given: Mapping[str, str]) -> str:
    """The sentence for a header that lacks a needed column."""
    names = [name.strip().lstrip("\ufeff") for name in header]
    for field, name in given.items():
        if name not in names:
            return f"There is no column “{name}” for --column {field}; the header has {', '.join(filter(None, names))}."
    missing = [name for name in NEEDED if name not in _index(names, given)]
    of = "column" if len(missing) == 1 else "columns"
    return (
        f"This is no incident log: its header lacks the {of} {', '.join(missing)}; export it as well, or name the "
        f'column that stands for it, like --column {missing[0]}="its name".'
    )


def _index(names: Sequence[str], given: Mapping[str, str]) -> dict[str, int]:
    plain = [_plain(name) for name in names]
    index: dict[str, int] = {}
    for field in NEEDED + OPTIONAL:
        if field in given:
            if given[field] in names:
                index[field] = names.index(given[field])
            continue
        found = next((name for name in (field, *ALIASES.get(field, ())) if name in plain), None)
        if field in names:
            index[field] = names.index(field)
        elif found is not None:
            index[field] = plain.index(found)
    return index


def _plain(name: str) -> str:
    return _SIGNS.sub("_", name.casefold()).strip("_")
