"""The directory in the admin: staff, support centres, roles, support lines, customers (D1, D4).

The Support Manager edits it; technicians read it; an AM and a customer engineer read their own companies (A1).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import ForeignKey, Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from unfold.admin import StackedInline
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm

from contacts.calendars import WEEKDAYS, centres_in_business_day, coverage_gaps, japanese_support_opens_at
from contacts.changes import TellsOfChanges, directory_changed
from contacts.directory import directory_problems
from contacts.enums import Language, Right, Role
from contacts.forms import (
    CompanyForm,
    InvitedStaffForm,
    NewStaffForm,
    OpeningSpanForm,
    RoleHolderForm,
    StaffForm,
    SupportCentreForm,
    TechnicianForm,
)
from contacts.models import (
    ClosureDay,
    Company,
    CompanyClosureDay,
    Contact,
    FailedSignIn,
    OpeningSpan,
    RoleHolder,
    SupportCentre,
    SupportLine,
    Technician,
    User,
)
from contacts.pages import HistoryAdmin, RightsInline, RowRights, link
from contacts.permissions import RightsAdmin, has_right, own_page
from contacts.reader import for_reader
from contacts.wording import in_zone

#: How far ahead the centres' hours are checked for gaps (D1), and how many gaps are listed.
COVERAGE_AHEAD = timedelta(days=7)
GAPS_LISTED = 10

admin.site.unregister(Group)  # rights come with the role (A1); groups would be a second source
# Of django-allauth: second factors are reset on the page of their owner (A3), addresses are those of staff.
admin.site.unregister([EmailAddress, Authenticator])
if apps.is_installed("allauth.socialaccount"):
    for name in ("SocialAccount", "SocialApp", "SocialToken"):
        admin.site.unregister(apps.get_model("socialaccount", name))


# --- staff ------------------------------------------------------------------------------------------------------

PASSWORD_FIELDS = ("password", "password1", "password2", "usable_password")


class TechnicianInline(RowRights, StackedInline):
    """What makes somebody a technician, on the page of the person: one record to whoever creates them (D9)."""

    model = Technician
    form = TechnicianForm
    view_right = Right.READ_EVERY_CASE
    edit_right = Right.EDIT_DIRECTORY
    fields = ["level", "centre", "languages", "on_duty"]
    max_num = 1
    extra = 1
    verbose_name = verbose_name_plural = "as a technician: level, centre and languages"

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether somebody goes on being a technician is said on the page of technicians."""
        return False


