"""The reports of a mail service that django-anymail speaks to: its address, and what is done with them (M1, M2).

There is one only with `EMAIL_URL=anymail://...` and ANYMAIL_WEBHOOK_SECRET; the service calls
`/mail-service/<its name>/tracking/` with that secret.
"""

from __future__ import annotations

import importlib
from typing import Any

from django.conf import settings
from django.urls import URLPattern
from django.utils import timezone

from cases.mail.service import OUR_ID, take_report


def receive(sender: Any, event: Any, esp_name: str, **kwargs: Any) -> None:
    """Record one report (a receiver of anymail's signal `tracking`)."""
    message_id = str((event.metadata or {}).get(OUR_ID) or event.message_id or "")
    why = event.mta_response or event.description or event.reject_reason or ""
    take_report(event.event_type, message_id, event.recipient or "", str(why), timezone.now())


def report_urls(service: str, secret: str) -> list[URLPattern]:
    """The address to which a service reports; none without a secret."""
    if not (service and secret):
        return []
    signals, urls = importlib.import_module("anymail.signals"), importlib.import_module("anymail.urls")
    signals.tracking.connect(receive, dispatch_uid="desk")
    return [one for one in urls.urlpatterns if one.name == f"{service}_tracking_webhook"]


urlpatterns = report_urls(settings.MAIL_SERVICE, settings.ANYMAIL.get("WEBHOOK_SECRET", ""))
