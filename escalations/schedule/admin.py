"""The schedule in the admin (E1, E10): a version in force is read only, a draft can be edited.

Drafting and putting in force are POSTs with an address and a check of their own (A2).
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Case as CaseWhen
from django.db.models import Exists, Model, OuterRef, QuerySet, When
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.admin import TabularInline
from unfold.dataclasses import UnfoldAction
from unfold.decorators import display

from cases.enums import Severity
from cases.templatetags.case_page import moment_html
from contacts.directory import FURTHER_PROBLEMS
from contacts.enums import Right
from contacts.pages import HistoryAdmin, RowRights
from contacts.permissions import id_of, own_page, signed_in_user
from contacts.wording import duration
from escalations.enums import Audience
from escalations.models import ClockRule, SchedulePoint, ScheduleVersion
from escalations.policy.schedule import Point, Schedule
from escalations.schedule.forms import SHORT_ROLE, ClockRuleForm, PointForm, PointFormSet, VersionForm
from escalations.schedule.review_admin import ReviewAdmin
from escalations.schedule.rollout import movable_cases
from escalations.schedule.rollout_admin import cadence_text
from escalations.schedule.versions import (
    differences_to,
    draft_next_version,
    draft_problems,
    draft_warnings,
    is_readable,
    newest_in_force,
)

#: Severities in the order of E1, for the database.
WORST_FIRST = CaseWhen(*(When(severity=severity, then=place) for place, severity in enumerate(Severity)))


class DraftRows(RowRights, TabularInline):
    """Rows of a draft, for whoever may edit it (E10); everybody else reads the table of E1."""

    edit_right = Right.EDIT_SCHEDULE

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _is_draft(obj) and super().has_change_permission(request, obj)

    has_view_permission = has_add_permission = has_delete_permission = has_change_permission


def _is_draft(version: Model | None) -> bool:
    return version is None or getattr(version, "is_draft", False)


class PointInline(DraftRows):
    """The points of a draft, each with the fields of a row of E1, and an empty row for one more."""

    model = SchedulePoint
    form = PointForm
    formset = PointFormSet
    extra = 1

    def get_queryset(self, request: HttpRequest) -> QuerySet[SchedulePoint]:
        return super().get_queryset(request).order_by(WORST_FIRST, "number")


class ClockRuleInline(DraftRows):
    """The rules of each severity (E2, T2, T3); a draft has one row for each, none is added or removed."""

    model = ClockRule
    form = ClockRuleForm
    fields = ["base_interval", "automatic_updates", "stands_still_while_waiting"]
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    has_delete_permission = has_add_permission

    def get_queryset(self, request: HttpRequest) -> QuerySet[ClockRule]:
        return super().get_queryset(request).order_by(WORST_FIRST)


def _no_schedule() -> list[str]:
    in_force = ScheduleVersion.objects.filter(in_force_from__isnull=False).exists()
    why = "No schedule is in force: nothing is escalated, and no status update is promised. Put one in force."
    return [] if in_force else [why]


FURTHER_PROBLEMS.append(_no_schedule)


@admin.register(ScheduleVersion)
class ScheduleVersionAdmin(ReviewAdmin, HistoryAdmin):
    """The versions of the schedule, with the pages that put one in force and move cases to it (E10)."""

    view_right = Right.READ_EVERY_CASE
    change_right = Right.EDIT_SCHEDULE
    delete_right = Right.EDIT_SCHEDULE

    list_display = ["number_display", "state", "in_force_display", "put_in_force_by", "put_in_force_reason", "note"]
    list_display_links = ["number_display"]
    list_select_related = ["put_in_force_by"]
    fields = ["note"]
    form = VersionForm
    inlines = [PointInline, ClockRuleInline]
    change_form_template = "admin/escalations/version_form.html"
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
        messages.success(request, f"Version {version.number} is a draft: change it, then review and put it in force.")
        return redirect("admin:escalations_scheduleversion_change", version.pk)

    # --- the pages ---

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Take what was typed into a draft that is in force or deleted by now for a change of the next draft (S4)."""
        key = id_of(object_id or "")
        if request.method != "POST" or "seen" not in request.POST or key is None or not self._may_edit(request):
            return super().changeform_view(request, object_id, form_url, extra_context)
        with transaction.atomic():
            version = ScheduleVersion.objects.select_for_update().filter(pk=key).first()
            if version is None or not version.is_draft:
                version = draft_next_version(signed_in_user(request))
                request.POST = _for_draft(request.POST, version)  # type: ignore[assignment]
            return super().changeform_view(request, str(version.pk), form_url, extra_context)

    def _may_edit(self, request: HttpRequest) -> bool:
        return super().has_change_permission(request)

    def list_context(self, request: HttpRequest) -> dict[str, Any]:
        return {
            "may_edit_schedule": self.has_change_permission(request),
            "draft": ScheduleVersion.objects.filter(in_force_from=None).order_by("-number").first(),
        }

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Repeat the errors at the top, and lay the rows of a draft out as the table of E1 (S4)."""
        errors = [[error] if isinstance(error, str) else error for error in context.get("errors", [])]
        refused = list(dict.fromkeys(sentence for sentences in errors for sentence in sentences))
        formsets = {one.opts.model: one.formset for one in context.get("inline_admin_formsets", [])}
        context |= {"refused": refused, "now": timezone.now()}
        form = context["adminform"].form
        if getattr(form, "changed_meanwhile", False):
            version = ScheduleVersion.objects.get(pk=form.instance.pk)
            context["saved_changes"] = differences_to(newest_in_force(), version) if is_readable(version) else []
        if SchedulePoint in formsets:
            context |= {"draft_table": _draft_table(formsets), "actions_submit_line": [REVIEW]}
        return super().render_change_form(request, context, *args, **kwargs)

    def response_change(self, request: HttpRequest, obj: ScheduleVersion) -> HttpResponse:
        """Lead on to the review of what was saved just now."""
        if REVIEW.action_name in request.POST:
            return redirect("admin:escalations_scheduleversion_review", obj.pk)
        answer = super().response_change(request, obj)
        return redirect("admin:escalations_scheduleversion_change", obj.pk) if "_continue" in request.POST else answer

    def form_context(self, request: HttpRequest, row: ScheduleVersion) -> dict[str, Any]:
        """The table of E1, unless the rows cannot be read, and what keeps a draft from being put in force."""
        version = row
        problems = draft_problems(version) if version.is_draft else []
        schedule = version.as_schedule() if is_readable(version) else None
        may_edit = self._may_edit(request)
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


#: The button that saves a draft and leads on to its review.
REVIEW = UnfoldAction("_review", method=lambda *_: None, description="Review and put in force", path="")


def _for_draft(typed: QueryDict, draft: ScheduleVersion) -> QueryDict:
    """What was typed on the page of another version, as the page of this draft would send it."""
    sent = typed.copy()
    rules = list(draft.clock_rules.order_by(WORST_FIRST).values_list("pk", flat=True))
    point_of = {(row.severity, row.number): row.pk for row in draft.points.all()}
    names = [name for name in typed if name.startswith("points-") and name.endswith("-id")]
    ids = {name: id_of(str(typed[name])) for name in names}
    shown = SchedulePoint.objects.in_bulk([key for key in ids.values() if key is not None])
    for name in typed:
        if name.endswith("-version"):
            sent[name] = str(draft.pk)
    for place, rule in enumerate(rules):
        sent[f"clock_rules-{place}-id"] = str(rule)
    for name, key in ids.items():
        row = shown.get(key) if key is not None else None
        sent[name] = str(point_of.get((row.severity, row.number), key)) if row else str(typed[name])
    return sent


def _draft_table(formsets: dict[type[Model], BaseInlineFormSet[Any, Any, Any]]) -> dict[str, Any]:
    """The forms of a draft as the groups of E1: the rule of a severity, then its points; and those for new points."""
    points, rules = formsets[SchedulePoint], formsets[ClockRule]
    by_severity: dict[str, list[Any]] = {}
    for form in points.initial_forms:
        by_severity.setdefault(form.instance.severity, []).append(form)
    rule_of = {form.instance.severity: form for form in rules.forms}
    return {
        "management": [points.management_form, rules.management_form],
        "groups": [
            {"severity": severity, "rule": rule_of.get(severity), "points": by_severity.get(severity, [])}
            for severity in Severity
        ],
        "unplaced": [form for severity, forms in by_severity.items() if severity not in Severity for form in forms],
        "spare": points.extra_forms,
        "audiences": [SHORT_AUDIENCE[audience] for audience in Audience],
    }


SHORT_AUDIENCE = {
    Audience.CUSTOMER: "Customer",
    Audience.ACCOUNT_MANAGER: "AM",
    Audience.CS_MANAGEMENT: "CS Mgmt",
    Audience.COO: "COO",
}
