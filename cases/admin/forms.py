"""The forms in which a case is opened and its details are corrected (C1, C2, C5, D3)."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, cast

from django import forms
from django.contrib.admin.utils import flatten_fieldsets
from django.db.models import Q
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget

from cases.enums import Affected, Impact, Severity
from cases.forms import REAL_CHANNELS, bound_texts
from cases.guards import Refused
from cases.models import Case
from cases.policy.intake import DETAILS, Topic, details_on, suggested_severity
from cases.workflow import opening
from contacts.enums import Language
from contacts.models import Contact
from contacts.permissions import id_of

#: The choice of who opens a case to own it (C8).
TO_ME = "me"
TO_OPEN_ALL_THE_SAME = "To open it all the same (their help desk is down), give the reason."


# --- opening (C1 to C3, D3) -------------------------------------------------------------------------------------


def names_on(*topics: Topic) -> list[str]:
    """The form fields of the details on these topics."""
    return [detail.name for detail in details_on(*topics)]


def _lines(topic: Topic) -> list[Any]:
    """The form fields on a topic as lines of a fieldset: short ones in pairs, then each long text by itself."""
    short = [detail.name for detail in details_on(topic) if not detail.rows]
    long = [detail.name for detail in details_on(topic) if detail.rows]
    return [*(tuple(short[at : at + 2]) for at in range(0, len(short), 2)), *long]


#: In the order in which a call goes.
OPENING_PAGE: Any = (
    ("Who calls", {"fields": (("company", "contact"), ("opened_by_channel", "preferred_means"), "opened_despite")}),
    ("What happens", {"fields": names_on(Topic.ISSUE)}),
    ("Where", {"fields": _lines(Topic.PLACE)}),
    ("How bad it is", {"fields": (*_lines(Topic.EXTENT), "severity", "assign", "linked_to")}),
)


class OpeningForm(forms.ModelForm):  # type: ignore[type-arg]
    """What is asked when a case is opened (C1). Severity may be left to the suggestion (C2)."""

    assign = forms.ChoiceField(label="Assign", required=False, widget=UnfoldAdminSelectWidget())

    #: The contact whose case was refused because they are not their company's help desk (D3).
    turned_away: Contact | None = None

    class Meta:
        model = Case
        fields = flatten_fieldsets(OPENING_PAGE)

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
        assign = cast(forms.ChoiceField, self.fields["assign"])
        assign.choices = cache(lambda: [("", self._first_in_line()), (TO_ME, "Me: I keep it")])
        assign.help_text = "The desk chooses whoever speaks the customer's language, is on duty and has the least work."
        bound_texts(self.fields)

    def _first_in_line(self) -> str:
        """“The desk chooses (Priya Nair, 3 open)”; who it is depends on the language of the customer (C6)."""
        contact = Contact.objects.filter(pk=id_of(str(self["contact"].value() or "")) or 0)
        language = next((one.speaks for one in contact.select_related("company")), Language.ENGLISH)
        line = opening.first_in_line(language, timezone.now())
        return f"The desk chooses ({line[0]}, {line[1]} open)" if line else "The desk chooses"

    def clean(self) -> dict[str, Any]:
        """Fill in the suggested severity (C2) and refuse a caller for whom no case may be opened (C1, D3)."""
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        cleaned["severity"] = cleaned["severity"] or suggested_severity(cleaned["affected"], cleaned["impact"])
        contact = cleaned["contact"]
        try:
            opening.check_caller(cleaned["company"], contact, cleaned["opened_despite"])
            opening.check_linked(cleaned["company"], cleaned["linked_to"])
        except opening.TurnedAway as refused:
            self.turned_away = contact
            self.add_error("contact", refused.sentence)
            self.add_error("opened_despite", TO_OPEN_ALL_THE_SAME)
        except Refused as refused:
            self.add_error(refused.field, refused.sentence)
        return cleaned


def severity_suggestions() -> dict[str, Any]:
    """The server's suggestion as a table, for the page to show while somebody types (C2)."""
    return {
        "affected": {affected.value: suggested_severity(affected, "").value for affected in Affected},
        "impact": {impact.value: suggested_severity("", impact).value for impact in Impact},
        "labels": dict(Severity.choices),
        "neither": suggested_severity("", "").value,
    }


