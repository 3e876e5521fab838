"""A case's page in the admin: opening it and its details. Moves are made in `cases.actions`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Field, Q
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from cases import guards
from cases.actions import SECOND_CLICK_WITHIN, Endpoint
from cases.admin.case_history import CaseHistory
from cases.admin.case_list import SEARCHED_WORDS, CappedPaginator, CaseList
from cases.admin.header import case_context
from cases.enums import Channel
from cases.forms import DetailsForm, OpeningForm, text_area
from cases.models import Case
from cases.panels import panels_of
from cases.timeline import timeline_of
from cases.workflow import opening, transitions
from contacts.enums import Right
from contacts.models import Company, Contact, User
from contacts.permissions import KnownRowsSelect, holds, id_of, person

__all__ = ["CappedPaginator", "CaseAdmin"]

#: How many contacts an autocomplete answer holds.
CONTACTS_PER_ANSWER = 20


class ContactOfCompany(KnownRowsSelect):
    """Suggests the contacts of the company that is chosen on the page."""

    def get_url(self) -> str:
        """Where the suggestions come from; `desk.js` adds the company."""
        return reverse("admin:cases_case_contacts")


@admin.register(Case)
class CaseAdmin(CaseHistory, CaseList):
    """Cases: read by those who may, worked by technicians, deleted by nobody (A1)."""

    add_right = Right.WORK_CASES
    change_right = Right.WORK_CASES

    # the page
    change_form_template = "admin/cases/case/change_form.html"
    autocomplete_fields = ("company",)
    compressed_fields = True

    # --- opening (C1, D3) and details ---

    def get_form(self, request: HttpRequest, obj: Case | None = None, change: bool = False, **kwargs: Any) -> Any:
        """The opening form, or the details of a case; a refusal of the move becomes an error of the form."""
        kwargs["form"] = DetailsForm if obj else OpeningForm
        form = super().get_form(request, obj, change, **kwargs)
        refusal = getattr(request, "desk_refusal", None)
        return _refused_form(form, refusal) if refusal else form

    def get_fieldsets(self, request: HttpRequest, obj: Case | None = None) -> Any:
        """In the order in which a call goes."""
        return DETAILS_PAGE if obj else OPENING_PAGE

    def get_readonly_fields(self, request: HttpRequest, obj: Case | None = None) -> Sequence[str]:
        """Everything that no form writes."""
        return HOW_OPENED if obj else ()

    def formfield_for_dbfield(self, db_field: Field, request: HttpRequest, **kwargs: Any) -> Any:
        """No buttons to add or change people from here, and text areas of a sensible height."""
        if db_field.name in ("description", "solution"):
            kwargs["widget"] = text_area(6)
        elif db_field.name == "system_information":
            kwargs["widget"] = text_area(3)
        formfield = super().formfield_for_dbfield(db_field, request, **kwargs)
        for door in ("can_add_related", "can_change_related", "can_delete_related", "can_view_related"):
            if formfield is not None and hasattr(formfield.widget, door):
                setattr(formfield.widget, door, False)
        return formfield

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Only companies, contacts and cases that this person may see; contacts follow the company."""
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
        """A linked case starts from the one it continues (C4)."""
        earlier = self.get_object(request, request.GET.get("linked_to", ""))
        if earlier is None:
            return {}
        return {
            "linked_to": earlier.pk,
            "company": earlier.company_id,
            "contact": earlier.contact_id,
            "title": earlier.title,
            "preferred_means": earlier.preferred_means,
            "device": earlier.device,
            "operating_system": earlier.operating_system,
            "affected_user": earlier.affected_user,
        }

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page; when the move behind “Save” is refused, the same page with its sentence and everything typed."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except guards.NotAllowed as refused:
            raise PermissionDenied(refused.sentence) from refused
        except guards.Refused as refused:
            request.desk_refusal = refused  # type: ignore[attr-defined]
            if object_id is None:
                _record_turned_away(request)
            return super().changeform_view(request, object_id, form_url, extra_context)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Case | None = None,
    ) -> HttpResponse:
        """The case's header, its buttons, its timeline and its panels around the form."""
        context |= {"show_save_and_continue": False, "show_save_and_add_another": False}
        if add:
            context |= {"title": "Open a case"}
        elif obj is not None:
            now = timezone.now()
            context |= case_context(request, obj, now)
            context |= {
                "title": obj.number,
                "subtitle": None,
                "timeline": timeline_of(obj, _page_number(request, "older")),
                "panels": panels_of(obj, person(request), now),
            }
        return super().render_change_form(request, context, add, change, form_url, obj)

    def save_model(self, request: HttpRequest, obj: Case, form: ModelForm, change: bool) -> None:
        """Open the case, or correct what it says, by the moves that write the history (C5). Raises Refused."""
        now = timezone.now()
        if not change:
            intake = _intake(form)
            twin = _opened_just_now(intake, person(request), now)
            request.desk_pressed_twice = twin is not None  # type: ignore[attr-defined]
            opened = twin or opening.open_case(intake, person(request), now)
            obj.pk, obj.owner = opened.pk, opened.owner
        elif form.changes:  # type: ignore[attr-defined]
            transitions.edit_details(obj.pk, person(request), now, changes=form.changes)  # type: ignore[attr-defined]

    def save_related(self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool) -> None:
        """Nothing: a case has no related rows in its form."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Nothing: the case has its own history, and two histories are one too many (C5)."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Nothing: the case has its own history, and two histories are one too many (C5)."""

    def response_add(self, request: HttpRequest, obj: Case, post_url_continue: str | None = None) -> HttpResponse:
        """On to the case's page."""
        if getattr(request, "desk_pressed_twice", False):
            messages.info(request, f"You opened {obj.number} a moment ago with the very same words; here it is.")
            return redirect(obj.get_absolute_url())
        whose = f"assigned to {obj.owner}" if obj.owner else "nobody could be found to own it: the manager is told"
        messages.success(request, f"{obj.number} is open; {whose}.")
        return redirect(obj.get_absolute_url())

    def response_change(self, request: HttpRequest, obj: Case) -> HttpResponse:
        """Back to the case's page."""
        messages.success(request, f"The details of {obj.number} are saved.")
        return redirect(obj.get_absolute_url())

    # --- more addresses ---

    def get_urls(self) -> list[URLPattern]:
        """The moves, the contacts of a company, and single versions of the history."""
        protect = self.admin_site.admin_view
        signed_in = self.admin_site.has_permission
        endpoint = Endpoint(
            self.get_object,
            lambda request, case, now: self.page_context(request) | case_context(request, case, now),
        )

        def do(request: HttpRequest, object_id: int, name: str) -> HttpResponse:
            return endpoint(request, object_id, name)

        def do_or_sign_in(request: HttpRequest, object_id: int, name: str) -> HttpResponse:
            # Whose session ended in a dialog signs in and is back on the case, where the page gives back the words.
            if request.method == "POST" and not signed_in(request):
                return redirect_to_login(reverse("admin:cases_case_change", args=[object_id]), reverse("admin:login"))
            return protect(do)(request, object_id, name)

        return [
            path("contacts/", protect(self.contacts_view), name="cases_case_contacts"),
            path("<int:object_id>/do/<slug:name>/", do_or_sign_in, name="cases_case_do"),
            path(
                "<path:object_id>/history/<str:version_id>/",
                protect(self.history_form_view),
                name="cases_case_simple_history",
            ),
            *super().get_urls(),
        ]

    def contacts_view(self, request: HttpRequest) -> HttpResponse:
        """Contacts of the chosen company whose name or address holds what was typed; help desks first (D3)."""
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        if not holds(request, Right.WORK_CASES):
            raise PermissionDenied
        term, company = request.GET.get("term", "").strip(), id_of(request.GET.get("company", ""))
        people = Contact.objects.visible_to(request.user).filter(active=True).select_related("company")
        if company is not None:
            people = people.filter(company=company)
        for word in term.split()[:SEARCHED_WORDS]:
            people = people.filter(Q(name__icontains=word) | Q(email__icontains=word))
        start = (_page_number(request, "page", least=1) - 1) * CONTACTS_PER_ANSWER
        found = list(people.order_by("-is_help_desk", "name", "pk")[start : start + CONTACTS_PER_ANSWER + 1])
        return JsonResponse(
            {
                "results": [{"id": str(one.pk), "text": _suggestion(one)} for one in found[:CONTACTS_PER_ANSWER]],
                "pagination": {"more": len(found) > CONTACTS_PER_ANSWER},
            }
        )


