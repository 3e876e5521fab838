"""The forms of a draft of the schedule, and of moving cases to a version (E10)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db.models import F
from django.forms import BaseInlineFormSet
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from cases.enums import Severity
from contacts.wording import MINUTE, NotADuration, duration, read_duration
from escalations.enums import Audience
from escalations.models import MAILED_ROLES, ClockRule, SchedulePoint
from escalations.policy.schedule import SHORTEST_INTERVAL, cadence_minutes, schedule_problems
from escalations.schedule.rollout import Counts, Selection


class DurationField(forms.Field):
    """A duration written as “4 h” or “2 d 12 h”; a timedelta, or None when left empty."""

    def __init__(self, *, placeholder: str = "4 h", **options: Any) -> None:
        attrs = {"class": "desk-duration", "maxlength": "40", "placeholder": placeholder, "autocomplete": "off"}
        super().__init__(widget=UnfoldAdminTextInputWidget(attrs=attrs), **options)

    def prepare_value(self, value: Any) -> Any:
        return duration(value) if isinstance(value, timedelta) else value

    def to_python(self, value: Any) -> timedelta | None:
        """Raise ValidationError with a sentence that shows how to write a duration (S4)."""
        text = str(value or "").strip()
        if not text:
            return None
        try:
            return read_duration(text)
        except NotADuration as error:
            raise ValidationError(str(error)) from error

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare durations, not spellings: “90 min” equals “1 h 30 min”."""
        try:
            return self.to_python(data) != (initial or None)
        except ValidationError:
            return True


def interval_field(label: str) -> DurationField:
    """How often an audience gets updates; empty for never."""
    shortest = f"give {duration(SHORTEST_INTERVAL)} or more, or leave it empty."
    validators = [MinValueValidator(SHORTEST_INTERVAL, shortest)]
    return DurationField(label=label, required=False, placeholder="never", validators=validators)


class NamedErrors(forms.ModelForm):  # type: ignore[type-arg]
    """A row whose problems name it: “Critical 2, unresolved for: …” (S4)."""

    def row_name(self) -> str:
        """The row's name, from what was typed."""
        raise NotImplementedError

    def add_error(self, field: str | None, error: Any) -> None:
        """Prefix each sentence with the row and the label of the field."""
        if field is None:
            super().add_error(None, error)
            return
        label = self.fields[field].label or field
        sentences = (error if isinstance(error, ValidationError) else ValidationError(error)).messages
        super().add_error(field, [f"{self.row_name()}, {label}: {sentence}" for sentence in sentences])


def _typed(form: forms.ModelForm[Any], field: str) -> str:
    return str(form[field].value() or "")


