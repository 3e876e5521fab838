"""Read the incident log of another system: who called about what, and the states of each incident. Pure.

The log is a ServiceNow export: a header, then one row per update of an incident; a row is the incident's state from
its `sys_updated_at` on. Times are UTC and day first (`29/2/2016 01:16`), `?` means unknown. Import and replay share
this reader, so that they cannot disagree about what clocks are computed from (E3).

It is one pass over `csv.reader` rows, and each text that repeats (moments, names, priorities) is parsed once: a log
has many more rows than different texts.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import attrgetter, itemgetter
from typing import NamedTuple

from cases.enums import Channel, Severity, Status

UNKNOWN = "?"
#: Columns without which a log cannot be read.
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
OPTIONAL = ("contact_type", "category", "subcategory", "u_symptom")

SEVERITY_OF_PRIORITY = {
    "1": Severity.CRITICAL,
    "2": Severity.HIGH,
    "3": Severity.MEDIUM,
    "4": Severity.LOW,
}
#: An incident state that is not among these leaves the status as it was.
STATUS_OF_STATE = {
    "new": Status.ASSIGNED,
    "active": Status.IN_PROGRESS,
    "awaiting problem": Status.IN_PROGRESS,
    "awaiting vendor": Status.IN_PROGRESS,
    "awaiting evidence": Status.IN_PROGRESS,
    "awaiting user info": Status.WAITING,
    "resolved": Status.RESOLVED,
    "closed": Status.RESOLVED,
}
#: Portals and other machinery of the other system count as email.
CHANNEL_OF_TYPE = {"phone": Channel.PHONE, "ivr": Channel.PHONE, "chat": Channel.CHAT, "": Channel.PHONE}

#: A longer text makes a bad row; it is not cut off.
LONGEST_NUMBER = 40
LONGEST_NAME = 120
#: Years outside are typing errors.
YEARS = range(1970, 2101)

_MOMENT = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}) (\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)
_PRIORITY = re.compile(r"([1-4])(?:\s|-|$)")


class NotALog(ValueError):
    """The file is no incident log; the message is a sentence that says why (S4)."""


class State(NamedTuple):
    """From `at` (UTC) on, the incident was like this; `episode` counts its waits for the customer so far (F6)."""

    at: datetime
    status: Status
    severity: Severity
    episode: int
    assigned_to: str  # "" while nobody is known


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident of the log; what is unknown is "". `line` is where the first row of its life stands."""

    number: str
    line: int
    caller: str
    location: str
    channel: Channel
    category: str
    subcategory: str
    symptom: str
    opened_at: datetime
    states: tuple[State, ...]

    @property
    def assigned_to(self) -> str:
        return self.states[-1].assigned_to

    @property
    def title(self) -> str:
        """One line on what it is about, e.g. “Category 55, Subcategory 170: Symptom 72”."""
        subject = ", ".join(part for part in (self.category, self.subcategory) if part)
        return ": ".join(part for part in (subject, self.symptom) if part) or f"Incident {self.number}"


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was skipped: its line in the file (the header is line 1) and what is wrong with it (S4)."""

    line: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Log:
    """The incidents of a log by opening, and the rows that were skipped."""

    incidents: list[Incident]
    bad_rows: list[BadRow] = field(default_factory=list)
    ended_at: datetime | None = None  # the last update of a row that counts (UTC); None when no row does
    later_rows: int = 0  # rows after the moment up to which it was to be read


def read_log(lines: Iterable[str], until: datetime | None = None) -> Log:
    """Read a log from its lines (header included), leaving out every row after `until`.

    The rows of an incident count in the order of their `sys_updated_at`, those of one moment in the order of the
    file. Raises NotALog when there is no header with the columns it takes.
    """
    source = _Lines(lines)
    records = _records(source)
    width, pick = _columns(next(records, (1, []))[1] or [])
    words = _Words()
    lives: dict[str, list[_Row]] = {}
    bad_rows: list[BadRow] = []
    later_rows = 0
    for line, record in records:
        try:
            if record is None or len(record) != width:
                if record == []:
                    continue
                source.give_back()
                raise _Bad(_wrong_columns(record, width))
            record.append(UNKNOWN)
            row = words.row(line, *pick(record))
        except _Bad as bad:
            bad_rows.append(BadRow(line, str(bad)))
            continue
        if until is not None and row.at > until:
            later_rows += 1
            continue
        life = lives.get(row.number)
        if life is None:
            lives[row.number] = [row]
        else:
            life.append(row)
    return _as_log(lives, bad_rows, later_rows, until)


def _as_log(lives: dict[str, list[_Row]], bad_rows: list[BadRow], later_rows: int, until: datetime | None) -> Log:
    incidents: list[Incident] = []
    ended_at: datetime | None = None
    for rows in lives.values():
        rows.sort(key=_UPDATED)
        if until is not None and rows[0].opened_at > until:
            later_rows += len(rows)  # updated before it was opened: it counts from the opening, which is later
            continue
        if ended_at is None or rows[-1].at > ended_at:
            ended_at = rows[-1].at
        incidents.append(_incident(rows))
    incidents.sort(key=_BY_OPENING)
    return Log(incidents, bad_rows, ended_at, later_rows)


# --- one incident -----------------------------------------------------------------------------------------------


class _Row(NamedTuple):
    """What one row of the log says."""

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


_UPDATED = itemgetter(0)
_BY_OPENING = attrgetter("opened_at", "line")


def _incident(rows: Sequence[_Row]) -> Incident:
    """The incident that these rows, in their order, tell of."""
    first = rows[0]
    return Incident(
        number=first.number,
        line=first.line,
        caller=first.caller or _first_known(row.caller for row in rows),
        location=first.location or _first_known(row.location for row in rows),
        channel=CHANNEL_OF_TYPE.get(first.contact_type.casefold(), Channel.EMAIL),
        category=rows[-1].category or _first_known(row.category for row in reversed(rows)),
        subcategory=rows[-1].subcategory or _first_known(row.subcategory for row in reversed(rows)),
        symptom=rows[-1].symptom or _first_known(row.symptom for row in reversed(rows)),
        opened_at=first.opened_at,
        states=_states(rows),
    )


def _first_known(names: Iterable[str]) -> str:
    return next(filter(None, names), "")


def _states(rows: Sequence[_Row]) -> tuple[State, ...]:
    """The states the rows go through, a row that changes nothing left out.

    The first one holds from the opening; a later one that claims to be from before it counts from it. Rows of one
    moment count in their order, so a wait or a resolution of no length is there as well (F6, E2).
    """
    first = rows[0]
    opened_at, status, severity, assigned_to = first.opened_at, first.status, first.severity, first.assigned_to
    if status is None:
        status = Status.ASSIGNED
    episode = int(status is Status.WAITING)
    states = [State(opened_at, status, severity, episode, assigned_to)]
    for row in rows[1:]:
        now_status = row.status or status
        now_assigned = row.assigned_to or assigned_to
        if now_status is status and row.severity is severity and now_assigned == assigned_to:
            continue
        if now_status is Status.WAITING and status is not Status.WAITING:
            episode += 1
        status, severity, assigned_to = now_status, row.severity, now_assigned
        states.append(State(max(row.at, opened_at), status, severity, episode, assigned_to))
    return tuple(states)


# --- rows and words ---------------------------------------------------------------------------------------------


class _Bad(ValueError):
    """What is wrong with a row, in a sentence."""


class _Lines:
    """The lines of the file, counted; lines that a stray quotation mark swallowed can be given back."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._again: deque[str] = deque()
        self.taken: list[str] = []  # by the record that is being read
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.number += 1
        self.taken.append(line)
        return line

    def give_back(self) -> None:
        """Have all but the first line of the record read again, each as a row of its own."""
        swallowed = self.taken[1:]
        self._again.extendleft(reversed(swallowed))
        self.number -= len(swallowed)


