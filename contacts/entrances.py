"""The two entrances of the desk: the admin for staff, and the support page for customers (P1).

Each has a session cookie of its own, so that no session opens anything of the other one, and one browser may hold both.
With `SUPPORT_HOST` the support page answers at that host name only, and nothing else does there.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from http.cookies import Morsel

from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.request import split_domain_port

#: Where the support page lives, on whatever host.
SUPPORT_PATH = "/support/"
SUPPORT_COOKIE = "support_session"
#: What a browser asks for on its own, at either host.
OF_BOTH = ("/favicon.ico",)


class Entrance(Enum):
    STAFF = "staff"
    SUPPORT = "support"


def entrance_of(request: HttpRequest) -> Entrance:
    """Through which entrance a request comes."""
    path = request.path_info
    return Entrance.SUPPORT if path.startswith(SUPPORT_PATH) or path == SUPPORT_PATH[:-1] else Entrance.STAFF


class EntranceMiddleware:
    """Says to the templates which entrance it is, and keeps the entrances on their own hosts."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.is_support_page = entrance_of(request) is Entrance.SUPPORT  # type: ignore[attr-defined]
        if settings.SUPPORT_HOST and _at_support_host(request) and request.path_info == "/":
            return HttpResponseRedirect(SUPPORT_PATH)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: object) -> None:
        """Raises Http404 for a page of the other entrance's host, as if it did not exist (A3)."""
        if not settings.SUPPORT_HOST or request.path_info in OF_BOTH:
            return
        if _at_support_host(request) != (entrance_of(request) is Entrance.SUPPORT):
            raise Http404


def _at_support_host(request: HttpRequest) -> bool:
    return split_domain_port(request.get_host())[0] == settings.SUPPORT_HOST


class EntranceSessionMiddleware(SessionMiddleware):
    """Django's sessions, with another cookie on the support page, which the browser sends nowhere else."""

    def process_request(self, request: HttpRequest) -> None:
        if entrance_of(request) is Entrance.SUPPORT:
            cookies = {**request.COOKIES}
            cookies.pop(settings.SESSION_COOKIE_NAME, None)
            if SUPPORT_COOKIE in cookies:
                cookies[settings.SESSION_COOKIE_NAME] = cookies.pop(SUPPORT_COOKIE)
            request.COOKIES = cookies
        super().process_request(request)

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        answer = super().process_response(request, response)
        written: Morsel[str] | None = answer.cookies.get(settings.SESSION_COOKIE_NAME)
        if entrance_of(request) is Entrance.SUPPORT and written is not None:
            del answer.cookies[settings.SESSION_COOKIE_NAME]
            own: Morsel[str] = Morsel()
            own.update(written)
            own.set(SUPPORT_COOKIE, written.value, written.coded_value)
            own["path"] = SUPPORT_PATH
            answer.cookies[SUPPORT_COOKIE] = own
        return answer
