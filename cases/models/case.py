"""A case and who watches it (rules, section 2).

Status is written by the FSM transitions below and by nothing else; they set fields and do nothing more. Who may
call them, the history row, the mail and the next check are the business of `cases.workflow`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Literal, get_args
from urllib.parse import urlencode

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django_fsm import FSMField, transition
from simple_history.models import HistoricalRecords

from cases.enums import (
    Affected,
    AgreedBy,
    Channel,
    Impact,
    Move,
    Resolution,
    Severity,
    Status,
    WaitPlan,
    WaitReason,
)
from contacts.enums import MeansOfContact, Right
from contacts.models import Company, Contact, User

#: The sweeps that look at a case when its `..._check_at` has come.
Check = Literal["escalation", "follow_up", "sla"]
CHECKS = frozenset(f"{check}_check_at" for check in get_args(Check))
#: The moments that sweeps keep: when each checks the case, and when something is due on it (W2).
MOMENTS = CHECKS | {"sla_due_at", "next_due_at"}
#: What `save` writes only when it is named, as only sweeps, `recheck` and whoever mutes the case change it.
KEPT_BY_SWEEPS = MOMENTS | {"turn_told_at", "role_contacts", "mutes"}
#: What is folded out of the history, which therefore does not keep it.
OF_THE_HISTORY = {"waited_seconds", "reopenings"}
#: Open cases by the next deadline of any kind, those without one last (W2).
SOONEST_FIRST = (F("next_due_at").asc(nulls_last=True), "-pk")
#: How severities are sorted, worst first.
SEVERITY_RANK = models.Case(
    *(models.When(severity=severity.value, then=rank) for rank, severity in enumerate(Severity)),
    output_field=models.SmallIntegerField(),
)
#: More cases than anybody watches.
MOST_WATCHED = 1_000_000
#: How a case's number begins; the rest is its row's own number, which the database hands out once.
NUMBER_PREFIX = "SD-"


def case_id_of(number: str) -> int | None:
    """The primary key that a case number such as “SD-000123” (or “123”) names, or None."""
    digits = number.strip().upper().removeprefix(NUMBER_PREFIX)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else None


def seconds_between(start: datetime, end: datetime) -> int:
    """Whole seconds between two moments, each cut to the second as the views of reports do; never below 0."""
    return max(0, int(end.timestamp()) - int(start.timestamp()))


@cache
def _case_page() -> tuple[str, str]:
    """What stands before and after the key in the address of a case's page; every letter of a sweep asks for it."""
    before, _, after = reverse("admin:cases_case_change", args=["KEY"]).partition("KEY")
    return before, after


def _people() -> tuple[models.Prefetch[Any], ...]:
    return (
        models.Prefetch("company", Company.objects.select_related("account_manager", "customer_engineer")),
        models.Prefetch("contact", Contact.objects.select_related("company")),
        models.Prefetch("owner", User.objects.select_related("technician")),
    )


def load_people(cases: Sequence[Case]) -> None:
    """Load with these cases whoever a page names: company, contact and owner, with their account manager, customer
    engineer, company and technician. Three queries of at most three tables: to plan one of eight takes 20 ms.
    """
    models.prefetch_related_objects(cases, *_people())


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

    def due_for_escalation(self, now: datetime) -> CaseQuerySet:
        """Due for a look by whoever watches cases that nothing moves, soonest first (E5)."""
        return self.filter(escalation_check_at__lte=now).order_by("escalation_check_at", "pk")

    def due_for_follow_up(self, now: datetime) -> CaseQuerySet:
        """Waiting cases whose plan has something due, soonest first (F2)."""
        return self.filter(follow_up_check_at__lte=now).order_by("follow_up_check_at", "pk")

    def due_for_sla(self, now: datetime) -> CaseQuerySet:
        """Something promised on the case wants a look: a response, an update, an answer, a decision (section 3)."""
        return self.filter(sla_check_at__lte=now).order_by("sla_check_at", "pk")

    def recheck(self, check: Check, at: datetime) -> int:
        """Make the sweep that does `check` look at these cases at `at` (UTC); changes nothing else of them (S1).

        Until it has looked they stand at the top of lists (W2).
        """
        promised = {"sla_due_at": at} if check == "sla" else {}
        return self.update(**{f"{check}_check_at": at, "next_due_at": at}, **promised)

    def with_people(self) -> CaseQuerySet:
        """As `load_people`."""
        return self.prefetch_related(*_people())

    def soonest_first(self) -> CaseQuerySet:
        """By the next deadline of any kind, cases without one last (W2)."""
        return self.order_by(*SOONEST_FIRST)

    def owned_by(self, user: Any) -> CaseQuerySet:
        """The open cases this person owns."""
        return self.open().filter(owner=user)

    def watched_by(self, user: Any) -> CaseQuerySet:
        """The open cases that somebody else owns and this person, as a former owner, still watches (E7)."""
        # A limit that none reaches: with it PostgreSQL begins with these cases. Else it looks through all open ones in
        # the order of the list, or starts parallel workers, which takes longer than to read them.
        watched = CaseWatcher.objects.filter(user=user).values("case")[:MOST_WATCHED]
        return self.open().filter(pk__in=watched).exclude(owner=user)


