"""What counts as a word: folding, cutting, reading what is typed, marking. No database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.search.words import (
    LONGEST_DOCUMENT,
    LONGEST_WORD,
    NUMBER_MARK,
    PART_MARK,
    TITLE_MARK,
    TYPED_TOKENS,
    document_text,
    folded,
    marked,
    parsed,
    tokens_of,
)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The printer, again!", ["the", "printer", "again"]),
        ("srv-db_01.example 10.0.0.5", ["srv", "db", "01", "example", "10", "0", "0", "5"]),
        ("ＣＡＦÉ cafe\u0301 Straße İ", ["cafe", "cafe", "strasse", "i"]),
        ("プリンタが", ["プリ", "リン", "ンタ", "タが", "が"]),
        ("ﾌﾟﾘﾝﾀ", ["プリ", "リン", "ンタ", "タ"]),
        ("日本のPC1台", ["日本", "本の", "の", "pc1", "台"]),
        ("§ № 😀 \0 _", ["no"]),
        ("", []),
    ],
)
def test_a_text_is_cut_into_words_and_pairs_of_characters(text: str, tokens: list[str]):
    assert list(tokens_of(text)) == tokens


@pytest.mark.parametrize(
    ("typed", "text", "is_found"),
    [
        ("again PRINTER", "The printer, again!", True),
        ("prin", "The printer, again!", True),
        ("prin again", "The printer, again!", False),  # only the last word may be incomplete
        ("inter", "The printer, again!", False),
        ("a a", "again", False),
        ("印刷", "プリンタが印刷しない", True),
        ("刷", "印刷", True),
        ("印", "印刷", True),
        ("印刷 プリンタ", "プリンタが印刷しない", True),
        ("刷印", "印刷", False),
        ("café", "CAFE", True),
        ("one two three four five six seven", "one two three four five six", True),  # six words are used
        ("x" * 399, "x" * 60, True),
        ("", "anything", False),
        ("?! 😀", "anything", False),
    ],
)
def test_every_word_has_to_be_there_in_any_order(typed: str, text: str, is_found: bool):
    assert parsed(typed).is_met_by(set(tokens_of(text))) is is_found


@pytest.mark.parametrize(
    ("typed", "number"),
    [("SD-000123", 123), (" sd-123 ", 123), ("123", 123), ("123 printer", None), ("SD-x", None), ("9" * 30, None)],
)
def test_a_number_alone_names_a_case(typed: str, number: int | None):
    assert parsed(typed).number == number


def test_a_number_beside_words_means_the_case_or_the_word():
    tokens = {f"{NUMBER_MARK}123", "printer"}
    assert parsed("printer 123").is_met_by(tokens)
    assert parsed("SD-000123 printer").is_met_by(tokens)
    assert not parsed("12 printer").is_met_by(tokens)
    assert parsed("printer 123").is_met_by({"printer", "1234"})
    assert not parsed("printer SD-000123").is_met_by({"printer", "123"})


def test_a_query_can_ask_for_the_title_alone():
    query = parsed("printer floor").in_title()
    assert query.is_met_by({f"{TITLE_MARK}printer", f"{TITLE_MARK}floors"})
    assert not query.is_met_by({f"{TITLE_MARK}printer", "floors"})


@given(st.text())
def test_folding_twice_changes_nothing_and_leaves_no_mark(text: str):
    assert folded(folded(text)) == folded(text)
    tokens = list(tokens_of(text))
    assert not any(
        sign in token for token in tokens for sign in (TITLE_MARK, NUMBER_MARK, PART_MARK, " ", "'", '"', "\\", "\0")
    )
    assert all(0 < len(token) <= LONGEST_WORD for token in tokens)


@given(st.text())
def test_no_text_is_an_error_and_a_text_finds_itself(text: str):
    query = parsed(text)
    assert len(query.choices) <= TYPED_TOKENS
    if query.choices and query.number is None and NUMBER_MARK not in str(query):
        assert query.is_met_by(set(tokens_of(text)))
    assert "".join(piece for piece, _ in marked(text, query)) == text


def test_a_document_has_each_word_once_and_an_end():
    assert document_text(["a", "b", "a"]) == "a b"
    assert len(document_text(f"{number:06}" for number in range(LONGEST_DOCUMENT))) == LONGEST_DOCUMENT


@pytest.mark.parametrize(
    ("text", "typed", "shown"),
    [
        ("Der Drucker im Café", "dru cafe", "Der Drucker im [Café]"),
        ("Der Drucker im Café", "cafe druck", "Der [Drucker] im [Café]"),
        ("プリンタが印刷しない", "印刷", "プリンタが[印刷]しない"),
        ("ﾌﾟﾘﾝﾀ is off", "プリ", "[ﾌﾟﾘﾝﾀ] is off"),
        ("<b>bold</b>", "bold", "<b>[bold]</b>"),
        ("nothing here", "printer", "nothing here"),
    ],
)
def test_the_words_looked_for_are_marked_as_they_were_written(text: str, typed: str, shown: str):
    assert "".join(f"[{piece}]" if on else piece for piece, on in marked(text, parsed(typed))) == shown


def test_a_long_text_is_shown_around_the_first_word():
    text = "start " * 100 + "the printer burns " + "end " * 100
    pieces = marked(text, parsed("printer"), around=60)
    whole = "".join(piece for piece, _ in pieces)
    assert whole.startswith("… start")
    assert "the printer burns end" in whole
    assert whole.endswith("end …")
    assert len(whole) < 100
    assert [piece for piece, on in pieces if on] == ["printer"]
    assert marked(text, parsed("absent"), around=60) == []
