"""How a support manager writes a draft of the schedule and moves cases to it (E10): durations as text, boxes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import F
from django.forms import BaseInlineFormSet
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from cases.enums import Severity
from contacts.wording import NotADuration, duration, read_duration
from escalations.enums import Audience
from escalations.models import MAILED_ROLES, ClockRule, SchedulePoint
from escalations.policy.schedule import SHORTEST_INTERVAL, schedule_problems
from escalations.schedule.rollout import Counts, Selection

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
        return duration(value) if isinstance(value, timedelta) else value

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


class NamedErrors(forms.ModelForm):
    """A row whose problems name it: “Critical 2, unresolved for: …” (S4)."""

    def row_name(self) -> str:
        """What people call the row, from what was typed."""
        raise NotImplementedError

    def add_error(self, field: str | None, error: Any) -> None:
        """Each sentence begins with the row and the field."""
        if field is None:
            super().add_error(None, error)
            return
        label = self.fields[field].label or field
        sentences = (error if isinstance(error, ValidationError) else ValidationError(error)).messages
        super().add_error(field, [f"{self.row_name()}, {label}: {sentence}" for sentence in sentences])


def _typed(form: forms.ModelForm, field: str) -> str:
    return str(form[field].value() or "")


class PointForm(NamedErrors):
    """A row of the table of E1."""

    after = DurationField(label="unresolved for", error_messages={"required": "give a time, like 4 h."})
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
        self.fields["number"].error_messages["required"] = "give its number: 1, 2, 3 as the times rise."
        for audience in Audience:
            field = self.fields[f"every_{audience.value}"]
            field.widget.attrs["placeholder"] = "never"
            minutes = self.instance.cadence.get(audience.value)
            if minutes:
                self.initial[f"every_{audience.value}"] = timedelta(minutes=minutes)

    def row_name(self) -> str:
        """“Critical 2”, or what is known of a row that is not filled in."""
        severity = _typed(self, "severity")
        label = Severity(severity).label if severity in {one.value for one in Severity} else "A point"
        return f"{label} {_typed(self, 'number')}".strip() if label != "A point" else label

    def clean_after(self) -> timedelta:
        """A point comes some time after the opening (E10)."""
        after: timedelta = self.cleaned_data["after"]
        if after <= timedelta(0):
            raise ValidationError("a point must come some time after the opening; give a time above zero.")
        return after

    def clean(self) -> dict[str, Any]:
        """Put the four intervals together as the rhythm of the point.

        Not `super().clean()`: it would look for each point alone whether its number is taken; the set judges them all.
        """
        cleaned = self.cleaned_data
        cadence = {}
        for audience in Audience:
            interval = cleaned.get(f"every_{audience.value}")
            if interval is None:
                continue
            if interval < SHORTEST_INTERVAL:
                shortest = duration(SHORTEST_INTERVAL)
                self.add_error(f"every_{audience.value}", f"give {shortest} or more, or leave it empty.")
            else:
                cadence[audience.value] = int(interval.total_seconds() // 60)
        self.instance.cadence = cadence
        return cleaned


class PointFormSet(BaseInlineFormSet):
    """The points of a draft, judged together (E10)."""

    def clean(self) -> None:
        """Numbers without a gap, rising times. Raises ValidationError with a sentence for each problem."""
        if any(self.errors):
            return
        kept = [form for form in self.forms if form.cleaned_data and form not in self.deleted_forms]
        points = [form.instance.as_point() for form in kept]
        problems = schedule_problems(points) if points else ["A schedule needs at least one point; add one."]
        if problems:
            raise ValidationError(problems)

    def save(self, commit: bool = True) -> Any:
        """Rows that change their numbers make room for one another first: a point stands once in a version."""
        moving = [
            form.instance.pk
            for form in self.initial_forms
            if form in self.deleted_forms or {"severity", "number"} & set(form.changed_data)
        ]
        if commit and moving:
            SchedulePoint.objects.filter(pk__in=moving).update(number=F("number") + OUT_OF_THE_WAY)
        return super().save(commit)


#: Beyond any number that a point is given.
OUT_OF_THE_WAY = 20_000


class ClockRuleForm(NamedErrors):
    """What holds for a severity as a whole (E2, T2, T3)."""

    base_interval = DurationField(
        label="customer updated every",
        help_text=ClockRule._meta.get_field("base_interval").help_text,
        error_messages={"required": "say how often the customer is updated before any point, like 4 h."},
    )

    class Meta:
        model = ClockRule
        fields = ["base_interval", "automatic_updates", "stands_still_while_waiting"]

    def row_name(self) -> str:
        """The severity."""
        return self.instance.get_severity_display() or "A severity"

    def clean_base_interval(self) -> timedelta:
        """Never shorter than the desk can keep (E10)."""
        interval: timedelta = self.cleaned_data["base_interval"]
        if interval < SHORTEST_INTERVAL:
            raise ValidationError(f"give {duration(SHORTEST_INTERVAL)} or more.")
        return interval


# --- moving open cases to another version -----------------------------------------------------------------------


class MoveSelectionForm(forms.Form):
    """Which open cases are to move; what is left empty chooses all."""

    severity = forms.MultipleChoiceField(label="Severity", required=False, widget=forms.CheckboxSelectMultiple)
    version = forms.TypedMultipleChoiceField(
        label="Present version", required=False, coerce=int, widget=forms.CheckboxSelectMultiple
    )
    company = forms.TypedChoiceField(
        label="Company", required=False, coerce=int, empty_value=None, widget=UnfoldAdminSelectWidget
    )

    def __init__(self, counts: Counts, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.counts = counts
        self._offer(
            severity=[(one.value, f"{one.label} ({cases})") for one, cases in counts.by_severity.items()],
            version=[(str(one), f"Version {one} ({cases})") for one, cases in counts.by_version.items()],
            company=[
                ("", f"Every company ({counts.total})"),
                *((str(one.pk), f"{one} ({cases})") for one, cases in counts.by_company.items()),
            ],
        )

    def _offer(self, **choices: list[tuple[str, str]]) -> None:
        for name, offered in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = offered
            field.error_messages["invalid_choice"] = "No open case to move fits this any more; choose again."

    def selection(self) -> Selection:
        """What was chosen."""
        chosen = self.cleaned_data
        return Selection(tuple(chosen["severity"]), tuple(chosen["version"]), chosen["company"])

    def said(self) -> str:
        """What was chosen, in words."""
        selection = self.selection()
        company = next((str(one) for one in self.counts.by_company if one.pk == selection.company), "")
        parts = [
            ", ".join(Severity(one).label for one in selection.severities),
            f"on version {', '.join(map(str, selection.versions))}" if selection.versions else "",
            f"of {company}" if company else "",
        ]
        return "; ".join(filter(None, parts)) or "all open cases on other versions"


class MoveConfirmForm(forms.Form):
    """Why the cases are moved, and what was shown of them."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False, strip=False)
    reason = forms.CharField(
        label="Reason",
        max_length=200,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text="Stands in the history of each case.",
        error_messages={"required": "Say why the cases are moved."},
    )
    leave_changed = forms.BooleanField(
        label="If a case changes meanwhile, leave it as it is and move the others",
        required=False,
        widget=UnfoldBooleanWidget,
        help_text="Those left as they are will be named.",
    )

    def confirming(self, seen: str) -> MoveConfirmForm:
        """The same form, with all that was typed, for what is shown now."""
        self.initial["seen"] = seen
        if self.is_bound:
            self.data = {**dict(self.data.items()), "seen": seen}
        return self
