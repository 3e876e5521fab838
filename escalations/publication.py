"""The life of a schedule version (E10): loaded once from E1, drafted as a copy, put in force, never changed after."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Max

from cases.guards import Refused, allow
from cases.terms import Severity
from contacts.models import User
from contacts.terms import Right
from escalations.models import ClockRule, SchedulePoint, ScheduleVersion
from escalations.schedule import PUBLISHED, Point, Schedule, rhythm_minutes, schedule_problems


def load_published_schedule(now: datetime) -> ScheduleVersion:
    """E1 as version 1, in force from `now`, unless the desk has a schedule already: then that stays as it is."""
    with transaction.atomic():
        present = ScheduleVersion.objects.order_by("number").first()
        return present or _write(PUBLISHED, 1, "As published in the support guide.", now)


def draft_next_version(actor: User) -> ScheduleVersion:
    """A copy of the newest version that can be edited; the draft there is already, if there is one.

    Raises NotAllowed.
    """
    allow(actor, Right.EDIT_SCHEDULE, "change the schedule")
    with transaction.atomic():
        newest = ScheduleVersion.objects.select_for_update().order_by("-number").first()
        if newest is not None and newest.is_draft:
            return newest
        number = (ScheduleVersion.objects.aggregate(highest=Max("number"))["highest"] or 0) + 1
        return _write(newest.as_schedule() if newest else PUBLISHED, number, "", None)


def put_in_force(version_id: int, actor: User, now: datetime) -> ScheduleVersion:
    """Make a draft the schedule of every case opened from `now` on; open cases keep theirs (E10).

    Raises Refused with the sentence that names the problem, or NotAllowed.
    """
    allow(actor, Right.EDIT_SCHEDULE, "change the schedule")
    with transaction.atomic():
        version = ScheduleVersion.objects.select_for_update().get(pk=version_id)
        if not version.is_draft:
            raise Refused(f"Version {version.number} is in force already; nothing was changed.")
        points = [point for points in version.as_schedule().points.values() for point in points]
        problems = schedule_problems(points) or ([] if points else ["A schedule needs at least one point."])
        if problems:
            raise Refused(" ".join(problems))
        version.in_force_from = now
        version.put_in_force_by = actor
        version.save()
    return version


def _write(schedule: Schedule, number: int, note: str, in_force_from: datetime | None) -> ScheduleVersion:
    version = ScheduleVersion.objects.create(number=number, note=note, in_force_from=in_force_from)
    points = [point for its_points in schedule.points.values() for point in its_points]
    SchedulePoint.objects.bulk_create(_row(version, point) for point in points)
    ClockRule.objects.bulk_create(
        ClockRule(
            version=version,
            severity=severity,
            stands_still_while_waiting=severity in schedule.stands_still,
            base_interval=schedule.base_interval[severity],
            automatic_updates=severity in schedule.automatic_updates,
        )
        for severity in Severity
    )
    return version


def _row(version: ScheduleVersion, point: Point) -> SchedulePoint:
    return SchedulePoint(
        version=version,
        severity=point.severity,
        number=point.number,
        after=point.after,
        mailed=[role.value for role in point.mailed],
        owner_action=point.owner,
        rhythm=rhythm_minutes(point.rhythm),
        may_need_more=point.may_need_more,
    )
