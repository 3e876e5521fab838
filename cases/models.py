"""Records of a case and its life (rules, sections 2, 4 and 6).

Status is written by the FSM transitions below and by nothing else; they set fields and do nothing more. Who may
call them, the history row, the mail and the next due moments are the business of `cases.workflow.transitions`.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django_fsm import FSMField, transition
from simple_history.models import HistoricalRecords

from cases.enums import (
    OPEN_ABSENCES,
    AbsenceState,
    Affected,
    AgreedBy,
    Channel,
    Direction,
    Holds,
    Impact,
    MailStatus,
    Move,
    NoticeStep,
    Resolution,
    Severity,
    Status,
    WaitPlan,
    WaitReason,
)
from contacts.calendars import said_day
from contacts.enums import MeansOfContact, Right
from contacts.models import Company, Contact

#: How a case's number begins; the rest is its row's own number, which the database hands out once.
NUMBER_PREFIX = "SD-"


def case_id_of(number: str) -> int | None:
    """The primary key that a case number such as “SD-000123” (or “123”) names, or None."""
    digits = number.strip().upper().removeprefix(NUMBER_PREFIX)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else None


@cache
def _case_page() -> tuple[str, str]:
    """What stands before and after the key in the address of a case's page; every letter of a sweep asks for it."""
    before, _, after = reverse("admin:cases_case_change", args=["KEY"]).partition("KEY")
    return before, after


class CaseQuerySet(models.QuerySet["Case"]):
    """Questions about cases."""

    def open(self) -> CaseQuerySet:
        """Not resolved."""
        return self.exclude(status=Status.RESOLVED)

    def visible_to(self, user: Any) -> CaseQuerySet:
        """The cases this person may read (A1): all, those of their own companies, or none."""
        if not user.is_authenticated:
            return self.none()
        if user.may(Right.READ_EVERY_CASE):
            return self
        return self.filter(company__in=Company.objects.visible_to(user))

    def to_look_at(self, now: datetime) -> CaseQuerySet:
        """Due for a look by whoever watches cases that nothing moves, soonest first (E5)."""
        return self.filter(look_at__lte=now).order_by("look_at", "pk")

    def to_follow_up(self, now: datetime) -> CaseQuerySet:
        """Waiting cases whose plan has something due, soonest first (F2)."""
        return self.filter(follow_up_at__lte=now).order_by("follow_up_at", "pk")

    def to_keep_promises(self, now: datetime) -> CaseQuerySet:
        """Something promised on the case wants a look: a response, an update, an answer, a decision (section 3)."""
        return self.filter(promise_at__lte=now).order_by("promise_at", "pk")

    def in_queue_of(self, user: Any) -> CaseQuerySet:
        """The open cases this person owns or, as a former owner, still watches (E7)."""
        watched = CaseWatcher.objects.filter(user=user).values("case")
        return self.open().filter(Q(owner=user) | Q(pk__in=watched))


