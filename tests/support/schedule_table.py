"""The table of E1 typed by hand from the rules, and what a step of it comes to; the tests' own, not the engine's."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from cases.enums import Severity

C, H, M, L = Severity
CUSTOMER, AM, MANAGEMENT, COO = "customer", "account_manager", "cs_management", "coo"


@dataclass(frozen=True)
class Cell:
    """A row of E1, the roles by the names that `tests.support.builders` gives their holders."""

    hours: float
    informs: Collection[str]
    to_l3: bool
    cadence: dict[str, int]  # hours by audience

    @property
    def minutes(self) -> dict[str, int]:
        """The rhythm as a case stores it."""
        return {audience: hours * 60 for audience, hours in self.cadence.items()}


E1: dict[tuple[Severity, int], Cell] = {
    (C, 1): Cell(4, ("csm", "am"), True, {CUSTOMER: 2, AM: 2}),
    (C, 2): Cell(12, ("csm",), False, {CUSTOMER: 2, MANAGEMENT: 2}),
    (C, 3): Cell(24, ("coo",), False, {CUSTOMER: 2, AM: 2, MANAGEMENT: 2, COO: 2}),
    (H, 1): Cell(12, ("csm", "am"), False, {CUSTOMER: 2, MANAGEMENT: 2}),
    (H, 2): Cell(36, ("am",), True, {CUSTOMER: 4, MANAGEMENT: 4, AM: 4}),
    (H, 3): Cell(48, ("cs_director",), False, {CUSTOMER: 4, AM: 4, MANAGEMENT: 4}),
    (M, 1): Cell(2 * 24, ("am",), False, {CUSTOMER: 8}),
    (M, 2): Cell(6 * 24, ("csm",), True, {CUSTOMER: 8, AM: 24}),
    (M, 3): Cell(15 * 24, (), False, {CUSTOMER: 8, AM: 8, MANAGEMENT: 8}),
}


#: The points that leave it to the Support Manager whether the case is escalated further.
LEAVES_TO_DECIDE = {(C, 2), (H, 2), (M, 3)}


@dataclass(frozen=True)
class Outcome:
    """Who is written to in a step, who owns the case after it, who is asked."""

    mailed: frozenset[str]
    owner: str
    asked: str | None


def outcome_of(points: Iterable[tuple[Severity, int]], owner: str, l3: str = "l3") -> Outcome:
    """What the loud points of one step come to (E1, E5, E7) where everybody can be reached and there is one L3."""
    points = tuple(points)
    cells = [E1[point] for point in points]
    mailed = {name for cell in cells for name in cell.informs}
    if LEAVES_TO_DECIDE & set(points):
        mailed.add("support_manager")
    moves = any(cell.to_l3 for cell in cells) and owner != l3
    asks = any(not cell.to_l3 for cell in cells)
    if moves:
        mailed |= {owner, l3}
    if asks:
        mailed.add(owner)
    return Outcome(frozenset(mailed), l3 if moves else owner, owner if asks else None)
