"""What is said to whom about a request for escalation (E9): whoever decides, the customer, the account manager.

A decision that the schedule left to the Support Manager is the desk's own affair: nobody outside hears of it (E1).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from cases.enums import SendCondition
from cases.mail.letters import Letter, facts, to_contact, to_each
from cases.models import Case
from contacts.directory import Addressee, Directory
from contacts.enums import Role
from contacts.models import User
from contacts.wording import duration
from escalations.enums import ATTENTION_EVERY, Origin
from escalations.models import EscalationRequest
from escalations.points.decide import centre_of_owner
from escalations.requests.decide import AcceptanceEffect


def asking_letters(
    request: EscalationRequest, case: Case, offer: AcceptanceEffect, directory: Directory
) -> list[Letter]:
    """The Support Manager is asked to decide, at once (E9)."""
    what = facts(
        case,
        why="you are the Support Manager, who decides on requested escalations",
        expected="Accept or decline it on the page of the case. A decline needs a reason.",
        then="Without a decision the request goes on to the Customer Service Manager.",
        next_at=request.decide_by.isoformat() if request.decide_by else "",
        brings=offer.said,
        **_asked(request),
    )
    readers = directory.for_role(Role.SUPPORT_MANAGER, centre_of_owner(case))
    return to_each(readers, f"request:{request.pk}", "escalation_request", what, case, SendCondition.OPEN)


def passing_letters(request: EscalationRequest, case: Case, directory: Directory) -> list[Letter]:
    """The CSM is asked to decide what nobody has decided in time (E9)."""
    what = facts(
        case,
        why="nobody has decided on this request in time, so it goes on to the Customer Service Manager",
        expected="Accept or decline it on the page of the case. A decline needs a reason.",
        then="The Support Manager may still decide as well; whoever is first decides.",
        decide_by_at=request.decide_by.isoformat() if request.decide_by else "",
        **_asked(request),
    )
    readers = directory.for_role(Role.CSM, centre_of_owner(case))
    return to_each(
        readers, f"request-passed:{request.pk}", "escalation_request_passed_on", what, case, SendCondition.OPEN
    )


def accepted_letters(
    request: EscalationRequest, case: Case, brought: str, every: timedelta | None, directory: Directory
) -> list[Letter]:
    """The customer and the account manager hear that a request was accepted, and what it brought (E9).

    `brought` is that in words for staff, `every` how often the customer is owed an update from now on. With nothing
    left to bring forward, the CSM and the account manager are asked for management's attention; the account manager
    hears both in one letter.
    """
    if request.is_decision:
        return _attention_letters(request, case, directory) if request.attention else []
    every_said = duration(every) if every else ""
    what = facts(
        case,
        why="you are our contact for this issue",
        expected="Nothing for now.",
        then=f"{case.owner or 'A specialist'} works on it and keeps you informed.",
        **_for_customer(request),
        attention=request.attention,
        every=every_said,
    )
    told = _to_customer(request, case, "escalation_request_accepted", what)
    attention = _attention_letters(request, case, directory, tell_customer=not told) if request.attention else []
    outcome = _outcome_letters(request, case, directory, brought, tell_customer=not told and not attention)
    return told + attention + outcome


def declined_letters(request: EscalationRequest, case: Case, words: str, directory: Directory) -> list[Letter]:
    """The customer and the account manager hear that a request was declined, and why (E9).

    `words` is the reason as the customer reads it; staff read the decider's own as well.
    """
    what = facts(
        case,
        why="you are our contact for this issue",
        expected="Nothing for now. If the impact on your business changes, please tell us by replying to this message.",
        then=f"{case.owner or 'A specialist'} goes on working on it and keeps you informed.",
        **_for_customer(request),
        words=words,
    )
    told = _to_customer(request, case, "escalation_request_declined", what)
    return told + _outcome_letters(request, case, directory, "", tell_customer=not told, words=words)


def withdrawn_letters(request: EscalationRequest, case: Case, directory: Directory) -> list[Letter]:
    """Whoever requested it hears that somebody else withdrew it."""
    if request.requested_by is None or request.requested_by == request.decided_by:
        return []
    readers = directory.for_user(request.requested_by, "Requester", centre_of_owner(case))
    what = facts(
        case,
        why="you requested this escalation",
        expected="Nothing for now. If it is still needed, talk to whoever withdrew it, or request it again.",
        then="The case keeps its promises, and its escalation schedule goes on by itself.",
        **_decided(request),
    )
    return to_each(readers, f"request-outcome:{request.pk}", "escalation_request_outcome", what, case)


# --- who reads what ---------------------------------------------------------------------------------------------


def _asked(request: EscalationRequest) -> dict[str, Any]:
    return {
        "origin": request.get_origin_display(),
        "asked_by": request.asked_by,
        "impact": request.impact,
        "reason": request.reason,
        "requested_by": str(request.requested_by) if request.requested_by else "the schedule",
        "requested_at": request.requested_at.isoformat(),
    }


def _decided(request: EscalationRequest) -> dict[str, Any]:
    outcome = request.get_status_display().lower()
    return _asked(request) | {
        "outcome": outcome,
        "decided_by": str(request.decided_by),
        "decision": request.decision,
    }


def _for_customer(request: EscalationRequest) -> dict[str, Any]:
    return {"by_customer": request.origin == Origin.CUSTOMER, "requested_at": request.requested_at.isoformat()}


def _to_customer(request: EscalationRequest, case: Case, template: str, what: dict[str, Any]) -> list[Letter]:
    customer = to_contact(case)
    return [Letter(f"request-outcome:{request.pk}:customer", template, customer, what, case)] if customer else []


def _outcome_letters(
    request: EscalationRequest,
    case: Case,
    directory: Directory,
    brought: str,
    *,
    tell_customer: bool,
    words: str = "",
) -> list[Letter]:
    """The account manager, unless they have a letter about it already, and whoever requested it and did not decide."""
    centre, roles = centre_of_owner(case), []
    if not request.attention:
        managers = directory.for_role(Role.ACCOUNT_MANAGER, centre, case.company)
        roles.append((managers, f"you are the account manager of {case.company}"))
    if _hears_besides(request, case):
        requester = directory.for_user(request.requested_by, "Requester", centre)
        roles.append((requester, "you requested this escalation"))
    letters = []
    for number, (to, why) in enumerate(_merged(roles)):
        what = facts(
            case,
            why=why,
            expected=_tell(case) if tell_customer and number == 0 else "Nothing for now: this is to inform you.",
            then="The case keeps its promises, and its escalation schedule goes on by itself.",
            **_decided(request),
            brought=brought,
            words=words,
        )
        key = f"request-outcome:{request.pk}:{to.address}"
        letters.append(Letter(key, "escalation_request_outcome", to, what, case))
    return letters


def _hears_besides(request: EscalationRequest, case: Case) -> bool:
    requester: User | None = request.requested_by
    return requester is not None and requester not in (request.decided_by, case.company.account_manager)


def _attention_letters(
    request: EscalationRequest, case: Case, directory: Directory, tell_customer: bool = False
) -> list[Letter]:
    centre = centre_of_owner(case)
    csm, manager = directory.for_role(Role.CSM, centre), directory.for_role(Role.ACCOUNT_MANAGER, centre, case.company)
    roles = [(csm, "you are the Customer Service Manager"), (manager, f"you are the account manager of {case.company}")]
    managers = {one.address.lower() for one in manager}
    letters = []
    for to, why in _merged(roles):
        tells = tell_customer and to.address.lower() in managers
        expected = "Look into the case and see that it gets what it needs." + (f" {_tell(case)}" if tells else "")
        what = facts(
            case,
            why=why,
            expected=expected,
            then=f"Updates are owed at least every {duration(ATTENTION_EVERY)}, until a Support Manager ends "
            "management's attention or the case is resolved.",
            **_decided(request),
        )
        key = f"attention:{request.pk}:{to.address}"
        letters.append(Letter(key, "management_attention", to, what, case, SendCondition.OPEN))
    return letters


def _tell(case: Case) -> str:
    return f"Tell {case.contact.name} yourself: they have no email address."


def _merged(roles: Iterable[tuple[list[Addressee], str]]) -> list[tuple[Addressee, str]]:
    """Each address once, with every reason it is written to, and everybody it stands in for (D5)."""
    found: dict[str, tuple[Addressee, str]] = {}
    for readers, why in roles:
        for one in readers:
            known, whys = found.get(one.address.lower(), (one, ""))
            meant_for = ", ".join(dict.fromkeys(filter(None, (known.meant_for, one.meant_for))))
            found[one.address.lower()] = replace(known, meant_for=meant_for), "; ".join(filter(None, (whys, why)))
    return list(found.values())
