"""What the engine records about itself: runs (S3), outages (S3), failed cases (S2); and callers turned away (D3).

All of it is read only.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from cases.admin.rows import CaseRowAdmin, moment_column
from cases.engine.recovery import report_on, told_with
from cases.engine.watch import engine_state
from cases.models import FailedCase, Outage, Refusal, SweepRun
from contacts.enums import Right
from contacts.pages import link
from contacts.permissions import RightsAdmin
from contacts.wording import rough_duration


@admin.register(SweepRun)
class SweepRunAdmin(RightsAdmin):
    """When each sweep ran last (S3), under what is wrong with the engine, if anything."""

    view_right = Right.WATCH_THE_ENGINE
    list_before_template = "admin/desk/engine_state.html"
    list_display = fields = ["name", "last_display", "is_on_time", "done", "took"]
    readonly_fields = ["last_display", "is_on_time", "took"]

    last_display = moment_column("last_at", "Looked last", ordering="last_at")

    @admin.display(description="On time", boolean=True)
    def is_on_time(self, run: SweepRun) -> bool:
        return timezone.now() - run.alive_at <= timedelta(seconds=settings.DESK_BEAT_LATE_AFTER_SECONDS)

    @admin.display(description="Took")
    def took(self, run: SweepRun) -> str:
        return f"{run.took_seconds:.2f} s"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        now = timezone.now()
        context = {"state": engine_state(now), "outage": Outage.objects.first(), "now": now}
        return super().changelist_view(request, context | (extra_context or {}))


@admin.register(Outage)
class OutageAdmin(RightsAdmin):
    """When the engine stood still, and the report on what that did (S3, E5, F7)."""

    view_right = Right.WATCH_THE_ENGINE
    list_display = ["sweep", "began_display", "ended_display", "length", "is_caught_up", "told_display"]
    list_filter = ["sweep"]
    fields = ["sweep", "began_display", "ended_display", "length", "caught_up_display", "told_display"]
    readonly_fields = ["began_display", "ended_display", "length", "caught_up_display", "told_display"]

    began_display = moment_column("began_at", "Last look before", "date", ordering="began_at")
    ended_display = moment_column("ended_at", "First look after", ordering="ended_at")
    caught_up_display = moment_column("caught_up_at", "Caught up", empty="not yet")
    told_display = moment_column("told_at", "Reported", ordering="told_at", empty="not yet")

    @admin.display(description="Length")
    def length(self, outage: Outage) -> str:
        return rough_duration(outage.ended_at - outage.began_at)

    @admin.display(description="Caught up", boolean=True)
    def is_caught_up(self, outage: Outage) -> bool:
        return outage.caught_up_at is not None

    def form_context(self, request: HttpRequest, row: Outage) -> dict[str, Any]:
        """The report on the outage, and on the outages of other sweeps that were reported with it."""
        return {"report": report_on(told_with(row)), "now": timezone.now()}


class SolvedFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [("open", "Still set aside"), ("solved", "Worked since")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[FailedCase]) -> QuerySet[FailedCase]:
        if self.value() in ("open", "solved"):
            return queryset.filter(solved_at__isnull=self.value() == "open")
        return queryset


@admin.register(FailedCase)
class FailedCaseAdmin(CaseRowAdmin):
    """The cases that a sweep could not work, why, and when they are tried again (S2)."""

    view_right = Right.WATCH_THE_ENGINE
    list_display = ["case_display", "sweep", "since_display", "tries", "retry_display", "last_line", "is_solved"]
    list_display_links = ["sweep"]
    list_filter = [SolvedFilter, "sweep"]
    fields = ["case_display", "sweep", "since_display", "tries", "retry_display", "is_solved", "error_display"]
    readonly_fields = ["case_display", "since_display", "retry_display", "is_solved", "error_display"]

    since_display = moment_column("since", "Since", ordering="since")
    retry_display = moment_column("retry_at", "Tried again", ordering="retry_at")

    @admin.display(description="Case", ordering="case")
    def case_display(self, row: FailedCase) -> SafeString:
        return link(row.case.get_absolute_url(), row.case.number)

    @admin.display(description="Worked since", boolean=True)
    def is_solved(self, row: FailedCase) -> bool:
        return row.solved_at is not None

    @admin.display(description="What went wrong")
    def last_line(self, row: FailedCase) -> str:
        """The last line of the traceback names the error."""
        lines = row.error.strip().splitlines()
        return lines[-1][:160] if lines else ""

    @admin.display(description="Error")
    def error_display(self, row: FailedCase) -> SafeString:
        return format_html('<pre class="desk-error">{}</pre>', row.error)


@admin.register(Refusal)
class RefusalAdmin(RightsAdmin):
    """Who was turned away because they are not their company's help desk (D3)."""

    list_display = ["caller", "company", "about", "at_display", "by", "pass_on_display"]
    list_select_related = ["company", "by"]
    search_fields = ["caller", "about"]
    fields = ["caller", "company_display", "about", "at_display", "by", "told"]
    readonly_fields = ["company_display", "at_display"]

    at_display = moment_column("at", "When", ordering="at")

    @admin.display(description="Contract or bill?")
    def pass_on_display(self, row: Refusal) -> SafeString:
        """To the page on which their question is passed on to the account manager (D6)."""
        return link(f"{reverse('admin:cases_contractquestion_add')}?refusal={row.pk}", "Pass it on")

    @admin.display(description="Company")
    def company_display(self, row: Refusal) -> str:
        if row.company is None:
            return "—"
        return link(reverse("admin:contacts_company_change", args=[row.company_id]), row.company)
