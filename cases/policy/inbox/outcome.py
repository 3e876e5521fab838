"""What becomes of a message that came in: one table, its first row that fits decides (M5, M5a, M6).

Only what our own mail server has proven acts, and of that only a person's word and a note of absence. A bounce acts if
it returns a message of ours. Everything else waits in triage for a person, or needs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from cases.enums import ReceivedKind


class Writer(Enum):
    """Whose address a message names as its sender."""

    STRANGER = auto()
    HELP_DESK = auto()  # a contact of a corporate help desk (D3)
    COLLEAGUE = auto()  # another contact
    LEFT = auto()  # only contacts who are inactive (D9)
    SEVERAL = auto()  # contacts of several companies
    STAFF = auto()
    OURSELVES = auto()  # an address of the desk, or a message of ours


class CaseMatch(Enum):
    """What a message says of the case that it belongs to."""

    NONE = auto()
    ONE = auto()
    SEVERAL = auto()


class Effect(Enum):
    """What a message sets off."""

    TRIAGE = auto()
    NOTHING = auto()
    LOG = auto()
    OPEN = auto()
    TURN_AWAY = auto()
    ABSENCE = auto()
    STAFF_REPLY = auto()
    BOUNCE = auto()
    DELAY = auto()


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """What is known of a message when it is decided on."""

    kind: ReceivedKind
    writer: Writer = Writer.STRANGER
    is_proven: bool = False
    match: CaseMatch = CaseMatch.NONE
    of_same_company: bool = False  # the writer, and the case that was found
    is_case_open: bool = False
    is_contact_of_case: bool = False
    was_written_to: bool = False  # the message that it answers went to the writer's address
    returns_ours: bool = False  # a bounce or a delay: our Message-ID, or the signed address of whom it did not reach
    names_somebody_known: bool = False  # a bounce: a contact, or a member of staff
    subject_names_case: bool = False  # of the writer's company


@dataclass(frozen=True, slots=True)
class InboxDecision:
    """What becomes of a message, and why, in a sentence."""

    effect: Effect
    why: str


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of the table: it fits if every fact that it names has that value."""

    effect: Effect
    why: str
    when: Mapping[str, object] = field(default_factory=dict)

    def fits(self, facts: MessageFacts) -> bool:
        return all(getattr(facts, name) == value for name, value in self.when.items())


def _row(effect: Effect, why: str, **when: object) -> TableRow:
    return TableRow(effect, why, when)


_K, _W, _M = ReceivedKind, Writer, CaseMatch

TABLE = (
    _row(Effect.TRIAGE, "It cannot be read.", kind=_K.UNREADABLE),
    # what mail servers say: they cannot be proven, what they return can (M5)
    _row(Effect.BOUNCE, "A message of ours did not arrive.", kind=_K.BOUNCE, returns_ours=True),
    _row(
        Effect.TRIAGE,
        "It says that a mail to somebody the desk knows did not arrive, but returns no message of ours, so nothing was "
        "marked.",
        kind=_K.BOUNCE,
        names_somebody_known=True,
    ),
    _row(Effect.NOTHING, "It returns no message of ours.", kind=_K.BOUNCE),
    _row(Effect.DELAY, "A message of ours is late; the server goes on trying.", kind=_K.DELAY, returns_ours=True),
    _row(Effect.NOTHING, "It speaks of no message of ours.", kind=_K.DELAY),
    # no loop (M6)
    _row(Effect.NOTHING, "It is a mail of the desk itself that came back.", writer=_W.OURSELVES),
    _row(Effect.NOTHING, "A program wrote it; only a person's word counts.", kind=_K.AUTOMATIC),
    # nothing unproven acts (M5a)
    _row(Effect.TRIAGE, "Its sender is not proven, so nothing was done.", is_proven=False),
    _row(Effect.TRIAGE, "It names several cases, so nobody but a person can tell which is meant.", match=_M.SEVERAL),
    # staff (E8)
    _row(Effect.NOTHING, "A member of staff is out of office.", writer=_W.STAFF, kind=_K.OUT_OF_OFFICE),
    _row(Effect.STAFF_REPLY, "A member of staff answers a mail about the case.", writer=_W.STAFF, match=_M.ONE),
    _row(Effect.TRIAGE, "A member of staff wrote it, and it belongs to no case.", writer=_W.STAFF),
    # customers
    _row(Effect.TRIAGE, "Its sender is no contact.", writer=_W.STRANGER),
    _row(Effect.TRIAGE, "Its sender has left: the contact is inactive.", writer=_W.LEFT),
    _row(
        Effect.TRIAGE,
        "Its sender is a contact of several companies, and it belongs to no case of theirs.",
        writer=_W.SEVERAL,
    ),
    _row(
        Effect.TRIAGE,
        "It belongs to a case of another company than its sender's.",
        match=_M.ONE,
        of_same_company=False,
    ),
    # absences (F5)
    _row(
        Effect.NOTHING,
        "Its sender is out of office, and the case is resolved: nobody is waited for.",
        kind=_K.OUT_OF_OFFICE,
        match=_M.ONE,
        is_case_open=False,
    ),
    _row(
        Effect.ABSENCE,
        "The contact of the case is out of office.",
        kind=_K.OUT_OF_OFFICE,
        match=_M.ONE,
        is_contact_of_case=True,
    ),
    _row(
        Effect.NOTHING,
        "Its sender is out of office, who got a copy and is not the contact of the case.",
        kind=_K.OUT_OF_OFFICE,
        match=_M.ONE,
        was_written_to=True,
    ),
    _row(
        Effect.TRIAGE,
        "It is a note of absence, but not from whom we wrote to.",
        kind=_K.OUT_OF_OFFICE,
        match=_M.ONE,
    ),
    _row(Effect.TRIAGE, "It is a note of absence that belongs to no case.", kind=_K.OUT_OF_OFFICE),
    # a person's word (M5, D3)
    _row(Effect.LOG, "It belongs to the case.", match=_M.ONE),
    _row(
        Effect.TRIAGE,
        "Its subject names a case, but it answers no mail of ours; a subject alone is not trusted.",
        subject_names_case=True,
    ),
    _row(Effect.OPEN, "A help desk wrote it, and it belongs to no case.", writer=_W.HELP_DESK),
    _row(Effect.TURN_AWAY, "Its sender is not their corporate help desk.", writer=_W.COLLEAGUE),
    _row(Effect.TRIAGE, "Nothing fits it."),
)


def decide(facts: MessageFacts) -> InboxDecision:
    """What becomes of a message (M5)."""
    row = next(row for row in TABLE if row.fits(facts))
    return InboxDecision(row.effect, row.why)
