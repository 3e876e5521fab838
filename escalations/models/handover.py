"""The hand-over of a centre's open cases at the end of its day (W3)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from cases.enums import Severity
from cases.models import NUMBER_PREFIX, Case, CaseRowQuerySet
from contacts.enums import Language, Right
from contacts.models import SupportCentre
from escalations.enums import HandoverState


class HandoverSheetQuerySet(models.QuerySet["HandoverSheet"]):
    def visible_to(self, user: Any) -> HandoverSheetQuerySet:
        """A sheet names cases of many companies: for those who read every case (A1)."""
        return self if user.is_authenticated and user.may(Right.READ_EVERY_CASE) else self.none()

    def unsettled(self) -> HandoverSheetQuerySet:
        """Not handed over yet, or with cases that nobody has accepted."""
        return self.filter(settled_at=None)


class HandoverSheet(models.Model):
    """What one centre hands over at the end of one day; or one person, who leaves before its end.

    It is written before the end, when the owners can still look at it, and handed over at it.
    """

    centre = models.ForeignKey(SupportCentre, on_delete=models.PROTECT, related_name="sheets_given")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="sheets_given"
    )  # who leaves early; None for the whole centre
    to_centre = models.ForeignKey(
        SupportCentre, on_delete=models.PROTECT, null=True, blank=True, related_name="sheets_received"
    )  # None: no centre covers
    ends_at = models.DateTimeField("end of the day")
    back_at = models.DateTimeField("works again", null=True, blank=True)
    made_at = models.DateTimeField()
    sent_at = models.DateTimeField("handed over", null=True, blank=True)
    accept_by = models.DateTimeField(
        null=True, blank=True, help_text="Not accepted by then, it is the Support Manager's."
    )
    manager_told_at = models.DateTimeField("Support Manager told", null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = HandoverSheetQuerySet.as_manager()

    class Meta:
        ordering = ["-ends_at", "-pk"]
        verbose_name = "hand-over sheet"
        constraints = [
            # the claim of the sweep: a centre hands a day over once
            models.UniqueConstraint(fields=["centre", "ends_at"], condition=Q(person=None), name="one_sheet_per_day")
        ]
        indexes = [
            models.Index(fields=["ends_at"], condition=Q(settled_at=None), name="sheet_unsettled"),
            models.Index(fields=["-ends_at", "-id"], name="sheet_by_end"),
        ]

    def __str__(self) -> str:
        return f"Hand-over of {self.giver} to {self.receiver}"

    def get_absolute_url(self) -> str:
        return reverse("admin:escalations_handoversheet_change", args=[self.pk])

    @property
    def giver(self) -> str:
        """“Philadelphia”, or “Marcus Bennett (Philadelphia)”."""
        return f"{self.person} ({self.centre})" if self.person is not None else str(self.centre)

    @property
    def receiver(self) -> str:
        """“Tokyo”; “the Support Manager” where no centre covers."""
        return str(self.to_centre) if self.to_centre is not None else "the Support Manager"

    def is_managers(self, now: datetime) -> bool:
        """Whether what nobody has accepted is the Support Manager's."""
        return self.sent_at is not None and self.accept_by is not None and self.accept_by <= now


class HandoverLine(models.Model):
    """One case on a sheet: where it stands, and what is owed, as it was when it was handed over."""

    sheet = models.ForeignKey(HandoverSheet, on_delete=models.CASCADE, related_name="lines")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="handovers", db_index=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    severity = models.CharField(max_length=8, choices=Severity.choices)
    stands = models.TextField("where it stands")
    #: What is owed: [{"what": "...", "due_at": ISO 8601 in UTC}], soonest first
    owed = models.JSONField(default=list, blank=True)
    due_at = models.DateTimeField("next deadline", null=True, blank=True)
    language = models.CharField(max_length=2, choices=Language.choices)
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    edited_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=HandoverState.choices, default=HandoverState.OPEN)
    state_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    new_owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = CaseRowQuerySet["HandoverLine"].as_manager()

    class Meta:
        ordering = ["due_at", "pk"]
        verbose_name = "case on a hand-over sheet"
        verbose_name_plural = "cases on hand-over sheets"
        constraints = [
            models.UniqueConstraint(fields=["sheet", "case"], name="on_a_sheet_once"),
            models.UniqueConstraint(fields=["case"], condition=Q(state="open"), name="handed_over_once_at_a_time"),
        ]
        indexes = [models.Index(fields=["case", "-id"], name="handover_by_case")]

    def __str__(self) -> str:
        return f"{NUMBER_PREFIX}{self.case_id:06d}, {self.get_state_display().lower()}"

    @property
    def is_open(self) -> bool:
        return self.state == HandoverState.OPEN

    @property
    def owed_moments(self) -> list[tuple[str, datetime]]:
        """What is owed, each with its moment."""
        return [(one["what"], datetime.fromisoformat(one["due_at"])) for one in self.owed]
