"""Calls and chats that wait for a technician, and what telephone systems told of them (section 10)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from cases.enums import CallEventKind, Channel, QueueEnding, QueueKind, QueueState
from cases.models.case import Case
from cases.models.contact_log import Interaction
from contacts.enums import Language, Right
from contacts.models import Company, Contact, SupportLine
from contacts.phone_numbers import as_written
from contacts.wording import rough_duration

#: In this state somebody wants a technician.
IN_LINE = (QueueState.WAITING, QueueState.OFFERED)
#: In this state somebody takes a technician's attention.
WITH_TECHNICIAN = (QueueState.OFFERED, QueueState.TALKING)


class CallEvent(models.Model):
    """What a telephone system told of a call, once however often it was told (Q1). Never changed."""

    provider = models.CharField(max_length=40, help_text="Which telephone system, by the name in its address.")
    call_id = models.CharField(max_length=128)
    kind = models.CharField(max_length=8, choices=CallEventKind.choices)
    leg = models.CharField(max_length=64, blank=True, help_text="Which of several telephones that ring at once.")
    at = models.DateTimeField(help_text="When it was received.")
    number = models.CharField("caller", max_length=40, blank=True)
    dialled = models.CharField(max_length=40, blank=True)
    cause = models.CharField(max_length=40, blank=True)
    is_outgoing = models.BooleanField(default=False, help_text="Whether somebody here dialled.")

    class Meta:
        ordering = ["at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "call_id", "kind", "leg"], name="an_event_is_kept_once")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.call_id} of {self.provider}"


class QueueEntryQuerySet(models.QuerySet["QueueEntry"]):
    """Questions about who waits."""

    def in_line(self) -> QueueEntryQuerySet:
        """Whoever wants a technician, first come first; callbacks among them."""
        return self.filter(state__in=IN_LINE).order_by("in_line_since", "pk")

    def to_offer(self, now: datetime) -> QueueEntryQuerySet:
        """Whoever can be offered to somebody now: waits, and is not to be called later."""
        return self.in_line().filter(Q(not_before=None) | Q(not_before__lte=now), state=QueueState.WAITING)

    def in_lock_order(self) -> QueueEntryQuerySet:
        """These rows, locked until the transaction ends; always in one order, so that two who lock several rows do not
        wait for each other.
        """
        return self.select_for_update(of=("self",)).order_by("pk")

    def with_technician(self) -> QueueEntryQuerySet:
        """What is offered to somebody or spoken."""
        return self.filter(state__in=WITH_TECHNICIAN)

    def chats(self) -> QueueEntryQuerySet:
        """Chats of the support page (P6)."""
        return self.filter(kind=QueueKind.CHAT)

    def callbacks(self) -> QueueEntryQuerySet:
        """Whoever we have to call back, the soonest promise first (Q3)."""
        return self.filter(state__in=IN_LINE, is_callback=True).order_by("due_at", "pk")

    def visible_to(self, user: Any) -> QueueEntryQuerySet:
        """Those of everybody for whoever works cases or watches the desk, else none (A1)."""
        may = user.is_authenticated and (user.may(Right.WORK_CASES) or user.may(Right.WATCH_THE_ENGINE))
        return self if may else self.none()


class QueueEntry(models.Model):
    """A call or a chat, from its arrival until somebody has spoken with them (D7, Q1 to Q4, P6).

    A chat is of one contact about one case; what is written in it are its `lines`, in the contact log of the case.

    `state` is written by `cases.queue.apply` alone, under a lock or a guarded UPDATE. For a technician the constraint
    below is the last word on Q2: one offer or one conversation at a time.
    """

    kind = models.CharField(max_length=4, choices=QueueKind.choices, default=QueueKind.CALL)
    provider = models.CharField(max_length=40, blank=True, help_text="Empty: entered by hand.")
    call_id = models.CharField(max_length=128, blank=True)

    # Who it is
    number = models.CharField(max_length=40, blank=True, help_text="As it is dialled from anywhere, where it is known.")
    caller = models.CharField("name", max_length=200, blank=True, help_text="As somebody wrote it down.")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, null=True, blank=True, related_name="queue_entries")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, null=True, blank=True, related_name="queue_entries")
    line = models.ForeignKey(SupportLine, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    language = models.CharField(max_length=2, choices=Language.choices, default=Language.ENGLISH)

    # Where it stands
    state = models.CharField(max_length=7, choices=QueueState.choices, default=QueueState.WAITING)
    ending = models.CharField(max_length=12, choices=QueueEnding.choices, blank=True)
    arrived_at = models.DateTimeField()
    in_line_since = models.DateTimeField(help_text="What the place in the queue comes from; a callback keeps it.")
    heard_at = models.DateTimeField(
        help_text="When the last word came of it: a call of which none comes is lost. Of a chat, when its customer was "
        "last seen."
    )
    technician = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="queue_entries"
    )  # to whom it is offered, who speaks, or who spoke with them
    offered_at = models.DateTimeField(null=True, blank=True)
    why_offered = models.CharField(max_length=200, blank=True)
    passed = models.JSONField(
        default=dict, blank=True, help_text="How often each technician let it pass, by their key."
    )
    taken_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ready_at = models.DateTimeField(null=True, blank=True, help_text="When the technician said that they were done.")

    # A callback (Q3)
    is_callback = models.BooleanField(default=False)
    due_at = models.DateTimeField(null=True, blank=True, help_text="When they are called back at the latest (T1).")
    not_before = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    manager_told_at = models.DateTimeField(null=True, blank=True)

    # What came of it (Q4, P6)
    wound_up_at = models.DateTimeField(
        null=True, blank=True, help_text="When the owner of the case was told of a chat that has ended."
    )
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, blank=True, related_name="queue_entries")
    interaction = models.OneToOneField(
        Interaction, on_delete=models.PROTECT, null=True, blank=True, related_name="queue_entry"
    )

    objects = QueueEntryQuerySet.as_manager()

    class Meta:
        ordering = ["-arrived_at", "-pk"]
        indexes = [
            # the line, and what a sweep looks at
            models.Index(fields=["in_line_since", "id"], condition=~Q(state="ended"), name="queue_entry_not_ended"),
            # when a technician spoke last
            models.Index(
                fields=["technician", "-ended_at"], condition=Q(ended_at__isnull=False), name="queue_entry_spoken"
            ),
            # how long recent calls took, and what was missed today
            models.Index(fields=["-ended_at"], condition=Q(state="ended"), name="queue_entry_ended"),
            models.Index(fields=["company", "-arrived_at"], name="queue_entry_by_company"),
            # the chats of a contact on a case, and those whose end nobody was told of yet
            models.Index(fields=["case", "-id"], condition=Q(kind="chat"), name="queue_entry_chats_of_case"),
            models.Index(
                fields=["ended_at"],
                condition=Q(kind="chat", state="ended", wound_up_at__isnull=True),
                name="queue_entry_to_wind_up",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "call_id"], condition=~Q(call_id=""), name="a_call_is_in_the_queue_once"
            ),
            models.UniqueConstraint(
                fields=["technician"],
                condition=Q(state__in=["offered", "talking"]),
                name="one_offer_or_talk_per_technician",
            ),
            models.CheckConstraint(
                condition=~Q(state="offered") | Q(technician__isnull=False, offered_at__isnull=False),
                name="an_offer_says_to_whom",
            ),
            models.CheckConstraint(
                condition=Q(state="ended", ended_at__isnull=False) | (~Q(state="ended") & Q(ending="")),
                name="what_ended_says_when",
            ),
            models.CheckConstraint(
                condition=Q(is_callback=False) | Q(due_at__isnull=False), name="a_callback_has_a_promise"
            ),
            models.UniqueConstraint(
                fields=["contact"], condition=Q(kind="chat") & ~Q(state="ended"), name="one_chat_per_contact"
            ),
            models.CheckConstraint(
                condition=~Q(kind="chat") | Q(contact__isnull=False, case__isnull=False, is_callback=False),
                name="a_chat_is_of_a_contact_about_a_case",
            ),
        ]
        verbose_name = "call"
        verbose_name_plural = "calls"

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.who}"

    def get_absolute_url(self) -> str:
        """The caller's page (Q4); of a chat the page of its case, where it is answered (P6)."""
        if self.kind == QueueKind.CHAT and self.case is not None:
            return self.case.form_url("chat")
        return reverse("admin:cases_queueentry_caller", args=[self.pk])

    @property
    def who(self) -> str:
        """The contact, else the name that was written down, else the number."""
        if self.contact is not None:
            return self.contact.name
        return self.caller or self.shown_number or "an unknown caller"

    @property
    def is_chat(self) -> bool:
        """Whether they write, and do not speak."""
        return self.kind == QueueKind.CHAT

    @property
    def waits_for_callback(self) -> bool:
        """Whether we have still to call them back (Q3)."""
        return self.is_callback and self.state in IN_LINE

    @property
    def kind_of_contact(self) -> Channel:
        """By which means they turned to us."""
        return Channel.PHONE if self.kind == QueueKind.CALL else Channel.CHAT

    @property
    def shown_number(self) -> str:
        """The number as people read it."""
        return as_written(self.number)

    @property
    def wait_ended_at(self) -> datetime | None:
        """When the caller stopped waiting: somebody took them, or it ended without that."""
        return self.taken_at or self.ended_at

    @property
    def times(self) -> str:
        """“Waited 2 min, talked 8 min.”, for the contact log (Q4)."""
        parts = []
        if self.wait_ended_at is not None:
            parts.append(f"Waited {rough_duration(self.wait_ended_at - self.arrived_at)}")
        if self.talk is not None:
            parts.append(f"talked {rough_duration(self.talk)}")
        return f"{', '.join(parts)}." if parts else ""

    @property
    def talk(self) -> timedelta | None:
        """How long was spoken; None where nobody spoke, or somebody still does."""
        spoken = self.ending == QueueEnding.SPOKEN and self.taken_at is not None and self.ended_at is not None
        return self.ended_at - self.taken_at if spoken else None  # type: ignore[operator]
