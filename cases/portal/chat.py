"""The pages of a chat (P6): begin one, write in it, what a page polls, its end, and its transcript by mail.

Without a script every form is sent as usual; with one the page asks for `lines` again and again, and nothing waits on
the server meanwhile.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.validators import MaxLengthValidator
from django.http import Http404, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cases.chat import apply as chat
from cases.chat.state import chat_of, is_writing, line_now, open_chat_of, say_writing, stop_writing
from cases.enums import QueueEnding, QueueState
from cases.guards import Refused
from cases.models import Case, QueueEntry
from cases.once import SentAlready, only_once
from cases.portal import apply
from cases.portal.forms import TOO_LONG, FilesToSend, OnceForm, OpenCaseForm, words_field
from cases.portal.pages import fresh, own_case, why_refused
from cases.portal.state import chat_lines
from cases.portal.visitors import CustomerRequest, contact_required
from contacts.permissions import id_of

#: Characters of a line; what is longer goes as a file, or as a message on the case.
LONGEST_LINE = 4000
#: How a script asks: it gets what is new, and no page.
BY_SCRIPT = "X-Chat"


class StartForm(OnceForm):
    """The first line of a chat about a case."""

    words = words_field(gettext_lazy("Your question"), gettext_lazy("Write what you want to ask."), 3)
    attachments = FilesToSend()


class NewQuestionForm(OnceForm):
    """A chat about something that no case is about yet."""

    title = forms.CharField(
        label=gettext_lazy("What is it about?"),
        max_length=OpenCaseForm.base_fields["title"].max_length,  # type: ignore[attr-defined]
        help_text=gettext_lazy("One line, as you would say it on the phone."),
        error_messages={"required": gettext_lazy("Say in one line what it is about.")},
    )
    words = words_field(gettext_lazy("Your question"), gettext_lazy("Write what you want to ask."), 4)
    attachments = FilesToSend()


class LineForm(OnceForm):
    words = forms.CharField(
        label=gettext_lazy("Write here"),
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off"}),
        error_messages={"required": gettext_lazy("Write what you want to tell us.")},
        validators=[MaxLengthValidator(LONGEST_LINE, TOO_LONG)],
    )
    attachments = FilesToSend()


# Beginning ------------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@contact_required
def new_question(request: CustomerRequest) -> HttpResponse:
    """Begin a chat with a new question; whoever is in a chat already is led there."""
    open_chat = open_chat_of(request.contact)
    if open_chat is not None:
        return redirect("support:chat", open_chat.case_id)
    if request.method != "POST":
        return _new_page(request, fresh(NewQuestionForm))
    form = NewQuestionForm(request.POST, request.FILES)

    def begin(sent: dict[str, Any], now: datetime) -> QueueEntry:
        return apply.start_chat_about_new(
            request.contact, now, title=sent["title"], words=sent["words"], files=sent["attachments"]
        )

    return _begun(request, form, begin) or _new_page(request, form)


def _new_page(request: CustomerRequest, form: OnceForm) -> HttpResponse:
    context = {"form": form, "line": line_now(timezone.now())}
    return render(request, "support/chat_new.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@contact_required
def page(request: CustomerRequest, case_id: int) -> HttpResponse:
    """The chat of the reader about a case, or the form that begins one; a chat about another case goes first."""
    case = own_case(request, case_id)
    if request.method == "POST":
        form = StartForm(request.POST, request.FILES)

        def begin(sent: dict[str, Any], now: datetime) -> QueueEntry:
            return apply.start_chat(request.contact, case.pk, now, words=sent["words"], files=sent["attachments"])

        return _begun(request, form, begin) or _start_page(request, case, form)
    mine = chat_of(request.contact, case.pk)
    if mine is not None and "new" not in request.GET:
        return _chat_page(request, case, mine, fresh(LineForm))
    open_chat = open_chat_of(request.contact)
    if open_chat is not None:
        messages.info(request, gettext("You are in a chat already; this is it."))
        return redirect("support:chat", open_chat.case_id)
    return _start_page(request, case, fresh(StartForm))


def _start_page(request: CustomerRequest, case: Case, form: OnceForm) -> HttpResponse:
    context = {"form": form, "case": case, "line": line_now(timezone.now())}
    return render(request, "support/chat_start.html", context, status=422 if form.errors else 200)


def _begun(
    request: CustomerRequest, form: OnceForm, begin: Callable[[dict[str, Any], datetime], QueueEntry]
) -> HttpResponse | None:
    """To the chat that a form begins; None where the form says why there is none."""
    if not form.is_valid():
        return None
    try:
        with only_once(str(request.contact.pk), form.cleaned_data["once"]):
            return redirect("support:chat", begin(form.cleaned_data, timezone.now()).case_id)
    except chat.InAnotherChat as mine:
        messages.info(request, gettext("You are in a chat already; this is it."))
        return redirect("support:chat", mine.entry.case_id)
    except SentAlready:
        open_chat = open_chat_of(request.contact)
        messages.info(request, gettext("This has arrived already; nothing was sent twice."))
        return redirect("support:chat", open_chat.case_id) if open_chat else redirect("support:home")
    except Refused as refusal:
        form.add_error(None, why_refused(refusal))
        return None


# The chat -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PublicChat:
    """Where a chat stands, as its customer reads it."""

    state: str  # "waiting", "open", "over" or "message"
    who: str
    is_writing: bool
    place: int
    minutes: int | None
    opens_at: datetime | None

    @property
    def goes_on(self) -> bool:
        return self.state in ("waiting", "open")


def _standing(entry: QueueEntry, now: datetime) -> PublicChat:
    """No query, but once in a few seconds for everybody who waits."""
    who = str(entry.technician) if entry.technician is not None and entry.taken_at is not None else ""
    if entry.state == QueueState.ENDED:
        state = "message" if entry.ending == QueueEnding.MESSAGE else "over"
        return PublicChat(state, who, False, 0, None, None)
    if entry.state == QueueState.TALKING:
        return PublicChat("open", who, is_writing(entry.pk, ours=True), 0, None, None)
    line = line_now(now)
    return PublicChat("waiting", "", False, *line.place(entry), line.japanese_opens_at(entry))


def _chat_page(request: CustomerRequest, case: Case, entry: QueueEntry, form: OnceForm) -> HttpResponse:
    now = timezone.now()
    chat.seen(entry, now)
    context = {
        "case": case,
        "chat": entry,
        "standing": _standing(entry, now),
        "lines": chat_lines(entry),
        "form": form,
        "key": _key(entry, _standing(entry, now)),
    }
    return render(request, "support/chat.html", context, status=422 if form.errors else 200)


def _key(entry: QueueEntry, standing: PublicChat) -> str:
    """Differs when the page has something else to show."""
    return (
        f"{entry.newest or 0}:{standing.state}:{standing.who}:{standing.is_writing}:{standing.place}:{standing.minutes}"  # type: ignore[attr-defined]
    )


def _what_is_new(request: CustomerRequest, entry: QueueEntry, after: int) -> dict[str, Any]:
    standing = _standing(entry, timezone.now())
    lines = chat_lines(entry, after) if (entry.newest or 0) > after else []  # type: ignore[attr-defined]
    context = {"standing": standing, "lines": lines, "chat": entry, "case": entry.case_id}
    return {
        "lines": render_to_string("support/chat_lines.html", context, request) if lines else "",
        "now": render_to_string("support/chat_now.html", context, request),
        "after": max(after, entry.newest or 0),  # type: ignore[attr-defined]
        "key": _key(entry, standing),
        "open": standing.goes_on,
    }


@require_GET
@contact_required
def lines(request: CustomerRequest, case_id: int) -> HttpResponse:
    """What is new in the chat since the key that the page shows; 204 for nothing. One query, two more for lines."""
    entry = _mine(request, case_id)
    chat.seen(entry, timezone.now())
    if request.GET.get("writing") == "1" and entry.state == QueueState.TALKING:
        say_writing(entry.pk, ours=False)
    if request.GET.get("key") == _key(entry, _standing(entry, timezone.now())):
        return HttpResponse(status=204)
    return JsonResponse(_what_is_new(request, entry, id_of(request.GET.get("after", "")) or 0))


def _mine(request: CustomerRequest, case_id: int) -> QueueEntry:
    """The reader's chat about a case of their company. Raises Http404."""
    entry = chat_of(request.contact, case_id)
    if entry is None:
        raise Http404
    return entry


