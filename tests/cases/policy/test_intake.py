"""What intake asks for (C1) and the severity it suggests (C2). No database."""

import pytest

from cases.enums import Affected, Impact, Severity
from cases.policy.intake import DETAILS, missing_questions, suggested_severity

QUESTIONS = {detail.name: detail.question for detail in DETAILS if detail.question}
COMPLETE = {
    "description": "Nothing prints since this morning.",
    "affected_user": "PC-117",
    "device": "Printer",
    "operating_system": "Windows 11",
    "system_information": "Driver 4.2",
    "several_devices": True,
    "affected": "many",
    "preferred_means": "phone",
}


def test_nothing_is_asked_of_who_said_everything() -> None:  # C1
    assert missing_questions(COMPLETE) == []


def test_everything_that_is_missing_is_asked_for_at_once() -> None:  # C1
    assert missing_questions({}) == [QUESTIONS[name] for name in COMPLETE]


def test_every_question_has_an_answer_that_satisfies_it() -> None:  # C1
    assert set(COMPLETE) == set(QUESTIONS)


@pytest.mark.parametrize("name", COMPLETE)
@pytest.mark.parametrize("nothing", [None, ""])
def test_each_missing_answer_asks_its_own_question(name: str, nothing: str | None) -> None:  # C1
    assert missing_questions(COMPLETE | {name: nothing}) == [QUESTIONS[name]]


def test_a_plain_no_is_an_answer() -> None:  # C1
    assert missing_questions(COMPLETE | {"several_devices": False}) == []


@pytest.mark.parametrize(
    ("affected", "impact", "severity"),
    [
        (Affected.EVERYBODY, "", Severity.CRITICAL),
        ("", Impact.CATASTROPHIC, Severity.CRITICAL),
        (Affected.MANY, "", Severity.HIGH),
        ("", Impact.MAJOR, Severity.HIGH),
        (Affected.SOME, "", Severity.MEDIUM),
        ("", Impact.SIGNIFICANT, Severity.MEDIUM),
        (Affected.ONE, Impact.MINOR, Severity.LOW),
        (Affected.NOBODY, "", Severity.LOW),
        (Affected.ONE, Impact.CATASTROPHIC, Severity.CRITICAL),
        (Affected.EVERYBODY, Impact.MINOR, Severity.CRITICAL),
        (Affected.SOME, Impact.MAJOR, Severity.HIGH),
        ("", "", Severity.MEDIUM),
    ],
)
def test_the_worse_of_the_two_answers_suggests_the_severity(affected, impact, severity) -> None:  # C2
    assert suggested_severity(affected, impact) == severity


def test_every_pair_of_answers_suggests_something() -> None:  # C2
    for affected in ("", *Affected):
        for impact in ("", *Impact):
            assert suggested_severity(affected, impact) in Severity
