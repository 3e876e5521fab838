"""The tally of loads: how many open cases each owner has (C6)."""

from __future__ import annotations

from django.db import models

from cases.enums import Severity


class LoadEntry(models.Model):
    """So many open cases of one severity that an owner got, or, below zero, no longer has; the sum of an owner's
    entries is what they have.

    The database itself writes an entry whenever a case is opened, resolved, reopened or deleted, or an open one changes
    its owner or severity, in the transaction that does so; only added to, so that nobody waits for anybody.
    `cases.loads` reads the sums and puts entries together. Migration 43 makes the triggers; on SQLite one that remakes
    the table of cases has to make them anew.
    """

    owner_id = models.BigIntegerField()  # no foreign key, which would be checked with each entry
    severity = models.CharField(max_length=8, choices=Severity)
    cases = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.cases:+} {self.severity} of user {self.owner_id}"
