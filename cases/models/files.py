"""Files that came with a contact or a note (C3)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse

from cases.models.case import Case
from cases.models.contact_log import Interaction
from cases.models.rows import CaseRowQuerySet


class Attachment(models.Model):
    """A file of a contact or a note; its bytes are on disk, outside of everything that a web server gives out (C3).

    The row is written once and never changed. Whoever may read the case may read its files (A1).
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="attachments")
    interaction = models.ForeignKey(Interaction, on_delete=models.PROTECT, related_name="attachments")
    name = models.CharField(max_length=150, help_text="As it was named, without what no file system takes.")
    content_type = models.CharField(max_length=100, help_text="What its bytes say, not what the browser said.")
    size = models.PositiveBigIntegerField(help_text="Bytes.")
    sha256 = models.CharField(max_length=64)
    stored_as = models.CharField(max_length=32, unique=True, help_text="Its name on disk, drawn by chance.")
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    objects = CaseRowQuerySet["Attachment"].as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Where it is downloaded."""
        return reverse("admin:cases_case_file", args=[self.case_id, self.pk, self.name])
