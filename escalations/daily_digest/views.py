"""Where a reader of the daily digest switches it off from the mail, without signing in (W4, RFC 8058)."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from escalations.accounts.apply import switch_digest
from escalations.daily_digest.mail import reader_of_token
from escalations.switch_off import from_a_mail


@from_a_mail
def switch_off(request: HttpRequest, token: str) -> HttpResponse:
    """Show the button, or switch the digest off; again, it stays off. Raises Http404 for an address nobody signed."""
    reader = reader_of_token(token)
    if reader is None:
        raise Http404("There is no such address.")
    if request.method == "POST":
        switch_digest(reader, on=False)
    context = {"is_off": request.method == "POST" or not reader.daily_digest, "asks": request.method != "POST"}
    return TemplateResponse(request, "escalations/digest_off.html", context)