@require_POST
@contact_required
def say(request: CustomerRequest, case_id: int) -> HttpResponseBase:
    """A line of the customer's. A script gets what is new, or 422 with the sentences."""
    by_script = BY_SCRIPT in request.headers
    entry, form = _mine(request, case_id), LineForm(request.POST, request.FILES)
    said = ""
    if "look" in request.POST:  # without a script: what is new, and nothing of what was typed is lost
        again = LineForm(initial={"once": secrets.token_urlsafe(12), "words": request.POST.get("words", "")})
        return _chat_page(request, own_case(request, case_id), entry, again)
    if form.is_valid():
        try:
            with only_once(str(request.contact.pk), form.cleaned_data["once"]):
                entry, line = chat.say(
                    request.contact,
                    entry.pk,
                    timezone.now(),
                    words=form.cleaned_data["words"],
                    files=form.cleaned_data["attachments"],
                )
                stop_writing(entry.pk, ours=False)
                if line.chat_id is None:
                    said = gettext("The chat was over; what you wrote stands on your case as a message.")
        except SentAlready:
            pass  # the answer to the first one was lost on its way
        except Refused as refusal:
            form.add_error(None, why_refused(refusal))
    if form.errors:
        if by_script:
            return JsonResponse(
                {"error": " ".join(str(text) for texts in form.errors.values() for text in texts)}, status=422
            )
        return _chat_page(request, own_case(request, case_id), entry, form)
    if by_script and not said:
        return JsonResponse(_what_is_new(request, _mine(request, case_id), id_of(request.POST.get("after", "")) or 0))
    if said:
        messages.success(request, said)
    if by_script:
        return JsonResponse({"go": reverse("support:case", args=[case_id])})
    return redirect("support:case" if said else "support:chat", case_id)


@require_POST
@contact_required
def leave(request: CustomerRequest, case_id: int) -> HttpResponse:
    """The customer ends the chat; before anybody answered it becomes a message."""
    entry = chat.leave(request.contact, _mine(request, case_id).pk, timezone.now())
    chat.offer(timezone.now())
    if entry.ending == QueueEnding.MESSAGE:
        messages.success(request, gettext("What you wrote stands on your case as a message; we answer you there."))
        return redirect("support:case", case_id)
    return redirect("support:chat", case_id)


@require_POST
@contact_required
def transcript(request: CustomerRequest, case_id: int) -> HttpResponse:
    """Mail the chat to the reader."""
    if chat.mail_transcript(request.contact, _mine(request, case_id).pk, timezone.now()):
        messages.success(request, gettext("The chat is on its way to you by mail."))
    else:
        messages.error(request, gettext("We could not mail it to you; it stands on your case."))
    return redirect("support:chat", case_id)