class Case(models.Model):
    """One issue of one customer (C1), from its opening until both sides agree to close it (C4)."""

    # What it is about (C1)
    # Without indexes of their own: those below begin with them
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="cases", db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="cases", db_index=False)
    preferred_means = models.CharField(
        "preferred means of contact", max_length=5, choices=MeansOfContact.choices, blank=True
    )
    title = models.CharField(max_length=200)
    description = models.TextField("detailed description", blank=True)
    affected_user = models.CharField("username or device name", max_length=120, blank=True)
    device = models.CharField(max_length=120, blank=True)
    operating_system = models.CharField(max_length=120, blank=True)
    system_information = models.TextField(blank=True)
    several_devices = models.BooleanField("several devices", null=True, blank=True)
    affected = models.CharField("who is affected", max_length=10, choices=Affected.choices, blank=True)
    impact = models.CharField(max_length=12, choices=Impact.choices, blank=True)
    external_reference = models.CharField(
        max_length=40, unique=True, null=True, blank=True, help_text="Its number in the system it was imported from."
    )
    linked_to = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="linked_cases"
    )  # a later case about an issue that was closed too long ago to be reopened (C4)

    # Where it stands
    severity = models.CharField(max_length=8, choices=Severity.choices, default=Severity.MEDIUM)
    severity_is_provisional = models.BooleanField(
        default=False, help_text="Whether nobody at the desk has decided yet how severe it is (C2, M5)."
    )
    status = FSMField(choices=Status.choices, default=Status.ASSIGNED, protected=True, max_length=24)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="owned_cases",
        db_index=False,
    )
    opened_at = models.DateTimeField(default=timezone.now)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    opened_by_channel = models.CharField("came in by", max_length=5, choices=Channel.choices, default=Channel.PHONE)
    # When the call came in from which it was opened, which may have waited in the queue: T1 counts from it (Q4)
    called_at = models.DateTimeField("called", null=True, blank=True, editable=False)
    opened_despite = models.CharField(
        "reason to open it for somebody else than the help desk", max_length=200, blank=True
    )  # D3
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolution = models.CharField(max_length=20, choices=Resolution.choices, blank=True)
    agreed_by = models.CharField("how the customer agreed", max_length=6, choices=AgreedBy.choices, blank=True)
    solution = models.TextField(blank=True)

    # The wait it is in, or was in last; earlier ones are in the history (F1, F6)
    wait_episode = models.PositiveIntegerField(default=0)
    waiting_since = models.DateTimeField(null=True, blank=True)
    wait_reason = models.CharField(max_length=12, choices=WaitReason.choices, blank=True)
    wait_plan = models.CharField(max_length=14, choices=WaitPlan.choices, blank=True)
    wait_question = models.TextField("question to the customer", blank=True)

    # What reports would otherwise have to fold out of the history of every case (decision 16)
    waited_seconds = models.PositiveBigIntegerField(
        "waited", default=0, editable=False, help_text="How long it waited for the customer, without a wait it is in."
    )
    reopenings = models.PositiveIntegerField("reopened", default=0, editable=False, help_text="How often.")

    # What the last change was (C5), and the cadence of status updates that is in force, minutes by audience (E1, T2)
    last_move = models.CharField(max_length=12, choices=Move.choices, default=Move.OPENED)
    changed_at = models.DateTimeField(default=timezone.now)
    update_cadence = models.JSONField(default=dict, blank=True)

    # Caches of pure functions: when a sweep has to look (S1). Not in the history; `save` writes them only when named.
    escalation_check_at = models.DateTimeField(null=True, blank=True, editable=False)
    follow_up_check_at = models.DateTimeField(null=True, blank=True, editable=False)
    sla_check_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Likewise: when the soonest of what the sweep of promises keeps is due, and the next deadline of any kind (W2)
    sla_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    next_due_at = models.DateTimeField("next", null=True, blank=True, editable=False)
    # From when on our promises count, if not from the opening: when it was taken over from another system
    sla_counts_from = models.DateTimeField(null=True, blank=True, editable=False)
    # The last turning point that was told to everybody who is owed updates (T5)
    turn_told_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Who was contacted for a role in the current run of the clock, by the role: their key (D4)
    role_contacts = models.JSONField(default=dict, blank=True, editable=False)
    # Who wanted no updates about it, from when to when (T5); a row for each time
    mutes = models.JSONField(default=list, blank=True, editable=False)

    objects = CaseQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=[*sorted(KEPT_BY_SWEEPS | OF_THE_HISTORY), "sla_counts_from"])

    class Meta:
        ordering = ["-pk"]
        indexes = [
            # the escalation sweep: one index probe when nothing is due
            models.Index(
                fields=["escalation_check_at", "id"],
                condition=Q(escalation_check_at__isnull=False),
                name="case_check_escalation",
            ),
            # the follow-up sweep, likewise
            models.Index(
                fields=["follow_up_check_at", "id"],
                condition=Q(follow_up_check_at__isnull=False),
                name="case_check_follow_up",
            ),
            # the sweep of promises, likewise
            models.Index(fields=["sla_check_at", "id"], condition=Q(sla_check_at__isnull=False), name="case_check_sla"),
            # open cases, the next deadline of any kind first (W2): all (also those with a promise at risk, W4), an
            # owner's, a company's
            models.Index(
                fields=["next_due_at", "-id", "sla_due_at"], condition=~Q(status="resolved"), name="case_open_by_due"
            ),
            models.Index(
                fields=["owner", "next_due_at", "-id"], condition=~Q(status="resolved"), name="case_open_by_owner_due"
            ),
            models.Index(
                fields=["company", "next_due_at", "-id"],
                condition=~Q(status="resolved"),
                name="case_open_by_company_due",
            ),
            # how many cases of each severity everybody on duty has (D1)
            models.Index(fields=["owner", "severity"], condition=~Q(status="resolved"), name="case_open_by_owner"),
            # an account manager's list (A1), newest first
            models.Index(fields=["company", "-id"], name="case_by_company"),
            models.Index(fields=["company", "severity", "-id"], name="case_by_company_severity"),
            # how many cases of a severity and in a status a company has open
            models.Index(
                fields=["company", "severity", "status"],
                condition=~Q(status="resolved"),
                name="case_open_by_company",
            ),
            # an account manager's resolved cases, newest first
            models.Index(fields=["company", "-id"], condition=Q(status="resolved"), name="case_resolved_by_company"),
            # what changed at a company lately (W4)
            models.Index(fields=["company", "-changed_at"], name="case_by_company_changed"),
            # everything of an owner and of a contact, newest first
            models.Index(fields=["owner", "-id"], name="case_by_any_owner"),
            models.Index(fields=["contact", "-id"], name="case_by_contact"),
            # waits in which nothing reaches the customer (F2): since when, for whom, which wait of the case
            models.Index(
                fields=["waiting_since", "contact", "company", "wait_episode", "id"],
                condition=Q(status="customer_update_required"),
                name="case_waiting",
            ),
            # the list by status and by severity, newest first
            models.Index(fields=["status", "-id"], name="case_by_status"),
            models.Index(fields=["severity", "-id"], name="case_by_severity"),
            # open cases of a severity, newest first, and how many there are in each status
            models.Index(
                fields=["severity", "-id", "status"], condition=~Q(status="resolved"), name="case_open_by_severity"
            ),
            # the live board: open cases of a severity by age (W4)
            models.Index(fields=["severity", "opened_at"], condition=~Q(status="resolved"), name="case_open_by_age"),
            # resolved cases, newest first: among all cases the newest are open. Kept ascending, as it is filled: one
            # that grows at its beginning has half-empty pages, and the planner then prefers the primary key.
            models.Index(fields=["id"], condition=Q(status="resolved"), name="case_resolved"),
            # the list sorted by the age of cases
            models.Index(fields=["opened_at", "-id"], name="case_by_opening"),
            # reports: what was resolved in a period, and what was reopened at some time
            models.Index(fields=["resolved_at"], condition=Q(status="resolved"), name="case_by_resolution"),
            models.Index(fields=["id"], condition=Q(reopenings__gt=0), name="case_reopened"),
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

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Save the case, but of what sweeps keep only what is named in `update_fields`, unless the row is new: an
        instance that was read before a `recheck` cannot undo it.
        """
        if update_fields is None and not self._state.adding:
            update_fields = self.fields_to_save()
        super().save(*args, update_fields=update_fields, **kwargs)

    def get_absolute_url(self) -> str:
        """The case's page in the admin."""
        before, after = _case_page()
        return f"{before}{self.pk}{after}"

    def form_url(self, slug: str, **rows: object) -> str:
        """Its page with the form of that action open, about these rows."""
        return f"{self.get_absolute_url()}?{urlencode({'do': slug, **rows})}#do"

    def fields_to_save(self) -> frozenset[str]:
        """The loaded columns of the row but for its key and the columns kept by sweeps."""
        loaded = (field for field in self._meta.concrete_fields if field.attname not in self.get_deferred_fields())
        return frozenset(field.name for field in loaded if not field.primary_key) - KEPT_BY_SWEEPS

    def recheck(self, check: Check, at: datetime) -> None:
        """Make the sweep that does `check` look at this case at `at` (UTC), in the row and in memory (S1)."""
        self.nudge(at, check)
        Case.objects.filter(pk=self.pk).recheck(check, at)

    def nudge(self, at: datetime, *checks: Check) -> None:
        """As `recheck`, in memory only."""
        for check in checks:
            setattr(self, f"{check}_check_at", at)
        self.sla_due_at = at if "sla" in checks else self.sla_due_at
        self.next_due_at = at

    def set_next_due(self) -> None:
        """Compute, in memory, when the next deadline of any kind is (W2): a promise, a step of a plan, a point."""
        moments = (self.sla_due_at, self.follow_up_check_at, self.escalation_check_at)
        self.next_due_at = min((moment for moment in moments if moment is not None), default=None)

    @property
    def number(self) -> str:
        """The case's own number, e.g. SD-000123 (C1)."""
        return f"{NUMBER_PREFIX}{self.pk:06d}" if self.pk else "new"

    @property
    def is_open(self) -> bool:
        """Whether it is still worked on."""
        return self.status != Status.RESOLVED

    def is_muted_by(self, user: Any) -> bool:
        """Whether this person wants no updates about it for now."""
        return any(one["user"] == user.pk and one["until"] is None for one in self.mutes)

    def last_history_row(self) -> Any:
        """The newest row of the history, with the user who made it; None for a case that has none (C5)."""
        return self.history.select_related("history_user").order_by("-history_date", "-history_id").first()

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
        self._end_wait(now)
        self.wait_episode += 1
        self.waiting_since = now
        self.wait_question = question
        self.wait_reason = reason
        self.wait_plan = plan

    @transition(status, source=Status.WAITING.value, target=Status.IN_PROGRESS.value)
    def take_back(self, now: datetime) -> None:
        """Stop waiting of our own accord (C4)."""
        self._end_wait(now)

    @transition(status, source=Status.WAITING.value, target=Status.IN_PROGRESS.value)
    def customer_responded(self, now: datetime) -> None:
        """Stop waiting because the customer spoke (C4, F6)."""
        self._end_wait(now)

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
        self._end_wait(now)

    @transition(status, source=Status.RESOLVED.value, target=Status.IN_PROGRESS.value)
    def reopen(self) -> None:
        """Work again on what was closed (C4)."""
        self.resolution = self.agreed_by = ""
        self.resolved_at = None
        self.reopenings += 1

    def _end_wait(self, now: datetime) -> None:
        """Count the wait that ends at `now`, if the case is in one."""
        if self.waiting_since is not None:
            self.waited_seconds += seconds_between(self.waiting_since, now)
            self.waiting_since = None


class CaseWatcher(models.Model):
    """Somebody who follows a case until they leave it: a former owner (E7), or who looks after the company (T5)."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="watchers")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="watched_cases")
    since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "user"], name="watches_a_case_once")]
        ordering = ["since"]

    def __str__(self) -> str:
        return f"{self.user} watches {self.case_id}"
