"""The letters about a change of owner: to whoever has the case now, and to whoever had it (C8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cases.mail.letters import Letter, case_facts, facts, to_each
from cases.models import Case
from contacts.directory import Directory
from contacts.models import User

GO_ON = "Its promises and its escalation clock go on as they stand."
ALL_GO_ON = "Their promises and their escalation clocks go on as they stand."


@dataclass(frozen=True)
class OwnerChange:
    """A case that has a new owner already, and who had it before."""

    case: Case
    before: User | None
    after: User


def ownership_letters(
    changes: Sequence[OwnerChange], actor: User, why: str, now: datetime, *, to_former: bool = True
) -> list[Letter]:
    """One letter to each new owner and to each former one, however many cases it is; none to the `actor`.

    A former owner who has left is not written to, nor without `to_former` anybody who gave them away (W3).
    """
    directory, letters = Directory(), []
    for owner, theirs in _by_person((change.after, change) for change in changes):
        if owner != actor:
            letters += _to_new_owner(directory, owner, theirs, actor, why, now)
    for owner, theirs in _by_person((change.before, change) for change in changes if change.before):
        if to_former and owner != actor and owner.is_active:
            letters += _to_former_owner(directory, owner, theirs, actor, why, now)
    return letters


def _by_person(pairs: Iterable[tuple[User | None, OwnerChange]]) -> list[tuple[User, list[OwnerChange]]]:
    """The changes of each person, in the order in which people come up."""
    found: dict[int, tuple[User, list[OwnerChange]]] = {}
    for person, change in pairs:
        if person is not None:
            found.setdefault(person.pk, (person, []))[1].append(change)
    return list(found.values())


def _to_new_owner(
    directory: Directory, owner: User, changes: list[OwnerChange], actor: User, why: str, now: datetime
) -> list[Letter]:
    readers = directory.for_user(owner, "Owner")
    if len(changes) == 1:
        case = changes[0].case
        what = facts(case, why=f"{actor} gave you this case", expected="Take it up.", then=GO_ON, reason=why)
        return to_each(readers, _key("reassigned", case), "reassigned", what, case)
    many = _of_many(changes, f"{actor} gave you these cases", "Take them up.", ALL_GO_ON, why)
    return to_each(readers, f"cases_reassigned:{owner.pk}:{now.isoformat()}", "cases_reassigned", many, None)


def _to_former_owner(
    directory: Directory, owner: User, changes: list[OwnerChange], actor: User, why: str, now: datetime
) -> list[Letter]:
    readers = directory.for_user(owner, "Former owner")
    took = all(change.after == actor for change in changes)
    did = f"{actor} took" if took else f"{actor} gave"
    if len(changes) == 1:
        case, after = changes[0].case, changes[0].after
        what = facts(
            case,
            why=f"you owned this case until {did} it {'over' if took else f'to {after}'}",
            expected=f"Tell {after} what is not written in the case.",
            then="You go on watching it, until you press “Stop watching” on its page.",
            reason=why,
        )
        return to_each(readers, _key("owner_changed", case), "owner_changed", what, case)
    many = _of_many(
        changes,
        f"you owned these cases until {did} them {'over' if took else 'to somebody else'}",
        "Tell their owners what is not written in the cases.",
        "You go on watching them, each until you press “Stop watching” on its page.",
        why,
    )
    return to_each(readers, f"owners_changed:{owner.pk}:{now.isoformat()}", "owners_changed", many, None)


def _key(name: str, case: Case) -> str:
    return f"{name}:{case.pk}:{case.changed_at.isoformat()}"


def _of_many(changes: list[OwnerChange], why: str, expected: str, then: str, reason: str) -> dict[str, Any]:
    cases = [case_facts(change.case) for change in changes]
    return {"cases": cases, "why": why, "expected": expected, "next": then, "reason": reason}
