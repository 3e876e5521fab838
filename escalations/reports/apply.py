"""Mailing reports: who wants which one, and the run that writes those that are due (W4).

A mail and the moment of the next one are written in one transaction, and the mail's key names the week: however often
the run is repeated, killed, or done by two workers, a week's report is written once.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from cases.guards import NotAllowed, Refused
from cases.mail.letters import post
from cases.mail.rendering import reader_zone
from contacts.directory import is_reachable
from contacts.enums import Right
from contacts.models import User
from escalations.models import ReportSubscription
from escalations.policy.figures import BREAKDOWNS, REPORTS
from escalations.policy.reporting import Period, Scope, read_scope, write_scope
from escalations.reports.mail import report_letter
from escalations.reports.state import reckon

log = logging.getLogger(__name__)

#: Monday morning, in the reader's time zone.
SENT_AT = time(7)
#: How many reports somebody can have mailed.
MOST = 10
#: How long a report that could not be made is left alone (S2).
RETRY_AFTER = timedelta(hours=1)
A_WEEK = timedelta(days=7)


def monday_after(now: datetime, zone: ZoneInfo) -> datetime:
    """The next Monday morning there after `now`, in UTC."""
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    this, following = _morning(monday, zone), _morning(monday + A_WEEK, zone)
    return this if this > now else following


def _morning(monday: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(monday, SENT_AT, zone).astimezone(UTC)


def subscribe(user: User, report: str, by: str, scope: Scope, now: datetime) -> ReportSubscription:
    """Have a report mailed every Monday, about the cases of this scope. Raises Refused."""
    filters = {name: value for name, value in write_scope(scope).items() if name not in ("from", "to", "zone")}
    own = ReportSubscription.objects.filter(user=user)
    if not is_reachable(user):
        raise Refused("You have no email address in the directory; ask an administrator to add it.")
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two clicks at once take turns
        if any((row.report, row.by, row.filters) == (report, by, filters) for row in own):
            raise Refused("You get this very report every Monday already.")
        if own.count() >= MOST:
            raise Refused(f"You get {MOST} reports already; stop one of them first.")
        next_at = monday_after(now, reader_zone(user.time_zone))
        return ReportSubscription.objects.create(user=user, report=report, by=by, filters=filters, next_at=next_at)


def unsubscribe(user: User, key: int) -> None:
    """Stop one of one's own reports; nothing for one that is stopped already."""
    ReportSubscription.objects.filter(user=user, pk=key).delete()


def mail_reports(now: datetime) -> int:
    """Write every report that is due; returns how many. One that cannot be made is reported and tried in an hour."""
    written = 0
    for key in (
        ReportSubscription.objects.filter(next_at__lte=now).order_by("next_at", "pk").values_list("pk", flat=True)
    ):
        try:
            written += _mail_one(key, now)
        except Exception:
            log.exception("report %s could not be made", key)
            ReportSubscription.objects.filter(pk=key, next_at__lte=now).update(next_at=now + RETRY_AFTER)
    return written


def _mail_one(key: int, now: datetime) -> bool:
    """Write one report, of the week before the last Monday; after an outage only the newest is sent."""
    with transaction.atomic():
        due = ReportSubscription.objects.filter(pk=key, next_at__lte=now).select_for_update(
            skip_locked=True, of=("self",)
        )
        wanted = due.select_related("user").first()
        if wanted is None:
            return False
        user, zone = wanted.user, reader_zone(wanted.user.time_zone)
        wanted.next_at = monday_after(now, zone)
        wanted.save(update_fields=["next_at"])
        if not (is_reachable(user) and user.may(Right.READ_REPORTS)):
            return False
        monday = (wanted.next_at.astimezone(zone) - A_WEEK).date()
        scope = scope_of(wanted, Period(monday - A_WEEK, monday - timedelta(days=1)), zone)
        by = wanted.by if may_group(user, wanted.by) else "time"
        post([report_letter(wanted, reckon(wanted.report, scope, by, user), wanted.next_at)], now)
        return True


def scope_of(wanted: ReportSubscription, period: Period, zone: ZoneInfo) -> Scope:
    """The cases that a subscription is about, in a period."""
    days: Mapping[str, str] = {"from": period.first.isoformat(), "to": period.last.isoformat(), "zone": zone.key}
    return read_scope({**wanted.filters, **days})


def may_group(user: User, by: str) -> bool:
    """Whether somebody may have reports broken down so: people and centres only who reads every case (A1)."""
    return by in BREAKDOWNS and (not BREAKDOWNS[by].needs_everything or user.may(Right.READ_EVERY_CASE))


def check_report(report: str, user: User) -> None:
    """Raises NotAllowed for somebody who may not read reports, KeyError for a report that there is not."""
    if not user.may(Right.READ_REPORTS):
        raise NotAllowed("Reports are read by account managers and by whoever manages the desk.")
    REPORTS[report]
