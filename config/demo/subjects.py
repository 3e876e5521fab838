"""What the people of the demonstration say, read from `texts.toml`."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cases.enums import Severity


@dataclass(frozen=True)
class Subject:
    """An issue from the first call to its solution, in the words of the people who take part."""

    severity: Severity
    title: str
    description: str
    first_word: str  # what the customer is told first
    finding: str  # the technician's first note
    update: str  # the first status update to the customer
    question: str
    answer: str
    solution: str
    kind: str = "SRV"  # how the name of such a machine goes on after its site
    device: str = "{device}"
    operating_system: str = ""
    system: str = ""
    affected: str = ""
    impact: str = ""
    customer: str = ""  # the only customer who has this issue, if it is one customer's


def _subject(entry: dict[str, Any]) -> Subject:
    return Subject(**entry | {"severity": Severity(entry["severity"])})


_TEXTS = tomllib.loads((Path(__file__).parent / "texts.toml").read_text(encoding="utf-8"))
_ALL = tuple(map(_subject, _TEXTS["subjects"]))

SUBJECTS = {level: tuple(row for row in _ALL if row.severity == level and not row.customer) for level in Severity}
JAPANESE, GERMAN = (next(row for row in _ALL if row.customer == who) for who in ("japanese", "german"))

#: What is said to the customer when there is no more to say than that work goes on.
UPDATES: tuple[str, ...] = tuple(_TEXTS["updates"])
CALLS: tuple[str, ...] = tuple(_TEXTS["calls"])
NOTES: tuple[str, ...] = tuple(_TEXTS["notes"])
#: What an owner answers when they are asked for the status, and what of it the customer may read.
ANSWERS: tuple[tuple[str, str], ...] = tuple((own, theirs) for own, theirs in _TEXTS["answers"])
ACCOUNT_NOTES: tuple[str, ...] = tuple(_TEXTS["account_notes"])
RELAPSES: tuple[str, ...] = tuple(_TEXTS["relapses"])
THANKS: tuple[str, ...] = tuple(_TEXTS["thanks"])
LATE_ANSWERS: tuple[str, ...] = tuple(_TEXTS["late_answers"])
TURNED_AWAY: tuple[str, ...] = tuple(_TEXTS["turned_away"])
