"""The case in the admin: its list, its page, its history, its export. Moves are made in `cases.admin.transitions`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from operator import and_
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Field, Q, QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from import_export.admin import ExportMixin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, DropdownFilter
from unfold.contrib.import_export.forms import ExportForm
from unfold.views import ChangeList

from cases import workflow
from cases.admin.resources import FORMATS, CaseResource
from cases.admin.transitions import Endpoint, buttons_of
from cases.forms import DetailsForm, OpeningForm, text_area
from cases.models import Case, CaseQuerySet, case_id_of
from cases.panels import panels_of
from cases.templatetags.case_page import moment_html, next_moment_html, severity_badge, status_badge
from cases.terms import Channel, Move, Status
from cases.timeline import LONG, TOLD, history_of, timeline_of, what_changed
from contacts.access import READERS, RightsAdmin, holds
from contacts.models import Company, Contact, User
from contacts.terms import Right

#: As far as a list is counted; beyond, it says “10,000+” (a count of a million rows takes a tenth of a second).
COUNTED_UP_TO = 10_000
#: How many words of a search are looked at.
SEARCHED_WORDS = 6
#: How many changes the history page shows at once.
HISTORY_PAGE = 50
#: How many contacts an autocomplete answer holds.
CONTACTS_PER_ANSWER = 20


class CappedPaginator(Paginator):
    """Counts no further than it is worth."""

    template_name = "admin/cases/case/pagination.html"

    @cached_property
    def count(self) -> int:
        """How many there are, at most one more than `COUNTED_UP_TO`."""
        return min(self.object_list.order_by().values("pk")[: COUNTED_UP_TO + 1].count(), COUNTED_UP_TO + 1)

    @property
    def count_said(self) -> str:
        """The count for people: “10,000+” when nobody counted on."""
        return f"{COUNTED_UP_TO:,}+" if self.count > COUNTED_UP_TO else f"{self.count:,}"


class CountedChangeList(ChangeList):
    """A list that says how many rows it has once, below itself."""

    def get_results(self, request: HttpRequest) -> None:
        """The rows of the page; the count of everything is never asked for, so it is not offered either."""
        super().get_results(request)
        self.full_result_count = self.result_count


# --- filters ----------------------------------------------------------------------------------------------------

MINE, OPEN, WAITING, RESOLVED, EVERYTHING = "mine", "open", "waiting", "resolved", "everything"


class QueueFilter(DropdownFilter):
    """The quick filters: whose cases, and how far along."""

    title = "queue"
    parameter_name = "queue"

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        super().__init__(request, *args)
        #: The queue that the list shows, also when the address names none.
        self.in_force = self._in_force(request)

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """My queue for those who can own cases; the rest for everybody."""
        mine = [(MINE, "My queue")] if holds(request, Right.WORK_CASES) else []
        return [
            *mine,
            (OPEN, "All open"),
            (WAITING, "Waiting for the customer"),
            (RESOLVED, "Resolved"),
            (EVERYTHING, "Everything"),
        ]

    def queryset(self, request: HttpRequest, queryset: CaseQuerySet) -> CaseQuerySet:
        """The rows of the chosen queue."""
        if self.in_force == MINE:
            return queryset.in_queue_of(request.user)
        if self.in_force == OPEN:
            return queryset.open()
        if self.in_force == WAITING:
            return queryset.filter(status=Status.WAITING)
        if self.in_force == RESOLVED:
            return queryset.filter(status=Status.RESOLVED)
        return queryset

    def _in_force(self, request: HttpRequest) -> str:
        """What was asked for; else my queue, or all open ones; everything once a search or filter narrows it."""
        known = [value for value, _ in self.lookup_choices]
        if self.value() in known:
            return str(self.value())
        narrowed = any(value for name, value in request.GET.items() if name not in ("p", "o", "e", self.parameter_name))
        return EVERYTHING if narrowed else known[0]


class VisibleOnlyFilter(AutocompleteSelectFilter):
    """An autocomplete filter that names nothing the reader may not see, whatever the address says (A1)."""

    def choices(self, changelist: Any) -> Any:
        """The filter's form, with its rows scoped."""
        for choice in super().choices(changelist):
            field = choice["form"].fields[self.lookup_kwarg]
            if hasattr(field.queryset.all(), "visible_to"):
                field.queryset = field.queryset.visible_to(self.request.user)
            yield choice


