"""What the engine leaves for people to see: when it looked (S3), what it set aside (S2), who was turned away (D3).

All of it is read only: the engine writes it, and nobody rewrites what happened.
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
from unfold.decorators import display

from cases.engine.recovery import report_on, told_with
from cases.engine.watch import engine_state
from cases.models import FailedCase, Outage, Refusal, SweepRun
from cases.templatetags.case_page import moment_html
from contacts.enums import Right
from contacts.models import Company
from contacts.permissions import RightsAdmin, holds
from contacts.wording import rough_duration


@admin.register(SweepRun)
class SweepRunAdmin(RightsAdmin):
    """When each sweep looked last (S3), under what is wrong with the engine, if anything."""

    view_right = Right.WATCH_THE_ENGINE
    list_before_template = "admin/desk/engine_state.html"
    list_display = ["name", "said_last", "is_on_time", "done", "took"]
    fields = ["name", "said_last", "is_on_time", "done", "took"]
    readonly_fields = ["said_last", "is_on_time", "took"]

    @display(description="Looked last", ordering="last_at")
    def said_last(self, pulse: SweepRun) -> SafeString:
        """When, in the reader's zone, and how long ago."""
        return moment_html(pulse.last_at, timezone.now())

    @display(description="On time", boolean=True)
    def is_on_time(self, pulse: SweepRun) -> bool:
        """Whether it looked as lately as it must."""
        return timezone.now() - pulse.alive_at <= timedelta(seconds=settings.DESK_BEAT_LATE_AFTER_SECONDS)

    @display(description="Took")
    def took(self, pulse: SweepRun) -> str:
        """How long the last look took."""
        return f"{pulse.took_seconds:.2f} s"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The looks, with the state of the engine above them."""
        now = timezone.now()
        told = {"state": engine_state(now), "outage": Outage.objects.first(), "now": now}
        return super().changelist_view(request, told | (extra_context or {}))


@admin.register(Outage)
class OutageAdmin(RightsAdmin):
    """When the engine stood still, and the report on what that did (S3, E5, F7)."""

    view_right = Right.WATCH_THE_ENGINE
    list_display = ["sweep", "said_began", "said_ended", "length", "is_caught_up", "said_told"]
    list_filter = ["sweep"]
    fields = ["sweep", "said_began", "said_ended", "length", "said_caught_up", "said_told"]
    readonly_fields = ["said_began", "said_ended", "length", "said_caught_up", "said_told"]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The outage with its report, and that of the sweeps that were reported with it."""
        outage = self.get_object(request, object_id) if object_id else None
        told = {"report": report_on(told_with(outage)), "now": timezone.now()} if outage else {}
        return super().changeform_view(request, object_id, form_url, told | (extra_context or {}))

    @display(description="Last look before", ordering="began_at")
    def said_began(self, outage: Outage) -> SafeString:
        """When it looked last."""
        return moment_html(outage.began_at, timezone.now(), "date")

    @display(description="First look after", ordering="ended_at")
    def said_ended(self, outage: Outage) -> SafeString:
        """When it looked again."""
        return moment_html(outage.ended_at, timezone.now())

    @display(description="Length")
    def length(self, outage: Outage) -> str:
        """How long nobody looked."""
        return rough_duration(outage.ended_at - outage.began_at)

    @display(description="Caught up", boolean=True)
    def is_caught_up(self, outage: Outage) -> bool:
        """Whether everything that came due meanwhile has been seen to."""
        return outage.caught_up_at is not None

    @display(description="Caught up", empty_value="not yet")
    def said_caught_up(self, outage: Outage) -> SafeString | None:
        """When everything that came due meanwhile had been seen to."""
        return moment_html(outage.caught_up_at, timezone.now()) if outage.caught_up_at else None

    @display(description="Reported", ordering="told_at", empty_value="not yet")
    def said_told(self, outage: Outage) -> SafeString | None:
        """When the Support Manager was mailed the report."""
        return moment_html(outage.told_at, timezone.now()) if outage.told_at else None


class SolvedFilter(admin.SimpleListFilter):
    """Still set aside, or worked since."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """The two states."""
        return [("open", "Still set aside"), ("solved", "Worked since")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[FailedCase]) -> QuerySet[FailedCase]:
        """The rows in the chosen state."""
        if self.value() in ("open", "solved"):
            return queryset.filter(solved_at__isnull=self.value() == "open")
        return queryset


@admin.register(FailedCase)
class FailedCaseAdmin(RightsAdmin):
    """The cases that a sweep could not work, why, and when they are tried again (S2)."""

    view_right = Right.WATCH_THE_ENGINE
    list_display = ["its_case", "sweep", "said_since", "tries", "said_retry", "last_line", "is_solved"]
    list_filter = [SolvedFilter, "sweep"]
    list_select_related = ["case"]
    fields = ["its_case", "sweep", "said_since", "tries", "said_retry", "is_solved", "said_error"]
    readonly_fields = ["its_case", "said_since", "said_retry", "is_solved", "said_error"]

    @display(description="Case", ordering="case")
    def its_case(self, row: FailedCase) -> SafeString:
        """The case, with the way to it."""
        return format_html(
            '<a href="{}" class="text-primary-600 dark:text-primary-500">{}</a>',
            row.case.get_absolute_url(),
            row.case.number,
        )

    @display(description="Since", ordering="since")
    def said_since(self, row: FailedCase) -> SafeString:
        """When it first failed."""
        return moment_html(row.since, timezone.now())

    @display(description="Tried again", ordering="retry_at")
    def said_retry(self, row: FailedCase) -> SafeString:
        """When it is tried next."""
        return moment_html(row.retry_at, timezone.now())

    @display(description="Worked since", boolean=True)
    def is_solved(self, row: FailedCase) -> bool:
        """Whether a later try succeeded."""
        return row.solved_at is not None

    @display(description="What went wrong")
    def last_line(self, row: FailedCase) -> str:
        """The last line of the error, which says what it was."""
        lines = row.error.strip().splitlines()
        return lines[-1][:160] if lines else ""

    @display(description="Error")
    def said_error(self, row: FailedCase) -> SafeString:
        """The whole error, for whoever repairs it."""
        return format_html('<pre class="desk-error">{}</pre>', row.error)


@admin.register(Refusal)
class RefusalAdmin(RightsAdmin):
    """Who was turned away because they are not their company's help desk (D3)."""

    list_display = ["caller", "company", "about", "said_at", "by"]
    list_select_related = ["company", "by"]
    search_fields = ["caller", "about"]
    fields = ["caller", "its_company", "about", "said_at", "by", "told"]
    readonly_fields = ["its_company", "said_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Refusal]:
        """Those of every company, or of one's own (A1)."""
        rows = super().get_queryset(request)
        if holds(request, Right.READ_EVERY_CASE):
            return rows
        return rows.filter(company__in=Company.objects.visible_to(request.user))

    @display(description="When", ordering="at")
    def said_at(self, row: Refusal) -> SafeString:
        """When, in the reader's zone."""
        return moment_html(row.at, timezone.now())

    @display(description="Company")
    def its_company(self, row: Refusal) -> str | SafeString:
        """The company, with the way to it."""
        if row.company is None:
            return "—"
        link = reverse("admin:contacts_company_change", args=[row.company_id])
        return format_html('<a href="{}" class="text-primary-600 dark:text-primary-500">{}</a>', link, row.company)
