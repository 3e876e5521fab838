"""The filter by which a figure of a report leads to its rows, in the lists of cases, promises and escalations (W4).

It stands among the filters of a list only while it is in the address, and says there which figure it is.
"""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from unfold.contrib.filters.admin import DropdownFilter

from cases.admin.case_list import case_filter
from contacts.permissions import signed_in_user
from escalations.policy.figures import FIGURES, Ledger
from escalations.policy.reporting import NotAPeriod, NotAScope, Scope, read_rows_of, write_rows_of
from escalations.reports.state import keys_of

FIGURE = "figure"
LISTS = {
    Ledger.CASES: "admin:cases_case_changelist",
    Ledger.PROMISES: "admin:escalations_slatarget_changelist",
    Ledger.ESCALATIONS: "admin:escalations_escalation_changelist",
}


def link_to_rows(figure: str, scope: Scope) -> str:
    """The address of the list that shows exactly the rows a figure counts."""
    page = reverse(LISTS[FIGURES[figure].ledger])
    return f"{page}?{urlencode({FIGURE: write_rows_of(figure, scope)})}"


class FigureFilter(DropdownFilter):
    """The rows that a figure counts, as far as the reader may see them (A1)."""

    title = "figure of a report"
    parameter_name = FIGURE
    ledger: ClassVar[Ledger]

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        self.reader = signed_in_user(request)
        super().__init__(request, *args)

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Only the figure in the address. Raises IncorrectLookupParameters for one that there is not."""
        value = self.value()
        if not value:
            return []
        try:
            keys_of(value, self.ledger, self.reader)
            slug, scope = read_rows_of(value)
        except (NotAPeriod, NotAScope) as error:
            raise IncorrectLookupParameters(error) from error
        return [(value, f"{FIGURES[slug].label}, {scope.period}")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(pk__in=keys_of(value, self.ledger, self.reader)) if value else queryset


@case_filter
class CaseFigureFilter(FigureFilter):
    ledger = Ledger.CASES


class PromiseFigureFilter(FigureFilter):
    ledger = Ledger.PROMISES


class EscalationFigureFilter(FigureFilter):
    ledger = Ledger.ESCALATIONS
