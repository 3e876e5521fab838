"""What pages of the admin share besides their rights: links, inlines, and the pages of a history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.admin.utils import unquote
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import TabularInline

from contacts.permissions import READERS, READING, Needed, RightsAdmin, has_right, id_of


def link(url: str, label: object, extra_classes: str = "") -> SafeString:
    """A link in a cell or a field."""
    classes = f"text-primary-600 dark:text-primary-500 {extra_classes}".strip()
    return format_html('<a href="{}" class="{}">{}</a>', url, classes, label)


#: The address of a company's page for those who look after it, once a higher app has registered one.
CompanyPage = Callable[[int], str]
_company_pages: list[CompanyPage] = []


def company_page(address: CompanyPage) -> CompanyPage:
    """Register the decorated function, by which the name of a company leads to more than its row in the directory."""
    _company_pages.append(address)
    return address


def url_of_company(key: int) -> str:
    """Where the name of a company leads to."""
    return _company_pages[-1](key) if _company_pages else reverse("admin:contacts_company_change", args=[key])


class RowRights:
    """Permissions by rights for an inline (A1); put it before the inline class."""

    view_right: Needed = READERS
    edit_right: Needed = None
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return has_right(request, self.view_right) or has_right(request, self.edit_right)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return has_right(request, self.edit_right)

    has_add_permission = has_delete_permission = has_change_permission


class RightsInline(RowRights, TabularInline):
    hide_title = True


class HistoryAdmin(SimpleHistoryAdmin, RightsAdmin):
    """A page with a history that can be read and never written (A1, C5).

    simple-history looks up old versions past `get_queryset`, so that anybody could read the past of any row, and it
    accepts a POST that writes an old version back although its button is hidden. Both are refused here.
    """

    has_history = True
    show_full_result_count = True  # tables of the directory are short

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Raises Http404 for a row that the reader may not see."""
        self._found(request, object_id)
        return super().history_view(request, object_id, extra_context)

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Raises Http404 for a row that the reader may not see, and for no version. Only GET and HEAD are allowed."""
        self._found(request, object_id)
        if request.method not in READING:
            return HttpResponseNotAllowed(READING)
        if id_of(version_id) is None:
            raise Http404("There is no such version.")
        return super().history_form_view(request, object_id, version_id, extra_context)

    def _found(self, request: HttpRequest, object_id: str) -> Model:
        row = self.get_object(request, unquote(object_id))
        if row is None or not self.has_view_permission(request, row):
            raise Http404(f"There is no {self.opts.verbose_name} {object_id} that you may see.")
        return row
