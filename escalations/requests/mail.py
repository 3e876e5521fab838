"""The mails about an escalation request (E9): to those who decide, to the customer, the account manager, the requester.

A decision that the schedule left to the Support Manager is internal: nobody outside is mailed about it (E1).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cases.mail.letters import Letter, facts, to_contact, to_each, who_works_on
from cases.mail.phrases import phrase
from cases.models import Case
from contacts.directory import Directory
from contacts.enums import Role
from contacts.models import User
from contacts.wording import duration
from escalations.audience import Recipients, centre_of_owner, holders_of
from escalations.enums import Origin
from escalations.models import EscalationRequest
from escalations.policy.deadlines import ATTENTION_INTERVAL
from escalations.requests.decide import AcceptanceEffect


def requested_letters(
    request: EscalationRequest, case: Case, effect: AcceptanceEffect, directory: Directory
) -> list[Letter]:
    """Ask the Support Manager to decide (E9)."""
    content = _facts_for_decider(
        request,
        case,
        why="you are the Support Manager, who decides on requested escalations",
        then="Without a decision the request goes on to the Customer Service Manager.",
        next_at=_decide_by(request),
        brings=effect.text,
    )
    readers = holders_of([Role.SUPPORT_MANAGER], case, directory)
    letters = to_each(readers, f"request:{request.pk}", "escalation_request", content, case)
    return letters if request.requested_by else letters + _to_account_manager(request, case, effect, directory)


def _to_account_manager(
    request: EscalationRequest, case: Case, effect: AcceptanceEffect, directory: Directory
) -> list[Letter]:
    """What their customer asked for on the support page, where nobody at the desk took it down (P4)."""
    content = facts(
        case,
        why=f"you are the account manager of {case.company.name}, which asked for this on the support page",
        expected="Nothing, unless you want to speak with them; the Support Manager decides.",
        then="You hear the outcome.",
        brings=effect.text,
        **_request_facts(request),
    )
    readers = directory.for_role(Role.ACCOUNT_MANAGER, None, case.company)
    return to_each(readers, f"request:{request.pk}:am", "escalation_asked_for", content, case)


def passed_on_letters(request: EscalationRequest, case: Case, directory: Directory) -> list[Letter]:
    """Ask the CSM to decide a request that nobody has decided in time (E9)."""
    content = _facts_for_decider(
        request,
        case,
        why="nobody has decided on this request in time, so it goes on to the Customer Service Manager",
        then="The Support Manager may still decide as well; whoever is first decides.",
        decide_by_at=_decide_by(request),
        is_decision=request.is_decision,
    )
    readers = holders_of([Role.CSM], case, directory)
    return to_each(readers, f"request-passed:{request.pk}", "escalation_request_passed_on", content, case)


def _facts_for_decider(request: EscalationRequest, case: Case, *, why: str, then: str, **more: Any) -> dict[str, Any]:
    expected = "Accept or decline it on the page of the case. A decline needs a reason."
    return facts(case, why=why, expected=expected, then=then, **more, **_request_facts(request))


def _decide_by(request: EscalationRequest) -> str:
    return request.decide_by.isoformat() if request.decide_by else ""


def accepted_letters(
    request: EscalationRequest, case: Case, outcome: str, interval: timedelta | None, directory: Directory
) -> list[Letter]:
    """Tell the customer, the account manager and the requester that a request was accepted (E9).

    `outcome` says for staff what was brought forward, `interval` is how often the customer is owed an update from now
    on. If nothing was left to bring forward, the CSM and the account manager are asked for management attention; the
    account manager gets both in one mail.
    """
    if request.is_decision:
        return _attention_letters(request, case, directory) if request.attention else []
    customer = _to_customer(
        request,
        case,
        "escalation_request_accepted",
        expected=phrase("Nothing for now."),
        then=phrase("%(work)s, and we keep you informed.", work=who_works_on(case)),
        attention=request.attention,
        every=duration(interval) if interval else "",
    )
    attention = _attention_letters(request, case, directory, call_customer=not customer) if request.attention else []
    staff = _outcome_letters(request, case, directory, outcome, call_customer=not customer and not attention)
    return customer + attention + staff


def declined_letters(request: EscalationRequest, case: Case, words: str, directory: Directory) -> list[Letter]:
    """Tell the customer, the account manager and the requester that a request was declined, and why (E9).

    `words` is the reason as the customer reads it; staff read the internal reason as well.
    """
    customer = _to_customer(
        request,
        case,
        "escalation_request_declined",
        expected=phrase(
            "Nothing for now. If the impact on your business changes, please tell us by replying to this message."
        ),
        then=phrase("%(work)s, and we keep you informed.", work=who_works_on(case)),
        words=words,
    )
    return customer + _outcome_letters(request, case, directory, "", call_customer=not customer, words=words)


def withdrawn_letters(request: EscalationRequest, case: Case, directory: Directory) -> list[Letter]:
    """Tell the requester that somebody else withdrew their request."""
    if request.requested_by is None or request.requested_by == request.decided_by:
        return []
    readers = directory.for_user(request.requested_by, "Requester", centre_of_owner(case))
    content = facts(
        case,
        why="you requested this escalation",
        expected="Nothing for now. If it is still needed, talk to whoever withdrew it, or request it again.",
        then="The case keeps its promises, and its escalation schedule goes on by itself.",
        **_decision_facts(request),
    )
    return to_each(readers, f"request-outcome:{request.pk}", "escalation_request_outcome", content, case)


# --- facts and readers ------------------------------------------------------------------------------------------


def _request_facts(request: EscalationRequest) -> dict[str, Any]:
    return {
        "origin": request.get_origin_display(),
        "asked_by": request.asked_by,
        "impact": request.impact,
        "reason": request.reason,
        "requested_by": _requester(request),
        "requested_at": request.requested_at.isoformat(),
    }


def _requester(request: EscalationRequest) -> str:
    """Who made it; a customer may have done so by themselves, on the support page."""
    if request.requested_by is not None:
        return str(request.requested_by)
    return "the schedule" if request.is_decision else f"{request.asked_by} (on the support page)"


def _decision_facts(request: EscalationRequest) -> dict[str, Any]:
    return _request_facts(request) | {
        "outcome": request.get_status_display().lower(),
        "decided_by": str(request.decided_by),
        "decision": request.decision,
    }


def _to_customer(request: EscalationRequest, case: Case, template: str, **content: Any) -> list[Letter]:
    customer = to_contact(case)
    if customer is None:
        return []
    content = facts(
        case,
        why=phrase("you are our contact for this issue"),
        by_customer=request.origin == Origin.CUSTOMER,
        requested_at=request.requested_at.isoformat(),
        **content,
    )
    return [Letter(f"request-outcome:{request.pk}:customer", template, customer, content, case)]


def _outcome_letters(
    request: EscalationRequest,
    case: Case,
    directory: Directory,
    outcome: str,
    *,
    call_customer: bool,
    words: str = "",
) -> list[Letter]:
    """To the requester and the account manager, who has an attention letter instead if there is one.

    With `call_customer` the first of them is asked to call the customer, who cannot be mailed.
    """
    letters = []
    for number, recipient in enumerate(_outcome_recipients(request, case, directory)):
        content = facts(
            case,
            why=recipient.why,
            expected=_call(case) if call_customer and number == 0 else recipient.what_to_do,
            then="The case keeps its promises, and its escalation schedule goes on by itself.",
            **_decision_facts(request),
            brought=outcome,
            words=words,
        )
        key = f"request-outcome:{request.pk}:{recipient.to.address}"
        letters.append(Letter(key, "escalation_request_outcome", recipient.to, content, case))
    return letters


def _outcome_recipients(request: EscalationRequest, case: Case, directory: Directory) -> Recipients:
    recipients = Recipients()
    if not request.attention:
        managers = holders_of([Role.ACCOUNT_MANAGER], case, directory)
        recipients.add(managers, f"you are the account manager of {case.company}")
    requester: User | None = request.requested_by
    if requester is not None and requester not in (request.decided_by, case.company.account_manager):
        readers = directory.for_user(requester, "Requester", centre_of_owner(case))
        recipients.add(readers, "you requested this escalation")
    return recipients


def _attention_letters(
    request: EscalationRequest, case: Case, directory: Directory, *, call_customer: bool = False
) -> list[Letter]:
    """Ask the CSM and the account manager for management attention; the latter may have to call the customer."""
    recipients, look = Recipients(), "Look into the case and see that it gets what it needs."
    recipients.add(holders_of([Role.CSM], case, directory), "you are the Customer Service Manager", look)
    managers = holders_of([Role.ACCOUNT_MANAGER], case, directory)
    reason = f"you are the account manager of {case.company}"
    recipients.add(managers, reason, look)
    if call_customer:
        recipients.add(managers, reason, _call(case))
    letters = []
    for recipient in recipients:
        content = facts(
            case,
            why=recipient.why,
            expected=recipient.what_to_do,
            then=f"Updates are owed at least every {duration(ATTENTION_INTERVAL)}, until a Support Manager ends "
            "management's attention or the case is resolved.",
            **_decision_facts(request),
        )
        key = f"attention:{request.pk}:{recipient.to.address}"
        letters.append(Letter(key, "management_attention", recipient.to, content, case))
    return letters


def _call(case: Case) -> str:
    return f"Tell {case.contact.name} yourself: they have no email address."
