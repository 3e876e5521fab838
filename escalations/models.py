"""Records of escalation: the schedule in its versions, and the ledger of what was carried out (section 5)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from cases.models import Case
from cases.terms import Severity
from contacts.terms import Role
from escalations.schedule import Audience, OwnerAction, Point, Schedule

#: Whom a point may email (E1).
MAILED_ROLES = (Role.ACCOUNT_MANAGER, Role.CSM, Role.CS_DIRECTOR, Role.COO, Role.SUPPORT_MANAGER)


def validate_mailed(roles: list[str]) -> None:
    """Refuse a role that the schedule cannot email (E10). Raises ValidationError."""
    unknown = sorted(set(roles) - {role.value for role in MAILED_ROLES})
    if unknown:
        raise ValidationError(f"Unknown role {', '.join(unknown)}; choose from {', '.join(MAILED_ROLES)}.")


def validate_rhythm(rhythm: dict[str, int]) -> None:
    """Refuse an unknown audience, or an interval that is not a number of minutes. Raises ValidationError."""
    for audience, minutes in rhythm.items():
        if audience not in {one.value for one in Audience}:
            raise ValidationError(f"Unknown audience “{audience}”; choose from {', '.join(Audience)}.")
        if not isinstance(minutes, int) or minutes <= 0:
            raise ValidationError(f"Updates to {Audience(audience).label} need an interval above zero.")


class ScheduleVersion(models.Model):
    """One version of the schedule (E10). A draft until it is put in force; never changed from then on.

    A case keeps the version that was in force when it was opened; the first one also covers cases from before.
    """

    number = models.PositiveIntegerField(unique=True)
    note = models.CharField(max_length=200, blank=True, help_text="What this version changes, and why.")
    in_force_from = models.DateTimeField(null=True, blank=True, editable=False)
    put_in_force_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    history = HistoricalRecords()

    class Meta:
        ordering = ["-number"]

    def __str__(self) -> str:
        state = f"in force from {self.in_force_from:%Y-%m-%d %H:%M} UTC" if self.in_force_from else "draft"
        return f"Version {self.number} ({state})"

    @property
    def is_draft(self) -> bool:
        """Whether it can still be edited."""
        return self.in_force_from is None

    def as_schedule(self) -> Schedule:
        """The pure value that the clock works with."""
        points: dict[Severity, list[Point]] = {}
        for row in self.points.all():
            points.setdefault(Severity(row.severity), []).append(row.as_point())
        moving = {Severity(row.severity) for row in self.clock_rules.all() if not row.stands_still_while_waiting}
        return Schedule(
            version=self.number,
            points={severity: tuple(sorted(rows, key=lambda one: one.number)) for severity, rows in points.items()},
            stands_still=frozenset(Severity) - moving,
        )


class SchedulePoint(models.Model):
    """A row of the table of E1: when a severity's point comes and what it does."""

    version = models.ForeignKey(ScheduleVersion, on_delete=models.CASCADE, related_name="points")
    severity = models.CharField(max_length=8, choices=Severity.choices())
    number = models.PositiveSmallIntegerField("point")
    after = models.DurationField("unresolved for")
    mailed = models.JSONField("emailed", default=list, blank=True, validators=[validate_mailed])
    owner_action = models.CharField("owner", max_length=8, choices=OwnerAction.choices(), default=OwnerAction.ASKED)
    rhythm = models.JSONField(
        "status updates from here on",
        default=dict,
        blank=True,
        validators=[validate_rhythm],
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
        """Keep a version that is in force as it is (E10). Raises ValidationError."""
        if self.version_id and not self.version.is_draft:
            raise ValidationError("This version is in force and stays as it is; draft the next version to change it.")

    def as_point(self) -> Point:
        """The pure value that the clock works with."""
        return Point(
            severity=Severity(self.severity),
            number=self.number,
            after=self.after,
            owner=OwnerAction(self.owner_action),
            mailed=tuple(Role(role) for role in self.mailed),
            rhythm={Audience(who): timedelta(minutes=minutes) for who, minutes in self.rhythm.items()},
            may_need_more=self.may_need_more,
        )


class ClockRule(models.Model):
    """Whether a severity's clock stands still while we wait for the customer (E2, a switch per severity)."""

    version = models.ForeignKey(ScheduleVersion, on_delete=models.CASCADE, related_name="clock_rules")
    severity = models.CharField(max_length=8, choices=Severity.choices())
    stands_still_while_waiting = models.BooleanField(default=True)

    class Meta:
        ordering = ["version", "severity"]
        constraints = [
            models.UniqueConstraint(fields=["version", "severity"], name="one_clock_rule_per_severity_and_version")
        ]

    def __str__(self) -> str:
        return f"{self.get_severity_display()} clock of version {self.version_id}"


class Escalation(models.Model):
    """The ledger: (case, run, point) happens once (E6), with the time it was due and the time it was done (E5)."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="escalations")
    run = models.PositiveIntegerField()
    severity = models.CharField(max_length=8, choices=Severity.choices())
    number = models.PositiveSmallIntegerField("point")
    schedule_version = models.PositiveIntegerField()
    due_at = models.DateTimeField()
    done_at = models.DateTimeField()
    carried_out = models.BooleanField(
        default=True, help_text="No: only recorded, as it was passed when the severity was lowered or the case closed."
    )
    rhythm = models.JSONField(default=dict)
    asked = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    owner_before = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    owner_after = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    mailed = models.JSONField(default=list, help_text="The addresses that were written to.")

    class Meta:
        ordering = ["case", "due_at", "severity", "number"]
        constraints = [
            models.UniqueConstraint(fields=["case", "run", "severity", "number"], name="a_point_happens_once_per_run")
        ]
        indexes = [
            models.Index(fields=["done_at"], name="escalation_by_time"),
            models.Index(fields=["due_at"], name="escalation_by_due"),  # the report after an outage (S3)
        ]

    def __str__(self) -> str:
        return f"{self.get_severity_display()} {self.number} on {self.case_id}"


def schedules() -> list[tuple[datetime, Schedule]]:
    """Every version that was put in force, oldest first, with the moment it took effect."""
    versions = (
        ScheduleVersion.objects.filter(in_force_from__isnull=False)
        .order_by("in_force_from", "number")
        .prefetch_related("points", "clock_rules")
    )
    return [(version.in_force_from, version.as_schedule()) for version in versions if version.in_force_from]