OPENING_PAGE = (
    ("Who calls", {"fields": (("company", "contact"), ("opened_by_channel", "preferred_means"), "opened_despite")}),
    ("What happens", {"fields": ("title", "description")}),
    (
        "Where",
        {"fields": (("affected_user", "device"), ("operating_system", "several_devices"), "system_information")},
    ),
    ("How bad it is", {"fields": (("affected", "impact"), "severity", "linked_to")}),
)
HOW_OPENED = ("opened_by_channel", "opened_by_", "opened_despite", "external_reference")
DETAILS_PAGE = (
    (None, {"fields": ("title", "contact", "preferred_means", "description", "solution", "seen")}),
    (
        "Where and how far",
        {
            "fields": (
                "affected_user",
                "device",
                "operating_system",
                "system_information",
                "several_devices",
                "affected",
                "impact",
            )
        },
    ),
    ("How it was opened", {"fields": HOW_OPENED}),
)


def _page_number(request: HttpRequest, name: str, least: int = 0) -> int:
    number = request.GET.get(name, "")
    return max(int(number), least) if number.isascii() and number.isdigit() and len(number) < 6 else least


def _suggestion(person: Contact) -> str:
    desk = "help desk" if person.is_help_desk else "not the help desk"
    return f"{person.name} ({person.company.name}, {desk})"


