"""The ledger of escalations in the admin: what was carried out, when it was due and when it was done (E5, E6)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from cases.admin.case_list import CappedPaginator
from cases.admin.rows import CaseRowAdmin, moment_column
from contacts.permissions import id_of
from contacts.wording import duration
from escalations.models import Escalation, SchedulePoint
from escalations.reports.filters import EscalationFigureFilter


class PointFilter(admin.SimpleListFilter):
    """The number of the point, as the schedules have them: among the rows each would be looked for in all of them."""

    title = "point"
    parameter_name = "number"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        numbers = SchedulePoint.objects.order_by("number").values_list("number", flat=True).distinct()
        return [(str(number), str(number)) for number in numbers]

    def queryset(self, request: HttpRequest, rows: QuerySet[Escalation]) -> QuerySet[Escalation]:
        number = id_of(self.value() or "")
        return rows.filter(number=number) if number is not None and number < 100 else rows


@admin.register(Escalation)
class EscalationAdmin(CaseRowAdmin):
    list_display = [
        "point",
        "case_display",
        "company_display",
        "due_display",
        "done_display",
        "owner_display",
        "outcome",
    ]
    list_display_links = ["point"]
    list_filter = ["severity", PointFilter, "carried_out", EscalationFigureFilter]
    paginator = CappedPaginator
    list_select_related = ["case__company", "owner_before", "owner_after", "asked"]
    ordering = ["-done_at", "-pk"]
    fields = [
        "point",
        "case_display",
        "company_display",
        "run",
        "due_display",
        "done_display",
        "outcome",
        "owner_display",
        "asked",
        "mailed_display",
        "schedule_version",
    ]
    readonly_fields = [name for name in fields if name not in ("run", "asked", "schedule_version")]

    due_display = moment_column("due_at", "Due", "date", ordering="due_at")
    done_display = moment_column("done_at", "Done", "date", ordering="done_at")

    @admin.display(description="Point", ordering="severity")
    def point(self, row: Escalation) -> str:
        return f"{row.get_severity_display()} {row.number}"

    @admin.display(description="What was done", ordering="carried_out")
    def outcome(self, row: Escalation) -> str:
        """Carried out, and how late to the minute; or only recorded, after the severity was lowered (E4)."""
        if not row.carried_out:
            return "Only recorded, nobody was told"
        late = row.done_at - row.due_at
        return f"Carried out, {duration(late)} late" if late.total_seconds() >= 60 else "Carried out"

    @admin.display(description="Owner")
    def owner_display(self, row: Escalation) -> str:
        if row.owner_before_id == row.owner_after_id:
            return str(row.owner_after or "nobody")
        return f"{row.owner_before or 'nobody'} → {row.owner_after or 'nobody'}"

    @admin.display(description="Mailed")
    def mailed_display(self, row: Escalation) -> str:
        return ", ".join(row.mailed) or "nobody"