def _records(lines: _Lines) -> Iterator[tuple[int, list[str] | None]]:
    """Each record with the number of its first line; None for one that is no CSV."""
    reader = csv.reader(lines)
    while True:
        lines.taken.clear()
        line = lines.number + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield line, None
        else:
            yield line, record


def _columns(header: Sequence[str]) -> tuple[int, Callable[[list[str]], tuple[str, ...]]]:
    """How wide a row is, and what picks its fields in the order of `_Words.row`. Raises NotALog."""
    names = [name.strip().lstrip("\ufeff") for name in header]
    if not any(names):
        raise NotALog("The log is empty: its first line has to name the columns.")
    missing = [name for name in NEEDED if name not in names]
    if missing:
        of = "column" if len(missing) == 1 else "columns"
        raise NotALog(f"This is no incident log: its header lacks the {of} {', '.join(missing)}.")
    # an optional column that is not there is read from the "?" that every row is given at its end
    indexes = [names.index(name) if name in names else len(names) for name in NEEDED + OPTIONAL]
    return len(names), itemgetter(*indexes)


def _wrong_columns(record: list[str] | None, width: int) -> str:
    if record is None:
        return "This is not a row of CSV; look for a stray quotation mark."
    has = "1 column" if len(record) == 1 else f"{len(record)} columns"
    return f"The row has {has} where the header has {width}."


