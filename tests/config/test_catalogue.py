"""The catalogue of what customers read: complete, in step with the code, and compiled (M4)."""

from __future__ import annotations

import re

import pytest

from tests import catalogue

pytestmark = pytest.mark.parametrize("language", catalogue.LANGUAGES)

#: How a sentence to a customer ends.
POLITE = re.compile(r"(ます|ました|です|ません|でした|ください|でしょうか|%\(work\)s)$")
GAP = re.compile(r"%\(\w+\)s")


def test_everything_that_customers_may_read_is_in_the_catalogue_and_nothing_else(language: str) -> None:
    known = {(message.context, message.id) for message in catalogue.catalogue_of(language) if message.id}
    assert set(catalogue.wanted()) == known, "run `make catalogue`"


def test_everything_is_translated_and_nothing_is_a_guess(language: str) -> None:
    messages = [message for message in catalogue.catalogue_of(language) if message.id]
    assert [message.id for message in messages if not str(message.string).strip()] == []
    assert [message.id for message in messages if message.fuzzy] == []


def test_every_translation_has_the_gaps_of_its_message(language: str) -> None:
    for message in catalogue.catalogue_of(language):
        assert set(GAP.findall(str(message.string))) == set(GAP.findall(str(message.id))), message.id


def test_the_compiled_catalogue_is_that_which_is_edited(language: str) -> None:
    edited = catalogue.compiled(catalogue.catalogue_of(language))
    assert catalogue.path_of(language).with_suffix(".mo").read_bytes() == edited, "run `make catalogue`"


def test_the_japanese_is_japanese(language: str) -> None:
    """No sentence that was taken over, and none that ends in plain style or half-width punctuation."""
    if language != "ja":
        pytest.skip("only of Japanese")
    for message in catalogue.catalogue_of(language):
        text = str(message.string) if message.id else ""
        if not text or GAP.sub("", text).strip() in (",", ""):
            continue
        assert re.search(r"[\u3040-\u30ff\u4e00-\u9fff：]", text), text
        assert not re.search(r"[?!;]|[(),.] ?$", GAP.sub("", text)), text
        assert all(POLITE.search(sentence) for sentence in text.split("。")[:-1]), text
