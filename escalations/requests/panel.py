"""Escalation requests on the page of their case, and on the dashboard of those who decide or asked (E9, E1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.urls import reverse

from cases.actions import ACTIONS, CaseAction
from cases.dashboard import Card, card, listed
from cases.models import Case
from cases.page_cache import directory_of
from cases.panels import Panel, PanelLine, panel
from contacts.enums import Right
from contacts.models import User
from contacts.wording import duration
from escalations.clocks import load_clock
from escalations.enums import RequestStatus
from escalations.models import EscalationRequest
from escalations.policy.deadlines import ATTENTION_INTERVAL
from escalations.requests.actions import is_active
from escalations.requests.apply import may_decide, may_withdraw
from escalations.requests.decide import AcceptanceEffect, acceptance_effect

#: The colour of a status.
TONES = {
    RequestStatus.REQUESTED: "info",
    RequestStatus.ACCEPTED: "good",
    RequestStatus.DECLINED: "bad",
    RequestStatus.WITHDRAWN: "quiet",
    RequestStatus.CLOSED: "quiet",
}
#: How many earlier requests the panel shows; the list of requests has all of them.
EARLIER_SHOWN = 10
#: How long an account manager sees a decided request on the dashboard.
DECIDED_SHOWN_FOR = timedelta(days=7)


@dataclass(frozen=True)
class RequestButton:
    """An action on a request, and the page that shows its form."""

    action: type[CaseAction]
    url: str


@dataclass(frozen=True)
class OpenRequest:
    """An undecided request or decision, with the actions that the user may take on it."""

    request: EscalationRequest
    effect: AcceptanceEffect | None  # None while the case is resolved or waits: then nothing can be accepted
    buttons: list[RequestButton]


def open_requests(case: Case, user: User, now: datetime) -> list[OpenRequest]:
    """What is undecided on a case, decisions last."""
    rows = EscalationRequest.objects.undecided().filter(case=case).select_related("requested_by", "decided_by")
    return _with_actions(list(rows), case, user, now)


def _with_actions(rows: list[EscalationRequest], case: Case, user: User, now: datetime) -> list[OpenRequest]:
    effect = acceptance_effect(load_clock(case), now, directory_of(case)) if rows and is_active(case) else None
    rows = sorted(rows, key=lambda row: row.is_decision)
    return [
        OpenRequest(
            row,
            effect,
            [
                RequestButton(ACTIONS[slug], case.form_url(slug, request=row.pk))
                for slug in _offered(row, effect, case, user)
            ],
        )
        for row in rows
    ]


def _offered(request: EscalationRequest, effect: AcceptanceEffect | None, case: Case, user: User) -> Iterator[str]:
    if not case.is_open:
        return
    if may_decide(request, user):
        if effect is not None:
            yield "escalate_further" if request.is_decision else "accept_request"
        yield "leave_as_is" if request.is_decision else "decline_request"
    if not request.is_decision and may_withdraw(request, user):
        yield "withdraw_request"


def outcome(request: EscalationRequest) -> str:
    """The outcome in words; an accepted request that was closed since stays accepted."""
    if request.status == RequestStatus.CLOSED and request.decided_at:
        return RequestStatus.ACCEPTED.label.lower()
    ended = request.status == RequestStatus.CLOSED
    return "closed, as the case was resolved" if ended else request.get_status_display().lower()


def brought(request: EscalationRequest) -> str:
    """What accepting the request brought, "" if it was not accepted."""
    if request.attention:
        return "Management's attention"
    return f"{request.get_severity_display()} {request.number}" if request.number else ""


# --- the case page ----------------------------------------------------------------------------------------------


def _requests_line(case: Case, user: User, now: datetime) -> PanelLine | None:
    rows = load_clock(case).all_requests
    if not rows:
        return None
    undecided = [row for row in rows if row.is_undecided]
    newest = max(rows, key=lambda row: row.requested_at)
    summary = "to be decided" if undecided else outcome(newest)
    return PanelLine("Requested escalation", summary, is_open=bool(undecided), is_pressing=bool(undecided))


@panel(place=15, slug="requests", line=_requests_line)
def requests_panel(case: Case, user: User, now: datetime) -> Panel:
    """What is to be decided, management attention, and earlier decisions (E9, E1)."""
    rows = load_clock(case).all_requests
    undecided = [row for row in rows if row.is_undecided]
    attentions = [row for row in rows if row.attention and row.status == RequestStatus.ACCEPTED]
    earlier = [row for row in rows if row not in undecided and row not in attentions]
    may_end = bool(attentions) and case.is_open and user.may(Right.DECIDE_REQUESTS)
    return Panel(
        "admin/escalations/requests_panel.html",
        {
            "open_requests": _with_actions(undecided, case, user, now),
            "attentions": attentions,
            "attention_interval": duration(ATTENTION_INTERVAL),
            "end_attention": case.form_url("end_attention") if may_end else "",
            "earlier": [
                {"request": row, "outcome": outcome(row), "brought": brought(row)} for row in earlier[:EARLIER_SHOWN]
            ],
            "earlier_left_out": max(0, len(earlier) - EARLIER_SHOWN),
        },
    )


# --- the dashboard ----------------------------------------------------------------------------------------------


@card(place=41)
def of_own_companies(user: User, now: datetime) -> Card | None:
    """For an account manager: the requests on the cases of their companies, decided ones for a week (E9)."""
    if user.may(Right.READ_EVERY_CASE) or not user.may(Right.REQUEST_ESCALATION):
        return None
    lately = Q(status=RequestStatus.REQUESTED) | Q(decided_at__gt=now - DECIDED_SHOWN_FOR)
    found = EscalationRequest.objects.visible_to(user).filter(lately).exclude(origin="schedule")
    shown = listed(found.select_related("case", "case__company", "requested_by").order_by("-requested_at"))
    return Card(
        "Requested escalations",
        "admin/escalations/requests_card.html",
        shown.context
        | {
            "rows": [{"request": row, "outcome": outcome(row)} for row in shown.rows],
            "empty": "Nothing is requested. To request an escalation, open the case and press “Request escalation”.",
        },
        link=reverse("admin:escalations_escalationrequest_changelist"),
        link_text="All requests and decisions",
    )
