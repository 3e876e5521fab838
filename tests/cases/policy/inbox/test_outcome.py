"""What becomes of a message, from facts alone (M5, M5a, M6): the table, and what holds for all facts."""

from __future__ import annotations

from itertools import product

import pytest

from cases.enums import ReceivedKind
from cases.policy.inbox.outcome import TABLE, CaseMatch, Effect, MessageFacts, Writer, decide
from cases.policy.inbox.words import title_for_case, words_for_log

K, W, M, E = ReceivedKind, Writer, CaseMatch, Effect
ON_THEIR_CASE = {"match": M.ONE, "of_same_company": True, "is_case_open": True}

EXAMPLES: list[tuple[dict[str, object], Effect]] = [
    ({"kind": K.UNREADABLE, "is_proven": True, "writer": W.HELP_DESK}, E.TRIAGE),
    # proven words of customers
    ({"kind": K.PERSON, "is_proven": True, "writer": W.HELP_DESK, **ON_THEIR_CASE}, E.LOG),
    ({"kind": K.PERSON, "is_proven": True, "writer": W.COLLEAGUE, **ON_THEIR_CASE}, E.LOG),
    ({"kind": K.PERSON, "is_proven": True, "writer": W.HELP_DESK, "match": M.ONE}, E.TRIAGE),  # a foreign case
    ({"kind": K.PERSON, "is_proven": True, "writer": W.HELP_DESK, "match": M.SEVERAL}, E.TRIAGE),
    ({"kind": K.PERSON, "is_proven": True, "writer": W.HELP_DESK}, E.OPEN),
    ({"kind": K.PERSON, "is_proven": True, "writer": W.HELP_DESK, "subject_names_case": True}, E.TRIAGE),
    ({"kind": K.PERSON, "is_proven": True, "writer": W.COLLEAGUE}, E.TURN_AWAY),
    ({"kind": K.PERSON, "is_proven": True, "writer": W.SEVERAL}, E.TRIAGE),
    ({"kind": K.PERSON, "is_proven": True, "writer": W.LEFT, **ON_THEIR_CASE}, E.TRIAGE),
    ({"kind": K.PERSON, "is_proven": True, "writer": W.STRANGER, "match": M.ONE}, E.TRIAGE),
    ({"kind": K.PERSON, "is_proven": True, "writer": W.STRANGER}, E.TRIAGE),
    # unproven ones
    ({"kind": K.PERSON, "writer": W.HELP_DESK, **ON_THEIR_CASE}, E.TRIAGE),
    ({"kind": K.PERSON, "writer": W.STAFF, "match": M.ONE}, E.TRIAGE),
    ({"kind": K.OUT_OF_OFFICE, "writer": W.HELP_DESK, "is_contact_of_case": True, **ON_THEIR_CASE}, E.TRIAGE),
    # absences
    (
        {
            "kind": K.OUT_OF_OFFICE,
            "is_proven": True,
            "writer": W.HELP_DESK,
            "is_contact_of_case": True,
            **ON_THEIR_CASE,
        },
        E.ABSENCE,
    ),
    ({"kind": K.OUT_OF_OFFICE, "is_proven": True, "writer": W.HELP_DESK, **ON_THEIR_CASE}, E.TRIAGE),
    (
        {"kind": K.OUT_OF_OFFICE, "is_proven": True, "writer": W.HELP_DESK, "was_written_to": True, **ON_THEIR_CASE},
        E.NOTHING,
    ),
    (
        {
            "kind": K.OUT_OF_OFFICE,
            "is_proven": True,
            "writer": W.HELP_DESK,
            "is_contact_of_case": True,
            "match": M.ONE,
            "of_same_company": True,
        },
        E.NOTHING,  # the case is resolved
    ),
    ({"kind": K.OUT_OF_OFFICE, "is_proven": True, "writer": W.HELP_DESK}, E.TRIAGE),
    ({"kind": K.OUT_OF_OFFICE, "is_proven": True, "writer": W.STAFF, "match": M.ONE}, E.NOTHING),
    # staff
    ({"kind": K.PERSON, "is_proven": True, "writer": W.STAFF, "match": M.ONE}, E.STAFF_REPLY),
    ({"kind": K.PERSON, "is_proven": True, "writer": W.STAFF}, E.TRIAGE),
    # programs
    ({"kind": K.AUTOMATIC, "is_proven": True, "writer": W.HELP_DESK, **ON_THEIR_CASE}, E.NOTHING),
    ({"kind": K.PERSON, "is_proven": True, "writer": W.OURSELVES}, E.NOTHING),
    ({"kind": K.BOUNCE, "returns_ours": True}, E.BOUNCE),
    ({"kind": K.BOUNCE, "names_somebody_known": True}, E.TRIAGE),
    ({"kind": K.BOUNCE}, E.NOTHING),
    ({"kind": K.BOUNCE, "match": M.ONE}, E.NOTHING),  # the case alone is no proof
    ({"kind": K.DELAY, "returns_ours": True}, E.DELAY),
    ({"kind": K.DELAY}, E.NOTHING),
]


