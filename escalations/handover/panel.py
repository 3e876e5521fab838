"""Hand-over on the page of a case, and on the desk of a technician whose day ends early (W3)."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils import timezone

from cases.dashboard import Card, card
from cases.models import Case
from cases.panels import Panel, PanelLine, panel
from contacts.enums import Right
from contacts.models import Technician, User
from contacts.wording import moment_formatter
from escalations.handover.apply import may_change
from escalations.handover.state import handovers_of
from escalations.handover.work import accept_limit
from escalations.models import HandoverLine

#: How many earlier hand-overs the panel shows.
EARLIER_SHOWN = 3


def _open_line(case: Case) -> HandoverLine | None:
    return next((line for line in handovers_of(case) if line.is_open and case.is_open), None)


def _handover_line(case: Case, user: User, now: datetime) -> PanelLine | None:
    line = _open_line(case)
    if line is None:
        newest = next(iter(handovers_of(case)), None)
        return PanelLine("Hand-over", newest.get_state_display().lower()) if newest is not None else None
    show = moment_formatter(now, timezone.get_current_timezone())
    if line.sheet.sent_at is None:
        return PanelLine("Hand-over", f"goes to {line.sheet.receiver} {show(line.sheet.ends_at)}")
    is_managers = line.sheet.is_managers(now)
    by = (
        "the Support Manager's" if is_managers else f"{line.sheet.receiver} accepts by {show(accept_limit(line.sheet))}"
    )
    return PanelLine("Hand-over", by, is_open=True, is_pressing=is_managers)


@panel(place=13, slug="handover", line=_handover_line)
def handover_panel(case: Case, user: User, now: datetime) -> Panel:
    """Where the case stands by its sheet, what was owed, and who accepts it."""
    line = _open_line(case)
    earlier = [one for one in handovers_of(case) if one is not line]
    return Panel(
        "admin/escalations/handover/panel.html",
        {
            "handover": line,
            "earlier": earlier[:EARLIER_SHOWN],
            "may_read_sheet": user.may(Right.READ_EVERY_CASE),
            "may_change": line is not None and may_change(line, user),
            "accept_by": accept_limit(line.sheet) if line is not None else None,
        },
    )


@card(place=27, right=Right.WORK_CASES)
def leave_early(user: User, now: datetime) -> Card | None:
    """The button that ends a technician's day: what is due before they are back is handed over at once (W3)."""
    technician = Technician.objects.filter(user=user, on_duty=True).first()
    if technician is None:
        return None
    context = {"address": reverse("admin:escalations_handoversheet_leave")}
    return Card("End my day", "admin/escalations/handover/leave.html", context, on_top=True)