class Case(models.Model):
    """One issue of one customer (C1), from its opening until both sides agree to close it (C4)."""

    # What it is about (C1)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="cases")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="cases")
    preferred_means = models.CharField(
        "preferred means of contact", max_length=5, choices=MeansOfContact.choices(), blank=True
    )
    title = models.CharField(max_length=200)
    description = models.TextField("detailed description", blank=True)
    affected_user = models.CharField("username or device name", max_length=120, blank=True)
    device = models.CharField(max_length=120, blank=True)
    operating_system = models.CharField(max_length=120, blank=True)
    system_information = models.TextField(blank=True)
    several_devices = models.BooleanField("several devices", null=True, blank=True)
    affected = models.CharField("who is affected", max_length=10, choices=Affected.choices(), blank=True)
    impact = models.CharField(max_length=12, choices=Impact.choices(), blank=True)
    external_reference = models.CharField(
        max_length=40, unique=True, null=True, blank=True, help_text="Its number in the system it was imported from."
    )
    linked_to = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="linked_cases"
    )  # a later case about an issue that was closed too long ago to be reopened (C4)

    # Where it stands
    severity = models.CharField(max_length=8, choices=Severity.choices(), default=Severity.MEDIUM)
    status = FSMField(choices=Status.choices(), default=Status.ASSIGNED, protected=True, max_length=24)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="owned_cases"
    )
    opened_at = models.DateTimeField(default=timezone.now)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    opened_by_channel = models.CharField("came in by", max_length=5, choices=Channel.choices(), default=Channel.PHONE)
    opened_despite = models.CharField(
        "reason to open it for somebody else than the help desk", max_length=200, blank=True
    )  # D3
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolution = models.CharField(max_length=20, choices=Resolution.choices(), blank=True)
    agreed_by = models.CharField("how the customer agreed", max_length=6, choices=AgreedBy.choices(), blank=True)
    solution = models.TextField(blank=True)

    # The wait it is in, or was in last; earlier ones are in the history (F1, F6)
    wait_episode = models.PositiveIntegerField(default=0)
    waiting_since = models.DateTimeField(null=True, blank=True)
    wait_reason = models.CharField(max_length=12, choices=WaitReason.choices(), blank=True)
    wait_plan = models.CharField(max_length=14, choices=WaitPlan.choices(), blank=True)
    wait_question = models.TextField("question to the customer", blank=True)

    # What the last change was (C5), and the rhythm of status updates that is in force, minutes by audience (E1, T2)
    last_move = models.CharField(max_length=12, choices=Move.choices(), default=Move.OPENED)
    changed_at = models.DateTimeField(default=timezone.now)
    update_rhythm = models.JSONField(default=dict, blank=True)

    # Caches of pure functions: when somebody has to look (S1). Kept out of the history, they say nothing new.
    look_at = models.DateTimeField(null=True, blank=True, editable=False)
    follow_up_at = models.DateTimeField(null=True, blank=True, editable=False)
    promise_at = models.DateTimeField(null=True, blank=True, editable=False)
    # From when on our promises count, if not from the opening: when it was taken over from another system
    promises_since = models.DateTimeField(null=True, blank=True, editable=False)

    objects = CaseQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["look_at", "follow_up_at", "promise_at", "promises_since"])

    class Meta:
        ordering = ["-pk"]
        indexes = [
            # the escalation sweep: one index probe when nothing is due
            models.Index(fields=["look_at", "id"], condition=Q(look_at__isnull=False), name="case_to_look_at"),
            # the follow-up sweep, likewise
            models.Index(
                fields=["follow_up_at", "id"], condition=Q(follow_up_at__isnull=False), name="case_to_follow_up"
            ),
            # the sweep of promises, likewise
            models.Index(fields=["promise_at", "id"], condition=Q(promise_at__isnull=False), name="case_to_promise"),
            # a technician's queue, and the load that assignment weighs (C6)
            models.Index(fields=["owner", "severity"], condition=~Q(status="resolved"), name="case_open_by_owner"),
            # an account manager's list (A1), newest first
            models.Index(fields=["company", "-id"], name="case_by_company"),
            # the list by status and by severity, newest first
            models.Index(fields=["status", "-id"], name="case_by_status"),
            models.Index(fields=["severity", "-id"], name="case_by_severity"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=[s.value for s in Status]), name="case_status_is_one_of_four"
            ),
            models.CheckConstraint(
                condition=~Q(status="resolved") | Q(resolved_at__isnull=False), name="resolved_case_says_when"
            ),
            models.CheckConstraint(
                condition=~Q(status="customer_update_required") | Q(waiting_since__isnull=False),
                name="waiting_case_says_since",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def get_absolute_url(self) -> str:
        """The case's page in the admin."""
        before, after = _case_page()
        return f"{before}{self.pk}{after}"

    @property
    def number(self) -> str:
        """The case's own number, e.g. SD-000123 (C1)."""
        return f"{NUMBER_PREFIX}{self.pk:06d}" if self.pk else "new"

    @property
    def is_open(self) -> bool:
        """Whether it is still worked on."""
        return self.status != Status.RESOLVED

    # --- C4: the transitions. They set fields and do nothing else. ---

    @transition(status, source=Status.ASSIGNED.value, target=Status.IN_PROGRESS.value)
    def start_work(self) -> None:
        """Work has begun (C4)."""

    @transition(
        status,
        source=[Status.ASSIGNED.value, Status.IN_PROGRESS.value, Status.WAITING.value],
        target=Status.WAITING.value,
    )
    def ask_customer(self, question: str, reason: WaitReason, plan: WaitPlan, now: datetime) -> None:
        """Wait for the customer from `now` on, in a new episode: also when the case was waiting already (C5, F6)."""
        self.wait_episode += 1
        self.waiting_since = now
        self.wait_question = question
        self.wait_reason = reason
        self.wait_plan = plan

    @transition(status, source=Status.WAITING.value, target=Status.IN_PROGRESS.value)
    def take_back(self) -> None:
        """Stop waiting of our own accord (C4)."""
        self.waiting_since = None

    @transition(status, source=Status.WAITING.value, target=Status.IN_PROGRESS.value)
    def customer_responded(self) -> None:
        """Stop waiting because the customer spoke (C4, F6)."""
        self.waiting_since = None

    @transition(
        status,
        source=[Status.ASSIGNED.value, Status.IN_PROGRESS.value, Status.WAITING.value],
        target=Status.RESOLVED.value,
    )
    def resolve(
        self, resolution: Resolution, solution: str, now: datetime, agreed_by: AgreedBy | Literal[""] = ""
    ) -> None:
        """Close at `now`; whoever says that the customer confirmed it says how they agreed (C4)."""
        self.resolution = resolution
        self.agreed_by = agreed_by
        self.solution = solution or self.solution
        self.resolved_at = now
        self.waiting_since = None

    @transition(status, source=Status.RESOLVED.value, target=Status.IN_PROGRESS.value)
    def reopen(self) -> None:
        """Work again on what was closed (C4)."""
        self.resolution = self.agreed_by = ""
        self.resolved_at = None


class CaseWatcher(models.Model):
    """A former owner who still follows a case until they leave it (E7)."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="watchers")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="watched_cases")
    since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "user"], name="watches_a_case_once")]
        ordering = ["since"]

    def __str__(self) -> str:
        return f"{self.user} watches {self.case_id}"


class Interaction(models.Model):
    """A contact about a case, or an internal note: who, when, how, what (C3). Never changed, never deleted."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="interactions")
    channel = models.CharField(max_length=5, choices=Channel.choices())
    direction = models.CharField(max_length=8, choices=Direction.choices())
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    body = models.TextField()
    reached = models.BooleanField(
        default=True, help_text="Whether the customer was spoken to; a message left counts as an attempt only (F3)."
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
    def is_response(self) -> bool:
        """Whether the customer spoke: they turned to us, or were reached by phone or chat, whoever dialled (F3)."""
        if self.direction == Direction.IN:
            return True
        return self.direction == Direction.OUT and self.reached and self.channel in (Channel.PHONE, Channel.CHAT)

    @property
    def tells_customer(self) -> bool:
        """Whether the customer heard from us by it: we wrote, called or left a message, or they spoke with somebody
        here (T1, T2). Not the call that opened the case, nor a mail of theirs that nobody has answered.
        """
        if self.opened_the_case or self.direction == Direction.INTERNAL:
            return False
        return self.direction == Direction.OUT or self.channel in (Channel.PHONE, Channel.CHAT)


class Refusal(models.Model):
    """Somebody who is not their company's help desk was turned away politely (D3)."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, null=True, blank=True, related_name="refusals")
    contact = models.ForeignKey(Contact, on_delete=models.SET_NULL, null=True, blank=True, related_name="refusals")
    caller = models.CharField(max_length=200)
    about = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    told = models.TextField(help_text="What the caller was told.")

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.caller} turned away at {self.at:%Y-%m-%d %H:%M}"


class MailQuerySet(models.QuerySet["Mail"]):
    """Questions about the outbox."""

    def to_send(self, now: datetime) -> MailQuerySet:
        """Queued, its time has come, and nobody is sending it just now."""
        return self.filter(status=MailStatus.QUEUED, send_at__lte=now).order_by("send_at", "pk")

    def visible_to(self, user: Any) -> MailQuerySet:
        """Mail about the cases this person may read; mail about no case for those who read every case (A1)."""
        if user.is_authenticated and user.may(Right.READ_EVERY_CASE):
            return self
        return self.filter(case__in=Case.objects.visible_to(user))


class Mail(models.Model):
    """One message to one recipient, written in the transaction of its reason and sent after the commit (M1)."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, blank=True, related_name="mails")
    key = models.CharField(max_length=200, unique=True, help_text="Names its reason and recipient: written once.")
    template = models.CharField(max_length=40)
    facts = models.JSONField(default=dict, help_text="What it says, frozen when its reason arose.")
    to_name = models.CharField(max_length=200, blank=True)
    to_address = models.EmailField()
    time_zone = models.CharField(max_length=64, default="UTC", help_text="The reader's own; its times are shown in it.")
    meant_for = models.CharField(
        max_length=200, blank=True, help_text="Whom it was meant for, if it fell back to somebody else (D5)."
    )
    holds = models.CharField(max_length=8, choices=Holds.choices(), blank=True, default=Holds.ALWAYS)
    episode = models.PositiveIntegerField(default=0, help_text="The wait it speaks of, if any.")

    status = models.CharField(max_length=8, choices=MailStatus.choices(), default=MailStatus.QUEUED)
    queued_at = models.DateTimeField()
    send_at = models.DateTimeField(help_text="When it is tried next; moved ahead while somebody is sending it.")
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    send_by = models.DateTimeField(
        null=True, blank=True, help_text="Later than this it would not be true any more, so it is not sent."
    )
    kept = models.BooleanField(default=False, help_text="No mail server is configured: it was kept here, not sent.")
    last_error = models.TextField(blank=True)
    message_id = models.CharField(max_length=200, unique=True)
    subject = models.CharField(max_length=250, blank=True)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)

    objects = MailQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["send_at", "id"], condition=Q(status="queued"), name="mail_to_send"),
            models.Index(fields=["case", "queued_at"], name="mail_by_case"),
            models.Index(fields=["status", "-id"], name="mail_by_status"),
        ]
        verbose_name = "mail"
        verbose_name_plural = "mail"

    def __str__(self) -> str:
        return f"{self.subject or self.template} to {self.to_address}"

    @staticmethod
    def new_message_id() -> str:
        """A Message-ID for life: a repeat after a crash carries the same one (M2)."""
        return f"<{uuid.uuid4().hex}@{settings.MAIL_DOMAIN}>"


