"""The views from which reports are reckoned (docs/reports.md), and who wants one by mail (W4).

The models of views are read only; `escalations.reports.views` makes the views. They repeat the keys of company, owner
and centre on every row, so that each can be narrowed and grouped in the same way.
"""

from __future__ import annotations

from typing import Any, Self, TypeVar

from django.conf import settings
from django.db import models

from cases.enums import Channel, Direction, Severity, Status
from contacts.enums import Right
from contacts.models import Company
from escalations.enums import Member, SlaKind, SlaOutcome

RowT = TypeVar("RowT", bound=models.Model)


class ReportQuerySet(models.QuerySet[RowT]):
    """Rows of a view that name a company."""

    def visible_to(self, user: Any) -> Self:
        """The rows of the companies whose cases this person may read (A1). The keys are read first: few companies are
        looked up in an index, where a subquery would be planned as any.
        """
        if user.is_authenticated and user.may(Right.READ_EVERY_CASE):
            return self
        return self.filter(company_id__in=list(Company.objects.visible_to(user).values_list("pk", flat=True)))


class ReportRow(models.Model):
    """What every view says of the case that its row belongs to, as it is now."""

    company_id = models.BigIntegerField()
    owner_id = models.BigIntegerField(null=True)
    centre_id = models.BigIntegerField(null=True)
    severity = models.CharField(max_length=8, choices=Severity.choices)

    class Meta:
        abstract = True


class ReportCase(ReportRow):
    """`report_cases`: one row for each case."""

    case_id = models.BigIntegerField(primary_key=True)
    company = models.CharField(max_length=120)
    owner = models.CharField(max_length=300, null=True)
    centre = models.CharField(max_length=80, null=True)
    status = models.CharField(max_length=24, choices=Status.choices)
    resolution = models.CharField(max_length=20)
    came_in_by = models.CharField(max_length=5, choices=Channel.choices)
    is_imported = models.BooleanField()
    opened_at = models.DateTimeField()
    counts_from = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    first_response_at = models.DateTimeField(null=True)
    first_response_seconds = models.BigIntegerField(null=True)
    resolution_seconds = models.BigIntegerField(null=True)
    waited_seconds = models.BigIntegerField()
    worked_seconds = models.BigIntegerField(null=True)
    contacts = models.BigIntegerField()
    reopenings = models.IntegerField()

    objects = ReportQuerySet["ReportCase"].as_manager()

    class Meta:
        managed = False
        db_table = "report_cases"
        verbose_name = "report"
        verbose_name_plural = "reports"

    def __str__(self) -> str:
        return f"report of case {self.case_id}"


class ReportContact(ReportRow):
    """`report_contacts`: one row for each contact about a case; no notes, no words, no names."""

    contact_id = models.BigIntegerField(primary_key=True)
    case_id = models.BigIntegerField()
    channel = models.CharField(max_length=5, choices=Channel.choices)
    direction = models.CharField(max_length=8, choices=Direction.choices)
    at = models.DateTimeField()
    told_at = models.DateTimeField()
    tells_customer = models.BooleanField()
    counts = models.BooleanField()

    objects = ReportQuerySet["ReportContact"].as_manager()

    class Meta:
        managed = False
        db_table = "report_contacts"

    def __str__(self) -> str:
        return f"contact {self.contact_id} of case {self.case_id}"


class ReportPromise(ReportRow):
    """`report_promises`: one row for each promise of the ledger."""

    promise_id = models.BigIntegerField(primary_key=True)
    case_id = models.BigIntegerField()
    kind = models.CharField(max_length=8, choices=SlaKind.choices)
    owed_to = models.CharField(max_length=16, choices=Member.choices)
    counts_from = models.DateTimeField()
    due_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=8, choices=SlaOutcome.choices)

    objects = ReportQuerySet["ReportPromise"].as_manager()

    class Meta:
        managed = False
        db_table = "report_promises"

    def __str__(self) -> str:
        return f"promise {self.promise_id} on case {self.case_id}"


class ReportEscalation(ReportRow):
    """`report_escalations`: one row for each point that was carried out; `point_severity` is the severity then."""

    escalation_id = models.BigIntegerField(primary_key=True)
    case_id = models.BigIntegerField()
    point_severity = models.CharField(max_length=8, choices=Severity.choices)
    point_number = models.IntegerField()
    due_at = models.DateTimeField()
    done_at = models.DateTimeField()

    objects = ReportQuerySet["ReportEscalation"].as_manager()

    class Meta:
        managed = False
        db_table = "report_escalations"

    def __str__(self) -> str:
        return f"escalation {self.escalation_id} on case {self.case_id}"


class ReportReopening(ReportRow):
    """`report_reopenings`: one row for each time in which a case was resolved and that ended with its reopening."""

    reopening_id = models.BigIntegerField(primary_key=True)
    case_id = models.BigIntegerField()
    opened_at = models.DateTimeField()
    resolved_at = models.DateTimeField()
    reopened_at = models.DateTimeField()

    objects = ReportQuerySet["ReportReopening"].as_manager()

    class Meta:
        managed = False
        db_table = "report_reopenings"

    def __str__(self) -> str:
        return f"reopening of case {self.case_id}"


class ReportSubscription(models.Model):
    """Somebody wants a report of the last week by mail, every Monday morning of theirs."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="report_subscriptions")
    report = models.CharField(max_length=20)
    by = models.CharField("broken down by", max_length=10)
    filters = models.JSONField(default=dict, help_text="Company, centre, owner, severity, as the address has them.")
    next_at = models.DateTimeField("next")

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["next_at"], name="report_to_mail")]

    def __str__(self) -> str:
        return f"{self.report} by {self.by}, weekly to {self.user}"
