"""The schedule in the admin (E1, E10).

A version in force is read; a draft is written. Drafting and putting in force are POSTs of their own, each checked
where it arrives (A2).
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case as CaseWhen
from django.db.models import Exists, Model, OuterRef, QuerySet, When
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.admin import StackedInline, TabularInline
from unfold.decorators import display

from cases.enums import Severity
from cases.templatetags.case_page import moment_html
from cases.workflow.guards import NotAllowed, Refused
from contacts.enums import Right, Role
from contacts.pages import HistoryAdmin, RowRights
from contacts.wording import duration
from escalations.models import ClockRule, SchedulePoint, ScheduleVersion
from escalations.policy.schedule import Point, Schedule
from escalations.schedule.forms import ClockRuleForm, PointForm, PointFormSet
from escalations.schedule.rollout import movable
from escalations.schedule.rollout_admin import MovingCases, said_cadence
from escalations.schedule.versions import draft_next_version, draft_problems, draft_warnings, is_readable, put_in_force

#: Severities in the order of E1, for the database.
WORST_FIRST = CaseWhen(*(When(severity=severity, then=place) for place, severity in enumerate(Severity)))


class DraftRows(RowRights):
    """Rows of a version: written while it is a draft, and never after (E10)."""

    view_right = Right.READ_EVERY_CASE
    edit_right = Right.EDIT_SCHEDULE

    def _is_draft(self, version: Model | None) -> bool:
        return version is None or getattr(version, "is_draft", False)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A version in force is shown as a table instead, see the page's own template."""
        return self._is_draft(obj) and super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only to a draft."""
        return self._is_draft(obj) and super().has_add_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only in a draft."""
        return self._is_draft(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only from a draft."""
        return self._is_draft(obj) and super().has_delete_permission(request, obj)


class PointInline(DraftRows, StackedInline):
    """The points of a draft, each with the fields of a row of E1."""

    model = SchedulePoint
    form = PointForm
    formset = PointFormSet
    extra = 0
    template = "admin/escalations/points_inline.html"
    verbose_name_plural = "points"

    def get_queryset(self, request: HttpRequest) -> QuerySet[SchedulePoint]:
        """Worst first, then by number: the order of E1."""
        return super().get_queryset(request).order_by(WORST_FIRST, "number")


class ClockRuleInline(DraftRows, TabularInline):
    """What holds for a severity as a whole (E2, T2, T3): one row for each, from the draft on."""

    model = ClockRule
    form = ClockRuleForm
    fields = ["severity", "base_interval", "automatic_updates", "stands_still_while_waiting"]
    readonly_fields = ["severity"]
    extra = 0
    hide_title = True
    verbose_name_plural = "each severity as a whole"

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """The draft has them all."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Every severity keeps its rule."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[ClockRule]:
        """Worst first."""
        return super().get_queryset(request).order_by(WORST_FIRST)


@admin.register(ScheduleVersion)
class ScheduleVersionAdmin(MovingCases, HistoryAdmin):
    """The versions of the schedule: which is in force, the draft of the next, and who moves to which (E10)."""

    view_right = Right.READ_EVERY_CASE
    change_right = Right.EDIT_SCHEDULE
    delete_right = Right.EDIT_SCHEDULE

    list_display = ["said_number", "state", "since", "put_in_force_by", "note"]
    list_display_links = ["said_number"]
    list_select_related = ["put_in_force_by"]
    fields = ["note"]
    inlines = [PointInline, ClockRuleInline]
    warn_unsaved_form = True
    list_before_template = "admin/escalations/draft_button.html"
    change_form_outer_before_template = "admin/escalations/version_before.html"

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A version in force stays as it is (E10)."""
        return super().has_change_permission(request, obj) and (obj is None or getattr(obj, "is_draft", False))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A draft may be thrown away; a version that was in force is what its cases run under."""
        return super().has_delete_permission(request, obj) and obj is not None and getattr(obj, "is_draft", False)

    # --- the two moves ---

    def get_urls(self) -> list[URLPattern]:
        """The page's addresses, and those of the two moves."""
        view = self.admin_site.admin_view
        moves = [
            path("draft/", view(self.draft_view), name="escalations_scheduleversion_draft"),
            path(
                "<int:version_id>/put-in-force/",
                view(self.put_in_force_view),
                name="escalations_scheduleversion_put_in_force",
            ),
        ]
        return [*moves, *super().get_urls()]

    def draft_view(self, request: HttpRequest) -> HttpResponse:
        """Draft the next version, or go on with the draft there is. Raises PermissionDenied."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            version = draft_next_version(request.user)  # type: ignore[arg-type]
        except NotAllowed as why:
            raise PermissionDenied(str(why)) from why
        self.log_addition(request, version, f"Drafted version {version.number}.")
        messages.success(request, f"Version {version.number} is a draft: change it, then put it in force.")
        return HttpResponseRedirect(_page_of(version.pk))

    def put_in_force_view(self, request: HttpRequest, version_id: int) -> HttpResponse:
        """Put a draft in force for every case opened from now on. Raises PermissionDenied, Http404."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            version = put_in_force(version_id, request.user, timezone.now())  # type: ignore[arg-type]
        except NotAllowed as why:
            raise PermissionDenied(str(why)) from why
        except ScheduleVersion.DoesNotExist as why:
            raise Http404(f"There is no version {version_id} of the schedule.") from why
        except Refused as why:
            messages.error(request, str(why))
        else:
            self.log_change(request, version, "Put in force.")
            messages.success(
                request,
                f"Version {version.number} is in force for every case opened from now on; open cases keep theirs "
                "until you move them.",
            )
        return HttpResponseRedirect(_page_of(version_id))

    # --- what the pages tell ---

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The versions, with the button that drafts the next."""
        told = {
            "may_edit_schedule": self.has_change_permission(request),
            "draft": ScheduleVersion.objects.filter(in_force_from=None).order_by("-number").first(),
        }
        return super().changelist_view(request, told | (extra_context or {}))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A version as the table of E1 shows it; a draft with its form below."""
        version = self.get_object(request, object_id) if object_id else None
        told: dict[str, Any] = {}
        if version is not None and self.has_view_permission(request, version):
            told = self._told_of(request, version) | {"show_save_and_add_another": False, "subtitle": None}
        return super().changeform_view(request, object_id, form_url, told | (extra_context or {}))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The page is long: what is wrong with what was typed stands at its top as well (S4)."""
        wrong = [[one] if isinstance(one, str) else one for one in context.get("errors", [])]
        refused = list(dict.fromkeys(sentence for sentences in wrong for sentence in sentences))
        return super().render_change_form(request, context | {"refused": refused}, *args, **kwargs)

    def _told_of(self, request: HttpRequest, version: ScheduleVersion) -> dict[str, Any]:
        """The table, and what stands between a draft and being in force; a table that cannot be read is left out."""
        problems = draft_problems(version) if version.is_draft else []
        schedule = version.as_schedule() if is_readable(version) else None
        may_edit = super().has_change_permission(request)
        return {
            "version": version,
            "table": _table(schedule) if schedule else [],
            "going_on": [one.label for one in Severity if schedule and one not in schedule.stands_still],
            "schedule_problems": problems,
            "schedule_warnings": draft_warnings(schedule) if schedule and version.is_draft else [],
            "may_edit_schedule": may_edit,
            "to_move": movable(version).count() if may_edit and not version.is_draft else 0,
        }

    @display(description="Version", ordering="number")
    def said_number(self, version: ScheduleVersion) -> str:
        """Its number."""
        return f"Version {version.number}"

    @display(description="State", label={"In force": "success", "Draft": "warning", "Earlier": "info"})
    def state(self, version: ScheduleVersion) -> str:
        """Draft, in force, or of earlier cases."""
        if version.is_draft:
            return "Draft"
        return "In force" if getattr(version, "is_newest", True) else "Earlier"

    @display(description="In force from", ordering="in_force_from", empty_value="—")
    def since(self, version: ScheduleVersion) -> SafeString | None:
        """From when on cases open under it."""
        return moment_html(version.in_force_from, timezone.now(), "date") if version.in_force_from else None

    def get_queryset(self, request: HttpRequest) -> QuerySet[ScheduleVersion]:
        """The versions, each knowing whether a later one took its place."""
        later = ScheduleVersion.objects.filter(in_force_from__gt=OuterRef("in_force_from"))
        return super().get_queryset(request).annotate(is_newest=~Exists(later))


def _page_of(version_id: int) -> str:
    return reverse("admin:escalations_scheduleversion_change", args=[version_id])


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
        "cadence": said_cadence(point.cadence) or "base interval",
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
