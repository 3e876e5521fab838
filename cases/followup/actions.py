"""The buttons about a customer's absences: note one, confirm or dismiss it, and end it early (F5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from django import forms
from django.db.models import Q

from cases.actions import CaseAction, RowField, register_action
from cases.enums import AbsenceState
from cases.followup import absences
from cases.forms import day_field, text_area
from cases.models import Absence, Case
from cases.policy.followup.absences import OPEN_ABSENCES
from contacts.enums import Right


class AbsenceAction(CaseAction):
    """An action beside the absences of an open case."""

    right = Right.WORK_CASES
    in_composer = False

    def offered(self) -> bool:
        return self.case.is_open


@register_action
class NoteAbsence(AbsenceAction):
    slug, label, icon = "note_absence", "Note an absence", "beach_access"
    in_composer = True
    hint = "Neither an answer nor an attempt: the follow-up sleeps until they are back."

    note = forms.CharField(
        label="Their note",
        required=False,
        widget=text_area(7, placeholder="Paste the automatic reply"),
        help_text="The dates are read from it, in eight languages, and count at once; you confirm or correct them.",
    )
    away_from = day_field("First day away")
    back_on = day_field(
        "First day back", "If you know the days, they are taken as they are. Days are the customer's own."
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


class AbsenceField(RowField):
    """An absence that was noted on the case, or of its contact."""

    def of(self, case: Case) -> Q:
        return Q(case=case) | Q(contact=case.contact_id)


class NotedAbsenceAction(AbsenceAction):
    """An action on one absence of the case; the days count where they are corrected."""

    absence = AbsenceField(
        Absence.objects.all(), "Say which absence is meant.", "This absence does not belong to the case or its contact"
    )
    away_from = day_field("First day away")
    back_on = day_field("First day back")

    def prepare(self) -> None:
        """Be about the absence that has to be settled first, unless the address names another one."""
        self.initial["absence"] = self._first_open

    def _first_open(self) -> Absence | None:
        rows = cast(RowField, self.fields["absence"]).rows.filter(state__in=OPEN_ABSENCES)
        return rows.filter(contact=self.case.contact_id).order_by("noted_at").first()

    def prefill(self, asked: Mapping[str, str]) -> None:
        """With the dates that were read."""
        super().prefill(asked)
        absence = self._first_open()
        if absence is not None and str(absence.pk) == asked.get("absence", str(absence.pk)):
            self.initial.update(away_from=absence.away_from, back_on=absence.back_on)

    def clean_absence(self) -> Absence | int:
        """The absence with the case that is locked; the key of one that was noted on another case of this person."""
        absence: Absence = self.cleaned_data["absence"]
        return absence if absence.case_id == self.case.pk else absence.pk


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
