"""The forms of a question for the status and of a person's status update (E8, T2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from cases.enums import Status
from cases.forms import MoveForm, text_area
from cases.page_cache import directory_of
from contacts.directory import Addressee
from escalations.audience import STAFF, audience_of, readers_of
from escalations.clocks import load_clock
from escalations.enums import Member

#: A line in the admin; whoever has more to say logs a note besides.
LONGEST_LINE = 500


class AnswerForm(MoveForm):
    """Where the case stands, in a line; and what of it the customer may read (E8)."""

    answer = forms.CharField(
        label="Your answer, in a line",
        required=False,
        max_length=LONGEST_LINE,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "required": True}),
    )
    for_customer = forms.CharField(
        label="For the customer (optional)",
        required=False,
        max_length=LONGEST_LINE,
        help_text="Goes out with their next status update. They never see your answer itself.",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )
    same_for_customer = forms.BooleanField(
        label="The customer may read the answer as it is", required=False, widget=UnfoldBooleanWidget()
    )

    def clean(self) -> dict[str, Any]:
        """What was marked for the customer: words of their own, else the answer if that was ticked."""
        typed = super().clean() or self.cleaned_data
        if typed.get("same_for_customer") and not typed.get("for_customer"):
            typed["for_customer"] = typed.get("answer", "")
        return typed


class UpdateForm(MoveForm):
    """One text, and a tick for everybody who may get it; those of the audience in force are ticked (T2, E4)."""

    text = forms.CharField(label="How it stands", required=False, widget=text_area(5, required=True))

    def prepare(self) -> None:
        """A tick for each member, with the name of whoever gets it."""
        life, now = load_clock(self.case), timezone.now()
        audience = audience_of(life, now)
        readers = readers_of(self.case, [Member.CUSTOMER, *STAFF], directory_of(self.case))
        self.fields["customer"] = self._customer(readers[Member.CUSTOMER])
        for member in STAFF:
            self.fields[member.value] = _tick(
                f"{member.label}: {_names(readers[member])}",
                ticked=member in audience and bool(readers[member]),
                note="" if member in audience else "Not in the audience of this case now.",
            )
        if life.question is not None:
            self.fields["answers_question"] = _tick(
                f"This answers {life.question.point}, which asks for the status",
                ticked=True,
                note="An answer goes to all the staff in the audience.",
            )

    def _customer(self, readers: Sequence[Addressee]) -> forms.BooleanField:
        name = self.case.contact.name
        if not readers:
            return _tick(f"Customer: {name}", ticked=False, note="Has no email address.")
        if self.case.status == Status.WAITING:
            return _tick(f"Customer: {name}", ticked=False, note="Not while the case waits for them.")
        return _tick(f"Customer: {name}", ticked=True)

    def clean(self) -> dict[str, Any]:
        """The staff who were ticked, as `members`."""
        typed = super().clean() or self.cleaned_data
        typed["members"] = [member for member in STAFF if typed.get(member.value)]
        return typed


def _names(readers: Sequence[Addressee]) -> str:
    said = [f"{one.name} (in their place)" if one.meant_for else one.name for one in readers]
    return ", ".join(said) or "nobody"


def _tick(label: str, ticked: bool, note: str = "") -> forms.BooleanField:
    return forms.BooleanField(label=label, required=False, initial=ticked, help_text=note, widget=UnfoldBooleanWidget())
