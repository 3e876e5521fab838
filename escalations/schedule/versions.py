"""Load, draft and put in force versions of the schedule (E10); a version in force is never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from cases.engine.outside import recheck_open
from cases.enums import Severity
from cases.guards import Refused, allow
from cases.models import Case
from contacts.directory import Addressee, Directory, is_reachable
from contacts.enums import MANAGEMENT_ROLES, Right, Role
from contacts.models import Company, User
from contacts.wording import and_list
from escalations.enums import Audience
from escalations.models import ClockRule, SchedulePoint, ScheduleVersion, validate_cadence, validate_mailed
from escalations.policy.schedule import PUBLISHED, Point, Schedule, cadence_minutes, problems_of


def load_published_schedule(now: datetime) -> ScheduleVersion:
    """Store E1 as version 1, in force from `now`; return the first version instead if there is one already."""
    with transaction.atomic():
        present = ScheduleVersion.objects.order_by("number").first()
        if present is not None:
            return present
        recheck_open(Case.objects.all(), ("escalation", "sla"), now)  # those that ran without a schedule (E3)
        return _write(PUBLISHED, 1, "As published in the support guide.", now)


def draft_next_version(actor: User) -> ScheduleVersion:
    """Copy the newest version as a draft, or return the draft that exists. Raises NotAllowed."""
    allow(actor, Right.EDIT_SCHEDULE, "change the schedule")
    with transaction.atomic():
        newest = ScheduleVersion.objects.select_for_update().order_by("-number").first()
        if newest is not None and newest.is_draft:
            return newest
        number = (ScheduleVersion.objects.aggregate(highest=Max("number"))["highest"] or 0) + 1
        return _write(newest.as_schedule() if newest else PUBLISHED, number, "", None)


def put_in_force(version_id: int, actor: User, now: datetime) -> ScheduleVersion:
    """Make a draft the schedule of every case opened from `now` on; open cases keep their version (E10).

    Raises Refused with the sentence that names the problem, or NotAllowed.
    """
    allow(actor, Right.EDIT_SCHEDULE, "change the schedule")
    with transaction.atomic():
        version = ScheduleVersion.objects.select_for_update().get(pk=version_id)
        if not version.is_draft:
            raise Refused(f"Version {version.number} is in force already; nothing was changed.")
        problems = draft_problems(version)
        if problems:
            raise Refused(" ".join(problems))
        _refuse_unchanged(version)
        if newest_in_force() is None:
            recheck_open(Case.objects.all(), ("escalation", "sla"), now)  # those that ran without a schedule (E3)
        version.in_force_from = now
        version.put_in_force_by = actor
        version.save()
    return version


def newest_in_force() -> ScheduleVersion | None:
    """The version that new cases are opened under, None while no version is in force."""
    return ScheduleVersion.objects.filter(in_force_from__isnull=False).order_by("-in_force_from", "-number").first()


def _refuse_unchanged(version: ScheduleVersion) -> None:
    """Raise Refused for a draft that equals the version in force."""
    present = newest_in_force()
    if present is not None and _content(version.as_schedule()) == _content(present.as_schedule()):
        raise Refused(
            f"Version {version.number} says the same as version {present.number}, which is in force; "
            "change something first, or delete the draft."
        )


def _content(schedule: Schedule) -> Schedule:
    """A schedule for comparison: without its version number, the roles of each point sorted."""
    in_order = {
        severity: tuple(replace(point, mailed=tuple(sorted(point.mailed))) for point in schedule.of(severity))
        for severity in Severity
    }
    return replace(schedule, version=0, points=in_order)


# --- problems of a draft (E10) ----------------------------------------------------------------------------------


def draft_problems(version: ScheduleVersion) -> list[str]:
    """What keeps a draft from being put in force, a sentence each with the point and what to do (S4)."""
    return _read_errors(version) or problems_of(version.as_schedule())


def is_readable(version: ScheduleVersion) -> bool:
    """Whether `as_schedule()` can read the rows of the version."""
    return not _read_errors(version)


def _read_errors(version: ScheduleVersion) -> list[str]:
    return [f"{row}: {sentence}" for row in version.points.all() for sentence in _row_errors(row)]


def _row_errors(row: SchedulePoint) -> list[str]:
    """Unknown roles and audiences; no form writes them, but another program may have."""
    sentences = []
    for validate, value in ((validate_mailed, row.mailed), (validate_cadence, row.cadence)):
        try:
            validate(value)
        except ValidationError as error:
            sentences += error.messages
    return sentences


def draft_warnings(schedule: Schedule) -> list[str]:
    """The roles the schedule writes to that nobody holds, a sentence each with who gets the mail instead (D5).

    A warning only: no mail is lost, and holders change.
    """
    directory, roles = Directory(), _points_by_role(schedule)
    return [
        *(_vacancy(role, names, directory) for role, names in roles.items() if _is_vacant(role, directory)),
        *_companies_without_manager(roles.get(Role.ACCOUNT_MANAGER, []), directory),
    ]


def _points_by_role(schedule: Schedule) -> dict[Role, list[str]]:
    """The roles that a schedule mails or updates, with the names of the points that do."""
    names: dict[Role, list[str]] = {}
    for point in (point for severity in Severity for point in schedule.of(severity)):
        for role in dict.fromkeys(
            [*point.mailed, *(_ROLE_OF[member] for member in point.cadence if member in _ROLE_OF)]
        ):
            names.setdefault(role, []).append(point.name)
    return names


#: The role behind an audience; the Director joins CS Management only once a point has mailed them.
_ROLE_OF = {
    Audience.ACCOUNT_MANAGER: Role.ACCOUNT_MANAGER,
    Audience.CS_MANAGEMENT: Role.CSM,
    Audience.COO: Role.COO,
}


def _is_vacant(role: Role, directory: Directory) -> bool:
    return role in MANAGEMENT_ROLES and not is_reachable(directory.holder(role, None))


def _vacancy(role: Role, names: list[str], directory: Directory) -> str:
    return (
        f"{_they_write(names)} to the {role.label}, and nobody who can be written to holds that role for the whole "
        f"desk: {_fallback(directory.for_role(role, None))} "
        "Name a holder under Management roles."
    )


def _companies_without_manager(names: list[str], directory: Directory) -> list[str]:
    companies = Company.objects.filter(active=True).exclude(
        account_manager__is_active=True, account_manager__email__gt=""
    )
    count = companies.count() if names else 0
    if not count:
        return []
    some = ", ".join(str(company) for company in companies.order_by("name")[:3])
    whose = f"{some} and {count - 3} more companies have" if count > 3 else f"{some} {'have' if count > 1 else 'has'}"
    return [
        f"{_they_write(names)} to the account manager, and {whose} none who can be written to: "
        f"{_fallback(directory.fallback('', None))} Name one on the page of the company."
    ]


def _fallback(readers: Sequence[Addressee]) -> str:
    if not readers:
        return "nobody could be found who would get it instead."
    return f"{and_list(reader.name for reader in readers)} would get it instead."


def _they_write(names: Sequence[str]) -> str:
    return f"{and_list(names)} {'write' if len(names) > 1 else 'writes'}"


# --- writing a version ------------------------------------------------------------------------------------------


def _write(schedule: Schedule, number: int, note: str, in_force_from: datetime | None) -> ScheduleVersion:
    version = ScheduleVersion.objects.create(number=number, note=note, in_force_from=in_force_from)
    points = [point for points in schedule.points.values() for point in points]
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
        cadence=cadence_minutes(point.cadence),
        may_need_more=point.may_need_more,
    )
