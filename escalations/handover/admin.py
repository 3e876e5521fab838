"""Hand-over sheets in the admin (W3): the list, the page of a sheet with its buttons, and the end of one's day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from cases.admin.rows import moment_column
from cases.guards import NotAllowed, Refused
from cases.templatetags.case_page import badge
from contacts.enums import Right
from contacts.models import SupportCentre, User
from contacts.permissions import RightsAdmin, has_right, id_of, own_page, signed_in_user
from contacts.wording import day_and_time
from escalations.enums import HandoverState
from escalations.handover import apply
from escalations.handover.work import accept_limit
from escalations.models import HandoverLine, HandoverSheet

OPEN = HandoverState.OPEN
#: The colour of what became of a case.
TONES = {
    HandoverState.OPEN: "info",
    HandoverState.ACCEPTED: "good",
    HandoverState.KEPT: "quiet",
    HandoverState.OVER: "quiet",
}


@dataclass(frozen=True)
class Clock:
    """A centre's clock: writes moments as its people read them."""

    name: str
    zone: ZoneInfo
    now: datetime

    def show(self, moment: datetime | None) -> str:
        """“Sat 28 Nov, 17:05”."""
        if moment is None:
            return ""
        return day_and_time(moment.astimezone(self.zone), self.now.astimezone(self.zone).date())


@dataclass(frozen=True)
class SheetLine:
    """A case on the page of its sheet; each of what is owed with its time on either clock."""

    line: HandoverLine
    owed: list[tuple[str, list[str], bool]]
    tone: str
    may_accept: bool
    may_change: bool


