"""The ledger of escalations in the admin: what was carried out, when it was due and when it was done (E5, E6)."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from cases.models import Case
from cases.templatetags.case_page import moment_html
from contacts.enums import Right
from contacts.permissions import RightsAdmin, holds
from contacts.wording import duration
from escalations.models import Escalation


@admin.register(Escalation)
class EscalationAdmin(RightsAdmin):
    """What was carried out, when it was due and when it was done (E5, E6); read only."""

    list_display = ["point", "its_case", "company", "said_due", "said_done", "said_owner", "outcome"]
    list_display_links = ["point"]
    list_filter = ["severity", "number", "carried_out"]
    list_select_related = ["case", "case__company", "owner_before", "owner_after", "asked"]
    ordering = ["-done_at", "-pk"]
    show_full_result_count = False
    fields = [
        "point",
        "its_case",
        "company",
        "run",
        "said_due",
        "said_done",
        "outcome",
        "said_owner",
        "asked",
        "said_mailed",
        "schedule_version",
    ]
    readonly_fields = ["point", "its_case", "company", "said_due", "said_done", "said_owner", "said_mailed", "outcome"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Escalation]:
        """The escalations of the cases that the reader may see (A1)."""
        rows = super().get_queryset(request)
        if holds(request, Right.READ_EVERY_CASE):
            return rows
        return rows.filter(case__in=Case.objects.visible_to(request.user))

    @display(description="Point", ordering="severity")
    def point(self, row: Escalation) -> str:
        """Its name, e.g. “High 2”."""
        return f"{row.get_severity_display()} {row.number}"

    @display(description="Case", ordering="case")
    def its_case(self, row: Escalation) -> SafeString:
        """The case, with the way to it."""
        return format_html(
            '<a href="{}" class="text-primary-600 dark:text-primary-500">{} {}</a>',
            row.case.get_absolute_url(),
            row.case.number,
            row.case.title,
        )

    @display(description="Company", ordering="case__company__name")
    def company(self, row: Escalation) -> str:
        """The customer."""
        return str(row.case.company)

    @display(description="Due", ordering="due_at")
    def said_due(self, row: Escalation) -> SafeString:
        """When the schedule wanted it, in the reader's zone."""
        return moment_html(row.due_at, timezone.now(), "date")

    @display(description="Done", ordering="done_at")
    def said_done(self, row: Escalation) -> SafeString:
        """When it was carried out, in the reader's zone."""
        return moment_html(row.done_at, timezone.now(), "date")

    def late(self, row: Escalation) -> str:
        """How much later it was done than it was due, to the minute."""
        late = row.done_at - row.due_at
        return duration(late) if late.total_seconds() >= 60 else "—"

    @display(description="What was done", ordering="carried_out")
    def outcome(self, row: Escalation) -> str:
        """Carried out, or only written down because nobody was to be told any more (E4)."""
        if not row.carried_out:
            return "Only recorded, nobody was told"
        late = self.late(row)
        return "Carried out" if late == "—" else f"Carried out, {late} late"

    @display(description="Owner")
    def said_owner(self, row: Escalation) -> str:
        """Who owned the case before and after."""
        if row.owner_before_id == row.owner_after_id:
            return str(row.owner_after or "nobody")
        return f"{row.owner_before or 'nobody'} → {row.owner_after or 'nobody'}"

    @display(description="Mailed")
    def said_mailed(self, row: Escalation) -> str:
        """The addresses that were written to."""
        return ", ".join(row.mailed) or "nobody"
