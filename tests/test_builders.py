"""The desk that tests begin with is put back from a snapshot: it is the one that the builders make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import models, transaction
from django.utils import timezone

from contacts.models import User
from tests.support.builders import Desk, build_desk, build_desk_anew, build_user

pytestmark = pytest.mark.django_db


def rows_of(build: Callable[[], Desk]) -> dict[str, list[dict[str, Any]]]:
    """Every row of a desk, without keys, passwords and the moment at which it was made; nothing is left of it."""
    with transaction.atomic():
        build()
        found = {
            model._meta.label: sorted((said_of(row) for row in model._base_manager.all()), key=str)
            for model in apps.get_models()
            if model._meta.managed and model._meta.app_label in ("contacts", "cases", "escalations")
        }
        transaction.set_rollback(True)
    return {label: rows for label, rows in found.items() if rows}


def said_of(row: models.Model) -> dict[str, Any]:
    just_now = timezone.now() - timedelta(days=1)  # whoever was made when the tests began
    said = {}
    for field in row._meta.fields:
        value = getattr(row, field.name)
        is_key = field.primary_key or field.name in ("id", "password")
        is_now = isinstance(field, models.DateTimeField) and value is not None and value > just_now
        said[field.name] = "?" if is_key else "now" if is_now else str(value)
    return said


def test_the_rows_that_are_put_back_are_those_that_are_made() -> None:
    made = rows_of(build_desk_anew)
    assert {"contacts.User", "contacts.Company", "escalations.SchedulePoint"} < made.keys()
    assert rows_of(build_desk) == made


def test_the_desk_that_is_put_back_knows_its_rows(desk: Desk) -> None:
    for field in fields(desk):
        row = getattr(desk, field.name)
        assert said_of(type(row).objects.get(pk=row.pk)) == said_of(row), field.name


def test_where_somebody_is_already_the_desk_gets_other_keys() -> None:
    somebody = build_user("", "somebody")
    desk = build_desk()
    assert User.objects.get(pk=somebody.pk).username == "somebody"
    assert User.objects.get(pk=desk.technician.pk).username == "tech"
