"""The letter with a report of the last week (W4)."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse

from cases.mail.letters import Letter
from contacts.directory import addressee
from escalations.models import ReportSubscription
from escalations.policy.figures import written
from escalations.policy.reporting import write_scope
from escalations.reports.export import file_of
from escalations.reports.state import ReportTable, narrowed_to
from escalations.switch_off import SwitchOff


def report_letter(wanted: ReportSubscription, table: ReportTable, next_at: datetime) -> Letter:
    """The figures of all rows together, the link to the page, and every row as CSV. `next_at`: when it comes again."""
    period, total = table.scope.period, table.total
    page = settings.SITE_URL + reverse("admin:escalations_reportcase_report", args=[wanted.report])
    query = {name: value for name, value in write_scope(table.scope).items() if name != "zone"} | {"by": wanted.by}
    name, content_type, content = file_of(table, "csv")
    figures = (
        []
        if table.is_empty or total is None
        else [
            {"label": column.name, "value": written(total.values[column.slug], column.unit)} for column in table.columns
        ]
    )
    what = {
        "title": table.report.title,
        "period": str(period),
        "about": narrowed_to(table.scope, wanted.user),
        "nothing": table.report.nothing if table.is_empty else "",
        "figures": figures,
        "url": f"{page}?{urlencode(query)}",
        "off_url": switch_off_url(wanted),
        "enclosed": [{"name": name, "type": content_type, "text": content.decode()}],
        "why": "you asked for this report every week",
        "expected": "Nothing: this is to inform you.",
        "next": "It comes again next Monday, until you stop it.",
        "next_at": next_at.isoformat(),
    }
    key = f"report:{wanted.pk}:{period.last.isoformat()}"
    return Letter(key, "report", addressee(wanted.user), what, occasion=table.scope.end)


# --- switched off from the mail (RFC 8058) ------------------------------------------------------------------------

SWITCH_OFF = SwitchOff("report_off", "escalations.reports.off")


def switch_off_url(wanted: ReportSubscription) -> str:
    """Where this report is stopped, without signing in."""
    return SWITCH_OFF.url(wanted.pk)


def subscription_of(token: str) -> int | None:
    """Which report a signed address stops; None for no such address."""
    return SWITCH_OFF.key_of(token)
