"""What browsers are told besides the page: where scripts may come from, and what the desk never needs (P1, S4)."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template

from contacts.entrances import Entrance, entrance_of

#: What no page of the desk uses. Passkeys are asked for by the page itself only.
PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in (
        *("accelerometer", "autoplay", "bluetooth", "camera", "display-capture", "geolocation", "gyroscope", "hid"),
        *("idle-detection", "magnetometer", "microphone", "midi", "payment", "serial", "usb", "xr-spatial-tracking"),
    )
)
EVERYWHERE = {
    "default-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "img-src": "'self' data:",
}


class HeadersMiddleware:
    """Adds the policies of the entrance to every answer that has none of its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        policy = support_policy() if entrance_of(request) is Entrance.SUPPORT else staff_policy()
        answer.headers.setdefault("Content-Security-Policy", policy)
        answer.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return answer


@cache
def support_policy() -> str:
    """Nothing inline; but for the style of the pages that say what went wrong, which need no other file."""
    return _written({**EVERYWHERE, "script-src": "'self'", "style-src": f"'self' {_hash_of_standalone_style()}"})


@cache
def staff_policy() -> str:
    """As strict as django-unfold allows: Alpine evaluates its attributes, and the theme writes styles into pages."""
    return _written({**EVERYWHERE, "script-src": "'self' 'unsafe-eval'", "style-src": "'self' 'unsafe-inline'"})


def _written(policy: dict[str, str]) -> str:
    return "; ".join(f"{name} {sources}" for name, sources in policy.items())


def _hash_of_standalone_style() -> str:
    source = get_template("standalone.html").template.source  # type: ignore[attr-defined]
    style = re.search(r"<style>(.*?)</style>", source, re.DOTALL)
    digest = hashlib.sha256(style.group(1).encode() if style else b"").digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
