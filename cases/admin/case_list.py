"""The list of cases: its queues, order, filters, search and export, all within what the reader may see (A1).

Open cases stand by the next deadline of any kind, soonest first (W2); what it is, is reckoned for the page's rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, cast

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR, ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.db.models.expressions import OrderBy
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from import_export.admin import ExportMixin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, DropdownFilter
from unfold.contrib.import_export.forms import ExportForm

from cases.admin.resources import FORMATS, CaseResource
from cases.admin.rows import moment_column
from cases.admin.saved_views import SavedViews
from cases.case_queues import OF_OPEN_CASES, RESOLVED, in_queue, queue_of, queues_of
from cases.enums import Severity, Status
from cases.models import Case, CaseQuerySet
from cases.models.case import SEVERITY_RANK, SOONEST_FIRST
from cases.page_cache import with_page_facts
from cases.search.query import Found, every, readable_by, search
from cases.search.snippets import FoundLine, found_lines, marked_html
from cases.templatetags.case_page import next_html, severity_badge, status_badge
from cases.work_items import soonest_of, upcoming_of, work_items_of
from contacts.compiled import KEY, KEYS, CompiledQuery
from contacts.enums import Right
from contacts.models import Company
from contacts.permissions import READERS, READING, CountedChangeList, RightsAdmin, has_right, id_of, signed_in_user

#: How far beyond the page that is shown a list is counted; it shows “1,000+” (counting a million rows takes 100 ms).
COUNTED_UP_TO = 1_000
#: How far one can page.
DEEPEST = 10_000


def _cases_of_page(case: Any) -> QuerySet[Case]:
    """A case with what its page names; its company is read by a query of its own."""
    cases = Case.objects.filter(pk=case).select_related("contact", "owner__technician", "opened_by")
    return with_page_facts(cases).order_by()


_any_case = CompiledQuery(_cases_of_page, case=KEY)
_case_of_companies = CompiledQuery(
    lambda case, companies: _cases_of_page(case).filter(company__in=companies), case=KEY, companies=KEYS
)
_company = CompiledQuery(
    lambda key: Company.objects.filter(pk=key).select_related("account_manager", "customer_engineer").order_by(),
    key=KEY,
)


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """A paginator that stops counting just beyond `COUNTED_UP_TO`, from the page that is `shown` on, at most `DEEPEST`.

    `parts` are the rows in their order, as querysets of which one is read after the other.
    """

    template_name = "admin/cases/case/pagination.html"

    def __init__(self, *args: Any, shown: int = 1, parts: Sequence[CaseQuerySet] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.up_to = min(DEEPEST, (shown - 1) * self.per_page + COUNTED_UP_TO)
        self.parts = parts or [cast(CaseQuerySet, self.object_list)]

    @cached_property
    def count(self) -> int:
        rows = cast(CaseQuerySet, self.object_list)
        return rows.order_by().values("pk")[: self.up_to + 1].count()

    @property
    def count_text(self) -> str:
        """The count as people read it, “1,000+” beyond the limit."""
        return f"{self.up_to:,}+" if self.count > self.up_to else f"{self.count:,}"

    def page(self, number: int | str) -> Page[Case]:
        """The cases of a page; of a later one the keys first, so that no row is read that is not shown."""
        valid = self.validate_number(number)
        first = (valid - 1) * self.per_page
        end = min(first + self.per_page, self.count)
        cases: list[Case] = []
        before = 0  # rows in the parts that were read
        for part in self.parts:
            start = first + len(cases)
            if start >= end:
                break
            found = _slice(part, max(0, start - before), end - before)
            cases += found
            before = first + len(cases) if found else before + part.order_by().values("pk")[:end].count()
        return Page(cases, valid, self)


def _slice(cases: CaseQuerySet, start: int, end: int) -> list[Case]:
    if not start:
        return list(cases[:end])
    return list(cases.filter(pk__in=list(cases.values_list("pk", flat=True)[start:end])))


def _parts(cases: CaseQuerySet, queue: str) -> list[CaseQuerySet]:
    """The rows of a list in parts that an index holds in their order: one for each severity; of a list by what comes
    next that is not of open cases alone, the open ones and the others, on which nothing is to come.
    """
    by = next(iter(cases.query.order_by), None)
    if not isinstance(by, OrderBy):
        return [cases]
    others = cases.query.order_by[1:]
    if by.expression == SEVERITY_RANK:
        severities = reversed(Severity) if by.descending else Severity
        return [cases.filter(severity=severity).order_by(*others) for severity in severities]
    if queue in OF_OPEN_CASES or getattr(by.expression, "name", "") != "next_due_at":
        return [cases]
    resolved = cases.filter(status=Status.RESOLVED).order_by(*others)
    if queue == RESOLVED:
        return [resolved]
    return [resolved, cases.open()] if by.descending else [cases.open(), resolved]


# --- filters ----------------------------------------------------------------------------------------------------


class QueueFilter(DropdownFilter):
    """The quick filters: whose cases, and in which state."""

    title = "queue"
    parameter_name = "queue"
    template = "admin/cases/case/queue_filter.html"

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        super().__init__(request, *args)
        #: The queue that the list shows, also when the address names none.
        self.in_force = queue_of(request)

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return queues_of(signed_in_user(request))

    def queryset(self, request: HttpRequest, queryset: CaseQuerySet) -> CaseQuerySet:
        return in_queue(queryset, self.in_force, signed_in_user(request))


class VisibleOnlyFilter(AutocompleteSelectFilter):
    """An autocomplete filter that offers and names only rows the reader may see (A1)."""

    def choices(self, changelist: Any) -> Any:
        for choice in super().choices(changelist):
            field = choice["form"].fields[self.lookup_kwarg]
            if hasattr(field.queryset.all(), "visible_to"):
                field.queryset = field.queryset.visible_to(self.request.user)
            yield choice


#: Filters that a higher app adds to the list of cases.
_MORE_FILTERS: list[type[admin.SimpleListFilter]] = []
FilterT = TypeVar("FilterT", bound=type[admin.SimpleListFilter])


def case_filter(added: FilterT) -> FilterT:
    """Add a filter to the list of cases and to its export."""
    _MORE_FILTERS.append(added)
    return added


class CaseChangeList(CountedChangeList):
    """A list that says of each of its rows what comes next on it (W2), and of a search where its words were found."""

    result_list: Any

    def apply_select_related(self, qs: CaseQuerySet) -> CaseQuerySet:
        return qs.with_people()

    def get_results(self, request: HttpRequest) -> None:
        """Look for both for the rows of the page together; a fixed number of queries."""
        super().get_results(request)
        cases: list[Case] = list(self.result_list)
        now = timezone.now()
        items, coming = work_items_of(cases, signed_in_user(request), now), upcoming_of(cases, now)
        for case in cases:
            case.comes_next = next_html(  # type: ignore[attr-defined]
                soonest_of(items[case.pk], coming.get(case.pk)), now
            )
        self.result_list = cases
        #: What the search found; None without one.
        self.found: Found | None = getattr(request, "found", None)
        if self.found is not None:
            for case, line in zip(cases, found_lines(cases, self.found.query), strict=True):
                case.found_line = line  # type: ignore[attr-defined]

    def get_ordering_field(self, field_name: Any) -> Any:
        """None for a column without an index, which an address may name though its heading is no link."""
        return super().get_ordering_field(field_name) if field_name in CaseList.sortable_by else None

    def get_ordering_field_columns(self) -> dict[int, str]:
        """The column by which the list is sorted, also when nobody asked for an order."""
        if ORDER_VAR in self.params:
            return super().get_ordering_field_columns()
        if self.query.strip():
            return {}  # the best first
        column = "next_display" if self.is_soonest_first else "number_display"
        return {list(self.list_display).index(column): "asc" if self.is_soonest_first else "desc"}

    @property
    def is_soonest_first(self) -> bool:
        """Whether the list shows open cases."""
        return any(getattr(spec, "in_force", "") in OF_OPEN_CASES for spec in self.filter_specs)


class CaseList(SavedViews, ExportMixin, RightsAdmin):
    """Which cases the reader sees (A1), their list and its export."""

    view_right = READERS

    # the list
    list_display = (
        "number_display",
        "title_display",
        "next_display",
        "severity_display",
        "status_display",
        "company",
        "owner_display",
        "opened_display",
    )
    list_display_links = ("number_display", "title_display")
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
    search_help_text = "Number, title, people, or any word said"
    sortable_by = ("number_display", "next_display", "severity_display", "opened_display")  # each has an index
    ordering = ("-pk",)

    # the export
    resource_classes = [CaseResource]
    export_form_class = ExportForm

    # --- who sees what (A1) ---

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Case | None:
        """The case with everybody its page names, or None for a case the reader may not see."""
        user = signed_in_user(request)
        try:
            key = self.model._meta.pk.to_python(unquote(str(object_id)))
        except (ValidationError, ValueError, OverflowError):
            return None
        if user.may(Right.READ_EVERY_CASE):
            found = _any_case(case=key)
        else:
            found = _case_of_companies(case=key, companies=Company.objects.keys_visible_to(user))
        if not found:
            return None
        case: Case = found[0]
        (case.company,) = _company(key=case.company_id)
        if case.contact.company_id == case.company_id:
            case.contact.company = case.company
        return case

    def get_queryset(self, request: HttpRequest) -> CaseQuerySet:
        """What the reader may see (A1), with the keys of their companies: see `readable_by`."""
        return readable_by(signed_in_user(request), super(RightsAdmin, self).get_queryset(request))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow the link from a contact to its cases."""
        return lookup == "contact__id__exact" or super().lookup_allowed(lookup, value, request)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_list_filter(self, request: HttpRequest) -> Sequence[Any]:
        """Without the owner for account managers: staff lists are not theirs."""
        if has_right(request, Right.READ_EVERY_CASE):
            return [*self.list_filter, *_MORE_FILTERS]
        return [*(entry for entry in self.list_filter if entry != ("owner", VisibleOnlyFilter)), *_MORE_FILTERS]

    # --- the list ---

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CaseChangeList

    def get_paginator(
        self, request: HttpRequest, queryset: QuerySet[Any], per_page: int, *args: Any, **kwargs: Any
    ) -> CappedPaginator:
        shown = id_of(request.GET.get(PAGE_VAR, "")) or 1
        parts = _parts(cast(CaseQuerySet, queryset), queue_of(request))
        return CappedPaginator(queryset, per_page, *args, shown=min(shown, DEEPEST), parts=parts, **kwargs)

    def get_ordering(self, request: HttpRequest) -> Sequence[Any]:
        """Open cases soonest first; others the newest first."""
        return SOONEST_FIRST if queue_of(request) in OF_OPEN_CASES else self.ordering

    @admin.display(description="Number", ordering="pk")
    def number_display(self, case: Case) -> str:
        return case.number

    @admin.display(description="Title")
    def title_display(self, case: Case) -> SafeString:
        """The style sheet cuts it short; hovering shows all of it. Of a search, also where its words were found."""
        line: FoundLine | None = getattr(case, "found_line", None)
        if line is None:
            return format_html('<span class="desk-cut" title="{0}">{0}</span>', case.title)
        title = format_html('<span class="desk-cut" title="{}">{}</span>', case.title, marked_html(line.title))
        return title + line.html

    @admin.display(description="Severity", ordering=SEVERITY_RANK)
    def severity_display(self, case: Case) -> SafeString:
        return severity_badge(case.severity)

    @admin.display(description="Status")
    def status_display(self, case: Case) -> SafeString:
        return status_badge(case.status)

    @admin.display(description="Owner")
    def owner_display(self, case: Case) -> str:
        return str(case.owner) if case.owner else "nobody"

    @admin.display(description="Next", ordering=SOONEST_FIRST[0])
    def next_display(self, case: Case) -> SafeString | str:
        """Reckoned by `CaseChangeList` for all rows of the page together."""
        shown: SafeString | str = case.comes_next  # type: ignore[attr-defined]
        return shown

    @admin.display(description="Opened by")
    def opened_by_display(self, case: Case) -> str:
        return str(case.opened_by) if case.opened_by else "the desk itself"

    opened_display = moment_column("opened_at", "Opened", "distance", ordering="opened_at")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The cases with all the words, the best first unless a column is sorted by; a file gets all of them."""
        if not search_term.strip():
            return queryset, False
        cases = cast(CaseQuerySet, queryset)
        if request.path == reverse("admin:cases_case_export"):
            return every(cases, search_term), False
        found = request.found = search(cases, search_term)  # type: ignore[attr-defined]
        return (cases.filter(pk__in=found.keys) if ORDER_VAR in request.GET else found.of(cases)), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        acts = request.method == "POST" and "action" in request.POST and bool(self.get_actions(request))
        if request.method not in READING and not acts:
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
