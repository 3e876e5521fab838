"""The forms of the support page (P3, P4). Every sentence is in the reader's language (P7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext, gettext_lazy

from cases.enums import Affected, Impact
from cases.files.apply import sort_files
from cases.guards import LONGEST_TEXT
from cases.models import Case
from contacts.enums import MeansOfContact
from contacts.models import Contact

TOO_LONG = gettext_lazy("This is too long. Write at most %(limit_value)s characters, and send the rest as a file.")


def words_field(label: Any, required: Any, rows: int = 5, help_text: Any = "") -> forms.CharField:
    """A text of several lines; `required` is the sentence for an empty one."""
    return forms.CharField(
        label=label,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": rows}),
        error_messages={"required": required},
        validators=[MaxLengthValidator(LONGEST_TEXT, TOO_LONG)],
    )


class SeveralFiles(forms.ClearableFileInput):
    """An input that takes several files at once."""

    allow_multiple_selected = True
    template_name = "django/forms/widgets/input.html"

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return files.getlist(name) if hasattr(files, "getlist") else files.get(name) or []


class FilesToSend(forms.Field):
    """Files that go with a message; each that is not taken is named."""

    widget = SeveralFiles

    def __init__(self) -> None:
        super().__init__(label=gettext_lazy("Files"), required=False)

    def clean(self, value: Any) -> list[Any]:
        """The files. Raises ValidationError, one sentence for each that cannot be kept."""
        files = list(value or [])
        sorted_files = sort_files(files)
        if len(sorted_files.kept) == len(files):
            return files
        kept = {id(file) for file in sorted_files.kept}
        names = [file.name for file in files if id(file) not in kept]
        raise forms.ValidationError(
            gettext(
                "We cannot take %(names)s. At most %(most)s files go together, each of at most %(megabytes)s MB, "
                "and no programs."
            )
            % {
                "names": ", ".join(names),
                "most": settings.DESK_MOST_FILES,
                "megabytes": settings.DESK_LARGEST_FILE // 1_000_000,
            }
        )


class OnceForm(forms.Form):
    """A form that acts once, however often it is sent: `once` is drawn when the page is made."""

    once = forms.CharField(max_length=40, widget=forms.HiddenInput())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.auto_id = f"{type(self).__name__.lower()}_%s"  # several stand on one page


class AnswerForm(OnceForm):
    words = words_field(gettext_lazy("Your message"), gettext_lazy("Write what you want to tell us."))
    attachments = FilesToSend()


class SolvedForm(OnceForm):
    words = forms.CharField(
        label=gettext_lazy("Anything to add"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        validators=[MaxLengthValidator(LONGEST_TEXT, TOO_LONG)],
    )


class NotBeforeForm(OnceForm):
    day = forms.DateField(
        label=gettext_lazy("We cannot look at this before"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": gettext_lazy("Choose a day."),
            "invalid": gettext_lazy("Write a day, such as 2026-06-15."),
        },
    )
    words = forms.CharField(label=gettext_lazy("Why, if you like"), required=False, max_length=1000)


class EscalateForm(OnceForm):
    impact = words_field(
        gettext_lazy("What it means for your business"), gettext_lazy("Say what it means for your business."), 3
    )
    reason = words_field(
        gettext_lazy("Why it cannot wait"), gettext_lazy("Say why this has to go faster than it does."), 3
    )


class OpenCaseForm(OnceForm):
    """What a case should say (C1), with help beside each question."""

    title = forms.CharField(
        label=gettext_lazy("What is it about?"),
        max_length=Case._meta.get_field("title").max_length,
        help_text=gettext_lazy("One line, as you would say it on the phone."),
        error_messages={"required": gettext_lazy("Say in one line what it is about.")},
    )
    description = words_field(
        gettext_lazy("What happens?"),
        gettext_lazy("Describe what happens."),
        7,
        gettext_lazy(
            "What did you do, what did you expect, and what happened instead? Since when, and what have you tried? "
            "Copy error messages as they are."
        ),
    )
    affected = forms.ChoiceField(
        label=gettext_lazy("Who is affected?"),
        required=False,
        help_text=gettext_lazy("From this and the next answer we reckon how severe it is; a specialist decides."),
    )
    impact = forms.ChoiceField(label=gettext_lazy("How hard does it hit your business?"), required=False)
    several_devices = forms.TypedChoiceField(
        label=gettext_lazy("One device or several?"),
        required=False,
        coerce=lambda answer: answer == "several",
        empty_value=None,
    )
    affected_user = forms.CharField(
        label=gettext_lazy("Username or device name"),
        required=False,
        max_length=Case._meta.get_field("affected_user").max_length,
        help_text=gettext_lazy("Of whom it happens to, or of one of them."),
    )
    device = forms.CharField(
        label=gettext_lazy("Device"),
        required=False,
        max_length=Case._meta.get_field("device").max_length,
        help_text=gettext_lazy("Maker and model."),
    )
    operating_system = forms.CharField(
        label=gettext_lazy("Operating system"),
        required=False,
        max_length=Case._meta.get_field("operating_system").max_length,
        help_text=gettext_lazy("With its version."),
    )
    system_information = forms.CharField(
        label=gettext_lazy("What else we should know of the system"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Versions of software, what was changed lately."),
        validators=[MaxLengthValidator(LONGEST_TEXT, TOO_LONG)],
    )
    preferred_means = forms.ChoiceField(label=gettext_lazy("How do you prefer to be reached?"), required=False)
    attachments = FilesToSend()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        unknown = ("", gettext("I do not know"))
        self._offer("affected", [unknown, *_in_language(Affected.choices)])
        self._offer("impact", [unknown, *_in_language(Impact.choices)])
        self._offer("several_devices", [unknown, ("one", gettext("One")), ("several", gettext("Several"))])
        as_usual = ("", gettext("As usual"))
        self._offer("preferred_means", [as_usual, *_in_language(MeansOfContact.choices)])

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    @property
    def answers(self) -> dict[str, Any]:
        """What the new case says."""
        return {name: value for name, value in self.cleaned_data.items() if name not in ("attachments", "once")}


class FilterForm(forms.Form):
    """What somebody looks for among their cases (P5); what makes no sense is left out."""

    q = forms.CharField(label=gettext_lazy("Search"), required=False, max_length=200)
    state = forms.ChoiceField(label=gettext_lazy("Which"), required=False)
    contact = forms.ModelChoiceField(label=gettext_lazy("Whose"), queryset=Contact.objects.none(), required=False)
    since = forms.DateField(label=gettext_lazy("Opened from"), required=False)
    until = forms.DateField(label=gettext_lazy("Opened until"), required=False)

    def __init__(self, data: Any, contact: Contact) -> None:
        super().__init__(data)
        self.fields["state"].choices = [  # type: ignore[attr-defined]
            ("open", gettext("Open")),
            ("closed", gettext("Closed")),
            ("all", gettext("All")),
        ]
        people: Callable[..., Any] = Contact.objects.filter
        self.fields["contact"].queryset = people(company=contact.company_id).order_by("name")  # type: ignore[attr-defined]
        self.fields["contact"].empty_label = gettext("Everybody")  # type: ignore[attr-defined]
        for name in ("since", "until"):
            self.fields[name].widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def _in_language(choices: list[tuple[Any, Any]]) -> list[tuple[str, str]]:
    return [(str(value), gettext(str(label))) for value, label in choices]
