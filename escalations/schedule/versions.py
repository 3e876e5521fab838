"""Load, draft and put in force versions of the schedule (E10); a version in force is never changed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from cases.engine.outside import recheck_open
from cases.enums import Severity
from cases.guards import Refused, allow, needs
from cases.models import Case
from contacts.directory import Addressee, Directory, is_reachable
from contacts.enums import MANAGEMENT_ROLES, Right, Role
from contacts.models import Company, User
from contacts.wording import and_list, at_moment, moment_formatter
from escalations.enums import Audience
from escalations.models import ClockRule, SchedulePoint, ScheduleVersion, validate_cadence, validate_mailed
from escalations.policy.differences import differences
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


def put_in_force(
    version_id: int, actor: User, now: datetime, *, reason: str, seen: str | None = None
) -> ScheduleVersion:
    """Make a draft the schedule of every case opened from `now` on; open cases keep their version (E10).

    `seen` is the `review_key` of what the actor was shown; None compares nothing. Raises AlreadyInForce,
    ReviewOutdated, another Refused with the sentence that names the problem, NotAllowed, or
    ScheduleVersion.DoesNotExist.
    """
    allow(actor, Right.EDIT_SCHEDULE, "change the schedule")
    with transaction.atomic():
        version = ScheduleVersion.objects.select_for_update().get(pk=version_id)
        if not version.is_draft:
            raise AlreadyInForce(version)
        reason = needs(reason, "Say why the version is put in force.", "reason")
        problems = draft_problems(version)
        if problems:
            raise Refused(" ".join(problems))
        present = newest_in_force()
        _refuse_unchanged(version, present)
        if seen is not None and seen != review_key(version, present):
            raise ReviewOutdated(version)
        if present is None:
            recheck_open(Case.objects.all(), ("escalation", "sla"), now)  # those that ran without a schedule (E3)
        version.in_force_from = now
        version.put_in_force_by = actor
        version.put_in_force_reason = reason[:200]
        version.save()
    return version


class AlreadyInForce(Refused):
    """The draft was put in force before."""

    def __init__(self, version: ScheduleVersion) -> None:
        super().__init__(f"Version {version.number} is in force already; nothing was changed.")


class ReviewOutdated(Refused):
    """The draft, or the version in force, differs from what was shown."""

    def __init__(self, version: ScheduleVersion) -> None:
        super().__init__(
            f"Version {version.number} was changed since this was shown, so nothing was put in force. "
            "Look at it anew below."
        )


def draft_key(version: ScheduleVersion) -> str:
    """The number of a version with a digest of what is saved of it: another one once somebody has saved a change."""
    points = [
        (*plain, sorted(mailed), sorted(cadence.items()))
        for *plain, mailed, cadence in version.points.order_by("severity", "number").values_list(
            "severity", "number", "after", "owner_action", "may_need_more", "mailed", "cadence"
        )
    ]
    rules = version.clock_rules.order_by("severity").values_list(
        "severity", "base_interval", "stands_still_while_waiting", "automatic_updates"
    )
    said = repr((version.note, points, list(rules)))
    return f"{version.number}:{hashlib.sha256(said.encode()).hexdigest()[:16]}"


def review_key(version: ScheduleVersion, present: ScheduleVersion | None) -> str:
    """What a review is of: the draft as it is saved, and the version that it takes the place of."""
    return f"{present.number if present else 0}:{draft_key(version)}"


def differences_to(present: ScheduleVersion | None, version: ScheduleVersion) -> list[str]:
    """The sentences of the differences to the version in force; none while there is no such version."""
    return differences(present.as_schedule(), version.as_schedule()) if present else []


def newest_in_force() -> ScheduleVersion | None:
    """The version that new cases are opened under, None while no version is in force."""
    return ScheduleVersion.objects.filter(in_force_from__isnull=False).order_by("-in_force_from", "-number").first()


def _refuse_unchanged(version: ScheduleVersion, present: ScheduleVersion | None) -> None:
    """Raise Refused for a draft that says the same as the version in force."""
    if present is not None and not differences_to(present, version):
        raise Refused(unchanged_sentence(version, present))


def unchanged_sentence(version: ScheduleVersion, present: ScheduleVersion) -> str:
    return (
        f"Version {version.number} says the same as version {present.number}, which is in force; "
        "change something first, or delete the draft."
    )


# --- what is said of a version, in the zone of its reader --------------------------------------------------------


def put_in_force_sentence(version: ScheduleVersion) -> str:
    """“Version 2 was put in force by Ruth Castellano at 14:00, with the reason “The new contract”.”"""
    by = f" by {version.put_in_force_by}" if version.put_in_force_by else ""
    at = f" {_at(version.in_force_from)}" if version.in_force_from else ""
    reason = f", with the reason “{version.put_in_force_reason}”" if version.put_in_force_reason else ""
    return f"Version {version.number} was put in force{by}{at}{reason}."


def changed_sentence(version: ScheduleVersion, seen: str) -> str:
    """What happened to a draft since the page was made whose `draft_key` was `seen`, and what to do about it (S4)."""
    number = seen.partition(":")[0]
    if number.isdigit() and number != str(version.number):
        former = ScheduleVersion.objects.select_related("put_in_force_by").filter(number=int(number[:9])).first()
        happened = put_in_force_sentence(former) if former else f"Version {number} was deleted meanwhile."
        return (
            f"{happened} What you typed is shown here as a change of version {version.number}, the next draft; "
            "save again to keep it."
        )
    last = version.history.select_related("history_user").first()
    who = (last and last.history_user) or "Somebody"
    when = f" {_at(last.history_date)}" if last else ""
    return f"{who} saved this draft{when}, after you opened it; save again to put what you typed in place of theirs."


def _at(moment: datetime) -> str:
    return at_moment(moment, moment_formatter(timezone.now(), timezone.get_current_timezone()))


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
