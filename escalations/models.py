"""Records of escalation: the schedule in its versions, and the ledger of what was carried out (section 5)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django_fsm import FSMField, transition
from simple_history.models import HistoricalRecords

from cases.enums import Severity
from cases.models import NUMBER_PREFIX, Case, Mail
from contacts.enums import Role
from escalations.enums import Member, Origin, Outcome, PromiseKind, QuestionEnd, RequestStatus
from escalations.policy.schedule import BASE_INTERVAL, Audience, OwnerAction, Point, Schedule

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
        rules = {Severity(row.severity): row for row in self.clock_rules.all()}
        return Schedule(
            version=self.number,
            points={severity: tuple(sorted(rows, key=lambda one: one.number)) for severity, rows in points.items()},
            stands_still=frozenset(Severity)
            - {one for one, row in rules.items() if not row.stands_still_while_waiting},
            base_interval=BASE_INTERVAL | {one: row.base_interval for one, row in rules.items()},
            automatic_updates=frozenset(Severity) - {one for one, row in rules.items() if not row.automatic_updates},
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
    """What a version says of a severity as a whole: whether its clock stands still while we wait for the customer (E2),
    how often the customer is owed an update before any point (T2), and whether the desk sends it by itself (T3).
    """

    version = models.ForeignKey(ScheduleVersion, on_delete=models.CASCADE, related_name="clock_rules")
    severity = models.CharField(max_length=8, choices=Severity.choices())
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


class ScheduleMove(models.Model):
    """An open case went over to another version of the schedule (E10); what its clock was under before, stays so."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="schedule_moves")
    version = models.ForeignKey(ScheduleVersion, on_delete=models.PROTECT, related_name="moves")
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["case", "at", "pk"]
        indexes = [models.Index(fields=["case", "at"], name="schedule_move_by_case")]

    def __str__(self) -> str:
        return f"case {self.case_id} to version {self.version_id} at {self.at:%Y-%m-%d %H:%M}"


class Promise(models.Model):
    """The ledger of promised times (section 3): one row for each time that a first response (T1) or a status update
    (T2) was owed to one member of the audience. Written when the first thing happens to it (a reminder, an update, its
    end); the outcome is written once and never changes (T4). All moments UTC.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="promises")
    kind = models.CharField(max_length=8, choices=PromiseKind.choices())
    member = models.CharField("owed to", max_length=16, choices=Member.choices())
    since = models.DateTimeField("counted from")
    due_at = models.DateTimeField("due")
    reminded_at = models.DateTimeField("owner reminded", null=True, blank=True)
    updated_at = models.DateTimeField("updated by the desk", null=True, blank=True)
    mail = models.ForeignKey(
        Mail,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        to_field="key",
        db_constraint=False,
        related_name="promises",
    )  # the desk's own update; its key is known before its row is written, at the end of the sweep
    outcome = models.CharField(max_length=8, choices=Outcome.choices(), blank=True)
    ended_at = models.DateTimeField(
        "until", null=True, blank=True, help_text="When an update came, or none was owed any more."
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    in_a_row = models.PositiveIntegerField(
        default=0, help_text="How many in a row, this one included, were without a person's word."
    )
    manager_told_at = models.DateTimeField("support manager told", null=True, blank=True)

    class Meta:
        ordering = ["case", "kind", "member", "since"]
        constraints = [
            models.UniqueConstraint(fields=["case", "kind", "member", "since"], name="a_promise_is_recorded_once")
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(outcome=""), name="promise_to_settle"),
            models.Index(fields=["-due_at"], condition=Q(outcome="missed"), name="promise_missed"),
            models.Index(fields=["due_at"], name="promise_by_due"),  # the report after an outage (S3)
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} to {self.get_member_display()} on {self.case_id} due {self.due_at}"


class StaffLine(models.Model):
    """One line of the mail that a member of staff gets after a sweep: one mail for all their cases (T3).

    Written in the transaction of its reason, put into a mail when the sweep is through; a line without a mail waits
    for the next sweep.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="staff_lines")
    section = models.CharField(max_length=10)
    key = models.CharField(max_length=200, help_text="Of the mail it is for: one for each person and sweep.")
    to_address = models.EmailField()
    to_name = models.CharField(max_length=200, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    meant_for = models.CharField(max_length=200, blank=True)
    facts = models.JSONField(default=dict)
    written_at = models.DateTimeField()
    mail = models.ForeignKey(
        Mail, on_delete=models.PROTECT, null=True, blank=True, to_field="key", related_name="staff_lines"
    )

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["id"], condition=Q(mail__isnull=True), name="staff_line_to_send"),
            models.Index(fields=["case", "written_at"], name="staff_line_by_case"),
        ]

    def __str__(self) -> str:
        return f"{self.section} line on {self.case_id} to {self.to_address}"


