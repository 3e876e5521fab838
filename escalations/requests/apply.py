"""Requested escalations and the decisions that the schedule leaves open (E9, E1): the moves.

Each checks the right, locks the case, lets the FSM of the request guard its status, and writes the history row and the
letters in one transaction. A move that may not be made raises `Refused` with one sentence; then nothing has changed.
Accepting carries out the next point by the very road of the sweep, so that it happens once whoever is first.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import prefetch_related_objects
from simple_history.utils import bulk_update_with_history

from cases.engine.history import record
from cases.enums import Move, Severity, Status
from cases.guards import NotAllowed, Refused, locked, monotonic_now, needs
from cases.mail.letters import Letter, post
from cases.models import Case
from contacts.directory import Directory
from contacts.enums import Right
from contacts.models import User
from escalations.clocks import CaseClock, load_clocks
from escalations.enums import Audience, Origin, RequestStatus
from escalations.models import EscalationRequest, EscalationRequestQuerySet
from escalations.points.apply import carry_out
from escalations.policy.clock import PointKey
from escalations.policy.deadlines import DECIDE_WITHIN
from escalations.requests.decide import acceptance_effect, current_run, effective_dues, key_text
from escalations.requests.mail import (
    accepted_letters,
    declined_letters,
    passed_on_letters,
    requested_letters,
    withdrawn_letters,
)

#: As much as the name of whoever asked may hold.
LONGEST_NAME = 200

_said_at = "{:%Y-%m-%d %H:%M} UTC".format


# --- requesting -------------------------------------------------------------------------------------------------


def request_escalation(
    case_id: int, actor: User, now: datetime, *, origin: Origin, asked_by: str, impact: str, reason: str
) -> EscalationRequest:
    """Record who asked, the business impact and why; the Support Manager is emailed at once (E9).

    Whoever presses twice gets the first one back. Raises Refused, NotAllowed, or Case.DoesNotExist (A1).
    """
    _allow(actor, Right.REQUEST_ESCALATION, "an escalation is requested by an account manager or a technician")
    if origin not in (Origin.CUSTOMER, Origin.STAFF):
        raise Refused("Say who wants it: the customer, or we ourselves.", "origin")
    asked_by = needs(asked_by, "Say who asked for it: the name of a person.", "asked_by")
    if len(asked_by) > LONGEST_NAME:
        raise Refused(f"Give the name of whoever asked in at most {LONGEST_NAME} characters.", "asked_by")
    impact = needs(impact, "Say what it means for the customer's business.", "impact")
    reason = needs(reason, "Say why the case is to be escalated before its time.", "reason")
    wanted = EscalationRequest(
        origin=origin, asked_by=asked_by, impact=impact, reason=reason, requested_by=actor, requested_at=now
    )
    with transaction.atomic():
        case = locked(case_id, actor)
        return _same_again(case, wanted) or _record(case, wanted, actor, monotonic_now(case, now))


def _same_again(case: Case, wanted: EscalationRequest) -> EscalationRequest | None:
    """The request that is there already, for a second click; None when there is none. Raises Refused for another."""
    there = undecided_request(case)
    if there is None:
        return None
    names = ("requested_by", "origin", "asked_by", "impact", "reason")
    if all(getattr(there, name) == getattr(wanted, name) for name in names):
        return there
    who = "You" if there.requested_by == wanted.requested_by else there.requested_by or "Somebody"
    raise Refused(
        f"{who} requested an escalation of {case.number} already, at {_said_at(there.requested_at)}: “{there.reason}” "
        "It is not decided yet, so nothing was requested twice. To put it in other words, withdraw that one first."
    )


def _record(case: Case, request: EscalationRequest, actor: User, now: datetime) -> EscalationRequest:
    _refuse_at_rest(case, "escalated")
    request.case, request.requested_at = case, now
    request.decide_by = now + DECIDE_WITHIN[Severity(case.severity)]
    _keep(request, actor, f"Requested: {request.reason}", now)
    _look_soon(case, now)
    directory = Directory()
    post(requested_letters(request, case, acceptance_effect(_life(case), now, directory), directory), now)
    return request


def undecided_request(case: Case) -> EscalationRequest | None:
    """The request on a case that nobody has decided yet; decisions of the schedule are none."""
    return _undecided(case).exclude(origin=Origin.SCHEDULE).first()


def open_decision(case: Case) -> EscalationRequest | None:
    """What the schedule left to the Support Manager and nobody has decided yet (E1)."""
    return _undecided(case).filter(origin=Origin.SCHEDULE).first()


def _undecided(case: Case) -> EscalationRequestQuerySet:
    return EscalationRequest.objects.undecided().filter(case=case).select_related("requested_by", "decided_by")


def withdraw(request_id: int, actor: User, now: datetime, *, reason: str = "") -> EscalationRequest:
    """Take a request back: whoever requested it, or a Support Manager with a reason (E9).

    Raises Refused, NotAllowed, or DoesNotExist (A1).
    """
    with transaction.atomic():
        case, request = _locked(request_id, actor)
        is_own = request.requested_by == actor and actor.may(Right.REQUEST_ESCALATION)
        if not is_own:
            _allow(actor, Right.DECIDE_REQUESTS, "a request is withdrawn by whoever made it, or by a Support Manager")
            needs(reason, f"Say why you withdraw it: {request.requested_by or 'the desk'} reads it.", "reason")
        _refuse_decided(request)
        if request.is_decision:
            raise Refused("This decision is left by the schedule and cannot be withdrawn; decide it either way.")
        now = monotonic_now(case, now)
        request.withdraw(actor, reason.strip(), now)
        _keep(request, actor, f"Withdrawn: {reason.strip()}".rstrip(": "), now)
        _look_soon(case, now)
        post(withdrawn_letters(request, case, Directory()), now)
    return request


# --- deciding ---------------------------------------------------------------------------------------------------


def may_decide(request: EscalationRequest, user: User) -> bool:
    """Whether this person decides on it: a Support Manager, and the CSM once a request was passed on (E9, E1)."""
    if user.may(Right.DECIDE_REQUESTS):
        return True
    return request.passed_on_at is not None and user.may(Right.DECIDE_PASSED_ON)


def accept(
    request_id: int, actor: User, now: datetime, *, why: str = "", point: str | None = None
) -> EscalationRequest:
    """Carry out the case's next point now, due at this moment; with none left, ask for management's attention (E9).

    `point` is the key of what the decider saw offered (`escalations.requests.decide`); None decides on what there is
    now. When the schedule has got there by itself meanwhile, that fulfils the request and nothing further is done.
    Raises Refused, NotAllowed, or DoesNotExist (A1).
    """
    with transaction.atomic():
        case, request = _locked(request_id, actor)
        _refuse_decider(request, actor)
        _refuse_decided(request)
        said = needs(why, "Say why the case is escalated further.", "why") if request.is_decision else why.strip()
        _refuse_at_rest(case, "escalated")
        now = monotonic_now(case, now)
        brought = _grant(request, _life(case), point, now)
        request.accept(actor, said, now)
        _keep(request, actor, f"Accepted, {brought}. {said}".strip(), now)
        record(case, Move.ESCALATED, actor, f"{_asked(request)} is accepted, {brought}. {said}".strip(), now)
        carry_out(case, now)  # whatever is due by itself and what was granted, in one step (E5)
        # its letter is about the case as it is afterwards
        every = _every(_life(case), now)
        post(accepted_letters(request, case, brought, every, Directory()), now)
        _look_soon(case, now)
    return request


def _grant(request: EscalationRequest, life: CaseClock, seen: str | None, now: datetime) -> str:
    """Write down what the acceptance brings; in words. Raises Refused when it is not what the decider saw."""
    run, severity = current_run(life, now), Severity(life.case.severity)
    reached = _reached(life, run, severity, now)
    upcoming = life.upcoming(now)
    if seen in reached or (seen is None and effective_dues(life, now)):
        key = reached[seen] if seen is not None else effective_dues(life, now)[-1].key
        request.run, request.severity, request.number = key
        return f"and {severity.label} {key[2]} was reached by the schedule itself"
    if seen is not None and seen != (key_text(upcoming.key) if upcoming else ""):
        offer = acceptance_effect(life, now, Directory())
        raise Refused(
            f"{life.case.number} has changed since you opened the page. Accepting would do something else now: it "
            f"{offer.text}. Nothing was changed; accept again if you agree."
        )
    if upcoming is None:
        request.attention, request.run = True, run
        return "and management's attention is asked for, as no point of the schedule is left"
    request.run, request.severity, request.number = upcoming.key
    return f"and {upcoming.point.name} is brought forward"


def _reached(life: CaseClock, run: int, severity: Severity, now: datetime) -> dict[str | None, PointKey]:
    """The points of the present run and severity that were carried out, or are due and will be in this very step."""
    done = [key for key, row in life.ledger.items() if row.carried_out]
    keys = done + [due.key for due in effective_dues(life, now)]
    return {key_text(key): key for key in keys if key[:2] == (run, severity)}


def _every(life: CaseClock, now: datetime) -> timedelta | None:
    """How often the customer is owed an update now; None while no schedule is in force."""
    return life.cadence(now)[0].get(Audience.CUSTOMER) if life.timeline else None


def decline(request_id: int, actor: User, now: datetime, *, why: str, words: str = "") -> EscalationRequest:
    """Leave the case to its course, with a reason (E9). Of a schedule's decision only the record remains (E1).

    The customer reads `words`, or the reason itself where there are none; the account manager reads both.
    Raises Refused, NotAllowed, or DoesNotExist (A1).
    """
    with transaction.atomic():
        case, request = _locked(request_id, actor)
        _refuse_decider(request, actor)
        _refuse_decided(request)
        said = needs(why, "Say why not: a decision without a reason is not kept.", "why")
        _refuse_resolved(case)
        now = monotonic_now(case, now)
        request.decline(actor, said, now)
        _keep(request, actor, f"Declined: {said}", now)
        _look_soon(case, now)
        if not request.is_decision:
            post(declined_letters(request, case, words.strip() or said, Directory()), now)
    return request


def close_attention(case_id: int, actor: User, now: datetime, *, reason: str) -> list[EscalationRequest]:
    """A Support Manager ends management's attention, with a reason; the schedule's own rhythm is back (E9).

    Raises Refused, NotAllowed, or Case.DoesNotExist (A1).
    """
    _allow(actor, Right.DECIDE_REQUESTS, "management's attention is ended by a Support Manager")
    said = needs(reason, "Say why management's attention is no longer needed.", "reason")
    with transaction.atomic():
        case = locked(case_id, actor)
        rows = list(with_attention(case))
        if not rows:
            raise Refused(f"{case.number} does not have management's attention any more; nothing was changed.")
        now = monotonic_now(case, now)
        for request in rows:
            request.close(now)
            _keep(request, actor, f"Management's attention ended: {said}", now)
        _look_soon(case, now)
    return rows


def with_attention(case: Case) -> EscalationRequestQuerySet:
    """The accepted requests for which a case has management's attention."""
    rows = EscalationRequest.objects.filter(case=case, attention=True, status=RequestStatus.ACCEPTED)
    return rows.select_related("requested_by", "decided_by")


