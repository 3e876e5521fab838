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
from unfold.decorators import display

from cases.actions import Action, Typed, register
from cases.enums import Status
from cases.forms import ReasonForm
from cases.models import Case, case_id_of
from cases.templatetags.case_page import badge, moment_html
from contacts.enums import Right
from contacts.models import User
from contacts.pages import HistoryAdmin
from contacts.permissions import person
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
class EscalationRequestAdmin(HistoryAdmin):
    """Requests and decisions: read by whoever reads the case (A1), decided by its moves, written by no form."""

    list_display = ("what_", "its_case", "company", "asked_", "requested_", "status_", "outcome_")
    list_display_links = ("what_",)
    list_filter = (("status", ChoicesDropdownFilter), ("origin", ChoicesDropdownFilter), "attention")
    list_filter_submit = True
    list_select_related = ("case", "case__company", "requested_by", "decided_by")
    search_fields = ("asked_by", "case__title")
    search_help_text = "Case number, or who asked, or the title of the case"
    sortable_by = ()
    ordering = ("-requested_at", "-pk")
    show_full_result_count = False
    actions = None

    change_form_template = "admin/escalations/request_page.html"
    readonly_fields = ("its_case", "company", "requested_", "status_", "outcome_", "decided_", "passed_on_", "closed_")

    def get_fieldsets(self, request: HttpRequest, obj: EscalationRequest | None = None) -> Any:
        """What was asked, and what became of it; what says nothing of this one is left out."""
        asked: list[str] = ["its_case", "company", "status_", "origin", "requested_"]
        if obj is not None and not obj.is_undecided:  # else they stand above, with the buttons
            asked += [name for name in ("asked_by", "impact", "reason") if getattr(obj, name)]
        became = [("passed_on_at", "passed_on_"), ("decided_at", "decided_"), ("decision", "decision")]
        became += [("decided_at", "outcome_"), ("closed_at", "closed_")]
        later = [shown for name, shown in became if obj is not None and getattr(obj, name)]
        return ((None, {"fields": asked}), *([("What became of it", {"fields": later})] if later else []))

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """A case's number finds its requests; other words who asked, or the case's title."""
        number = case_id_of(search_term)
        if search_term.strip() and number is not None:
            return queryset.filter(case=number), False
        return super().get_search_results(request, queryset, search_term)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: EscalationRequest | None = None,
    ) -> HttpResponse:
        """The facts, and the buttons of what is still to decide."""
        if obj is not None:
            now = timezone.now()
            still_open = open_requests(obj.case, person(request), now) if obj.is_undecided else []
            context |= {
                "title": f"{self.what_(obj)}: {obj.case.number}",
                "subtitle": None,
                "case": obj.case,
                "now": now,
                "open_requests": [one for one in still_open if one.request == obj],
            }
        return super().render_change_form(request, context, add, change, form_url, obj)

    # --- its columns and fields ---

    @display(description="What")
    def what_(self, row: EscalationRequest) -> str:
        """A request of somebody, or a decision that the schedule left open."""
        return "Open decision" if row.is_decision else "Requested escalation"

    @display(description="Case")
    def its_case(self, row: EscalationRequest) -> SafeString:
        """The case, with the way to it."""
        return format_html(
            '<a href="{}" class="text-primary-600 dark:text-primary-500">{} {}</a>',
            row.case.get_absolute_url(),
            row.case.number,
            row.case.title,
        )

    @display(description="Company")
    def company(self, row: EscalationRequest) -> str:
        """The customer."""
        return str(row.case.company)

    @display(description="Who asked")
    def asked_(self, row: EscalationRequest) -> str:
        """Whoever asked for it."""
        return "The schedule" if row.is_decision else row.asked_by

    @display(description="Requested")
    def requested_(self, row: EscalationRequest) -> SafeString:
        """When, and by whom."""
        by = f" by {row.requested_by}" if row.requested_by else ""
        return format_html("<span>{}{}</span>", moment_html(row.requested_at, timezone.now(), "date"), by)

    @display(description="Status")
    def status_(self, row: EscalationRequest) -> SafeString:
        """Where it stands."""
        return badge("tone", TONES[RequestStatus(row.status)], row.get_status_display())

    @display(description="Outcome")
    def outcome_(self, row: EscalationRequest) -> str:
        """What accepting it brought."""
        return brought(row) or "–"

    @display(description="Decided")
    def decided_(self, row: EscalationRequest) -> SafeString:
        """When, and by whom."""
        if row.decided_at is None:
            return format_html("–")
        return format_html(
            "<span>{} by {}</span>", moment_html(row.decided_at, timezone.now(), "date"), row.decided_by or "–"
        )

    @display(description="Went on to the CSM")
    def passed_on_(self, row: EscalationRequest) -> SafeString | str:
        """When nobody had decided in time."""
        return moment_html(row.passed_on_at, timezone.now(), "date") if row.passed_on_at else "–"

    @display(description="Closed")
    def closed_(self, row: EscalationRequest) -> SafeString | str:
        """When the case was resolved, or management's attention ended."""
        return moment_html(row.closed_at, timezone.now(), "date") if row.closed_at else "–"
