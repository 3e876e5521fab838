"""The pages of a company for those who look after it: what is owed and at risk, and a summary to print (W4, A1).

The addresses lie below the company's row in the directory; whoever may not read its cases finds none of them (404).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.safestring import SafeString

from cases.admin.customers import DeskCompanyAdmin
from contacts.enums import Right
from contacts.models import Company
from contacts.pages import company_page, link
from contacts.permissions import has_right, id_of, own_page, signed_in_user
from escalations.accounts import apply
from escalations.accounts.state import PROMISES_OF, READ, account_page
from escalations.accounts.summary import summary_of

admin.site.unregister(Company)


@company_page
def account_url(key: int) -> str:
    """The page of a company for those who look after it."""
    return reverse("admin:contacts_company_account", args=[key])


@admin.register(Company)
class AccountAdmin(DeskCompanyAdmin):
    """The customer organisations, each with its page for account managers and customer engineers."""

    list_display = ["name", "account_display", *[name for name in DeskCompanyAdmin.list_display if name != "name"]]

    @admin.display(description="For the account manager")
    def account_display(self, company: Company) -> SafeString:
        return format_html('<span class="desk-nowrap">{}</span>', link(account_url(company.pk), "What is owed"))

    def form_context(self, request: HttpRequest, row: Company | None) -> dict[str, Any]:
        context = super().form_context(request, row)
        return context if row is None else context | {"account_link": account_url(row.pk)}

    @own_page("<int:key>/account/", "account")
    def account_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """What the company is owed, and what changed since its reader has seen it."""
        company, now = self._found(request, str(key)), timezone.now()
        page = account_page(company, signed_in_user(request), now)
        cases = f"{reverse('admin:cases_case_changelist')}?company__id__exact={company.pk}"
        ledger = f"{reverse('admin:escalations_slatarget_changelist')}?case__company__id__exact={company.pk}"
        context = {
            **self._page(request),
            "title": company.name,
            "page": page,
            "company": company,
            "now": now,
            "read": READ,
            "days": PROMISES_OF.days,
            "open_link": f"{cases}&queue=open",
            "all_link": f"{cases}&queue=everything",
            "ledger_link": f"{ledger}&member__exact=customer&due=month",
            "may_request": has_right(request, Right.REQUEST_ESCALATION),
        }
        return TemplateResponse(request, "admin/escalations/account.html", context)

    @own_page("<int:key>/account/seen/", "account_seen", "POST")
    def account_seen_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Mark as seen what the page showed, up to `until`, the moment at which it was made; or undo that."""
        company, user = self._found(request, str(key)), signed_in_user(request)
        if request.POST.get("undo"):
            apply.unmark_seen(company, user)
            messages.success(request, "What you had not seen before is shown again.")
        else:
            now = timezone.now()
            apply.mark_seen(company, user, min(_moment(request.POST.get("until", "")) or now, now))
            messages.success(request, "Marked as seen. The page shows what changes from now on.")
        return redirect(account_url(company.pk))

    @own_page("<int:key>/account/summary/", "account_summary")
    def account_summary_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """A page to print for the call with the customer: only what they may read, and what we promised them (C3)."""
        company, now = self._found(request, str(key)), timezone.now()
        context = {"summary": summary_of(company, now), "company": company, "now": now, "days": PROMISES_OF.days}
        return TemplateResponse(request, "admin/escalations/account_summary.html", context)

    @own_page("daily-digest/", "daily_digest", "POST")
    def daily_digest_view(self, request: HttpRequest) -> HttpResponse:
        """Switch the reader's own daily digest: `on` yes or no. Raises PermissionDenied for who gets none anyway."""
        if not has_right(request, Right.READ_OWN_COMPANIES):
            raise PermissionDenied
        on = request.POST.get("on") == "yes"
        with transaction.atomic():
            apply.switch_digest(signed_in_user(request), on)
        messages.success(request, f"The daily digest is {'on' if on else 'off'}.")
        return redirect("admin:index")

    def _found(self, request: HttpRequest, key: str) -> Company:
        """The company, if its cases may be read by this person. Raises Http404 (A1)."""
        number = id_of(key)
        rows = self.get_queryset(request).select_related("account_manager", "customer_engineer")
        company = rows.filter(pk=number).first() if number is not None else None
        if company is None or not self.has_view_permission(request, company):
            raise Http404("There is no company that you may see.")
        return company

    def _page(self, request: HttpRequest) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts, "app_label": self.opts.app_label}


def _moment(text: str) -> datetime | None:
    """The moment that a page carries; None for what is none (S4)."""
    try:
        moment = parse_datetime(text)
    except ValueError:  # well formed, and no moment
        return None
    return moment if moment is not None and timezone.is_aware(moment) else None
