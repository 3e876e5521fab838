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
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from cases.enums import Severity
from contacts.enums import Role
from contacts.wording import MINUTE, NotADuration, duration, read_duration
from escalations.enums import Audience, OwnerAction
from escalations.models import MAILED_ROLES, ClockRule, SchedulePoint, ScheduleVersion
from escalations.policy.schedule import SHORTEST_INTERVAL, PointProblem, cadence_minutes, find_problems
from escalations.schedule.rollout import Counts, Selection
from escalations.schedule.versions import changed_sentence, draft_key

#: How the guide's own table names the roles (E1).
SHORT_ROLE = {
    Role.ACCOUNT_MANAGER: "Account manager",
    Role.CSM: "CSM",
    Role.CS_DIRECTOR: "CS Director",
    Role.COO: "COO",
    Role.SUPPORT_MANAGER: "Support manager",
}
#: The same where five of them share a cell.
NARROW_ROLE = SHORT_ROLE | {Role.ACCOUNT_MANAGER: "AM"}
#: No severity has more points.
LAST_NUMBER = 99
NUMBER_IT = "give its number: 1, 2, 3 as the times rise."


class DurationField(forms.Field):
    """A duration written as “4 h” or “2 d 12 h”; a timedelta, or None when left empty."""

    def __init__(self, *, placeholder: str = "4 h", **options: Any) -> None:
        attrs = {"class": "esc-input", "maxlength": "40", "placeholder": placeholder, "autocomplete": "off"}
        super().__init__(widget=forms.TextInput(attrs), **options)

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


class VersionForm(forms.ModelForm):  # type: ignore[type-arg]
    """The note of a draft, and the key of what was saved of it when the page was made (`seen`)."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = ScheduleVersion
        fields = ["note"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.changed_meanwhile = False
        if self.instance.pk:
            self.initial["seen"] = draft_key(self.instance)

    def clean(self) -> dict[str, Any]:
        """Refuse, once, what was typed on a page that somebody else's save has overtaken."""
        seen, saved = self.cleaned_data.get("seen", ""), draft_key(self.instance)
        if seen != saved:
            self.changed_meanwhile = True
            self.data = {**dict(self.data.items()), "seen": saved}
            raise ValidationError(changed_sentence(self.instance, seen))
        return self.cleaned_data


