"""The pages on which open cases are moved to another version of the schedule (E10): choose, see what would happen,
confirm, see how far it is carried out. Looking changes nothing; the move is a POST of its own (A2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from cases.enums import Status
from cases.mail.letters import Letter
from cases.workflow.guards import NotAllowed, Refused
from contacts.enums import Right
from contacts.permissions import RightsAdmin, holds, person
from contacts.wording import duration
from escalations.enums import Audience
from escalations.models import ScheduleMove, ScheduleVersion
from escalations.policy.cadence import Cadence
from escalations.policy.clock import Due
from escalations.schedule.forms import MoveConfirmForm, MoveSelectionForm
from escalations.schedule.rollout import (
    CasePreview,
    Changed,
    Moved,
    Rehearsal,
    SignedPreview,
    counted,
    movable,
    move,
    progress,
    rehearse,
    selected,
)

#: So many sentences about single cases a page tells; the rest is counted.
SENTENCES_SHOWN = 12
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SALT = "escalations.schedule-move"


class MovingCases(RightsAdmin):
    """The pages of the move, among those of a version of the schedule."""

    def get_urls(self) -> list[URLPattern]:
        """The page's addresses, and those of the move."""
        pages = [
            ("move/", self.choose_view, "move"),
            ("move/rehearsal/", self.rehearsal_view, "rehearsal"),
            ("move/carry-out/", self.move_view, "carry_out"),
            ("moved/<int:stamp>/", self.moved_view, "moved"),
        ]
        protect = self.admin_site.admin_view
        return [
            *(
                path(f"<int:version_id>/{address}", protect(view), name=f"escalations_scheduleversion_{name}")
                for address, view, name in pages
            ),
            *super().get_urls(),
        ]

    # --- the pages ---

    def choose_view(self, request: HttpRequest, version_id: int) -> HttpResponse:
        """Which open cases are to move. Raises PermissionDenied, Http404."""
        version = _version(request, version_id)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        if version.is_draft:
            return self._draft_first(request, version)
        counts = counted(version)
        form = MoveSelectionForm(counts, request.GET or None)
        told = {"counts": counts, "form": form, "title": f"Move open cases to version {version.number}"}
        return self._page(request, version, "move_choose", told)

    def rehearsal_view(self, request: HttpRequest, version_id: int) -> HttpResponse:
        """What the move would do; nothing is changed. Raises PermissionDenied, Http404."""
        version = _version(request, version_id)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        if version.is_draft:
            return self._draft_first(request, version)
        return self._show(request, version, MoveConfirmForm())

    def move_view(self, request: HttpRequest, version_id: int) -> HttpResponse:
        """Move what was shown, or say what has changed and show it anew. Raises PermissionDenied, Http404."""
        version = _version(request, version_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = MoveConfirmForm(request.POST)
        if not form.is_valid():
            return self._show(request, version, form, 422)
        try:
            seen = read_sights(form.cleaned_data["seen"], version)
            moved = move(
                seen,
                version.pk,
                person(request),
                timezone.now(),
                reason=form.cleaned_data["reason"],
                leave_changed=form.cleaned_data["leave_changed"],
            )
        except NotAllowed as why:
            raise PermissionDenied(str(why)) from why
        except Changed as changed:
            return self._show(request, version, form, 409, changed.sentence, changed.sentences)
        except Refused as why:
            return self._show(request, version, form, 409, why.sentence)
        return self._done(request, version, seen, moved, form.cleaned_data["reason"])

    def moved_view(self, request: HttpRequest, version_id: int, stamp: int) -> HttpResponse:
        """What has become of a move. Raises PermissionDenied, Http404."""
        version = _version(request, version_id)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        at = _moment_of(stamp)
        first = ScheduleMove.objects.filter(version=version, at=at).select_related("by").first()
        if first is None:
            raise Http404(f"No cases were moved to version {version.number} at that moment.")
        told = {"move": first, "progress": progress(version, at), "left": movable(version).count()}
        return self._page(request, version, "moved", told | {"title": f"Moved to version {version.number}"})

    # --- what they share ---

    def _show(
        self,
        request: HttpRequest,
        version: ScheduleVersion,
        form: MoveConfirmForm,
        status: int = 200,
        sentence: str = "",
        sentences: list[str] | None = None,
    ) -> HttpResponse:
        """What the move of the selection would do as things are now, with the form that confirms exactly that."""
        choice = MoveSelectionForm(counted(version), request.GET)
        if not choice.is_valid():
            told = {"counts": choice.counts, "form": choice, "title": f"Move open cases to version {version.number}"}
            return self._page(request, version, "move_choose", told, 422)
        now = timezone.now()
        rehearsal = rehearse(selected(version, choice.selection()), version, now)
        told = {
            "title": f"What moving to version {version.number} would do",
            "rehearsal": rehearsal,
            "readers": sorted(rehearsal.readers.values(), key=lambda one: (-one.mails, one.name)),
            "points": sorted(rehearsal.points.items()),
            "lines": [_line(outlook) for outlook in rehearsal.listed],
            "chosen": choice.said(),
            "query": request.GET.urlencode(),
            "form": form.confirming(written_sights(rehearsal, version)),
            "sentence": sentence,
            "sentences": (sentences or [])[:SENTENCES_SHOWN],
            "more_sentences": max(0, len(sentences or []) - SENTENCES_SHOWN),
        }
        return self._page(request, version, "move_rehearsal", told, status)

    def _done(
        self,
        request: HttpRequest,
        version: ScheduleVersion,
        seen: Mapping[int, SignedPreview],
        moved: Moved,
        reason: str,
    ) -> HttpResponse:
        if moved.moved:
            self.log_change(request, version, f"Moved {moved.moved} open cases to this version: {reason}")
            messages.success(request, f"{_cases(moved.moved)} moved to version {version.number}.")
        elif moved.already:
            there = f"{_cases(moved.already)} on version {version.number} already"
            messages.info(request, f"{there}; nothing was moved twice.")
        if moved.left:
            shown = " ".join(moved.left[:SENTENCES_SHOWN])
            more = f" And {len(moved.left) - SENTENCES_SHOWN} more." if len(moved.left) > SENTENCES_SHOWN else ""
            messages.warning(request, f"Left as they are, as they changed meanwhile: {shown}{more}")
        last = ScheduleMove.objects.filter(version=version, case__in=list(seen)[:1]).order_by("-at").first()
        at = moved.at if moved.moved else last.at if last else None
        if at is None:
            return HttpResponseRedirect(reverse("admin:escalations_scheduleversion_move", args=[version.pk]))
        return HttpResponseRedirect(address_of_move(version, at))

    def _draft_first(self, request: HttpRequest, version: ScheduleVersion) -> HttpResponse:
        messages.error(request, f"Version {version.number} is a draft; put it in force before cases are moved to it.")
        return HttpResponseRedirect(reverse("admin:escalations_scheduleversion_change", args=[version.pk]))

    def _page(
        self, request: HttpRequest, version: ScheduleVersion, name: str, told: dict[str, Any], status: int = 200
    ) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, "original": version, "version": version}
        return TemplateResponse(
            request, f"admin/escalations/{name}.html", context | {"now": timezone.now()} | told, status=status
        )


