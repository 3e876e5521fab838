"""What a person presses about a message that waits in triage: one form for every decision (M5, A2)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms

from cases.enums import TriageDecision
from cases.guards import LONGEST_TEXT
from cases.inbox.triage import decide
from cases.models import Case, ReceivedMail
from contacts.models import Contact, User


class DecisionForm(forms.Form):
    """A decision, and what it is about: a case, or a contact; for whoever is not the help desk the reason (D3)."""

    decision = forms.TypedChoiceField(
        choices=TriageDecision.choices, coerce=TriageDecision, error_messages={"invalid_choice": "Choose what to do."}
    )
    case = forms.ModelChoiceField(
        Case.objects.none(),
        required=False,
        error_messages={"invalid_choice": "There is no such case that you may read; choose another one."},
    )
    contact = forms.ModelChoiceField(
        Contact.objects.none(),
        required=False,
        error_messages={"invalid_choice": "There is no such contact; choose another one."},
    )
    despite = forms.CharField(required=False, max_length=LONGEST_TEXT)

    def __init__(self, actor: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        for name, rows in (
            ("case", Case.objects.visible_to(actor)),
            ("contact", Contact.objects.visible_to(actor).select_related("company")),
        ):
            field: Any = self.fields[name]
            field.queryset = rows

    def carry_out(self, mail_id: int, now: datetime) -> ReceivedMail:
        """Write the decision of a valid form down. Raises as `decide`."""
        answers = self.cleaned_data
        return decide(
            mail_id,
            answers["decision"],
            self.actor,
            now,
            case=answers["case"],
            contact=answers["contact"],
            despite=answers["despite"],
        )

    @property
    def first_sentence(self) -> str:
        """What is wrong with it, in one sentence (S4)."""
        return next((str(sentence) for sentences in self.errors.values() for sentence in sentences), "")