# --- passing on -------------------------------------------------------------------------------------------------


def pass_on(requests: Iterable[EscalationRequest], now: datetime) -> list[Letter]:
    """What nobody has decided in time goes on to the CSM, once (E9); the letters, for the caller to post.

    Called by a sweep that holds the locks of the cases; requests that are not due, or on resolved cases, are left.
    """
    due = [one for one in requests if is_to_pass_on(one, now)]
    prefetch_related_objects(due, "case__company", "case__contact", "case__owner__technician", "requested_by")
    due = [one for one in due if one.case.is_open]
    if not due:
        return []
    for request in due:
        request.passed_on_at = now
    change = partial(bulk_update_with_history, default_date=now, default_change_reason="Went on to the CSM.")
    change(due, EscalationRequest, ["passed_on_at"])
    directory = Directory()
    return [letter for request in due for letter in passed_on_letters(request, request.case, directory)]


def is_to_pass_on(request: EscalationRequest, now: datetime) -> bool:
    """Whether nobody has decided it in time and the CSM has not been asked yet; decisions of the schedule stay."""
    waits = request.is_undecided and not request.is_decision and request.passed_on_at is None
    return waits and request.decide_by is not None and request.decide_by <= now


# --- what every move asks ---------------------------------------------------------------------------------------


