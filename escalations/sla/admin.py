"""The ledger of SLA targets in the admin: what was owed to whom, when it was due and its outcome (T1 to T4)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter

from cases.admin.case_list import CappedPaginator
from cases.admin.rows import CaseRowAdmin, moment_column
from cases.dashboard import count_pairs
from cases.enums import Severity
from cases.models import case_id_of
from cases.templatetags.case_page import badge, moment_html, severity_badge
from escalations.enums import Member, SlaKind, SlaOutcome
from escalations.models import SlaTarget
from escalations.reports.filters import PromiseFigureFilter

#: How far the summary above the list looks back, and how many targets it counts at most.
SUMMED_OVER = timedelta(days=7)
SUMMED_AT_MOST = 10_000
SUMMED = (SlaOutcome.MET, SlaOutcome.MET_AUTOMATICALLY, SlaOutcome.BREACHED)

TONES = {
    SlaOutcome.MET: "good",
    SlaOutcome.MET_AUTOMATICALLY: "info",
    SlaOutcome.BREACHED: "bad",
    SlaOutcome.CANCELLED: "quiet",
}

# --- filters ----------------------------------------------------------------------------------------------------

OVERDUE, RUNNING = "overdue", "running"


class StateFilter(DropdownFilter):
    """The outcome of a target; or what is overdue now, or still open."""

    title = "outcome"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [(OVERDUE, "Overdue now"), (RUNNING, "Still open"), *SlaOutcome.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SlaTarget]) -> QuerySet[SlaTarget]:
        wanted = self.value()
        if wanted == OVERDUE:
            return queryset.filter(outcome=SlaOutcome.BREACHED, ended_at=None)
        if wanted == RUNNING:
            return queryset.filter(outcome="")
        return queryset.filter(outcome=wanted) if wanted in set(SlaOutcome) else queryset


DAY, WEEK, MONTH = "day", "week", "month"
WITHIN = {DAY: timedelta(hours=24), WEEK: SUMMED_OVER, MONTH: timedelta(days=30)}


class DueFilter(DropdownFilter):
    title = "when it was due"
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [(DAY, "In the last 24 hours"), (WEEK, "In the last 7 days"), (MONTH, "In the last 30 days")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SlaTarget]) -> QuerySet[SlaTarget]:
        within = WITHIN.get(str(self.value()))
        return due_within(queryset, within, timezone.now()) if within else queryset


def due_within(rows: QuerySet[SlaTarget], within: timedelta, now: datetime) -> QuerySet[SlaTarget]:
    """The targets that came due within this time before now."""
    return rows.filter(due_at__gt=now - within, due_at__lte=now)


# --- the list ---------------------------------------------------------------------------------------------------


@admin.register(SlaTarget)
class SlaTargetAdmin(CaseRowAdmin):
    """Every promised response and update, and whether it was kept (T1 to T4)."""

    list_display = [
        "what",
        "case_display",
        "company_display",
        "severity_display",
        "due_display",
        "outcome_display",
        "end_display",
    ]
    list_display_links = ["what"]
    list_filter = [
        StateFilter,
        ("kind", ChoicesDropdownFilter),
        ("member", ChoicesDropdownFilter),
        ("case__severity", ChoicesDropdownFilter),
        DueFilter,
        PromiseFigureFilter,
    ]
    list_filter_submit = True
    list_fullwidth = True
    list_select_related = ["case__company", "by"]
    list_before_template = "admin/escalations/promise_summary.html"
    search_fields = ["case__title"]
    search_help_text = "Case number"
    sortable_by = ()
    ordering = ["-due_at", "-pk"]
    paginator = CappedPaginator
    actions = None
    fields = readonly_fields = [
        "what",
        "case_display",
        "company_display",
        "severity_display",
        "since_display",
        "due_display",
        "outcome_display",
        "end_display",
        "reminded_display",
        "updated_display",
        "told_display",
    ]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow the link from the page of a company."""
        return lookup == "case__company__id__exact" or super().lookup_allowed(lookup, value, request)

    since_display = moment_column("since", "Counted from", "date")
    due_display = moment_column("due_at", "Due", "date")
    reminded_display = moment_column("reminded_at", "Owner reminded", "date")
    updated_display = moment_column("updated_at", "Updated by the desk", "date")
    told_display = moment_column("manager_told_at", "Support manager told", "date")

    @admin.display(description="Promise")
    def what(self, row: SlaTarget) -> str:
        if row.kind == SlaKind.RESPONSE:
            return SlaKind.RESPONSE.label
        return f"{SlaKind(row.kind).label} to {Member(row.member).label}"

    @admin.display(description="Severity")
    def severity_display(self, row: SlaTarget) -> SafeString:
        return severity_badge(row.case.severity)

    @admin.display(description="Outcome")
    def outcome_display(self, row: SlaTarget) -> SafeString:
        """An update that is on its way settles its target when the mail has left."""
        if row.outcome:
            outcome = SlaOutcome(row.outcome)
            return badge("tone", TONES[outcome], outcome.label)
        return badge("tone", "quiet", "Update on its way" if row.updated_at else "Still open")

    @admin.display(description="Update came")
    def end_display(self, row: SlaTarget) -> str:
        """When the update came and from whom, or that none was owed any more."""
        if row.ended_at is None:
            return "not yet"
        when = moment_html(row.ended_at, timezone.now(), "date")
        if row.by_id is not None:
            return format_html("{} by {}", when, row.by)
        return format_html("{} {}", when, _without_a_person(row))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[SlaTarget], search_term: str
    ) -> tuple[QuerySet[SlaTarget], bool]:
        """By case number only: titles would be searched over the whole ledger."""
        if search_term.strip() and case_id_of(search_term) is None:
            return queryset.none(), False
        return super().get_search_results(request, queryset, search_term)

    def list_context(self, request: HttpRequest) -> dict[str, Any]:
        return {"title": "Promises", "promise_summary": summary_of(self.get_queryset(request), timezone.now())}


def _without_a_person(row: SlaTarget) -> str:
    if row.updated_at is not None:
        return "by the desk"
    person_kept_it = row.outcome == SlaOutcome.MET or row.kind == SlaKind.RESPONSE
    return "" if person_kept_it else "no longer owed"


# --- the summary ------------------------------------------------------------------------------------------------


def summary_of(rows: QuerySet[SlaTarget], now: datetime) -> dict[str, Any]:
    """The outcomes of the last 7 days by the severity that the case has now; one capped query."""
    newest = due_within(rows, SUMMED_OVER, now).annotate(severity=F("case__severity")).order_by("-due_at")
    counted = newest.values("pk", "outcome", "severity")[:SUMMED_AT_MOST]
    counts = count_pairs(counted, severity=Severity, outcome=["", *SlaOutcome])
    total = sum(counts.values())
    return {
        "outcomes": SUMMED,
        "rows": [
            {"severity": severity, "cells": [_cell(severity, outcome, counts) for outcome in SUMMED]}
            for severity in Severity
        ],
        "total": total,
        "capped": total >= SUMMED_AT_MOST,
        "counted": f"{SUMMED_AT_MOST:,}",
    }


def _cell(severity: Severity, outcome: SlaOutcome, counts: dict[tuple[str, ...], int]) -> dict[str, Any]:
    page = reverse("admin:escalations_slatarget_changelist")
    return {
        "count": counts[severity, outcome],
        "link": f"{page}?state={outcome.value}&case__severity__exact={severity.value}&due={WEEK}",
        "is_bad": outcome == SlaOutcome.BREACHED,
    }
