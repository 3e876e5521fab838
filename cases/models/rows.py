"""What models whose rows belong to a case have in common."""

from __future__ import annotations

from typing import Any, Self, TypeVar

from django.db import models

from contacts.enums import Right
from contacts.models import Company

RowT = TypeVar("RowT", bound=models.Model)


class CaseRowQuerySet(models.QuerySet[RowT]):
    """Rows with a foreign key `case`."""

    def visible_to(self, user: Any) -> Self:
        """The rows of the cases this person may read; rows of no case for those who read every case (A1).

        For whoever reads their own companies only, one query tells which these are: their rows are then read out of an
        index in the order of the list, instead of all their cases.
        """
        if not user.is_authenticated:
            return self.none()
        if user.may(Right.READ_EVERY_CASE):
            return self
        return self.filter(case__company__in=Company.objects.keys_visible_to(user))
