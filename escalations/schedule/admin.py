"""The schedule in the admin (E1, E10): a version in force is read only, a draft can be edited.

Drafting and putting in force are POSTs with an address and a check of their own (A2).
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Case as CaseWhen
from django.db.models import Exists, Model, OuterRef, QuerySet, When
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.admin import StackedInline, TabularInline
from unfold.decorators import display

from cases.enums import Severity
from cases.guards import NotAllowed, Refused
from cases.templatetags.case_page import moment_html
from contacts.enums import Right, Role
from contacts.pages import HistoryAdmin, RowRights
from contacts.permissions import own_page, signed_in_user
from contacts.wording import duration
from escalations.models import ClockRule, SchedulePoint, ScheduleVersion
from escalations.policy.schedule import Point, Schedule
from escalations.schedule.forms import ClockRuleForm, PointForm, PointFormSet
from escalations.schedule.rollout import movable_cases
from escalations.schedule.rollout_admin import RolloutAdmin, cadence_text
from escalations.schedule.versions import draft_next_version, draft_problems, draft_warnings, is_readable, put_in_force

#: Severities in the order of E1, for the database.
WORST_FIRST = CaseWhen(*(When(severity=severity, then=place) for place, severity in enumerate(Severity)))


class DraftRows(RowRights):
    """Rows of a version, which only a draft shows and lets a user change (E10); the page has a table for the others."""

    view_right = Right.READ_EVERY_CASE
    edit_right = Right.EDIT_SCHEDULE

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _is_draft(obj) and super().has_view_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _is_draft(obj) and super().has_change_permission(request, obj)

    has_add_permission = has_delete_permission = has_change_permission


def _is_draft(version: Model | None) -> bool:
    return version is None or getattr(version, "is_draft", False)


class PointInline(DraftRows, StackedInline):
    """The points of a draft, each with the fields of a row of E1."""

    model = SchedulePoint
    form = PointForm
    formset = PointFormSet
    extra = 0
    template = "admin/escalations/points_inline.html"
    verbose_name_plural = "points"

    def get_queryset(self, request: HttpRequest) -> QuerySet[SchedulePoint]:
        return super().get_queryset(request).order_by(WORST_FIRST, "number")


class ClockRuleInline(DraftRows, TabularInline):
    """The rules of each severity (E2, T2, T3); a draft has one row for each, none is added or removed."""

    model = ClockRule
    form = ClockRuleForm
    fields = ["severity", "base_interval", "automatic_updates", "stands_still_while_waiting"]
    readonly_fields = ["severity"]
    extra = 0
    hide_title = True
    verbose_name_plural = "each severity as a whole"

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    has_delete_permission = has_add_permission

    def get_queryset(self, request: HttpRequest) -> QuerySet[ClockRule]:
        return super().get_queryset(request).order_by(WORST_FIRST)


@admin.register(ScheduleVersion)
class ScheduleVersionAdmin(RolloutAdmin, HistoryAdmin):
    """The versions of the schedule, with the pages that put one in force and move cases to it (E10)."""

    view_right = Right.READ_EVERY_CASE
    change_right = Right.EDIT_SCHEDULE
    delete_right = Right.EDIT_SCHEDULE

    list_display = ["number_display", "state", "in_force_display", "put_in_force_by", "note"]
    list_display_links = ["number_display"]
    list_select_related = ["put_in_force_by"]
    fields = ["note"]
    inlines = [PointInline, ClockRuleInline]
    warn_unsaved_form = True
    list_before_template = "admin/escalations/draft_button.html"
    change_form_outer_before_template = "admin/escalations/version_before.html"

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A version in force stays as it is (E10)."""
        return _is_draft(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A version that was in force is kept, as cases run under it."""
        return obj is not None and _is_draft(obj) and super().has_delete_permission(request, obj)

    # --- drafting and putting in force ---

    @own_page("draft/", "draft", "POST")
    def draft_view(self, request: HttpRequest) -> HttpResponse:
        """Draft the next version, or open the draft that exists. Raises NotAllowed."""
        version = draft_next_version(signed_in_user(request))
        self.log_addition(request, version, f"Drafted version {version.number}.")
        messages.success(request, f"Version {version.number} is a draft: change it, then put it in force.")
        return redirect("admin:escalations_scheduleversion_change", version.pk)

    @own_page("<int:version_id>/put-in-force/", "put_in_force", "POST")
    def put_in_force_view(self, request: HttpRequest, version_id: int) -> HttpResponse:
        """Put a draft in force for every case opened from now on. Raises NotAllowed, Http404."""
        try:
            version = put_in_force(version_id, signed_in_user(request), timezone.now())
        except NotAllowed:
            raise
        except ScheduleVersion.DoesNotExist as error:
            raise Http404(f"There is no version {version_id} of the schedule.") from error
        except Refused as refused:
            messages.error(request, refused.sentence)
        else:
            self.log_change(request, version, "Put in force.")
            messages.success(
                request,
                f"Version {version.number} is in force for every case opened from now on; open cases keep theirs "
                "until you move them.",
            )
        return redirect("admin:escalations_scheduleversion_change", version_id)

    # --- the pages ---

    def list_context(self, request: HttpRequest) -> dict[str, Any]:
        return {
            "may_edit_schedule": self.has_change_permission(request),
            "draft": ScheduleVersion.objects.filter(in_force_from=None).order_by("-number").first(),
        }

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Repeat the errors at the top, as the page is long (S4)."""
        errors = [[error] if isinstance(error, str) else error for error in context.get("errors", [])]
        refused = list(dict.fromkeys(sentence for sentences in errors for sentence in sentences))
        return super().render_change_form(request, context | {"refused": refused}, *args, **kwargs)

    def form_context(self, request: HttpRequest, row: ScheduleVersion) -> dict[str, Any]:
        """The table of E1, unless the rows cannot be read, and what keeps a draft from being put in force."""
        version = row
        problems = draft_problems(version) if version.is_draft else []
        schedule = version.as_schedule() if is_readable(version) else None
        may_edit = super().has_change_permission(request)
        return {
            "show_save_and_add_another": False,
            "subtitle": None,
            "version": version,
            "table": _table(schedule) if schedule else [],
            "going_on": [row.label for row in Severity if schedule and row not in schedule.stands_still],
            "schedule_problems": problems,
            "schedule_warnings": draft_warnings(schedule) if schedule and version.is_draft else [],
            "may_edit_schedule": may_edit,
            "to_move": movable_cases(version).count() if may_edit and not version.is_draft else 0,
        }

    @display(description="Version", ordering="number")
    def number_display(self, version: ScheduleVersion) -> str:
        return f"Version {version.number}"

    @display(description="State", label={"In force": "success", "Draft": "warning", "Earlier": "info"})
    def state(self, version: ScheduleVersion) -> str:
        if version.is_draft:
            return "Draft"
        return "In force" if getattr(version, "is_newest", True) else "Earlier"

    @display(description="In force from", ordering="in_force_from", empty_value="—")
    def in_force_display(self, version: ScheduleVersion) -> SafeString | None:
        return moment_html(version.in_force_from, timezone.now(), "date") if version.in_force_from else None

    def get_queryset(self, request: HttpRequest) -> QuerySet[ScheduleVersion]:
        """Annotate with `is_newest`: no version came into force later."""
        later = ScheduleVersion.objects.filter(in_force_from__gt=OuterRef("in_force_from"))
        return super().get_queryset(request).annotate(is_newest=~Exists(later))


def _table(schedule: Schedule) -> list[dict[str, Any]]:
    """The rows of E1, grouped by severity, in words."""
    return [
        {
            "severity": severity,
            "points": [_row(point) for point in schedule.of(severity)],
            "base": duration(schedule.base_interval[severity]),
            "automatic": severity in schedule.automatic_updates,
        }
        for severity in Severity
    ]


def _row(point: Point) -> dict[str, Any]:
    return {
        "number": point.number,
        "after": duration(point.after),
        "mailed": ", ".join(SHORT_ROLE.get(role, role.label) for role in point.mailed) or "nobody new",
        "owner": point.owner.label,
        "cadence": cadence_text(point.cadence) or "base interval",
        "may_need_more": point.may_need_more,
    }


#: How the guide's own table names the roles (E1).
SHORT_ROLE = {
    Role.ACCOUNT_MANAGER: "Account manager",
    Role.CSM: "CSM",
    Role.CS_DIRECTOR: "CS Director",
    Role.COO: "COO",
    Role.SUPPORT_MANAGER: "Support manager",
}