class ContactOfCompany(AutocompleteSelect):
    """Suggests the contacts of the company that is chosen on the page."""

    def get_url(self) -> str:
        """Where the suggestions come from; `desk.js` adds the company."""
        return reverse("admin:cases_case_contacts")


@admin.register(Case)
class CaseAdmin(ExportMixin, RightsAdmin):
    """Cases: read by those who may, worked by technicians, deleted by nobody (A1)."""

    view_right = READERS
    add_right = Right.WORK_CASES
    change_right = Right.WORK_CASES

    # the list
    list_display = ("number_", "title_", "company", "severity_", "status_", "owner_", "next_", "opened_")
    list_display_links = ("number_", "title_")
    list_select_related = ("company", "contact", "owner")
    list_filter = (
        QueueFilter,
        ("severity", ChoicesDropdownFilter),
        ("status", ChoicesDropdownFilter),
        ("owner", VisibleOnlyFilter),
        ("company", VisibleOnlyFilter),
    )
    list_filter_submit = True
    list_fullwidth = True
    list_before_template = "admin/cases/case/queues.html"
    search_fields = ("title",)
    search_help_text = "Number, reference, title, company or contact"
    sortable_by = ("number_",)
    ordering = ("-pk",)
    paginator = CappedPaginator
    actions = None

    # the page
    change_form_template = "admin/cases/case/change_form.html"
    autocomplete_fields = ("company",)
    compressed_fields = True

    # the export
    resource_classes = [CaseResource]
    export_form_class = ExportForm

    # --- who sees what (A1) ---

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The cases the reader may see, with the names that every page of them shows."""
        return super().get_queryset(request).select_related("company", "contact", "owner")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Case | None:
        """The case with everybody its page names, or None when there is none for this reader."""
        everybody = self.get_queryset(request).select_related(
            "company__account_manager",
            "company__customer_engineer",
            "contact__company",
            "owner__technician",
            "opened_by",
        )
        try:
            return everybody.get(pk=self.model._meta.pk.to_python(unquote(str(object_id))))
        except (Case.DoesNotExist, ValidationError, ValueError, OverflowError):
            return None

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Whoever may read cases may take along those they may read."""
        return self.has_view_permission(request)

    def get_list_filter(self, request: HttpRequest) -> Sequence[Any]:
        """Account managers choose no owner: staff lists are not theirs."""
        if holds(request, Right.READ_EVERY_CASE):
            return self.list_filter
        return [entry for entry in self.list_filter if entry != ("owner", VisibleOnlyFilter)]

    # --- the list ---

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The list that counts no further than it is worth."""
        return CountedChangeList

    @admin.display(description="Number", ordering="pk")
    def number_(self, case: Case) -> str:
        """Its own number."""
        return case.number

    @admin.display(description="Title")
    def title_(self, case: Case) -> SafeString:
        """Its title, cut short by the style sheet, whole on hovering."""
        return format_html('<span class="desk-cut" title="{}">{}</span>', case.title, case.title)

    @admin.display(description="Severity")
    def severity_(self, case: Case) -> SafeString:
        """How bad it is."""
        return severity_badge(case.severity)

    @admin.display(description="Status")
    def status_(self, case: Case) -> SafeString:
        """Where it stands."""
        return status_badge(case.status)

    @admin.display(description="Owner")
    def owner_(self, case: Case) -> str:
        """Who owns it."""
        return str(case.owner) if case.owner else "nobody"

    @admin.display(description="Next by itself")
    def next_(self, case: Case) -> SafeString | str:
        """What happens next if nobody does anything."""
        return next_moment_html(case, timezone.now())

    @admin.display(description="Opened by")
    def opened_by_(self, case: Case) -> str:
        """Who opened it."""
        return str(case.opened_by) if case.opened_by else "the desk itself"

    @admin.display(description="Opened")
    def opened_(self, case: Case) -> SafeString:
        """When it was opened."""
        return moment_html(case.opened_at, timezone.now(), "distance")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """A case's number or external reference finds that case; other words must all occur, in any order."""
        term = search_term.strip()
        if not term:
            return queryset, False
        number = case_id_of(term)
        if number is not None and not term.isdigit():
            return queryset.filter(pk=number), False
        named = Q(external_reference__startswith=term)
        if number is not None:
            named |= Q(pk=number)
        words = reduce(and_, (_says(word) for word in term.split()[:SEARCHED_WORDS]))
        return queryset.filter(named | words), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with its queues as tabs."""
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        return super().changelist_view(request, {"title": "Cases", **(extra_context or {})})

    # --- the export ---

    def get_export_formats(self) -> list[type]:
        """CSV and Excel without formulae, JSON as it is."""
        return FORMATS

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
        except workflow.NotAllowed as refused:
            raise PermissionDenied(refused.sentence) from refused
        except workflow.Refused as refused:
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
                "panels": panels_of(obj, request.user, now),
            }
        return super().render_change_form(request, context, add, change, form_url, obj)

    def save_model(self, request: HttpRequest, obj: Case, form: ModelForm, change: bool) -> None:
        """Open the case, or correct what it says, by the moves that write the history (C5). Raises Refused."""
        now = timezone.now()
        if not change:
            intake = _intake(form)
            opened = workflow.open_case(intake, request.user, now)
            obj.pk, obj.owner = opened.pk, opened.owner
        elif form.changes:  # type: ignore[attr-defined]
            workflow.edit_details(obj.pk, request.user, now, changes=form.changes)  # type: ignore[attr-defined]

    def save_related(self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool) -> None:
        """Nothing: a case has no related rows in its form."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Nothing: the case has its own history, and two histories are one too many (C5)."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Nothing: the case has its own history, and two histories are one too many (C5)."""

    def response_add(self, request: HttpRequest, obj: Case, post_url_continue: str | None = None) -> HttpResponse:
        """On to the case's page."""
        whose = f"assigned to {obj.owner}" if obj.owner else "nobody could be found to own it: the manager is told"
        messages.success(request, f"{obj.number} is open; {whose}.")
        return redirect(obj.get_absolute_url())

    def response_change(self, request: HttpRequest, obj: Case) -> HttpResponse:
        """Back to the case's page."""
        messages.success(request, f"The details of {obj.number} are saved.")
        return redirect(obj.get_absolute_url())

    # --- history, read-only for everybody (C5) ---

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Every change of a case: who, when, why, and what it changed."""
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        case = self._case_or_404(request, object_id)
        now = timezone.now()
        page = Paginator(history_of(case), HISTORY_PAGE).get_page(request.GET.get("p"))
        rows = list(page.object_list)
        # the row before the oldest of the page, for what that one changed
        earlier = list(history_of(case)[page.end_index() : page.end_index() + 1])
        changes = [
            {"row": row, "move": Move(row.last_move).label, "said": what_changed(before, row)}
            for row, before in zip(rows, [*rows[1:], *(earlier or [None])], strict=True)
        ]
        context = case_context(request, case, now) | {
            "title": f"History of {case.number}",
            "changes": changes,
            "page_obj": page,
        }
        return self._read_only_page(request, "admin/cases/case/history.html", context)

    def history_form_view(self, request: HttpRequest, object_id: str, version_id: str) -> HttpResponse:
        """The case as it was after one change. It can be read, never brought back (C5)."""
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        case = self._case_or_404(request, object_id)
        row = history_of(case).filter(history_id=version_id).first() if version_id.isdigit() else None
        if row is None:
            raise Http404("There is no such version of the case.")
        before = history_of(case).filter(history_date__lte=row.history_date, history_id__lt=row.history_id).first()
        context = case_context(request, case, timezone.now()) | {
            "title": f"{case.number} as it was",
            "row": row,
            "move": Move(row.last_move).label,
            "said": what_changed(before, row),
            "values": _values_of(row),
        }
        return self._read_only_page(request, "admin/cases/case/version.html", context)

    def _case_or_404(self, request: HttpRequest, object_id: str) -> Case:
        if not self.has_view_permission(request):
            raise PermissionDenied
        case = self.get_object(request, object_id)
        if case is None:
            raise Http404("There is no such case.")
        return case

    def _read_only_page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        return TemplateResponse(request, template, self.page_context(request) | context | {"original": context["case"]})

    def page_context(self, request: HttpRequest) -> dict[str, Any]:
        """What every page of the admin around a case needs."""
        return {**self.admin_site.each_context(request), "opts": self.opts, "app_label": self.opts.app_label}

    # --- more addresses ---

    def get_urls(self) -> list[URLPattern]:
        """The moves, the contacts of a company, and single versions of the history."""
        protect = self.admin_site.admin_view
        endpoint = Endpoint(
            self.get_object,
            lambda request, case, now: self.page_context(request) | case_context(request, case, now),
        )

        def do(request: HttpRequest, object_id: str, name: str) -> HttpResponse:
            return endpoint(request, object_id, name)

        return [
            path("contacts/", protect(self.contacts_view), name="cases_case_contacts"),
            path("<int:object_id>/do/<slug:name>/", protect(do), name="cases_case_do"),
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
        term, company = request.GET.get("term", "").strip(), request.GET.get("company", "")
        people = Contact.objects.visible_to(request.user).filter(active=True).select_related("company")
        if company.isdigit():
            people = people.filter(company=int(company))
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


def case_context(request: HttpRequest, case: Case, now: datetime) -> dict[str, Any]:
    """What the header of a case shows, on its page and on every page about it."""
    may_work = holds(request, Right.WORK_CASES)
    return {
        "case": case,
        "now": now,
        "local_now": now.astimezone(ZoneInfo(case.company.time_zone)),
        "buttons": buttons_of(request, case, now),
        "may_work": may_work,
        "is_watching": case.watchers.filter(user=request.user).exists(),
        "linked_url": _linked_url(case) if may_work and not case.is_open and not workflow.can_reopen(case, now) else "",
    }


def _linked_url(case: Case) -> str:
    return f"{reverse('admin:cases_case_add')}?{urlencode({'linked_to': case.pk})}"


def _says(word: str) -> Q:
    """The word occurs in the title, the company's name or the contact's."""
    companies = Company.objects.filter(name__icontains=word).values("pk")
    people = Contact.objects.filter(name__icontains=word).values("pk")
    return Q(title__icontains=word) | Q(company__in=companies) | Q(contact__in=people)


def _page_number(request: HttpRequest, name: str, least: int = 0) -> int:
    number = request.GET.get(name, "")
    return max(int(number), least) if number.isascii() and number.isdigit() and len(number) < 6 else least


def _suggestion(person: Contact) -> str:
    desk = "help desk" if person.is_help_desk else "not the help desk"
    return f"{person.name} ({person.company.name}, {desk})"


def _intake(form: ModelForm) -> workflow.Intake:
    said = form.cleaned_data
    answers = {name: said[name] for name in said if name not in ("severity", "opened_by_channel")}
    return workflow.Intake(
        severity=form.severity_to_open_with(),  # type: ignore[attr-defined]
        channel=Channel(said["opened_by_channel"]),
        **answers,
    )


def _record_turned_away(request: HttpRequest) -> None:
    """Whoever is not the help desk was turned away, and that is recorded (D3)."""
    number, despite = request.POST.get("contact", ""), request.POST.get("opened_despite", "")
    contact = Contact.objects.visible_to(request.user).filter(pk=number).select_related("company").first()
    same_company = contact is not None and str(contact.company_id) == request.POST.get("company")
    if contact is not None and same_company and not workflow.may_open(contact, despite):
        workflow.turn_away(contact, request.POST.get("title", ""), request.user, timezone.now())


def _refused_form(form: type[ModelForm], refused: workflow.Refused) -> type[ModelForm]:
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


def _values_of(row: Any) -> list[tuple[str, Any]]:
    """What a version of the case said, with labels for people."""
    short = [
        (label, words(value).label if words and value not in (None, "") and not isinstance(value, bool) else value)
        for name, (label, words) in TOLD.items()
        if name not in ("owner_id", "contact_id")
        for value in [getattr(row, name)]
    ]
    people: list[tuple[str, User | Contact | None]] = [("Owner", row.owner), ("Contact", row.contact)]
    long = [(label, getattr(row, name)) for name, label in LONG.items()]
    return [*short[:2], *people, *short[2:], *long]
