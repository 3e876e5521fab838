"""Records of the engine: the runs of sweeps, the cases they failed on, outages (S2, S3)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

from cases.models.case import Case
from cases.models.rows import CaseRowQuerySet
from contacts.reader import for_reader


class FailedCase(models.Model):
    """A case on which a sweep raised an error; it is tried again later (S2)."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="failures")
    sweep = models.CharField(max_length=20)
    since = models.DateTimeField()
    retry_at = models.DateTimeField()
    tries = models.PositiveIntegerField(default=1)
    error = models.TextField()
    solved_at = models.DateTimeField(null=True, blank=True)

    objects = CaseRowQuerySet["FailedCase"].as_manager()

    class Meta:
        ordering = ["-since"]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "sweep"], condition=Q(solved_at=None), name="set_aside_once_per_sweep"
            )
        ]
        verbose_name = "case set aside"
        verbose_name_plural = "cases set aside"

    def __str__(self) -> str:
        return f"{self.case_id} set aside by {self.sweep}"


class SweepRun(models.Model):
    """The last run of each sweep (S3)."""

    name = models.CharField(max_length=20, unique=True)
    last_at = models.DateTimeField()
    took_seconds = models.FloatField(default=0)
    done = models.PositiveIntegerField(default=0, help_text="How many cases or mails the last look handled.")

    class Meta:
        ordering = ["name"]
        verbose_name = "pulse"  # what pages call it

    def __str__(self) -> str:
        return f"{self.name}, last on {for_reader(self.last_at)}"

    @property
    def alive_at(self) -> datetime:
        """The latest moment at which it is known to have been running."""
        return self.last_at + timedelta(seconds=self.took_seconds)


class Outage(models.Model):
    """A time in which a sweep did not run (S3), recorded when it runs again."""

    sweep = models.CharField(max_length=20)
    began_at = models.DateTimeField("last look before", help_text="What was due by then was done in time.")
    ended_at = models.DateTimeField("first look after")
    caught_up_at = models.DateTimeField(
        "caught up", null=True, blank=True, help_text="From then on nothing was left that came due meanwhile."
    )
    told_at = models.DateTimeField(
        "reported", null=True, blank=True, help_text="When the Support Manager was mailed; one mail may cover several."
    )

    class Meta:
        ordering = ["-ended_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["sweep", "began_at"], name="an_outage_is_noted_once")]
        indexes = [
            models.Index(fields=["id"], condition=Q(told_at__isnull=True), name="outage_to_tell"),
            models.Index(fields=["-ended_at"], name="outage_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.sweep} stood still from {for_reader(self.began_at)} to {for_reader(self.ended_at)}"
