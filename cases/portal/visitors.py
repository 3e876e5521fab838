"""Who is on the support page (P1, P7): the contact of the session, asked of the database at each request.

A session of the support page knows the address that was proved and which contact of it is meant; it knows no user. So
whoever leaves, or whose address becomes somebody else's, is out at the next request.
"""

from __future__ import annotations

import logging
import zoneinfo
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, cast

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.middleware.csrf import rotate_token
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from contacts.entrances import SUPPORT_PATH, Entrance, entrance_of
from contacts.models import Contact
from contacts.sign_ins import client_address, start_session

log = logging.getLogger(__name__)

#: Under these a session of the support page keeps whose it is.
PROVED_ADDRESS, CONTACT = "support_address", "support_contact"
#: Under this a stranger's session keeps the language that they chose (P7).
LANGUAGE = "support_language"

P = ParamSpec("P")


class CustomerRequest(HttpRequest):
    """A request behind `contact_required`: the contact is there, with the company."""

    contact: Contact


def let_in(request: HttpRequest, contact: Contact, how: str) -> None:
    """Sign a contact in, in a session that nobody could have known before (P1)."""
    request.session.cycle_key()
    request.session[PROVED_ADDRESS] = contact.email.lower()
    request.session[CONTACT] = contact.pk
    start_session(request)
    rotate_token(request)
    log.info("%s (contact %s) signed in with a %s from %s", contact, contact.pk, how, client_address(request))


def let_out(request: HttpRequest) -> None:
    """End the session."""
    request.session.flush()


def contact_of(request: HttpRequest) -> Contact | None:
    """The contact of the session, if the support page still lets them in (P1, D9); else the session ends."""
    key, address = request.session.get(CONTACT), request.session.get(PROVED_ADDRESS, "")
    if key is None:
        return None
    contact = Contact.objects.may_sign_in().at_address(address).filter(pk=key).first()
    if contact is None:
        let_out(request)
    return contact


def same_address_elsewhere(contact: Contact) -> list[Contact]:
    """The same address at other companies."""
    return list(
        Contact.objects.may_sign_in().at_address(contact.email).exclude(pk=contact.pk).order_by("company__name")
    )


def contact_required(
    view: Callable[Concatenate[CustomerRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Show the page to contacts who are signed in, in `request.contact`; others sign in first and come back to it."""

    def page(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if getattr(request, "contact", None) is None:
            return _to_sign_in(request)
        return view(cast(CustomerRequest, request), *args, **kwargs)

    update_wrapper(page, view)
    return page


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    back = request.get_full_path() if request.method == "GET" else reverse("support:home")
    address = with_way_back(reverse("support:sign_in"), back)
    if request.headers.get("HX-Request"):  # a part of a page: the whole page goes
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def way_back(request: HttpRequest) -> str:
    """The page of the support page that somebody came for; its first page for anything else."""
    asked = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME, "")
    here = url_has_allowed_host_and_scheme(asked, allowed_hosts=None)
    return asked if here and asked.startswith(SUPPORT_PATH) else reverse("support:home")


def with_way_back(address: str, back: str) -> str:
    """The address of a page of the sign-in that goes on to `back`."""
    return f"{address}?{urlencode({REDIRECT_FIELD_NAME: back})}" if back != reverse("support:home") else address


class SupportPageMiddleware:
    """Puts the contact on each request of the support page, and shows it in their language and time zone (P7)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if entrance_of(request) is not Entrance.SUPPORT:
            return self.get_response(request)
        contact = contact_of(request)
        request.contact = contact  # type: ignore[attr-defined]
        zone = contact.company.time_zone if contact else "UTC"
        language = language_of(request, contact)
        with timezone.override(zoneinfo.ZoneInfo(zone)), translation.override(language):
            answer = self.get_response(request)
        answer.headers.setdefault("Content-Language", language)
        patch_cache_control(answer, private=True, no_store=True)
        return answer


def language_of(request: HttpRequest, contact: Contact | None) -> str:
    """The contact's language; a stranger's is the one they chose on this page, else their browser's."""
    if contact is not None:
        return contact.reads
    asked, known = request.GET.get("language", ""), dict(settings.LANGUAGES)
    if asked in known:
        request.session[LANGUAGE] = asked
    chosen: Any = request.session.get(LANGUAGE) or translation.get_language_from_request(request)[:2]
    return chosen if chosen in known else settings.LANGUAGE_CODE
