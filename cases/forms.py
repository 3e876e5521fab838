"""Fields and widgets that the forms of a case share."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from cases.enums import Channel

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
