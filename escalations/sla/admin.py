"""The ledger of promises in the admin: what was owed to whom, when it was due and what became of it (T1 to T4)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from django.contrib import admin
from django.db.models import Count, F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display

from cases.admin.case_list import CappedPaginator
from cases.enums import Severity
from cases.models import Case, case_id_of
from cases.templatetags.case_page import badge, moment_html, severity_badge
from contacts.enums import Right
from contacts.permissions import RightsAdmin, holds
from escalations.enums import Member, SlaKind, SlaOutcome
from escalations.models import SlaTarget

#: The summary above the list looks back so far, and counts no more than so many promises.
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
    """What became of a promise; what is overdue now, and what is still open."""

    title = "outcome"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """Overdue ones first."""
        return [(OVERDUE, "Overdue now"), (RUNNING, "Still open"), *SlaOutcome.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SlaTarget]) -> QuerySet[SlaTarget]:
        """The promises in the chosen state."""
        wanted = self.value()
        if wanted == OVERDUE:
            return queryset.filter(outcome=SlaOutcome.BREACHED, ended_at=None)
        if wanted == RUNNING:
            return queryset.filter(outcome="")
        return queryset.filter(outcome=wanted) if wanted in set(SlaOutcome) else queryset


DAY, WEEK = "day", "week"
WITHIN = {DAY: timedelta(hours=24), WEEK: SUMMED_OVER}


class DueFilter(DropdownFilter):
    """When a promise was due."""

    title = "when it was due"
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """The shorter time first."""
        return [(DAY, "In the last 24 hours"), (WEEK, "In the last 7 days")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SlaTarget]) -> QuerySet[SlaTarget]:
        """The promises that were due in the chosen time."""
        within = WITHIN.get(str(self.value()))
        return due_within(queryset, within, timezone.now()) if within else queryset


def due_within(rows: QuerySet[SlaTarget], within: timedelta, now: datetime) -> QuerySet[SlaTarget]:
    """Those that were due so long ago at most, and not later than now."""
    return rows.filter(due_at__gt=now - within, due_at__lte=now)


# --- the list ---------------------------------------------------------------------------------------------------


@admin.register(SlaTarget)
class SlaTargetAdmin(RightsAdmin):
    """What was promised on which case and what became of it (T1 to T4); read only, scoped to the reader (A1)."""

    list_display = ["what", "its_case", "company", "severity_", "said_due", "outcome_", "said_end"]
    list_display_links = ["what"]
    list_filter = [
        StateFilter,
        ("kind", ChoicesDropdownFilter),
        ("member", ChoicesDropdownFilter),
        ("case__severity", ChoicesDropdownFilter),
        DueFilter,
    ]
    list_filter_submit = True
    list_fullwidth = True
    list_select_related = ["case", "case__company", "by"]
    list_before_template = "admin/escalations/promise_summary.html"
    search_fields = ["case__title"]
    search_help_text = "Case number"
    sortable_by = ()
    ordering = ["-due_at", "-pk"]
    paginator = CappedPaginator
    actions = None
    fields = [
        "what",
        "its_case",
        "company",
        "severity_",
        "said_since",
        "said_due",
        "outcome_",
        "said_end",
        "said_reminded",
        "said_updated",
        "said_told",
    ]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[SlaTarget]:
        """The promises on the cases that the reader may see (A1)."""
        rows = cast("QuerySet[SlaTarget]", super().get_queryset(request))
        if holds(request, Right.READ_EVERY_CASE):
            return rows
        return rows.filter(case__in=Case.objects.visible_to(request.user))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[SlaTarget], search_term: str
    ) -> tuple[QuerySet[SlaTarget], bool]:
        """A case's number finds its promises."""
        term = search_term.strip()
        number = case_id_of(term)
        if not term:
            return queryset, False
        return (queryset.filter(case=number) if number is not None else queryset.none()), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the summary above it."""
        summary = {"title": "Promises", "promise_summary": summary_of(self.get_queryset(request), timezone.now())}
        return super().changelist_view(request, (extra_context or {}) | summary)

    # --- its columns and fields ---

    @display(description="Promise")
    def what(self, row: SlaTarget) -> str:
        """What is promised, and to whom."""
        if row.kind == SlaKind.RESPONSE:
            return SlaKind.RESPONSE.label
        return f"{SlaKind(row.kind).label} to {Member(row.member).label}"

    @display(description="Case")
    def its_case(self, row: SlaTarget) -> SafeString:
        """The case, with the way to it."""
        return format_html(
            '<a href="{}" class="text-primary-600 dark:text-primary-500">{} {}</a>',
            row.case.get_absolute_url(),
            row.case.number,
            row.case.title,
        )

    @display(description="Company")
    def company(self, row: SlaTarget) -> str:
        """The customer."""
        return str(row.case.company)

    @display(description="Severity")
    def severity_(self, row: SlaTarget) -> SafeString:
        """How bad the case is now."""
        return severity_badge(row.case.severity)

    @display(description="Counted from")
    def said_since(self, row: SlaTarget) -> SafeString:
        """From when it was counted, in the reader's zone."""
        return moment_html(row.since, timezone.now(), "date")

    @display(description="Due")
    def said_due(self, row: SlaTarget) -> SafeString:
        """When it was due, in the reader's zone."""
        return moment_html(row.due_at, timezone.now(), "date")

    @display(description="Outcome")
    def outcome_(self, row: SlaTarget) -> SafeString:
        """What became of it; one whose update is on its way is settled when the mail has left."""
        if row.outcome:
            outcome = SlaOutcome(row.outcome)
            return badge("tone", TONES[outcome], outcome.label)
        return badge("tone", "quiet", "Update on its way" if row.updated_at else "Still open")

    @display(description="Update came")
    def said_end(self, row: SlaTarget) -> SafeString | str:
        """When the update came and from whom, or that none was owed any more."""
        if row.ended_at is None:
            return "not yet"
        when = moment_html(row.ended_at, timezone.now(), "date")
        if row.by_id is not None:
            return format_html("{} by {}", when, row.by)
        return format_html("{} {}", when, _without_a_person(row))

    @display(description="Owner reminded", empty_value="—")
    def said_reminded(self, row: SlaTarget) -> SafeString | None:
        """When the owner was reminded (T3)."""
        return moment_html(row.reminded_at, timezone.now(), "date") if row.reminded_at else None

    @display(description="Updated by the desk", empty_value="—")
    def said_updated(self, row: SlaTarget) -> SafeString | None:
        """When the desk wrote itself (T3)."""
        return moment_html(row.updated_at, timezone.now(), "date") if row.updated_at else None

    @display(description="Support manager told", empty_value="—")
    def said_told(self, row: SlaTarget) -> SafeString | None:
        """When the Support Manager heard that nobody speaks (T3)."""
        return moment_html(row.manager_told_at, timezone.now(), "date") if row.manager_told_at else None


