"""The ledger of escalation points that were carried out (E5, E6)."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from cases.enums import Severity
from cases.models import Case, CaseRowQuerySet


class Escalation(models.Model):
    """The ledger: (case, run, point) happens once (E6), with the time it was due and the time it was done (E5)."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="escalations")
    run = models.PositiveIntegerField()
    severity = models.CharField(max_length=8, choices=Severity.choices)
    number = models.PositiveSmallIntegerField("point")
    schedule_version = models.PositiveIntegerField()
    due_at = models.DateTimeField()
    done_at = models.DateTimeField()
    carried_out = models.BooleanField(
        default=True, help_text="No: only recorded, as it was passed when the severity was lowered or the case closed."
    )
    cadence = models.JSONField(default=dict)
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

    objects = CaseRowQuerySet["Escalation"].as_manager()

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
