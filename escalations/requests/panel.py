"""What is requested, left to decide, or under management's attention: on the page of its case, and on the dashboard of
those who decide or asked (E9, E1). Nothing is written here; a fixed number of queries.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q
from django.urls import reverse

from cases.actions import Button, button_of
from cases.dashboard import SHOWN, Card, Figure, card
from cases.enums import Status
from cases.models import Case
from cases.page_cache import directory_of
from cases.panels import Panel, panel
from contacts.enums import Right
from contacts.models import User
from escalations.clocks import load_clock
from escalations.enums import RequestStatus
from escalations.models import EscalationRequest
from escalations.requests.apply import may_decide
from escalations.requests.decide import AcceptanceEffect, acceptance_effect

#: How a status looks; the word says it all, the colour only helps.
TONES = {
    RequestStatus.REQUESTED: "info",
    RequestStatus.ACCEPTED: "good",
    RequestStatus.DECLINED: "bad",
    RequestStatus.WITHDRAWN: "quiet",
    RequestStatus.CLOSED: "quiet",
}
#: How many earlier ones the panel tells; the list of requests has all of them.
EARLIER_SHOWN = 10
#: So long an account manager sees what became of a request.
DECIDED_SHOWN_FOR = timedelta(days=7)


@dataclass
class OpenRequest:
    """A request or a decision that nobody has decided yet, with what this person may do about it."""

    request: EscalationRequest
    offer: AcceptanceEffect | None  # None while the case is at rest: then nothing can be accepted
    buttons: list[Button] = field(default_factory=list)


def open_requests(case: Case, user: User, now: datetime) -> list[OpenRequest]:
    """What is undecided on a case, decisions last."""
    rows = EscalationRequest.objects.undecided().filter(case=case).select_related("requested_by", "decided_by")
    return _as_open(sorted(rows, key=lambda one: one.is_decision), case, user, now)


def _as_open(rows: list[EscalationRequest], case: Case, user: User, now: datetime) -> list[OpenRequest]:
    at_work = case.status not in (Status.WAITING, Status.RESOLVED)
    offer = acceptance_effect(load_clock(case), now, directory_of(case)) if rows and at_work else None
    return [OpenRequest(row, offer, list(_buttons(row, offer, case, user, now))) for row in rows]


def _buttons(
    request: EscalationRequest, offer: AcceptanceEffect | None, case: Case, user: User, now: datetime
) -> Iterator[Button]:
    for name in _moves(request, offer, case, user):
        button = button_of(name, case, user, now)
        # the forms would find out the same; here it is known already
        button.form.about, button.form.offer = request, offer
        yield button


def _moves(request: EscalationRequest, offer: AcceptanceEffect | None, case: Case, user: User) -> Iterator[str]:
    if may_decide(request, user) and case.is_open:
        if offer is not None:
            yield "escalate_further" if request.is_decision else "accept_request"
        yield "leave_as_is" if request.is_decision else "decline_request"
    if not request.is_decision and case.is_open:
        is_own = request.requested_by == user and user.may(Right.REQUEST_ESCALATION)
        if is_own or user.may(Right.DECIDE_REQUESTS):
            yield "withdraw_request"


def outcome(request: EscalationRequest) -> str:
    """What became of it, in a word: what was accepted and is over since stays accepted."""
    if request.status == RequestStatus.CLOSED and request.decided_at:
        return RequestStatus.ACCEPTED.label.lower()
    ended = request.status == RequestStatus.CLOSED
    return "closed, as the case was resolved" if ended else request.get_status_display().lower()


def brought(request: EscalationRequest) -> str:
    """What accepting a request brought, or "" for one that was not accepted."""
    if request.attention:
        return "Management's attention"
    return f"{request.get_severity_display()} {request.number}" if request.number else ""


# --- the case page ----------------------------------------------------------------------------------------------


@panel(place=15)
def requests_panel(case: Case, user: User, now: datetime) -> Panel | None:
    """What is to be decided, management's attention, and what was decided before (E9, E1); None when never asked."""
    rows = list(EscalationRequest.objects.filter(case=case).select_related("requested_by", "decided_by"))
    if not rows:
        return None
    undecided = [one for one in rows if one.is_undecided]
    attentions = [one for one in rows if one.attention and one.status == RequestStatus.ACCEPTED]
    earlier = [one for one in rows if one not in undecided and one not in attentions]
    may_end = bool(attentions) and case.is_open and user.may(Right.DECIDE_REQUESTS)
    return Panel(
        "Requested escalation",
        "admin/escalations/requests_panel.html",
        {
            "open_requests": _as_open(sorted(undecided, key=lambda one: one.is_decision), case, user, now),
            "attentions": attentions,
            "end_attention": button_of("end_attention", case, user, now) if may_end else None,
            "earlier": [
                {"request": one, "outcome": outcome(one), "brought": brought(one)} for one in earlier[:EARLIER_SHOWN]
            ],
            "earlier_left_out": max(0, len(earlier) - EARLIER_SHOWN),
        },
        is_past=not undecided and not attentions,
    )


# --- the dashboard ----------------------------------------------------------------------------------------------


@card(place=40)
def to_decide(user: User, now: datetime) -> Card | None:
    """Requests and decisions that wait for this person, oldest first (E9, E1); one query."""
    undecided = EscalationRequest.objects.undecided().filter(case__in=Case.objects.visible_to(user).open())
    if user.may(Right.DECIDE_REQUESTS):
        waiting = undecided
    elif user.may(Right.DECIDE_PASSED_ON):
        waiting = undecided.filter(passed_on_at__isnull=False).exclude(origin="schedule")
    else:
        return None
    found = waiting.select_related("case", "case__company", "requested_by").order_by("requested_at", "pk")
    rows = list(found[: SHOWN + 1])
    link = f"{reverse('admin:escalations_escalationrequest_changelist')}?status__exact=requested"
    said = f"{SHOWN}+" if len(rows) > SHOWN else str(len(rows))
    return Card(
        "Escalations to decide",
        "admin/escalations/requests_card.html",
        {
            "rows": [{"request": one} for one in rows[:SHOWN]],
            "more": len(rows) > SHOWN,
            "empty": "Nobody waits for your decision.",
        },
        link=link,
        link_text="All requests",
        figures=(Figure(said, "to decide", link, is_pressing=True, place=20),) if rows else (),
    )


@card(place=41)
def of_own_companies(user: User, now: datetime) -> Card | None:
    """For the account manager: what is requested on their companies' cases, and what became of it lately (E9)."""
    if user.may(Right.READ_EVERY_CASE) or not user.may(Right.REQUEST_ESCALATION):
        return None
    lately = Q(status=RequestStatus.REQUESTED) | Q(decided_at__gt=now - DECIDED_SHOWN_FOR)
    found = EscalationRequest.objects.visible_to(user).filter(lately).exclude(origin="schedule")
    rows = list(found.select_related("case", "case__company", "requested_by").order_by("-requested_at")[: SHOWN + 1])
    return Card(
        "Requested escalations",
        "admin/escalations/requests_card.html",
        {
            "rows": [{"request": one, "outcome": outcome(one)} for one in rows[:SHOWN]],
            "more": len(rows) > SHOWN,
            "empty": "Nothing is requested. To request an escalation, open the case and press “Request escalation”.",
        },
        link=reverse("admin:escalations_escalationrequest_changelist"),
        link_text="All requests",
    )
