"""What the engine leaves for people to see: when it looked (S3), what it set aside (S2), who was turned away (D3).

All of it is read only: the engine writes it, and nobody rewrites what happened.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from cases.models import Pulse, Refusal, SetAside
from contacts.access import RightsAdmin
from contacts.models import Company
from contacts.terms import Right


@admin.register(Pulse)
class PulseAdmin(RightsAdmin):
    """When each sweep looked last (S3)."""

    view_right = Right.WATCH_THE_ENGINE
    list_display = ["name", "last_at", "is_on_time", "done", "took"]

    @display(description="On time", boolean=True)
    def is_on_time(self, pulse: Pulse) -> bool:
        """Whether it looked as lately as it must."""
        return timezone.now() - pulse.last_at <= timedelta(seconds=settings.DESK_BEAT_LATE_AFTER_SECONDS)

    @display(description="Took")
    def took(self, pulse: Pulse) -> str:
        """How long the last look took."""
        return f"{pulse.took_seconds:.2f} s"


class SolvedFilter(admin.SimpleListFilter):
    """Still set aside, or worked since."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """The two states."""
        return [("open", "Still set aside"), ("solved", "Worked since")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SetAside]) -> QuerySet[SetAside]:
        """The rows in the chosen state."""
        if self.value() in ("open", "solved"):
            return queryset.filter(solved_at__isnull=self.value() == "open")
        return queryset


@admin.register(SetAside)
class SetAsideAdmin(RightsAdmin):
    """The cases that a sweep could not work, why, and when they are tried again (S2)."""

    view_right = Right.WATCH_THE_ENGINE
    list_display = ["its_case", "sweep", "since", "tries", "retry_at", "last_line", "solved_at"]
    list_filter = [SolvedFilter, "sweep"]
    list_select_related = ["case"]
    fields = ["its_case", "sweep", "since", "tries", "retry_at", "solved_at", "said_error"]
    readonly_fields = ["its_case", "said_error"]

    @display(description="Case", ordering="case")
    def its_case(self, row: SetAside) -> SafeString:
        """The case, with the way to it."""
        return format_html(
            '<a href="{}" class="text-primary-600 dark:text-primary-500">{}</a>',
            row.case.get_absolute_url(),
            row.case.number,
        )

    @display(description="What went wrong")
    def last_line(self, row: SetAside) -> str:
        """The last line of the error, which says what it was."""
        lines = row.error.strip().splitlines()
        return lines[-1][:160] if lines else ""

    @display(description="Error")
    def said_error(self, row: SetAside) -> SafeString:
        """The whole error, for whoever repairs it."""
        return format_html('<pre class="desk-error">{}</pre>', row.error)


@admin.register(Refusal)
class RefusalAdmin(RightsAdmin):
    """Who was turned away because they are not their company's help desk (D3)."""

    list_display = ["caller", "company", "about", "at", "by"]
    list_select_related = ["company", "by"]
    search_fields = ["caller", "about"]
    date_hierarchy = None
    fields = ["caller", "its_company", "about", "at", "by", "told"]
    readonly_fields = ["its_company"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Refusal]:
        """Those of every company, or of one's own (A1)."""
        rows = super().get_queryset(request)
        if request.user.may(Right.READ_EVERY_CASE):
            return rows
        return rows.filter(company__in=Company.objects.visible_to(request.user))

    @display(description="Company")
    def its_company(self, row: Refusal) -> str | SafeString:
        """The company, with the way to it."""
        if row.company is None:
            return "—"
        link = reverse("admin:contacts_company_change", args=[row.company_id])
        return format_html('<a href="{}" class="text-primary-600 dark:text-primary-500">{}</a>', link, row.company)
