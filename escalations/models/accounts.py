"""What account managers and customer engineers have seen and been sent (W4)."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from cases.models import Mail
from contacts.models import Company


class AccountVisit(models.Model):
    """Up to when somebody has seen what changed at a company (W4).

    Moved on by a button and not by opening the page: a reload loses nothing. `seen_before` is what the button undoes.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+")
    seen_until = models.DateTimeField()
    seen_before = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "company"], name="a_company_is_seen_once")]

    def __str__(self) -> str:
        return f"{self.user_id} has seen {self.company_id} until {self.seen_until}"


class DailyDigest(models.Model):
    """The ledger of daily digests: one row for each reader and day of theirs, also where there was nothing to say, so
    that nobody gets two (W4, S1).
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField(help_text="Of the reader's own calendar.")
    until = models.DateTimeField(help_text="What changed up to then is told; the next one goes on from there.")
    mail = models.ForeignKey(
        Mail, on_delete=models.PROTECT, null=True, blank=True, to_field="key", db_constraint=False, related_name="+"
    )  # none where there was nothing to say
    retry_at = models.DateTimeField(
        null=True, blank=True, help_text="It could not be made, and is tried again then (S2)."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "day"], name="one_digest_a_day")]

    def __str__(self) -> str:
        return f"digest of {self.day} to {self.user_id}"
