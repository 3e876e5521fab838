"""Who owns a case: taking it over, handing it to somebody, one or a whole queue (C8), also of who leaves (D9).

Whatever the way, the same follows: the former owner goes on watching (E7), an open question goes to the new owner at
the next sweep (E8), and whoever gets or loses a case without having done it is mailed, once for all cases of one step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Count

from cases.enums import Move, Severity
from cases.guards import NotAllowed, Refused, all_locked, allow, changing, monotonic_now, needs, within_bounds
from cases.mail.letters import post
from cases.mail.ownership import OwnerChange, ownership_letters
from cases.models import Case, CaseQuerySet, CaseWatcher
from cases.roster import Roster
from cases.workflow.transitions import record_move
from contacts.enums import Right
from contacts.models import Technician, User


def take_over(case: Case | int, actor: User, now: datetime, *, reason: str = "") -> Case:
    """Make the actor the owner of an open case (C8). Raises Refused or NotAllowed."""
    with changing(case, actor, now, right=Right.WORK_CASES, to="take a case over") as (case, now):
        change = _taken_over(case, actor, now, reason)
        post(ownership_letters([change], actor, reason.strip(), now), now)
    return case


def hand_over(case: Case | int, actor: User, now: datetime, *, owner: User, reason: str = "") -> Case:
    """Give one's own case to another technician (C8); with the right to reassign, anybody's (A1).

    Raises Refused or NotAllowed.
    """
    with changing(case, actor, now, right=Right.WORK_CASES, to="hand a case over") as (case, now):
        change = _handed_over(case, actor, now, owner, reason)
        post(ownership_letters([change], actor, reason.strip(), now), now)
    return case


def may_hand_over(case: Case, actor: User) -> bool:
    """Whether this person may give the case to somebody: their own, an ownerless one, or with the right anybody's."""
    return case.owner is None or case.owner == actor or actor.may(Right.REASSIGN)


# --- one change, of a locked case -------------------------------------------------------------------------------


def _taken_over(case: Case, actor: User, now: datetime, reason: str) -> OwnerChange:
    if case.owner == actor:
        raise Refused(f"{case.number} is yours already.")
    return _change_owner(case, actor, now, actor, reason, Move.TAKEN_OVER)


def _handed_over(case: Case, actor: User, now: datetime, owner: User, reason: str) -> OwnerChange:
    if not may_hand_over(case, actor):
        raise NotAllowed(
            f"{case.number} is {case.owner}'s: take it over before you hand it to somebody, or ask a Support Manager."
        )
    if case.owner == owner:
        whose = "you" if owner == actor else owner
        raise Refused(f"{case.number} belongs to {whose} already; choose somebody else.", "owner")
    if not Technician.objects.at_work().filter(user=owner).exists():
        raise Refused(f"{owner} is no active technician who can sign in; choose one who is.", "owner")
    return _change_owner(case, actor, now, owner, reason, Move.REASSIGNED)


def _change_owner(case: Case, actor: User, now: datetime, owner: User, reason: str, move: Move) -> OwnerChange:
    why = within_bounds(reason, "reason").strip()
    if not case.is_open:
        raise Refused(f"{case.number} is resolved; reopen it before it goes to somebody else.")
    before = case.owner
    if before is not None and before.is_active:
        CaseWatcher.objects.get_or_create(case=case, user=before, defaults={"since": now})
    CaseWatcher.objects.filter(case=case, user=owner).delete()
    case.owner = owner
    record_move(case, move, actor, f"{before or 'nobody'} to {owner}{f': {why}' if why else ''}", now)
    return OwnerChange(case, before, owner)


# --- many at once -----------------------------------------------------------------------------------------------

#: How many cases change hands in one step at most: they stay locked until the last one is done.
MOST_AT_ONCE = 500


@dataclass
class HandedOn:
    """Which cases have a new owner, and the numbers of those that were left, with why."""

    changes: list[OwnerChange] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)

    @property
    def given(self) -> int:
        return len(self.changes)

    @property
    def why_left(self) -> str:
        """“SD-000012 (it is resolved), SD-000015 (...)”."""
        return ", ".join(f"{number} ({why.rstrip('.')})" for number, why in self.left.items())


#: Cases by their keys, each with the key of the owner that the page showed.
Seen = Mapping[int, int | None]


def take_over_many(seen: Seen, actor: User, now: datetime, *, reason: str = "") -> HandedOn:
    """Take over those of the cases that can be taken over (C8). Raises Refused or NotAllowed, then nothing changed."""
    allow(actor, Right.WORK_CASES, "take a case over")
    return _each(seen, actor, now, reason, lambda case, at: _taken_over(case, actor, at, reason))