class SheetStateFilter(SimpleListFilter):
    """How a sheet stands."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "With cases to accept"), ("manager", "The Support Manager's"), ("settled", "Settled")]

    def queryset(self, request: HttpRequest, rows: QuerySet[HandoverSheet]) -> QuerySet[HandoverSheet]:
        if self.value() == "open":
            return rows.filter(settled_at=None)
        if self.value() == "manager":
            return rows.filter(settled_at=None, sent_at__isnull=False, accept_by__lte=timezone.now())
        return rows.filter(settled_at__isnull=False) if self.value() == "settled" else rows


@admin.register(HandoverSheet)
class HandoverSheetAdmin(RightsAdmin):
    """Sheets: read by those who read every case (A1), written by the sweep, changed by its moves and by no form."""

    view_right = Right.READ_EVERY_CASE
    list_display = ("sheet_display", "ends_at_display", "cases_display", "state_display", "accept_by_display")
    list_display_links = ("sheet_display",)
    list_filter = (SheetStateFilter, "centre", "to_centre")
    list_select_related = ("centre", "to_centre", "person")
    sortable_by = ()
    ordering = ("-ends_at", "-pk")
    actions = None
    change_form_template = "admin/escalations/handover/page.html"

    ends_at_display = moment_column("ends_at", "End of the day", "date")
    accept_by_display = moment_column("accept_by", "To accept by", "date")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With how many cases are on each sheet, and how many of them nobody has accepted."""
        lines = (
            HandoverLine.objects.filter(sheet=OuterRef("pk")).order_by().values("sheet").annotate(number=Count("pk"))
        )
        return (
            super()
            .get_queryset(request)
            .annotate(
                cases=Coalesce(Subquery(lines.values("number")), 0),
                left=Coalesce(Subquery(lines.filter(state=OPEN).values("number")), 0),
            )
        )

    @admin.display(description="Hand-over")
    def sheet_display(self, sheet: HandoverSheet) -> str:
        return f"{sheet.giver} to {sheet.receiver}"

    @admin.display(description="Cases")
    def cases_display(self, sheet: Any) -> str:
        if not sheet.cases:
            return "none"
        return f"{sheet.cases}, {sheet.left} not accepted" if sheet.left else str(sheet.cases)

    @admin.display(description="State")
    def state_display(self, sheet: HandoverSheet) -> SafeString:
        return badge("tone", *state_of(sheet, timezone.now()))

    # --- the page of one sheet ---

    def get_fieldsets(self, request: HttpRequest, obj: HandoverSheet | None = None) -> Any:
        """None: the template shows the sheet."""
        return ((None, {"fields": ()}),)

    def form_context(self, request: HttpRequest, row: HandoverSheet) -> dict[str, Any]:
        """The cases with what is owed on either clock, and what the reader may do; a fixed number of queries."""
        now, user = timezone.now(), signed_in_user(request)
        lines = list(
            row.lines.select_related("case__company", "owner", "accepted_by", "new_owner", "edited_by").order_by(
                "due_at", "pk"
            )
        )
        clocks = [_clock(row.centre, now)]
        if row.to_centre is not None and row.to_centre.time_zone != row.centre.time_zone:
            clocks.append(_clock(row.to_centre, now))
        works = user.may(Right.WORK_CASES)
        shown = [
            SheetLine(
                line,
                [
                    (what, [clock.show(at) for clock in clocks], line.is_open and at < now)
                    for what, at in line.owed_moments
                ],
                TONES[HandoverState(line.state)],
                works and line.is_open and line.owner_id != user.pk,
                line.is_open and apply.may_change(line, user),
            )
            for line in lines
        ]
        tone, state = state_of(row, now)
        return {
            "title": str(row),
            "subtitle": None,
            "sheet": row,
            "now": now,
            "clocks": clocks,
            "ends": [(clock.name, clock.show(row.ends_at)) for clock in clocks],
            "back": [(clock.name, clock.show(row.back_at)) for clock in clocks] if row.back_at else [],
            "accept_by": [(clock.name, clock.show(accept_limit(row))) for clock in clocks],
            "is_open": any(one.line.is_open for one in shown),
            "tone": tone,
            "state": state,
            "lines": shown,
            "to_accept": sum(one.may_accept for one in shown),
        }

    # --- what people do (A2) ---

    @own_page("<int:object_id>/accept/", "accept", "POST")
    def accept_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Accept the case of `line`, without one every case of the sheet."""
        asked = request.POST.get("line", "")
        lines = [id_of(asked) or 0] if asked else None

        def accept(user: User, now: datetime) -> str:
            done = apply.accept(object_id, user, now, lines=lines)
            if done.left:
                messages.warning(request, f"Left where they are: {done.why_left}.")
            owners = sorted({"you" if one.after == user else str(one.after) for one in done.changes})
            number = f"{done.given} case{'' if done.given == 1 else 's'}"
            return f"{number} accepted, for {', '.join(owners)}." if done.changes else ""

        return self._do(request, accept, object_id)

    @own_page("lines/<int:line_id>/keep/", "keep", "POST")
    def keep_view(self, request: HttpRequest, line_id: int) -> HttpResponse:
        """Keep a case: it is not handed over."""

        def keep(user: User, now: datetime) -> str:
            line = apply.keep(line_id, user, now)
            return f"{line.case.number} stays with {'you' if line.owner_id == user.pk else line.owner}."

        return self._do(request, keep, self._sheet_of(request, line_id))

    @own_page("lines/<int:line_id>/reword/", "reword", "POST")
    def reword_view(self, request: HttpRequest, line_id: int) -> HttpResponse:
        """Say in one's own words where a case stands."""

        def reword(user: User, now: datetime) -> str:
            line = apply.reword(line_id, user, now, request.POST.get("stands", ""))
            return f"The line of {line.case.number} says what you wrote."

        return self._do(request, reword, self._sheet_of(request, line_id))

    @own_page("leave/", "leave", "POST")
    def leave_view(self, request: HttpRequest) -> HttpResponse:
        """End one's day: what is due before one is back is handed over."""
        if not has_right(request, Right.WORK_CASES):
            raise PermissionDenied
        sheet = apply.go_away(signed_in_user(request), timezone.now())
        if sheet is None:
            messages.success(request, "You are away. Nothing is due on your cases before you are back: you keep them.")
            return HttpResponseRedirect(reverse("admin:index"))
        messages.success(request, f"You are away, and your cases are handed over to {sheet.receiver}.")
        return HttpResponseRedirect(sheet.get_absolute_url())

    def _sheet_of(self, request: HttpRequest, line_id: int) -> int:
        """Raises Http404 for a line that the reader may not see."""
        sheets = HandoverSheet.objects.visible_to(request.user)
        found = sheets.filter(lines=line_id).values_list("pk", flat=True).first()
        if found is None:
            raise Http404("There is no such case on a sheet.")
        return found

    def _do(self, request: HttpRequest, move: Callable[[User, datetime], str], sheet_id: int) -> HttpResponse:
        """Make a move, say what came of it or why not, and show the sheet. Raises PermissionDenied or Http404."""
        if not has_right(request, Right.WORK_CASES):
            raise PermissionDenied
        try:
            said = move(signed_in_user(request), timezone.now())
        except (HandoverSheet.DoesNotExist, HandoverLine.DoesNotExist) as error:
            raise Http404("There is no such hand-over.") from error
        except NotAllowed:
            raise
        except Refused as refused:
            messages.error(request, refused.sentence)
        else:
            if said:
                messages.success(request, said)
        return HttpResponseRedirect(reverse("admin:escalations_handoversheet_change", args=[sheet_id]))


def state_of(sheet: HandoverSheet, now: datetime) -> tuple[str, str]:
    """The colour and the words of how a sheet stands."""
    if sheet.settled_at is not None:
        return "quiet" if sheet.sent_at is None else "good", "Settled"
    if sheet.sent_at is None:
        return "quiet", "Written"
    return ("bad", "The Support Manager's") if sheet.is_managers(now) else ("info", "Handed over")


def _clock(centre: SupportCentre, now: datetime) -> Clock:
    return Clock(centre.name, ZoneInfo(centre.time_zone), now)
