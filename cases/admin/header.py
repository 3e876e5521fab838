"""The header of a case: what it shows, on the case's page and on every page about it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.urls import reverse

from cases.actions import buttons_of
from cases.models import Case
from cases.workflow import transitions
from contacts.enums import Right
from contacts.permissions import has_right, signed_in_user


def case_context(request: HttpRequest, case: Case, now: datetime) -> dict[str, Any]:
    """What the header of a case shows, on its page and on every page about it."""
    may_work = has_right(request, Right.WORK_CASES)
    buttons = buttons_of(request, case, now)
    return {
        "case": case,
        "now": now,
        # in words already: a template would turn a moment back into the reader's own zone
        "local_now": f"{now.astimezone(ZoneInfo(case.company.time_zone)):%a %H:%M}",
        "buttons": buttons,
        "can_reopen": any(button.slug == "reopen" for button in buttons),
        "may_work": may_work,
        "is_watching": case.watchers.filter(user=signed_in_user(request)).exists(),
        "linked_url": _linked_url(case)
        if may_work and not case.is_open and not transitions.can_reopen(case, now)
        else "",
    }


def _linked_url(case: Case) -> str:
    return f"{reverse('admin:cases_case_add')}?{urlencode({'linked_to': case.pk})}"
