"""What several parts of one page read of a case is read once and kept with the instance of the case."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import TypeVar

from cases.models import Case
from contacts.directory import Directory
from contacts.models import User

Value = TypeVar("Value")


def kept_with_case(load: Callable[[Case], Value]) -> Callable[[Case], Value]:
    """Decorate a loader for pages: its answer lives as long as the instance. Moves and sweeps read afresh."""
    key = f"_kept_{load.__qualname__}"

    @wraps(load)
    def kept(case: Case) -> Value:
        if key not in case.__dict__:
            case.__dict__[key] = load(case)
        value: Value = case.__dict__[key]
        return value

    return kept


@kept_with_case
def directory_of(case: Case) -> Directory:
    """Who holds the management roles (D4)."""
    return Directory()


@kept_with_case
def _users_of(case: Case) -> dict[int, User]:
    return {}


def users_of(case: Case, ids: Iterable[int | None]) -> dict[int, User]:
    """The users with these keys, and others that the page knows; no query for those that are known."""
    known = _users_of(case)
    unknown = set(ids) - known.keys() - {None}
    if unknown:
        known |= User.objects.in_bulk(unknown)
    return known
