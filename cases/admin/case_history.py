"""The pages of a case's history (C5): read by whoever may read the case, written by moves, never restored."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.utils import timezone

from cases.admin.header import case_context
from cases.due_lines import due_lines
from cases.enums import Move
from cases.models import Case
from cases.timeline import LONG, SHORT, history_of, what_changed
from contacts.models import Contact, User
from contacts.permissions import READING, RightsAdmin, id_of, own_page

#: How many changes the history page shows at once.
HISTORY_PAGE = 50


class CaseHistory(RightsAdmin):
    """Replaces simple-history's pages, which scope nothing and can write an old version back."""

    has_history = True

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in READING:
            return HttpResponseNotAllowed(READING)
        case = self._case_or_404(request, object_id)
        page = Paginator(history_of(case), HISTORY_PAGE).get_page(request.GET.get("p"))
        rows = list(page.object_list)
        # one row beyond the page, to compare its oldest row with
        earlier = list(history_of(case)[page.end_index() : page.end_index() + 1])
        dues = due_lines(case, rows)
        changes = [
            {
                "row": row,
                "move": Move(row.last_move).label,
                "lines": [*what_changed(before, row), *dues.get(row.history_id, [])],
            }
            for row, before in zip(rows, [*rows[1:], *(earlier or [None])], strict=True)
        ]
        context = case_context(request, case, timezone.now()) | {
            "title": f"History of {case.number}",
            "changes": changes,
            "page_obj": page,
        }
        return self._read_only_page(request, "admin/cases/case/history.html", context)

    @own_page("<path:object_id>/history/<str:version_id>/", "simple_history")
    def history_form_view(self, request: HttpRequest, object_id: str, version_id: str) -> HttpResponse:
        """The case as it was after one change (C5). Raises Http404."""
        case = self._case_or_404(request, object_id)
        row = history_of(case).filter(history_id=id_of(version_id)).first()
        if row is None:
            raise Http404("There is no such version of the case.")
        before = history_of(case).filter(history_date__lte=row.history_date, history_id__lt=row.history_id).first()
        context = case_context(request, case, timezone.now()) | {
            "title": f"{case.number} as it was",
            "row": row,
            "move": Move(row.last_move).label,
            "lines": [*what_changed(before, row), *due_lines(case, [row]).get(row.history_id, [])],
            "values": _values_of(row),
        }
        return self._read_only_page(request, "admin/cases/case/version.html", context)

    def _case_or_404(self, request: HttpRequest, object_id: str) -> Case:
        if not self.has_view_permission(request):
            raise PermissionDenied
        case = self.get_object(request, object_id)
        if case is None:
            raise Http404("There is no such case.")
        return case

    def _read_only_page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        return TemplateResponse(request, template, self.page_context(request) | context | {"original": context["case"]})

    def page_context(self, request: HttpRequest) -> dict[str, Any]:
        """The context that every admin page about a case needs."""
        return {**self.admin_site.each_context(request), "opts": self.opts, "app_label": self.opts.app_label}


def _values_of(row: Any) -> list[tuple[str, Any]]:
    """The values of one version of a case, with their labels."""
    short = [
        (label, choices(value).label if choices and value else value)
        for name, (label, choices) in SHORT.items()
        if name not in ("owner_id", "contact_id")
        for value in [getattr(row, name)]
    ]
    people: list[tuple[str, User | Contact | None]] = [("Owner", row.owner), ("Contact", row.contact)]
    long = [(label, getattr(row, name)) for name, label in LONG.items()]
    return [*short[:2], *people, *short[2:], *long]
