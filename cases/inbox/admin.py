"""Received mail in the admin: the list with its tabs, the page of a message, what a person decides (M5 to M7).

Who works cases sees every message; others see those of the cases that they may read (A1). Nothing of a message is shown
inside a page of the desk but text: its HTML stands in a sandboxed frame, cleaned and only when asked for, and its files
are downloads.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.db.models import Q, QuerySet
from django.db.models.functions import Left
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter

from cases.admin.case_list import CappedPaginator
from cases.admin.rows import moment_column
from cases.enums import ReceivedKind, ReceivedOutcome
from cases.files import scanner
from cases.files.download import as_download
from cases.files.store import path_of
from cases.guards import Refused
from cases.inbox.actions import DecisionForm
from cases.inbox.apply import message_of
from cases.inbox.html_page import CONTENT_SECURITY_POLICY, STYLE, clean_html
from cases.inbox.shown import file_lines, not_yet_carried_out
from cases.inbox.suggestions import found_cases, found_contacts, suggest
from cases.inbox.tabs import NO_FILTER, TRIAGE, in_tab, tab_of, tabs_of
from cases.inbox.triage import became, clock_of, dismiss_all, plan_of, take_back
from cases.mail.incoming import html_of
from cases.models import ReceivedMail, case_id_of
from cases.policy.file_types import UNKNOWN
from cases.templatetags.case_page import badge
from contacts.enums import Right
from contacts.pages import link
from contacts.permissions import CountedChangeList, RightsAdmin, has_right, id_of, own_page, signed_in_user, who_may

#: Characters of own and of quoted words that a page shows; the raw message has the rest.
LONGEST_SHOWN = 20_000
#: Characters of own words in the list.
SNIPPET = 160
#: How far the messages in triage are counted.
COUNTED_UP_TO = 1_000
#: Decisions that wait to be carried out, at the top of the list.
DECIDED_SHOWN = 100

_KIND_TONES = {
    ReceivedKind.PERSON: "info",
    ReceivedKind.BOUNCE: "bad",
    ReceivedKind.UNREADABLE: "bad",
}
_OUTCOME_TONES = {
    ReceivedOutcome.TRIAGE: "warn",
    ReceivedOutcome.LOGGED: "good",
    ReceivedOutcome.OPENED: "good",
    ReceivedOutcome.ANSWER: "good",
    ReceivedOutcome.BOUNCE: "bad",
}


class TabFilter(DropdownFilter):
    """Which messages: those in triage, everything, or one kind."""

    title = "which"
    parameter_name = "tab"

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        super().__init__(request, *args)
        #: The tab that the list shows, also when the address names none.
        self.in_force = tab_of(request)

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return tabs_of(signed_in_user(request))

    def queryset(self, request: HttpRequest, queryset: QuerySet[ReceivedMail]) -> QuerySet[ReceivedMail]:
        return in_tab(queryset, self.in_force)  # type: ignore[arg-type]


@dataclass(frozen=True)
class TabLink:
    """A tab above the list; only triage says how many messages it has."""

    label: str
    url: str
    chosen: bool
    count: str = ""


class ReceivedMailList(CountedChangeList):
    """The list of received mail under its tabs."""

    @property
    def tabs(self) -> list[TabLink]:
        """Triage is counted unless a search or a filter narrows the list: then the number would not be true."""
        tab = next(spec for spec in self.filter_specs if isinstance(spec, TabFilter))
        is_narrowed = any(value for name, value in self.params.items() if name not in NO_FILTER) or bool(self.query)
        return [
            TabLink(
                label,
                self.get_query_string({TabFilter.parameter_name: value}, ["p", "o"]),
                value == tab.in_force,
                _counted(in_tab(self.root_queryset, value)) if value == TRIAGE and not is_narrowed else "",
            )
            for value, label in tab.lookup_choices
        ]


def _counted(mails: QuerySet[ReceivedMail]) -> str:
    count = mails.order_by().values("pk")[: COUNTED_UP_TO + 1].count()
    return f"{COUNTED_UP_TO:,}+" if count > COUNTED_UP_TO else f"{count:,}"


@admin.register(ReceivedMail)
class ReceivedMailAdmin(RightsAdmin):
    """Messages that came in: read by who works cases or reads the case, decided by who works cases (A1, M5)."""

    list_display = (
        "subject_display",
        "sender_display",
        "kind_display",
        "outcome_display",
        "case_display",
        "received_display",
    )
    counted_as = ("message", "messages")
    list_display_links = ("subject_display",)
    list_select_related = ("case",)
    list_filter = (TabFilter, ("kind", ChoicesDropdownFilter), ("outcome", ChoicesDropdownFilter))
    list_filter_submit = True
    list_fullwidth = True
    list_before_template = "admin/cases/receivedmail/tabs.html"
    search_fields = ("sender",)
    search_help_text = "Case number, sender, words of the subject, or Message-ID"
    sortable_by = ()
    paginator = CappedPaginator
    actions = ("dismiss_selected",)
    change_form_template = "admin/cases/receivedmail/change_form.html"
    fields = readonly_fields = ("subject", "sender")

    received_display = moment_column("received_at", "Came in", "distance")

    # --- the list ---

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReceivedMail]:
        """The messages that the reader may see (A1), for a list: only the beginning of their words."""
        rows = super().get_queryset(request).select_related("case")
        return rows.annotate(snippet=Left("text", SNIPPET)).defer("text", "quoted", "why", "proof", "explanation")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ReceivedMailList

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """In triage whoever waits longest goes first; elsewhere the newest."""
        return ("received_at", "pk") if tab_of(request) == TRIAGE else ("-received_at", "-pk")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ReceivedMail], search_term: str
    ) -> tuple[QuerySet[ReceivedMail], bool]:
        """A case's number finds its mail, a Message-ID its message; other words are part of sender or subject."""
        term = search_term.strip()
        number = case_id_of(term)
        if number is not None:
            return queryset.filter(case=number), False
        if term.startswith("<"):
            return queryset.filter(message_id=term), False
        for word in term.split()[:8]:
            queryset = queryset.filter(_has_word(word))
        return queryset, False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """What may be done with selected messages: nothing, without the right to decide about one."""
        return super().get_actions(request) if has_right(request, Right.WORK_CASES) else {}

    def list_context(self, request: HttpRequest) -> dict[str, Any]:
        """What was decided and can still be undone, above the list."""
        if not has_right(request, Right.WORK_CASES):
            return {}
        rows = ReceivedMail.objects.visible_to(request.user).filter(carry_out_at__isnull=False)
        rows = rows.select_related("decided_by", "decided_case", "decided_contact__company")
        decided = not_yet_carried_out(rows.defer("text", "quoted").order_by("carry_out_at")[:DECIDED_SHOWN])
        return {"decided": [_in_words(one.mails, plan_of(one.first)) for one in decided]}

    @admin.action(description="Dismiss what is selected")
    def dismiss_selected(self, request: HttpRequest, mails: QuerySet[ReceivedMail]) -> None:
        """Dismiss every selected message that waits in triage (M5)."""
        chosen = list(mails.order_by("pk"))
        done = dismiss_all([mail.pk for mail in chosen], signed_in_user(request), timezone.now())
        left = len(chosen) - done
        if left:
            said = "One of them does" if left == 1 else f"{left} of them do"
            messages.warning(request, f"{said} not wait for a decision any more, and stayed as it was.")

    @admin.display(description="Subject")
    def subject_display(self, mail: ReceivedMail) -> SafeString:
        """With the first words of the message, and a clip where files came with it."""
        clip = format_html(' <span class="desk-mail-files">{} file{}</span>', mail.files, "s" if mail.files > 1 else "")
        return format_html(
            '<span class="desk-cut">{}</span>{}<small class="desk-mail-words">{}</small>',
            mail.subject or "No subject",
            clip if mail.files else "",
            " ".join(mail.snippet.split()),  # type: ignore[attr-defined]
        )

    @admin.display(description="From")
    def sender_display(self, mail: ReceivedMail) -> SafeString | str:
        if not mail.sender_name:
            return mail.sender or "nobody"
        return format_html('{}<small class="desk-address">{}</small>', mail.sender_name, mail.sender)

    @admin.display(description="Who speaks")
    def kind_display(self, mail: ReceivedMail) -> SafeString:
        return badge("tone", _KIND_TONES.get(ReceivedKind(mail.kind), "quiet"), mail.get_kind_display())

    @admin.display(description="What became of it")
    def outcome_display(self, mail: ReceivedMail) -> SafeString:
        return badge("tone", _OUTCOME_TONES.get(ReceivedOutcome(mail.outcome), "quiet"), mail.get_outcome_display())

    @admin.display(description="Case")
    def case_display(self, mail: ReceivedMail) -> str:
        return link(mail.case.get_absolute_url(), mail.case.number, "whitespace-nowrap") if mail.case else "none"

    # --- the page of one message ---

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> ReceivedMail | None:
        """The message with everybody its page names, or None for one that the reader may not see (A1)."""
        key = id_of(object_id)
        everybody = ReceivedMail.objects.visible_to(request.user).select_related(
            "case__company", "contact__company", "decided_by", "decided_case", "decided_contact__company", "answers"
        )
        return everybody.filter(pk=key).first() if key is not None else None

    def form_context(self, request: HttpRequest, row: ReceivedMail) -> dict[str, Any]:
        """The message, what became of it, and what somebody who may decide about it can do."""
        may_decide = has_right(request, Right.WORK_CASES)
        context: dict[str, Any] = {
            "title": row.subject or "Mail without a subject",
            "subtitle": None,
            "mail": row,
            "kind_badge": self.kind_display(row),
            "outcome_badge": self.outcome_display(row),
            "own": row.text[:LONGEST_SHOWN],
            "quoted": row.quoted[:LONGEST_SHOWN],
            "is_cut": max(len(row.text), len(row.quoted)) > LONGEST_SHOWN,
            "shows_html": "html" in request.GET,
            "may_decide": may_decide,
            "may_read_raw": request.user.is_superuser,
            "became": became(row),
            **_of_raw_message(row),
        }
        if may_decide and row.outcome == ReceivedOutcome.TRIAGE:
            context["next_url"] = _next_in_triage(row)
            if row.decision:
                context["decided"] = _in_words((row,), plan_of(row))
            else:
                context |= self._choices(request, row)
        return context

    def _choices(self, request: HttpRequest, mail: ReceivedMail) -> dict[str, Any]:
        """What is suggested for a message, and what was looked for."""
        user = signed_in_user(request)
        suggested = suggest(mail, user)
        case_words, person_words = request.GET.get("case", "").strip(), request.GET.get("person", "").strip()
        return {
            "suggested": suggested,
            "case_words": case_words,
            "cases_found": found_cases(case_words, suggested.contact, user),
            "person_words": person_words,
            "people_found": found_contacts(person_words),
            "new_contact_url": _new_contact_url(request, mail, suggested.colleagues),
        }

    @own_page("<int:mail_id>/find/", "find")
    def find_view(self, request: HttpRequest, mail_id: int) -> HttpResponse:
        """What a search for a case or a person finds, as a part of the page."""
        mail = self._found(request, mail_id)
        _check_may_decide(request)
        return TemplateResponse(
            request,
            f"admin/cases/receivedmail/{'cases' if 'case' in request.GET else 'people'}_found.html",
            {"mail": mail, "may_decide": True, **self._choices(request, mail)},
        )

    @own_page("<int:mail_id>/decide/", "decide", "POST")
    def decide_view(self, request: HttpRequest, mail_id: int) -> HttpResponse:
        """Write a decision down (M5): 404 for a message that is not to be seen, 403 without the right (A1, A2)."""
        mail = self._found(request, mail_id)
        _check_may_decide(request)
        form = DecisionForm(signed_in_user(request), request.POST)
        try:
            if not form.is_valid():
                raise Refused(form.first_sentence)
            mail = form.carry_out(mail.pk, timezone.now())
        except Refused as refused:
            messages.error(request, refused.sentence)
        else:
            self.log_change(request, mail, f"Decided: {plan_of(mail)}.")
        return redirect("admin:cases_receivedmail_change", mail.pk)

    @own_page("undo/", "undo", "POST")
    def undo_view(self, request: HttpRequest) -> HttpResponse:
        """Undo what was decided about one or several messages, and go back to where the button was (M5)."""
        _check_may_decide(request)
        keys = [key for text in request.POST.getlist("mail")[:DECIDED_SHOWN] if (key := id_of(text)) is not None]
        try:
            number = take_back(keys, signed_in_user(request))
        except Refused as refused:
            messages.error(request, refused.sentence)
        else:
            waits = "The message waits" if number == 1 else f"{number} messages wait"
            messages.success(request, f"{waits} in triage again; nothing else has happened.")
            for mail in ReceivedMail.objects.filter(pk__in=keys).defer("text", "quoted"):
                self.log_change(request, mail, "Brought back to triage.")
        if request.POST.get("from") == "page" and len(keys) == 1:
            return redirect("admin:cases_receivedmail_change", keys[0])
        return redirect(f"{reverse('admin:cases_receivedmail_changelist')}?tab={TRIAGE}")

    # --- what came with it ---

    @own_page("<int:mail_id>/html/", "html")
    def html_view(self, request: HttpRequest, mail_id: int) -> HttpResponse:
        """The HTML of a message, cleaned, for the frame on its page (M7)."""
        raw = _raw_of(self._found(request, mail_id))
        cleaned = clean_html(html_of(raw))
        context = {"body": cleaned.body, "is_cut": cleaned.is_cut, "style": STYLE}
        answer = TemplateResponse(request, "admin/cases/receivedmail/html.html", context)
        answer["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        answer["X-Frame-Options"] = "SAMEORIGIN"
        answer["Referrer-Policy"] = "no-referrer"
        return answer

    @own_page("<int:mail_id>/files/<int:place>/<str:name>", "file")
    def file_view(self, request: HttpRequest, mail_id: int, place: int, name: str) -> HttpResponseBase:
        """A file of a message as a download. Raises Http404 for one that it does not have."""
        mail = self._found(request, mail_id)
        try:
            files = message_of(mail).attachments
        except Refused as gone:
            raise Http404(gone.sentence) from gone
        if place >= len(files) or files[place].name != name:
            raise Http404("There is no such file.")
        if reason := scanner.why_not(ContentFile(files[place].data)):
            messages.error(request, f"“{name}” {reason}.")
            return redirect("admin:cases_receivedmail_change", mail.pk)
        return _download(files[place].data, name)

    @own_page("<int:mail_id>/raw/", "raw")
    def raw_view(self, request: HttpRequest, mail_id: int) -> HttpResponseBase:
        """The message as it came, for administrators."""
        mail = self._found(request, mail_id)
        if not request.user.is_superuser:
            raise PermissionDenied("You may not read the raw message: that is for administrators.")
        return _download(_raw_of(mail), f"message-{mail.pk}.eml")

    def _found(self, request: HttpRequest, mail_id: int) -> ReceivedMail:
        mail = self.get_object(request, str(mail_id))
        if mail is None:
            raise Http404("There is no such message that you may see.")
        return mail


def _has_word(word: str) -> Any:
    return Q(sender__icontains=word) | Q(sender_name__icontains=word) | Q(subject__icontains=word)


def _check_may_decide(request: HttpRequest) -> None:
    """Raises PermissionDenied (A2)."""
    if not has_right(request, Right.WORK_CASES):
        raise PermissionDenied(f"You may not decide about a message: that is for {who_may(Right.WORK_CASES)}.")


def _in_words(mails: tuple[ReceivedMail, ...], plan: str) -> dict[str, Any]:
    """A decision that can be undone, for the templates."""
    first = mails[0]
    number = len(mails)
    return {
        "mails": mails,
        "plan": plan if number == 1 else f"Dismisses {number} messages",
        "by": first.decided_by,
        "at": clock_of(first.carry_out_at) if first.carry_out_at else "",
        "subject": first.subject if number == 1 else "",
        "asks_again_in": max(1, round((first.carry_out_at - timezone.now()).total_seconds()) + 10)
        if first.carry_out_at
        else 0,
    }


def _of_raw_message(mail: ReceivedMail) -> dict[str, Any]:
    """The files of a message and whether it has HTML; the sentence that says why its bytes cannot be read."""
    try:
        raw = _bytes_of(mail)
        files = file_lines(message_of(mail)) if mail.files else []
    except (OSError, Refused):
        return {"gone": "The raw message is not on the desk's disk any more: its files and its HTML cannot be shown."}
    return {"files": files, "has_html": b"text/html" in raw.lower()}


def _bytes_of(mail: ReceivedMail) -> bytes:
    return path_of(mail.stored_as).read_bytes()


def _raw_of(mail: ReceivedMail) -> bytes:
    """Raises Http404 if the file is gone."""
    try:
        return _bytes_of(mail)
    except OSError as error:
        raise Http404("The raw message is not on the desk's disk any more.") from error


def _download(data: bytes, name: str) -> HttpResponseBase:
    return as_download(io.BytesIO(data), name, UNKNOWN)


def _next_in_triage(mail: ReceivedMail) -> str:
    """The address of the message that waits longest, apart from this one; "" for none."""
    waiting = ReceivedMail.objects.in_triage().exclude(pk=mail.pk).order_by("received_at", "pk")
    key = waiting.values_list("pk", flat=True).first()
    return reverse("admin:cases_receivedmail_change", args=[key]) if key is not None else ""


def _new_contact_url(request: HttpRequest, mail: ReceivedMail, colleagues: list[Any]) -> str:
    """The form for a new contact, filled in from the message; "" for whoever may not add one."""
    if not has_right(request, Right.EDIT_DIRECTORY):
        return ""
    companies = {one.company_id for one in colleagues}
    known = {"company": companies.pop()} if len(companies) == 1 else {}
    values = {"name": (mail.sender_name or mail.sender)[:120], "email": mail.sender, **known}
    return f"{reverse('admin:contacts_contact_add')}?{urlencode(values)}"
