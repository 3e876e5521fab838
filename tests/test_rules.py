"""docs/rules.md and the code agree: every cited rule exists, every rule that is built is cited by a test."""

from __future__ import annotations

import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RULES = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
DEFINED = set(re.findall(r"\*\*([A-Z]\d{1,2}a?)\b", RULES))
_NOT_BUILT = RULES.partition("## 12. Not built yet")[2].partition("Built, but for")[0]
NOT_BUILT = set(re.findall(r"\b([A-Z]\d{1,2}a?)\b", _NOT_BUILT))
#: The first letters of rules; “L2” and “T0” are no citations.
CITATION = re.compile(r"(?<![\w.#-])([ACDEFMPQSW]\d{1,2}a?|T[1-9]|M5a)(?![\w-])")
PROSE = (tokenize.COMMENT, tokenize.STRING)


def citations(*folders: str) -> Iterator[tuple[str, str]]:
    """(rule, where) for each citation in comments, docstrings and texts under the folders."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" in path.parts or path == Path(__file__):
                continue
            with path.open("rb") as file:
                for token in tokenize.tokenize(file.readline):
                    if token.type in PROSE:
                        for rule in CITATION.findall(token.string):
                            yield rule, f"{path.relative_to(ROOT)}:{token.start[0]}"


def test_every_rule_that_is_cited_exists() -> None:
    unknown = [(rule, where) for rule, where in citations("contacts", "cases", "escalations", "config", "tests")
               if rule not in DEFINED]  # fmt: skip
    assert unknown == []


def test_every_rule_that_is_built_is_cited_by_a_test() -> None:
    assert sorted(DEFINED - NOT_BUILT - {rule for rule, _ in citations("tests")}) == []


def test_a_rule_that_a_test_cites_is_struck_from_the_list_of_those_not_built() -> None:
    assert sorted(NOT_BUILT & {rule for rule, _ in citations("tests")}) == []


def test_the_list_of_rules_not_built_names_rules() -> None:
    assert sorted(NOT_BUILT - DEFINED) == []