class PointForm(NamedErrors):
    """A row of the table of E1."""

    after = DurationField(
        label="unresolved for",
        error_messages={"required": "give a time, like 4 h."},
        validators=[
            MinValueValidator(MINUTE, "a point must come some time after the opening; give a time above zero.")
        ],
    )
    mailed = forms.MultipleChoiceField(
        label="emailed",
        required=False,
        choices=[(role.value, role.label) for role in MAILED_ROLES],
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
    )
    # The full names of the audiences are too wide for one row.
    every_customer = interval_field("Customer every")
    every_account_manager = interval_field("AM every")
    every_cs_management = interval_field("CS Mgmt every")
    every_coo = interval_field("COO every")

    class Meta:
        model = SchedulePoint
        fields = ["severity", "number", "after", "mailed", "owner_action", "may_need_more"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["number"].error_messages["required"] = "give its number: 1, 2, 3 as the times rise."
        for audience in Audience:
            minutes = self.instance.cadence.get(audience.value)
            if minutes:
                self.initial[f"every_{audience.value}"] = timedelta(minutes=minutes)

    def row_name(self) -> str:
        severity = _typed(self, "severity")
        if severity not in Severity:
            return "A point"
        return f"{Severity(severity).label} {_typed(self, 'number')}".strip()

    def clean(self) -> dict[str, Any]:
        """Collect the four intervals as the cadence of the point.

        Does not call `super().clean()`, which would check each number against the database; the formset checks all.
        """
        intervals = {audience: self.cleaned_data.get(f"every_{audience.value}") for audience in Audience}
        self.instance.cadence = cadence_minutes({who: every for who, every in intervals.items() if every is not None})
        return self.cleaned_data


class PointFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    """The points of a draft, validated together (E10)."""

    def clean(self) -> None:
        """Raise ValidationError with a sentence for each problem, such as a gap in the numbers or a falling time."""
        if any(self.errors):
            return
        kept = [form for form in self.forms if form.cleaned_data and form not in self.deleted_forms]
        points = [form.instance.as_point() for form in kept]
        problems = schedule_problems(points) if points else ["A schedule needs at least one point; add one."]
        if problems:
            raise ValidationError(problems)

    def save(self, commit: bool = True) -> Any:
        """Move rows that swap numbers out of the way first, as a number is unique within a version and severity."""
        moving = [
            form.instance.pk
            for form in self.initial_forms
            if form in self.deleted_forms or {"severity", "number"} & set(form.changed_data)
        ]
        if commit and moving:
            SchedulePoint.objects.filter(pk__in=moving).update(number=F("number") + OUT_OF_THE_WAY)
        return super().save(commit)


#: Added to the number of a row that is renumbered; beyond any number in use.
OUT_OF_THE_WAY = 20_000


class ClockRuleForm(NamedErrors):
    """The rules of a severity as a whole (E2, T2, T3)."""

    base_interval = DurationField(
        label="customer updated every",
        help_text=ClockRule._meta.get_field("base_interval").help_text,
        error_messages={"required": "say how often the customer is updated before any point, like 4 h."},
        validators=[MinValueValidator(SHORTEST_INTERVAL, f"give {duration(SHORTEST_INTERVAL)} or more.")],
    )

    class Meta:
        model = ClockRule
        fields = ["base_interval", "automatic_updates", "stands_still_while_waiting"]

    def row_name(self) -> str:
        return self.instance.get_severity_display() or "A severity"


# --- moving open cases to another version -----------------------------------------------------------------------


class MoveSelectionForm(forms.Form):
    """Which open cases to move; a field left empty selects all."""

    severity = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    version = forms.TypedMultipleChoiceField(required=False, coerce=int, widget=forms.CheckboxSelectMultiple)
    company = forms.TypedChoiceField(required=False, coerce=int, empty_value=None, widget=UnfoldAdminSelectWidget)

    def __init__(self, counts: Counts, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.counts = counts
        choices = {
            "severity": [(severity.value, f"{severity.label} ({n})") for severity, n in counts.by_severity.items()],
            "version": [(str(number), f"Version {number} ({n})") for number, n in counts.by_version.items()],
            "company": [
                ("", f"Every company ({counts.total})"),
                *((str(company.pk), f"{company} ({n})") for company, n in counts.by_company.items()),
            ],
        }
        for name, options in choices.items():
            field = cast(forms.ChoiceField, self.fields[name])
            field.choices = options
            field.error_messages["invalid_choice"] = "No open case to move fits this any more; choose again."

    def selection(self) -> Selection:
        chosen = self.cleaned_data
        return Selection(tuple(chosen["severity"]), tuple(chosen["version"]), chosen["company"])

    def text(self) -> str:
        """“Critical; on version 2; of Acme”."""
        selection = self.selection()
        company = next((str(row) for row in self.counts.by_company if row.pk == selection.company), "")
        parts = [
            ", ".join(Severity(value).label for value in selection.severities),
            f"on version {', '.join(map(str, selection.versions))}" if selection.versions else "",
            f"of {company}" if company else "",
        ]
        return "; ".join(filter(None, parts)) or "all open cases on other versions"


class MoveConfirmForm(forms.Form):
    """Why the cases are moved, and the signed previews that were shown (`seen`)."""

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
        """The same form with everything typed, for the previews that are shown now."""
        self.initial["seen"] = seen
        if self.is_bound:
            self.data = {**dict(self.data.items()), "seen": seen}
        return self
