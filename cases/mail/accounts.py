"""The letters about the accounts of staff: a link that sets a password, and word of a password that was set (A3)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from cases.mail.letters import Letter, post
from cases.models import Mail
from contacts.directory import addressee
from contacts.models import User

#: Whoever asks again so soon finds the link in the mail that is on its way.
ONE_LINK_WITHIN = timedelta(minutes=10)


def send_password_link(user: User, now: datetime, why: str) -> bool:
    """Mail somebody a link that sets their password; `why` ends “You get this because”. False if one is on its way.

    Whoever cannot sign in at all, or has no address, gets none.
    """
    recent = Mail.objects.filter(
        template="password_link", key__startswith=f"password:{user.pk}:", queued_at__gt=now - ONE_LINK_WITHIN
    )
    if not (user.is_active and user.is_staff and user.email) or recent.exists():
        return False
    uid, token = urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)
    what = {
        "username": user.username,
        "url": settings.SITE_URL + reverse("admin:password_reset_confirm", args=[uid, token]),
        "hours": settings.PASSWORD_RESET_TIMEOUT // 3600,
        "why": why,
        "expected": "Open the link and choose a password. If you did not ask for it, do nothing.",
        "next": "The link works once; without it nothing changes.",
    }
    post([Letter(f"password:{user.pk}:{now.isoformat()}", "password_link", addressee(user), what)], now)
    return True


def tell_of_second_factor(user: User, change: str, by: User | None, now: datetime) -> None:
    """Mail somebody that what they sign in with besides the password was changed, and by whom; None for themselves."""
    if not user.email:
        return
    what = {
        "username": user.username,
        "change": change,
        "by": str(by) if by is not None and by != user else "",
        "why": "it is your account",
        "expected": "Nothing if you know of it. Otherwise tell an administrator of the desk at once.",
        "next": "From now on you sign in accordingly.",
    }
    post([Letter(f"second-factor:{user.pk}:{now.isoformat()}", "second_factor_changed", addressee(user), what)], now)


def tell_of_new_password(user: User, by: User | None, now: datetime) -> None:
    """Mail somebody that their password was changed, and by whom; None for themselves."""
    if not user.email:
        return
    what = {
        "username": user.username,
        "by": str(by) if by is not None and by != user else "",
        "why": "it is your account",
        "expected": "Nothing if you know of it. Otherwise tell an administrator of the desk at once.",
        "next": "Whoever was signed in with the former password is signed out.",
    }
    post([Letter(f"new-password:{user.pk}:{now.isoformat()}", "password_changed", addressee(user), what)], now)
