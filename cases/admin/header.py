"""The header of a case: what it shows, on the case's page and on every page about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.urls import reverse

from cases.actions import header_actions
from cases.composer import Composer, composer_of
from cases.models import Case
from cases.panels import watchers_of
from cases.workflow import transitions
from contacts.enums import Right
from contacts.pages import url_of_company
from contacts.permissions import has_right, signed_in_user

#: What the menus of the header offer, by slug.
STATUS_MENU = ("customer_responded", "ask_customer", "take_back", "resolve", "reopen")
OWNER_MENU = ("take_over", "hand_over")


def case_context(request: HttpRequest, case: Case, now: datetime) -> dict[str, Any]:
    """What the header of a case shows, on its page and on every page about it."""
    may_work = has_right(request, Right.WORK_CASES)
    composer = composer_of(request, case, now)
    reader = signed_in_user(request)
    return {
        "case": case,
        "now": now,
        # in words already: a template would turn a moment back into the reader's own zone
        "local_now": f"{now.astimezone(ZoneInfo(case.company.time_zone)):%a %H:%M}",
        "composer": composer,
        "start_choice": next(iter(_menu(composer, ("start_work",))), None),
        "status_menu": _menu(composer, STATUS_MENU),
        "owner_menu": _menu(composer, OWNER_MENU),
        "severity_choice": next(iter(_menu(composer, ("change_severity",))), None),
        "can_reopen": composer is not None and composer.offers("reopen"),
        "may_work": may_work,
        "is_watching": any(watcher.user_id == reader.pk for watcher in watchers_of(case)),
        "clicks": header_actions(request, case, now),
        "company_url": url_of_company(case.company_id),
        "linked_url": _linked_url(case)
        if may_work and not case.is_open and not transitions.can_reopen(case, now)
        else "",
    }


def _menu(composer: Composer | None, slugs: Sequence[str]) -> list[Any]:
    """The offered actions among these, in this order."""
    by_slug = {choice.action.slug: choice for choice in composer.all} if composer else {}
    return [by_slug[slug] for slug in slugs if slug in by_slug]


def _linked_url(case: Case) -> str:
    return f"{reverse('admin:cases_case_add')}?{urlencode({'linked_to': case.pk})}"