class NamedErrors(forms.ModelForm):  # type: ignore[type-arg]
    """A row whose problems name it: “Critical 2, unresolved for: …” (S4).

    `beside` has the same sentences by field without the name, for the cell.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.beside: dict[str, list[str]] = {}

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
        self.beside.setdefault(field, []).extend(sentences)
        super().add_error(field, [f"{self.row_name()}, {label}: {sentence}" for sentence in sentences])

    def cell(self, field: str) -> dict[str, Any]:
        """A field as a cell of the table shows it: named for screen readers, its problems beside it."""
        bound, sentences = self[field], self.beside.get(field, [])
        described: dict[str, str | bool] = {}
        if sentences:
            described = {"aria-invalid": "true", "aria-describedby": f"{bound.auto_id}_error"}
        return {
            "bound": bound,
            "row": self.row_name(),
            "sentences": sentences,
            "input": bound.as_widget(attrs=described),
        }


def _typed(form: forms.ModelForm[Any], field: str) -> str:
    return str(form[field].value() or "")


class PointForm(NamedErrors):
    """A row of the table of E1."""

    severity = forms.ChoiceField(
        choices=[("", "–"), *Severity.choices],
        widget=forms.Select({"class": "esc-input"}),
        error_messages={"required": "choose a severity."},
    )
    number = forms.IntegerField(
        label="point",
        min_value=1,
        max_value=LAST_NUMBER,
        widget=forms.NumberInput({"class": "esc-input"}),
        error_messages={"required": NUMBER_IT, "invalid": NUMBER_IT, "min_value": NUMBER_IT, "max_value": NUMBER_IT},
    )
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
        choices=[(role.value, NARROW_ROLE[role]) for role in MAILED_ROLES],
        widget=forms.CheckboxSelectMultiple,
    )
    owner_action = forms.ChoiceField(
        label="owner",
        choices=[(OwnerAction.ASKED.value, "Asked"), (OwnerAction.TO_L3.value, "To L3")],
        initial=OwnerAction.ASKED.value,
        widget=forms.Select({"class": "esc-input"}),
    )
    # The full names of the audiences are too wide for one row.
    every_customer = interval_field("Customer every")
    every_account_manager = interval_field("AM every")
    every_cs_management = interval_field("CS Mgmt every")
    every_coo = interval_field("COO every")
    may_need_more = forms.BooleanField(label="additional escalation where appropriate", required=False)

    class Meta:
        model = SchedulePoint
        fields = ["severity", "number", "after", "mailed", "owner_action", "may_need_more"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for audience in Audience:
            minutes = self.instance.cadence.get(audience.value)
            if minutes:
                self.initial[f"every_{audience.value}"] = timedelta(minutes=minutes)

    def row_name(self) -> str:
        severity = _typed(self, "severity")
        if severity not in Severity:
            return "New point"
        return f"{Severity(severity).label} {_typed(self, 'number')}".strip()

    def cells(self) -> dict[str, dict[str, Any]]:
        return {name: self.cell(name) for name in self.fields if name not in NOT_CELLS}

    def clean(self) -> dict[str, Any]:
        """Collect the four intervals as the cadence of the point.

        Does not call `super().clean()`, which would check each number against the database; the formset checks all.
        """
        intervals = {audience: self.cleaned_data.get(f"every_{audience.value}") for audience in Audience}
        self.instance.cadence = cadence_minutes({who: every for who, every in intervals.items() if every is not None})
        return self.cleaned_data


#: Fields of a row that the formset adds.
NOT_CELLS = ("id", "version", "DELETE")


class PointFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    """The points of a draft, validated together (E10).

    What is saved is what stands on the page: a row that somebody removed meanwhile is made again, and one that they
    added is removed. `VersionForm` has told whoever saves of it.
    """

    def add_fields(self, form: forms.ModelForm[Any], index: int | None) -> None:
        super().add_fields(form, index)
        if self.is_bound and index is not None and index < self.initial_form_count() and _is_gone(form):
            form.fields["id"] = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean(self) -> None:
        """Raise ValidationError with a sentence for each problem, such as a gap in the numbers or a falling time."""
        if any(self.errors):
            return
        kept = [form for form in self.forms if form.cleaned_data and form not in self.deleted_forms]
        points = [form.instance.as_point() for form in kept]
        problems = find_problems(points) if points else [PointProblem("A schedule needs at least one point; add one.")]
        for form, point in zip(kept, points, strict=True):
            for problem in problems:
                if point in problem.points:
                    cast(PointForm, form).beside.setdefault(problem.field, []).append(problem.sentence)
        if problems:
            raise ValidationError([problem.sentence for problem in problems])

    def save(self, commit: bool = True) -> Any:
        """Move rows that swap numbers out of the way first, as a number is unique within a version and severity."""
        moving = [
            form.instance.pk
            for form in self.initial_forms
            if form in self.deleted_forms or {"severity", "number"} & set(form.changed_data)
        ]
        if commit:
            rows = SchedulePoint.objects.filter(version=self.instance)
            rows.exclude(pk__in=[form.instance.pk for form in self.initial_forms if not _is_gone(form)]).delete()
            rows.filter(pk__in=moving).update(number=F("number") + OUT_OF_THE_WAY)
        saved = super().save(commit)
        again = [form for form in self.initial_forms if _is_gone(form) and form not in self.deleted_forms]
        self.new_objects += [self.save_new(form, commit) for form in again]
        return saved


def _is_gone(form: forms.BaseForm) -> bool:
    """Whether the row that was shown is not there any more."""
    return cast(PointForm, form).instance.pk is None


#: Added to the number of a row that is renumbered; beyond any number in use.
OUT_OF_THE_WAY = 20_000


class ClockRuleForm(NamedErrors):
    """The rules of a severity as a whole (E2, T2, T3)."""

    base_interval = DurationField(
        label="customer updated every",
        error_messages={"required": "say how often the customer is updated before any point, like 4 h."},
        validators=[MinValueValidator(SHORTEST_INTERVAL, f"give {duration(SHORTEST_INTERVAL)} or more.")],
    )
    automatic_updates = forms.BooleanField(label="the desk updates by itself", required=False)
    stands_still_while_waiting = forms.BooleanField(label="the clock stands still while we wait", required=False)

    class Meta:
        model = ClockRule
        fields = ["base_interval", "automatic_updates", "stands_still_while_waiting"]

    def row_name(self) -> str:
        return self.instance.get_severity_display() or "A severity"

    def cells(self) -> dict[str, dict[str, Any]]:
        return {name: self.cell(name) for name in self.fields if name not in NOT_CELLS}


# --- putting a draft in force -----------------------------------------------------------------------------------


class PutInForceForm(forms.Form):
    """Why a draft is put in force, and the key of the review that was shown (`seen`)."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    reason = forms.CharField(
        label="Reason",
        max_length=200,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text="Stands with your name on the page of the version and in the list of versions.",
        error_messages={"required": "Say why the version is put in force."},
    )

    def confirming(self, seen: str) -> PutInForceForm:
        """The same form with everything typed, for the review that is shown now."""
        self.initial["seen"] = seen
        if self.is_bound:
            self.data = {**dict(self.data.items()), "seen": seen}
        return self


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
