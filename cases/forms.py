"""The forms of the case pages: one small form for each move.

A move's form asks only for what the move needs and decides nothing: what is missing or impossible is said by the move
itself, in its own sentence (S4), so that every road to it hears the same. None of them has a status in it.
"""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from cases.actions import CaseAction
from cases.enums import (
    Channel,
)

#: How a customer reaches us or is reached: everything but a note (C3).
REAL_CHANNELS = [(word.value, word.label) for word in Channel if word != Channel.NOTE]


def text_area(rows: int = 4, **attrs: Any) -> UnfoldAdminTextareaWidget:
    """A text area of so many rows."""
    return UnfoldAdminTextareaWidget(attrs={"rows": rows, **attrs})


A_DAY = "Write a day, such as 2026-06-15."


def day_input() -> forms.DateInput:
    """A day picked or typed."""
    classes = " ".join(UnfoldAdminTextInputWidget().attrs["class"].split())
    return forms.DateInput(attrs={"type": "date", "class": classes}, format="%Y-%m-%d")


def reason_field() -> forms.CharField:
    """Why something is done; the change itself refuses an empty one with a sentence of its own (S4)."""
    return forms.CharField(label="Why", required=False, widget=text_area(3, required=True))


#: For the subjects whose buttons are not classes yet.
MoveForm = CaseAction


class ReasonForm(MoveForm):
    """A move that wants to know why."""

    reason = reason_field()