def _intake(form: ModelForm) -> opening.Intake:
    said = form.cleaned_data
    answers = {name: said[name] for name in said if name not in ("severity", "opened_by_channel")}
    return opening.Intake(
        severity=form.severity_to_open_with(),  # type: ignore[attr-defined]
        channel=Channel(said["opened_by_channel"]),
        **answers,
    )


def _opened_just_now(intake: opening.Intake, actor: User, now: datetime) -> Case | None:
    """The case of a first click, for the second one: same person, same caller, same words."""
    # The lock makes the second of two clicks wait for the first, and then see what it did.
    Contact.objects.select_for_update().get(pk=intake.contact.pk)
    same = Case.objects.filter(
        company=intake.company, contact=intake.contact, title=intake.title.strip(), description=intake.description
    )
    return same.filter(opened_by=actor, opened_at__gt=now - SECOND_CLICK_WITHIN).select_related("owner").first()


def _record_turned_away(request: HttpRequest) -> None:
    """Whoever is not the help desk was turned away, and that is recorded (D3)."""
    number, despite = id_of(request.POST.get("contact", "")), request.POST.get("opened_despite", "")
    contact = Contact.objects.visible_to(request.user).filter(pk=number or 0).select_related("company").first()
    same_company = contact is not None and str(contact.company_id) == request.POST.get("company")
    if contact is not None and same_company and not opening.may_open(contact, despite):
        opening.turn_away(contact, request.POST.get("title", ""), person(request), timezone.now())


def _refused_form(form: type[ModelForm], refused: guards.Refused) -> type[ModelForm]:
    """The form with what the move said against it, so that the page comes back with everything typed (S4)."""

    class RefusedForm(form):  # type: ignore[misc, valid-type]
        def clean(self) -> Any:
            cleaned = super().clean()
            contact, company = self.cleaned_data.get("contact"), self.cleaned_data.get("company")
            self.add_error(refused.field if refused.field in self.fields else None, refused.sentence)
            if "opened_despite" in self.fields and contact is not None and contact.company == company:
                self.add_error("opened_despite", TO_OPEN_ALL_THE_SAME)
            return cleaned

    return RefusedForm


TO_OPEN_ALL_THE_SAME = "To open it all the same (their help desk is down), give the reason."
