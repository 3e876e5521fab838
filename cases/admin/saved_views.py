"""Saved views of the list of cases: each person keeps filters, search and order under names of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin.views.main import ERROR_FLAG, ORDER_VAR, PAGE_VAR
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse

from cases.guards import Refused
from cases.models import SavedView
from cases.models.saved_view import LONGEST_NAME, LONGEST_QUERY
from contacts.permissions import RightsAdmin, id_of, own_page, signed_in_user

#: How many views a person may keep: they stand beside each other as tabs.
MOST_VIEWS = 20
#: What of an address is no part of a view: which page of it, and that a filter was not understood.
PASSING = {PAGE_VAR, ERROR_FLAG}


class SavedViews(RightsAdmin):
    """The pages that keep, rename and delete a view; each by POST, each only one's own (A2)."""

    @own_page("views/", "keep_view", "POST")
    def keep_view(self, request: HttpRequest) -> HttpResponse:
        """Keep the filters, search and order that the page showed under a name."""
        query = self.query_to_keep(request, request.POST.get("query", ""))
        name, views = request.POST.get("name", "").strip(), SavedView.objects.filter(user=signed_in_user(request))
        try:
            _check_name(name, views)
            if views.count() >= MOST_VIEWS:
                raise Refused(f"You keep {MOST_VIEWS} views already; delete one, then “{name}” has room.")
            if len(query) > LONGEST_QUERY:
                raise Refused("These filters are too long to be kept; leave some of them out.")
        except Refused as refused:
            messages.error(request, refused.sentence)
        else:
            SavedView.objects.create(user=signed_in_user(request), name=name, query=query)
            messages.success(request, f"“{name}” is kept; it stands beside the other tabs.")
        return _to_list(self.query_to_show(request, query))

    @own_page("views/<int:view_id>/rename/", "rename_view", "POST")
    def rename_view(self, request: HttpRequest, view_id: int) -> HttpResponse:
        """Give a view another name."""
        view, name = _own_view(request, view_id), request.POST.get("name", "").strip()
        try:
            _check_name(name, SavedView.objects.filter(user=view.user).exclude(pk=view.pk))
        except Refused as refused:
            messages.error(request, refused.sentence)
        else:
            view.name = name
            view.save(update_fields=["name"])
        return _to_list(self.query_to_show(request, view.query))

    @own_page("views/<int:view_id>/delete/", "forget_view", "POST")
    def forget_view(self, request: HttpRequest, view_id: int) -> HttpResponse:
        """Forget a view; the list stays as it was."""
        view = _own_view(request, view_id)
        view.delete()
        messages.success(request, f"“{view.name}” is deleted. No case has changed.")
        return _to_list(self.query_to_show(request, view.query))

    def query_to_keep(self, request: HttpRequest, query: str) -> str:
        """An address as it is kept: without the page, in one order, the order of rows by names of columns, which stay
        when columns are moved.
        """
        kept = {name: values for name, values in QueryDict(query).lists() if name not in PASSING}
        if ORDER_VAR in kept:
            columns = self._columns(request)
            kept[ORDER_VAR] = [_each(kept[ORDER_VAR], lambda number: _column_named(columns, number))]
        return _encoded(kept)

    def query_to_show(self, request: HttpRequest, query: str) -> str:
        """The address of a view that was kept."""
        shown = dict(QueryDict(query).lists())
        if ORDER_VAR in shown:
            columns = self._columns(request)
            shown[ORDER_VAR] = [_each(shown[ORDER_VAR], lambda name: _column_number(columns, name))]
        return _encoded(shown)

    def _columns(self, request: HttpRequest) -> list[str]:
        """The columns as an address counts them: for whoever may act on several rows the first one is for ticks."""
        ticks = ["action_checkbox"] if self.get_actions(request) else []
        return [*ticks, *map(str, self.get_list_display(request))]


def _each(values: list[str], translated: Callable[[str], str]) -> str:
    """The columns of an order, each translated; those that are not known are left out."""
    return ".".join(filter(None, map(translated, values[-1].split("."))))


def _column_named(columns: list[str], number: str) -> str:
    index = id_of(number.removeprefix("-"))
    return f"{_sign(number)}{columns[index]}" if index is not None and index < len(columns) else ""


def _column_number(columns: list[str], name: str) -> str:
    column = name.removeprefix("-")
    return f"{_sign(name)}{columns.index(column)}" if column in columns else ""


def _sign(column: str) -> str:
    """“-” before a column in falling order."""
    return "-" if column.startswith("-") else ""


def _encoded(values: dict[str, list[Any]]) -> str:
    query = QueryDict(mutable=True)
    for name in sorted(values):
        if any(values[name]):
            query.setlist(name, values[name])
    return query.urlencode()


def _check_name(name: str, others: Any) -> None:
    """Raises Refused with one sentence (S4)."""
    if not name:
        raise Refused("Give the view a name; then it becomes a tab of yours.")
    if len(name) > LONGEST_NAME:
        raise Refused(f"“{name[:LONGEST_NAME]}…” is too long: the name of a tab has at most {LONGEST_NAME} characters.")
    if others.filter(name__iexact=name).exists():
        raise Refused(f"You keep a view named “{name}” already; choose another name, or delete that one.")


def _own_view(request: HttpRequest, view_id: int) -> SavedView:
    """Raises Http404 for somebody else's view, as for none (A3)."""
    view = SavedView.objects.filter(user=signed_in_user(request), pk=view_id).first()
    if view is None:
        raise Http404("You keep no such view.")
    return view


def _to_list(query: str) -> HttpResponse:
    address = reverse("admin:cases_case_changelist")
    return redirect(f"{address}?{query}" if query else address)
