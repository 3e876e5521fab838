"""Fields and widgets that the forms of a case share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from cases.enums import Channel
from cases.guards import LONGEST_TEXT, too_long

#: How a customer reaches us or is reached: everything but a note (C3).
REAL_CHANNELS = [(channel.value, channel.label) for channel in Channel if channel != Channel.NOTE]
A_DAY = "Write a day, such as 2026-06-15."


def text_area(rows: int = 4, **attrs: Any) -> UnfoldAdminTextareaWidget:
    return UnfoldAdminTextareaWidget(attrs={"rows": rows, **attrs})


def day_input() -> forms.DateInput:
    classes = " ".join(UnfoldAdminTextInputWidget().attrs["class"].split())
    return forms.DateInput(attrs={"type": "date", "class": classes}, format="%Y-%m-%d")


def bound_texts(fields: Mapping[str, forms.Field]) -> None:
    """Have every text field refuse what is longer than a case keeps (S4). A browser would cut it without a word."""
    for field in fields.values():
        if isinstance(field, forms.CharField) and field.max_length is None:
            field.validators.append(_check_length)


def _check_length(text: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise ValidationError(too_long(len(text)))


def day_field(label: str, help_text: str = "") -> forms.DateField:
    """A day that may be left out."""
    return forms.DateField(
        label=label, required=False, help_text=help_text, error_messages={"invalid": A_DAY}, widget=day_input()
    )


def text_field(label: str = "Why", rows: int = 3, help_text: str = "", required: bool = True) -> forms.CharField:
    """A text of several lines. If it is required, the change itself refuses an empty one with its own sentence (S4)."""
    attrs = {"required": True} if required else {}
    return forms.CharField(label=label, required=False, help_text=help_text, widget=text_area(rows, **attrs))


def tick_field(label: str, ticked: bool = False, help_text: str = "", **attrs: str) -> forms.BooleanField:
    widget = UnfoldBooleanWidget(attrs=attrs)
    return forms.BooleanField(label=label, required=False, initial=ticked, help_text=help_text, widget=widget)
