"""Request an escalation, decide on it, pass it on, and end management attention (E9, E1).

Each function checks the right, locks the case, lets the request's FSM guard its status, and writes history and mails in
one transaction. It raises `Refused` with one sentence (S4), or NotAllowed; then nothing has changed. Accepting carries
out the next point with the function of the escalation sweep, so that it happens once, whoever is first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction
from django.db.models import prefetch_related_objects
from simple_history.utils import bulk_update_with_history

from cases.engine.history import record
from cases.enums import Move, Severity, Status
from cases.guards import NotAllowed, Refused, locking, needs
from cases.mail.letters import Letter, post
from cases.models import Case
from contacts.directory import Directory
from contacts.enums import Right, Role
from contacts.models import Contact, User
from contacts.reader import for_reader
from escalations.audience import holders_of, keep_contacts
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

#: The longest name of whoever asked, in characters.
LONGEST_NAME = 200


# --- reading ----------------------------------------------------------------------------------------------------


def undecided_request(case: Case) -> EscalationRequest | None:
    """The undecided request on a case; a decision left by the schedule is none."""
    return _undecided(case).exclude(origin=Origin.SCHEDULE).first()


def open_decision(case: Case) -> EscalationRequest | None:
    """The undecided decision that the schedule left to the Support Manager (E1)."""
    return _undecided(case).filter(origin=Origin.SCHEDULE).first()


def _undecided(case: Case) -> EscalationRequestQuerySet:
    return EscalationRequest.objects.undecided().filter(case=case).select_related("requested_by", "decided_by")


def attention_requests(case: Case) -> EscalationRequestQuerySet:
    """The accepted requests for which a case has management attention."""
    rows = EscalationRequest.objects.filter(case=case, attention=True, status=RequestStatus.ACCEPTED)
    return rows.select_related("requested_by", "decided_by")


def may_decide(request: EscalationRequest, user: User) -> bool:
    """Whether the user is a Support Manager, or the CSM and the request was passed on (E9, E1)."""
    if user.may(Right.DECIDE_REQUESTS):
        return True
    return request.passed_on_at is not None and user.may(Right.DECIDE_PASSED_ON)


def may_withdraw(request: EscalationRequest, user: User) -> bool:
    """Whether the user made the request, or is a Support Manager (E9)."""
    return _is_own(request, user) or user.may(Right.DECIDE_REQUESTS)


def _is_own(request: EscalationRequest, user: User) -> bool:
    return request.requested_by == user and user.may(Right.REQUEST_ESCALATION)


# --- requesting -------------------------------------------------------------------------------------------------


def request_escalation(
    case: Case | int, actor: User, now: datetime, *, origin: Origin, asked_by: str, impact: str, reason: str
) -> EscalationRequest:
    """Record who asked, the business impact and why; mail the Support Manager at once (E9).

    A second click returns the first request. Raises Refused, NotAllowed, or Case.DoesNotExist (A1).
    """
    _allow(actor, Right.REQUEST_ESCALATION, "an escalation is requested by an account manager or a technician")
    if origin not in (Origin.CUSTOMER, Origin.STAFF):
        raise Refused("Say who wants it: the customer, or we ourselves.", "origin")
    asked_by = needs(asked_by, "Say who asked for it: the name of a person.", "asked_by")
    if len(asked_by) > LONGEST_NAME:
        raise Refused(f"Give the name of whoever asked in at most {LONGEST_NAME} characters.", "asked_by")
    request = EscalationRequest(
        origin=origin,
        asked_by=asked_by,
        impact=needs(impact, "Say what it means for the customer's business.", "impact"),
        reason=needs(reason, "Say why the case is to be escalated before its time.", "reason"),
        requested_by=actor,
    )
    with locking(case, actor, now) as (case, now):
        return _find_duplicate(case, request) or _create(case, request, actor, now)


def request_by_customer(
    case: Case | int, contact: Contact, now: datetime, *, impact: str, reason: str
) -> EscalationRequest:
    """Record what a customer asks for by themselves on the support page (E9, P4); the account manager is told as well.

    The caller has proven that it is `contact` who asks. A second click returns the first request. Raises Refused.
    """
    request = EscalationRequest(
        origin=Origin.CUSTOMER,
        asked_by=contact.name[:LONGEST_NAME],
        impact=needs(impact, "Say what it means for your business.", "impact"),
        reason=needs(reason, "Say why this has to go faster than it does.", "reason"),
    )
    with locking(case, None, now) as (case, now):
        return _find_duplicate(case, request) or _create(case, request, None, now)


def _find_duplicate(case: Case, request: EscalationRequest) -> EscalationRequest | None:
    """The undecided request with the same content, None without one. Raises Refused if there is another."""
    present = undecided_request(case)
    if present is None:
        return None
    fields = ("requested_by", "origin", "asked_by", "impact", "reason")
    if all(getattr(present, name) == getattr(request, name) for name in fields):
        return present
    who = "You" if present.requested_by == request.requested_by else present.requested_by or present.asked_by
    at = for_reader(present.requested_at)
    raise Refused(
        f"{who} requested an escalation of {case.number} already, on {at}: “{present.reason}” "
        "It is not decided yet, so nothing was requested twice. To put it in other words, withdraw that one first."
    )


def _create(case: Case, request: EscalationRequest, actor: User | None, now: datetime) -> EscalationRequest:
    _refuse_unless_active(case)
    request.case, request.requested_at = case, now
    request.decide_by = now + DECIDE_WITHIN[Severity(case.severity)]
    _save(request, actor, f"Requested: {request.reason}", now)
    case.recheck("sla", now)  # what is owed, or to be passed on, has changed
    directory = Directory()
    effect = acceptance_effect(_load_clock(case), now, directory)
    post(requested_letters(request, case, effect, directory), now)
    return request


def withdraw(request: EscalationRequest | int, actor: User, now: datetime, *, reason: str = "") -> EscalationRequest:
    """Withdraw a request: by whoever made it, or by a Support Manager with a reason (E9).

    Raises Refused, NotAllowed, or EscalationRequest.DoesNotExist (A1).
    """
    with _locked(request, actor, now) as (case, request, now):
        if not _is_own(request, actor):
            _allow(actor, Right.DECIDE_REQUESTS, "a request is withdrawn by whoever made it, or by a Support Manager")
            needs(reason, f"Say why you withdraw it: {request.requested_by or 'the desk'} reads it.", "reason")
        _refuse_decided(request)
        if request.is_decision:
            raise Refused("This decision is left by the schedule and cannot be withdrawn; decide it either way.")
        request.withdraw(actor, reason.strip(), now)
        _save(request, actor, f"Withdrawn: {reason.strip()}".rstrip(": "), now)
        case.recheck("sla", now)
        post(withdrawn_letters(request, case, Directory()), now)
    return request


# --- deciding ---------------------------------------------------------------------------------------------------


def accept(
    request: EscalationRequest | int, actor: User, now: datetime, *, why: str = "", point: str | None = None
) -> EscalationRequest:
    """Carry out the case's next point now, due at this moment; with none left, ask for management attention (E9).

    `point` is the key of the effect that the page showed (`AcceptanceEffect.key`); None accepts whatever it is now. If
    the schedule has reached that point by itself meanwhile, the request is fulfilled and nothing else is done.
    Raises Refused, NotAllowed, or EscalationRequest.DoesNotExist (A1).
    """
    with _locked(request, actor, now) as (case, request, now):
        _require_decider(request, actor)
        _refuse_decided(request)
        why = needs(why, "Say why the case is escalated further.", "why") if request.is_decision else why.strip()
        _refuse_unless_active(case)
        outcome = _grant(request, _load_clock(case), point, now)
        request.accept(actor, why, now)
        _save(request, actor, f"Accepted, {outcome}. {why}".strip(), now)
        what = "What the schedule left to decide" if request.is_decision else f"What {request.asked_by} asked for"
        record(case, Move.ESCALATED, actor, f"{what} is accepted, {outcome}. {why}".strip(), now)
        mailed = carry_out(case, now, request)  # what is due by itself and what was granted, in one step (E5)
        _post_accepted(request, case, outcome, mailed, now)
        case.recheck("sla", now)
    return request


def _grant(request: EscalationRequest, clock: CaseClock, seen: str | None, now: datetime) -> str:
    """Set on the request what it brings, and return that in words. Raises Refused if it is not what was shown."""
    run, severity = current_run(clock, now), Severity(clock.case.severity)
    upcoming, dues = clock.upcoming(now), effective_dues(clock, now)
    newest = dues[-1].key if dues else None
    reached = newest if seen is None else _reached_points(clock, run, severity, now).get(seen)
    if reached is not None:
        request.run, request.severity, request.number = reached
        return f"and {severity.label} {reached[2]} was reached by the schedule itself"
    if seen is not None and seen != (key_text(upcoming.key) if upcoming else ""):
        effect = acceptance_effect(clock, now, Directory())
        raise Refused(
            f"{clock.case.number} has changed since you opened the page. Accepting would do something else now: it "
            f"{effect.text}. Nothing was changed; accept again if you agree."
        )
    if upcoming is None:
        request.attention, request.run = True, run
        return "and management's attention is asked for, as no point of the schedule is left"
    request.run, request.severity, request.number = upcoming.key
    return f"and {upcoming.point.name} is brought forward"


def _reached_points(clock: CaseClock, run: int, severity: Severity, now: datetime) -> dict[str, PointKey]:
    """The points of this run and severity that were carried out or are due now, by the text of their key."""
    carried_out = [key for key, row in clock.ledger.items() if row.carried_out]
    keys = carried_out + [due.key for due in effective_dues(clock, now)]
    return {key_text(key): key for key in keys if key[:2] == (run, severity)}


def _post_accepted(request: EscalationRequest, case: Case, outcome: str, mailed: frozenset[str], now: datetime) -> None:
    """Post the mails, one to each person (E9): whoever is `mailed` by the point reads of the acceptance there.

    They state the owner and the interval after the point was carried out.
    """
    clock = _load_clock(case)
    interval = clock.cadence(now)[0].get(Audience.CUSTOMER) if clock.timeline else None
    directory = Directory()
    letters = accepted_letters(request, case, outcome, interval, directory)
    post([letter for letter in letters if letter.to.address.lower() not in mailed], now)
    if request.attention:
        keep_contacts(case, {Role.CSM: holders_of([Role.CSM], case, directory)})
        Case.objects.filter(pk=case.pk).update(role_contacts=case.role_contacts)


def decline(
    request: EscalationRequest | int, actor: User, now: datetime, *, why: str, words: str = ""
) -> EscalationRequest:
    """Leave the case to the schedule, with a reason (E9). A decision left by the schedule is only recorded (E1).

    The customer reads `words`, or the reason itself without them; the account manager reads both.
    Raises Refused, NotAllowed, or EscalationRequest.DoesNotExist (A1).
    """
    with _locked(request, actor, now) as (case, request, now):
        _require_decider(request, actor)
        _refuse_decided(request)
        why = needs(why, "Say why not: a decision without a reason is not kept.", "why")
        _refuse_resolved(case)
        request.decline(actor, why, now)
        _save(request, actor, f"Declined: {why}", now)
        case.recheck("sla", now)
        if not request.is_decision:
            post(declined_letters(request, case, words.strip() or why, Directory()), now)
    return request


def end_attention(case: Case | int, actor: User, now: datetime, *, reason: str) -> list[EscalationRequest]:
    """End management attention, with a reason; the cadence of the schedule is in force again (E9).

    Raises Refused, NotAllowed, or Case.DoesNotExist (A1).
    """
    _allow(actor, Right.DECIDE_REQUESTS, "management's attention is ended by a Support Manager")
    reason = needs(reason, "Say why management's attention is no longer needed.", "reason")
    with locking(case, actor, now) as (case, now):
        rows = list(attention_requests(case))
        if not rows:
            raise Refused(f"{case.number} does not have management's attention any more; nothing was changed.")
        for request in rows:
            request.close(now)
            _save(request, actor, f"Management's attention ended: {reason}", now)
        case.recheck("sla", now)
    return rows


# --- passing on -------------------------------------------------------------------------------------------------


def pass_on(requests: Iterable[EscalationRequest], now: datetime) -> list[Letter]:
    """Pass requests that nobody decided in time on to the CSM (E9), and return the mails, for the caller to post.

    Skips requests that are not due, or on resolved cases. The caller has locked the cases.
    """
    due = [request for request in requests if is_to_pass_on(request, now)]
    prefetch_related_objects(due, "case__company", "case__contact", "case__owner__technician", "requested_by")
    due = [request for request in due if request.case.is_open]
    if not due:
        return []
    for request in due:
        request.passed_on_at = now
    bulk_update_with_history(
        due, EscalationRequest, ["passed_on_at"], default_date=now, default_change_reason="Went on to the CSM."
    )
    directory = Directory()
    return [letter for request in due for letter in passed_on_letters(request, request.case, directory)]


def is_to_pass_on(request: EscalationRequest, now: datetime) -> bool:
    """Whether the request, or the decision of the schedule, is undecided after its time limit and not passed on."""
    waits = request.is_undecided and request.passed_on_at is None
    return waits and request.decide_by is not None and request.decide_by <= now


# --- shared by the changes --------------------------------------------------------------------------------------


@contextmanager
def _locked(
    request: EscalationRequest | int, actor: User, now: datetime
) -> Iterator[tuple[Case, EscalationRequest, datetime]]:
    """Lock the case of a request, and yield both with the moment of the change.

    An instance is taken as it is: it was read after the caller locked its `case`. Raises EscalationRequest.DoesNotExist
    for a request that the actor may not read (A1).
    """
    if isinstance(request, EscalationRequest):
        with locking(request.case, actor, now) as (case, moment):
            yield case, request, moment
        return
    with transaction.atomic():
        case_id = EscalationRequest.objects.visible_to(actor).values_list("case_id", flat=True).get(pk=request)
        with locking(case_id, actor, now) as (case, moment):
            row = EscalationRequest.objects.select_related("requested_by", "decided_by").get(pk=request)
            row.case = case
            yield case, row, moment


def _load_clock(case: Case) -> CaseClock:
    return load_clocks([case])[case.pk]


def _save(request: EscalationRequest, actor: User | None, reason: str, now: datetime) -> None:
    """Save the request with a history row."""
    request._history_date = now  # type: ignore[attr-defined]
    request._history_user = actor  # type: ignore[attr-defined]
    request._change_reason = reason  # type: ignore[attr-defined]
    request.save()


def _allow(actor: User, right: Right, whose: str) -> None:
    if not actor.may(right):
        raise NotAllowed(f"You may not do this: {whose}.")


def _require_decider(request: EscalationRequest, actor: User) -> None:
    if may_decide(request, actor):
        return
    if actor.may(Right.DECIDE_PASSED_ON) and request.decide_by:
        raise NotAllowed(
            "You may not do this yet: the Support Manager decides first. The request comes to you when nobody has "
            f"decided by {for_reader(request.decide_by)}."
        )
    raise NotAllowed("You may not do this: it is for a Support Manager to decide.")


def _refuse_decided(request: EscalationRequest) -> None:
    if request.is_undecided:
        return
    what = "decision" if request.is_decision else "request"
    if request.decided_at is None:
        raise Refused(f"This {what} is closed, as the case was resolved; nothing was changed.")
    # A closed one had been accepted before
    ended = {RequestStatus.DECLINED: "declined", RequestStatus.WITHDRAWN: "withdrawn"}
    outcome = ended.get(RequestStatus(request.status), "accepted")
    raise Refused(
        f"This {what} was {outcome} by {request.decided_by or 'somebody'} on {for_reader(request.decided_at)}; "
        "nothing was done twice."
    )


def _refuse_unless_active(case: Case) -> None:
    """Refuse a case that is resolved, or that waits for its customer."""
    _refuse_resolved(case)
    if case.status == Status.WAITING and case.waiting_since:
        raise Refused(
            f"{case.number} waits for the customer since {for_reader(case.waiting_since)}: “{case.wait_question}” "
            "It can be escalated when they have answered, or when the question is taken back."
        )


def _refuse_resolved(case: Case) -> None:
    if not case.is_open:
        since = f" since {for_reader(case.resolved_at)}" if case.resolved_at else ""
        raise Refused(f"{case.number} is resolved{since}, so there is nothing to escalate; reopen it if it came back.")