def _version(request: HttpRequest, version_id: int) -> ScheduleVersion:
    """The version, for somebody who may edit the schedule. Raises PermissionDenied, Http404."""
    if not holds(request, Right.EDIT_SCHEDULE):
        raise PermissionDenied("You may not move cases to another version of the schedule: ask a support manager.")
    version = ScheduleVersion.objects.filter(pk=version_id).first() if version_id < 2**63 else None
    if version is None:
        raise Http404(f"There is no version {version_id} of the schedule.")
    return version


def address_of_move(version: ScheduleVersion, at: datetime) -> str:
    """The page that says what has become of the move of that moment."""
    return reverse("admin:escalations_scheduleversion_moved", args=[version.pk, (at - EPOCH) // MICROSECOND])


def _moment_of(stamp: int) -> datetime:
    try:
        return EPOCH + stamp * MICROSECOND
    except OverflowError as why:
        raise Http404("No cases were moved at that moment.") from why


def _cases(number: int) -> str:
    return "1 case is" if number == 1 else f"{number} cases are"


# --- what was shown, as it travels through the browser ----------------------------------------------------------


def written_sights(rehearsal: Rehearsal, version: ScheduleVersion) -> str:
    """What a page shows of each case, signed, so that the confirmation is of exactly that."""
    return signing.dumps(
        [version.pk, [[pk, *astuple(sight)] for pk, sight in rehearsal.sights.items()]], salt=SALT, compress=True
    )


def read_sights(written: str, version: ScheduleVersion) -> dict[int, SignedPreview]:
    """What the page had shown. Raises Refused for what no page of this version wrote."""
    try:
        version_id, rows = signing.loads(written, salt=SALT)
    except signing.BadSignature as why:
        raise Refused("What was shown could not be read back, so nothing was moved. Look at it anew below.") from why
    if version_id != version.pk:
        raise Refused("That page was about another version, so nothing was moved. Look at it anew below.")
    return {pk: SignedPreview(*values) for pk, *values in rows}


# --- a case as the table tells it -------------------------------------------------------------------------------


def _line(outlook: CasePreview) -> dict[str, Any]:
    case, step = outlook.case, outlook.step
    return {
        "case": case,
        "waits": case.status == Status.WAITING,
        "on": outlook.on,
        "loud": [_point(due, outlook) for due in step.effective],
        "quiet": [_point(due, outlook) for due in outlook.quiet],
        "after_the_wait": outlook.after_the_wait,
        "mailed": sorted((_reader(letter) for letter in outlook.letters), key=lambda one: one["name"]),
        "owner": _owner(outlook),
        "asked": _asked(outlook),
        "rhythm_before": said_cadence(outlook.cadence_before),
        "rhythm_after": said_cadence(outlook.cadence_after) if outlook.changes_cadence else "",
        "next_before": outlook.next_before,
        "next_after": outlook.next_after,
        "changes_next": outlook.changes_next,
        "is_still": outlook.is_still,
    }


def _point(due: Due, outlook: CasePreview) -> dict[str, Any]:
    return {"name": due.point.name, "anyway": due.point.name in outlook.anyway}


def _reader(letter: Letter) -> dict[str, str]:
    to = letter.to
    return {"name": to.name or to.address, "address": to.address, "meant_for": to.meant_for}


def _owner(outlook: CasePreview) -> str:
    step = outlook.step
    if step.new_owner is not None:
        return f"{step.former_owner or 'nobody'} → {step.new_owner}"
    if step.no_l3:
        return f"{outlook.case.owner or 'nobody'} keeps it: there is no L3 technician"
    return f"{outlook.case.owner or 'nobody'}"


def _asked(outlook: CasePreview) -> str:
    step = outlook.step
    if step.absent is not None:
        return f"{step.asked} is asked for the status, as {step.absent} is off duty"
    return f"{step.asked} is asked for the status" if step.asked else ""


def said_cadence(cadence: Cadence) -> str:
    """“Customer, Account manager every 2 h”: audiences with the same interval together."""
    by_interval: dict[str, list[str]] = {}
    for audience in Audience:
        if audience in cadence:
            by_interval.setdefault(duration(cadence[audience]), []).append(audience.label)
    return "; ".join(f"{', '.join(who)} every {interval}" for interval, who in by_interval.items())
