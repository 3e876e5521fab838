"""How staff sign in (A3): a password and, where it is set up, a second factor; or a passkey alone.

django-allauth leads through the steps and counts the tries; a wrong second factor is kept like a wrong password. Its
mail is ours (M1): whoever adds or removes a second factor is told through the outbox.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from allauth.core import ratelimit
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from unfold.forms import AuthenticationForm as ThemeSignInForm

from cases.mail.accounts import tell_of_second_factor
from contacts.models import User

#: What allauth says happened to an account -> how we say it.
CHANGES = {
    "mfa/email/totp_activated": "An authenticator app was added",
    "mfa/email/totp_deactivated": "The authenticator app was removed",
    "mfa/email/webauthn_added": "A passkey or security key was added",
    "mfa/email/webauthn_removed": "A passkey or security key was removed",
    "socialaccount/email/account_connected": "The account of your company was joined to it, and signs you in",
    "mfa/email/recovery_codes_generated": "New recovery codes were made; the former ones are of no use any more",
}


class StaffSignInForm(ThemeSignInForm):
    """Name and password, whose tries are limited by name and by where they come from."""

    error_messages = {
        **ThemeSignInForm.error_messages,
        "limited": "This was tried too often. Wait five minutes, and try again.",
    }

    def clean(self) -> dict[str, Any]:
        name, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if name and password:
            self.user_cache = get_adapter().authenticate(self.request, username=name, password=password)
            if self.user_cache is None:
                raise self.get_invalid_login_error()
            self.confirm_login_allowed(self.user_cache)
        return self.cleaned_data


class StaffSignIn(LoginView):
    """The sign-in page; the second factor, if there is one, comes after it."""

    authentication_form = StaffSignInForm

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        refused = ratelimit.consume_or_429(request, action="login")
        return refused or super().post(request, *args, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user = form.get_user()
        login = Login(user=user, redirect_url=self.get_success_url())
        return perform_password_login(self.request, {"username": user.get_username()}, login)


class StaffAccounts(DefaultAccountAdapter):
    """What allauth asks about accounts: they are those of staff, and nobody signs up."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "too_many_login_attempts": StaffSignInForm.error_messages["limited"]
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """Let nobody in who left or is only written to, with a passkey either (D9)."""
        if user.is_active and user.is_staff:
            return None
        return self.respond_user_inactive(request, user)

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        messages.error(request, "This account cannot sign in.")
        return HttpResponseRedirect(reverse("admin:login"))

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        return reverse("admin:login")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Raises NotImplementedError: all mail goes through the outbox (M1), and nothing here needs any."""
        raise NotImplementedError(template_prefix)

    def send_notification_mail(self, template_prefix: str, user: User, *args: Any, **kwargs: Any) -> None:
        """Tell somebody that a second factor of theirs was changed, through the outbox (A3, M1)."""
        tell_of_second_factor(user, CHANGES[template_prefix], None, timezone.now())


class StaffFactors(DefaultMFAAdapter):
    """What allauth asks about second factors. Their secrets are kept encrypted with the secret key."""

    def encrypt(self, text: str) -> str:
        return _locks().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _locks().decrypt(encrypted_text.encode()).decode()

    def generate_authenticator_name(self, user: User, type: Any) -> str:
        return ""

    def _get_user_identifier(self, user: User) -> str:
        return user.username

    def _get_site_name(self) -> str:
        return "Support Desk"


class NewKeyForm(AddWebAuthnForm):
    """A new key, which signs its owner in without a password unless the box is unticked."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"passwordless": True} | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        self.fields["passwordless"].label = "Signs me in without a password"
        self.fields["passwordless"].help_text = "The device then asks for your fingerprint, face or PIN."
        self.fields["name"].help_text = "What you call the device."

    def clean_name(self) -> str:
        return str(self.cleaned_data["name"]) or "My key"


def _locks() -> MultiFernet:
    """The secret key and former ones, in the shape that the encryption takes."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    digests = (hashlib.sha256(f"config.sign_in.factors:{key}".encode()).digest() for key in keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])


def sign_in_page(request: HttpRequest, looks: dict[str, Any]) -> HttpResponseBase:
    """The sign-in page in the looks of the admin."""
    context = looks | {"company": _company_sign_in(request)}
    return StaffSignIn.as_view(extra_context=context, template_name="admin/login.html")(request)


def _company_sign_in(request: HttpRequest) -> dict[str, str] | None:
    """Where one signs in with the account of the company, and what it is called; None where that is not set up."""
    if not settings.OIDC_URL:
        return None
    address = reverse("openid_connect_login", args=["staff"])
    wanted = request.GET.get("next", "")
    return {"name": settings.OIDC_NAME, "url": f"{address}?{urlencode({'next': wanted})}" if wanted else address}
