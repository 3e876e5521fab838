"""The ledger of following up on waits (F2 to F4), and absences of customers (F5)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from cases.enums import AbsenceState, FollowUpStep
from cases.models.case import Case
from cases.models.contact_log import Interaction
from cases.models.mail import Mail
from cases.policy.followup.absences import DATED_ABSENCES, OPEN_ABSENCES
from contacts.models import Contact
from contacts.wording import day_and_month


class FollowUp(models.Model):
    """A step of a waiting plan that was carried out; rows are kept for ever (F2 to F5, F7).

    A step is carried out once in an episode. One whose mail got lost, or whose announcement the customer could not
    see in time, is carried out again with the next number in `time`.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="follow_ups")
    episode = models.PositiveIntegerField()
    step = models.CharField(max_length=9, choices=FollowUpStep.choices)
    time = models.PositiveSmallIntegerField(default=1, help_text="More than 1: carried out again.")
    due_at = models.DateTimeField()
    done_at = models.DateTimeField()
    superseded = models.BooleanField(default=False, help_text="A later notice that was due as well went instead (F7).")
    closes_at = models.DateTimeField(null=True, blank=True, help_text="When it said that the case will close (F4).")
    mail = models.OneToOneField(Mail, on_delete=models.PROTECT, null=True, blank=True, related_name="follow_up")
    interaction = models.OneToOneField(
        Interaction,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="attempt",
        help_text="The call or mail of a technician that was the attempt (F3).",
    )

    class Meta:
        ordering = ["case", "episode", "due_at"]
        verbose_name = "notice"
        constraints = [
            models.UniqueConstraint(fields=["case", "episode", "step", "time"], name="a_notice_happens_once")
        ]
        indexes = [
            models.Index(fields=["due_at"], name="notice_by_due"),  # the report after an outage (S3)
            # notices that could not be mailed, for waits that are held up (F2)
            models.Index(
                fields=["done_at"],
                condition=Q(mail__isnull=True, interaction__isnull=True, superseded=False),
                name="notice_without_mail",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.step} of wait {self.episode} on {self.case_id}"


class Absence(models.Model):
    """An absence of a contact: the note, the dates read from it, and whether a person confirmed them (F5).

    It is noted on one case and puts every wait for this person to sleep. `away_from` and `back_on` are local days of
    the customer; `back_on` is the first day on which they are back.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="absences")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    note = models.TextField(blank=True, help_text="The note as it came; empty when somebody told us.")
    phrase = models.CharField(max_length=200, blank=True, help_text="The words the dates were read from.")
    state = models.CharField(max_length=9, choices=AbsenceState.choices)
    away_from = models.DateField("first day away", null=True, blank=True)
    back_on = models.DateField("first day back", null=True, blank=True)
    noted_at = models.DateTimeField()
    noted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField(
        null=True, blank=True, help_text="When the owner was asked what the dates are; once in a wait."
    )
    settled_at = models.DateTimeField(null=True, blank=True, help_text="When somebody said what the dates are.")
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    ended_on = models.DateField(null=True, blank=True, help_text="The day on which they were back sooner than said.")

    class Meta:
        ordering = ["noted_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="confirmed") | Q(away_from__lt=models.F("back_on")),
                name="a_confirmed_absence_has_its_dates",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} away until {self.back_on or 'nobody knows when'}"

    def summary(self) -> str:
        """“Away from Mon 1 June, back on Mon 15 June”."""
        if self.back_on is None:
            return "Away, nobody knows until when"
        away = f"Away from {day_and_month(self.away_from)}, " if self.away_from else ""
        sooner = f"; was back sooner, on {day_and_month(self.ended_on)}" if self.ended_on else ""
        return f"{away}back on {day_and_month(self.back_on)}{sooner}"

    @property
    def has_dates(self) -> bool:
        """Whether it says from when to when, read from the note or said by a person."""
        return self.state in DATED_ABSENCES and self.away_from is not None and self.back_on is not None

    @property
    def is_open(self) -> bool:
        """Whether its dates still have to be confirmed or given by a person."""
        return self.state in OPEN_ABSENCES
