"""Questions for the status of a case (E8)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from cases.enums import Severity
from cases.models import NUMBER_PREFIX, Case, CaseRowQuerySet, CompanyOfCase
from escalations.enums import QuestionEnd


class Question(models.Model):
    """The owner was asked for the status of a case (E8). A case has at most one open question."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="questions")
    company_id = CompanyOfCase()
    point = models.CharField(max_length=20, help_text="The point that asked, e.g. “High 1”.")
    severity = models.CharField(max_length=8, choices=Severity.choices)
    asked = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="questions"
    )  # whose answer is wanted: the owner's, or that of whoever stands in for them
    first_asked = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )  # to whom it was put, if somebody else has to answer since the case has another owner
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
    end = models.CharField("how it ended", max_length=10, choices=QuestionEnd.choices, blank=True)

    objects = CaseRowQuerySet["Question"].as_manager()

    class Meta:
        ordering = ["-asked_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["case"], condition=Q(ended_at=None), name="one_open_question_per_case")
        ]
        indexes = [
            models.Index(fields=["asked", "answer_by"], condition=Q(ended_at=None), name="question_open_by_asked"),
            models.Index(fields=["answer_by"], condition=Q(ended_at=None), name="question_open_by_limit"),
            models.Index(fields=["case", "asked_at"], name="question_by_case"),
            models.Index(fields=["-asked_at", "-id"], name="question_by_time"),  # the list
            models.Index(fields=["company_id", "-asked_at", "-id"], name="question_by_company"),  # that of A1
        ]

    def __str__(self) -> str:
        return f"{self.point} asks for the status of {NUMBER_PREFIX}{self.case_id:06d}"

    @property
    def is_open(self) -> bool:
        return self.ended_at is None
