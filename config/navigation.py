"""The sidebar: only the pages that the signed-in person may open (A1). Counters would be queries on every page."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst

from cases.admin.mail import may_preview
from cases.models import Case, QueueEntry
from escalations.board.pages import may_watch
from escalations.models import ReportCase

#: Group -> (icon, model) of each list, which has the model's own name here, on its page and in links; icons are
#: Material Symbols, which come with django-unfold.
GROUPS: dict[str, list[tuple[str, str]]] = {
    "Cases": [
        ("confirmation_number", "cases.case"),
        ("inbox", "cases.receivedmail"),
        ("call", "cases.queueentry"),
        ("mail", "cases.mail"),
        ("do_not_disturb_on", "cases.refusal"),
        ("request_quote", "cases.contractquestion"),
        ("sync_alt", "escalations.handoversheet"),
    ],
    "Directory": [
        ("apartment", "contacts.company"),
        ("contacts", "contacts.contact"),
        ("badge", "contacts.user"),
        ("engineering", "contacts.technician"),
        ("public", "contacts.supportcentre"),
        ("supervisor_account", "contacts.roleholder"),
        ("dialpad", "contacts.supportline"),
    ],
    "Escalation": [
        ("campaign", "escalations.escalationrequest"),
        ("notification_important", "escalations.escalation"),
        ("alarm_on", "escalations.slatarget"),
        ("live_help", "escalations.question"),
        ("table_chart", "escalations.scheduleversion"),
    ],
    "Engine": [
        ("monitor_heart", "cases.sweeprun"),
        ("report", "cases.failedcase"),
        ("power_off", "cases.outage"),
        ("lock_person", "contacts.failedsignin"),
    ],
}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups of the sidebar; a group without a page that this person may open is left out."""
    index = reverse("admin:index")
    desk: dict[str, Any] = {"title": "My desk", "icon": "home", "link": index, "active": request.path == index}
    groups: list[dict[str, Any]] = [
        {
            "title": "Desk",
            "items": [
                desk,
                *_live_board(request),
                *_phone_queue(request),
                *_open_a_case(request),
                *_reports(request),
            ],
        }
    ]
    pages = _pages(request)
    for title, entries in GROUPS.items():
        items = [
            {"title": name_of(model), "icon": icon, "link": pages[model], "active": _is_at(request, pages[model])}
            for icon, model in entries
            if model in pages
        ]
        items += _message_previews(request) if title == "Engine" else []
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups


def name_of(model: str) -> str:
    """What the list of a model is called: “Schedule versions” for “escalations.scheduleversion”."""
    return str(capfirst(apps.get_model(model)._meta.verbose_name_plural))


def _pages(request: HttpRequest) -> dict[str, str]:
    """The addresses of the lists that this person may open, by “app.model”."""
    return {
        model._meta.label_lower: reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model, page in admin.site._registry.items()
        if page.has_view_permission(request)
    }


def _live_board(request: HttpRequest) -> list[dict[str, Any]]:
    if not may_watch(request):
        return []
    link = reverse("admin:board")
    return [{"title": "Live board", "icon": "monitoring", "link": link, "active": request.path.startswith(link)}]


def _phone_queue(request: HttpRequest) -> list[dict[str, Any]]:
    if not admin.site.get_model_admin(QueueEntry).has_view_permission(request):
        return []
    link = reverse("admin:cases_queueentry_board")
    return [{"title": "Phone queue", "icon": "phone_in_talk", "link": link, "active": request.path.startswith(link)}]


def _open_a_case(request: HttpRequest) -> list[dict[str, Any]]:
    if not admin.site.get_model_admin(Case).has_add_permission(request):
        return []
    link = reverse("admin:cases_case_add")
    return [{"title": "Open a case", "icon": "add_circle", "link": link, "active": request.path == link}]


def _reports(request: HttpRequest) -> list[dict[str, Any]]:
    if not admin.site.get_model_admin(ReportCase).has_view_permission(request):
        return []
    link = reverse("admin:escalations_reportcase_changelist")
    return [{"title": "Reports", "icon": "bar_chart", "link": link, "active": request.path.startswith(link)}]


def _message_previews(request: HttpRequest) -> list[dict[str, Any]]:
    if not may_preview(request):
        return []
    link = reverse("admin:cases_mail_previews")
    return [{"title": "Message previews", "icon": "preview", "link": link, "active": request.path.startswith(link)}]


def _is_at(request: HttpRequest, link: str) -> bool:
    """Whether the page lies under the link; “Open a case”, the board and the previews have entries of their own."""
    if not request.path.startswith(link):
        return False
    names = ("cases_case_add", "cases_mail_previews", "cases_queueentry_board")
    return not request.path.startswith(tuple(reverse(f"admin:{name}") for name in names))
