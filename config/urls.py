"""The addresses of the desk: it is its admin. The probes are answered in `config.health`."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import path
from django.views.generic import RedirectView


def favicon(request: HttpRequest) -> HttpResponse:
    """Where browsers look for the icon by themselves; the name of the file carries its hash in production."""
    return redirect(static("desk/favicon.svg"))


urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("favicon.ico", favicon),
    path("admin/", admin.site.urls),
]
