"""What a case says about its issue (C1), and the severity that the answers at intake suggest (C2). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from cases.enums import Affected, Impact, Severity
from contacts.enums import MeansOfContact


class Topic(Enum):
    """The groups in which a call goes through the details of a case."""

    CALLER = auto()
    ISSUE = auto()
    PLACE = auto()
    EXTENT = auto()
    OUTCOME = auto()


@dataclass(frozen=True)
class Detail:
    """One detail of a case: a field of `Case` that forms write and whose changes the history shows in words (C1, C5).

    Severity, status and owner are none: they change by moves only.
    """

    name: str
    label: str  # in the history and the timeline; forms use the model's own
    topic: Topic
    #: How the receipt asks for it when it is missing; "" for what is never asked afterwards.
    question: str = ""
    choices: type[Affected] | type[Impact] | type[MeansOfContact] | None = None
    #: Rows of its text area. Of such a long text the timeline says only that it was edited.
    rows: int = 0
    is_relation: bool = False
    is_exported: bool = False
    #: Whether a linked case starts with the earlier case's value (C4).
    is_carried_over: bool = False

    @property
    def attname(self) -> str:
        """The attribute that holds the stored value, on a case and on a row of its history."""
        return f"{self.name}_id" if self.is_relation else self.name


#: The only list of details: forms, history, receipt, export and linked cases are made from it.
DETAILS = (
    Detail("title", "Title", Topic.ISSUE, is_carried_over=True),
    Detail("contact", "Contact", Topic.CALLER, is_relation=True, is_carried_over=True),
    Detail(
        "preferred_means",
        "Preferred means",
        Topic.CALLER,
        "How do you prefer to be reached: phone, email or chat?",
        choices=MeansOfContact,
        is_carried_over=True,
    ),
    Detail(
        "description",
        "Description",
        Topic.ISSUE,
        "What exactly happens, since when, and what have you tried?",
        rows=6,
        is_exported=True,
    ),
    Detail(
        "affected_user",
        "Username or device name",
        Topic.PLACE,
        "What is the username or the device name?",
        is_exported=True,
        is_carried_over=True,
    ),
    Detail("device", "Device", Topic.PLACE, "Which device is it?", is_exported=True, is_carried_over=True),
    Detail(
        "operating_system",
        "Operating system",
        Topic.PLACE,
        "Which operating system, in which version?",
        is_exported=True,
        is_carried_over=True,
    ),
    Detail(
        "system_information",
        "System information",
        Topic.PLACE,
        "What else should we know of the system (software versions, recent changes)?",
        rows=3,
    ),
    Detail("several_devices", "Several devices", Topic.PLACE, "Is one device affected, or several?"),
    Detail(
        "affected",
        "Who is affected",
        Topic.EXTENT,
        "Who is affected: one user, some, many, everybody?",
        choices=Affected,
    ),
    Detail("impact", "Impact", Topic.EXTENT, choices=Impact),
    Detail("solution", "Solution", Topic.OUTCOME, rows=6, is_exported=True),
)


def details_on(*topics: Topic) -> list[Detail]:
    """The details of these topics, in the order of `DETAILS`."""
    return [detail for detail in DETAILS if detail.topic in topics]


def missing_questions(answers: Mapping[str, Any]) -> list[str]:
    """The questions whose answers are missing, to be asked in one message (C1); a plain “no” is an answer.

    What the issue is comes first, how the caller is reached last.
    """
    in_order = [*details_on(Topic.ISSUE, Topic.PLACE, Topic.EXTENT), *details_on(Topic.CALLER)]
    return [detail.question for detail in in_order if detail.question and answers.get(detail.name) in (None, "")]


_BY_AFFECTED = {
    Affected.EVERYBODY: Severity.CRITICAL,
    Affected.MANY: Severity.HIGH,
    Affected.SOME: Severity.MEDIUM,
    Affected.ONE: Severity.LOW,
    Affected.NOBODY: Severity.LOW,
}
_BY_IMPACT = {
    Impact.CATASTROPHIC: Severity.CRITICAL,
    Impact.MAJOR: Severity.HIGH,
    Impact.SIGNIFICANT: Severity.MEDIUM,
    Impact.MINOR: Severity.LOW,
}


def suggested_severity(affected: str, impact: str) -> Severity:
    """The worse of what the two answers suggest (C2: either is enough); Medium when both are empty."""
    suggested = []
    if affected:
        suggested.append(_BY_AFFECTED[Affected(affected)])
    if impact:
        suggested.append(_BY_IMPACT[Impact(impact)])
    order = list(Severity)
    return min(suggested, key=order.index, default=Severity.MEDIUM)
