"""The admin site: Unfold's, with pages that keep their address when a model is renamed."""

from collections.abc import Callable
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.paginator import InvalidPage
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, include, path
from django.views import View
from unfold.sites import UnfoldAdminSite

from config.passwords import AskForLink, SetPassword, told_of_own_change
from contacts.permissions import id_of

#: The address Django derives from a model's name -> the address people have bookmarked.
ADDRESSES = {
    "cases/failedcase/": "cases/setaside/",
    "cases/sweeprun/": "cases/pulse/",
    "escalations/slatarget/": "escalations/promise/",
}


class DeskAdminSite(UnfoldAdminSite):
    """Unfold's site with the addresses above."""

    def get_urls(self) -> list[URLPattern | URLResolver]:
        own = [
            path("r/<path:content_type_id>/<path:object_id>/", self.admin_view(self.row_view)),
            path("password/forgotten/", self._public(AskForLink), name="admin_password_reset"),
            path("password/<uidb64>/<token>/", self._public(SetPassword), name="password_reset_confirm"),
        ]
        return [
            path(ADDRESSES[str(url.pattern)], include(url.url_patterns)) if str(url.pattern) in ADDRESSES else url
            for url in [*own, *super().get_urls()]
        ]

    def _public(self, page: type[View]) -> Callable[..., HttpResponseBase]:
        """A page for people who are not signed in, in the looks of the admin."""

        def view(request: HttpRequest, **arguments: str) -> HttpResponseBase:
            looks = {**self.each_context(request), **getattr(page, "extra_context", {})}
            return page.as_view(extra_context=looks)(request, **arguments)

        return view

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
        """Unfold's search, which fails on a page that cannot be. Raises Http404 for one."""
        try:
            return super().search(request, extra_context)
        except (InvalidPage, ValueError) as error:
            raise Http404 from error
