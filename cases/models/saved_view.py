"""Views of the list of cases that somebody keeps under a name."""

from __future__ import annotations

from django.conf import settings
from django.db import models

LONGEST_NAME, LONGEST_QUERY = 40, 1000


class SavedView(models.Model):
    """A person's own name for filters, search and order of the list of cases."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=LONGEST_NAME)
    query = models.CharField(max_length=LONGEST_QUERY, help_text="The address of the list after the question mark.")

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="a_saved_view_has_its_own_name")]

    def __str__(self) -> str:
        return f"{self.name} of {self.user}"
