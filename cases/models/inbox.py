"""The inbox: one row for each message that came in, whatever became of it (M5)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from cases.enums import Door, MatchedBy, ReceivedKind, ReceivedOutcome, TriageDecision
from cases.models.case import Case
from cases.models.contact_log import Interaction
from cases.models.mail import Mail
from contacts.enums import Right
from contacts.models import Company, Contact


class ReceivedMailQuerySet(models.QuerySet["ReceivedMail"]):
    def visible_to(self, user: Any) -> Self:
        """Those of every case and of none for who works cases; of the cases that others may read (A1, M5)."""
        if not user.is_authenticated:
            return self.none()
        if user.may(Right.WORK_CASES):
            return self
        return self.filter(case__company__in=Company.objects.keys_visible_to(user)).exclude(
            outcome=ReceivedOutcome.TRIAGE
        )

    def in_triage(self) -> Self:
        """What waits for a person: nothing has acted on it (M5)."""
        return self.filter(outcome=ReceivedOutcome.TRIAGE, decision="")

    def to_carry_out(self, now: datetime) -> Self:
        """What people have decided, and could have undone until now."""
        return self.filter(carry_out_at__lte=now).order_by("carry_out_at", "pk")


class ReceivedMail(models.Model):
    """A message that came in: the raw bytes on the desk's disk, what the desk made of it, and what became of it (M5).

    `digest` makes a message that comes twice one row. What is read from the message is never changed; `outcome` and
    what goes with it is written by `cases.inbox`. Nothing acts on what is in `TRIAGE` but a person's decision, which is
    carried out a little later, so that it can be undone until then.
    """

    digest = models.CharField(max_length=64, unique=True, help_text="Of its Message-ID and content: read once.")
    door = models.CharField(max_length=8, choices=Door.choices)
    received_at = models.DateTimeField()
    stored_as = models.CharField(max_length=32, unique=True, help_text="The raw message on disk.")
    size = models.PositiveBigIntegerField(help_text="Bytes of the raw message.")

    kind = models.CharField(max_length=13, choices=ReceivedKind.choices)
    why = models.TextField(help_text="What decided on the kind, and what could not be read.")
    sender = models.CharField(max_length=320, blank=True, help_text="The address of From, in lower case.")
    sender_name = models.CharField(max_length=200, blank=True)
    subject = models.CharField(max_length=1000, blank=True)
    message_id = models.CharField(max_length=998, blank=True)
    text = models.TextField(blank=True, help_text="Its writer's own words.")
    quoted = models.TextField(blank=True, help_text="What they quote and sign with; folded, never cut (M7).")
    files = models.PositiveIntegerField(default=0, help_text="How many files came with it.")

    is_proven = models.BooleanField(default=False, help_text="Whether the sender's address is proven (M5a).")
    proof = models.TextField(blank=True, help_text="What proves it, or why nothing does.")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, null=True, blank=True, related_name="received_mails")
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    case = models.ForeignKey(
        Case,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="received_mails",
        help_text="To which it belongs; in triage, to which it seems to.",
    )
    matched_by = models.CharField(max_length=10, choices=MatchedBy.choices, blank=True)
    answers = models.ForeignKey(
        Mail, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Which message of ours."
    )

    was_answered = models.BooleanField(
        default=False, help_text="Whether the desk answered it by itself: a receipt, or whom to turn to (M6)."
    )
    outcome = models.CharField(max_length=11, choices=ReceivedOutcome.choices)
    explanation = models.TextField(blank=True, help_text="Why that became of it, in a sentence.")
    interaction = models.OneToOneField(
        Interaction, on_delete=models.PROTECT, null=True, blank=True, related_name="received_mail"
    )

    decision = models.CharField(max_length=9, choices=TriageDecision.choices, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decided_contact = models.ForeignKey(Contact, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decided_despite = models.TextField(blank=True, help_text="Why for somebody who is not the help desk (D3).")
    carry_out_at = models.DateTimeField(null=True, blank=True, help_text="Until then the decision can be undone.")

    objects = ReceivedMailQuerySet.as_manager()

    class Meta:
        ordering = ["-received_at", "-pk"]
        indexes = [
            models.Index(
                fields=["received_at"], condition=Q(outcome="triage", decision=""), name="received_mail_in_triage"
            ),
            models.Index(
                fields=["carry_out_at"], condition=Q(carry_out_at__isnull=False), name="received_mail_decided"
            ),
            models.Index(fields=["sender", "-received_at"], name="received_mail_by_sender"),
            models.Index(fields=["-received_at", "-id"], name="received_mail_newest"),
        ]
        verbose_name = "received mail"
        verbose_name_plural = "received mail"

    def __str__(self) -> str:
        return f"{self.subject or 'Mail without a subject'} from {self.sender or 'nobody'}"
