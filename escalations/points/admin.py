"""The ledger of escalations in the admin: what was carried out, when it was due and when it was done (E5, E6)."""

from __future__ import annotations

from django.contrib import admin

from cases.admin.rows import CaseRowAdmin, moment_column
from contacts.wording import duration
from escalations.models import Escalation


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
    list_filter = ["severity", "number", "carried_out"]
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
