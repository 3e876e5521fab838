"""How pages show moments, severities and statuses: in words, never by colour alone."""

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
    """`moment_html` of `at` as seen from the page's `now`; empty for None."""
    if at is None:
        return ""
    now = context.get("now")
    return moment_html(at, now if isinstance(now, datetime) else timezone.now(), style)


def moment_html(at: datetime, now: datetime, style: str = "full") -> SafeString:
    """The `<time>` element of a moment in the reader's time zone, with UTC as its title.

    `style`: "full" shows the date and the distance from `now`, "date" and "distance" only one of them.
    """
    local = timezone.localtime(at)
    date, distance = day_and_time(local, timezone.localdate(now)), distance_from(at, now)
    shown = {"date": date, "distance": distance}.get(style, f"{date} ({distance})")
    title = f"{stamp(at)}" + (f" · {date}" if style == "distance" else "")
    return format_html('<time datetime="{}" title="{}">{}</time>', at.astimezone(UTC).isoformat(), title, shown)


def badge(kind: str, value: str, label: str) -> SafeString:
    return format_html('<span class="desk-badge desk-{}-{}">{}</span>', kind, value, label)


@register.simple_tag
def severity_badge(severity: str) -> SafeString:
    return badge("severity", severity, Severity(severity).label)


@register.simple_tag
def status_badge(status: str) -> SafeString:
    return badge("status", status, Status(status).label)


@register.simple_tag
def mail_badge(status: str) -> SafeString:
    return badge("tone", _MAIL_TONES[MailStatus(status)], MailStatus(status).label)


def next_moment_html(case: Case, now: datetime) -> SafeString | str:
    """The next follow-up step or escalation point of a case, whichever is sooner, and when."""
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
    """Render a panel with the page's context and its own."""
    with context.push(**panel.context):
        return str(get_template(panel.template).template.render(context))  # type: ignore[attr-defined]
