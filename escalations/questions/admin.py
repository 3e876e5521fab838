"""The list of questions for the status in the admin (E8)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from cases.admin.case_list import CappedPaginator
from cases.admin.rows import CaseRowAdmin, moment_column
from cases.enums import Status
from cases.templatetags.case_page import badge
from contacts.permissions import signed_in_user
from escalations.enums import QuestionEnd
from escalations.models import Question


class QuestionStateFilter(SimpleListFilter):
    """How a question stands: open, asked of the reader, overdue, or how it ended."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("mine", "Asked of me"), ("open", "Open"), ("overdue", "Overdue"), *QuestionEnd.choices]

    def queryset(self, request: HttpRequest, rows: QuerySet[Question]) -> QuerySet[Question]:
        wanted = self.value()
        if wanted in ("mine", "open", "overdue"):
            rows = rows.filter(ended_at=None).exclude(case__status=Status.RESOLVED)
            if wanted == "mine":
                return rows.filter(asked=signed_in_user(request))
            return rows.filter(answer_by__lte=timezone.now()) if wanted == "overdue" else rows
        if wanted == QuestionEnd.RESOLVED:  # also before the sweep has recorded it
            return rows.filter(Q(end=wanted) | Q(ended_at=None, case__status=Status.RESOLVED))
        return rows.filter(end=wanted) if wanted in set(QuestionEnd) else rows


@admin.register(Question)
class QuestionAdmin(CaseRowAdmin):
    """Every question for the status of a case, and its answer (E8)."""

    list_display = [
        "point",
        "case_display",
        "company_display",
        "asked_display",
        "asked_at_display",
        "state",
        "answer_display",
    ]
    list_display_links = ["point"]
    list_filter = [QuestionStateFilter, "severity"]
    paginator = CappedPaginator
    search_fields = ["case__title"]
    sortable_by = ()
    ordering = ["-asked_at", "-pk"]
    fields = [
        "point_display",
        "case_display",
        "company_display",
        "asked_display",
        "asked_at_display",
        "answer_by_display",
        "state",
        "answer",
        "for_customer",
        "answered_by",
        "ended_display",
    ]
    readonly_fields = [name for name in fields if name not in ("answer", "for_customer", "answered_by")]

    asked_at_display = moment_column("asked_at", "Asked", "date")
    answer_by_display = moment_column("answer_by", "Answer wanted by")
    ended_display = moment_column("ended_at", "Ended", "date")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Question]:
        """With the people, who are mostly the same few: to join all of them takes longer to plan than to read."""
        return super().get_queryset(request).prefetch_related("asked", "first_asked", "stands_in_for", "answered_by")

    @admin.display(description="Asked by")
    def point_display(self, row: Question) -> str:
        return row.point

    @admin.display(description="Who is asked")
    def asked_display(self, row: Question) -> str:
        if row.asked is None:
            return "nobody: the case has no owner"
        now = f"{row.asked}, for {row.stands_in_for}" if row.stands_in_for else str(row.asked)
        return f"{now}; put to {row.first_asked}" if row.first_asked else now

    @admin.display(description="State")
    def state(self, row: Question) -> SafeString:
        if row.ended_at is None and row.case.is_open:
            is_overdue = row.answer_by <= timezone.now()
            return badge("tone", "bad" if is_overdue else "info", "Overdue" if is_overdue else "Open")
        end = QuestionEnd(row.end or QuestionEnd.RESOLVED)  # the sweep has not recorded it yet
        return badge("tone", "good" if end == QuestionEnd.ANSWERED else "quiet", end.label)

    @admin.display(description="Answer", empty_value="—")
    def answer_display(self, row: Question) -> str | None:
        if not row.answer:
            return None
        short = row.answer if len(row.answer) <= 120 else f"{row.answer[:119]}…"
        return f"{short} ({row.answered_by})"
