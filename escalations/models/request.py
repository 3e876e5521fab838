"""Requested escalations and open decisions (E9, E1)."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django_fsm import FSMField, transition
from simple_history.models import HistoricalRecords

from cases.enums import Severity
from cases.models import NUMBER_PREFIX, Case, CaseRowQuerySet, CompanyOfCase
from contacts.models import User
from escalations.enums import Origin, RequestStatus


class EscalationRequestQuerySet(CaseRowQuerySet["EscalationRequest"]):
    def undecided(self) -> EscalationRequestQuerySet:
        return self.filter(status=RequestStatus.REQUESTED)


class EscalationRequest(models.Model):
    """A request to escalate a case before its time, by the customer or by staff (E9); or a decision that a point with
    “additional escalation where appropriate” leaves to the Support Manager (E1).

    Only the transitions below write its status; `escalations.requests.apply` calls them.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="escalation_requests")
    company_id = CompanyOfCase()
    origin = models.CharField("who wants it", max_length=8, choices=Origin.choices)
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
    status = FSMField(choices=RequestStatus.choices, default=RequestStatus.REQUESTED, protected=True, max_length=10)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision = models.TextField("why it was decided so", blank=True)
    # What accepting it brought: a point of the schedule before its time, or management attention
    run = models.PositiveIntegerField(null=True, blank=True)
    severity = models.CharField(max_length=8, choices=Severity.choices, blank=True)
    number = models.PositiveSmallIntegerField("point", null=True, blank=True)
    attention = models.BooleanField("management attention", default=False)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = EscalationRequestQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["company_id"])

    class Meta:
        ordering = ["-requested_at", "-pk"]
        verbose_name = "request or decision"
        verbose_name_plural = "requests and decisions"
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
            models.Index(fields=["-requested_at", "-id"], name="request_by_time"),  # the list
            models.Index(fields=["company_id", "-requested_at", "-id"], name="request_by_company"),  # that of A1
            models.Index(fields=["decided_at"], condition=Q(decided_at__isnull=False), name="request_decided"),
        ]

    def __str__(self) -> str:
        return f"Escalation of {NUMBER_PREFIX}{self.case_id:06d}, {self.get_status_display().lower()}"

    @property
    def is_undecided(self) -> bool:
        return self.status == RequestStatus.REQUESTED

    @property
    def is_running(self) -> bool:
        """Whether it is undecided, or accepted and not closed yet."""
        return self.status in (RequestStatus.REQUESTED, RequestStatus.ACCEPTED)

    @property
    def is_decision(self) -> bool:
        """Whether the schedule left it to the Support Manager (E1)."""
        return self.origin == Origin.SCHEDULE

    @transition(status, source=RequestStatus.REQUESTED.value, target=RequestStatus.ACCEPTED.value)
    def accept(self, by: User, why: str, now: datetime) -> None:
        self._decide(by, why, now)

    @transition(status, source=RequestStatus.REQUESTED.value, target=RequestStatus.DECLINED.value)
    def decline(self, by: User, why: str, now: datetime) -> None:
        self._decide(by, why, now)

    @transition(status, source=RequestStatus.REQUESTED.value, target=RequestStatus.WITHDRAWN.value)
    def withdraw(self, by: User, why: str, now: datetime) -> None:
        self._decide(by, why, now)

    @transition(
        status,
        source=[RequestStatus.REQUESTED.value, RequestStatus.ACCEPTED.value],
        target=RequestStatus.CLOSED.value,
    )
    def close(self, now: datetime) -> None:
        """The case is resolved, or management attention is no longer needed."""
        self.closed_at = now

    def _decide(self, by: User, why: str, now: datetime) -> None:
        self.decided_by = by
        self.decision = why
        self.decided_at = now
