"""The forms of the directory."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from unfold.forms import UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from contacts.enums import Language, Role
from contacts.models import Company, OpeningSpan, RoleHolder, SupportCentre, Technician, User

#: Labels and help texts for fields such as Django's "staff status".
ACCOUNT_FIELDS = {
    "is_active": ("Active", "Untick it when somebody leaves: they are kept, and nothing more goes to them."),
    "is_staff": ("May sign in", "Whether they use the desk; who is only written to need not."),
    "is_superuser": ("Administrator", "Has every right, whatever the role."),
}


class AccountForm(forms.BaseModelForm):  # type: ignore[type-arg]
    """An account with the desk's own labels."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, (label, help_text) in ACCOUNT_FIELDS.items():
            if name in self.fields:
                self.fields[name].label, self.fields[name].help_text = label, help_text


class StaffForm(AccountForm, UserChangeForm):
    class Meta(UserChangeForm.Meta):
        model = User
        fields = "__all__"


class NewStaffForm(AccountForm, UserCreationForm):
    class Meta(UserCreationForm.Meta):
        model = User
        fields = (
            "username",
            "first_name",
            "last_name",
            "email",
            "role",
            "phone",
            "time_zone",
            "bundle_minutes",
            "is_staff",
        )


class InvitedStaffForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new member of staff who chooses the password themselves, by a link that is mailed to them (A3)."""

    class Meta:
        model = User
        fields = NewStaffForm.Meta.fields

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["is_staff"].label, self.fields["is_staff"].help_text = ACCOUNT_FIELDS["is_staff"]
        self.fields["email"].help_text = "A link goes there with which they choose their password."
        self.instance.set_unusable_password()


class ClockInput(forms.TimeInput):
    """A time of day at a place. Django's own widget would warn that the reader's zone is not the server's."""

    input_type = "time"

    def __init__(self) -> None:
        super().__init__(attrs={"class": UnfoldAdminTextInputWidget().attrs["class"]}, format="%H:%M")


class OpeningSpanForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = OpeningSpan
        fields = ["weekday", "opens", "closes"]
        widgets = {"opens": ClockInput(), "closes": ClockInput()}


class TechnicianForm(forms.ModelForm):  # type: ignore[type-arg]
    languages = forms.MultipleChoiceField(
        choices=Language.choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="Cases go first to somebody who speaks the customer's language.",
    )

    class Meta:
        model = Technician
        fields = ["user", "level", "centre", "languages", "on_duty", "extension"]


class PlaceForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form of a `Place` that shows each error once, beside its field where that is known (S4)."""

    def clean_country(self) -> str:
        return str(self.cleaned_data["country"]).upper()

    def _post_clean(self) -> None:
        """Drop a general error that repeats one of a field: the model checks a time zone alone and with its country."""
        super()._post_clean()  # type: ignore[misc]
        in_general = self.errors.get(NON_FIELD_ERRORS)
        if in_general is None:
            return
        of_fields = {text for name, errors in self.errors.items() if name != NON_FIELD_ERRORS for text in errors}
        in_general.data = [error for error in in_general.as_data() if error.messages[0] not in of_fields]
        if not in_general.data:
            del self.errors[NON_FIELD_ERRORS]


class SupportCentreForm(PlaceForm):
    class Meta:
        model = SupportCentre
        fields = ["name", "country", "subdivision", "time_zone", "open_on_holidays"]


class CompanyForm(PlaceForm):
    class Meta:
        model = Company
        fields = [
            "name",
            "language",
            "phone",
            "country",
            "subdivision",
            "time_zone",
            "account_manager",
            "customer_engineer",
            "active",
        ]


class RoleHolderForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = RoleHolder
        fields = ["role", "centre", "holder"]

    def clean(self) -> dict[str, Any]:
        """Allow one holder for the whole desk and one for each centre (D4)."""
        cleaned = super().clean() or self.cleaned_data
        role, centre = cleaned.get("role"), cleaned.get("centre")
        if role:
            present = RoleHolder.objects.filter(role=role, centre=centre).exclude(pk=self.instance.pk).first()
            if present is not None:
                where = f"for {centre}" if centre else "for every centre"
                self.add_error(
                    "role",
                    f"{Role(role).label} {where} is listed already ({present.holder or 'nobody'}); change that entry.",
                )
        return cleaned
