"""The sidebar: only the pages that the signed-in person may open (A1). Counters would be queries on every page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from cases.models import Case

#: Group -> (name, icon, model) of each list; icons are Material Symbols, which come with django-unfold.
GROUPS: dict[str, list[tuple[str, str, str]]] = {
    "Cases": [
        ("Cases", "confirmation_number", "cases.case"),
        ("Mail", "mail", "cases.mail"),
        ("Turned away", "do_not_disturb_on", "cases.refusal"),
        ("Contract questions", "request_quote", "cases.contractquestion"),
    ],
    "Directory": [
        ("Companies", "apartment", "contacts.company"),
        ("Contacts", "contacts", "contacts.contact"),
        ("Staff", "badge", "contacts.user"),
        ("Technicians", "engineering", "contacts.technician"),
        ("Support centres", "public", "contacts.supportcentre"),
        ("Management roles", "supervisor_account", "contacts.roleholder"),
        ("Support lines", "call", "contacts.supportline"),
    ],
    "Escalation": [
        ("Requests", "campaign", "escalations.escalationrequest"),
        ("Ledger", "notification_important", "escalations.escalation"),
        ("Promises", "alarm_on", "escalations.slatarget"),
        ("Questions", "live_help", "escalations.question"),
        ("Schedule", "table_chart", "escalations.scheduleversion"),
    ],
    "Engine": [
        ("Pulse", "monitor_heart", "cases.sweeprun"),
        ("Cases set aside", "report", "cases.failedcase"),
        ("Outages", "power_off", "cases.outage"),
        ("Failed sign-ins", "lock_person", "contacts.failedsignin"),
    ],
}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups of the sidebar; a group without a page that this person may open is left out."""
    index = reverse("admin:index")
    desk: dict[str, Any] = {"title": "My desk", "icon": "home", "link": index, "active": request.path == index}
    groups: list[dict[str, Any]] = [{"title": "Desk", "items": [desk, *_open_a_case(request)]}]
    pages = _pages(request)
    for title, entries in GROUPS.items():
        items = [
            {"title": name, "icon": icon, "link": pages[model], "active": _is_at(request, pages[model])}
            for name, icon, model in entries
            if model in pages
        ]
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups


def _pages(request: HttpRequest) -> dict[str, str]:
    """The addresses of the lists that this person may open, by “app.model”."""
    return {
        model._meta.label_lower: reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model, page in admin.site._registry.items()
        if page.has_view_permission(request)
    }


def _open_a_case(request: HttpRequest) -> list[dict[str, Any]]:
    if not admin.site.get_model_admin(Case).has_add_permission(request):
        return []
    link = reverse("admin:cases_case_add")
    return [{"title": "Open a case", "icon": "add_circle", "link": link, "active": request.path == link}]


def _is_at(request: HttpRequest, link: str) -> bool:
    """Whether the page lies under the link; “Open a case” has its own entry."""
    return request.path.startswith(link) and request.path != reverse("admin:cases_case_add")
