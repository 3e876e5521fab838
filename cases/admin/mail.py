"""The outbox in the admin: each message with its delivery (M1). Read only; failed messages may be sent again.

Who reads a case reads its mail (A1). The HTML of a message is shown in a sandboxed frame, where nothing in it can run
or reach the page around it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter

from cases.admin.case_list import CappedPaginator
from cases.admin.rows import moment_column
from cases.engine.watch import mail_state
from cases.enums import WENT_WRONG, MailStatus
from cases.mail.messages import MESSAGES, Message, Readers, message_label
from cases.mail.outbox import can_go_again, send_again, send_all_again
from cases.mail.reasons import stale_reason
from cases.mail.rendering import Rendered, render
from cases.mail.samples import PURPOSES, sample_mail
from cases.models import Mail, case_id_of
from cases.templatetags.case_page import badge, mail_badge, moment_html
from contacts.enums import Right
from contacts.pages import link
from contacts.permissions import RightsAdmin, has_right, own_page, signed_in_user, who_may


class TemplateFilter(DropdownFilter):
    title = "message"
    parameter_name = "template"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [(name, message_label(name)) for name in sorted(MESSAGES)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Mail]) -> QuerySet[Mail]:
        return queryset.filter(template=self.value()) if self.value() else queryset


class StuckFilter(DropdownFilter):
    title = "stuck"
    parameter_name = "stuck"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [
            ("server", "Waits for the mail server"),
            ("tried", "Tried in vain, tried again"),
            ("late", f"Waits for more than {settings.DESK_MAIL_LATE_AFTER_MINUTES} minutes"),
            ("lost", "Failed or bounced"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Mail]) -> QuerySet[Mail]:
        late = timezone.now() - timedelta(minutes=settings.DESK_MAIL_LATE_AFTER_MINUTES)
        kinds = {
            "server": Q(status=MailStatus.QUEUED, held_up_at__isnull=False),
            "tried": Q(status=MailStatus.QUEUED, attempts__gt=0),
            "late": Q(status=MailStatus.QUEUED, queued_at__lt=late),
            "lost": Q(status__in=WENT_WRONG),
        }
        return queryset.filter(kinds[self.value()]) if self.value() in kinds else queryset


@admin.register(Mail)
class MailAdmin(RightsAdmin):
    """Mail: read by whoever reads its case, written by nobody; sent again by those who work cases (A1, M1)."""

    list_display = ("subject_display", "to_display", "case_display", "status_display", "sent_display", "attempts")
    counted_as = ("message", "messages")
    list_display_links = ("subject_display",)
    list_select_related = ("case",)
    list_filter = (("status", ChoicesDropdownFilter), StuckFilter, TemplateFilter)
    list_filter_submit = True
    list_fullwidth = True
    search_fields = ("to_address",)
    search_help_text = "Case number, recipient's address or Message-ID"
    sortable_by = ()
    ordering = ("-pk",)
    paginator = CappedPaginator
    actions = ("send_selected_again",)

    list_before_template = "admin/cases/mail/stuck.html"
    change_form_template = "admin/cases/mail/change_form.html"
    readonly_fields = (
        "status_display",
        "to_display",
        "case_display",
        "message_display",
        "queued_display",
        "sent_display",
        "next_try_display",
        "held_up_display",
    )

    queued_display = moment_column("queued_at", "Queued", "date")
    next_try_display = moment_column("send_at", "Tried next")
    held_up_display = moment_column("held_up_at", "Held up by the mail server since")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Mail]:
        """The mail the reader may see (A1); its long texts are read only when they are shown."""
        return super().get_queryset(request).select_related("case").defer("facts", "text", "html")

    def get_fieldsets(self, request: HttpRequest, obj: Mail | None = None) -> Any:
        """The delivery of this message, without the fields that are empty."""
        rows: list[Any] = [("status_display", "attempts"), ("to_display", "case_display")]
        rows += [("queued_display", "sent_display")]
        if obj is not None:
            rows += [("next_try_display",)] if obj.status == MailStatus.QUEUED else []
            rows += [name for name in ("last_error", "meant_for", "kept") if getattr(obj, name)]
            rows += ["held_up_display"] if obj.held_up_at else []
        return ((None, {"fields": (*rows, "message_display", "message_id")}),)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Mail], search_term: str
    ) -> tuple[QuerySet[Mail], bool]:
        """A case's number finds its mail, a Message-ID its message; anything else is part of an address."""
        term = search_term.strip()
        number = case_id_of(term)
        if number is not None:
            return queryset.filter(case=number), False
        if term.startswith("<"):
            return queryset.filter(message_id=term), False
        return queryset.filter(to_address__icontains=term), False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """What may be done with selected messages: nothing, without the right to send one again."""
        return super().get_actions(request) if has_right(request, Right.WORK_CASES) else {}

    @admin.action(description="Send again those that failed")
    def send_selected_again(self, request: HttpRequest, mails: QuerySet[Mail]) -> None:
        """Queue every selected message that failed once more (M2)."""
        chosen = list(mails.order_by("pk"))
        done = send_all_again(chosen, timezone.now())
        said = [
            f"{number:,} {'message' if number == 1 else 'messages'} {what}"
            for number, what in (
                (done.queued, "queued again"),
                (done.dropped, "dropped, because the reason no longer holds"),
                (done.left, "left alone, because only a message that failed can be sent again"),
            )
            if number
        ]
        self.message_user(request, f"{'; '.join(said)}.", messages.SUCCESS if done.queued else messages.WARNING)
        for mail in chosen:
            self.log_change(request, mail, "Sent again, among others.")

    def list_context(self, request: HttpRequest) -> dict[str, Any]:
        """What is stuck, above the list, for those who watch the engine (S3)."""
        if not has_right(request, Right.WATCH_THE_ENGINE):
            return {}
        return {"mail_state": mail_state(timezone.now())}

    # --- columns and fields ---

    @admin.display(description="Status")
    def status_display(self, mail: Mail) -> SafeString:
        return badge("tone", "quiet", "Kept here") if mail.kept else mail_badge(mail.status)

    @admin.display(description="To")
    def to_display(self, mail: Mail) -> str:
        if not mail.to_name:
            return mail.to_address
        return format_html('{}<small class="desk-address">{}</small>', mail.to_name, mail.to_address)

    @admin.display(description="Subject")
    def subject_display(self, mail: Mail) -> str:
        """A message that was never built has no subject yet."""
        return mail.subject or message_label(mail.template)

    @admin.display(description="Case")
    def case_display(self, mail: Mail) -> str:
        return link(mail.case.get_absolute_url(), mail.case.number, "whitespace-nowrap") if mail.case else "none"

    @admin.display(description="Message")
    def message_display(self, mail: Mail) -> str:
        return message_label(mail.template)

    @admin.display(description="Sent")
    def sent_display(self, mail: Mail) -> str:
        if mail.sent_at:
            return moment_html(mail.sent_at, timezone.now(), "date")
        waits = mail.status == MailStatus.QUEUED
        return format_html("waits since {}", self.queued_display(mail)) if waits else "not sent"

    # --- what messages look like ---

    @own_page("previews/", "previews")
    def previews_view(self, request: HttpRequest) -> HttpResponse:
        """Every message that the desk writes, with what it is for (M4). Raises PermissionDenied."""
        _may_preview(request)
        kinds = [
            {"title": title, "rows": [row for row in _previewed() if row.message.to is readers]}
            for title, readers in (("To customers", Readers.CUSTOMER), ("To staff", Readers.STAFF))
        ]
        context = self.admin_site.each_context(request) | {"title": "Message previews"}
        return TemplateResponse(request, "admin/cases/mail/previews.html", context | {"kinds": kinds})

    @own_page("previews/<slug:name>/", "preview")
    def preview_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """A message with sample facts, in each language in which it is written; nothing is stored (M4).

        Raises PermissionDenied, Http404.
        """
        _may_preview(request)
        if name not in MESSAGES:
            raise Http404(f"There is no message “{name}”.")
        to_customer = MESSAGES[name].to is Readers.CUSTOMER
        written = settings.LANGUAGES if to_customer else settings.LANGUAGES[:1]
        context = self.admin_site.each_context(request) | {
            "title": f"Preview: {message_label(name)}",
            "purpose": PURPOSES[name],
            "readers": "customers" if to_customer else "staff",
            "versions": [
                {
                    "language": label,
                    "code": code,
                    "rendered": render(sample_mail(name, code, signed_in_user(request).time_zone)),
                }
                for code, label in written
            ],
        }
        return TemplateResponse(request, "admin/cases/mail/preview.html", context)

    # --- the page of one message ---

    def form_context(self, request: HttpRequest, row: Mail) -> dict[str, Any]:
        """The message, which stands below its delivery: as it was sent, or as it would be sent now."""
        may_send_again = can_go_again(row) and has_right(request, Right.WORK_CASES)
        return {
            "title": self.subject_display(row),
            "subtitle": None,
            "mail": row,
            "would_be_dropped": stale_reason(row, timezone.now()) if row.status == MailStatus.QUEUED else "",
            "send_again_url": reverse("admin:cases_mail_send_again", args=[row.pk]) if may_send_again else "",
            **_rendered(row),
        }

    @own_page("<int:mail_id>/send-again/", "send_again", "POST")
    def send_again_view(self, request: HttpRequest, mail_id: int) -> HttpResponse:
        """Queue a failed message once more (M2): 404 for a foreign one, 403 without the right (A1, A2)."""
        mail = self.get_object(request, str(mail_id))
        if mail is None:
            raise Http404("There is no such message that you may see.")
        if not has_right(request, Right.WORK_CASES):
            raise PermissionDenied(f"You may not send a message again: that is for {who_may(Right.WORK_CASES)}.")
        try:
            stale = send_again(mail, timezone.now())
        except ValueError as refused:
            messages.error(request, str(refused))
        else:
            self.log_change(request, mail, "Sent again." if not stale else f"Dropped: {stale}")
            if stale:
                messages.warning(request, f"The message to {mail.to_address} is dropped instead: {stale}")
            else:
                messages.success(request, f"The message to {mail.to_address} is queued again.")
        return redirect("admin:cases_mail_change", mail.pk)


def may_preview(request: HttpRequest) -> bool:
    """Whether the signed-in person may see what messages look like."""
    return has_right(request, Right.PREVIEW_MAIL)


def _may_preview(request: HttpRequest) -> None:
    """Raises PermissionDenied."""
    if not may_preview(request):
        raise PermissionDenied(f"You may not preview messages: that is for {who_may(Right.PREVIEW_MAIL)}.")


@dataclass(frozen=True)
class PreviewedMessage:
    """A row of the list of previews."""

    message: Message
    label: str
    purpose: str


def _previewed() -> list[PreviewedMessage]:
    return [PreviewedMessage(each, message_label(each.name), PURPOSES[each.name]) for each in MESSAGES.values()]


def _rendered(mail: Mail) -> dict[str, Any]:
    """The message as kept; one that was never built is rendered now, or its error shown (S4)."""
    if mail.html:
        return {"rendered": Rendered(mail.subject, mail.text, mail.html), "is_preview": mail.status != MailStatus.SENT}
    try:
        return {"rendered": render(mail), "is_preview": True}
    except Exception as error:  # whatever keeps a message from being built is what the reader wants to know
        return {"rendered": None, "cannot_be_built": f"{type(error).__name__}: {error}"}
