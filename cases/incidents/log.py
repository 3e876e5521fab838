"""Read the incident log of another system: who called about what, and the states of each incident. Pure.

The log is a ServiceNow export: a header, then one row per update of an incident; a row is the incident's state from
its `sys_updated_at` on. Import and replay share this reader, so that they cannot disagree about what clocks are
computed from (E3). What it says of an incident that it could not read whole is marked: `Log.held_back`.

It is one pass over the rows. What words mean is in `words`, moments in `dates`, headers in `columns`, files in `table`
and `sheet`, a row in `rows`.
"""

from __future__ import annotations

import gc
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from operator import attrgetter, itemgetter
from typing import NamedTuple

from cases.enums import Channel, Severity, Status
from cases.incidents.columns import Columns, NotALog
from cases.incidents.dates import YEARS, Moments, Order, looks_like_moment
from cases.incidents.rows import Row, RowReader, why_not_understood
from cases.incidents.table import Damaged, Table, csv_table, wide_fields
from cases.incidents.words import CHANNEL_OF_TYPE, Bad, is_cancelled, says_nothing, shown

__all__ = ["YEARS", "BadRow", "Incident", "Log", "NotALog", "ReadOptions", "State", "read_log", "read_table"]

#: Rows at which exports are usually cut.
EXPORT_LIMIT = 10_000
_DIGITS = re.compile(r"\d+")


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
    was_cancelled: bool = False  # the last row says so

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
    number: str = ""  # the incident that is held back for it, as far as that can be told


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the file does not say itself, or not in words that are known."""

    order: Order | None = None  # of day and month; None: the file proves it
    zone: tzinfo = UTC  # of moments without an offset
    columns: Mapping[str, str] = field(default_factory=dict)  # the header of a column with another name
    states: Mapping[str, Status] = field(default_factory=dict)  # by `key_of` the word
    severities: Mapping[str, Severity] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Log:
    """The incidents of a log by opening, and the rows that were skipped.

    An incident that is held back is among the incidents, as its other rows tell of it; whoever acts on a log takes
    `whole` instead.
    """

    incidents: list[Incident]
    bad_rows: list[BadRow] = field(default_factory=list)
    ended_at: datetime | None = None  # the last update of a row that counts (UTC); None when no row does
    later_rows: int = 0  # rows after the moment up to which it was to be read
    held_back: dict[str, BadRow] = field(default_factory=dict)  # by number: the first row that was not understood
    unknown_words: Counter[tuple[str, str]] = field(default_factory=Counter)  # (kind, word) by rows
    notes: list[str] = field(default_factory=list)  # how the file was read, where that was not certain
    cut_off_at: int | None = None  # the line in whose middle the file ends

    @property
    def whole(self) -> list[Incident]:
        """The incidents of which every row was understood."""
        return [one for one in self.incidents if one.number not in self.held_back]


def read_log(lines: Iterable[str], until: datetime | None = None, options: ReadOptions | None = None) -> Log:
    """Read a log from the lines of a CSV (header included), leaving out every row after `until`.

    The rows of an incident count in the order of their `sys_updated_at`, those of one moment in the order of the
    file. Raises NotALog when there is no header with the columns it takes.
    """
    options = options or ReadOptions()
    with wide_fields(), _no_collection():
        return read_table(csv_table(lines, options.columns, looks_like_moment), until, options)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Spare the garbage collector: reading keeps what it makes, and walking over it all again costs a fifth."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def read_table(table: Table, until: datetime | None, options: ReadOptions) -> Log:
    """Read a log from the rows of a file. Raises NotALog when it proves that it cannot be read right."""
    columns = table.columns
    reading = _Reading(columns, options, table)
    pick, row_of, lives = columns.pick, reading.reader.row, reading.lives
    row: Row | None = None
    for line, record in table.records:
        if isinstance(record, Damaged):
            reading.damaged.append((line, record, row))
            continue
        record.append("?")
        try:
            row = row_of(line, *pick(record))
        except Bad as bad:
            if any(cell.strip() for cell in record[:-1]):
                reading.take_bad(line, bad, columns.cell(record, "number"), row)
            continue
        life = lives.get(row.number)
        if life is None:
            lives[row.number] = [row]
        else:
            life.append(row)
    return reading.log(until)


class _Reading:
    """A log while it is read."""

    def __init__(self, columns: Columns, options: ReadOptions, table: Table) -> None:
        self.moments = Moments(options.order, options.zone, table.serials_from)
        self.reader = RowReader(self.moments, options.states, options.severities, columns.has_three_grades)
        self.lives: dict[str, list[Row]] = {}
        #: Each with the row read before it, whose incident a row without a number is taken to belong to.
        self.damaged: list[tuple[int, Damaged, Row | None]] = []
        self.unknown_words: Counter[tuple[str, str]] = Counter()
        self._columns = columns
        self._notes = list(table.notes)
        self._held_back: dict[str, BadRow] = {}

    def take_bad(self, line: int, bad: Bad, number: str, before: Row | None) -> None:
        """A row that cannot be read; its number, if it has one, is its own."""
        cells = () if says_nothing(number) else (number,)
        self.damaged.append((line, Damaged(str(bad), self.reader.number(number), cells), before))
        if bad.word:
            self.unknown_words[bad.word] += 1

    def log(self, until: datetime | None) -> Log:
        """What was read, once it was read to its end. Raises NotALog."""
        self._settle_order()
        bad_rows = self._bad_rows()
        incidents: list[Incident] = []
        later_rows = 0
        ended_at: datetime | None = None
        may_doubt = self.reader.may_doubt()
        for rows in self.lives.values():
            kept = rows if until is None else [row for row in rows if row.at <= until]
            later_rows += len(rows) - len(kept)
            if not kept:
                continue
            kept.sort(key=_UPDATED)
            if until is not None and kept[0].opened_at > until:
                later_rows += len(kept)  # updated before it was opened: it counts from the opening, which is later
                continue
            if ended_at is None or kept[-1].at > ended_at:
                ended_at = kept[-1].at
            if may_doubt:
                self._hold_back_unless_understood(kept)
            incidents.append(_incident(kept))
        incidents.sort(key=_BY_OPENING)
        if incidents and all(len(one.states) == 1 for one in incidents) and _has_closed(incidents):
            self._notes.append(
                "Every incident has a single state, which is taken to hold from its opening on: "
                "the log says how they stand, not how they came there."
            )
        if sum(map(len, self.lives.values())) + len(self.damaged) == EXPORT_LIMIT:
            self._notes.append(
                f"The log has exactly {EXPORT_LIMIT:,} rows, which looks like the limit of an export; "
                "see that none is missing."
            )
        return Log(
            incidents,
            bad_rows,
            ended_at,
            later_rows,
            held_back=self._held_back,
            unknown_words=self.unknown_words,
            notes=self._notes,
            cut_off_at=next((line for line, damaged, _ in self.damaged[-1:] if damaged.is_cut_off), None),
        )

    def _settle_order(self) -> None:
        moments = self.moments
        if moments.contradict:
            first, second = (shown(moments.proofs[order]) for order in Order)
            raise NotALog(
                f"Some times have the day first (“{first}”) and some the month (“{second}”): correct the file, or say "
                "which is meant with --date-order dmy or mdy, and incidents with the other are held back."
            )
        if moments.decide():
            for number, rows in self.lives.items():
                self.lives[number] = [self.reader.reread(row) for row in rows]
            self._notes.append(f"The month is read first, as “{shown(moments.proofs[Order.MONTH_FIRST])}” proves.")
        elif moments.is_guess:
            self._notes.append(
                f"No time tells whether the day or the month comes first, so “{shown(moments.undecided)}” is read day "
                "first; say --date-order mdy if that is wrong."
            )

    def _bad_rows(self) -> list[BadRow]:
        """The damaged rows with their incidents, which are held back; what only belongs to one's text is left out."""
        bad_rows: list[BadRow] = []
        for line, damaged, before in self.damaged:
            number = self._number_of(damaged)
            if damaged.was_swallowed and not number:
                continue  # a line of the text of the damaged row before
            sentence = damaged.sentence
            if not number and before is not None and len(damaged.cells) != 1:
                number = before.number
                sentence = f"{sentence.rstrip('.')}; it is taken to belong to {number}, the row above it."
            bad_rows.append(BadRow(line, sentence, number))
            if number:
                self._held_back.setdefault(number, bad_rows[-1])
        return bad_rows

    def _number_of(self, damaged: Damaged) -> str:
        """The incident of a damaged row, "" where it cannot be told: by the cell of the number, else by any other."""
        number = damaged.number
        if not self.reader.is_known(number) and _shape(number) not in self._shapes:
            number = next(filter(self.reader.is_known, damaged.cells), "")
        return self.reader.number(number)

    @cached_property
    def _shapes(self) -> set[str]:
        """What the numbers of the log look like, apart from their digits."""
        return {_shape(number) for number in self.lives}

    def _hold_back_unless_understood(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if row.status is None and not says_nothing(row.state):
                sentence, word = why_not_understood(row, "hold_reason" in self._columns.index)
                self.unknown_words[word] += 1
                self._held_back.setdefault(row.number, BadRow(row.line, sentence, row.number))


def _shape(number: str) -> str:
    return _DIGITS.sub("0", number.strip().casefold())


def _has_closed(incidents: Iterable[Incident]) -> bool:
    return any(one.states[0].status is Status.RESOLVED for one in incidents)


# --- one incident -----------------------------------------------------------------------------------------------


_UPDATED = itemgetter(0)
_BY_OPENING = attrgetter("opened_at", "line")


def _incident(rows: Sequence[Row]) -> Incident:
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
        was_cancelled=is_cancelled(rows[-1].state),
    )


def _first_known(names: Iterable[str]) -> str:
    return next(filter(None, names), "")


def _states(rows: Sequence[Row]) -> tuple[State, ...]:
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
