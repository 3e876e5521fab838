"""The doors through which mail comes in by being fetched (M5)."""

from __future__ import annotations

from django.db import models

from cases.enums import Door


class MailDoor(models.Model):
    """A Maildir or an IMAP mailbox that the settings name: when it is looked into next, and how that went (M5, S3).

    `look_at` is the claim as well: the worker that moves it ahead looks, and nobody else does until then. `trouble` is
    shown to anybody and holds no secret and no address; `trouble_detail` is for the admin. The row of a mailbox that
    the settings name no more stays, out of use, so that naming it again goes on from where it was.
    """

    name = models.CharField(max_length=500, unique=True)
    kind = models.CharField(max_length=8, choices=Door.choices)
    in_use = models.BooleanField(default=True)
    since = models.DateField(help_text="What came before that day, and before the desk first looked, is left alone.")
    look_at = models.DateTimeField()
    fetched_at = models.DateTimeField(
        null=True, blank=True, help_text="When the last look began that saw what was there."
    )
    trouble = models.CharField(max_length=200, blank=True, help_text="Why the last look saw nothing.")
    left = models.PositiveIntegerField(default=0, help_text="How many messages the last look could not take.")
    trouble_detail = models.TextField(blank=True)
    trouble_since = models.DateTimeField(null=True, blank=True)
    put_off = models.JSONField(
        default=list, blank=True, help_text="Messages over which a look broke off: taken after all others."
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
