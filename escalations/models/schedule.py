"""The escalation schedule in its versions (E1, E10)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q, prefetch_related_objects
from simple_history.models import HistoricalRecords

from cases.enums import Severity
from cases.models import Case
from contacts.compiled import CompiledQuery
from contacts.enums import Role
from escalations.enums import Audience, OwnerAction
from escalations.policy.schedule import BASE_INTERVAL, Point, Schedule

#: The roles a point may mail (E1).
MAILED_ROLES = (Role.ACCOUNT_MANAGER, Role.CSM, Role.CS_DIRECTOR, Role.COO, Role.SUPPORT_MANAGER)


def validate_mailed(roles: list[str]) -> None:
    """Raise ValidationError for a role that the schedule cannot mail (E10)."""
    unknown = sorted(set(roles) - {role.value for role in MAILED_ROLES})
    if unknown:
        raise ValidationError(f"Unknown role {', '.join(unknown)}; choose from {', '.join(MAILED_ROLES)}.")


def validate_cadence(cadence: dict[str, int]) -> None:
    """Raise ValidationError for an unknown audience, or an interval that is not a number of minutes."""
    for audience, minutes in cadence.items():
        if audience not in Audience:
            raise ValidationError(f"Unknown audience “{audience}”; choose from {', '.join(Audience)}.")
        if not isinstance(minutes, int) or minutes <= 0:
            raise ValidationError(f"Updates to {Audience(audience).label} need an interval above zero.")


class ScheduleVersion(models.Model):
    """One version of the schedule (E10): a draft until it is put in force, never changed afterwards.

    A case runs under the version in force when it was opened, until it is moved. The first version also covers cases
    opened before it.
    """

    number = models.PositiveIntegerField(unique=True)
    note = models.CharField(max_length=200, blank=True, help_text="What this version changes, and why.")
    in_force_from = models.DateTimeField(null=True, blank=True, editable=False)
    put_in_force_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    put_in_force_reason = models.CharField("reason", max_length=200, blank=True, editable=False)
    history = HistoricalRecords()

    class Meta:
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"Version {self.number} (draft)" if self.is_draft else f"Version {self.number}"

    @property
    def is_draft(self) -> bool:
        return self.in_force_from is None

    def as_schedule(self) -> Schedule:
        """The value that the pure rules work with; raises ValueError for an unknown role or audience."""
        points: dict[Severity, list[Point]] = {}
        for row in self.points.all():
            points.setdefault(Severity(row.severity), []).append(row.as_point())
        rules = {Severity(row.severity): row for row in self.clock_rules.all()}
        return Schedule(
            version=self.number,
            points={severity: tuple(sorted(rows, key=lambda point: point.number)) for severity, rows in points.items()},
            stands_still=frozenset(Severity)
            - {level for level, row in rules.items() if not row.stands_still_while_waiting},
            base_interval=BASE_INTERVAL | {level: row.base_interval for level, row in rules.items()},
            automatic_updates=frozenset(Severity)
            - {level for level, row in rules.items() if not row.automatic_updates},
        )


class SchedulePoint(models.Model):
    """A row of the table of E1: when a point comes and what it does."""

    version = models.ForeignKey(ScheduleVersion, on_delete=models.CASCADE, related_name="points")
    severity = models.CharField(max_length=8, choices=Severity.choices)
    number = models.PositiveSmallIntegerField("point")
    after = models.DurationField("unresolved for")
    mailed = models.JSONField("emailed", default=list, blank=True, validators=[validate_mailed])
    owner_action = models.CharField("owner", max_length=8, choices=OwnerAction.choices, default=OwnerAction.ASKED)
    cadence = models.JSONField(
        "status updates from here on",
        default=dict,
        blank=True,
        validators=[validate_cadence],
        help_text="Minutes between two updates, by audience.",
    )
    may_need_more = models.BooleanField("additional escalation where appropriate", default=False)

    class Meta:
        ordering = ["version", "after"]
        constraints = [
            models.UniqueConstraint(fields=["version", "severity", "number"], name="a_point_stands_once_in_a_version"),
            models.CheckConstraint(condition=Q(after__gt=timedelta(0)), name="a_point_comes_after_the_opening"),
        ]

    def __str__(self) -> str:
        return f"{self.get_severity_display()} {self.number}"

    def clean(self) -> None:
        """Raise ValidationError for a point of a version in force (E10)."""
        if self.version_id and not self.version.is_draft:
            raise ValidationError("This version is in force and stays as it is; draft the next version to change it.")

    def as_point(self) -> Point:
        """The value that the pure rules work with; raises ValueError for an unknown role or audience."""
        return Point(
            severity=Severity(self.severity),
            number=self.number,
            after=self.after,
            owner=OwnerAction(self.owner_action),
            mailed=tuple(Role(role) for role in self.mailed),
            cadence={Audience(who): timedelta(minutes=minutes) for who, minutes in self.cadence.items()},
            may_need_more=self.may_need_more,
        )


class ClockRule(models.Model):
    """The rules of a severity in a version: whether the clock stops while the case waits for the customer (E2), the
    customer's update interval before any point (T2), and whether the desk sends updates automatically (T3).
    """

    version = models.ForeignKey(ScheduleVersion, on_delete=models.CASCADE, related_name="clock_rules")
    severity = models.CharField(max_length=8, choices=Severity.choices)
    stands_still_while_waiting = models.BooleanField(
        "stands still while waiting",
        default=True,
        help_text="Whether the escalation clock stops while we wait for the customer.",
    )
    base_interval = models.DurationField(
        "customer updated every",
        help_text="How often the customer is owed a status update before any point is reached.",
    )
    automatic_updates = models.BooleanField(
        "the desk updates by itself",
        default=True,
        help_text="Whether the desk sends an update shortly before the deadline when nobody else has.",
    )

    class Meta:
        ordering = ["version", "severity"]
        constraints = [
            models.UniqueConstraint(fields=["version", "severity"], name="one_clock_rule_per_severity_and_version"),
            models.CheckConstraint(condition=Q(base_interval__gt=timedelta(0)), name="a_base_interval_is_above_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.get_severity_display()} clock of version {self.version_id}"


class ScheduleMove(models.Model):
    """An open case was moved to another version of the schedule, which counts from that moment on (E10)."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="schedule_moves")
    version = models.ForeignKey(ScheduleVersion, on_delete=models.PROTECT, related_name="moves")
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["case", "at", "pk"]
        indexes = [models.Index(fields=["case", "at"], name="schedule_move_by_case")]

    def __str__(self) -> str:
        return f"case {self.case_id} to version {self.version_id}"


#: The schedules of versions in force by key, number and moment. Such a version is never changed (E10), so a process
#: reads its points and rules once.
_in_force: dict[tuple[int, int, datetime], Schedule] = {}


_versions = CompiledQuery(
    lambda: ScheduleVersion.objects.filter(in_force_from__isnull=False).order_by("in_force_from", "number")
)


def schedules() -> list[tuple[datetime, Schedule]]:
    """Every version that was put in force, oldest first, each with its moment (UTC); one query once they are known."""
    keyed = {(row.pk, row.number, row.in_force_from): row for row in _versions() if row.in_force_from}
    unknown = [row for key, row in keyed.items() if key not in _in_force]
    if unknown:
        prefetch_related_objects(unknown, "points", "clock_rules")
        _in_force.update({key: row.as_schedule() for key, row in keyed.items() if key not in _in_force})
    return [(key[2], _in_force[key]) for key in keyed]


def forget_schedules() -> None:
    """Read them afresh; for tests, whose databases begin anew."""
    _in_force.clear()