def _without_a_person(row: SlaTarget) -> str:
    if row.updated_at is not None:
        return "by the desk"
    person_kept_it = row.outcome == SlaOutcome.MET or row.kind == SlaKind.RESPONSE
    return "" if person_kept_it else "no longer owed"


# --- the summary ------------------------------------------------------------------------------------------------


def summary_of(rows: QuerySet[SlaTarget], now: datetime) -> dict[str, Any]:
    """What became of the promises of the last 7 days, by the severity their case has now; one capped query."""
    cells = {
        f"{severity.value}__{outcome.value}": Count("pk", filter=Q(severity=severity.value, outcome=outcome.value))
        for severity in Severity
        for outcome in SUMMED
    }
    newest = due_within(rows, SUMMED_OVER, now).annotate(severity=F("case__severity")).order_by("-due_at")
    counted = newest.values("pk", "outcome", "severity")[:SUMMED_AT_MOST]
    counts: dict[str, int] = counted.aggregate(total=Count("pk"), **cells)
    return {
        "outcomes": SUMMED,
        "rows": [
            {"severity": severity, "cells": [_cell(severity, outcome, counts) for outcome in SUMMED]}
            for severity in Severity
        ],
        "total": counts["total"],
        "capped": counts["total"] >= SUMMED_AT_MOST,
        "counted": f"{SUMMED_AT_MOST:,}",
    }


def _cell(severity: Severity, outcome: SlaOutcome, counts: dict[str, int]) -> dict[str, Any]:
    page = reverse("admin:escalations_slatarget_changelist")
    return {
        "count": counts[f"{severity.value}__{outcome.value}"],
        "link": f"{page}?state={outcome.value}&case__severity__exact={severity.value}&due={WEEK}",
        "is_bad": outcome == SlaOutcome.BREACHED,
    }
