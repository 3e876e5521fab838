"""The forms of the case pages: opening, details, and one small form for each move.

A move's form asks only for what the move needs and decides nothing: what is missing or impossible is said by the move
itself, in its own sentence (S4), so that every road to it hears the same. None of them has a status in it.
"""

from __future__ import annotations

import json
from typing import Any, cast

from django import forms
from unfold.widgets import (
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from cases.actions import CaseAction
from cases.enums import (
    Affected,
    Channel,
    Impact,
    Severity,
)
from cases.models import Case
from cases.policy.intake import suggested_severity
from contacts.models import Contact

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


# --- opening (C1 to C3, D3) -------------------------------------------------------------------------------------


class OpeningForm(forms.ModelForm):
    """What is asked when a case is opened (C1). Severity may be left to the suggestion (C2)."""

    class Meta:
        model = Case
        fields = (
            "company",
            "contact",
            "opened_by_channel",
            "preferred_means",
            "title",
            "description",
            "affected_user",
            "device",
            "operating_system",
            "system_information",
            "several_devices",
            "affected",
            "impact",
            "severity",
            "opened_despite",
            "linked_to",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        severity = cast(forms.ChoiceField, self.fields["severity"])
        severity.required = False
        severity.initial = ""
        self.initial.pop("severity", None)
        severity.choices = [("", "As the answers suggest"), *Severity.choices]
        severity.widget.attrs |= {"data-desk-suggests": json.dumps(severity_suggestions())}
        severity.help_text = "Suggested from who is affected and the impact. You decide."
        channel = cast(forms.ChoiceField, self.fields["opened_by_channel"])
        channel.choices, channel.label = REAL_CHANNELS, "Came in by"
        self.fields["opened_despite"].label = "Reason to open it all the same"
        self.fields["opened_despite"].help_text = "Only when the caller is not the corporate help desk."
        self.fields["preferred_means"].help_text = "Empty: as the contact prefers in general."

    def severity_to_open_with(self) -> Severity:
        """What the person chose, else what the answers suggest (C2)."""
        chosen = self.cleaned_data.get("severity")
        answers = self.cleaned_data["affected"], self.cleaned_data["impact"]
        return Severity(chosen) if chosen else suggested_severity(*answers)


def severity_suggestions() -> dict[str, Any]:
    """The same suggestion as the server's, for the page to show while somebody types (C2)."""
    return {
        "affected": {word.value: suggested_severity(word, "").value for word in Affected},
        "impact": {word.value: suggested_severity("", word).value for word in Impact},
        "labels": {severity.value: severity.label for severity in Severity},
        "neither": suggested_severity("", "").value,
    }


# --- details (C1, C5) -------------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """A value as it can be compared: a browser turns line ends into CRLF and a form strips what surrounds a text."""
    if isinstance(value, str):
        return value.replace("\r\n", "\n").strip()
    return value.pk if hasattr(value, "pk") else value


#: What the form edits: all of it is `cases.workflow.transitions.EDITABLE`.
DETAILS = (
    "title",
    "contact",
    "preferred_means",
    "description",
    "affected_user",
    "device",
    "operating_system",
    "system_information",
    "several_devices",
    "affected",
    "impact",
    "solution",
)


class DetailsForm(forms.ModelForm):
    """What a case says, edited by one person while others may edit it too.

    `seen` is when the case had last changed as this reader saw it. What they changed is measured against the case of
    that moment, so that a field they left alone is never put back to what it was.
    """

    class Meta:
        model = Case
        fields = DETAILS

    seen = forms.CharField(required=False, widget=forms.HiddenInput())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now_stored = self._stored(self.instance)
        self.initial["seen"] = self.instance.changed_at.isoformat()
        if "contact" in self.fields:
            contact = cast(forms.ModelChoiceField, self.fields["contact"])
            contact.queryset = Contact.objects.filter(company=self.instance.company_id).select_related("company")
            contact.label_from_instance = lambda person: person.name  # type: ignore[method-assign, assignment]
            contact.error_messages["invalid_choice"] = (
                f"This contact does not work for {self.instance.company}; choose one of theirs."
            )

    @staticmethod
    def _stored(row: Any) -> dict[str, Any]:
        """What a case, or a row of its history, says in the fields of this form."""
        return {name: plain(getattr(row, "contact_id" if name == "contact" else name)) for name in DETAILS}

    def clean(self) -> dict[str, Any]:
        """Work out what this person changed, and refuse what somebody else changed as well (S4)."""
        cleaned = super().clean() or self.cleaned_data
        seen_as = self._as_seen(cleaned.get("seen", ""))
        self.changes = {
            name: cleaned[name].replace("\r\n", "\n") if isinstance(cleaned[name], str) else cleaned[name]
            for name in DETAILS
            if name in cleaned and plain(cleaned[name]) != seen_as[name]
        }
        for name, value in list(self.changes.items()):
            if plain(value) == self.now_stored[name]:
                del self.changes[name]  # somebody else wrote the very same
            elif self.now_stored[name] != seen_as[name]:
                self.add_error(name, self._conflict(name))
        if self.errors:
            # Whoever saves again has read the sentence, and has seen the case as it is now.
            self.data = {**self.data.dict(), "seen": self.instance_stamp}  # type: ignore[attr-defined]
        return cleaned

    @property
    def instance_stamp(self) -> str:
        """The `seen` of the case as it is now."""
        return str(self.initial["seen"])

    def _as_seen(self, stamp: str) -> dict[str, Any]:
        if not stamp or stamp == self.instance_stamp:
            return self.now_stored
        moment = forms.DateTimeField(required=False)
        try:
            at = moment.to_python(stamp)
        except forms.ValidationError:
            return self.now_stored
        rows = self.instance.history.filter(history_date__lte=at).order_by("-history_date", "-history_id")
        row = rows.first()
        return self._stored(row) if row else self.now_stored

    def _conflict(self, name: str) -> str:
        last = self.instance.history.select_related("history_user").order_by("-history_date", "-history_id").first()
        who = last.history_user if last and last.history_user else "Somebody else"
        theirs = self.now_stored[name]
        if name == "contact":
            theirs = self.instance.contact.name
        return (
            f"{who} changed this after you opened the page; it now says “{theirs}”. "
            "Yours is still here: save again to put it in place of theirs."
        )


#: For the subjects whose buttons are not classes yet.
MoveForm = CaseAction


class ReasonForm(MoveForm):
    """A move that wants to know why."""

    reason = reason_field()
