"""The admin pages that put a draft of the schedule in force (E10): the review, and the POST that confirms it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from cases.guards import NotAllowed, Refused
from contacts.enums import Right
from contacts.permissions import has_right, own_page, signed_in_user
from escalations.models import ScheduleVersion
from escalations.schedule.forms import PutInForceForm
from escalations.schedule.rollout import count_movable
from escalations.schedule.rollout_admin import RolloutAdmin
from escalations.schedule.versions import (
    AlreadyInForce,
    differences_to,
    draft_problems,
    draft_warnings,
    newest_in_force,
    put_in_force,
    put_in_force_sentence,
    review_key,
    unchanged_sentence,
)


class ReviewAdmin(RolloutAdmin):
    """The pages between a saved draft and a version in force."""

    @own_page("<int:version_id>/review/", "review")
    def review_view(self, request: HttpRequest, version_id: int) -> HttpResponse:
        """What putting a draft in force would change, with the form that confirms it. Raises PermissionDenied."""
        if not has_right(request, Right.EDIT_SCHEDULE):
            raise PermissionDenied("You may not put a version of the schedule in force: ask a support manager.")
        version = _version(version_id)
        if not version.is_draft:
            messages.info(request, put_in_force_sentence(version))
            return redirect("admin:escalations_scheduleversion_change", version.pk)
        return self._review_page(request, version, PutInForceForm())

    @own_page("<int:version_id>/put-in-force/", "put_in_force", "POST")
    def put_in_force_view(self, request: HttpRequest, version_id: int) -> HttpResponse:
        """Put the draft that was shown in force, or show the review again with the sentence that says why not (S4).

        Raises NotAllowed, Http404.
        """
        form = PutInForceForm(request.POST)
        form.is_valid()
        version = _version(version_id)
        try:
            put_in_force(
                version.pk,
                signed_in_user(request),
                timezone.now(),
                reason=str(form.cleaned_data.get("reason", "")),
                seen=str(form.cleaned_data.get("seen", "")),
            )
        except NotAllowed:
            raise
        except ScheduleVersion.DoesNotExist as error:
            raise Http404(f"There is no version {version_id} of the schedule.") from error
        except AlreadyInForce:
            messages.info(request, _nothing_done_twice(_version(version_id), str(form["reason"].value() or "").strip()))
        except Refused as refused:
            if form.errors:
                return self._review_page(request, version, form, 422)
            return self._review_page(request, version, form, 409, refused.sentence)
        else:
            reason = form.cleaned_data["reason"]
            self.log_change(request, version, f"Put in force: {reason}")
            messages.success(
                request,
                f"Version {version.number} is in force for every case opened from now on; open cases keep theirs "
                "until you move them.",
            )
            if "then_move" in request.POST:
                return redirect("admin:escalations_scheduleversion_move", version.pk)
        return redirect("admin:escalations_scheduleversion_change", version_id)

    def _review_page(
        self,
        request: HttpRequest,
        version: ScheduleVersion,
        form: PutInForceForm,
        status: int = 200,
        sentence: str = "",
    ) -> HttpResponse:
        """The review as of now, with the form that confirms exactly that; problems instead of differences."""
        present, problems = newest_in_force(), draft_problems(version)
        changes = [] if problems else differences_to(present, version)
        unchanged = present is not None and not problems and not changes
        context: dict[str, Any] = {
            "title": f"Put version {version.number} in force?",
            "present": present,
            "changes": changes,
            "problems": problems,
            "unchanged": unchanged_sentence(version, present) if unchanged and present else "",
            "warnings": [] if problems else draft_warnings(version.as_schedule()),
            "counts": count_movable(version),
            "form": form.confirming(review_key(version, present)),
            "sentence": sentence,
            "may_confirm": not problems and not unchanged,
        }
        return self._page(request, version, "review", context, status)


def _version(version_id: int) -> ScheduleVersion:
    """Raises Http404."""
    versions = ScheduleVersion.objects.select_related("put_in_force_by")
    version = versions.filter(pk=version_id).first() if version_id < 2**63 else None
    if version is None:
        raise Http404(f"There is no version {version_id} of the schedule.")
    return version


def _nothing_done_twice(version: ScheduleVersion, typed: str) -> str:
    lost = typed and typed != version.put_in_force_reason
    unkept = f" Your reason “{typed}” is not recorded." if lost else ""
    return f"{put_in_force_sentence(version)} Nothing was done twice.{unkept}"
