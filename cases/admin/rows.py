"""What the read-only pages of rows that belong to a case have in common: the case, its company, moments, the search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from cases.models import case_id_of
from cases.templatetags.case_page import moment_html
from contacts.pages import link
from contacts.permissions import RightsAdmin


def moment_column(
    field: str, description: str, style: str = "full", ordering: str | None = None, empty: str = "—"
) -> Callable[[Any, Any], SafeString | None]:
    """An admin column: the moment in `field` in the reader's zone, `empty` for None; `style` as in `moment_html`."""

    @admin.display(description=description, ordering=ordering, empty_value=empty)
    def column(model_admin: Any, row: Any) -> SafeString | None:
        at = getattr(row, field)
        return moment_html(at, timezone.now(), style) if at is not None else None

    return column


class CaseRowAdmin(RightsAdmin):
    """Rows with a foreign key `case`, to read. The queryset's `visible_to` scopes them to the reader (A1)."""

    list_select_related: Sequence[str] = ("case__company",)
    search_help_text = "Case number, or the title of the case"

    @admin.display(description="Case", ordering="case")
    def case_display(self, row: Any) -> SafeString:
        return link(row.case.get_absolute_url(), row.case)

    @admin.display(description="Company", ordering="case__company__name")
    def company_display(self, row: Any) -> str:
        return str(row.case.company)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """A case's number finds the rows of that case; other words are looked for in `search_fields`."""
        number = case_id_of(search_term)
        if number is not None:
            return queryset.filter(case=number), False
        rows, may_have_duplicates = super().get_search_results(request, queryset, search_term)
        return rows, may_have_duplicates
