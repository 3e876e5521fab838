"""What models whose rows belong to a case have in common."""

from __future__ import annotations

from typing import Any, Self, TypeVar

from django.db import models
from django.db.models.query_utils import DeferredAttribute

from contacts.enums import Right
from contacts.models import Company

RowT = TypeVar("RowT", bound=models.Model)


class _KeyFromCase(DeferredAttribute):
    def __get__(self, instance: Any, owner: Any = None) -> Any:
        found = super().__get__(instance, owner)
        return instance.case.company_id if found is None else found

    def __set__(self, instance: Any, value: Any) -> None:
        """So that reading asks `__get__` also where the instance has a value: None, of a new row."""
        instance.__dict__[self.field.attname] = value


class CompanyOfCase(models.BigIntegerField):  # type: ignore[type-arg]
    """The key of the company whose case it is, which never changes; whoever makes a row need not name it.

    For lists that are long and of which account managers read few rows: with it an index has the rows of each company.
    """

    descriptor_class = _KeyFromCase

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"editable": False})


class CaseRowQuerySet(models.QuerySet[RowT]):
    """Rows with a foreign key `case`, and `company_id` where they keep it."""

    def visible_to(self, user: Any) -> Self:
        """The rows of the cases this person may read; rows of no case for those who read every case (A1).

        For whoever reads their own companies only, one query tells which these are: their rows are then read out of an
        index in the order of the list, instead of all their cases.
        """
        if not user.is_authenticated:
            return self.none()
        if user.may(Right.READ_EVERY_CASE):
            return self
        keeps_it = any(field.name == "company_id" for field in self.model._meta.concrete_fields)
        company = "company_id" if keeps_it else "case__company"
        return self.filter(**{f"{company}__in": Company.objects.keys_visible_to(user)})