@admin.register(User)
class StaffAdmin(TellsOfChanges, UserAdmin, RightsAdmin):  # type: ignore[misc, type-arg]
    """Everybody of the vendor who signs in or is mailed. Nobody is deleted, they are made inactive."""

    form = StaffForm
    add_form = NewStaffForm
    change_password_form = AdminPasswordChangeForm
    has_history = True
    view_right = Right.READ_EVERY_CASE
    add_right = Right.EDIT_DIRECTORY
    change_right = Right.EDIT_DIRECTORY

    list_display = ["name_display", "role_display", "email", "phone", "time_zone", "is_active"]
    list_filter = ["role", "is_active"]
    search_fields = ["username", "first_name", "last_name", "email"]
    ordering = ["first_name", "last_name", "username"]
    filter_horizontal = ()
    readonly_fields = ["last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["username", "password", ("first_name", "last_name"), "email", "phone"]}),
        (
            "At the desk",
            {
                "fields": [
                    *("role", "time_zone", "bundle_minutes", "daily_digest"),
                    *("is_active", "is_staff", "is_superuser"),
                ]
            },
        ),
        ("Dates", {"fields": [("last_login", "date_joined")]}),
    ]
    inlines = [TechnicianInline]
    add_fieldsets = [
        (None, {"fields": ["username", "password1", "password2"]}),
        ("Person", {"fields": [("first_name", "last_name"), "email", "phone"]}),
        ("At the desk", {"fields": ["role", "time_zone", "bundle_minutes", "is_staff"]}),
    ]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let only superusers change a superuser's account."""
        allowed = super().has_change_permission(request, obj)
        return allowed and (request.user.is_superuser or not getattr(obj, "is_superuser", False))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Let only an administrator choose somebody's password; others invite them (A3)."""
        if obj is None and not request.user.is_superuser:
            kwargs["form"] = InvitedStaffForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Let only superusers make superusers, or change where the link to somebody else's password goes (A3)."""
        fields = list(super().get_readonly_fields(request, obj))
        if request.user.is_superuser:
            return fields
        has_account = isinstance(obj, User) and obj != request.user and obj.can_sign_in
        return [*fields, "is_superuser", *(("username", "email") if has_account else ())]

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Show the fields of passwords to administrators only (A3)."""
        fieldsets = super().get_fieldsets(request, obj)
        if request.user.is_superuser:
            return fieldsets
        return [
            (title, options | {"fields": [name for name in options["fields"] if name not in PASSWORD_FIELDS]})
            for title, options in fieldsets
        ]

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Set somebody's password. Raises PermissionDenied unless an administrator does it (A3)."""
        if not request.user.is_superuser:
            raise PermissionDenied(
                "Its owner changes a password: “Forgotten your password” where one signs in mails them a link."
            )
        return super().user_change_password(request, id, form_url)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """Suggest only who is still there, where somebody is given a role or a duty (D9)."""
        if request.GET.get("app_label") == "contacts":
            queryset = queryset.filter(is_active=True)
        return super().get_search_results(request, queryset, search_term)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Let a new member of staff sign in unless the box is unticked."""
        return {"is_staff": True} | super().get_changeform_initial_data(request)

    @admin.display(description="Name", ordering="first_name")
    def name_display(self, user: User) -> str:
        return str(user)

    @display(description="Role", ordering="role", label=True)
    def role_display(self, user: User) -> str:
        return user.get_role_display() or ("Superuser" if user.is_superuser else "No role")


@admin.register(Technician)
class TechnicianAdmin(TellsOfChanges, HistoryAdmin):
    """Who can own cases: level, centre, languages, on duty or away."""

    form = TechnicianForm
    view_right = Right.READ_EVERY_CASE
    add_right = change_right = delete_right = Right.EDIT_DIRECTORY

    list_display = ["name_display", "level", "centre", "languages_display", "on_duty"]
    list_editable = ["on_duty"]
    list_filter = ["level", "on_duty", "centre"]
    list_select_related = ["user", "centre"]
    search_fields = ["user__first_name", "user__last_name", "user__username"]
    autocomplete_fields = ["user"]

    @own_page("own-duty/", "own_duty", "POST")
    def switch_own_duty(self, request: HttpRequest) -> HttpResponse:
        """Put the signed-in technician on duty or away (C6): `on_duty` yes or no. Raises PermissionDenied."""
        technician = Technician.objects.filter(user=request.user.pk).first()
        if technician is None or not has_right(request, Right.WORK_CASES):
            raise PermissionDenied
        technician.on_duty = request.POST.get("on_duty") == "yes"
        technician._history_user = request.user  # type: ignore[attr-defined]
        with transaction.atomic():
            technician.save(update_fields=["on_duty"])
            directory_changed([technician], timezone.now())
        state = "on duty: new cases come to you" if technician.on_duty else "away: new cases go to others"
        messages.success(request, f"You are {state}.")
        return HttpResponseRedirect(reverse("admin:index"))

    @admin.display(description="Technician", ordering="user__first_name")
    def name_display(self, technician: Technician) -> str:
        """Without the level, which has a column of its own."""
        return str(technician.user)

    @admin.display(description="Languages")
    def languages_display(self, technician: Technician) -> str:
        labels = dict(Language.choices)
        return ", ".join(labels.get(code, code) for code in technician.languages) or "—"


# --- centres, roles, lines --------------------------------------------------------------------------------------


class OpeningSpanInline(RightsInline):
    model = OpeningSpan
    form = OpeningSpanForm
    view_right = Right.READ_EVERY_CASE
    edit_right = Right.EDIT_DIRECTORY
    tab = False


class ClosureDayInline(RightsInline):
    model = ClosureDay
    view_right = Right.READ_EVERY_CASE
    edit_right = Right.EDIT_DIRECTORY


def coverage(now: datetime) -> dict[str, Any]:
    """The notice on coverage (D1, D2): centres in their business day, gaps of the coming week, Japanese support.

    Three queries.
    """
    centres = list(SupportCentre.objects.prefetch_related("spans", "closure_days"))
    hours = {centre.name: centre.opening_hours() for centre in centres}
    gaps = coverage_gaps(hours.values(), now, now + COVERAGE_AHEAD)
    on_holidays = any(centre.country == "JP" and centre.open_on_holidays for centre in centres)
    opens_at = japanese_support_opens_at(now, on_holidays)
    return {
        "gaps": [f"From {for_reader(start)} to {for_reader(end)} nobody is open." for start, end in gaps[:GAPS_LISTED]],
        "gaps_left_out": max(0, len(gaps) - GAPS_LISTED),
        "in_business_day": centres_in_business_day(hours, now),
        "japanese": f"opens {in_zone(opens_at, 'Asia/Tokyo')}" if opens_at else "is open now",
    }


@admin.register(SupportCentre)
class SupportCentreAdmin(TellsOfChanges, HistoryAdmin):
    """Where support is given from, and when; together the centres are open around the clock (D1)."""

    form = SupportCentreForm
    view_right = Right.READ_EVERY_CASE
    add_right = change_right = Right.EDIT_DIRECTORY

    list_display = ["name", "country", "time_zone", "hours_display", "open_on_holidays"]
    search_fields = ["name"]
    inlines = [OpeningSpanInline, ClosureDayInline]
    list_before_template = "admin/contacts/coverage.html"
    change_form_outer_before_template = "admin/contacts/coverage.html"
    fieldsets = [
        (None, {"fields": ["name", ("country", "subdivision"), "time_zone", "open_on_holidays"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[SupportCentre]:
        return super().get_queryset(request).prefetch_related("spans")

    def list_context(self, request: HttpRequest) -> dict[str, Any]:
        return {"coverage": coverage(timezone.now())}

    def form_context(self, request: HttpRequest, row: SupportCentre | None) -> dict[str, Any]:
        return self.list_context(request)

    @admin.display(description="Opening hours (local)")
    def hours_display(self, centre: SupportCentre) -> str:
        """Days with the same hours are put together."""
        by_hours: dict[str, list[int]] = {}
        for span in centre.spans.all():
            by_hours.setdefault(f"{span.opens:%H:%M}–{span.closes:%H:%M}", []).append(span.weekday)
        return "; ".join(f"{_weekdays(days)} {hours}" for hours, days in by_hours.items()) or "never open"


def _weekdays(days: list[int]) -> str:
    days = sorted(days)
    names = [WEEKDAYS[day][:3] for day in days]
    in_a_row = days == list(range(days[0], days[-1] + 1))
    return f"{names[0]}–{names[-1]}" if in_a_row and len(days) > 2 else ", ".join(names)


@admin.register(RoleHolder)
class RoleHolderAdmin(TellsOfChanges, HistoryAdmin):
    """Who holds each management role, for the whole desk or for one centre (D4), under what is missing (D5)."""

    form = RoleHolderForm
    view_right = Right.READ_EVERY_CASE
    add_right = change_right = delete_right = Right.EDIT_DIRECTORY

    list_display = ["role", "centre_display", "holder", "email_display", "phone_display"]
    list_select_related = ["centre", "holder"]
    list_filter = ["role"]
    autocomplete_fields = ["holder"]
    list_before_template = "admin/contacts/problems.html"

    def list_context(self, request: HttpRequest) -> dict[str, Any]:
        return {"problems": directory_problems()}

    @admin.display(description="For", ordering="centre__name")
    def centre_display(self, row: RoleHolder) -> str:
        return str(row.centre) if row.centre else "every centre"

    @admin.display(description="Email")
    def email_display(self, row: RoleHolder) -> str:
        return (row.holder.email if row.holder else "") or "goes to the fallback"

    @admin.display(description="Phone")
    def phone_display(self, row: RoleHolder) -> str:
        return (row.holder.phone if row.holder else "") or "—"


@admin.register(SupportLine)
class SupportLineAdmin(HistoryAdmin):
    """The telephone lines, which all staff read (D4)."""

    add_right = change_right = delete_right = Right.EDIT_DIRECTORY

    list_display = ["name", "country", "number", "language"]
    search_fields = ["name", "number"]


# --- customers --------------------------------------------------------------------------------------------------


class CompanyClosureDayInline(RightsInline):
    model = CompanyClosureDay
    edit_right = Right.EDIT_DIRECTORY


#: The fields that name who looks after a company: the role it takes, and the way back to the companies.
LOOKED_AFTER_BY = {
    "account_manager": Role.ACCOUNT_MANAGER,
    "customer_engineer": Role.CUSTOMER_ENGINEER,
}


@admin.register(Company)
class CompanyAdmin(TellsOfChanges, HistoryAdmin):
    """The customer organisations; an AM and a customer engineer see their own (A1). Never deleted: made inactive."""

    form = CompanyForm
    add_right = change_right = Right.EDIT_DIRECTORY

    list_display = ["name", "country", "time_zone", "language", "account_manager", "customer_engineer", "active"]
    list_filter = ["active", "country", "language"]
    list_select_related = ["account_manager", "customer_engineer"]
    search_fields = ["name"]
    inlines = [CompanyClosureDayInline]
    readonly_fields = ["contacts_display"]
    fieldsets = [
        (None, {"fields": ["name", ("language", "phone"), "active", "contacts_display"]}),
        ("Where it is", {"fields": [("country", "subdivision"), "time_zone"]}),
        ("Who looks after it", {"fields": [("account_manager", "customer_engineer")]}),
    ]

    def formfield_for_foreignkey(self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """Offer those who have the role, and whoever looks after a company already."""
        if db_field.name in LOOKED_AFTER_BY:
            present = Company.objects.order_by().values(db_field.name)
            entitled = Q(role=LOOKED_AFTER_BY[db_field.name], is_active=True)
            kwargs["queryset"] = User.objects.filter(entitled | Q(pk__in=present))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description="Contacts")
    def contacts_display(self, company: Company) -> str:
        if not company.pk:
            return "After saving."
        page = reverse("admin:contacts_contact_changelist")
        return link(f"{page}?company__id__exact={company.pk}", f"People at {company}")


@admin.register(Contact)
class ContactAdmin(TellsOfChanges, HistoryAdmin):
    """The people at the customers; the help desk opens cases (D3). Never deleted: made inactive."""

    add_right = change_right = Right.EDIT_DIRECTORY

    list_display = ["name", "company", "is_help_desk", "email", "phone", "preferred_means", "active"]
    list_filter = ["is_help_desk", "active", "preferred_means"]
    list_select_related = ["company"]
    search_fields = ["name", "email", "company__name"]
    autocomplete_fields = ["company"]
    fieldsets = [
        (None, {"fields": ["company", "name", "is_help_desk", "active"]}),
        ("How they are reached", {"fields": [("email", "phone"), ("preferred_means", "language")]}),
    ]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow the link from a company to its contacts."""
        return lookup == "company__id__exact" or super().lookup_allowed(lookup, value, request)


@admin.register(FailedSignIn)
class FailedSignInAdmin(RightsAdmin):
    """Who could not sign in, when and from where. Read only."""

    view_right = Right.WATCH_THE_ENGINE
    list_display = ["at", "who_display", "on_support_page", "address"]
    fields = readonly_fields = ["at", "who_display", "on_support_page", "address"]
    list_filter = ["on_support_page"]
    list_select_related = ["user", "contact__company"]
    search_fields = ["user__username", "contact__name", "contact__company__name", "address"]
    sortable_by = ()

    @admin.display(description="Who")
    def who_display(self, row: FailedSignIn) -> str:
        return str(row.user or row.contact or "nobody known")
