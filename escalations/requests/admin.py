"""Requested escalations and open decisions in the admin (E9, E1): the moves on the page of a case, a list, a page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from cases.actions import Action, Typed, register
from cases.admin.rows import CaseRowAdmin, moment_column
from cases.enums import Status
from cases.forms import ReasonForm
from cases.models import Case
from cases.templatetags.case_page import badge, moment_html
from contacts.enums import Right
from contacts.models import User
from contacts.pages import HistoryAdmin
from contacts.permissions import signed_in_user
from escalations.enums import Origin, RequestStatus
from escalations.models import EscalationRequest
from escalations.requests import apply as requests
from escalations.requests.actions import (
    AcceptForm,
    DeclineForm,
    EscalateFurtherForm,
    LeaveAsIsForm,
    RequestForm,
    WithdrawForm,
)
from escalations.requests.panel import TONES, brought, open_requests

#: Whoever may decide at all; whether this person may decide this request, the move says.
DECIDERS = (Right.DECIDE_REQUESTS, Right.DECIDE_PASSED_ON)


# --- the moves, as the forms' fields make them ------------------------------------------------------------------


def _request(case: Case, actor: User, now: datetime, typed: Typed) -> None:
    said = {name: typed[name] for name in ("asked_by", "impact", "reason")}
    requests.request_escalation(case.pk, actor, now, origin=Origin(typed["origin"]), **said)


def _accept(case: Case, actor: User, now: datetime, typed: Typed) -> None:
    requests.accept(typed["request"].pk, actor, now, why=typed["why"], point=typed["point"])


def _decline(case: Case, actor: User, now: datetime, typed: Typed) -> None:
    requests.decline(typed["request"].pk, actor, now, why=typed["why"], words=typed.get("words", ""))


def _withdraw(case: Case, actor: User, now: datetime, typed: Typed) -> None:
    requests.withdraw(typed["request"].pk, actor, now, reason=typed["reason"])


def _end_attention(case: Case, actor: User, now: datetime, typed: Typed) -> None:
    requests.close_attention(case.pk, actor, now, reason=typed["reason"])


def _is_at_work(case: Case) -> bool:
    return case.status not in (Status.WAITING, Status.RESOLVED)


def _is_open(case: Case) -> bool:
    return case.is_open


def _none_yet(case: Case, user: User) -> bool:
    return requests.undecided_request(case) is None


def _may_decide_request(case: Case, user: User) -> bool:
    request = requests.undecided_request(case)
    return request is not None and requests.may_decide(request, user)


def _may_withdraw(case: Case, user: User) -> bool:
    request = requests.undecided_request(case)
    return request is not None and (request.requested_by == user or user.may(Right.DECIDE_REQUESTS))


def _is_left_to_decide(case: Case, user: User) -> bool:
    return requests.open_decision(case) is not None


def _has_attention(case: Case, user: User) -> bool:
    return requests.with_attention(case).exists()


register(
    Action(
        "request_escalation",
        "Request escalation",
        "campaign",
        Right.REQUEST_ESCALATION,
        RequestForm,
        _request,
        "The escalation of {number} is requested; the Support Manager is emailed.",
        _is_at_work,
        hint="The Support Manager is emailed at once and decides. The customer and the account manager hear the "
        "outcome.",
        offered_to=_none_yet,
    )
)
register(
    Action(
        "accept_request",
        "Accept the request",
        "check",
        DECIDERS,
        AcceptForm,
        _accept,
        "The request is accepted; the customer and the account manager of {number} are told.",
        _is_at_work,
        in_header=False,
        offered_to=_may_decide_request,
    )
)
register(
    Action(
        "decline_request",
        "Decline the request",
        "close",
        DECIDERS,
        DeclineForm,
        _decline,
        "The request is declined; the customer and the account manager of {number} are told.",
        _is_open,
        in_header=False,
        offered_to=_may_decide_request,
    )
)
register(
    Action(
        "withdraw_request",
        "Withdraw the request",
        "undo",
        (Right.REQUEST_ESCALATION, Right.DECIDE_REQUESTS),
        WithdrawForm,
        _withdraw,
        "The request is withdrawn; {number} goes on as before.",
        _is_open,
        in_header=False,
        offered_to=_may_withdraw,
    )
)
register(
    Action(
        "escalate_further",
        "Escalate further",
        "trending_up",
        Right.DECIDE_REQUESTS,
        EscalateFurtherForm,
        _accept,
        "{number} is escalated further.",
        _is_at_work,
        in_header=False,
        offered_to=_is_left_to_decide,
    )
)
register(
    Action(
        "leave_as_is",
        "Leave it to the schedule",
        "schedule",
        Right.DECIDE_REQUESTS,
        LeaveAsIsForm,
        _decline,
        "{number} is left to the schedule, and your reason is on record.",
        _is_open,
        in_header=False,
        offered_to=_is_left_to_decide,
    )
)
register(
    Action(
        "end_attention",
        "End management's attention",
        "notifications_off",
        Right.DECIDE_REQUESTS,
        ReasonForm,
        _end_attention,
        "{number} no longer has management's attention; updates go on as the schedule says.",
        _is_open,
        in_header=False,
        offered_to=_has_attention,
    )
)


# --- the list and the page --------------------------------------------------------------------------------------


@admin.register(EscalationRequest)
class EscalationRequestAdmin(CaseRowAdmin, HistoryAdmin):
    """Requests and decisions: read by whoever reads the case (A1), decided by its moves, written by no form."""

    list_display = (
        "what_display",
        "case_display",
        "company_display",
        "asked_display",
        "requested_display",
        "status_display",
        "outcome_display",
    )
    list_display_links = ("what_display",)
    list_filter = (("status", ChoicesDropdownFilter), ("origin", ChoicesDropdownFilter), "attention")
    list_filter_submit = True
    list_select_related = ("case__company", "requested_by", "decided_by")
    search_fields = ("asked_by", "case__title")
    search_help_text = "Case number, or who asked, or the title of the case"
    sortable_by = ()
    ordering = ("-requested_at", "-pk")
    show_full_result_count = False
    actions = None

    change_form_template = "admin/escalations/request_page.html"
    readonly_fields = (
        "case_display",
        "company_display",
        "requested_display",
        "status_display",
        "outcome_display",
        "decided_display",
        "passed_on_display",
        "closed_display",
    )

    passed_on_display = moment_column("passed_on_at", "Went on to the CSM", "date")
    closed_display = moment_column("closed_at", "Closed", "date")

    @admin.display(description="What")
    def what_display(self, row: EscalationRequest) -> str:
        return "Open decision" if row.is_decision else "Requested escalation"

    @admin.display(description="Who asked")
    def asked_display(self, row: EscalationRequest) -> str:
        return "The schedule" if row.is_decision else row.asked_by

    @admin.display(description="Requested")
    def requested_display(self, row: EscalationRequest) -> SafeString:
        by = f" by {row.requested_by}" if row.requested_by else ""
        return format_html("<span>{}{}</span>", moment_html(row.requested_at, timezone.now(), "date"), by)

    @admin.display(description="Status")
    def status_display(self, row: EscalationRequest) -> SafeString:
        return badge("tone", TONES[RequestStatus(row.status)], row.get_status_display())

    @admin.display(description="Outcome")
    def outcome_display(self, row: EscalationRequest) -> str:
        return brought(row) or "–"

    @admin.display(description="Decided")
    def decided_display(self, row: EscalationRequest) -> SafeString | str:
        if row.decided_at is None:
            return "–"
        decided_at = moment_html(row.decided_at, timezone.now(), "date")
        return format_html("<span>{} by {}</span>", decided_at, row.decided_by or "–")

    # --- the page of one request ---

    def get_fieldsets(self, request: HttpRequest, obj: EscalationRequest | None = None) -> Any:
        """What was asked and what became of it, without the fields that are empty."""
        asked = ["case_display", "company_display", "status_display", "origin", "requested_display"]
        if obj is not None and not obj.is_undecided:  # else they stand above, with the buttons
            asked += [name for name in ("asked_by", "impact", "reason") if getattr(obj, name)]
        shown_if_set = (
            ("passed_on_at", "passed_on_display"),
            ("decided_at", "decided_display"),
            ("decision", "decision"),
            ("decided_at", "outcome_display"),
            ("closed_at", "closed_display"),
        )
        later = [field for name, field in shown_if_set if obj is not None and getattr(obj, name)]
        return ((None, {"fields": asked}), *([("What became of it", {"fields": later})] if later else []))

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: EscalationRequest | None = None,
    ) -> HttpResponse:
        """Put the buttons of what is still to decide above the facts."""
        if obj is not None:
            now = timezone.now()
            still_open = open_requests(obj.case, signed_in_user(request), now) if obj.is_undecided else []
            context |= {
                "title": f"{self.what_display(obj)}: {obj.case.number}",
                "subtitle": None,
                "case": obj.case,
                "now": now,
                "open_requests": [shown for shown in still_open if shown.request == obj],
            }
        return super().render_change_form(request, context, add, change, form_url, obj)
