"""The pages of the support page: signing in and out, and its first page (P1)."""

from __future__ import annotations

from allauth.core import ratelimit
from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from cases.portal.passkeys import PasskeyRefused, add, of_contact, options_to_add, options_to_sign_in, sign_in_with
from cases.portal.sign_in import Tried, address_of_code, ask_for_code, forget_code, try_code
from cases.portal.visitors import (
    CustomerRequest,
    contact_required,
    let_in,
    let_out,
    same_address_elsewhere,
    way_back,
    with_way_back,
)
from contacts.models import Contact
from contacts.permissions import id_of
from contacts.sign_ins import keep_failed_on_support_page


class SignInForm(forms.Form):
    """Where somebody says who they are."""

    email = forms.EmailField(
        label=gettext_lazy("Email address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autofocus": True}),
        error_messages={
            "required": gettext_lazy("Write the address at which our support writes to you."),
            "invalid": gettext_lazy("This is not an email address. Write one such as name@example.com."),
        },
    )


class CodeForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}),
        error_messages={"required": gettext_lazy("Type the eight digits of the mail.")},
    )


class PasskeyForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("What you call this device"),
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": gettext_lazy("Give the device a name, such as “My phone”.")},
    )


def limited(request: HttpRequest, action: str, key: str | None = None) -> HttpResponse | None:
    """A page that asks for patience if this was tried too often, by the limits of the settings (P1)."""
    if ratelimit.consume(request, action=action, key=key):
        return None
    return render(request, "support/limited.html", status=429)


@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for the address, and have a code mailed to it; the same for every address."""
    if request.contact is not None:  # type: ignore[attr-defined]
        return redirect(way_back(request))
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        address = form.cleaned_data["email"]
        refused = limited(request, "support_code", address.lower())
        if refused is not None:
            return refused
        ask_for_code(request, address, timezone.now())
        return redirect_with_way_back(request, "support:code")
    return render(request, "support/sign_in.html", {"form": form, "next": way_back(request)})


@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """Ask for the code."""
    address = address_of_code(request)
    if not address:
        return redirect_with_way_back(request, "support:sign_in")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        refused = limited(request, "support_try")
        if refused is not None:
            return refused
        tried = try_code(request, form.cleaned_data["code"], timezone.now())
        if tried.contact is not None:
            return _let_in(request, tried.contact, "code")
        if tried.outcome is Tried.ENDED:
            messages.error(request, gettext("This code is of no use any more. Have a new one mailed to you."))
            return redirect_with_way_back(request, "support:sign_in")
        form.add_error("code", gettext("This is not the code. Look into the newest mail, and type its eight digits."))
    context = {"form": form, "address": address, "next": way_back(request)}
    return render(request, "support/code.html", context)


@require_POST
def other_address(request: HttpRequest) -> HttpResponse:
    """Begin again, with another address."""
    forget_code(request)
    return redirect_with_way_back(request, "support:sign_in")


@require_http_methods(["GET", "POST"])
def passkey(request: HttpRequest) -> HttpResponse:
    """Sign in with a passkey: what the browser needs for it, and what it answers."""
    if request.method == "GET":
        return JsonResponse(options_to_sign_in(request))
    refused = limited(request, "support_try")
    if refused is not None:
        return refused
    try:
        contact = sign_in_with(request, request.POST.get("credential", ""), timezone.now())
    except PasskeyRefused:
        keep_failed_on_support_page(request, None)
        messages.error(request, gettext("This passkey does not open the page. Have a code mailed to you."))
        return redirect_with_way_back(request, "support:sign_in")
    return _let_in(request, contact, "passkey")


@require_http_methods(["GET", "HEAD", "POST"])
@contact_required
def passkeys(request: CustomerRequest) -> HttpResponse:
    """The passkeys of a contact, and one more."""
    form = PasskeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        answer, name = request.POST.get("credential", ""), form.cleaned_data["name"]
        try:
            add(request, request.contact, name, answer, timezone.now())
        except PasskeyRefused:
            messages.error(request, gettext("No passkey was added. Try again, with another device if it goes on."))
        else:
            messages.success(request, gettext("From now on you can sign in with this device, without a code."))
        return redirect("support:passkeys")
    return render(request, "support/passkeys.html", {"form": form, "keys": of_contact(request.contact)})


@contact_required
def passkey_options(request: CustomerRequest) -> HttpResponse:
    """What the browser needs in order to make a passkey."""
    return JsonResponse(options_to_add(request, request.contact))


@require_POST
@contact_required
def remove_passkey(request: CustomerRequest, key: int) -> HttpResponse:
    """Take one away. Raises Http404 for somebody else's."""
    if not request.contact.passkeys.filter(pk=key).delete()[0]:
        raise Http404
    messages.success(request, gettext("The passkey is gone; it opens this page no more."))
    return redirect("support:passkeys")


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    let_out(request)
    return redirect("support:sign_in")


@require_http_methods(["GET", "HEAD", "POST"])
@contact_required
def company(request: CustomerRequest) -> HttpResponse:
    """For whom somebody is here whose address several companies name as their help desk."""
    others = [request.contact, *same_address_elsewhere(request.contact)]
    if request.method != "POST":
        return render(request, "support/company.html", {"choices": others, "next": way_back(request)})
    chosen = next((one for one in others if one.pk == id_of(request.POST.get("contact", ""))), None)
    if chosen is None:
        raise Http404
    let_in(request, chosen, "change of company")
    return redirect(way_back(request))


def _let_in(request: HttpRequest, contact: Contact, how: str) -> HttpResponse:
    let_in(request, contact, how)
    if same_address_elsewhere(contact):
        return redirect_with_way_back(request, "support:company")
    return redirect(way_back(request))


def redirect_with_way_back(request: HttpRequest, page: str) -> HttpResponse:
    """To a page of the sign-in, which goes on to where somebody wanted to go."""
    return redirect(with_way_back(reverse(page), way_back(request)))
