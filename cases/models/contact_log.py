"""The contact log (C3) and the callers who were turned away (D3)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from cases.enums import CallOutcome, Channel, Direction
from cases.models.case import Case
from contacts.enums import Right
from contacts.models import Company, Contact

#: `Interaction.tells_customer`, of rows.
TELLS_CUSTOMER = Q(opened_the_case=False, withdrawn_at=None) & (
    (Q(direction=Direction.OUT) & ~Q(outcome=CallOutcome.NO_ANSWER))
    | Q(direction=Direction.IN, channel__in=[Channel.PHONE, Channel.CHAT])
)


class Interaction(models.Model):
    """A contact about a case, or an internal note: who, when, how, what (C3). Its words are never changed,
    and it is never deleted; a click made by mistake is withdrawn.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="interactions")
    channel = models.CharField(max_length=5, choices=Channel.choices)
    direction = models.CharField(max_length=8, choices=Direction.choices)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    body = models.TextField()
    for_customer = models.BooleanField(
        default=False,
        help_text="Whether the customer may read these words: they were sent to them, or marked for them (C3).",
    )
    reached = models.BooleanField(
        default=True, help_text="Whether the customer was spoken to; a message left counts as an attempt only (F3)."
    )
    outcome = models.CharField(
        max_length=12, choices=CallOutcome.choices, blank=True, help_text="How a call or chat of ours went (F3)."
    )
    withdrawn_at = models.DateTimeField(
        null=True, blank=True, help_text="When whoever logged it said that it was a mistake: it counts for nothing."
    )
    why_no_attempt = models.TextField(blank=True, help_text="Why it does not count as one of the three contacts (F3).")
    told = models.JSONField(
        default=list, blank=True, help_text="Which members of the audience it told, besides the customer (T2)."
    )
    opened_the_case = models.BooleanField(default=False)  # T1: the call that opened the case meets no promise
    needs_answer = models.BooleanField(default=False)  # C7: arrived on a resolved case, nobody has handled it yet
    manager_told_at = models.DateTimeField(null=True, blank=True)  # C7: nobody had handled it in time

    class Meta:
        ordering = ["at", "pk"]
        indexes = [
            models.Index(fields=["case", "at"], name="interaction_by_case"),
            models.Index(fields=["at"], condition=Q(needs_answer=True), name="interaction_unanswered"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(channel="note", direction="internal") | (~Q(channel="note") & ~Q(direction="internal")),
                name="only_notes_are_internal",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} on {self.case_id} at {self.at:%Y-%m-%d %H:%M}"

    @property
    def title(self) -> str:
        """What it was, “Phone from the customer” or “Internal note”."""
        channel = Channel(self.channel).label
        if self.opened_the_case:
            return f"{channel} that opened the case"
        if self.direction == Direction.INTERNAL:
            return channel
        return f"{channel} {'from' if self.direction == Direction.IN else 'to'} the customer"

    @property
    def is_response(self) -> bool:
        """Whether the customer spoke: they turned to us, or were reached by phone or chat, whoever dialled (F3)."""
        if self.withdrawn_at is not None:
            return False
        if self.direction == Direction.IN:
            return True
        return self.direction == Direction.OUT and self.reached and self.channel in (Channel.PHONE, Channel.CHAT)

    @property
    def tells_customer(self) -> bool:
        """Whether the customer heard from us by it: we wrote, called or left a message, or they spoke with somebody
        here (T1, T2). Not the call that opened the case, nor a mail of theirs that nobody has answered, nor a call of
        ours that nobody took. `TELLS_CUSTOMER` asks the same of rows.
        """
        if self.opened_the_case or self.direction == Direction.INTERNAL or self.withdrawn_at is not None:
            return False
        if self.outcome == CallOutcome.NO_ANSWER:
            return False
        return self.direction == Direction.OUT or self.channel in (Channel.PHONE, Channel.CHAT)


class RefusalQuerySet(models.QuerySet["Refusal"]):
    """Callers who were turned away."""

    def visible_to(self, user: Any) -> RefusalQuerySet:
        """Those of every company, or of this person's own companies (A1)."""
        if user.is_authenticated and user.may(Right.READ_EVERY_CASE):
            return self
        return self.filter(company__in=Company.objects.visible_to(user))


class Refusal(models.Model):
    """Somebody who is not their company's help desk was turned away politely (D3)."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, null=True, blank=True, related_name="refusals")
    contact = models.ForeignKey(Contact, on_delete=models.SET_NULL, null=True, blank=True, related_name="refusals")
    caller = models.CharField(max_length=200)
    about = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    told = models.TextField(help_text="What the caller was told.")

    objects = RefusalQuerySet.as_manager()

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.caller} turned away at {self.at:%Y-%m-%d %H:%M}"


class ContractQuestionQuerySet(models.QuerySet["ContractQuestion"]):
    """Questions about contracts and bills."""

    def visible_to(self, user: Any) -> ContractQuestionQuerySet:
        """Those of every company, or of this person's own companies (A1)."""
        if user.is_authenticated and user.may(Right.READ_EVERY_CASE):
            return self
        return self.filter(company__in=Company.objects.visible_to(user))


class ContractQuestion(models.Model):
    """A question about a contract or a bill, passed on to the account manager; no technical case (D6)."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="contract_questions")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="contract_questions")
    question = models.TextField(help_text="As the customer put it.")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, blank=True, related_name="contract_questions")
    at = models.DateTimeField("when")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    passed_on_to = models.CharField(max_length=200, help_text="Who was asked to answer it.")

    objects = ContractQuestionQuerySet.as_manager()

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"Question of {self.contact.name} to {self.passed_on_to}"
