"""Who needs a second factor to sign in, and what becomes of the sessions of those who have none (A3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from contacts.entrances import Entrance, entrance_of
from contacts.enums import MANAGEMENT_ROLES
from contacts.models import User
from contacts.sign_ins import keep_failed_sign_in

#: Under this a session keeps whose second factor it has seen: no page asks the database for it.
SEEN_OF = "second_factor_of"
#: What somebody may open who has yet to set up theirs.
SET_UP = "/admin/account/"
OPEN = (SET_UP, "/admin/login/", "/admin/logout/", "/admin/password/")
NEEDED = "Your role needs a second factor to sign in. Add an authenticator app or a passkey; then the desk opens."


def needs_second_factor(user: User) -> bool:
    """Whether somebody must sign in with a second factor, by the setting `DESK_SECOND_FACTOR`."""
    if settings.DESK_SECOND_FACTOR == "everybody":
        return True
    return settings.DESK_SECOND_FACTOR == "managers" and (user.is_superuser or user.role in MANAGEMENT_ROLES)


def take_note(sender: Any, request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    """A second factor was used or added in this session."""
    if authenticator.type != Authenticator.Type.RECOVERY_CODES or kwargs.get("reauthenticated") is False:
        request.session[SEEN_OF] = user.pk


def forget(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """One was taken away; without another one this session has seen none."""
    if not factors_of(user).exists():
        request.session.pop(SEEN_OF, None)


def keep_failed_factor(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """A wrong second factor is a failed sign-in."""
    keep_failed_sign_in({User.USERNAME_FIELD: user.get_username()}, request)


def factors_of(user: User) -> Any:
    """What somebody signs in with besides their password; recovery codes alone are none."""
    return Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES)


def reset(user: User) -> None:
    """Take away every second factor and recovery code of somebody, and end their sessions."""
    with transaction.atomic():
        Authenticator.objects.filter(user=user).delete()
        for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
            if session.get_decoded().get("_auth_user_id") == str(user.pk):
                session.delete()


class SecondFactorMiddleware:
    """Leads whoever needs a second factor and has shown none to where it is set up, and nowhere else (A3)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if (
            settings.DESK_SECOND_FACTOR != "off"
            and entrance_of(request) is Entrance.STAFF
            and not request.path_info.startswith(OPEN)
            and isinstance(request.user, User)
            and needs_second_factor(request.user)
            and request.session.get(SEEN_OF) != request.user.pk
        ):
            messages.warning(request, NEEDED)
            return HttpResponseRedirect(reverse("mfa_index"))
        return self.get_response(request)
