"""The buttons about a customer's absences: note one, confirm or dismiss it, and end it early (F5)."""

from __future__ import annotations

from typing import cast

from django import forms
from django.db.models import Q

from cases.actions import CaseAction, register_action
from cases.enums import AbsenceState
from cases.followup import absences
from cases.forms import A_DAY, day_input, text_area
from cases.models import Absence
from contacts.enums import Right


class AbsenceAction(CaseAction):
    """An action beside the absences of an open case."""

    right = Right.WORK_CASES
    in_header = False

    def offered(self) -> bool:
        return self.case.is_open


@register_action
class NoteAbsence(AbsenceAction):
    slug, label, icon = "note_absence", "Note an absence", "beach_access"
    hint = "Neither an answer nor an attempt: the follow-up sleeps until they are back."

    note = forms.CharField(
        label="Their note",
        required=False,
        widget=text_area(7, placeholder="Paste the automatic reply"),
        help_text="The dates are read from it, in eight languages, and count at once; you confirm or correct them.",
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

    def perform(self) -> str:
        absence = absences.note_absence(self.case, self.actor, self.now, **self.answers)
        return {
            AbsenceState.CONFIRMED: "The absence is noted; we do not turn to them before they are back.",
            AbsenceState.READ: "The note is documented, and the follow-up sleeps by the dates that were read from it: "
            f"{absence.summary()}. Please confirm the dates, or correct them.",
            AbsenceState.UNREAD: "The note is documented, but its dates cannot be read: please say how long they are "
            "away.",
        }[AbsenceState(absence.state)]


class NotedAbsenceAction(AbsenceAction):
    """An action on one absence of the case; the days count where they are corrected."""

    absence = forms.ModelChoiceField(
        queryset=Absence.objects.none(),
        widget=forms.HiddenInput(),
        error_messages={
            "required": "Say which absence is meant.",
            "invalid_choice": "This absence does not belong to the case or its contact; look at the case as it is now.",
        },
    )
    away_from = forms.DateField(
        label="First day away", required=False, error_messages={"invalid": A_DAY}, widget=day_input()
    )
    back_on = forms.DateField(
        label="First day back", required=False, error_messages={"invalid": A_DAY}, widget=day_input()
    )

    def prepare(self) -> None:
        """Only absences that were noted on this case, or of its contact."""
        field = cast("forms.ModelChoiceField[Absence]", self.fields["absence"])
        field.queryset = Absence.objects.filter(Q(case=self.case) | Q(contact=self.case.contact_id))

    def clean_absence(self) -> Absence | int:
        """The absence with the case that is locked; the key of one that was noted on another case of this person."""
        absence: Absence = self.cleaned_data["absence"]
        if absence.case_id != self.case.pk:
            return absence.pk
        absence.case = self.case
        return absence


@register_action
class ConfirmAbsence(NotedAbsenceAction):
    slug, label, icon = "confirm_absence", "Confirm the dates", "check"
    success_message = "The dates are confirmed; we do not turn to them before they are back."

    def perform(self) -> None:
        absences.confirm_absence(actor=self.actor, now=self.now, **self.answers)


@register_action
class DismissAbsence(NotedAbsenceAction):
    slug, label, icon = "dismiss_absence", "Not an absence", "close"
    success_message = "Noted that this is no absence; the follow-up goes on."

    def perform(self) -> None:
        absences.dismiss_absence(self.cleaned_data["absence"], self.actor, self.now)


@register_action
class EndAbsence(NotedAbsenceAction):
    slug, label, icon = "end_absence", "They are back", "alarm"
    success_message = "The absence is over; the follow-up goes on."

    def perform(self) -> None:
        absences.end_absence(self.cleaned_data["absence"], self.actor, self.now)