class Question(models.Model):
    """The owner was asked for the status of a case (E8). One open question a case; a new owner inherits it."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="questions")
    point = models.CharField(max_length=20, help_text="The point that asked, e.g. “High 1”.")
    severity = models.CharField(max_length=8, choices=Severity.choices())
    asked = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="questions"
    )  # who answers: the owner, or whoever stands in for them
    stands_in_for = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    asked_at = models.DateTimeField()
    answer_by = models.DateTimeField(help_text="Unanswered by then, the Support Manager is told.")
    manager_told_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(blank=True)
    for_customer = models.TextField("for the customer", blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    end = models.CharField("how it ended", max_length=10, choices=QuestionEnd.choices(), blank=True)

    class Meta:
        ordering = ["-asked_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["case"], condition=Q(ended_at=None), name="one_open_question_per_case")
        ]
        indexes = [
            models.Index(fields=["asked"], condition=Q(ended_at=None), name="question_open_by_asked"),
            models.Index(fields=["case", "asked_at"], name="question_by_case"),
        ]

    def __str__(self) -> str:
        return f"{self.point} asks for the status of {NUMBER_PREFIX}{self.case_id:06d}"

    @property
    def is_open(self) -> bool:
        """Whether it still wants an answer."""
        return self.ended_at is None


class EscalationRequestQuerySet(models.QuerySet["EscalationRequest"]):
    """Questions about requests."""

    def undecided(self) -> EscalationRequestQuerySet:
        """Nobody has accepted, declined or withdrawn them yet."""
        return self.filter(status=RequestStatus.REQUESTED)

    def visible_to(self, user: Any) -> EscalationRequestQuerySet:
        """Those on the cases this person may read (A1)."""
        return self.filter(case__in=Case.objects.visible_to(user))


class EscalationRequest(models.Model):
    """Somebody wants more than the schedule does by itself: the customer, staff, or the schedule, where it says
    “additional escalation where appropriate” and leaves the decision to the Support Manager (E9, E1).

    Its status is written by the transitions below and by nothing else; `escalations.requests.apply` makes the moves.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="escalation_requests")
    origin = models.CharField("who wants it", max_length=8, choices=Origin.choices())
    asked_by = models.CharField("who asked", max_length=200, blank=True)
    impact = models.TextField("business impact", blank=True)
    reason = models.TextField("why", blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    requested_at = models.DateTimeField()
    decide_by = models.DateTimeField(
        null=True, blank=True, help_text="Undecided by then, it goes on to the customer service manager."
    )
    passed_on_at = models.DateTimeField("went on to the CSM", null=True, blank=True)
    status = FSMField(choices=RequestStatus.choices(), default=RequestStatus.REQUESTED, protected=True, max_length=10)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision = models.TextField("why it was decided so", blank=True)
    # What accepting it brought: a point of the schedule before its time, or management's attention from then on
    run = models.PositiveIntegerField(null=True, blank=True)
    severity = models.CharField(max_length=8, choices=Severity.choices(), blank=True)
    number = models.PositiveSmallIntegerField("point", null=True, blank=True)
    attention = models.BooleanField("management attention", default=False)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = EscalationRequestQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        ordering = ["-requested_at", "-pk"]
        verbose_name = "escalation request"
        constraints = [
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(status="requested") & ~Q(origin="schedule"),
                name="one_undecided_request_per_case",
            ),
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(status="requested", origin="schedule"),
                name="one_open_decision_per_case",
            ),
        ]
        indexes = [
            models.Index(fields=["requested_at"], condition=Q(status="requested"), name="request_undecided"),
            models.Index(fields=["case", "requested_at"], name="request_by_case"),
        ]

    def __str__(self) -> str:
        return f"Escalation of {NUMBER_PREFIX}{self.case_id:06d}, {self.get_status_display().lower()}"

    @property
    def is_undecided(self) -> bool:
        """Whether nobody has accepted, declined or withdrawn it yet."""
        return self.status == RequestStatus.REQUESTED

    @property
    def is_running(self) -> bool:
        """Whether it is undecided, or granted and not over yet."""
        return self.status in (RequestStatus.REQUESTED, RequestStatus.ACCEPTED)

    @property
    def is_decision(self) -> bool:
        """Whether the schedule itself left it to the Support Manager (E1)."""
        return self.origin == Origin.SCHEDULE

    @transition(status, source=RequestStatus.REQUESTED.value, target=RequestStatus.ACCEPTED.value)
    def accept(self, by: Any, why: str, now: datetime) -> None:
        """Granted (E9)."""
        self._decide(by, why, now)

    @transition(status, source=RequestStatus.REQUESTED.value, target=RequestStatus.DECLINED.value)
    def decline(self, by: Any, why: str, now: datetime) -> None:
        """Not granted, with a reason (E9)."""
        self._decide(by, why, now)

    @transition(status, source=RequestStatus.REQUESTED.value, target=RequestStatus.WITHDRAWN.value)
    def withdraw(self, by: Any, why: str, now: datetime) -> None:
        """Taken back by whoever requested it."""
        self._decide(by, why, now)

    @transition(
        status,
        source=[RequestStatus.REQUESTED.value, RequestStatus.ACCEPTED.value],
        target=RequestStatus.CLOSED.value,
    )
    def close(self, now: datetime) -> None:
        """Over: the case is resolved, or management's attention is no longer needed."""
        self.closed_at = now

    def _decide(self, by: Any, why: str, now: datetime) -> None:
        self.decided_by = by
        self.decision = why
        self.decided_at = now


def schedules() -> list[tuple[datetime, Schedule]]:
    """Every version that was put in force, oldest first, with the moment it took effect."""
    versions = (
        ScheduleVersion.objects.filter(in_force_from__isnull=False)
        .order_by("in_force_from", "number")
        .prefetch_related("points", "clock_rules")
    )
    return [(version.in_force_from, version.as_schedule()) for version in versions if version.in_force_from]
