"""The contact log (C3) and the callers who were turned away (D3)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from cases.enums import CallOutcome, Channel, Direction
from cases.models.case import Case
from contacts.enums import Right
from contacts.models import Company, Contact
from contacts.reader import for_reader

#: `Interaction.tells_customer`, of rows.
TELLS_CUSTOMER = Q(opened_the_case=False, withdrawn_at=None, undelivered_at=None, with_customer=True) & (
    (Q(direction=Direction.OUT) & ~Q(outcome=CallOutcome.NO_ANSWER))
    | Q(direction=Direction.IN, channel__in=[Channel.PHONE, Channel.CHAT], chat=None)
)
#: What is written down within this time counts as written down at once.
LOGGED_AT_ONCE = timedelta(minutes=2)


class Interaction(models.Model):
    """A contact about a case, or an internal note: who, when, how, with whom, what (C3). Its words are never changed,
    and it is never deleted; a click made by mistake is withdrawn.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="interactions")
    channel = models.CharField(max_length=5, choices=Channel.choices)
    direction = models.CharField(max_length=8, choices=Direction.choices)
    at = models.DateTimeField(help_text="When it was.")
    logged_at = models.DateTimeField(editable=False, help_text="When it was written down: never before it was (C3).")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    with_customer = models.BooleanField(
        default=True,
        help_text="Whether it was with the case's contact or somebody else of their help desk, as it was then; a word "
        "with anybody else of the company is no word with the customer.",
    )
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
    undelivered_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When it became known that no mail with its words reached the customer: until one does it tells them "
        "nothing (T1, T2).",
    )
    resent_at = models.DateTimeField(
        null=True, blank=True, help_text="When its mail left that was sent again: from then on it tells the customer."
    )
    why_no_attempt = models.TextField(blank=True, help_text="Why it does not count as one of the three contacts (F3).")
    told = models.JSONField(
        default=list, blank=True, help_text="Which members of the audience it told, besides the customer (T2)."
    )
    copied_to = models.JSONField(
        default=list, blank=True, help_text="To whom else of the help desk it was sent: their key and name (C3)."
    )
    chat = models.ForeignKey(
        "cases.QueueEntry",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="lines",
        help_text="The chat on the support page of which it is a line (P6).",
    )
    opened_the_case = models.BooleanField(default=False)  # T1: the call that opened the case meets no promise
    needs_answer = models.BooleanField(default=False)  # C7: arrived on a resolved case, nobody has handled it yet
    manager_told_at = models.DateTimeField(null=True, blank=True)  # C7: nobody had handled it in time

    class Meta:
        ordering = ["at", "pk"]
        indexes = [
            models.Index(fields=["case", "at"], name="interaction_by_case"),
            models.Index(fields=["at"], condition=Q(needs_answer=True), name="interaction_unanswered"),
            models.Index(fields=["case"], condition=Q(undelivered_at__isnull=False), name="interaction_undelivered"),
            models.Index(fields=["chat", "id"], condition=Q(chat__isnull=False), name="interaction_of_chat"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(channel="note", direction="internal") | (~Q(channel="note") & ~Q(direction="internal")),
                name="only_notes_are_internal",
            ),
            models.CheckConstraint(
                condition=Q(at__lte=models.F("logged_at")), name="a_contact_was_before_it_is_logged"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} on {self.case_id}, {for_reader(self.at)}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save it; what does not say when it was logged was logged when it was."""
        self.logged_at = self.logged_at or self.at
        super().save(*args, **kwargs)

    @property
    def copied_names(self) -> list[str]:
        """Who got a copy."""
        return [person["name"] for person in self.copied_to]

    @property
    def when_logged(self) -> str:
        """“Logged on Wed 3 Jun, 11:00.” of what was logged later than it was; else ""."""
        return f"Logged on {for_reader(self.logged_at)}." if self.is_logged_later else ""

    @property
    def is_logged_later(self) -> bool:
        """Whether it was written down some time after it was."""
        return self.logged_at - self.at > LOGGED_AT_ONCE

    @property
    def title(self) -> str:
        """What it was, “Phone from the customer” or “Internal note”."""
        channel = Channel(self.channel).label
        if self.opened_the_case:
            return f"{channel} that opened the case"
        if self.direction == Direction.INTERNAL:
            return channel
        if self.contact_id is None and not self.with_customer:
            other = "somebody who is no contact"
        else:
            other = "the customer" if self.with_customer else "the company, not the help desk"
        return f"{channel} {'from' if self.direction == Direction.IN else 'to'} {other}"

    @property
    def told_at(self) -> datetime:
        """When they heard of it whom it tells something: later than it was, if its mail had to be sent again."""
        return self.resent_at or self.at

    @property
    def is_response(self) -> bool:
        """Whether the customer spoke: they turned to us, or were reached by phone or chat, whoever dialled (F3). In a
        chat of the support page they speak by their own lines.
        """
        if self.withdrawn_at is not None or not self.with_customer:
            return False
        if self.direction == Direction.IN:
            return True
        spoke = self.reached and self.channel in (Channel.PHONE, Channel.CHAT) and self.chat_id is None
        return self.direction == Direction.OUT and spoke

    @property
    def tells_customer(self) -> bool:
        """Whether the customer heard from us by it: we wrote, called or left a message, or they spoke with somebody
        here (T1, T2). Not the call that opened the case, nor a mail of theirs or a line in a chat that nobody has
        answered, nor a call of ours that nobody took, nor a mail that reached nobody. `TELLS_CUSTOMER` asks the same
        of rows.
        """
        if self.opened_the_case or self.direction == Direction.INTERNAL or self.withdrawn_at is not None:
            return False
        if not self.with_customer or self.undelivered_at is not None:
            return False
        if self.outcome == CallOutcome.NO_ANSWER:
            return False
        spoke = self.channel in (Channel.PHONE, Channel.CHAT) and self.chat_id is None
        return self.direction == Direction.OUT or spoke


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
        verbose_name = "caller turned away"
        verbose_name_plural = "callers turned away"

    def __str__(self) -> str:
        return f"{self.caller} turned away on {for_reader(self.at)}"


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
