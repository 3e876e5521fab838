"""The ledger of SLA targets (T1 to T4) and the lines of staff digests (T3)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from cases.models import Case, CaseRowQuerySet, CompanyOfCase, Mail
from escalations.enums import Member, SlaKind, SlaOutcome


class SlaTarget(models.Model):
    """The ledger of promised times (section 3): one row for each time that a first response (T1) or a status update
    (T2) was owed to one member of the audience. Written when the first thing happens to it (a reminder, an update, its
    end). An outcome is written once: what is missed stays so (T4); what only a mail kept that reached nobody is owed
    again (T1, T2). All moments UTC.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="sla_targets")
    company_id = CompanyOfCase()
    kind = models.CharField(max_length=8, choices=SlaKind.choices)
    member = models.CharField("owed to", max_length=16, choices=Member.choices)
    since = models.DateTimeField("counted from")
    due_at = models.DateTimeField("due")
    reminded_at = models.DateTimeField("owner reminded", null=True, blank=True)
    updated_at = models.DateTimeField("updated by the desk", null=True, blank=True)
    mail = models.ForeignKey(
        Mail,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        to_field="key",
        db_constraint=False,
        related_name="sla_targets",
    )  # the desk's own update; its key is known before its row is written, at the end of the sweep
    outcome = models.CharField(max_length=8, choices=SlaOutcome.choices, blank=True)
    ended_at = models.DateTimeField(
        "until", null=True, blank=True, help_text="When an update came, or none was owed any more."
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    in_a_row = models.PositiveIntegerField(
        default=0, help_text="How many in a row, this one included, were without a person's word."
    )
    manager_told_at = models.DateTimeField("support manager told", null=True, blank=True)

    objects = CaseRowQuerySet["SlaTarget"].as_manager()

    class Meta:
        ordering = ["case", "kind", "member", "since"]
        verbose_name = "promise"  # what pages call it
        constraints = [
            models.UniqueConstraint(fields=["case", "kind", "member", "since"], name="a_promise_is_recorded_once")
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(outcome=""), name="promise_to_settle"),
            models.Index(fields=["-due_at"], condition=Q(outcome="missed"), name="promise_missed"),
            # the report after an outage (S3), and how the promises of a period were kept, out of the index alone
            models.Index(fields=["due_at", "outcome", "kind", "case"], name="promise_by_due"),
            # an account manager's (A1), newest first, and how those to a company were kept, out of the index alone
            models.Index(
                fields=["company_id", "-due_at", "-id", "member", "kind", "outcome"], name="promise_by_company"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} to {self.get_member_display()} on {self.case_id} due {self.due_at}"


class DigestLine(models.Model):
    """One line of the mail that a member of staff gets after a sweep: one mail for all their cases (T3).

    Written in the transaction of its reason, put into a mail when the sweep is through; a line without a mail waits
    for the next sweep.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="digest_lines")
    section = models.CharField(max_length=10)
    key = models.CharField(max_length=200, help_text="Of the mail it is for: one for each person and sweep.")
    to_address = models.EmailField()
    to_name = models.CharField(max_length=200, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    meant_for = models.CharField(max_length=200, blank=True)
    facts = models.JSONField(default=dict)
    written_at = models.DateTimeField()
    send_by = models.DateTimeField(
        null=True, blank=True, help_text="Waits until then for other mail to the same person; at once without it."
    )
    mail = models.ForeignKey(
        Mail, on_delete=models.PROTECT, null=True, blank=True, to_field="key", related_name="digest_lines"
    )

    class Meta:
        ordering = ["pk"]
        verbose_name = "staff line"
        indexes = [
            models.Index(fields=["id"], condition=Q(mail__isnull=True), name="staff_line_to_send"),
            models.Index(fields=["case", "written_at"], name="staff_line_by_case"),
        ]

    def __str__(self) -> str:
        return f"{self.section} line on {self.case_id} to {self.to_address}"
