"""How a member of staff sets their own password: signed in, or by a link that is mailed to them (A3)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.views import PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse
from django.urls import reverse_lazy
from django.utils import timezone
from django.views.generic import FormView
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminPasswordWidget

from cases.mail.accounts import send_password_link, tell_of_new_password
from contacts.models import User

#: The same for every address, so that nobody learns who has an account.
ON_ITS_WAY = "If somebody here has this address, a link that sets a new password is on its way to it."


class AddressForm(forms.Form):
    email = forms.EmailField(
        label="Email",
        max_length=254,
        widget=UnfoldAdminEmailInputWidget(attrs={"autocomplete": "email"}),
        error_messages={"required": "Write the address to which the desk mails you."},
    )


class NewPasswordForm(SetPasswordForm):  # type: ignore[type-arg]
    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        for field in self.fields.values():
            field.widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})


class AskForLink(FormView):  # type: ignore[type-arg]
    """Where somebody who forgot their password has a link mailed to them."""

    form_class = AddressForm
    template_name = "admin/password.html"
    success_url = reverse_lazy("admin:login")
    extra_context = {
        "title": "Forgotten password",
        "said": "Write the address to which the desk mails you: a link that sets a new password goes there.",
        "button": "Mail me a link",
    }

    def form_valid(self, form: AddressForm) -> HttpResponse:
        now = timezone.now()
        for user in User.objects.reachable().filter(email__iexact=form.cleaned_data["email"], is_staff=True):
            send_password_link(user, now, "somebody, perhaps you, asked for it on the page where one signs in")
        messages.success(self.request, ON_ITS_WAY)
        return super().form_valid(form)


class SetPassword(PasswordResetConfirmView):
    """Where the link leads."""

    form_class = NewPasswordForm
    template_name = "admin/password.html"
    success_url = reverse_lazy("admin:login")
    reset_url_token = "new"
    title = "Choose your password"
    extra_context = {"said": "", "button": "Set the password"}

    def form_valid(self, form: SetPasswordForm[User]) -> HttpResponse:
        answer = super().form_valid(form)
        tell_of_new_password(form.user, None, timezone.now())
        messages.success(self.request, "Your password is set; sign in with it.")
        return answer


def told_of_own_change(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """Mail whoever has just changed their own password; `answer` is that of the page where they did."""
    if request.method == "POST" and answer.status_code == 302 and isinstance(request.user, User):
        tell_of_new_password(request.user, None, timezone.now())
    return answer
