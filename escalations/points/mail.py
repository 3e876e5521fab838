"""What a step of the schedule says to whom: one letter to each person, whatever the number of points and roles (E5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from cases.mail.letters import Letter, facts, to_each
from contacts.directory import Addressee
from contacts.enums import Role
from contacts.models import User
from escalations.clocks import CaseClock
from escalations.points.decide import Batch, PointDecision, centre_of_owner


@dataclass
class Part:
    """What one person has to do with a step."""

    to: Addressee
    because: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)


def step_letters(step: PointDecision, batch: Batch) -> list[Letter]:
    """One letter to each person who has a part in the step, whatever the number of points and roles (E5)."""
    if not step.effective:
        return []
    parts: dict[str, Part] = {}

    def take_part(to: Addressee, because: str, expected: str) -> None:
        part = parts.setdefault(to.address.lower(), Part(to))
        if to.meant_for and to.meant_for not in part.to.meant_for:
            part.to = replace(part.to, meant_for=f"{part.to.meant_for}, {to.meant_for}".removeprefix(", "))
        if because not in part.because:
            part.because.append(because)
        if expected and expected not in part.expected:
            part.expected.append(expected)

    _informed(step, batch, take_part)
    _owners(step, batch, take_part)
    step.mailed = sorted(part.to.address for part in parts.values())
    return [_letter(step, part, batch.now) for part in parts.values()]


TakePart = Callable[[Addressee, str, str], None]


def _informed(step: PointDecision, batch: Batch, take_part: TakePart) -> None:
    case, centre = step.case, centre_of_owner(step.case)
    for due in step.effective:
        for role in due.point.mailed:
            for one in batch.directory.for_role(role, centre, case.company):
                take_part(one, f"{due.point.name} informs the {role.label}", "")
    if step.leaves_to_decide:
        for one in batch.directory.for_role(Role.SUPPORT_MANAGER, centre):
            take_part(
                one,
                f"{step.leaves_to_decide} leaves it to you whether the case is escalated further",
                "Decide on the page of the case whether to escalate it further, and say why.",
            )
    if step.no_l3:
        for one in batch.directory.for_role(Role.SUPPORT_MANAGER, centre):
            take_part(one, "ownership should go to L3, and there is no L3 technician", "Find an L3 technician.")


def _owners(step: PointDecision, batch: Batch, take_part: TakePart) -> None:
    centre = centre_of_owner(step.case)
    if step.new_owner is not None:
        for one in batch.directory.for_user(step.new_owner, "New owner", centre):
            take_part(one, f"the case now belongs to you ({step.why_owner})", "Take the case up.")
        if step.former_owner is not None:
            expected = "" if step.asked == step.former_owner else "Tell the new owner what you know."
            for one in batch.directory.for_user(step.former_owner, "Former owner", centre):
                take_part(one, f"the case went from you to {step.new_owner}; you go on watching it", expected)
    if step.asked is not None:
        why = "you are asked for the status of the case"
        why += f", as {step.absent}, who owns it, is off duty" if step.absent else ""
        for one in batch.directory.for_user(step.asked, "Owner", centre):
            take_part(one, why, "Say in a line where the case stands.")
    if step.new_assignee is not None and step.life.question is not None:
        why = f"{step.life.question.point} asked for the status of the case, and nobody has answered yet"
        for one in batch.directory.for_user(step.new_assignee, "Owner", centre):
            take_part(one, why, "Say in a line where the case stands.")
    if step.absent is not None:
        for one in batch.directory.for_user(step.absent, "Owner", centre):
            take_part(one, f"{step.asked} is asked for the status of the case, as you are off duty", "")
    if step.asked is None and step.case.owner is None:
        for one in batch.directory.for_user(None, "Owner", centre):
            take_part(one, "the case has no owner who could be asked", "Assign the case.")


def _letter(step: PointDecision, part: Part, now: datetime) -> Letter:
    case, highest = step.case, step.highest
    upcoming = (
        "the next point of the schedule comes by itself" if case.escalation_check_at else "no further point follows"
    )
    what = facts(
        case,
        about=step.about,
        why="; ".join(part.because),
        expected=" ".join(part.expected) or "Nothing for now: this is to inform you.",
        then=f"If the case stays unresolved, {upcoming}.",
        point=highest.point.name,
        due_at=highest.due_at.isoformat(),
        next_at=case.escalation_check_at.isoformat() if case.escalation_check_at else "",
        others=[{"name": due.point.name, "due_at": due.due_at.isoformat()} for due in step.effective[:-1]],
        late=(now - highest.due_at).total_seconds() > 15 * 60,
        owner_was=str(step.former_owner) if step.new_owner else "",
        asked=part.to.user_id is not None
        and part.to.user_id in {one.pk for one in (step.asked, step.new_assignee) if one},
        takes_over=step.new_owner is not None and part.to.user_id == step.new_owner.pk,
        description=case.description,
    )
    key = f"escalation:{case.pk}:{highest.run}:{highest.point.severity}:{highest.point.number}:{part.to.address}"
    return Letter(key, "escalation", part.to, what, case)


def inheritance_letters(life: CaseClock, new_assignee: User, batch: Batch) -> list[Letter]:
    """The new owner, or whoever stands in for them, is asked what the former owner has not answered yet (E8)."""
    question, case = life.question, life.case
    assert question is not None
    what = facts(
        case,
        why=f"{question.point} asked for the status of the case, nobody has answered yet, and it belongs to "
        f"{'you' if new_assignee == case.owner else case.owner} now",
        expected="Say in a line where the case stands.",
        then="Without an answer the Support Manager is told.",
        next_at="" if question.manager_told_at else question.answer_by.isoformat(),
        point=question.point,
        asked_at=question.asked_at.isoformat(),
    )
    readers = batch.directory.for_user(new_assignee, "Owner", centre_of_owner(case))
    key = f"inherited:{question.pk}:{new_assignee.pk}:{batch.now.isoformat()}"
    return to_each(readers, key, "question_inherited", what, case)
