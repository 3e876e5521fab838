"""Signing in: failed tries are logged and kept, and a session that nobody uses ends."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from contacts.models import Contact, FailedSignIn, SignInCode, User

log = logging.getLogger(__name__)

#: A session is written again no more often than this.
RENEW_EVERY = timedelta(minutes=10)
KEPT_FOR = timedelta(days=90)
RENEWED_AT = "renewed_at"
STARTED_AT = "started_at"


def keep_failed_sign_in(credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    """Log and keep a failed try: who, from where. A name that nobody has may be a password, so it is not kept."""
    name = str(credentials.get(User.USERNAME_FIELD, ""))
    user = User.objects.filter(username=name).first()
    row = FailedSignIn.objects.create(user=user, address=client_address(request), at=timezone.now())
    log.warning("%s", row)


def keep_failed_on_support_page(request: HttpRequest, contact: Contact | None) -> None:
    """Log and keep a failed try of a customer; what was typed is not kept (P1)."""
    row = FailedSignIn.objects.create(
        contact=contact, on_support_page=True, address=client_address(request), at=timezone.now()
    )
    log.warning("%s", row)


def client_address(request: HttpRequest | None) -> str:
    """Where a request comes from; in production the proxy says so last."""
    if request is None:
        return ""
    said = request.headers.get("X-Forwarded-For", "") if settings.PRODUCTION else ""
    return (said.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", ""))[:45]


def failed_within(span: timedelta, now: datetime) -> int:
    """How many tries have failed lately."""
    return FailedSignIn.objects.filter(at__gt=now - span).count()


def forget_old_tries() -> None:
    """Delete failed tries, and codes of the support page, that are of no use any more."""
    before = timezone.now() - KEPT_FOR
    FailedSignIn.objects.filter(at__lt=before).delete()
    SignInCode.objects.filter(asked_at__lt=before).delete()


def start_session(request: HttpRequest, **kwargs: Any) -> None:
    """A session is in use from the sign-in on."""
    request.session[STARTED_AT] = request.session[RENEWED_AT] = timezone.now().timestamp()


class SessionEndMiddleware:
    """Ends a session `SESSION_COOKIE_AGE` seconds after its last use, `DESK_SESSION_ENDS_AFTER_DAYS` in any case."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        now = timezone.now().timestamp()
        if now - request.session.get(STARTED_AT, now) > settings.DESK_SESSION_ENDS_AFTER_DAYS * 86_400:
            request.session.flush()
        response = self.get_response(request)
        # A page that asks by itself is not somebody who works.
        is_old = now - request.session.get(RENEWED_AT, 0) > RENEW_EVERY.total_seconds()
        if is_old and not request.session.is_empty() and "X-Desk-Poll" not in request.headers:
            request.session[RENEWED_AT] = now
            request.session.setdefault(STARTED_AT, now)
        return response