def every_combination() -> list[MessageFacts]:
    yes_or_no = (False, True)
    flags = list(product(yes_or_no, repeat=8))
    return [MessageFacts(kind, writer, *some[:1], match, *some[1:])
            for kind, writer, match in product(K, W, M) for some in flags]  # fmt: skip


@pytest.mark.parametrize(("facts", "effect"), EXAMPLES)
def test_the_table(facts: dict[str, object], effect: Effect) -> None:  # M5, M6
    decision = decide(MessageFacts(**facts))  # type: ignore[arg-type]
    assert decision.effect is effect, decision.why


def test_whatever_the_facts_nothing_unproven_acts_and_no_program_does() -> None:  # M5a, M6
    quiet = {E.TRIAGE, E.NOTHING}
    for facts in every_combination():
        effect = decide(facts).effect
        if facts.kind in (K.BOUNCE, K.DELAY):
            assert effect in quiet or facts.returns_ours
            assert effect in {*quiet, E.BOUNCE, E.DELAY}
        elif not facts.is_proven or facts.kind in (K.AUTOMATIC, K.UNREADABLE) or facts.writer is W.OURSELVES:
            assert effect in quiet
        elif effect in (E.LOG, E.OPEN, E.TURN_AWAY, E.STAFF_REPLY):
            assert facts.kind == K.PERSON
        if effect in (E.LOG, E.ABSENCE):
            assert facts.match is M.ONE
            assert facts.of_same_company
        if effect is E.OPEN:
            assert (facts.writer, facts.match) == (W.HELP_DESK, M.NONE)


def test_an_unproven_word_is_never_dropped() -> None:  # M5
    for facts in every_combination():
        if facts.kind in (K.PERSON, K.OUT_OF_OFFICE) and not facts.is_proven and facts.writer is not W.OURSELVES:
            assert decide(facts).effect is E.TRIAGE


def test_every_row_of_the_table_decides_on_something() -> None:  # M5
    reached = {(decision.effect, decision.why) for decision in map(decide, every_combination())}
    # The last row is a net: its facts exclude each other.
    assert [row.why for row in TABLE if (row.effect, row.why) not in reached] == [TABLE[-1].why]


@pytest.mark.parametrize("text", ["", "x", "x" * 5_000, "é" * 30_000])
@pytest.mark.parametrize("quoted", ["", "> y\n" * 10_000])
def test_the_words_fit_and_are_never_empty(text: str, quoted: str) -> None:  # M7
    words = words_for_log(text, quoted, "", ["“a.exe” is a program."] * 40, 5_000)
    assert 0 < len(words) <= 5_000
    assert not text or words.startswith(text[:1])


def test_a_case_has_a_title_whatever_the_message_says() -> None:  # C1
    assert title_for_case("  Re: \n It hangs ", "x") == "Re: It hangs"
    assert title_for_case("", "It hangs\nagain") == "It hangs again"
    assert title_for_case("", " ") == "Mail without a subject"
    assert len(title_for_case("x" * 900, "")) == 200
