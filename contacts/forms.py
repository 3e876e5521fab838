"""How the directory is written: one sentence for each thing that is wrong (S4)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from unfold.forms import UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from contacts.models import Company, RoleHolder, SupportCentre, Technician, User
from contacts.terms import Language, Role


class StaffForm(UserChangeForm):
    """A member of staff."""

    class Meta(UserChangeForm.Meta):
        model = User
        fields = "__all__"


class NewStaffForm(UserCreationForm):
    """A new member of staff, with a first password."""

    class Meta(UserCreationForm.Meta):
        model = User
        fields = ("username", "first_name", "last_name", "email", "role", "phone", "time_zone", "is_staff")


class TechnicianForm(forms.ModelForm):
    """A technician; the languages are boxes to tick."""

    languages = forms.MultipleChoiceField(
        choices=Language.choices(),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="Cases go first to somebody who speaks the customer's language.",
    )

    class Meta:
        model = Technician
        fields = ["user", "level", "centre", "languages", "on_duty"]


class PlaceForm(forms.ModelForm):
    """Somewhere with a calendar; what is wrong with it is said once, beside its field where that is known."""

    def clean_country(self) -> str:
        """Codes are written in capitals, however they were typed."""
        return str(self.cleaned_data["country"]).upper()

    def _post_clean(self) -> None:
        """The record checks a time zone alone and together with its country; one of the two sentences is enough."""
        super()._post_clean()  # type: ignore[misc]
        in_general = self.errors.get(NON_FIELD_ERRORS)
        if in_general is None:
            return
        of_fields = {
            sentence for name, errors in self.errors.items() if name != NON_FIELD_ERRORS for sentence in errors
        }
        in_general.data = [error for error in in_general.as_data() if error.messages[0] not in of_fields]
        if not in_general.data:
            del self.errors[NON_FIELD_ERRORS]


class SupportCentreForm(PlaceForm):
    """A support centre (D1)."""

    class Meta:
        model = SupportCentre
        fields = ["name", "country", "subdivision", "time_zone", "open_on_holidays"]


class CompanyForm(PlaceForm):
    """A customer organisation."""

    class Meta:
        model = Company
        fields = [
            "name",
            "language",
            "country",
            "subdivision",
            "time_zone",
            "account_manager",
            "customer_engineer",
            "active",
        ]


class RoleHolderForm(forms.ModelForm):
    """Who holds a management role (D4)."""

    class Meta:
        model = RoleHolder
        fields = ["role", "centre", "holder"]

    def clean(self) -> dict[str, Any]:
        """One holder for the whole desk and one for each centre."""
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
