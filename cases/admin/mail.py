"""The outbox in the admin: what was said to whom and what became of it (M1). Read only; a failed message may go again.

Who reads a case reads its mail (A1). The HTML of a message is shown in a sandboxed frame, where nothing in it can run
or reach the page around it.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display

from cases.admin.case_list import CappedPaginator
from cases.enums import MailStatus
from cases.mail.messages import MESSAGES, message_label
from cases.mail.outbox import can_go_again, send_again, stale_reason
from cases.mail.rendering import Rendered, render
from cases.models import Mail, case_id_of
from cases.templatetags.case_page import badge, mail_badge, moment_html
from contacts.enums import Right
from contacts.permissions import RightsAdmin, holds


class TemplateFilter(DropdownFilter):
    """Which message it is."""

    title = "message"
    parameter_name = "template"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """Every message the desk knows."""
        return [(name, message_label(name)) for name in sorted(MESSAGES)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Mail]) -> QuerySet[Mail]:
        """The rows of the chosen message."""
        return queryset.filter(template=self.value()) if self.value() else queryset


@admin.register(Mail)
class MailAdmin(RightsAdmin):
    """Mail: read by whoever reads its case, written by nobody; sent again by those who work cases (A1, M1)."""

    list_display = ("subject_", "to_", "case_", "status_", "sent_", "attempts")
    counted_as = ("message", "messages")
    list_display_links = ("subject_",)
    list_select_related = ("case",)
    list_filter = (("status", ChoicesDropdownFilter), TemplateFilter)
    list_filter_submit = True
    list_fullwidth = True
    search_fields = ("to_address",)
    search_help_text = "Case number, recipient's address or Message-ID"
    sortable_by = ()
    ordering = ("-pk",)
    paginator = CappedPaginator
    actions = None

    change_form_template = "admin/cases/mail/change_form.html"
    readonly_fields = ("status_", "to_", "case_", "message_", "queued_", "sent_", "next_try_")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Mail]:
        """The mail the reader may see (A1); its long texts are read only when they are shown."""
        return super().get_queryset(request).select_related("case").defer("facts", "text", "html")

    def get_fieldsets(self, request: HttpRequest, obj: Mail | None = None) -> Any:
        """The facts of its delivery; those that say nothing of this message are left out."""
        rows: list[Any] = [("status_", "attempts"), ("to_", "case_"), ("queued_", "sent_")]
        if obj is not None:
            rows += [("next_try_",)] if obj.status == MailStatus.QUEUED else []
            rows += [name for name in ("last_error", "meant_for", "kept") if getattr(obj, name)]
        return ((None, {"fields": (*rows, "message_", "message_id")}),)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Mail], search_term: str
    ) -> tuple[QuerySet[Mail], bool]:
        """A case's number finds its mail, a Message-ID its message; else the beginning of an address."""
        term = search_term.strip()
        if not term:
            return queryset, False
        number = case_id_of(term)
        if number is not None:
            return queryset.filter(case=number), False
        if term.startswith("<"):
            return queryset.filter(message_id=term), False
        return queryset.filter(to_address__icontains=term), False

    # --- its columns and fields ---

    @display(description="Status")
    def status_(self, mail: Mail) -> SafeString:
        """What happened to it."""
        return badge("tone", "quiet", "Kept here") if mail.kept else mail_badge(mail.status)

    @display(description="To")
    def to_(self, mail: Mail) -> SafeString | str:
        """Its reader."""
        if not mail.to_name:
            return mail.to_address
        return format_html('{}<small class="desk-address">{}</small>', mail.to_name, mail.to_address)

    @display(description="Subject")
    def subject_(self, mail: Mail) -> str:
        """Its subject; while it has none yet, which message it is."""
        return mail.subject or message_label(mail.template)

    @display(description="Case")
    def case_(self, mail: Mail) -> SafeString | str:
        """The case it speaks of, with the way to it."""
        if mail.case is None:
            return "none"
        return format_html(
            '<a href="{}" class="text-primary-600 dark:text-primary-500 whitespace-nowrap">{}</a>',
            mail.case.get_absolute_url(),
            mail.case.number,
        )

    @display(description="Message")
    def message_(self, mail: Mail) -> str:
        """Which message it is."""
        return message_label(mail.template)

    @display(description="Queued")
    def queued_(self, mail: Mail) -> SafeString:
        """When its reason arose."""
        return moment_html(mail.queued_at, timezone.now(), "date")

    @display(description="Sent")
    def sent_(self, mail: Mail) -> SafeString | str:
        """When it left; while it waits, since when."""
        if mail.sent_at:
            return moment_html(mail.sent_at, timezone.now(), "date")
        waits = mail.status == MailStatus.QUEUED
        return format_html("waits since {}", self.queued_(mail)) if waits else "not sent"

    @display(description="Tried next")
    def next_try_(self, mail: Mail) -> SafeString:
        """When it is tried next, while it is queued."""
        return moment_html(mail.send_at, timezone.now())

    # --- its page ---

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Mail | None = None,
    ) -> HttpResponse:
        """The facts of its delivery, and the message as it was sent or as it would be sent now."""
        if obj is not None:
            may_send_again = can_go_again(obj) and holds(request, Right.WORK_CASES)
            context |= {
                "title": self.subject_(obj),
                "subtitle": None,
                "mail": obj,
                "would_be_dropped": stale_reason(obj, timezone.now()) if obj.status == MailStatus.QUEUED else "",
                "send_again_url": reverse("admin:cases_mail_send_again", args=[obj.pk]) if may_send_again else "",
                **_shown(obj),
            }
        return super().render_change_form(request, context, add, change, form_url, obj)

    def get_urls(self) -> list[URLPattern]:
        """One address more: to send a failed message again."""
        again = path(
            "<int:mail_id>/send-again/",
            self.admin_site.admin_view(self.send_again_view),
            name="cases_mail_send_again",
        )
        return [again, *super().get_urls()]

    def send_again_view(self, request: HttpRequest, mail_id: int) -> HttpResponse:
        """Queue a failed message once more (M2). POST only; 404 for a foreign one, 403 without the right (A1, A2)."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        mail = self.get_object(request, str(mail_id))
        if mail is None:
            raise Http404("There is no such message that you may see.")
        if not holds(request, Right.WORK_CASES):
            raise PermissionDenied("You may not send a message again: it takes the right of a technician.")
        try:
            send_again(mail, timezone.now())
        except ValueError as refused:
            messages.error(request, str(refused))
        else:
            self.log_change(request, mail, "Sent again.")
            messages.success(request, f"The message to {mail.to_address} is queued again.")
        return redirect("admin:cases_mail_change", mail.pk)


def _shown(mail: Mail) -> dict[str, Any]:
    """The message as kept; one that was never built is rendered now, or its error said (S4)."""
    if mail.html:
        return {"rendered": Rendered(mail.subject, mail.text, mail.html), "is_preview": mail.status != MailStatus.SENT}
    try:
        return {"rendered": render(mail), "is_preview": True}
    except Exception as error:  # whatever keeps a message from being built is what the reader wants to know
        return {"rendered": None, "cannot_be_built": f"{type(error).__name__}: {error}"}
