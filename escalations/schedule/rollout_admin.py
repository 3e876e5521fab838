"""The admin pages that move open cases to another version of the schedule (E10): select, preview, confirm, progress.

The previews are GETs and change nothing; the move is a POST of its own (A2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from cases.guards import Refused
from contacts.enums import Right
from contacts.permissions import RightsAdmin, has_right, own_page, signed_in_user
from contacts.wording import duration
from escalations.enums import Audience
from escalations.models import ScheduleMove, ScheduleVersion
from escalations.points.decide import PointDecision
from escalations.policy.cadence import Cadence
from escalations.schedule.forms import MoveConfirmForm, MoveSelectionForm
from escalations.schedule.rollout import (
    CasePreview,
    PreviewOutdated,
    Rehearsal,
    RolloutResult,
    SignedPreview,
    count_movable,
    movable_cases,
    rehearse,
    roll_out,
    rollout_progress,
    select_cases,
)

#: Sentences about single cases that a page shows; the rest is counted.
SENTENCES_SHOWN = 12
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SALT = "escalations.schedule-move"


def _for_version(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Give the view the version of its address, for a user who may edit the schedule; lead a draft back to its page.

    Raises PermissionDenied, Http404.
    """

    @wraps(view)
    def page(admin: RolloutAdmin, request: HttpRequest, version_id: int, **address: int) -> HttpResponse:
        if not has_right(request, Right.EDIT_SCHEDULE):
            raise PermissionDenied("You may not move cases to another version of the schedule: ask a support manager.")
        version = ScheduleVersion.objects.filter(pk=version_id).first() if version_id < 2**63 else None
        if version is None:
            raise Http404(f"There is no version {version_id} of the schedule.")
        if version.is_draft:
            messages.error(
                request, f"Version {version.number} is a draft; put it in force before cases are moved to it."
            )
            return redirect("admin:escalations_scheduleversion_change", version.pk)
        return view(admin, request, version, **address)

    return page


class RolloutAdmin(RightsAdmin):
    """The pages of a rollout, below those of a version of the schedule."""

    @own_page("<int:version_id>/move/", "move")
    @_for_version
    def choose_view(self, request: HttpRequest, version: ScheduleVersion) -> HttpResponse:
        """Which open cases are to move."""
        form = MoveSelectionForm(count_movable(version), request.GET or None)
        return self._selection_page(request, version, form)

    @own_page("<int:version_id>/move/rehearsal/", "rehearsal")
    @_for_version
    def rehearsal_view(self, request: HttpRequest, version: ScheduleVersion) -> HttpResponse:
        """What moving the selected cases would do, with the form that confirms it."""
        return self._rehearsal_page(request, version, MoveConfirmForm())

    @own_page("<int:version_id>/move/carry-out/", "carry_out", "POST")
    @_for_version
    def move_view(self, request: HttpRequest, version: ScheduleVersion) -> HttpResponse:
        """Move the cases that were shown, or show the preview again with what has changed (S4)."""
        form = MoveConfirmForm(request.POST)
        if not form.is_valid():
            return self._rehearsal_page(request, version, form, 422)
        reason, leave_changed = form.cleaned_data["reason"], form.cleaned_data["leave_changed"]
        try:
            seen = load_previews(form.cleaned_data["seen"], version)
            result = roll_out(
                seen, version.pk, signed_in_user(request), timezone.now(), reason=reason, leave_changed=leave_changed
            )
        except Refused as refused:
            changes = refused.sentences if isinstance(refused, PreviewOutdated) else ()
            return self._rehearsal_page(request, version, form, 409, refused.sentence, changes)
        self._report(request, version, result, reason)
        return redirect(_address_of_result(version, seen, result))

    @own_page("<int:version_id>/moved/<int:stamp>/", "moved")
    @_for_version
    def moved_view(self, request: HttpRequest, version: ScheduleVersion, stamp: int) -> HttpResponse:
        """How far a rollout is carried out; `stamp` is its moment in microseconds since 1970."""
        at = _moment_of(stamp)
        first = ScheduleMove.objects.filter(version=version, at=at).select_related("by").first()
        if first is None:
            raise Http404(f"No cases were moved to version {version.number} at that moment.")
        context = {
            "title": f"Moved to version {version.number}",
            "move": first,
            "progress": rollout_progress(version, at),
            "left": movable_cases(version).count(),
        }
        return self._page(request, version, "moved", context)

    # --- what they render ---

    def _selection_page(
        self, request: HttpRequest, version: ScheduleVersion, form: MoveSelectionForm, status: int = 200
    ) -> HttpResponse:
        title = f"Move open cases to version {version.number}"
        return self._page(
            request, version, "move_choose", {"title": title, "counts": form.counts, "form": form}, status
        )

    def _rehearsal_page(
        self,
        request: HttpRequest,
        version: ScheduleVersion,
        form: MoveConfirmForm,
        status: int = 200,
        sentence: str = "",
        sentences: Sequence[str] = (),
    ) -> HttpResponse:
        """The preview of the selected cases as of now, with the form that confirms exactly that."""
        selection = MoveSelectionForm(count_movable(version), request.GET)
        if not selection.is_valid():
            return self._selection_page(request, version, selection, 422)
        now = timezone.now()
        rehearsal = rehearse(select_cases(version, selection.selection()), version, now)
        changed = [preview for preview in rehearsal.listed if not preview.changes_nothing]
        unchanged = [preview for preview in rehearsal.listed if preview.changes_nothing]
        context = {
            "title": f"What moving to version {version.number} would do",
            "rehearsal": rehearsal,
            "readers": sorted(rehearsal.readers.values(), key=lambda reader: (-reader.mails, reader.name)),
            "points": sorted(rehearsal.points.items()),
            "lines": [_line(preview) for preview in changed],
            "more_lines": rehearsal.totals["cases"] - rehearsal.totals["unchanged"] - len(changed),
            "unchanged": unchanged,
            "more_unchanged": rehearsal.totals["unchanged"] - len(unchanged),
            "chosen": selection.text(),
            "query": request.GET.urlencode(),
            "form": form.confirming(dump_previews(rehearsal, version)),
            "sentence": sentence,
            "sentences": sentences[:SENTENCES_SHOWN],
            "more_sentences": max(0, len(sentences) - SENTENCES_SHOWN),
        }
        return self._page(request, version, "move_rehearsal", context, status)

    def _page(
        self, request: HttpRequest, version: ScheduleVersion, name: str, context: dict[str, Any], status: int = 200
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": version,
            "version": version,
            "now": timezone.now(),
            **context,
        }
        return TemplateResponse(request, f"admin/escalations/{name}.html", context, status=status)

    def _report(self, request: HttpRequest, version: ScheduleVersion, result: RolloutResult, reason: str) -> None:
        if result.moved:
            self.log_change(request, version, f"Moved {result.moved} open cases to this version: {reason}")
            messages.success(request, f"{_cases_are(result.moved)} moved to version {version.number}.")
        elif result.already:
            there = f"{_cases_are(result.already)} on version {version.number} already"
            messages.info(request, f"{there}; nothing was moved twice.")
        if result.left:
            shown = " ".join(result.left[:SENTENCES_SHOWN])
            more = f" And {len(result.left) - SENTENCES_SHOWN} more." if len(result.left) > SENTENCES_SHOWN else ""
            messages.warning(request, f"Left as they are, as they changed meanwhile: {shown}{more}")


