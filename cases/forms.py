"""Fields and widgets that the forms of a case share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from cases.enums import Channel
from cases.files import scanner
from cases.guards import LONGEST_TEXT, too_long
from cases.policy.file_types import clean_name
from contacts.models import Contact

#: How a customer reaches somebody here or is reached, who logs it: no note, nor what they write on the support page.
REAL_CHANNELS = [(channel.value, channel.label) for channel in Channel if channel not in (Channel.NOTE, Channel.PAGE)]
A_DAY = "Write a day, such as 2026-06-15."
A_MOMENT = "Write a day and a time, such as 2026-06-15 09:30."
NO_SUCH_TIME = "The clocks were put forward then: there was no such time on that day."


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


class MomentField(forms.Field):
    """When a contact was, in the zone of the page; None, if nothing is typed, stands for now.

    A time that came twice, as the clocks were put back, is taken as the earlier one.
    """

    def __init__(self, label: str = "When, if not now", help_text: str = "") -> None:
        classes = " ".join(UnfoldAdminTextInputWidget().attrs["class"].split())
        widget = forms.DateTimeInput(attrs={"type": "datetime-local", "class": classes}, format="%Y-%m-%dT%H:%M")
        super().__init__(label=label, required=False, help_text=help_text, widget=widget)

    def to_python(self, value: Any) -> datetime | None:
        """The moment in UTC. Raises ValidationError for what is no time."""
        text = str(value or "").strip()
        if not text:
            return None
        try:
            moment = parse_datetime(text)
        except ValueError:
            moment = None
        if moment is None:
            raise ValidationError(A_MOMENT)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
        zone = timezone.get_current_timezone()
        in_utc = moment.replace(tzinfo=zone).astimezone(UTC)
        if in_utc.astimezone(zone).replace(tzinfo=None) != moment:
            raise ValidationError(NO_SUCH_TIME)
        return in_utc


class PersonField(forms.ChoiceField):
    """Somebody of the customer's company, out of those that the form offers; None, if nobody is chosen."""

    people: dict[str, Contact]

    def __init__(self, label: str) -> None:
        widget = UnfoldAdminSelectWidget()
        sentences = {"invalid_choice": "This person is not there any more; choose somebody else."}
        super().__init__(label=label, required=False, widget=widget, error_messages=sentences)
        self.people = {}

    def offer(self, people: Sequence[Contact], chosen: Contact) -> None:
        """Offer these people; `chosen` is proposed."""
        self.people = {str(person.pk): person for person in people}
        self.choices = [(key, _person_label(person)) for key, person in self.people.items()]
        self.initial = str(chosen.pk)

    def clean(self, value: Any) -> Contact | None:
        """The person. Raises ValidationError for anybody who is not offered."""
        return self.people.get(super().clean(value))


class CopiesField(forms.MultipleChoiceField):
    """Others of the customer's help desk who get a copy of a mail (C3); nobody, if nobody is ticked."""

    people: dict[str, Contact]

    def __init__(self, label: str = "A copy to") -> None:
        sentences = {"invalid_choice": "Somebody whom you ticked is not there any more; look whom you tick now."}
        super().__init__(
            label=label,
            required=False,
            widget=forms.CheckboxSelectMultiple(attrs={"class": "desk-copies-to"}),
            error_messages=sentences,
        )
        self.people = {}

    def offer(self, people: Sequence[Contact]) -> None:
        """Offer these people."""
        self.people = {str(person.pk): person for person in people}
        self.choices = [(key, person.name) for key, person in self.people.items()]

    def clean(self, value: Any) -> list[Contact]:
        """The people. Raises ValidationError for anybody who is not offered."""
        return [self.people[key] for key in super().clean(value)]


class FilesInput(forms.FileInput):
    """Several files at once; a script says before they are sent if they are too many or too large."""

    allow_multiple_selected = True

    def __init__(self) -> None:
        super().__init__(attrs={"multiple": True, "class": "desk-files"})

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """The limits stand in the field, for the script."""
        limits = {
            "most": settings.DESK_MOST_FILES,
            "each": settings.DESK_LARGEST_FILE,
            "together": settings.DESK_LARGEST_FILES,
        }
        return super().get_context(name, value, {**(attrs or {}), "data-desk-files": json.dumps(limits)})


class FilesField(forms.FileField):
    """Files that may be left out. Which are taken in is for the change itself to say (S4); the virus scanner is asked
    here, because the change holds the case.
    """

    def __init__(self, help_text: str = "") -> None:
        super().__init__(label="Files", required=False, widget=FilesInput(), help_text=help_text)

    def clean(self, data: Any, initial: Any = None) -> list[File[Any]]:
        """The files, as they came. Raises ValidationError, a sentence for each that the scanner refuses."""
        files = [file for file in data or [] if file is not None]
        refused = [f"“{clean_name(file.name or '')}” {why}." for file in files if (why := scanner.why_not(file))]
        if refused:
            raise forms.ValidationError(refused)
        return files


def _person_label(person: Contact) -> str:
    """“Ann Lee”, or that they are not the help desk, whose word is the customer's (C3)."""
    return person.name if person.is_help_desk else f"{person.name} (not the help desk)"


def text_field(label: str = "Why", rows: int = 3, help_text: str = "", required: bool = True) -> forms.CharField:
    """A text of several lines. If it is required, the change itself refuses an empty one with its own sentence (S4)."""
    attrs = {"required": True} if required else {}
    return forms.CharField(label=label, required=False, help_text=help_text, widget=text_area(rows, **attrs))


def tick_field(label: str, ticked: bool = False, help_text: str = "", **attrs: str) -> forms.BooleanField:
    widget = UnfoldBooleanWidget(attrs=attrs)
    return forms.BooleanField(label=label, required=False, initial=ticked, help_text=help_text, widget=widget)
