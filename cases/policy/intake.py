"""Intake: what a new case should say, and the severity its answers suggest (C1, C2). Pure."""

from collections.abc import Mapping
from typing import Any

from cases.enums import Affected, Impact, Severity

#: The answers intake asks for (C1) and how each is asked when it is missing.
QUESTIONS: dict[str, str] = {
    "description": "What exactly happens, since when, and what have you tried?",
    "affected_user": "What is the username or the device name?",
    "device": "Which device is it?",
    "operating_system": "Which operating system, in which version?",
    "system_information": "What else should we know of the system (software versions, recent changes)?",
    "several_devices": "Is one device affected, or several?",
    "affected": "Who is affected: one user, some, many, everybody?",
    "preferred_means": "How do you prefer to be reached: phone, email or chat?",
}


def missing_questions(answers: Mapping[str, Any]) -> list[str]:
    """The questions whose answers are missing, to be asked in one message (C1); a plain “no” is an answer."""
    return [question for name, question in QUESTIONS.items() if answers.get(name) in (None, "")]


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
    """The worse of what the two answers say (C2: either is enough); Medium when neither is given. A person decides."""
    said = []
    if affected:
        said.append(_BY_AFFECTED[Affected(affected)])
    if impact:
        said.append(_BY_IMPACT[Impact(impact)])
    order = list(Severity)
    return min(said, key=order.index, default=Severity.MEDIUM)