def _locked(request_id: int, actor: User) -> tuple[Case, EscalationRequest]:
    """The case, locked, and the request as it is under the lock. Raises DoesNotExist for a foreign one (A1)."""
    case_id = EscalationRequest.objects.visible_to(actor).values_list("case_id", flat=True).get(pk=request_id)
    case = locked(case_id, actor)
    request = EscalationRequest.objects.select_related("requested_by", "decided_by").get(pk=request_id)
    request.case = case
    return case, request


def _life(case: Case) -> CaseClock:
    return load_clocks([case])[case.pk]


def _asked(request: EscalationRequest) -> str:
    return "What the schedule left to decide" if request.is_decision else f"What {request.asked_by} asked for"


def _keep(request: EscalationRequest, actor: User, why: str, now: datetime) -> None:
    request._history_date = now  # type: ignore[attr-defined]
    request._history_user = actor  # type: ignore[attr-defined]
    request._change_reason = why  # type: ignore[attr-defined]
    request.save()


def _look_soon(case: Case, now: datetime) -> None:
    """Whoever keeps the promises of the case looks at it again: what is owed, or to be passed on, has changed."""
    case.recheck("sla", now)


def _allow(actor: User, right: Right, whose: str) -> None:
    if not actor.may(right):
        raise NotAllowed(f"You may not do this: {whose}.")


