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
from cases.panels import Panel
from cases.work_items import NextByDesk, WorkItem
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
def tone_badge(tone: str, label: str) -> SafeString:
    return badge("tone", tone, label)


@register.simple_tag
def mail_badge(status: str) -> SafeString:
    return badge("tone", _MAIL_TONES[MailStatus(status)], MailStatus(status).label)


def next_html(coming: WorkItem | NextByDesk | None, now: datetime) -> SafeString | str:
    """What comes next on a case in a word or two, and when; red where it presses (W2)."""
    if coming is None:
        return "–"
    at: datetime | None
    if isinstance(coming, NextByDesk):
        tone, at, text = "is-quiet", coming.at, f"By itself: {coming.what}"
    else:
        tone, at, text = "is-bad" if coming.is_pressing(now) else "", coming.due_at, coming.text
    when = moment_html(at, now, "distance") if at is not None else ""
    return format_html('<span class="desk-next {}" title="{}"><span>{}</span> {}</span>', tone, text, coming.name, when)


@register.simple_tag(takes_context=True)
def render_panel(context: Context, panel: Panel) -> str:
    """Render a panel with the page's context and its own."""
    with context.push(**panel.context):
        return str(get_template(panel.template).template.render(context))  # type: ignore[attr-defined]
