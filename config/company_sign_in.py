"""Staff sign in with the account of their company (OpenID Connect), where `OIDC_URL` names its server (A3).

Such an account opens the desk to whom it belongs here already, by its proven address; it makes nobody one of the staff.
Imported only where the extra `oidc` is installed and set up.
"""

from __future__ import annotations

import logging
from typing import Any

import requests
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.openid_connect.views import login
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from contacts.models import User
from contacts.second_factor import SEEN_OF
from contacts.sign_ins import keep_failed_sign_in

log = logging.getLogger(__name__)

FAILED = "Signing in with {name} did not work. Try again, or sign in with your password."
UNPROVEN = "{name} does not say that your address is proven. Ask an administrator, or sign in with your password."
NOBODY = "Nobody at this desk has the address {address}. Ask a Support Manager to add you with it."


class CompanyAccounts(DefaultSocialAccountAdapter):
    """What allauth asks about accounts of another server: they are joined to those of staff, and nobody signs up."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Join an account that comes for the first time to its owner, whom allauth then signs in.

        Whoever is known by it stays its owner, whatever address it has later.
        """
        if sociallogin.state.get("process") != AuthProcess.LOGIN:
            raise _refused(request, FAILED)
        if sociallogin.is_existing:
            return
        address = _proven_address(sociallogin)
        if not address:
            raise _refused(request, UNPROVEN)
        owners = User.objects.filter(email__iexact=address, is_active=True, is_staff=True)[:2]
        if len(owners) != 1:
            raise _refused(request, NOBODY, address)
        sociallogin.connect(request, owners[0])

    def on_authentication_error(self, request: HttpRequest, provider: Any, **kwargs: Any) -> None:
        """The other server refused, did not answer, or somebody gave up."""
        raise _refused(request, FAILED)


def start(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Lead to the company's server; back to the sign-in page with a sentence if it does not answer."""
    try:
        return login(request, provider_id)
    except (requests.RequestException, ValueError, KeyError):  # away, or what answers is no such server
        log.warning("The server of OIDC_URL cannot be asked.", exc_info=True)
        return _refused(request, FAILED).response


def _proven_address(sociallogin: SocialLogin) -> str:
    """The address that the other server has proven, or is trusted to have; "" for none."""
    trusted = settings.OIDC_TRUST_EMAIL
    return next((one.email for one in sociallogin.email_addresses if one.verified or trusted), "")


def _refused(request: HttpRequest, why: str, address: str = "") -> ImmediateHttpResponse:
    """Back to the sign-in page with a sentence; the try is kept like a wrong password."""
    keep_failed_sign_in({}, request)
    messages.error(request, why.format(name=settings.OIDC_NAME, address=address))
    return ImmediateHttpResponse(HttpResponseRedirect(reverse("admin:login")))


def note_second_factor(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """The company's sign-in has asked for a second factor itself, where `OIDC_SECOND_FACTOR` says that it does."""
    if settings.OIDC_SECOND_FACTOR and "sociallogin" in kwargs:
        request.session[SEEN_OF] = user.pk
