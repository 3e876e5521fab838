"""The pages of the queue: the board, a caller's page, and the bar with an offered call on every page (Q2, Q3, Q4)."""

from __future__ import annotations

import hashlib
import re
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from cases.admin.rows import moment_column
from cases.chat import apply as chat
from cases.chat.state import chat_key, chat_lines, chat_standing, say_writing, stop_writing
from cases.chat.state import shown as shown_chats
from cases.enums import QueueState
from cases.guards import NotAllowed, Refused
from cases.models import Case, QueueEntry
from cases.once import SentAlready, only_once
from cases.queue import apply
from cases.queue.board import board_of
from cases.queue.state import mine_now
from cases.workflow.opening import turn_away, turn_away_sentence
from contacts.enums import Right
from contacts.models import Contact
from contacts.permissions import RightsAdmin, has_right, id_of, own_page, signed_in_user

WATCHERS = (Right.WORK_CASES, Right.WATCH_THE_ENGINE)
#: What differs in every answer.
_TOKEN = re.compile(r'<input type="hidden" name="csrfmiddlewaretoken"[^>]*>')
#: How many open cases, and how many people, a caller's page lists.
CASES_SHOWN, PEOPLE_SHOWN = 12, 20


@admin.register(QueueEntry)
class QueueEntryAdmin(RightsAdmin):
    """Every call there was, with what came of it. Rows are made by telephone systems and by the buttons, not here."""

    view_right = WATCHERS
    list_display = ["who_display", "company", "state_display", "arrived_display", "technician", "times_display", "case"]
    list_filter = ["state", "ending", "kind"]
    list_select_related = ["contact", "company", "technician", "case"]
    search_fields = ["number", "caller", "contact__name", "company__name"]
    list_before_template = "admin/cases/queue/to_board.html"
    readonly_fields = fields = ["kind", "number", "contact", "company", "state", "ending", "technician", "case"]

    arrived_display = moment_column("arrived_at", "Called", ordering="arrived_at")

    @admin.display(description="Caller")
    def who_display(self, entry: QueueEntry) -> str:
        return entry.who

    @admin.display(description="How it ended", ordering="state")
    def state_display(self, entry: QueueEntry) -> str:
        return entry.get_ending_display() or entry.get_state_display()

    @admin.display(description="Times")
    def times_display(self, entry: QueueEntry) -> str:
        return entry.times

    def _page(self, request: HttpRequest) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts, "app_label": self.opts.app_label}

    def _polled(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        """A fragment for a page that asks again and again; 204 while it shows the same already."""
        html = render_to_string(template, context, request)
        key = hashlib.sha256(_TOKEN.sub("", html).encode()).hexdigest()[:16]
        if request.GET.get("seen") == key:
            return HttpResponse(status=204)
        return HttpResponse(html, headers={"X-Desk-Key": key, "Cache-Control": "no-store"})

    # --- the board ---

    @own_page("board/", "board")
    def board_view(self, request: HttpRequest) -> HttpResponse:
        """Who waits, what the technicians do, callbacks, missed calls."""
        self._may_watch(request)
        context = {**self._page(request), "title": "Phone queue", **self._rows(request)}
        return TemplateResponse(request, "admin/cases/queue/board.html", context)

    @own_page("board/rows/", "board_rows")
    def board_rows_view(self, request: HttpRequest) -> HttpResponse:
        """What of the board changes."""
        self._may_watch(request)
        return self._polled(request, "admin/cases/queue/board_rows.html", self._rows(request))

    def _rows(self, request: HttpRequest) -> dict[str, Any]:
        now = timezone.now()
        board = board_of(signed_in_user(request), now)
        return {"board": board, "now": now, "may_work": has_right(request, Right.WORK_CASES)}

    def _may_watch(self, request: HttpRequest) -> None:
        if not has_right(request, WATCHERS):
            raise NotAllowed("The queue is read by whoever works cases or watches the desk.")

    # --- the bar ---

    @own_page("mine/", "mine")
    def mine_view(self, request: HttpRequest) -> HttpResponse:
        """The bar with what is offered to the reader or spoken by them; one query."""
        if not has_right(request, Right.WORK_CASES):
            return HttpResponse(status=204)
        return self._polled(request, "admin/cases/queue/bar.html", {"entry": mine_now(signed_in_user(request))})

    # --- a chat (P6) ---

    @own_page("<int:object_id>/chat/lines/", "chat_lines")
    def chat_lines_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """What is new in a chat since the key that the page shows, for its technician; 204 for nothing."""
        entry = self._chat(request, object_id)
        if request.GET.get("writing") == "1" and entry.state == QueueState.TALKING:
            say_writing(entry.pk, ours=True)
        if request.GET.get("key") == chat_key(entry, timezone.now()):
            return HttpResponse(status=204)
        return self._news(request, entry, request.GET.get("after", ""))

    @own_page("<int:object_id>/chat/say/", "chat_say", "POST")
    def chat_say_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """A line of the technician's, by the script of the page; 422 with the sentence for what is refused."""
        entry, user = self._chat(request, object_id), signed_in_user(request)
        words, files = request.POST.get("body", ""), request.FILES.getlist("attachments")
        try:
            with only_once(f"staff-{user.pk}", request.POST.get("once", "")):
                chat.answer(entry.pk, user, timezone.now(), words=words, files=files)
            stop_writing(entry.pk, ours=True)
        except SentAlready:
            pass  # the answer to the first one was lost on its way
        except Refused as refused:
            return JsonResponse({"error": refused.sentence}, status=422)
        return self._news(request, self._chat(request, object_id), request.POST.get("after", ""))

    def _chat(self, request: HttpRequest, object_id: int) -> QueueEntry:
        """A chat that the reader has taken. Raises Http404 for any other."""
        mine = QueueEntry.objects.chats().visible_to(request.user).filter(technician=signed_in_user(request))
        entry = shown_chats(mine.filter(pk=object_id)).first()
        if entry is None:
            raise Http404("There is no such chat that you have taken.")
        return entry

    def _news(self, request: HttpRequest, entry: QueueEntry, seen: str) -> HttpResponse:
        now, after = timezone.now(), id_of(seen) or 0
        context = {"chat": entry, "standing": chat_standing(entry, now), "chat_lines": chat_lines(entry, after)}
        return JsonResponse(
            {
                "lines": render_to_string("admin/cases/chat/line.html", context, request),
                "now": render_to_string("admin/cases/chat/now.html", context, request),
                "after": max(after, entry.newest or 0),  # type: ignore[attr-defined]
                "key": chat_key(entry, now),
                "open": entry.state == QueueState.TALKING,
            }
        )

    # --- the caller ---

    @own_page("<int:object_id>/caller/", "caller")
    def caller_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Who calls, what is open at their company, and what can be done (Q4)."""
        return self._caller(request, self._entry(request, object_id))

    def _entry(self, request: HttpRequest, object_id: int) -> QueueEntry:
        rows = QueueEntry.objects.visible_to(request.user)
        rows = rows.select_related("contact__company", "company", "technician", "line", "case", "interaction__case")
        entry = rows.filter(pk=object_id).first()
        if entry is None:
            raise Http404("There is no such call that you may see.")
        return entry

    def _caller(self, request: HttpRequest, entry: QueueEntry, sentence: str = "", status: int = 200) -> HttpResponse:
        user, contact = signed_in_user(request), entry.contact
        found = Case.objects.visible_to(user).open().filter(company=entry.company_id or 0)
        context = {
            **self._page(request),
            "title": f"{entry.get_kind_display()} of {entry.who}",
            "entry": entry,
            "now": timezone.now(),
            "sentence": sentence,
            "times": entry.times,
            "turned_away": turn_away_sentence(contact) if contact is not None and not contact.is_help_desk else "",
            "open_cases": list(found.select_related("owner").soonest_first()[:CASES_SHOWN]),
            "people": self._people(request, entry),
            "find": request.GET.get("find", ""),
            "is_mine": entry.technician_id == user.pk,
            "may_work": has_right(request, Right.WORK_CASES),
            "open_a_case": f"{reverse('admin:cases_case_add')}?{urlencode({'call': entry.pk})}",
        }
        return TemplateResponse(request, "admin/cases/queue/caller.html", context, status=status)

    def _people(self, request: HttpRequest, entry: QueueEntry) -> list[Contact]:
        """Who it may be: those of the company the number belongs to, or who match what was typed."""
        words = request.GET.get("find", "").split()[:5]
        if entry.contact is not None and not words:
            return []
        people = Contact.objects.visible_to(request.user).filter(active=True, company__active=True)
        for word in words:
            people = people.filter(name__icontains=word) | people.filter(company__name__icontains=word)
        if not words:
            people = people.filter(company=entry.company_id or 0)
        return list(people.select_related("company").order_by("-is_help_desk", "name")[:PEOPLE_SHOWN])

    # --- what people do ---

    @own_page("enter/", "enter", "POST")
    def enter_view(self, request: HttpRequest) -> HttpResponse:
        """A call comes in, written down by hand (Q5)."""
        user, posted = signed_in_user(request), request.POST
        try:
            taken = posted.get("taken") == "yes"
            entry = apply.enter_by_hand(user, timezone.now(), who=posted.get("who", ""), taken=taken)
        except NotAllowed:
            raise
        except Refused as refused:
            messages.error(request, refused.sentence)
            return redirect("admin:index")
        if taken:
            return redirect(entry)
        messages.success(request, f"{entry.who} is in the queue.")
        return redirect("admin:cases_queueentry_board")

    @own_page("ready/", "ready", "POST")
    def ready_view(self, request: HttpRequest) -> HttpResponse:
        """The wrap-up is over."""
        apply.say_ready(signed_in_user(request), timezone.now())
        messages.success(request, "You can be offered the next call.")
        return redirect("admin:cases_queueentry_board")

    @own_page("<int:object_id>/do/<slug:name>/", "do", "POST")
    def do_view(self, request: HttpRequest, object_id: int, name: str) -> HttpResponse:
        """A button of the board, the bar or the caller's page. What is refused is said on the caller's page (S4)."""
        entry = self._entry(request, object_id)
        try:
            return self._do(request, entry, name)
        except NotAllowed:
            raise
        except Refused as refused:
            return self._caller(request, self._entry(request, object_id), refused.sentence, 409)

    def _do(self, request: HttpRequest, entry: QueueEntry, name: str) -> HttpResponse:
        user, now, key = signed_in_user(request), timezone.now(), entry.pk
        board = redirect("admin:cases_queueentry_board")
        if name == "take":
            return redirect(apply.take(key, user, now))
        if name == "pass":
            apply.pass_on(key, user, now)
            return self._back(request)
        if name == "over":
            if entry.is_chat:
                chat.end(key, user, now)
            else:
                apply.say_over(key, user, now)
            messages.success(request, f"The {entry.get_kind_display().lower()} with {entry.who} is over.")
            return redirect(entry)
        if name == "later":
            apply.call_back_later(key, user, now)
            messages.success(request, f"{entry.who} will be called back.")
            return board
        if name in ("no-answer", "left-message"):
            apply.called_in_vain(key, user, now, left_message=name == "left-message")
            messages.success(request, f"{entry.who} was not reached; that is kept.")
            return board
        if name == "dismiss":
            apply.dismiss(key, user, now)
            messages.success(request, f"{entry.who} will not be called back.")
            return board
        if name == "name":
            apply.name_caller(key, user, now, contact=self._posted_contact(request))
            return redirect(entry)
        if name == "log":
            logged = apply.log_on(key, self._posted_case(request), user, now)
            messages.success(request, f"The call is logged on {logged.case.number}.")
            return redirect(entry)
        if name == "turn-away" and entry.contact is not None:
            refusal = turn_away(entry.contact, request.POST.get("about", ""), user, now)
            messages.success(request, refusal.told)
            return redirect(entry)
        raise Http404("There is no such button.")

    def _back(self, request: HttpRequest) -> HttpResponse:
        """To the page on which the bar stood."""
        came_from = request.headers.get("Referer", "")
        is_ours = url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure())
        return redirect(came_from if is_ours else reverse("admin:cases_queueentry_board"))

    def _posted_contact(self, request: HttpRequest) -> Contact:
        key = id_of(request.POST.get("contact", ""))
        contact = Contact.objects.visible_to(request.user).select_related("company").filter(pk=key or 0).first()
        if contact is None:
            raise Refused("Choose who calls.", "contact")
        return contact

    def _posted_case(self, request: HttpRequest) -> int:
        key = id_of(request.POST.get("case", ""))
        if key is None or not Case.objects.visible_to(request.user).filter(pk=key).exists():
            raise Refused("Choose a case.", "case")
        return key