class _Memo(dict[str, "datetime | Severity | Status | str | None"]):
    """A cache of parsed texts. A text that cannot be parsed raises _Bad each time."""

    def __init__(self, read: Callable[[str], datetime | Severity | Status | str | None]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: str) -> datetime | Severity | Status | str | None:
        value = self[text] = self._read(text)
        return value


class _Words:
    """The parsers of the columns, each with its cache."""

    def __init__(self) -> None:
        self._moments = _Memo(_moment)
        self._numbers = _Memo(_number)
        self._statuses = _Memo(_status)
        self._severities = _Memo(_severity)
        self._names = _Memo(_name)

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
    ) -> _Row:
        """What the fields of a row say. Raises _Bad with the sentence for the first one that cannot be read."""
        names = self._names
        return _Row(  # by position, because most of the time of reading a log is spent here
            self._moments[updated],  # type: ignore[arg-type]
            self._moments[opened],  # type: ignore[arg-type]
            line,
            self._numbers[number],  # type: ignore[arg-type]
            self._statuses[state],  # type: ignore[arg-type]
            self._severities[priority],  # type: ignore[arg-type]
            names[caller],  # type: ignore[arg-type]
            names[location],  # type: ignore[arg-type]
            names[assigned_to],  # type: ignore[arg-type]
            names[contact_type],  # type: ignore[arg-type]
            names[category],  # type: ignore[arg-type]
            names[subcategory],  # type: ignore[arg-type]
            names[symptom],  # type: ignore[arg-type]
        )


def _moment(text: str) -> datetime:
    match = _MOMENT.fullmatch(text.strip())
    if match:
        day, month, year, hour, minute, second = (int(part or 0) for part in match.groups())
        if year in YEARS:
            try:
                return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
            except ValueError:
                pass
    raise _Bad(f"“{_shown(text)}” is not a time; the log writes day first, like 29/2/2016 01:16.")


def _number(text: str) -> str:
    number = _name(text)
    if not number:
        raise _Bad("The row has no incident number.")
    if len(number) > LONGEST_NUMBER:
        raise _Bad(f"“{_shown(number)}” is longer than the {LONGEST_NUMBER} characters of an incident number.")
    return number


def _severity(text: str) -> Severity:
    match = _PRIORITY.match(text.strip())
    if not match:
        raise _Bad(f"“{_shown(text)}” is not a priority; it is 1 (Critical), 2 (High), 3 (Medium) or 4 (Low).")
    return SEVERITY_OF_PRIORITY[match[1]]


def _status(text: str) -> Status | None:
    return STATUS_OF_STATE.get(text.strip().casefold())


def _name(text: str) -> str:
    name = " ".join(text.split())
    if name == UNKNOWN:
        return ""
    if len(name) > LONGEST_NAME:
        raise _Bad(f"“{_shown(name)}” is longer than the {LONGEST_NAME} characters a name may have.")
    if any(letter < " " or letter == "\x7f" for letter in name):
        raise _Bad(f"“{_shown(name)}” holds characters that cannot be read.")
    return name


def _shown(text: str) -> str:
    """A text from the file as a sentence quotes it: short and readable."""
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text[:41])
    return shown if len(text) <= 40 else f"{shown[:40]}…"
