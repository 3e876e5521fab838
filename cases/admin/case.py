"""The page of a case in the admin: opening a case and correcting its details. Buttons are in `cases.actions`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Field, Prefetch, Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from cases.actions import ACTIONS, SECOND_CLICK_WITHIN, Endpoint
from cases.admin.case_history import CaseHistory
from cases.admin.case_list import CaseList
from cases.admin.files import CaseFiles
from cases.admin.forms import (
    DETAILS_PAGE,
    HOW_OPENED,
    OPENING_PAGE,
    TO_ME,
    TO_OPEN_ALL_THE_SAME,
    DetailsForm,
    OpeningForm,
)
from cases.admin.header import case_context
from cases.admin.ownership import CaseOwnership
from cases.forms import text_area
from cases.models import Case, QueueEntry
from cases.panels import panel_row, panel_rows
from cases.policy.intake import DETAILS
from cases.previews import PreviewEndpoint
from cases.queue.apply import opened_from
from cases.search.words import TYPED_WORDS
from cases.timeline import filter_named, timeline_of
from cases.work_items import next_for, upcoming
from cases.workflow import opening, transitions
from contacts.enums import Right
from contacts.models import Company, Contact, User
from contacts.permissions import KnownRowsSelect, has_right, id_of, own_page, signed_in_user

CONTACTS_PER_ANSWER = 20

TEXT_AREA_ROWS = {detail.name: detail.rows for detail in DETAILS if detail.rows}


class ContactOfCompany(KnownRowsSelect):
    """Suggests contacts of the company that is chosen on the page."""

    def get_url(self) -> str:
        """`desk.js` adds the company."""
        return reverse("admin:cases_case_contacts")


@admin.register(Case)
class CaseAdmin(CaseFiles, CaseHistory, CaseOwnership, CaseList):
    """Cases: read by those who may, worked by technicians, deleted by nobody (A1)."""

    add_right = Right.WORK_CASES
    change_right = Right.WORK_CASES

    # the page
    change_form_template = "admin/cases/case/change_form.html"
    autocomplete_fields = ("company",)
    compressed_fields = True

    # --- the form ---

    def get_form(self, request: HttpRequest, obj: Case | None = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, form=DetailsForm if obj else OpeningForm, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Case | None = None) -> Any:
        return DETAILS_PAGE if obj else OPENING_PAGE

    def get_readonly_fields(self, request: HttpRequest, obj: Case | None = None) -> Sequence[str]:
        return HOW_OPENED if obj else ()

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """Text areas of a sensible height, and no buttons to add or change people from here."""
        if db_field.name in TEXT_AREA_ROWS:
            kwargs["widget"] = text_area(TEXT_AREA_ROWS[db_field.name])
        formfield = super().formfield_for_dbfield(db_field, request, **kwargs)
        for button in ("can_add_related", "can_change_related", "can_delete_related", "can_view_related"):
            if formfield is not None and hasattr(formfield.widget, button):
                setattr(formfield.widget, button, False)
        return formfield

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer only companies, contacts and cases that this person may see; contacts follow the company (A1)."""
        adding = request.resolver_match is not None and request.resolver_match.url_name == "cases_case_add"
        if db_field.name == "company":
            kwargs["queryset"] = Company.objects.visible_to(request.user)
        elif db_field.name == "linked_to":
            kwargs["queryset"] = Case.objects.visible_to(request.user)
            kwargs["widget"] = forms.HiddenInput()
        elif db_field.name == "contact" and adding:
            kwargs["queryset"] = Contact.objects.visible_to(request.user).select_related("company")
            kwargs["widget"] = ContactOfCompany(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Start a linked case from the one it continues (C4), and the case of a caller with who they are (Q4)."""
        entry = _call_of(request)
        if entry is not None:
            known = {"company": entry.company_id, "contact": entry.contact_id}
            return {"opened_by_channel": entry.kind_of_contact} | {name: key for name, key in known.items() if key}
        earlier = self.get_object(request, request.GET.get("linked_to", ""))
        if earlier is None:
            return {}
        same = {detail.name: getattr(earlier, detail.attname) for detail in DETAILS if detail.is_carried_over}
        return {"linked_to": earlier.pk, "company": earlier.company_id, **same}

    # --- the page ---

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Record whom the form has turned away (D3)."""
        form = context["adminform"].form
        if isinstance(form, OpeningForm) and form.turned_away is not None:
            about = form.cleaned_data["title"]
            opening.turn_away(form.turned_away, about, signed_in_user(request), timezone.now())
        return super().render_change_form(request, context, *args, **kwargs)

    def form_context(self, request: HttpRequest, row: Case | None) -> dict[str, Any]:
        """The case's header, its buttons, its timeline and its panels, which stand around the form."""
        context = {"show_save_and_continue": False, "show_save_and_add_another": False}
        if row is None:
            return context | {"title": "Open a case"}
        now = timezone.now()
        # a form that was refused is shown again
        shows_details = request.method == "POST" or request.GET.get("tab") == "details"
        return {
            **context,
            **case_context(request, row, now),
            "title": row.number,
            "subtitle": None,
            **_next_line(row, request, now),
            "shows_details": shows_details,
            "timeline": None
            if shows_details
            else timeline_of(row, _page_number(request, "older"), filter_named(request.GET.get("show", ""))),
            "rows": panel_rows(row, signed_in_user(request), now, request.GET.get("open", "")),
        }

    # --- saving: by the moves, which write the history (C5) ---

    def save_model(self, request: HttpRequest, obj: Case, form: Any, change: bool) -> None:
        """Open the case, or correct its details. The second of two clicks finds the case that the first one opened."""
        actor, now = signed_in_user(request), timezone.now()
        if change:
            if form.changes:
                transitions.edit_details(obj.pk, actor, now, changes=form.changes)
            messages.success(request, f"The details of {obj.number} are saved.")
        elif twin := _opened_just_now(obj, actor, now):
            obj.pk = twin.pk
            messages.info(request, f"You opened {obj.number} a moment ago with the very same words; here it is.")
        else:
            keep = form.cleaned_data["assign"] == TO_ME
            entry = _call_of(request)
            obj.called_at = entry.in_line_since if entry is not None else None
            with transaction.atomic():
                opening.open_case(obj, actor, now, keep=keep)
                if entry is not None:
                    opened_from(entry.pk, obj)
            whose = f"assigned to {obj.owner}" if obj.owner else "nobody could be found to own it: the manager is told"
            whose = "it is yours" if keep else whose
            messages.success(request, f"{obj.number} is open; {whose}.")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing: a case has no related rows in its form."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Nothing: the case has its own history, and two histories are one too many (C5)."""

    log_change = log_addition

    def response_add(self, request: HttpRequest, obj: Case, post_url_continue: str | None = None) -> HttpResponse:
        return redirect(obj)

    def response_change(self, request: HttpRequest, obj: Case) -> HttpResponse:
        return redirect(obj)

    # --- further addresses ---

    def get_urls(self) -> list[URLPattern]:
        protect = self.admin_site.admin_view
        signed_in = self.admin_site.has_permission

        def page(request: HttpRequest, case: Case, now: datetime) -> dict[str, Any]:
            return self.page_context(request) | case_context(request, case, now)

        endpoint, preview = Endpoint(self.get_object, page), PreviewEndpoint(self.get_object, page)

        def do(request: HttpRequest, object_id: int, name: str) -> HttpResponse:
            return endpoint(request, object_id, name)

        def show_preview(request: HttpRequest, object_id: int, name: str) -> HttpResponse:
            return preview(request, object_id, name)

        def do_or_sign_in(request: HttpRequest, object_id: int, name: str) -> HttpResponse:
            # Whoever was signed out while a dialog was open comes back to the case, where the page restores their text.
            if request.method == "POST" and not signed_in(request):
                return redirect_to_login(reverse("admin:cases_case_change", args=[object_id]), reverse("admin:login"))
            return protect(do)(request, object_id, name)

        def preview_or_nothing(request: HttpRequest, object_id: int, name: str) -> HttpResponse:
            # The block of a form whose reader was signed out stays as it is; a page to sign in does not belong there.
            if "HX-Request" in request.headers and not signed_in(request):
                return HttpResponse(status=401)
            return protect(show_preview)(request, object_id, name)

        return [
            path("<int:object_id>/do/<slug:name>/", do_or_sign_in, name="cases_case_do"),
            path("<int:object_id>/do/<slug:name>/preview/", preview_or_nothing, name="cases_case_preview"),
            *super().get_urls(),
        ]

    @own_page("<int:object_id>/panels/<slug:name>/", "panel")
    def panel_view(self, request: HttpRequest, object_id: int, name: str) -> HttpResponse:
        """A row of the side column, opened, for the script of the page; whoever opens the address gets the page."""
        case = self.get_object(request, str(object_id))
        if case is None:
            raise Http404("There is no such case.")
        if "HX-Request" not in request.headers:
            return redirect(f"{case.get_absolute_url()}?{urlencode({'open': name})}#panel-{name}")
        now = timezone.now()
        row = panel_row(name, case, signed_in_user(request), now)
        if row is None:
            raise Http404("The case has no such panel.")
        context = {"case": case, "now": now, "may_work": has_right(request, Right.WORK_CASES), "panel": row.panel}
        return TemplateResponse(request, "admin/cases/case/panel.html", context)

    @own_page("contacts/", "contacts")
    def contacts_view(self, request: HttpRequest) -> HttpResponse:
        """Contacts of the chosen company whose name or address contains every typed word; help desks first (D3)."""
        if not has_right(request, Right.WORK_CASES):
            raise PermissionDenied
        term, company = request.GET.get("term", "").strip(), id_of(request.GET.get("company", ""))
        help_desk = Prefetch("company__contacts", Contact.objects.help_desk(), to_attr="help_desk")
        there = Contact.objects.visible_to(request.user).filter(active=True, company__active=True)
        people = there.select_related("company").prefetch_related(help_desk)
        if company is not None:
            people = people.filter(company=company)
        for word in term.split()[:TYPED_WORDS]:
            people = people.filter(Q(name__icontains=word) | Q(email__icontains=word))
        start = (_page_number(request, "page", least=1) - 1) * CONTACTS_PER_ANSWER
        found = list(people.order_by("-is_help_desk", "name", "pk")[start : start + CONTACTS_PER_ANSWER + 1])
        return JsonResponse(
            {
                "results": [_suggestion(row) for row in found[:CONTACTS_PER_ANSWER]],
                "pagination": {"more": len(found) > CONTACTS_PER_ANSWER},
            }
        )


def _call_of(request: HttpRequest) -> QueueEntry | None:
    """The caller from whose page the opening of a case was asked for (Q4); a case can be opened of them once."""
    key = id_of(request.GET.get("call", ""))
    return None if key is None else QueueEntry.objects.visible_to(request.user).filter(pk=key, case=None).first()


def _page_number(request: HttpRequest, name: str, least: int = 0) -> int:
    number = request.GET.get(name, "")
    return max(int(number), least) if number.isascii() and number.isdigit() and len(number) < 6 else least


def _next_line(case: Case, request: HttpRequest, now: datetime) -> dict[str, Any]:
    """What is wanted next on the case, of whom and by when, the button that does it, and what comes by itself (W2)."""
    wanted = next_for(case, signed_in_user(request), now)
    action = ACTIONS.get(wanted.action) if wanted else None
    return {
        "wanted": wanted,
        "wanted_button": action if action is not None and has_right(request, action.right) else None,
        "wanted_presses": wanted is not None and wanted.is_pressing(now),
        "wanted_is_overdue": wanted is not None and wanted.is_overdue(now),
        "upcoming": upcoming(case, now),
    }


def _suggestion(contact: Contact) -> dict[str, Any]:
    """A contact with their company, and whom to point them to if they may not open a case (D3)."""
    desk = "help desk" if contact.is_help_desk else "not the help desk"
    refusal = "" if contact.is_help_desk else opening.turn_away_sentence(contact, contact.company.help_desk)  # type: ignore[attr-defined]
    return {
        "id": str(contact.pk),
        "text": f"{contact.name} ({contact.company.name}, {desk})",
        "company": {"id": str(contact.company_id), "text": contact.company.name},
        "refusal": refusal and f"{refusal} {TO_OPEN_ALL_THE_SAME}",
    }


def _opened_just_now(case: Case, actor: User, now: datetime) -> Case | None:
    """The case of a first click, for the second one: same person, same caller, same words."""
    # The lock makes the second of two clicks wait for the first, and then see what it did.
    Contact.objects.select_for_update().get(pk=case.contact_id)
    return Case.objects.filter(
        company=case.company_id,
        contact=case.contact_id,
        title=case.title.strip(),
        description=case.description,
        opened_by=actor,
        opened_at__gt=now - SECOND_CLICK_WITHIN,
    ).first()
