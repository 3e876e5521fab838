"""What the words of an incident log mean: states, reasons to hold, priorities, ways in, names. Pure.

The words are those of the ServiceNow family, in any letter case, with or without the number that an export puts before
them (`2 - In Progress`, `2`). A word that is not among them is never guessed at: its incident is held back (S4).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache

from cases.enums import Channel, Severity, Status

#: What programs write where they know nothing, in any letter case; -100 is how one export writes a lost state.
NOTHING = frozenset({"", "?", "-", "-100", "null", "(null)", "\\n", "(empty)", "(blank)", "n/a", "#n/a", "nan", "none"})

#: A longer text makes a bad row; it is not cut off.
LONGEST_NUMBER = 40
LONGEST_NAME = 120
#: What only describes an incident is shortened to this, visibly.
LONGEST_DESCRIPTION = 200


class Odd(Enum):
    """What a state says that is none of the four statuses."""

    ON_HOLD = "on hold"  # the reason decides
    UNKNOWN = "unknown"


_OUR_WORK = ("awaiting problem", "awaiting vendor", "awaiting change", "awaiting evidence")
_THE_CUSTOMER = (
    *("awaiting user info", "awaiting user", "awaiting caller", "awaiting caller info", "awaiting customer"),
    *("pending user", "pending caller", "pending customer", "waiting for customer", "customer update required"),
)
CANCELLED = frozenset({"canceled", "cancelled", "8"})
#: The numbers are those of ServiceNow. 3 was Awaiting Problem before there was On Hold, so only a reason can tell.
STATUS_OF_STATE: dict[str, Status | Odd] = {
    **dict.fromkeys(("new", "open", "assigned", "1"), Status.ASSIGNED),
    **dict.fromkeys(("active", "in progress", "work in progress", "reopened", "2"), Status.IN_PROGRESS),
    **dict.fromkeys((*_OUR_WORK, "5"), Status.IN_PROGRESS),
    **dict.fromkeys((*_THE_CUSTOMER, "4"), Status.WAITING),
    **dict.fromkeys(("resolved", "closed", "6", "7", *CANCELLED), Status.RESOLVED),
    **dict.fromkeys(("closed complete", "closed incomplete", "closed skipped"), Status.RESOLVED),
    **dict.fromkeys(("on hold", "3"), Odd.ON_HOLD),
}
#: Only the caller is the customer; waiting for a vendor, a problem or a change is our own work.
STATUS_OF_REASON = {
    **dict.fromkeys((*_OUR_WORK, "3", "4", "5"), Status.IN_PROGRESS),
    **dict.fromkeys((*_THE_CUSTOMER, "1"), Status.WAITING),
}
SEVERITY_OF_NUMBER = {
    "1": Severity.CRITICAL,
    "2": Severity.HIGH,
    "3": Severity.MEDIUM,
    "4": Severity.LOW,
    "5": Severity.LOW,
}
SEVERITY_OF_WORD = {
    "critical": Severity.CRITICAL,
    "high": Severity.HIGH,
    "moderate": Severity.MEDIUM,
    "medium": Severity.MEDIUM,
    "low": Severity.LOW,
    "planning": Severity.LOW,
}
#: Portals and other machinery of the other system count as email.
CHANNEL_OF_TYPE = {
    **dict.fromkeys(("phone", "phone call", "telephone", "call", "ivr", ""), Channel.PHONE),
    **dict.fromkeys(("chat", "live chat", "virtual agent"), Channel.CHAT),
}

_NUMBERED = re.compile(r"\d+\s*[-–—:.]\s*(?=[^\W\d])")
_GAP = re.compile(r"[\s_-]+")
_UNREADABLE = re.compile(r"[\x00-\x1f\x7f]")
_PRIORITY = re.compile(r"(?:p|prio|priority|s|sev|severity)?[\s-]*([1-5])(?=[\s:–—-]|$)", re.IGNORECASE | re.ASCII)


class Bad(Exception):
    """What is wrong with a row, in a sentence; `word` is what was not understood, with its kind."""

    def __init__(self, sentence: str, word: tuple[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.word = word


def key_of(text: str) -> str:
    """A word as the tables spell it: `2 - In_Progress ` is “in progress”."""
    return _GAP.sub(" ", _NUMBERED.sub("", text.strip().casefold(), count=1)).strip()


def status_of(state: str, given: Mapping[str, Status]) -> Status | Odd | None:
    """What a state means; None where the log says nothing. `given` are words whose meaning somebody told."""
    if says_nothing(state):
        return None
    key = key_of(state)
    meaning = STATUS_OF_STATE.get(key, Odd.UNKNOWN)
    return meaning if meaning is Odd.ON_HOLD else given.get(key, meaning)


def status_on_hold(state: str, reason: str, given: Mapping[str, Status]) -> Status | Odd:
    """What “On Hold” means by its reason, else by what somebody told of the state."""
    known = STATUS_OF_REASON.get(key_of(reason))
    return given.get(key_of(state), Odd.UNKNOWN) if known is None else known


@lru_cache(maxsize=256)
def is_cancelled(state: str) -> bool:
    return key_of(state) in CANCELLED


def severity_of(priority: str, given: Mapping[str, Severity], word_first: bool = False) -> Severity:
    """What a priority means. `word_first`: in an urgency or severity `1 - High` is High. Raises Bad."""
    text = priority.strip()
    word = key_of(text)
    if word in given:
        return given[word]
    if word_first and word in SEVERITY_OF_WORD:
        return SEVERITY_OF_WORD[word]
    match = _PRIORITY.match(text)
    severity = SEVERITY_OF_NUMBER[match[1]] if match else SEVERITY_OF_WORD.get(_GAP.sub(" ", text.casefold()))
    if severity is None:
        raise Bad(
            f"“{shown(priority)}” is not a priority; it is 1 (Critical), 2 (High), 3 (Medium), 4 or 5 (Low), "
            f'or say what it means, like --priority "{shown(text)}=high".',
            ("priority", shown(text)),
        )
    return severity


def says_nothing(text: str) -> bool:
    return text.strip().casefold() in NOTHING


def number_of(text: str) -> str:
    """The number of an incident. Raises Bad."""
    number = name_of(text)
    if not number:
        raise Bad("The row has no incident number.")
    if len(number) > LONGEST_NUMBER:
        raise Bad(f"“{shown(number)}” is longer than the {LONGEST_NUMBER} characters of an incident number.")
    return number


def name_of(text: str) -> str:
    """A name of somebody or something, "" where the log says nothing. Raises Bad."""
    name = " ".join(text.split())
    if name.casefold() in NOTHING:
        return ""
    if len(name) > LONGEST_NAME:
        raise Bad(f"“{shown(name)}” is longer than the {LONGEST_NAME} characters a name may have.")
    if _UNREADABLE.search(name):
        raise Bad(f"“{shown(name)}” holds characters that cannot be read.")
    return name


def description_of(text: str) -> str:
    """A text that only describes: one line of what can be printed, shortened visibly."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text[:2000]).split())
    if line.casefold() in NOTHING:
        return ""
    return shortened(line)


def shortened(line: str) -> str:
    """A line that shows where it was cut."""
    return line if len(line) <= LONGEST_DESCRIPTION else f"{line[: LONGEST_DESCRIPTION - 1]}…"


def shown(text: str) -> str:
    """A text from the file as a sentence quotes it: short and readable."""
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text[:41])
    return shown if len(text) <= 40 else f"{shown[:40]}…"