def hand_over_many(seen: Seen, actor: User, now: datetime, *, owner: User | None = None, reason: str = "") -> HandedOn:
    """Hand those of the cases to `owner` that can be handed over; without one each to whom the rules choose (C8).

    The rules are those of a new case (C6), and for the case of an L3 those of “to L3” (E7). Each case is a change of
    its own. Raises Refused or NotAllowed, then nothing has changed.
    """
    allow(actor, Right.WORK_CASES, "hand a case over")
    roster = Roster(now)

    def hand(case: Case, at: datetime) -> OwnerChange:
        if owner is not None:
            return _handed_over(case, actor, at, owner, reason)
        choice = roster.successor(case.owner_id, Severity(case.severity), case.contact.speaks)
        if choice is None:
            raise Refused("there is nobody to give it to")
        return _handed_over(case, actor, at, roster.users[choice.user_id], reason or f"{choice.why}.")

    return _each(seen, actor, now, reason, hand)


def accept_many(
    seen: Seen, actor: User, now: datetime, *, owner_of: Callable[[Case], User], reason_of: Callable[[Case], str]
) -> HandedOn:
    """Accept those of the cases that are handed over and can be accepted (W3): each goes to whom `owner_of` names.

    Their former owners gave them away, and are not written to. Raises Refused or NotAllowed, then nothing has changed.
    """
    allow(actor, Right.WORK_CASES, "accept a hand-over")

    def accept(case: Case, at: datetime) -> OwnerChange:
        owner = owner_of(case)
        if case.owner == owner:
            raise Refused(f"it is {owner}'s already")
        return _change_owner(
            case, actor, at, owner, reason_of(case), Move.TAKEN_OVER if owner == actor else Move.REASSIGNED
        )

    return _each(seen, actor, now, "", accept, tell_former=False)


def _each(
    seen: Seen,
    actor: User,
    now: datetime,
    reason: str,
    change: Callable[[Case, datetime], OwnerChange],
    *,
    tell_former: bool = True,
) -> HandedOn:
    """Change the owner of each case, and write the letters of all changes; a case that is refused is left."""
    within_bounds(reason, "reason")
    if len(seen) > MOST_AT_ONCE:
        raise Refused(f"{len(seen):,} cases are too many for one step; choose at most {MOST_AT_ONCE}.")
    done = HandedOn()
    with transaction.atomic():
        for case in all_locked(seen, actor):
            if case.owner_id != seen[case.pk]:
                done.left[case.number] = f"it belongs to {case.owner or 'nobody'} meanwhile"
                continue
            try:
                done.changes.append(change(case, monotonic_now(case, now)))
            except Refused as refused:  # before anything of this case was written
                done.left[case.number] = refused.sentence
        post(ownership_letters(done.changes, actor, reason.strip(), now, to_former=tell_former), now)
    return done


# --- who leaves (D9) --------------------------------------------------------------------------------------------


def give_on_cases(leaver: User, actor: User, now: datetime, *, reason: str, to: User | None = None) -> HandedOn:
    """Give every open case of `leaver` to `to`; without them each to whom the rules choose (D9).

    Raises Refused or NotAllowed, then nothing has changed.
    """
    allow(actor, Right.REASSIGN, "reassign a case")
    why = needs(reason, "Say why the cases go to somebody else.", "reason")
    if to == leaver:
        raise Refused(f"They are {leaver}'s already; choose somebody else.", "to")
    done = HandedOn()
    theirs = list(open_cases_of(leaver).values_list("pk", flat=True))
    for at in range(0, len(theirs), MOST_AT_ONCE):
        some = hand_over_many(
            dict.fromkeys(theirs[at : at + MOST_AT_ONCE], leaver.pk), actor, now, owner=to, reason=why
        )
        done.changes += some.changes
        done.left |= some.left
    return done


def open_cases_of(owner: User) -> CaseQuerySet:
    """Their open cases, the oldest first."""
    return Case.objects.open().filter(owner=owner).order_by("pk")


def left_behind() -> list[str]:
    """One sentence for each member of staff who left and still owns open cases (D9)."""
    leavers = User.objects.filter(is_active=False, owned_cases__in=Case.objects.open())
    return [
        f"{leaver} has left and still owns {counted(leaver.cases)}. Give them on, on {leaver}'s page under Staff."
        for leaver in leavers.annotate(cases=Count("owned_cases"))
    ]


def counted(cases: int) -> str:
    """“1 open case”, “3 open cases”."""
    return f"{cases:,} open case{'' if cases == 1 else 's'}"
