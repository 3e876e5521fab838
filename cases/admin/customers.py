"""The pages of companies and contacts with their open cases (A1)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from cases.models import Case, CaseQuerySet
from cases.templatetags.case_page import next_html
from cases.work_items import soonest_of, upcoming_of, work_items_of
from cases.workflow.handing_on import counted
from contacts.admin import CompanyAdmin, ContactAdmin
from contacts.directory import FURTHER_PROBLEMS
from contacts.models import Company, Contact
from contacts.permissions import RightsAdmin, signed_in_user

#: How many open cases a page lists before it links on.
SHOWN = 10


def still_open() -> list[str]:
    """One sentence for each inactive company that still has open cases: nothing is sent to anybody there (D9)."""
    open_there = Case.objects.open().filter(company__active=False).order_by("company__name")
    return [
        f"{name} is no longer a customer and still has {counted(cases)}; nothing is sent there. "
        "Close them, or make the company active again."
        for name, cases in open_there.values_list("company__name").annotate(cases=Count("pk"))
    ]


FURTHER_PROBLEMS.append(still_open)
admin.site.unregister(Company)
admin.site.unregister(Contact)


class WithOpenCases(RightsAdmin):
    """A page of a customer, with the open cases that the reader may see, soonest first (W2)."""

    change_form_after_template = "admin/cases/customers/open_cases.html"
    #: The field of a case that leads to the row of the page.
    field_of_case: str

    def form_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """A fixed number of queries, however many cases there are."""
        context = super().form_context(request, row)
        if row is None:
            return context
        user, now = signed_in_user(request), timezone.now()
        cases: CaseQuerySet = Case.objects.visible_to(user).open().filter(**{self.field_of_case: row.pk})
        found = list(cases.with_people().soonest_first()[: SHOWN + 1])
        shown = found[:SHOWN]
        items, coming = work_items_of(shown, user, now), upcoming_of(shown, now)
        address = reverse("admin:cases_case_changelist")
        return context | {
            "now": now,
            "open_cases": [
                {"case": case, "next": next_html(soonest_of(items[case.pk], coming.get(case.pk)), now)}
                for case in shown
            ],
            "more_cases": len(found) > SHOWN,
            "open_link": f"{address}?queue=open&{self.field_of_case}__id__exact={row.pk}",
            "all_link": f"{address}?queue=everything&{self.field_of_case}__id__exact={row.pk}",
        }


@admin.register(Company)
class DeskCompanyAdmin(WithOpenCases, CompanyAdmin):
    """The customer organisations, with their open cases, which do not stay behind silently (D9)."""

    field_of_case = "company"

    def save_model(self, request: HttpRequest, obj: Company, form: Any, change: bool) -> None:
        """Say how many open cases a company has that is made inactive."""
        super().save_model(request, obj, form, change)
        if change and "active" in form.changed_data and not obj.active:
            cases = Case.objects.open().filter(company=obj).count()
            if cases:
                page = f"{reverse('admin:cases_case_changelist')}?queue=open&company__id__exact={obj.pk}"
                said = '{} is inactive and still has <a href="{}" class="underline">{}</a>; nothing is sent there.'
                messages.warning(request, format_html(said, obj, page, counted(cases)))


@admin.register(Contact)
class DeskContactAdmin(WithOpenCases, ContactAdmin):
    """The people at the customers, with their open cases."""

    field_of_case = "contact"
