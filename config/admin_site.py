"""The admin site: Unfold's, with pages that keep their address when a model is renamed."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.contenttypes.models import ContentType
from django.core.paginator import InvalidPage
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, include, path, reverse
from django.utils.functional import SimpleLazyObject
from django.views import View
from django.views.decorators.cache import never_cache
from unfold.sites import UnfoldAdminSite

from cases.search.palette import suggestions
from config.passwords import AskForLink, SetPassword, told_of_own_change
from config.sign_in import sign_in_page
from contacts.enums import Right
from contacts.permissions import id_of
from escalations.board.pages import board_cases, board_page, board_tiles

#: The address Django derives from a model's name -> the address people have bookmarked.
ADDRESSES = {
    "cases/failedcase/": "cases/setaside/",
    "cases/sweeprun/": "cases/pulse/",
    "escalations/slatarget/": "escalations/promise/",
    "escalations/reportcase/": "escalations/reports/",
}

#: How many pages of the desk the command palette suggests beside the cases.
PAGES_SUGGESTED = 5


class DeskAdminSite(UnfoldAdminSite):
    """Unfold's site with the addresses above."""

    def get_urls(self) -> list[URLPattern | URLResolver]:
        own = [
            path("r/<path:content_type_id>/<path:object_id>/", self.admin_view(self.row_view)),
            path("board/", self.admin_view(board_page), name="board"),
            path("board/tiles/", self.admin_view(board_tiles), name="board_tiles"),
            path("board/cases/<slug:key>/", self.admin_view(board_cases), name="board_cases"),
            path("password/forgotten/", self._public(AskForLink), name="admin_password_reset"),
            path("password/<uidb64>/<token>/", self._public(SetPassword), name="password_reset_confirm"),
        ]
        return [
            path(ADDRESSES[str(url.pattern)], include(url.url_patterns)) if str(url.pattern) in ADDRESSES else url
            for url in [*own, *super().get_urls()]
        ]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """With whether the page asks for calls that are offered to its reader (Q2)."""
        may = request.user.is_authenticated and request.user.may(Right.WORK_CASES)
        return {**super().each_context(request), "may_take_calls": may}

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """The apps and lists that the reader may open; found out once a page shows them, which most do not."""
        return SimpleLazyObject(partial(super().get_app_list, request, app_label))

    def _public(self, page: type[View]) -> Callable[..., HttpResponseBase]:
        """A page for people who are not signed in, in the looks of the admin."""

        def view(request: HttpRequest, **arguments: str) -> HttpResponseBase:
            looks = {**self.each_context(request), **getattr(page, "extra_context", {})}
            return page.as_view(extra_context=looks)(request, **arguments)

        return view

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """Name and password, or a passkey; then the second factor, if there is one (A3)."""
        if request.method == "GET" and self.has_permission(request):
            return redirect("admin:index")
        looks = {**self.each_context(request), "title": "Log in", "app_path": request.get_full_path()}
        if not {REDIRECT_FIELD_NAME} & {*request.GET, *request.POST}:
            looks[REDIRECT_FIELD_NAME] = reverse("admin:index")
        return never_cache(sign_in_page)(request, looks | (extra_context or {}))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Whoever changes their own password is told by mail (A3)."""
        return told_of_own_change(request, super().password_change(request, extra_context))

    def row_view(self, request: HttpRequest, content_type_id: str, object_id: str) -> HttpResponse:
        """Lead to the page of a row. Raises Http404 for one that the reader may not see (A3); Django leads to any."""
        if id_of(content_type_id) is None:
            raise Http404
        kind = ContentType.objects.filter(pk=content_type_id).first()
        page = self._registry.get(kind.model_class()) if kind else None
        row = page.get_object(request, object_id) if page and page.has_view_permission(request) else None
        if row is None or not hasattr(row, "get_absolute_url"):
            raise Http404
        return redirect(row)

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """What the command palette finds: cases and pages of the desk, as they are now; Unfold keeps answers.

        Its other search fails on a page that cannot be. Raises Http404 for one.
        """
        if "extended" in request.GET:
            return self._command(request)
        try:
            return super().search(request, extra_context)
        except (InvalidPage, ValueError) as error:
            raise Http404 from error

    def _command(self, request: HttpRequest) -> HttpResponse:
        """The list below the field of the command palette; empty as long as nothing is typed."""
        typed = request.GET.get("s", "").strip()
        if not typed:
            return HttpResponse()
        found = suggestions(request.user, typed)
        pages = self._search_apps(self.get_app_list(request), typed.lower())[:PAGES_SUGGESTED]
        context = {"found": found, "pages": pages}
        return TemplateResponse(request, "admin/desk/command_results.html", context, headers={"HX-Trigger": "search"})
