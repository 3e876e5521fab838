"""The house keeps its own rules: one word, one meaning (docs/glossary.md)."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

from cases.mail.messages import MESSAGES
from cases.mail.samples import PURPOSES, sample_facts

ROOT = Path(__file__).resolve().parents[1]
APPS = ("contacts", "cases", "escalations", "config")
#: What Django looks for by name.
NAMED_BY_DJANGO = {"Command", "Migration"}


def test_no_class_name_stands_for_two_things() -> None:
    classes = Counter(
        node.name
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    )
    assert {name: number for name, number in classes.items() if number > 1 and name not in NAMED_BY_DJANGO} == {}


def test_every_message_says_what_it_is_for_and_has_sample_facts() -> None:
    """The page of previews shows them, in the languages of the reader (M4)."""
    missing = [name for name in MESSAGES if name not in PURPOSES]
    assert missing == [], "add what it is for, and sample facts, in cases/mail/samples.py"
    assert [name for name in MESSAGES if not sample_facts(name)] == []


def test_the_glossary_has_each_word_once_and_in_order() -> None:
    lines = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines()
    words = [line.split("**")[1] for line in lines if line.startswith("| **")]
    assert words == sorted(set(words), key=str.casefold)
    assert len(words) >= 40
