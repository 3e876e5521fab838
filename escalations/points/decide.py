"""What a case's look comes to: the points that are due, who owns the case afterwards, who is asked (E5, E7, E8).

Decided here in memory and written by `escalations.points.apply`; the forecast asks the same and writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from cases.enums import Severity
from cases.mail.letters import case_facts
from cases.models import Case
from cases.roster import Roster
from contacts.directory import Directory
from contacts.models import User
from escalations.clocks import CaseClock
from escalations.enums import OwnerAction
from escalations.policy.clock import Due
from escalations.policy.schedule import cadence_minutes


class Batch:
    """What the steps of a batch need to know besides their cases, each read once and only when it is asked for."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    @cached_property
    def directory(self) -> Directory:
        """Who holds which role."""
        return Directory()

    @cached_property
    def roster(self) -> Roster:
        """The technicians, read only when somebody is to go to L3 or to stand in for somebody."""
        return Roster(self.now)


@dataclass
class PointDecision:
    """Everything that is due on one case at once, and what it comes to."""

    life: CaseClock
    run: int  # the one the case is in now (E2)
    dues: list[Due]
    former_owner: User | None = None
    new_owner: User | None = None
    asks: bool = False  # whether the owner is asked; `asked` is None when there is no owner
    asked: User | None = None
    absent: User | None = None  # the owner who is off duty and for whom `asked` stands in (E8)
    new_assignee: User | None = None  # who has to answer the open question from now on (E8)
    no_l3: bool = False
    why_owner: str = ""
    mailed: list[str] = field(default_factory=list)

    @property
    def case(self) -> Case:
        """The case as it is after the step."""
        return self.life.case

    def is_effective(self, due: Due) -> bool:
        """Whether a point is carried out: not a lowered or closed case's, nor an earlier run's (E2, E4)."""
        of_this_run = self.case.is_open and due.run == self.run
        return of_this_run and not due.recorded_only and due.point.severity == self.case.severity

    @cached_property
    def effective(self) -> list[Due]:
        """The points that are carried out, lowest first."""
        return sorted((due for due in self.dues if self.is_effective(due)), key=lambda due: due.point.number)

    @cached_property
    def about(self) -> dict[str, Any]:
        """The case's facts after the step, the same in each of its letters."""
        return case_facts(self.case)

    @property
    def highest(self) -> Due:
        """The point that the mails name (E5)."""
        return self.effective[-1]

    @cached_property
    def leaves_to_decide(self) -> str:
        """The highest point that may need more than the schedule does by itself, or "" (E1)."""
        names = [due.point.name for due in self.effective if due.point.may_need_more]
        return names[-1] if names else ""


def decide(life: CaseClock, batch: Batch) -> PointDecision:
    """What is due on the case at the batch's moment; its owner, rhythm and next looks are set in memory (E5).

    `life.course` is known.
    """
    case, now = life.case, batch.now
    assert life.timeline is not None
    dues = life.due(now)
    step = PointDecision(life, life.reading(now).run, dues)
    upcoming = life.upcoming(now)
    case.escalation_check_at = upcoming.due_at if upcoming else None
    if step.effective:
        _settle_owner(step, batch)
    cadence = _cadence(step)
    if dues or cadence != case.update_cadence:
        case.sla_check_at = now
    case.update_cadence = cadence
    return step


def _cadence(step: PointDecision) -> dict[str, int]:
    """The rhythm of the highest point of the current severity in the current run, else empty: the base (E4, T2)."""
    severity = Severity(step.case.severity)
    passed = {
        one.number: cadence_minutes(one.cadence)
        for one in step.life.passed
        if (one.run, one.severity) == (step.run, severity)
    }
    passed |= {
        due.point.number: cadence_minutes(due.point.cadence)
        for due in step.dues
        if (due.run, due.point.severity) == (step.run, severity)
    }
    return passed[max(passed)] if passed else {}


def _settle_owner(step: PointDecision, batch: Batch) -> None:
    """Who owns the case after the step, at most one change, and who is asked (E5, E7, E8)."""
    if any(due.point.owner == OwnerAction.TO_L3 for due in step.effective):
        _go_to_l3(step, batch)
    if any(due.point.owner == OwnerAction.ASKED for due in step.effective):
        step.asks = True
        owner = step.former_owner or step.case.owner
        step.asked = responder(owner, step.case, batch)
        step.absent = owner if step.asked != owner else None
    else:
        step.new_assignee = inherited(step.life, batch)


def _go_to_l3(step: PointDecision, batch: Batch) -> None:
    case = step.case
    if batch.roster.is_l3(case.owner_id):
        return  # an owner who is L3 keeps the case
    choice = batch.roster.to_l3(Severity(case.severity), case.contact.speaks)
    if choice is None:
        step.no_l3 = True
        return
    step.former_owner, step.new_owner = case.owner, batch.roster.users[choice.user_id]
    step.why_owner = choice.why
    case.owner = step.new_owner


def responder(owner: User | None, case: Case, batch: Batch) -> User | None:
    """Who answers for the owner: the owner, or, while they are off duty, whoever is on duty at the covering centre.

    With nobody on duty there it stays the owner (E8).
    """
    technician = getattr(owner, "technician", None)
    if owner is None or (owner.is_active and (technician is None or technician.on_duty)):
        return owner
    choice = batch.roster.stand_in(case.contact.speaks, besides=owner.pk)
    return batch.roster.users[choice.user_id] if choice else owner


def inherited(life: CaseClock, batch: Batch) -> User | None:
    """Who has to answer the open question now that the case has another owner; None when nothing changes (E8)."""
    question, case = life.question, life.case
    if question is None or life.question_is_over or case.owner is None:
        return None
    if case.owner_id in (question.asked_id, question.stands_in_for_id):
        return None
    return responder(case.owner, case, batch)


def centre_of_owner(case: Case) -> int | None:
    """The support centre of the case's owner, for roles that are held per centre (D4); without a query."""
    technician = getattr(case.owner, "technician", None)
    return technician.centre_id if technician else None