class Notice(models.Model):
    """The ledger of a wait's plan: one row for each step that was carried out, for ever (F2 to F5, F7).

    A step is carried out once in an episode; only one that got lost, or whose announcement was slept over, comes again,
    with the next number in `time`.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="notices")
    episode = models.PositiveIntegerField()
    step = models.CharField(max_length=9, choices=NoticeStep.choices())
    time = models.PositiveSmallIntegerField(default=1, help_text="More than 1: carried out again.")
    due_at = models.DateTimeField()
    done_at = models.DateTimeField()
    superseded = models.BooleanField(default=False, help_text="A later notice that was due as well went instead (F7).")
    closes_at = models.DateTimeField(null=True, blank=True, help_text="When it said that the case will close (F4).")
    mail = models.OneToOneField(Mail, on_delete=models.PROTECT, null=True, blank=True, related_name="notice")
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
        constraints = [
            models.UniqueConstraint(fields=["case", "episode", "step", "time"], name="a_notice_happens_once")
        ]
        indexes = [models.Index(fields=["due_at"], name="notice_by_due")]  # the report after an outage (S3)

    def __str__(self) -> str:
        return f"{self.step} of wait {self.episode} on {self.case_id}"


class Absence(models.Model):
    """The customer is out of office: the note, what was read from it, and what a person said of it (F5).

    `away_from` and `back_on` are local days of the customer, the latter the first one on which they are back. No date
    that was only read puts a plan to sleep for longer than the week in which somebody can confirm it.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="absences")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    note = models.TextField(blank=True, help_text="The note as it came; empty when somebody told us.")
    phrase = models.CharField(max_length=200, blank=True, help_text="The words the dates were read from.")
    state = models.CharField(max_length=9, choices=AbsenceState.choices())
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

    def said(self) -> str:
        """“Away from Mon 1 June, back on Mon 15 June”."""
        if self.back_on is None:
            return "Away, nobody knows until when"
        away = f"Away from {said_day(self.away_from)}, " if self.away_from else ""
        said = f"{away}back on {said_day(self.back_on)}"
        return f"{said}; was back sooner, on {said_day(self.ended_on)}" if self.ended_on else said

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to say what its dates are."""
        return self.state in OPEN_ABSENCES


class SetAside(models.Model):
    """A case that a sweep could not work: reported, and tried again later (S2)."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="set_asides")
    sweep = models.CharField(max_length=20)
    since = models.DateTimeField()
    retry_at = models.DateTimeField()
    tries = models.PositiveIntegerField(default=1)
    error = models.TextField()
    solved_at = models.DateTimeField(null=True, blank=True)

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


class Pulse(models.Model):
    """When each sweep last looked (S3)."""

    name = models.CharField(max_length=20, unique=True)
    last_at = models.DateTimeField()
    took_seconds = models.FloatField(default=0)
    done = models.PositiveIntegerField(default=0, help_text="How many cases or mails the last look handled.")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} at {self.last_at:%Y-%m-%d %H:%M:%S}"

    @property
    def alive_at(self) -> datetime:
        """Until when it is known to have been at work: a long look lives until its end."""
        return self.last_at + timedelta(seconds=self.took_seconds)


class Outage(models.Model):
    """A time in which a sweep did not look (S3), written when it looks again."""

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
        return f"{self.sweep} stood still from {self.began_at:%Y-%m-%d %H:%M} to {self.ended_at:%Y-%m-%d %H:%M} UTC"
