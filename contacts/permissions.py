"""The rights of A1 in the admin: the base class of every page.

Django's permission rows are not used. A page names the right it takes in four attributes, which `User.may` checks, and
its rows pass through the queryset's `visible_to`, which scopes list, detail, search, autocomplete and export at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from django import forms
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, SEARCH_VAR, ChangeList
from django.contrib.admin.widgets import AutocompleteSelect
from django.db import DataError
from django.db.models import ForeignKey, Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.text import capfirst
from django.views.decorators.http import require_http_methods
from unfold.admin import ModelAdmin
from unfold.views import ChangeList as UnfoldChangeList

from contacts.enums import RIGHTS, Right, Role
from contacts.models import User
from contacts.wording import and_list

#: One right, several of which any one is enough, or None: nobody has it, superusers included.
Needed = Right | tuple[Right, ...] | None

#: Whoever may read cases at all: every one, or those of their own companies (A1).
READERS = (Right.READ_EVERY_CASE, Right.READ_OWN_COMPANIES)

#: The methods of a request that only reads.
READING = ("GET", "HEAD")


def signed_in_user(request: HttpRequest) -> User:
    """`request.user` with its type: the admin lets nobody else through."""
    return cast(User, request.user)


def has_right(request: HttpRequest, needed: Needed) -> bool:
    """Whether the signed-in user has the right that is needed (A1); never for None."""
    if needed is None or not request.user.is_authenticated:
        return False
    rights = needed if isinstance(needed, tuple) else (needed,)
    return any(request.user.may(right) for right in rights)


def who_may(right: Right) -> str:
    """The roles that have a right, for a refusal: “technicians and support managers” (A1)."""
    return and_list(f"{role.label.lower()}s" for role in Role if right in RIGHTS[role]) or "administrators"


def id_of(text: str) -> int | None:
    """The primary key in an address or a form; None for a text that can be no key."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def own_page(address: str, name: str, *methods: str) -> Callable[[View], View]:
    """Make the decorated method a page of its `RightsAdmin`, below the address of the model.

    `name` completes the name of the address, as “send_again” does in “admin:cases_mail_send_again”. Other methods than
    those that are named are answered with 405; without any, GET and HEAD are allowed.
    """

    def register(view: View) -> View:
        page = method_decorator(require_http_methods(list(methods or READING)))(view)
        page.own_page = (address, name)  # type: ignore[attr-defined]
        return page

    return register


class KnownRowsSelect(AutocompleteSelect):
    """An autocomplete field that is shown empty for a value that can be no key (S4)."""

    def optgroups(self, name: str, value: Any, attr: dict[str, Any] | None = None) -> Any:
        """Drop what can be no key: Django would look for a row by whatever was sent, and fail."""
        return super().optgroups(name, [key for key in value if id_of(str(key)) is not None], attr)


class CountedChangeList(UnfoldChangeList):
    """A list that shows the number of its rows once, below itself."""

    def get_results(self, request: HttpRequest) -> None:
        """Take the count of the filtered rows for the full one, which would be another query.

        Raises IncorrectLookupParameters for a filter that no column can answer, such as a year 0.
        """
        try:
            super().get_results(request)
        except (ValueError, OverflowError, DataError) as error:
            raise IncorrectLookupParameters(error) from error
        self.full_result_count = self.result_count


class RightsAdmin(ModelAdmin):
    """A page whose permissions are rights and which shows only the rows that the reader may see (A1).

    Nobody adds, changes or deletes unless the page names a right for it. Other rows are not found (404).
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
        """Raises AttributeError: Unfold keeps the last request on the admin object, which all threads share."""
        raise AttributeError("An admin page has no request of its own.")

    @request.setter
    def request(self, request: HttpRequest) -> None:
        """Ignored, for the same reason."""

    @property
    def media(self) -> forms.Media:
        """Include the files of the filters; Unfold would take the filters from the shared request."""
        media = super().media
        for entry in self.list_filter:
            form_class = getattr(entry[1] if isinstance(entry, tuple | list) else entry, "form_class", None)
            files = getattr(form_class, "Media", None)
            media += forms.Media(files) if files else forms.Media()
        return media

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever may change a page may read it."""
        return has_right(request, self.view_right) or has_right(request, self.change_right)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return has_right(request, self.add_right)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return has_right(request, self.change_right)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return has_right(request, self.delete_right)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Scope the rows with the queryset's `visible_to`, where it has one (A1)."""
        rows = super().get_queryset(request)
        return rows.visible_to(request.user) if hasattr(rows, "visible_to") else rows

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CountedChangeList

    def get_urls(self) -> list[URLPattern]:
        """The methods marked with `own_page`, before Django's own pages."""
        model = f"{self.opts.app_label}_{self.opts.model_name}"
        views = [getattr(self, name) for name in dir(type(self)) if hasattr(getattr(type(self), name), "own_page")]
        own = [
            path(address, self.admin_site.admin_view(view), name=f"{model}_{name}")
            for view in views
            for address, name in [view.own_page]
        ]
        return [*own, *super().get_urls()]

    def list_context(self, request: HttpRequest) -> dict[str, Any]:
        """What the page of the list shows besides the list; its title is the name of the model."""
        return {}

    def form_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the page of a row shows besides its form; `row` is None for a new one."""
        return {}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list unfiltered when the address asks for a number that no column can hold."""
        asked = [value for name, value in request.GET.items() if name != SEARCH_VAR]
        if any(len(value) > 18 and str(value).isdigit() for value in asked):
            return HttpResponseRedirect(f"{request.path}?{ERROR_FLAG}=1")
        context = {"title": capfirst(self.opts.verbose_name_plural)} | self.list_context(request)
        return super().changelist_view(request, context | (extra_context or {}))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        context |= {"show_history": self.has_history} | self.form_context(request, obj)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def formfield_for_foreignkey(self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request) and "widget" not in kwargs:
            kwargs["widget"] = KnownRowsSelect(db_field, self.admin_site, using=kwargs.get("using"))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        """Raise Http404 where Django would redirect: a row that may not be seen looks like none at all."""
        raise Http404(f"There is no {opts.verbose_name} {object_id} that you may see.")
