"""The pages of a customer's cases: the list, one case, and opening a new one (P2 to P5)."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cases.files.download import as_download
from cases.files.store import FileMissing, open_file
from cases.guards import Refused
from cases.models import Case
from cases.once import ONCE_FOR, SentAlready, only_once
from cases.policy.intake import suggested_severity
from cases.policy.severity import DEFINITIONS
from cases.portal import apply
from cases.portal.forms import AnswerForm, EscalateForm, FilterForm, NotBeforeForm, OnceForm, OpenCaseForm, SolvedForm
from cases.portal.search import Wanted, find_cases
from cases.portal.state import cases_of, public_case, public_lines, readable_file
from cases.portal.visitors import CustomerRequest, contact_required, same_address_elsewhere
from contacts.permissions import id_of

log = logging.getLogger(__name__)

#: So many cases that look alike are shown before a new one is sent.
ALIKE = 5


def fresh(form: type[OnceForm], **initial: Any) -> OnceForm:
    """An empty form that may be sent once."""
    return form(initial={"once": secrets.token_urlsafe(12), **initial})


# The list -------------------------------------------------------------------------------------------------------------


@require_GET
@contact_required
def case_list(request: CustomerRequest) -> HttpResponse:
    """The company's cases, those that wait for them first among the open ones of the page (P2, P5)."""
    form = FilterForm(request.GET or None, request.contact)
    wanted = _wanted(form, request.GET.get("page", ""))
    page = find_cases(request.contact, wanted)
    lines = public_lines(page.cases, timezone.now())
    if not wanted.typed:
        lines.sort(key=lambda line: not line.is_your_turn)
    narrowed = request.GET.copy()
    narrowed.pop("page", None)
    context = {
        "form": form,
        "wanted": wanted,
        "lines": lines,
        "has_more": page.has_more,
        "address": narrowed.urlencode(),
        "elsewhere": same_address_elsewhere(request.contact),
        "has_any": bool(lines) or cases_of(request.contact).exists(),
    }
    return render(request, "support/cases.html", context)


def _wanted(form: FilterForm, page: str) -> Wanted:
    number = max(1, min(id_of(page) or 1, 1000))
    if not form.is_bound:
        return Wanted(page=number)
    form.is_valid()
    found = form.cleaned_data
    contact = found.get("contact")
    return Wanted(
        typed=found.get("q") or "",
        state=found.get("state") or ("all" if found.get("q") else "open"),
        contact_id=contact.pk if contact else None,
        since=found.get("since"),
        until=found.get("until"),
        page=number,
    )


# One case -------------------------------------------------------------------------------------------------------------


@require_GET
@contact_required
def case_page(request: CustomerRequest, case_id: int) -> HttpResponse:
    """A case of their company; Http404 for any other one (A1)."""
    return _case_page(request, own_case(request, case_id))


def own_case(request: CustomerRequest, case_id: int) -> Case:
    case = cases_of(request.contact).filter(pk=case_id).first()
    if case is None:
        raise Http404
    return case


def _case_page(request: CustomerRequest, case: Case, refused: dict[str, OnceForm] | None = None) -> HttpResponse:
    """The page with its forms; one that was refused keeps what was typed."""
    shown = public_case(case, timezone.now())
    forms_of_page = {
        "answer": fresh(AnswerForm),
        "solved": fresh(SolvedForm),
        "not_before": fresh(NotBeforeForm),
        "escalate": fresh(EscalateForm),
    }
    context = {"case": shown, "forms": forms_of_page | (refused or {}), "opened": next(iter(refused or {}), "")}
    return render(request, "support/case.html", context, status=422 if refused else 200)


def _acts(
    name: str, kind: type[OnceForm]
) -> Callable[
    [Callable[[CustomerRequest, Case, Any, datetime], str]], Callable[[CustomerRequest, int], HttpResponseBase]
]:
    """A page that takes one form of a case: acts once, says so, and goes back to the case."""

    def wrap(
        act: Callable[[CustomerRequest, Case, Any, datetime], str],
    ) -> Callable[[CustomerRequest, int], HttpResponseBase]:
        @require_POST
        @contact_required
        def page(request: CustomerRequest, case_id: int) -> HttpResponse:
            case = own_case(request, case_id)
            form = kind(request.POST, request.FILES)
            if not form.is_valid():
                return _case_page(request, case, {name: form})
            try:
                with only_once(str(request.contact.pk), form.cleaned_data["once"]):
                    said = act(request, case, form.cleaned_data, timezone.now())
            except SentAlready:
                said = gettext("This has arrived already; nothing was sent twice.")
            except Refused as refusal:
                log.info("support page: %s on %s refused: %s", name, case.number, refusal.sentence)
                form.add_error(None, why_refused(refusal))
                return _case_page(request, own_case(request, case_id), {name: form})
            messages.success(request, said)
            return redirect("support:case", case_id)

        return page

    return wrap


