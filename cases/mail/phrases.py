"""Sentences of ours among the facts of a message, kept so that they can be read in several languages (M1, M4).

What stands in the facts is the English sentence, with gaps, and what fills them. The message is rendered in its
reader's language, and only then does the catalogue (`config/locale/`) say how the sentence reads there. What people
wrote is no phrase: it stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext, override

#: A sentence as it stands among facts: {"phrase": "%(owner)s takes it up", "owner": "Tina Berg"}.
Phrase = dict[str, Any]


def phrase(text: str, **gaps: Phrase | str) -> Phrase:
    """A sentence with what fills its gaps, which may be phrases themselves.

    `text` is written out at the call: `make catalogue` collects it there for the translators.
    """
    return {"phrase": text, **gaps}


def and_names(names: Iterable[str]) -> Phrase | str:
    """“Ann, Bob and Cid”."""
    *first, last = names
    return phrase("%(names)s and %(last)s", names=", ".join(first), last=last) if first else last


def in_words(value: Any) -> Any:
    """The value with each phrase in it written in the language that is active."""
    if isinstance(value, list):
        return [in_words(each) for each in value]
    if not isinstance(value, dict):
        return value
    inside = {name: in_words(each) for name, each in value.items() if name != "phrase"}
    return gettext(value["phrase"]) % inside if "phrase" in value else inside


def in_english(value: Any) -> Any:
    """The value with each phrase in it written in English, as staff read it on pages."""
    with override("en"):
        return in_words(value)
