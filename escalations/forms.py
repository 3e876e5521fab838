"""How a support manager writes a draft of the schedule (E10): durations as text, roles as boxes to tick."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from escalations.durations import NotADuration, read_duration, said_duration
from escalations.models import MAILED_ROLES, SchedulePoint
from escalations.schedule import Audience

#: How the columns of a draft name the audiences; the full names are too wide for one row.
SHORT_AUDIENCE = {
    Audience.CUSTOMER: "Customer every",
    Audience.ACCOUNT_MANAGER: "AM every",
    Audience.CS_MANAGEMENT: "CS Mgmt every",
    Audience.COO: "COO every",
}


class DurationField(forms.Field):
    """A duration written as “4 h” or “2 d 12 h”; a timedelta, or None when left empty."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", UnfoldAdminTextInputWidget(attrs={"class": "desk-duration"}))
        super().__init__(**options)
        self.widget.attrs.setdefault("maxlength", "40")
        self.widget.attrs.setdefault("placeholder", "4 h")
        self.widget.attrs.setdefault("autocomplete", "off")

    def prepare_value(self, value: Any) -> Any:
        """What stands in the input: what was typed, or the stored duration in words."""
        return said_duration(value) if isinstance(value, timedelta) else value

    def to_python(self, value: Any) -> timedelta | None:
        """Read what was typed. Raises ValidationError with the sentence that says how to write it (S4)."""
        text = str(value or "").strip()
        if not text:
            return None
        try:
            return read_duration(text)
        except NotADuration as why:
            raise ValidationError(str(why)) from why

    def has_changed(self, initial: Any, data: Any) -> bool:
        """“90 min” instead of “1 h 30 min” is no change."""
        try:
            return self.to_python(data) != (initial or None)
        except ValidationError:
            return True


class PointForm(forms.ModelForm):
    """A row of the table of E1."""

    after = DurationField(label="unresolved for")
    mailed = forms.MultipleChoiceField(
        label="emailed",
        required=False,
        choices=[(role.value, role.label) for role in MAILED_ROLES],
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
    )
    every_customer = DurationField(label=SHORT_AUDIENCE[Audience.CUSTOMER], required=False)
    every_account_manager = DurationField(label=SHORT_AUDIENCE[Audience.ACCOUNT_MANAGER], required=False)
    every_cs_management = DurationField(label=SHORT_AUDIENCE[Audience.CS_MANAGEMENT], required=False)
    every_coo = DurationField(label=SHORT_AUDIENCE[Audience.COO], required=False)

    class Meta:
        model = SchedulePoint
        fields = ["severity", "number", "after", "mailed", "owner_action", "may_need_more"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for audience in Audience:
            field = self.fields[f"every_{audience.value}"]
            field.widget.attrs["placeholder"] = "never"
            minutes = self.instance.rhythm.get(audience.value)
            if minutes:
                self.initial[f"every_{audience.value}"] = timedelta(minutes=minutes)

    def clean_after(self) -> timedelta:
        """A point comes some time after the opening (E10)."""
        after: timedelta = self.cleaned_data["after"]
        if after <= timedelta(0):
            raise ValidationError("A point must come some time after the opening; give a time above zero.")
        return after

    def clean(self) -> dict[str, Any]:
        """Put the four intervals together as the rhythm of the point."""
        cleaned = super().clean() or self.cleaned_data
        rhythm = {}
        for audience in Audience:
            interval = cleaned.get(f"every_{audience.value}")
            if interval is None:
                continue
            if interval <= timedelta(0):
                self.add_error(f"every_{audience.value}", "Give an interval above zero, or leave it empty.")
            else:
                rhythm[audience.value] = int(interval.total_seconds() // 60)
        self.instance.rhythm = rhythm
        return cleaned
