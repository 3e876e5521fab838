"""Fields and widgets that the forms of a case share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from cases.enums import Channel
from cases.guards import LONGEST_TEXT, too_long

#: How a customer reaches us or is reached: everything but a note (C3).
REAL_CHANNELS = [(channel.value, channel.label) for channel in Channel if channel != Channel.NOTE]
A_DAY = "Write a day, such as 2026-06-15."


def text_area(rows: int = 4, **attrs: Any) -> UnfoldAdminTextareaWidget:
    return UnfoldAdminTextareaWidget(attrs={"rows": rows, **attrs})


def day_input() -> forms.DateInput:
    """A day picked or typed."""
    classes = " ".join(UnfoldAdminTextInputWidget().attrs["class"].split())
    return forms.DateInput(attrs={"type": "date", "class": classes}, format="%Y-%m-%d")


def reason_field() -> forms.CharField:
    """Why something is done; the change itself refuses an empty one with a sentence of its own (S4)."""
    return forms.CharField(label="Why", required=False, widget=text_area(3, required=True))


def bound_texts(fields: Mapping[str, forms.Field]) -> None:
    """Have every text field refuse what is longer than a case keeps (S4). A browser would cut it without a word."""
    for field in fields.values():
        if isinstance(field, forms.CharField) and field.max_length is None:
            field.validators.append(_check_length)


def _check_length(text: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise ValidationError(too_long(len(text)))
