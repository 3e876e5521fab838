"""How moments, severities and statuses are shown on pages: in words, never by colour alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import template
from django.template import Context
from django.template.loader import get_template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from cases.enums import MailStatus, Severity, Status
from cases.models import Case
from cases.panels import Panel
from contacts.wording import day_and_time, distance_from, stamp

register = template.Library()

_MAIL_TONES = {
    MailStatus.QUEUED: "info",
    MailStatus.SENT: "good",
    MailStatus.FAILED: "bad",
    MailStatus.BOUNCED: "bad",
    MailStatus.DROPPED: "quiet",
}


@register.simple_tag(takes_context=True)
def moment(context: dict[str, Any], at: datetime | None, style: str = "full") -> SafeString | str:
    """A moment in the reader's own zone, with UTC on hovering; nothing for None.

    `style`: "full" says both date and distance, "date" only the date, "distance" only the distance.
    """
    if at is None:
        return ""
    now = context.get("now")
    return moment_html(at, now if isinstance(now, datetime) else timezone.now(), style)


def moment_html(at: datetime, now: datetime, style: str = "full") -> SafeString:
    """The `<time>` element of a moment as seen from `now`."""
    local = timezone.localtime(at)
    date, distance = day_and_time(local, timezone.localdate(now)), distance_from(at, now)
    shown = {"date": date, "distance": distance}.get(style, f"{date} ({distance})")
    title = f"{stamp(at)}" + (f" · {date}" if style == "distance" else "")
    return format_html('<time datetime="{}" title="{}">{}</time>', at.astimezone(UTC).isoformat(), title, shown)


def badge(kind: str, value: str, label: str) -> SafeString:
    """A word on a quiet ground; the colour only helps."""
    return format_html('<span class="desk-badge desk-{}-{}">{}</span>', kind, value, label)


@register.simple_tag
def severity_badge(severity: str) -> SafeString:
    """How bad it is (C2)."""
    return badge("severity", severity, Severity(severity).label)


@register.simple_tag
def status_badge(status: str) -> SafeString:
    """Where it stands (C4)."""
    return badge("status", status, Status(status).label)


@register.simple_tag
def mail_badge(status: str) -> SafeString:
    """What happened to a message (M1)."""
    return badge("tone", _MAIL_TONES[MailStatus(status)], MailStatus(status).label)


def next_moment_html(case: Case, now: datetime) -> SafeString | str:
    """What happens next by itself, and when: a step of the waiting plan or an escalation point, whichever is sooner."""
    coming = [
        (at, what)
        for at, what in ((case.follow_up_check_at, "Reminder"), (case.escalation_check_at, "Escalation"))
        if at is not None and case.is_open
    ]
    if not coming:
        return "–"
    at, what = min(coming)
    if at <= now:
        return format_html('<span class="desk-next">{}</span>', "Due now")
    return format_html('<span class="desk-next">{} {}</span>', what, moment_html(at, now, "distance"))


@register.simple_tag(takes_context=True)
def render_panel(context: Context, panel: Panel) -> str:
    """A panel's template with the page's own context and the panel's."""
    with context.push(**panel.context):
        return get_template(panel.template).template.render(context)  # type: ignore[attr-defined]
