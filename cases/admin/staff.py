"""The page of a member of staff, with links to passwords, and the open cases of whoever leaves (A3, D9)."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from cases.forms import bound_texts, text_field
from cases.guards import Refused
from cases.mail.accounts import send_password_link, tell_of_new_password, tell_of_second_factor
from cases.workflow.actions import OwnerField
from cases.workflow.handing_on import counted, give_on_cases, left_behind, open_cases_of
from contacts.admin import StaffAdmin
from contacts.directory import FURTHER_PROBLEMS
from contacts.enums import Language, Right
from contacts.models import User
from contacts.permissions import has_right, own_page, signed_in_user
from contacts.second_factor import factors_of, reset

FURTHER_PROBLEMS.append(left_behind)
admin.site.unregister(User)


class GiveOnForm(forms.Form):
    """Who gets the open cases of somebody who leaves, and why."""

    to = OwnerField(
        label="New owner",
        required=False,
        empty_label="For each case, whom the rules of a new one choose",
        error_messages={"invalid_choice": "This is no technician who can sign in; choose one who is."},
    )
    reason = text_field()

    def __init__(self, leaver: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(OwnerField, self.fields["to"]).offer(timezone.now(), Language.ENGLISH, besides=leaver.pk)
        bound_texts(self.fields)


@admin.register(User)
class DeskStaffAdmin(StaffAdmin):
    """Staff, who are told of what happens to their account, and whose open cases do not stay behind."""

    change_form_outer_before_template = "admin/cases/staff/open_cases.html"

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Invite whoever has no password yet; say what somebody who is made inactive leaves behind (D9)."""
        super().save_model(request, obj, form, change)
        if not change and not obj.has_usable_password():
            self._invite(request, obj)
        if change and "is_active" in form.changed_data and not obj.is_active:
            self._warn_of_open_cases(request, obj)

    def _invite(self, request: HttpRequest, user: User) -> None:
        why = f"{signed_in_user(request)} made an account at the desk for you"
        if send_password_link(user, timezone.now(), why):
            messages.info(request, f"{user} chooses the password by a link that is mailed to {user.email}.")
        else:
            messages.warning(request, f"{user} cannot sign in yet: it takes “May sign in” and an email address.")

    def _warn_of_open_cases(self, request: HttpRequest, leaver: User) -> None:
        cases = open_cases_of(leaver).count()
        if cases:
            said = format_html(
                '{} is inactive and still owns {}. <a href="{}" class="underline">Give them on</a>',
                leaver,
                counted(cases),
                reverse("admin:contacts_user_give_on", args=[leaver.pk]),
            )
            messages.warning(request, said)

    def form_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """How many open cases are theirs, with the way to give them on; an administrator resets their second factor."""
        may = row is not None and has_right(request, Right.REASSIGN)
        cases = open_cases_of(row).count() if may else 0
        factors = row is not None and request.user.is_superuser and factors_of(row).exists()
        return super().form_context(request, row) | {
            "open_cases": counted(cases) if cases else "",
            "staff": row,
            "has_second_factor": factors,
        }

    @own_page("<int:user_id>/second-factor/reset/", "reset_second_factor", "POST")
    def reset_second_factor(self, request: HttpRequest, user_id: int) -> HttpResponse:
        """Take away somebody's second factors, as when a phone is lost (A3). Raises PermissionDenied or Http404."""
        if not request.user.is_superuser:
            raise PermissionDenied("Its owner changes a second factor, or an administrator resets it.")
        user = self.get_object(request, str(user_id))
        if user is None:
            raise Http404
        with transaction.atomic():
            reset(user)
            self.log_change(request, user, "Reset the second factor.")
            what = "Your authenticator app, passkeys and recovery codes were taken away"
            tell_of_second_factor(user, what, signed_in_user(request), timezone.now())
        messages.success(request, f"{user} has no second factor any more, and is signed out everywhere.")
        return redirect("admin:contacts_user_change", user.pk)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Tell the person that an administrator changed their password (A3)."""
        answer = super().user_change_password(request, id, form_url)
        user = self.get_object(request, id)
        if request.method == "POST" and answer.status_code == 302 and user is not None:
            tell_of_new_password(user, signed_in_user(request), timezone.now())
        return answer

    @own_page("<int:user_id>/give-on/", "give_on", "GET", "HEAD", "POST")
    def give_on_view(self, request: HttpRequest, user_id: int) -> HttpResponse:
        """Give the open cases of somebody on (D9). Raises PermissionDenied or Http404."""
        if not has_right(request, Right.REASSIGN):
            raise PermissionDenied
        leaver = self.get_object(request, str(user_id))
        if leaver is None:
            raise Http404
        form = GiveOnForm(leaver, request.POST or None)
        if form.is_valid():
            try:
                given = give_on_cases(leaver, signed_in_user(request), timezone.now(), **form.cleaned_data)
            except Refused as refused:
                form.add_error(refused.field, refused.sentence)
            else:
                messages.success(request, f"{counted(given.given)} of {leaver} given on.")
                if given.left:
                    messages.warning(request, f"Left where they are: {given.why_left}.")
                return redirect("admin:contacts_user_change", leaver.pk)
        context = self.admin_site.each_context(request) | {
            "title": f"Give on the open cases of {leaver}",
            "opts": self.opts,
            "form": form,
            "staff": leaver,
            "cases": counted(open_cases_of(leaver).count()),
        }
        return TemplateResponse(request, "admin/cases/staff/give_on.html", context, status=422 if form.errors else 200)
