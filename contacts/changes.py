"""Who has to know that the directory has changed: apps that keep moments computed from it (E3).

The pages of the directory, and whatever else writes it, say so here in the transaction of the change; a higher app
registers what it reckons anew. A call that one can follow, and no signal (decision 2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

#: Takes the rows that were saved or deleted, and the moment (UTC).
Listener = Callable[[Iterable[Model], datetime], None]
_listeners: list[Listener] = []


def on_directory_change(listener: Listener) -> Listener:
    """Register the decorated function to be called after each change of the directory, in its transaction."""
    _listeners.append(listener)
    return listener


def directory_changed(rows: Iterable[Model], now: datetime) -> None:
    """Say that these rows of the directory were saved or deleted, or what belongs to them (hours, closure days)."""
    rows = list(rows)
    for listener in _listeners:
        listener(rows, now)


class TellsOfChanges:
    """For an admin page of the directory: whatever is saved or deleted there is told; put it before the admin class."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Tell after the row and all that was edited with it are saved; lists with editable columns come here too."""
        super().save_related(request, form, formsets, change)  # type: ignore[misc]
        directory_changed([form.instance], timezone.now())

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        with transaction.atomic():
            super().delete_model(request, obj)  # type: ignore[misc]
            directory_changed([obj], timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        with transaction.atomic():
            rows = list(queryset)
            super().delete_queryset(request, queryset)  # type: ignore[misc]
            directory_changed(rows, timezone.now())