def why_refused(refusal: Refused) -> str:
    """The refusal of a move in the reader's words: those of the desk are for staff, and in English."""
    if refusal.field == "back_on":
        return gettext("Choose a day after today, at most a year ahead.")
    if refusal.field == "attachments":
        return gettext("The files could not be kept just now. Send your message without them, and the files later.")
    return gettext(
        "This is not possible as the case stands now; nothing was changed. Look at it once more, or write to us."
    )


@_acts("answer", AnswerForm)
def answer(request: CustomerRequest, case: Case, sent: Any, now: datetime) -> str:
    apply.answer(request.contact, case.pk, now, words=sent["words"], files=sent["attachments"])
    return gettext("Thank you; your message has arrived.")


@_acts("solved", SolvedForm)
def solved(request: CustomerRequest, case: Case, sent: Any, now: datetime) -> str:
    words = sent["words"].strip() or gettext("This solved it.")
    if apply.confirm_solved(request.contact, case.pk, now, words=words):
        return gettext("Thank you. The case is closed; if it comes back, write to us here.")
    return gettext("Thank you. We close the case as soon as its specialist has read this.")


@_acts("not_before", NotBeforeForm)
def not_before(request: CustomerRequest, case: Case, sent: Any, now: datetime) -> str:
    apply.not_before(request.contact, case.pk, now, day=sent["day"], words=sent["words"])
    return gettext("We do not turn to you about this before then.")


@_acts("escalate", EscalateForm)
def escalate(request: CustomerRequest, case: Case, sent: Any, now: datetime) -> str:
    apply.escalate(request.contact, case.pk, now, impact=sent["impact"], reason=sent["reason"])
    return gettext("Your request is with our management. You hear their decision, and why.")


@require_GET
@contact_required
def file(request: CustomerRequest, case_id: int, file_id: int, name: str) -> HttpResponseBase:
    """A file of a conversation, always as a download. Raises Http404 for what they may not read."""
    attachment = readable_file(request.contact, case_id, file_id)
    if attachment is None or attachment.name != name:
        raise Http404
    try:
        content = open_file(attachment)
    except FileMissing as missing:
        log.error("attachment %s: %s", attachment.pk, missing)
        raise Http404 from missing
    return as_download(content, attachment.name, attachment.content_type)


# A new case -----------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@contact_required
def open_case(request: CustomerRequest) -> HttpResponse:
    """Ask what the case should say; before it is opened show how severe it seems, and which cases look alike (P3)."""
    if request.method != "POST":
        return render(request, "support/open.html", {"form": fresh(OpenCaseForm)})
    form = OpenCaseForm(request.POST, request.FILES)
    if not form.is_valid() or "change" in request.POST:
        return render(request, "support/open.html", {"form": form}, status=422 if form.errors else 200)
    if "send" not in request.POST:
        return _review(request, form)
    once = form.cleaned_data["once"]
    try:
        with only_once(str(request.contact.pk), once):
            case = apply.open_case(
                request.contact, timezone.now(), answers=form.answers, files=form.cleaned_data["attachments"]
            )
            cache.set(_opened_key(request, once), case.pk, ONCE_FOR)
    except SentAlready:
        key = cache.get(_opened_key(request, once))
        messages.info(request, gettext("This has arrived already; nothing was sent twice."))
        return redirect("support:case", key) if key else redirect("support:home")
    except Refused as refusal:
        log.info("support page: opening refused: %s", refusal.sentence)
        form.add_error(None, why_refused(refusal))
        return render(request, "support/open.html", {"form": form}, status=422)
    messages.success(request, gettext("Your case is open. We confirm it by mail as well."))
    return redirect("support:case", case.pk)


def _opened_key(request: CustomerRequest, once: str) -> str:
    return f"support-opened:{request.contact.pk}:{once}"


def _review(request: CustomerRequest, form: OpenCaseForm) -> HttpResponse:
    """What was written once more, with what the desk makes of it; files are chosen here."""
    answers = form.cleaned_data
    severity = suggested_severity(answers["affected"], answers["impact"])
    alike = find_cases(request.contact, Wanted(typed=answers["title"], state="all")).cases[:ALIKE]
    context = {
        "form": form,
        "severity": gettext(severity.label),
        "definition": gettext(DEFINITIONS[severity]),
        "alike": public_lines(alike, timezone.now()),
        "kept": [field for field in form if field.name != "attachments"],
    }
    return render(request, "support/review.html", context)