# --- details (C1, C5) -------------------------------------------------------------------------------------------

HOW_OPENED = ("opened_by_channel", "opened_by_display", "opened_despite", "external_reference")
DETAILS_PAGE = (
    (None, {"fields": (*names_on(Topic.CALLER, Topic.ISSUE, Topic.OUTCOME), "seen")}),
    ("Where and how far", {"fields": names_on(Topic.PLACE, Topic.EXTENT)}),
    ("How it was opened", {"fields": HOW_OPENED}),
)


def comparable(value: Any) -> Any:
    """A value as it can be compared: a browser turns line ends into CRLF and a form strips what surrounds a text."""
    if isinstance(value, str):
        return value.replace("\r\n", "\n").strip()
    return value.pk if hasattr(value, "pk") else value


class DetailsForm(forms.ModelForm):  # type: ignore[type-arg]
    """The details of a case, corrected by one person while others may do so too.

    `seen` is when the case had last changed as this reader saw it. Their changes are measured against the case of that
    moment, so that a field they left alone is never put back to what it was. After validation, `changes` holds the new
    values by field.
    """

    class Meta:
        model = Case
        fields = [detail.name for detail in DETAILS]

    seen = forms.CharField(required=False, widget=forms.HiddenInput())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.changes: dict[str, Any] = {}
        self.stored = _values_of(self.instance)
        self.stamp = self.instance.changed_at.isoformat()
        self.initial["seen"] = self.stamp
        bound_texts(self.fields)
        if "contact" in self.fields:
            contact = cast("forms.ModelChoiceField[Contact]", self.fields["contact"])
            there = Q(active=True) | Q(pk=self.instance.contact_id)
            contact.queryset = Contact.objects.filter(there, company=self.instance.company_id).select_related("company")
            contact.label_from_instance = lambda person: person.name  # type: ignore[method-assign, assignment]
            contact.error_messages["invalid_choice"] = (
                f"This contact does not work for {self.instance.company}; choose one of theirs."
            )

    def clean(self) -> dict[str, Any]:
        """Work out what this person changed, and refuse what somebody else changed as well (S4)."""
        cleaned = super().clean() or self.cleaned_data
        seen = self._values_seen(cleaned.get("seen", ""))
        for detail in DETAILS:
            value = cleaned.get(detail.name)
            left_alone_or_stored = (seen[detail.name], self.stored[detail.name])
            if detail.name not in cleaned or comparable(value) in left_alone_or_stored:
                continue
            self.changes[detail.name] = value.replace("\r\n", "\n") if isinstance(value, str) else value
            if self.stored[detail.name] != seen[detail.name]:
                self.add_error(detail.name, self._conflict(detail.name))
        if self.errors:
            # Whoever saves again has read the sentence, and has seen the case as it is now.
            self.data = {**self.data.dict(), "seen": self.stamp}  # type: ignore[attr-defined]
        return cleaned

    def _values_seen(self, stamp: str) -> dict[str, Any]:
        """The case as it was at the stamp of the page; as it is now when the stamp is none."""
        if not stamp or stamp == self.stamp:
            return self.stored
        try:
            at = forms.DateTimeField(required=False).to_python(stamp)
        except forms.ValidationError:
            return self.stored
        rows = self.instance.history.filter(history_date__lte=at).order_by("-history_date", "-history_id")
        row = rows.first()
        return _values_of(row) if row else self.stored

    def _conflict(self, name: str) -> str:
        last = self.instance.history.select_related("history_user").order_by("-history_date", "-history_id").first()
        who = last.history_user if last and last.history_user else "Somebody else"
        theirs = self.instance.contact.name if name == "contact" else self.stored[name]
        return (
            f"{who} changed this after you opened the page; it now says “{theirs}”. "
            "Yours is still here: save again to put it in place of theirs."
        )


def _values_of(row: Any) -> dict[str, Any]:
    """The details of a case, or of a row of its history, by field."""
    return {detail.name: comparable(getattr(row, detail.attname)) for detail in DETAILS}
