"""What models whose rows belong to a case have in common."""

from __future__ import annotations

from typing import Any, Self, TypeVar

from django.db import models

from cases.models.case import Case
from contacts.enums import Right

RowT = TypeVar("RowT", bound=models.Model)


class CaseRowQuerySet(models.QuerySet[RowT]):
    """Rows with a foreign key `case`."""

    def visible_to(self, user: Any) -> Self:
        """The rows of the cases this person may read; rows of no case for those who read every case (A1)."""
        if user.is_authenticated and user.may(Right.READ_EVERY_CASE):
            return self
        return self.filter(case__in=Case.objects.visible_to(user))
