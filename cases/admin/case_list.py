"""The list of cases: its queues, filters, search and export, all within what the reader may see (A1)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import and_
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from import_export.admin import ExportMixin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, DropdownFilter
from unfold.contrib.import_export.forms import ExportForm

from cases.admin.resources import FORMATS, CaseResource
from cases.admin.rows import moment_column
from cases.enums import Status
from cases.models import Case, CaseQuerySet, case_id_of
from cases.templatetags.case_page import next_moment_html, severity_badge, status_badge
from contacts.enums import Right
from contacts.models import Company, Contact
from contacts.permissions import READERS, READING, RightsAdmin, has_right

#: How far a list is counted; beyond, it shows “10,000+” (counting a million rows takes a tenth of a second).
COUNTED_UP_TO = 10_000
#: How many words of a search are used.
SEARCHED_WORDS = 6


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """A paginator that stops counting just beyond `COUNTED_UP_TO`."""

    template_name = "admin/cases/case/pagination.html"

    @cached_property
    def count(self) -> int:
        rows = cast("QuerySet[Any]", self.object_list)
        return rows.order_by().values("pk")[: COUNTED_UP_TO + 1].count()

    @property
    def count_text(self) -> str:
        """The count as people read it, “10,000+” beyond the limit."""
        return f"{COUNTED_UP_TO:,}+" if self.count > COUNTED_UP_TO else f"{self.count:,}"


# --- filters ----------------------------------------------------------------------------------------------------

MINE, OPEN, WAITING, RESOLVED, EVERYTHING = "mine", "open", "waiting", "resolved", "everything"


class QueueFilter(DropdownFilter):
    """The quick filters: whose cases, and in which state."""

    title = "queue"
    parameter_name = "queue"

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        super().__init__(request, *args)
        #: The queue that the list shows, also when the address names none.
        self.in_force = self._in_force(request)

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        mine = [(MINE, "My queue")] if has_right(request, Right.WORK_CASES) else []
        return [
            *mine,
            (OPEN, "All open"),
            (WAITING, "Waiting for the customer"),
            (RESOLVED, "Resolved"),
            (EVERYTHING, "Everything"),
        ]

    def queryset(self, request: HttpRequest, queryset: CaseQuerySet) -> CaseQuerySet:
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
        """The queue in the address; else my queue or all open cases, or everything under another search or filter."""
        known = [value for value, _ in self.lookup_choices]
        if self.value() in known:
            return str(self.value())
        narrowed = any(value for name, value in request.GET.items() if name not in ("p", "o", "e", self.parameter_name))
        return EVERYTHING if narrowed else known[0]


class VisibleOnlyFilter(AutocompleteSelectFilter):
    """An autocomplete filter that offers and names only rows the reader may see (A1)."""

    def choices(self, changelist: Any) -> Any:
        for choice in super().choices(changelist):
            field = choice["form"].fields[self.lookup_kwarg]
            if hasattr(field.queryset.all(), "visible_to"):
                field.queryset = field.queryset.visible_to(self.request.user)
            yield choice


class CaseList(ExportMixin, RightsAdmin):
    """Which cases the reader sees (A1), their list and its export."""

    view_right = READERS

    # the list
    list_display = (
        "number_display",
        "title_display",
        "company",
        "severity_display",
        "status_display",
        "owner_display",
        "next_display",
        "opened_display",
    )
    list_display_links = ("number_display", "title_display")
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
    sortable_by = ("number_display",)
    ordering = ("-pk",)
    paginator = CappedPaginator
    actions = None

    # the export
    resource_classes = [CaseResource]
    export_form_class = ExportForm

    # --- who sees what (A1) ---

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Case | None:
        """The case with everybody its page names, or None for a case the reader may not see."""
        everybody = self.get_queryset(request).select_related(
            "company",
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
        return self.has_view_permission(request)

    def get_list_filter(self, request: HttpRequest) -> Sequence[Any]:
        """Without the owner for account managers: staff lists are not theirs."""
        if has_right(request, Right.READ_EVERY_CASE):
            return self.list_filter
        return [entry for entry in self.list_filter if entry != ("owner", VisibleOnlyFilter)]

    # --- the list ---

    @admin.display(description="Number", ordering="pk")
    def number_display(self, case: Case) -> str:
        return case.number

    @admin.display(description="Title")
    def title_display(self, case: Case) -> SafeString:
        """The style sheet cuts it short; hovering shows all of it."""
        return format_html('<span class="desk-cut" title="{0}">{0}</span>', case.title)

    @admin.display(description="Severity")
    def severity_display(self, case: Case) -> SafeString:
        return severity_badge(case.severity)

    @admin.display(description="Status")
    def status_display(self, case: Case) -> SafeString:
        return status_badge(case.status)

    @admin.display(description="Owner")
    def owner_display(self, case: Case) -> str:
        return str(case.owner) if case.owner else "nobody"

    @admin.display(description="Next by itself")
    def next_display(self, case: Case) -> SafeString | str:
        return next_moment_html(case, timezone.now())

    @admin.display(description="Opened by")
    def opened_by_display(self, case: Case) -> str:
        return str(case.opened_by) if case.opened_by else "the desk itself"

    opened_display = moment_column("opened_at", "Opened", "distance")

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
        words = reduce(and_, (_mentions(word) for word in term.split()[:SEARCHED_WORDS]))
        return queryset.filter(named | words), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method not in READING:
            return HttpResponseNotAllowed(READING)
        return super().changelist_view(request, extra_context)

    def list_context(self, request: HttpRequest) -> dict[str, Any]:
        return {"title": "Cases"}

    # --- the export ---

    def export_action(self, request: HttpRequest) -> HttpResponse:
        """The form and the file; an unknown filter leads back to the list."""
        try:
            return super().export_action(request)
        except IncorrectLookupParameters:
            return redirect("admin:cases_case_changelist")

    def get_export_formats(self) -> list[type]:
        return FORMATS


def _mentions(word: str) -> Q:
    """Whether the word occurs in the title, the company's name or the contact's."""
    companies = Company.objects.filter(name__icontains=word).values("pk")
    people = Contact.objects.filter(name__icontains=word).values("pk")
    return Q(title__icontains=word) | Q(company__in=companies) | Q(contact__in=people)
