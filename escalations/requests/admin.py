"""Requested escalations and open decisions in the admin (E9, E1): the list, and the page with its buttons."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from cases.admin.case_list import CappedPaginator
from cases.admin.rows import CaseRowAdmin, moment_column
from cases.templatetags.case_page import badge, moment_html
from contacts.pages import HistoryAdmin
from contacts.permissions import signed_in_user
from escalations.enums import RequestStatus
from escalations.models import EscalationRequest
from escalations.requests.panel import TONES, brought, open_requests


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
    paginator = CappedPaginator
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
        return "Nobody: the schedule leaves it open" if row.is_decision else row.asked_by

    @admin.display(description="Since")
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

    def form_context(self, request: HttpRequest, row: EscalationRequest) -> dict[str, Any]:
        """The buttons of what is still to decide, which stand above the facts."""
        now = timezone.now()
        still_open = open_requests(row.case, signed_in_user(request), now) if row.is_undecided else []
        return {
            "title": f"{self.what_display(row)}: {row.case.number}",
            "subtitle": None,
            "case": row.case,
            "now": now,
            "open_requests": [shown for shown in still_open if shown.request == row],
        }
