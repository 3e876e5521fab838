"""What the rights of A1 mean in the admin: one base for every page of the desk.

Django's own permission rows play no part here. A page asks `User.may` through four attributes, and its rows pass
through the model's `visible_to`, so that list, detail, search, autocomplete and export are scoped by the same line.
"""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib.admin.views.main import ERROR_FLAG, SEARCH_VAR, ChangeList
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import ForeignKey, Model, QuerySet
from django.forms import ModelChoiceField
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.admin import ModelAdmin
from unfold.views import ChangeList as UnfoldChangeList

from contacts.enums import Right
from contacts.models import User

#: One right, several of which any one is enough, or None: nobody may, superusers included.
Needed = Right | tuple[Right, ...] | None

#: Whoever may read cases at all: every one, or those of their own companies (A1).
READERS = (Right.READ_EVERY_CASE, Right.READ_OWN_COMPANIES)


def person(request: HttpRequest) -> User:
    """Whoever is signed in; the admin lets nobody else through."""
    return cast(User, request.user)


def holds(request: HttpRequest, needed: Needed) -> bool:
    """Whether the signed-in person has what is needed (A1); never for None."""
    if needed is None or not request.user.is_authenticated:
        return False
    rights = needed if isinstance(needed, tuple) else (needed,)
    return any(request.user.may(right) for right in rights)


def id_of(text: str) -> int | None:
    """The number of a row as an address or a form gives it; None for what no row can have."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


class KnownRowsSelect(AutocompleteSelect):
    """A field that searches while one types, and comes back empty from a value that no row can have (S4)."""

    def optgroups(self, name: str, value: Any, attr: dict[str, Any] | None = None) -> Any:
        """The chosen rows; Django would look for a row by whatever was sent, and fail."""
        return super().optgroups(name, [one for one in value if id_of(str(one)) is not None], attr)


class CountedChangeList(UnfoldChangeList):
    """A list that says how many rows it has once, below itself."""

    def get_results(self, request: HttpRequest) -> None:
        """The rows of the page; the count of everything is never asked for, so it is not offered either."""
        super().get_results(request)
        self.full_result_count = self.result_count


class RightsAdmin(ModelAdmin):
    """A page whose permissions are rights (A1) and whose rows are those the reader may see.

    Nothing may be added, changed or deleted unless the page says who may. Rows of others are not found (404), as if
    they did not exist.
    """

    view_right: Needed = READERS
    add_right: Needed = None
    change_right: Needed = None
    delete_right: Needed = None

    #: Whether the page has a history worth a button.
    has_history = False

    list_per_page = 25
    show_full_result_count = False
    list_max_show_all = 0
    show_facets = False

    @property
    def request(self) -> HttpRequest:
        """Not to be read: Unfold keeps the last request on the admin, which all threads share. Use the one you get."""
        raise AttributeError("An admin page has no request of its own.")

    @request.setter
    def request(self, request: HttpRequest) -> None:
        """Forget it."""

    @property
    def media(self) -> forms.Media:
        """What the page and its filters load; Unfold would ask the shared request for the filters."""
        media = super().media
        for entry in self.list_filter:
            form_class = getattr(entry[1] if isinstance(entry, tuple | list) else entry, "form_class", None)
            files = getattr(form_class, "Media", None)
            media += forms.Media(files) if files else forms.Media()
        return media

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether the page may be read; whoever may change it may read it."""
        return holds(request, self.view_right) or holds(request, self.change_right)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether a row may be added; also called for inlines, with their parent."""
        return holds(request, self.add_right)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether a row may be changed."""
        return holds(request, self.change_right)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether a row may be deleted; cases and histories never are, by nobody (A1)."""
        return holds(request, self.delete_right)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the page is listed at all."""
        return self.has_view_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows the reader may see (A1): the model's own `visible_to`, where it has one."""
        rows = super().get_queryset(request)
        return rows.visible_to(request.user) if hasattr(rows, "visible_to") else rows

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The list that says its count once."""
        return CountedChangeList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list; an address that asks for a row no database can hold shows it unfiltered."""
        asked = [value for name, value in request.GET.items() if name != SEARCH_VAR]
        if any(len(value) > 18 and str(value).isdigit() for value in asked):
            return HttpResponseRedirect(f"{request.path}?{ERROR_FLAG}=1")
        return super().changelist_view(request, extra_context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The page, with a button to its history where there is one."""
        return super().render_change_form(request, context | {"show_history": self.has_history}, *args, **kwargs)

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any) -> ModelChoiceField:
        """Fields that search while one types survive a value that names no row."""
        if db_field.name in self.get_autocomplete_fields(request) and "widget" not in kwargs:
            kwargs["widget"] = KnownRowsSelect(db_field, self.admin_site, using=kwargs.get("using"))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        """Not found, instead of Django's redirect: a foreign row looks like none at all. Raises Http404."""
        raise Http404(f"There is no {opts.verbose_name} {object_id} that you may see.")
