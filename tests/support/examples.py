"""How many examples Hypothesis tries: all of them with EXAMPLES=all, as CI does once, else a fifth."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import connection
from hypothesis import seed, settings

ALL_EXAMPLES = os.environ.get("EXAMPLES", "all" if os.environ.get("CI") else "few") == "all"
#: The databases that CI runs the tests on, by their seeds. Lives that are played on a database take seconds each.
PLAYED_ON = ("postgresql", "sqlite")

Test = TypeVar("Test", bound=Callable[..., Any])


def examples(number: int, **other: Any) -> settings:
    """Settings of a property that tries this many examples where all are wanted."""
    return settings(max_examples=number if ALL_EXAMPLES else max(number // 5, 20), **other)


def played(number: int, *, everywhere: bool = True, **other: Any) -> Callable[[Test], Test]:
    """A property that plays so many lives on a database. Unless all examples are wanted, each database plays its share
    of them, made up from a seed of its own; one that runs on one database only (not `everywhere`) plays all of them.
    """
    share = share_of(number) if everywhere and not ALL_EXAMPLES else number

    def decorate(test: Test) -> Test:
        sown = test if ALL_EXAMPLES else seed(place_of_database())(test)
        return settings(max_examples=share, **other)(sown)

    return decorate


def place_of_database() -> int:
    """The place in `PLAYED_ON` of the database that the tests run on."""
    return PLAYED_ON.index(connection.vendor)


def share_of(number: int) -> int:
    """How many of so many lives one database plays."""
    return -(-number // len(PLAYED_ON))


def own(numbers: range) -> range:
    """The lives with these numbers that this database plays: all of them where all examples are wanted."""
    if ALL_EXAMPLES:
        return numbers
    share, place = share_of(len(numbers)), place_of_database()
    return numbers[place * share : (place + 1) * share]
