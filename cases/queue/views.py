"""The address at which telephone systems tell the desk of calls: `POST /calls/<system>/<secret>/` (Q1, Q5)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from cases.queue import twiml
from cases.queue.events import take_event
from cases.queue.generic import BadCall, read_push
from cases.queue.systems import TWIML, PhoneSystem, system_at

#: Steps of a call at a carrier that asks the desk.
STEPS = ("", "wait", "key", "left", "dialled")


@csrf_exempt  # no browser comes here: the secret of the address, and a carrier's signature, say who it is
@require_POST
def calls(request: HttpRequest, name: str, secret: str) -> HttpResponse:
    """Take what a telephone system tells, in any order and however often. 404 for a wrong secret as for no system, 400
    for what cannot be read, 422 for what is no event of a call, each with a sentence; 403 for a wrong signature.
    """
    system = system_at(name, secret)
    if system is None:
        return _refused("There is no such telephone system, or the secret in the address is not its.", 404)
    try:
        fields = _fields(request)
    except ValueError:
        return _refused("Send a form or a JSON object.", 400)
    try:
        return _steered(request, system, fields) if system.kind == TWIML else _pushed(system, fields)
    except BadCall as bad:
        return _refused(str(bad), 422)


def _pushed(system: PhoneSystem, fields: Mapping[str, Any]) -> HttpResponse:
    told = read_push(system.name, fields)
    entry = take_event(told, timezone.now()) if told is not None else None
    return JsonResponse({"kept": told is not None, "state": entry.state if entry is not None else None})


def _steered(request: HttpRequest, system: PhoneSystem, fields: Mapping[str, Any]) -> HttpResponse:
    path = request.get_full_path()
    texts = {str(name): str(value) for name, value in fields.items()}
    signature = request.headers.get("X-Twilio-Signature", "")
    if system.token and not twiml.is_signed(system.token, settings.SITE_URL + path, texts, signature):
        return _refused("The signature of this request is not that of the carrier.", 403)
    step = request.GET.get("step", "")
    if step not in STEPS:
        return _refused("There is no such step of a call.", 422)

    def address(step: str) -> str:
        return f"{settings.SITE_URL}{request.path}?{urlencode({'step': step})}"

    document = twiml.answer(system.name, step, texts, address, timezone.now())
    return HttpResponse(document, content_type="text/xml; charset=utf-8")


def _fields(request: HttpRequest) -> Mapping[str, Any]:
    """Raises ValueError for what is neither a form nor a JSON object."""
    if request.content_type != "application/json":
        return {name: request.POST[name] for name in request.POST}
    fields = json.loads(request.body)
    if not isinstance(fields, dict):
        raise ValueError("no object")
    return fields


def _refused(sentence: str, status: int) -> HttpResponse:
    return JsonResponse({"error": sentence}, status=status)