def _refuse_decider(request: EscalationRequest, actor: User) -> None:
    if may_decide(request, actor):
        return
    if actor.may(Right.DECIDE_PASSED_ON) and not request.is_decision and request.decide_by:
        raise NotAllowed(
            "You may not do this yet: the Support Manager decides first. The request comes to you when nobody has "
            f"decided by {_said_at(request.decide_by)}."
        )
    raise NotAllowed("You may not do this: it is for a Support Manager to decide.")


def _refuse_decided(request: EscalationRequest) -> None:
    if request.is_undecided:
        return
    what = "decision" if request.is_decision else "request"
    if request.decided_at is None:
        raise Refused(f"This {what} is closed, as the case was resolved; nothing was changed.")
    # one that was closed since had been accepted
    ended = {RequestStatus.DECLINED: "declined", RequestStatus.WITHDRAWN: "withdrawn"}
    outcome = ended.get(RequestStatus(request.status), "accepted")
    raise Refused(
        f"This {what} was {outcome} by {request.decided_by or 'somebody'} at {_said_at(request.decided_at)}; "
        "nothing was done twice."
    )


def _refuse_at_rest(case: Case, doing: str) -> None:
    _refuse_resolved(case)
    if case.status == Status.WAITING and case.waiting_since:
        raise Refused(
            f"{case.number} waits for the customer since {_said_at(case.waiting_since)}: “{case.wait_question}” "
            f"It can be {doing} when they have answered, or when the question is taken back."
        )


def _refuse_resolved(case: Case) -> None:
    if not case.is_open:
        since = f" since {_said_at(case.resolved_at)}" if case.resolved_at else ""
        raise Refused(f"{case.number} is resolved{since}, so there is nothing to escalate; reopen it if it came back.")
