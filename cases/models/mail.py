"""The outbox: one row for each message to each recipient (M1)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.crypto import salted_hmac

from cases.enums import REPORT_MESSAGES, SECRET_MESSAGES, MailStatus, SendCondition
from cases.models.case import Case
from cases.models.contact_log import Interaction
from cases.models.rows import CaseRowQuerySet
from contacts.enums import Right


class MailQuerySet(CaseRowQuerySet["Mail"]):
    def visible_to(self, user: Any) -> Self:
        """The mail of the cases this person may read (A1); what opens an account only for an administrator (A3), and
        figures about colleagues only for whoever may read reports.
        """
        mails = super().visible_to(user)
        if user.is_authenticated and not user.may(Right.READ_REPORTS):
            mails = mails.exclude(template__in=REPORT_MESSAGES)
        return mails if user.is_superuser else mails.exclude(template__in=SECRET_MESSAGES)

    def to_send(self, now: datetime) -> MailQuerySet:
        """Queued mail that is due and that no worker holds."""
        return self.filter(status=MailStatus.QUEUED, send_at__lte=now).order_by("send_at", "pk")

    def to_send_first(self, now: datetime) -> MailQuerySet:
        """Of those that can still keep the promise they carry, the one that is needed soonest first (T3)."""
        return self.to_send(now).filter(needed_by__gte=now).order_by("needed_by", "pk")


class Mail(models.Model):
    """One message to one recipient, written in the transaction of its reason and sent after the commit (M1)."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, blank=True, related_name="mails")
    key = models.CharField(max_length=200, unique=True, help_text="Names its reason and recipient: written once.")
    template = models.CharField(max_length=40)
    facts = models.JSONField(default=dict, help_text="What it says, frozen when its reason arose.")
    to_name = models.CharField(max_length=200, blank=True)
    to_address = models.EmailField()
    time_zone = models.CharField(max_length=64, default="UTC", help_text="The reader's own; its times are shown in it.")
    language = models.CharField(
        max_length=2, default="en", db_default="en", help_text="In which it is written, apart from what people wrote."
    )
    meant_for = models.CharField(
        max_length=200, blank=True, help_text="Whom it was meant for, if it fell back to somebody else (D5)."
    )
    holds = models.CharField(max_length=8, choices=SendCondition.choices, blank=True, default=SendCondition.ALWAYS)
    episode = models.PositiveIntegerField(default=0, help_text="The wait it speaks of, if any.")

    interaction = models.ForeignKey(
        Interaction,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="mails",
        help_text="The contact whose words it carries to the customer.",
    )

    status = models.CharField(max_length=8, choices=MailStatus.choices, default=MailStatus.QUEUED)
    queued_at = models.DateTimeField()
    send_at = models.DateTimeField(help_text="When it is tried next; moved ahead while somebody is sending it.")
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    send_by = models.DateTimeField(
        null=True, blank=True, help_text="Later than this it would not be true any more, so it is not sent."
    )
    needed_by = models.DateTimeField(
        null=True, blank=True, help_text="The promise it keeps, if it arrives by then; retries do not outlast it."
    )
    held_up_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when the mail server's trouble, not its own, has kept it here."
    )
    failed_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(
        null=True, blank=True, help_text="When the reader's mail server took it, where a mail service reports that."
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
            models.Index(
                fields=["needed_by", "id"], condition=Q(status="queued", needed_by__isnull=False), name="mail_needed_by"
            ),
            models.Index(fields=["case", "queued_at"], name="mail_by_case"),
            models.Index(fields=["status", "-id"], name="mail_by_status"),
            models.Index(
                fields=["held_up_at"], condition=Q(status="queued", held_up_at__isnull=False), name="mail_held_up"
            ),
            models.Index(fields=["interaction"], condition=Q(interaction__isnull=False), name="mail_by_interaction"),
            # what did not reach anybody, for waits that are held up (F2)
            models.Index(
                fields=["queued_at"], condition=Q(status__in=["failed", "bounced", "dropped"]), name="mail_lost"
            ),
            models.Index(fields=["failed_at"], condition=Q(status="failed"), name="mail_failed_lately"),
        ]
        verbose_name = "mail"
        verbose_name_plural = "mail"

    def __str__(self) -> str:
        return f"{self.subject or self.template} to {self.to_address}"

    @staticmethod
    def message_id_for(*reason: object) -> str:
        """The Message-ID of the message that `reason` identifies: the same one whenever it is asked for (M2).

        Nobody without the secret key can guess it. With another secret key it is another one; rows keep theirs.
        """
        what = "\n".join(map(str, reason))
        digest = salted_hmac("cases.mail.message-id", what, algorithm="sha256").hexdigest()[:32]
        return f"<{digest}@{settings.MAIL_DOMAIN}>"


class MailCircuit(models.Model):
    """A mail server that takes no mail: until `try_at` no worker tries it, then one does (M2). No row: it is well."""

    server = models.CharField(max_length=255, unique=True, help_text="Its address and port, without a password.")
    since = models.DateTimeField()
    try_at = models.DateTimeField("tried next")
    error = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.server} is not tried until {self.try_at}"
