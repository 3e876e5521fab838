"""Decide what one escalation run does to a case: due points, new owner, who is asked for the status (E5, E7, E8).

Reads what is loaded and changes nothing: `escalations.points.apply` carries a decision out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from cases.engine.sweep import RETRY_AFTER
from cases.enums import Severity
from cases.models import Case
from cases.roster import Roster
from contacts.directory import Directory
from contacts.models import User
from escalations.clocks import CaseClock
from escalations.enums import OwnerAction
from escalations.models import EscalationRequest
from escalations.policy.clock import Due
from escalations.policy.schedule import cadence_minutes


class SweepContext:
    """What the decisions of a batch share besides the cases: one moment, and people who are read when first needed.

    `accepted` is the request whose acceptance has the points of one case carried out (E9).
    """

    def __init__(self, now: datetime, accepted: EscalationRequest | None = None) -> None:
        self.now, self.accepted = now, accepted

    @cached_property
    def directory(self) -> Directory:
        """Who holds which role."""
        return Directory()

    @cached_property
    def roster(self) -> Roster:
        """The technicians, needed when a case goes to L3 or an owner is off duty."""
        return Roster(self.now)


@dataclass
class PointDecision:
    """What one run does to one case."""

    clock: CaseClock
    run: int  # that the case is in now (E2)
    dues: list[Due]
    check_at: datetime | None  # when the sweep looks at the case again
    cadence: dict[str, int]  # of status updates, as a case stores it
    owner_before: User | None
    new_owner: User | None = None
    owner_reason: str = ""
    no_l3: bool = False
    asks_owner: bool = False  # `asked` stays None when nobody owns the case
    asked: User | None = None
    absent: User | None = None  # the owner off duty whom `asked` stands in for (E8)
    new_assignee: User | None = None  # who has to answer the open question from now on (E8)

    @property
    def case(self) -> Case:
        """The case that is decided on."""
        return self.clock.case

    @property
    def owner_after(self) -> User | None:
        """Who owns the case once the decision is applied."""
        return self.new_owner or self.owner_before

    @property
    def former_owner(self) -> User | None:
        """Who loses the case; None when it stays with its owner or had none."""
        return self.owner_before if self.new_owner else None

    def is_effective(self, due: Due) -> bool:
        """Whether a point is carried out, not only recorded for a lowered or closed case or an earlier run (E2, E4)."""
        of_this_run = self.case.is_open and due.run == self.run
        return of_this_run and not due.recorded_only and due.point.severity == self.case.severity

    @cached_property
    def effective(self) -> list[Due]:
        """The points that are carried out, lowest first."""
        return sorted((due for due in self.dues if self.is_effective(due)), key=lambda due: due.point.number)

    @property
    def highest(self) -> Due:
        """The point that the mails name (E5)."""
        return self.effective[-1]

    @cached_property
    def leaves_to_decide(self) -> str:
        """The highest point that leaves further escalation to the Support Manager, or "" (E1)."""
        names = [due.point.name for due in self.effective if due.point.may_need_more]
        return names[-1] if names else ""


def decide_points(clock: CaseClock, context: SweepContext) -> PointDecision:
    """What is due on the case at the context's moment, who owns it afterwards and who is asked (E5, E7, E8)."""
    case, now = clock.case, context.now
    if clock.timeline is None:  # the case must not be forgotten when the first schedule is put in force
        return PointDecision(clock, 1, [], now + RETRY_AFTER, case.update_cadence, case.owner)
    dues, run, upcoming = clock.due(now), clock.reading(now).run, clock.upcoming(now)
    check_at = upcoming.due_at if upcoming else None
    decision = PointDecision(clock, run, dues, check_at, _cadence(clock, run, dues), case.owner)
    actions = {due.point.owner for due in decision.effective}
    if OwnerAction.TO_L3 in actions:
        _transfer_to_l3(decision, context)
    if OwnerAction.ASKED in actions:
        _ask_owner(decision, context)
    else:
        decision.new_assignee = _new_assignee(decision, context)
    return decision


def _cadence(clock: CaseClock, run: int, dues: Sequence[Due]) -> dict[str, int]:
    """The cadence of the highest point of the current severity in this run; empty for the base interval (E4, T2)."""
    of_now = (run, Severity(clock.case.severity))
    passed = {one.number: one.cadence for one in clock.passed if (one.run, one.severity) == of_now}
    passed |= {due.point.number: due.point.cadence for due in dues if (due.run, due.point.severity) == of_now}
    return cadence_minutes(passed[max(passed)]) if passed else {}


def _transfer_to_l3(decision: PointDecision, context: SweepContext) -> None:
    """Choose the L3 who gets the case; an owner who is L3 keeps it (E7)."""
    case = decision.case
    if context.roster.is_l3(case.owner_id):
        return
    choice = context.roster.to_l3(Severity(case.severity), case.contact.speaks)
    if choice is None:
        decision.no_l3 = True
    else:
        decision.new_owner, decision.owner_reason = context.roster.users[choice.user_id], choice.why


def _ask_owner(decision: PointDecision, context: SweepContext) -> None:
    """Ask whoever owned the case at the point; who is asked and transferred away from is asked once (E5)."""
    owner = decision.owner_before
    decision.asks_owner = True
    decision.asked = responder(owner, decision.case, context)
    decision.absent = owner if decision.asked != owner else None


def responder(owner: User | None, case: Case, context: SweepContext) -> User | None:
    """Who answers for the owner: the owner or, while they are off duty, whoever is on duty at the covering centre.

    With nobody on duty there it stays the owner (E8).
    """
    technician = getattr(owner, "technician", None)
    if owner is None or (owner.can_sign_in and (technician is None or technician.on_duty)):
        return owner
    choice = context.roster.stand_in(case.contact.speaks, besides=owner.pk)
    return context.roster.users[choice.user_id] if choice else owner


def _new_assignee(decision: PointDecision, context: SweepContext) -> User | None:
    """Who has to answer the open question when the case has another owner than it asked; None for no change (E8)."""
    clock, owner = decision.clock, decision.owner_after
    question = clock.question
    if question is None or clock.question_is_over or owner is None:
        return None
    if owner.pk in (question.asked_id, question.stands_in_for_id):
        return None
    return responder(owner, decision.case, context)