def rollout_address(version: ScheduleVersion, at: datetime) -> str:
    """The page with the progress of the rollout of that moment."""
    return reverse("admin:escalations_scheduleversion_moved", args=[version.pk, (at - EPOCH) // MICROSECOND])


def _address_of_result(version: ScheduleVersion, seen: Mapping[int, SignedPreview], result: RolloutResult) -> str:
    """The progress of this rollout, else of the one that moved the cases before; else the selection."""
    if result.moved:
        return rollout_address(version, result.at)
    earlier = ScheduleMove.objects.filter(version=version, case__in=list(seen)[:1]).order_by("-at").first()
    if earlier is not None:
        return rollout_address(version, earlier.at)
    return reverse("admin:escalations_scheduleversion_move", args=[version.pk])


def _moment_of(stamp: int) -> datetime:
    try:
        return EPOCH + stamp * MICROSECOND
    except OverflowError as error:
        raise Http404("No cases were moved at that moment.") from error


def _cases_are(number: int) -> str:
    return "1 case is" if number == 1 else f"{number} cases are"


# --- the signed previews in the form ----------------------------------------------------------------------------


def dump_previews(rehearsal: Rehearsal, version: ScheduleVersion) -> str:
    """What a page shows of each case, signed, so that the confirmation is of exactly that."""
    rows = [[pk, *astuple(preview)] for pk, preview in rehearsal.signed.items()]
    return signing.dumps([version.pk, rows], salt=SALT, compress=True)


def load_previews(signed: str, version: ScheduleVersion) -> dict[int, SignedPreview]:
    """What the page had shown, by primary key of the case. Raises Refused for what no page of this version wrote."""
    try:
        version_id, rows = signing.loads(signed, salt=SALT)
    except signing.BadSignature as error:
        raise Refused("What was shown could not be read back, so nothing was moved. Look at it anew below.") from error
    if version_id != version.pk:
        raise Refused("That page was about another version, so nothing was moved. Look at it anew below.")
    return {pk: SignedPreview(*values) for pk, *values in rows}


# --- a row of the table of cases --------------------------------------------------------------------------------


def _line(preview: CasePreview) -> dict[str, Any]:
    """A preview with the texts that a page shows of it."""
    readers = [letter.to for letter in preview.letters]
    return {
        "preview": preview,
        "mailed": sorted(readers, key=lambda to: to.name or to.address),
        "owner": _owner(preview.step),
        "asked": _asked(preview.step),
        "cadence_before": cadence_text(preview.cadence_before),
        "cadence_after": cadence_text(preview.cadence_after) if preview.changes_cadence else "",
    }


def _owner(step: PointDecision) -> str:
    if step.new_owner is not None:
        return f"{step.former_owner or 'nobody'} → {step.new_owner}"
    return f"{step.case.owner or 'nobody'}{' keeps it: there is no L3 technician' if step.no_l3 else ''}"


def _asked(step: PointDecision) -> str:
    if step.absent is not None:
        return f"{step.asked} is asked for the status, as {step.absent} is off duty"
    return f"{step.asked} is asked for the status" if step.asked else ""


def cadence_text(cadence: Cadence) -> str:
    """“Customer, Account manager every 2 h”: audiences with the same interval together."""
    by_interval: dict[str, list[str]] = {}
    for audience in Audience:
        if audience in cadence:
            by_interval.setdefault(duration(cadence[audience]), []).append(audience.label)
    return "; ".join(f"{', '.join(who)} every {interval}" for interval, who in by_interval.items())
