"""The mails of an escalation run: one to each person, whatever the number of points and roles (E5).

They describe the case as it is after the decision was applied.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cases.mail.letters import Letter, case_facts, facts, to_each
from contacts.enums import Role
from contacts.models import User
from escalations.audience import Recipient, Recipients, centre_of_owner, holders_of
from escalations.models import EscalationRequest
from escalations.points.decide import PointDecision, SweepContext

#: A mail says that the point comes late when it is reached so long after it was due.
LATE_AFTER = timedelta(minutes=15)
SAY_STATUS = "Say in a line where the case stands."


def point_letters(decision: PointDecision, context: SweepContext) -> list[Letter]:
    """The letters of an applied decision, while the open question is still the one from before it."""
    if not decision.effective:
        return _reassignment_letters(decision, decision.new_assignee, context) if decision.new_assignee else []
    recipients = Recipients()
    _add_informed(decision, context, recipients)
    _add_owners(decision, context, recipients)
    about = case_facts(decision.case)
    return [_letter(decision, recipient, about, context) for recipient in recipients]


def _add_informed(decision: PointDecision, context: SweepContext, recipients: Recipients) -> None:
    case, centre, directory = decision.case, centre_of_owner(decision.case), context.directory
    for due in decision.effective:
        for role in due.point.mailed:
            readers = holders_of([role], case, directory)
            recipients.add(readers, f"{due.point.name} informs the {role.label}")
    if decision.leaves_to_decide:
        recipients.add(
            directory.for_role(Role.SUPPORT_MANAGER, centre),
            f"{decision.leaves_to_decide} leaves it to you whether the case is escalated further",
            "Decide on the page of the case whether to escalate it further, and say why.",
        )
    if decision.no_l3:
        readers = directory.for_role(Role.SUPPORT_MANAGER, centre)
        reason = "ownership should go to L3, and there is no L3 technician"
        recipients.add(readers, reason, "Find an L3 technician.")


def _add_owners(decision: PointDecision, context: SweepContext, recipients: Recipients) -> None:
    def add(user: User | None, role: str, reason: str, expected: str = "") -> None:
        readers = context.directory.for_user(user, role, centre_of_owner(decision.case))
        recipients.add(readers, reason, expected)

    if decision.new_owner is not None:
        add(
            decision.new_owner,
            "New owner",
            f"the case now belongs to you ({decision.owner_reason})",
            "Take the case up.",
        )
    if decision.former_owner is not None:
        expected = "" if decision.asked == decision.former_owner else "Tell the new owner what you know."
        reason = f"the case went from you to {decision.new_owner}; you go on watching it"
        add(decision.former_owner, "Former owner", reason, expected)
    if decision.asked is not None:
        reason = "you are asked for the status of the case"
        reason += f", as {decision.absent}, who owns it, is off duty" if decision.absent else ""
        add(decision.asked, "Owner", reason, SAY_STATUS)
    if decision.new_assignee is not None and decision.clock.question is not None:
        reason = f"{decision.clock.question.point} asked for the status of the case, and nobody has answered yet"
        add(decision.new_assignee, "Owner", reason, SAY_STATUS)
    if decision.absent is not None:
        add(decision.absent, "Owner", f"{decision.asked} is asked for the status of the case, as you are off duty")
    if decision.asked is None and decision.case.owner is None:
        add(None, "Owner", "the case has no owner who could be asked", "Assign the case.")


def _letter(decision: PointDecision, recipient: Recipient, about: dict[str, Any], context: SweepContext) -> Letter:
    case, highest, to = decision.case, decision.highest, recipient.to
    upcoming = "the next point of the schedule comes by itself" if decision.check_at else "no further point follows"
    what = facts(
        case,
        about=about,
        why=recipient.why,
        expected=recipient.what_to_do,
        then=f"If the case stays unresolved, {upcoming}.",
        point=highest.point.name,
        due_at=highest.due_at.isoformat(),
        next_at=decision.check_at.isoformat() if decision.check_at else "",
        others=[{"name": due.point.name, "due_at": due.due_at.isoformat()} for due in decision.effective[:-1]],
        late=context.now - highest.due_at > LATE_AFTER,
        owner_was=str(decision.owner_before) if decision.new_owner else "",
        accepted=accepted_facts(context.accepted) if context.accepted else {},
        asked=to.user_id in {user.pk for user in (decision.asked, decision.new_assignee) if user},
        takes_over=decision.new_owner is not None and to.user_id == decision.new_owner.pk,
        description=case.description,
    )
    key = f"escalation:{case.pk}:{highest.run}:{highest.point.severity}:{highest.point.number}:{to.address}"
    return Letter(key, "escalation", to, what, case, occasion=highest.due_at)


def accepted_facts(request: EscalationRequest) -> dict[str, Any]:
    """What whoever is mailed by a point reads of the accepted request that brought it forward (E9)."""
    return {
        "asked_by": request.asked_by,
        "impact": request.impact,
        "reason": request.reason,
        "decided_by": str(request.decided_by),
        "decision": request.decision,
    }


def _reassignment_letters(decision: PointDecision, new_assignee: User, context: SweepContext) -> list[Letter]:
    """Ask the new owner, or whoever stands in for them, what the former owner has not answered yet (E8)."""
    question, case = decision.clock.question, decision.case
    assert question is not None
    owns = new_assignee == case.owner
    what = facts(
        case,
        yours=owns,
        put_to=str(question.first_asked or question.asked or "its owner"),
        why=f"{question.point} asked for the status of the case, nobody has answered yet, and it belongs to "
        f"{'you' if owns else case.owner} now",
        expected=SAY_STATUS,
        then="Without an answer the Support Manager is told.",
        next_at="" if question.manager_told_at else question.answer_by.isoformat(),
        point=question.point,
        asked_at=question.asked_at.isoformat(),
    )
    readers = context.directory.for_user(new_assignee, "Owner", centre_of_owner(case))
    key = f"inherited:{question.pk}:{new_assignee.pk}:{context.now.isoformat()}"
    return to_each(readers, key, "question_inherited", what, case)
