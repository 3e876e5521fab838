"""The forms of the case pages: opening, details, and one small form for each move.

A move's form asks only for what the move needs and decides nothing: what is missing or impossible is said by the move
itself, in its own sentence (S4), so that every road to it hears the same. None of them has a status in it.
"""

from __future__ import annotations

import json
from typing import Any, cast

from django import forms
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from cases.enums import (
    PLAN_FOR,
    Affected,
    AgreedBy,
    Channel,
    Direction,
    Impact,
    Resolution,
    Severity,
    WaitPlan,
    WaitReason,
)
from cases.models import Absence, Case, Interaction
from cases.policy.intake import suggested_severity
from contacts.models import Contact, User

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


# --- moves (C4 and what is no transition) -----------------------------------------------------------------------


class MoveForm(forms.Form):
    """What a move asks for. `seen` is the case's last change as the page showed it."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput())

    def __init__(self, case: Case, user: User, name: str, data: Any = None) -> None:
        super().__init__(data, auto_id=f"do-{name}-%s", initial={"seen": case.changed_at.isoformat()})
        self.case = case
        self.user = user
        self.prepare()

    def prepare(self) -> None:
        """Fit the fields to the case and the person."""


class AskCustomerForm(MoveForm):
    """The question, or what the customer told us, and why we wait (C4, F1)."""

    question = forms.CharField(
        label="Question, or what the customer told us", required=False, widget=text_area(5, required=True)
    )
    reason = forms.ChoiceField(
        label="Why we wait",
        choices=WaitReason.choices,
        initial=WaitReason.INFORMATION.value,
        error_messages={"required": "Say why we wait: it picks how we follow up."},
        widget=UnfoldAdminSelectWidget(
            attrs={"data-desk-plans": json.dumps({reason.value: plan.value for reason, plan in PLAN_FOR.items()})}
        ),
    )
    plan = forms.ChoiceField(
        label="How we follow up",
        choices=WaitPlan.choices,
        initial=PLAN_FOR[WaitReason.INFORMATION].value,
        required=False,
        help_text="The reason picks one; choose the other where it fits better.",
        widget=UnfoldAdminSelectWidget(),
    )
    not_before = forms.DateField(
        label="They cannot act before",
        required=False,
        error_messages={"invalid": A_DAY},
        help_text="If they named a day: until then we do not turn to them.",
        widget=day_input(),
    )
    send = forms.BooleanField(
        label="Send it by email now",
        required=False,
        initial=True,
        help_text="Untick it when the question was put in another way.",
        widget=UnfoldBooleanWidget(),
    )


class ReasonForm(MoveForm):
    """A move that wants to know why."""

    reason = forms.CharField(label="Why", required=False, widget=text_area(3, required=True))


class RespondedForm(MoveForm):
    """What the customer said, and how they reached us (C4)."""

    channel = forms.ChoiceField(
        label="How they reached us",
        choices=REAL_CHANNELS,
        error_messages={"required": "Choose how the customer reached us: phone, chat or email."},
        widget=UnfoldAdminSelectWidget(),
    )
    body = forms.CharField(label="What the customer said", required=False, widget=text_area(5, required=True))
    confirms = forms.ChoiceField(
        label="Is it solved?",
        choices=[("", "Choose"), ("yes", "Yes, they confirm the solution"), ("no", "No, it still does not work")],
        error_messages={"required": "Say whether it is solved: if they confirm it, the case is resolved."},
        help_text="If they confirm it, the case is resolved at once; else it goes back to work.",
        widget=UnfoldAdminSelectWidget(attrs={"data-desk-shows": json.dumps({"solution": ["yes"]})}),
    )
    solution = forms.CharField(
        label="Solution",
        required=False,
        widget=text_area(4),
        help_text="Needed when they confirm it; they get it by email.",
    )

    def prepare(self) -> None:
        """Ask for the confirmation only where we wait for one."""
        if self.case.wait_reason != WaitReason.CONFIRM:
            del self.fields["confirms"], self.fields["solution"]
            return
        self.initial["solution"] = self.case.solution or self.case.wait_question


class ResolveForm(MoveForm):
    """Why the case closes, how the customer agreed, and the solution (C4)."""

    resolution = forms.ChoiceField(
        label="Why it closes",
        choices=Resolution.choices,
        error_messages={"required": "Choose why the case closes."},
        widget=UnfoldAdminSelectWidget(
            attrs={
                "data-desk-shows": json.dumps(
                    {name: [Resolution.CONFIRMED.value] for name in ("agreed_by", "said", "solution")}
                )
            }
        ),
    )
    agreed_by = forms.ChoiceField(
        label="How they agreed",
        required=False,
        choices=[("", "Choose"), *AgreedBy.choices],
        help_text="Needed when the customer confirmed it: both sides agree to close.",
        widget=UnfoldAdminSelectWidget(),
    )
    said = forms.CharField(label="What they said", required=False, widget=text_area(2))
    solution = forms.CharField(
        label="Solution",
        required=False,
        widget=text_area(6),
        help_text="Needed when the customer confirmed it; they get it by email.",
    )

    def prepare(self) -> None:
        """Start from the solution that is on file."""
        self.initial["solution"] = self.case.solution


class LogAttemptForm(MoveForm):
    """A call to a customer who was not reached, in one click (F3)."""

    outcome = forms.ChoiceField(
        choices=[("no_answer", "No answer"), ("left_message", "Left a message")],
        error_messages={
            "required": "Say how the call went: no answer, or a message left.",
            "invalid_choice": "Say how the call went: no answer, or a message left.",
        },
        widget=forms.HiddenInput(),
    )


class WriteForm(MoveForm):
    """A mail to the customer (F3); whoever shows it puts the draft in."""

    body = forms.CharField(label="Message", required=False, widget=text_area(10, required=True))


class NoteAbsenceForm(MoveForm):
    """The customer is out of office: their note, or the days (F5)."""

    note = forms.CharField(
        label="Their note",
        required=False,
        widget=text_area(7, placeholder="Paste the automatic reply"),
        help_text="The dates are read from it, in eight languages; you confirm them.",
    )
    away_from = forms.DateField(
        label="First day away", required=False, error_messages={"invalid": A_DAY}, widget=day_input()
    )
    back_on = forms.DateField(
        label="First day back",
        required=False,
        error_messages={"invalid": A_DAY},
        help_text="If you know the days, they are taken as they are. Days are the customer's own.",
        widget=day_input(),
    )


class AbsenceForm(MoveForm):
    """Which absence of this case is meant; and its days, where they are corrected (F5)."""

    absence = forms.ModelChoiceField(
        queryset=Absence.objects.none(),
        widget=forms.HiddenInput(),
        error_messages={
            "required": "Say which absence is meant.",
            "invalid_choice": "This absence does not belong to the case; look at the case as it is now.",
        },
    )
    away_from = forms.DateField(
        label="First day away", required=False, error_messages={"invalid": A_DAY}, widget=day_input()
    )
    back_on = forms.DateField(
        label="First day back", required=False, error_messages={"invalid": A_DAY}, widget=day_input()
    )

    def prepare(self) -> None:
        """Only absences of this very case."""
        field = cast(forms.ModelChoiceField, self.fields["absence"])
        field.queryset = Absence.objects.filter(case=self.case)


class LogContactForm(MoveForm):
    """A call, chat or email about the case (C3)."""

    channel = forms.ChoiceField(
        label="Channel",
        choices=REAL_CHANNELS,
        error_messages={"required": "Choose the channel: phone, chat or email."},
        widget=UnfoldAdminSelectWidget(),
    )
    direction = forms.ChoiceField(
        label="Who turned to whom",
        choices=[(word.value, word.label) for word in Direction if word != Direction.INTERNAL],
        error_messages={"required": "Say whether it came from the customer or went to them."},
        widget=UnfoldAdminSelectWidget(),
    )
    body = forms.CharField(label="What was said", required=False, widget=text_area(5, required=True))
    reached = forms.BooleanField(
        label="The customer was reached",
        required=False,
        initial=True,
        help_text="Untick it when only a message was left: that is an attempt, not a response.",
        widget=UnfoldBooleanWidget(),
    )
    send = forms.BooleanField(
        label="Send it now",
        required=False,
        help_text="Only an email to the customer can be sent.",
        widget=UnfoldBooleanWidget(),
    )


class NoteForm(MoveForm):
    """An internal note (C3)."""

    body = forms.CharField(label="Note", required=False, widget=text_area(5, required=True))


class SeverityForm(MoveForm):
    """How bad it is now, and why (C2)."""

    severity = forms.ChoiceField(
        label="Severity",
        choices=Severity.choices,
        error_messages={"required": "Choose the new severity."},
        widget=UnfoldAdminRadioSelectWidget(),
    )
    reason = forms.CharField(label="Why", required=False, widget=text_area(3, required=True))

    def prepare(self) -> None:
        """Start from the severity it has."""
        self.initial["severity"] = self.case.severity


class OwnerField(forms.ModelChoiceField):
    """A technician with level and duty, so that whoever reassigns sees whom they choose."""

    def label_from_instance(self, user: User) -> str:
        """“Tina Berg (L3, on duty)”."""
        duty = "on duty" if user.technician.on_duty else "away"
        return f"{user} ({user.technician.level}, {duty})"


class ReassignForm(MoveForm):
    """Who owns the case from now on, and why (A1)."""

    owner = OwnerField(
        label="New owner",
        queryset=User.objects.none(),
        empty_label="Choose a technician",
        error_messages={
            "required": "Choose who gets the case.",
            "invalid_choice": "This is no active technician; choose one who is.",
        },
        widget=UnfoldAdminSelectWidget(attrs={"required": True}),
    )
    reason = forms.CharField(label="Why", required=False, widget=text_area(3, required=True))

    def prepare(self) -> None:
        """Offer the active technicians."""
        technicians = User.objects.filter(is_active=True, technician__isnull=False).select_related("technician")
        cast(forms.ModelChoiceField, self.fields["owner"]).queryset = technicians


class HandledForm(MoveForm):
    """Which contact on the resolved case needs nothing more (C7)."""

    interaction = forms.ModelChoiceField(
        queryset=Interaction.objects.none(),
        widget=forms.HiddenInput(),
        error_messages={
            "required": "Say which contact is handled.",
            "invalid_choice": "This contact does not belong to the case; look at the case as it is now.",
        },
    )

    def prepare(self) -> None:
        """Only contacts of this very case."""
        field = cast(forms.ModelChoiceField, self.fields["interaction"])
        field.queryset = Interaction.objects.filter(case=self.case)
