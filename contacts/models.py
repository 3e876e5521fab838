"""Staff, support centres, roles, customers and support lines (rules, section 1)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import AbstractUser, UserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from simple_history.models import HistoricalRecords

from contacts.addresses import validate_mailable
from contacts.calendars import BusinessCalendar, OpeningHours, WeeklySpan, calendar_problem, time_zone_problem
from contacts.enums import MANAGEMENT_ROLES, RIGHTS, Bundling, Language, Level, MeansOfContact, Right, Role
from contacts.phone_numbers import in_e164, is_same_line


def validate_time_zone(name: str) -> None:
    """Raises ValidationError for what is no IANA time zone."""
    problem = time_zone_problem(name)
    if problem:
        raise ValidationError(problem)


def validate_languages(codes: list[str]) -> None:
    """Raises ValidationError for codes that are not in `Language`."""
    unknown = sorted(set(codes) - {language.value for language in Language})
    if unknown:
        known = ", ".join(language.value for language in Language)
        raise ValidationError(f"Unknown language {', '.join(unknown)}; choose from {known}.")


class Place(models.Model):
    """Somewhere with a business calendar: a country (and subdivision) with its holidays, and a time zone."""

    country = models.CharField(max_length=2, help_text="Two-letter code (ISO 3166), e.g. US, DE, JP.")
    subdivision = models.CharField(
        max_length=8, blank=True, help_text="State or region whose public holidays count, e.g. BY."
    )
    time_zone = models.CharField(max_length=64, validators=[validate_time_zone])

    class Meta:
        abstract = True

    def clean(self) -> None:
        """Raises ValidationError for a country, subdivision or time zone without a calendar (D1)."""
        super().clean()
        self.country = self.country.upper()
        problem = calendar_problem(self.country, self.subdivision, self.time_zone)
        if problem:
            raise ValidationError(problem)

    def calendar(self, closure_days: frozenset[date] = frozenset()) -> BusinessCalendar:
        """The business days here, without the place's own closure days unless they are given."""
        return BusinessCalendar(self.country, self.time_zone, self.subdivision, closure_days)


class SupportCentreQuerySet(models.QuerySet["SupportCentre"]):
    def japan_works_on_holidays(self) -> bool:
        """Whether native Japanese support is open on Japan's public holidays (D2)."""
        return self.filter(country="JP", open_on_holidays=True).exists()


class SupportCentre(Place):
    """A place from which support is given, in its own local hours (D1)."""

    name = models.CharField(max_length=80, unique=True)
    open_on_holidays = models.BooleanField(
        default=False, help_text="Whether the centre works its opening hours on public holidays as well."
    )

    objects = SupportCentreQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        ordering = ["name"]
        verbose_name = "support centre"

    def __str__(self) -> str:
        return self.name

    def opening_hours(self) -> OpeningHours:
        """When the centre is open (D1). Reads `spans` and `closure_days`: prefetch them."""
        return self.opening_hours_with(self.spans.all(), self.closure_days.all())

    def opening_hours_with(self, spans: Iterable[OpeningSpan], closure_days: Iterable[ClosureDay]) -> OpeningHours:
        """As `opening_hours`, of rows that were read already."""
        return OpeningHours(
            calendar=self.calendar(frozenset(closure.day for closure in closure_days)),
            spans=tuple(WeeklySpan(span.weekday, span.opens, span.closes) for span in spans),
            open_on_holidays=self.open_on_holidays,
        )


class OpeningSpan(models.Model):
    """A span of a centre's opening hours on a weekday, local time; it may run over midnight (D1)."""

    WEEKDAYS = [
        (0, "Monday"),
        (1, "Tuesday"),
        (2, "Wednesday"),
        (3, "Thursday"),
        (4, "Friday"),
        (5, "Saturday"),
        (6, "Sunday"),
    ]
    centre = models.ForeignKey(SupportCentre, on_delete=models.CASCADE, related_name="spans")
    weekday = models.PositiveSmallIntegerField(choices=WEEKDAYS)
    opens = models.TimeField(default=time(9))
    closes = models.TimeField(default=time(17), help_text="Not later than the opening: the span ends the next day.")

    class Meta:
        ordering = ["centre", "weekday", "opens"]
        constraints = [models.UniqueConstraint(fields=["centre", "weekday", "opens"], name="one_span_per_opening")]
        verbose_name = "opening hours"
        verbose_name_plural = "opening hours"

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens:%H:%M}-{self.closes:%H:%M}"


class ClosureDay(models.Model):
    """A day on which a centre is closed although it is no public holiday."""

    centre = models.ForeignKey(SupportCentre, on_delete=models.CASCADE, related_name="closure_days")
    day = models.DateField()
    name = models.CharField(max_length=80, blank=True)

    class Meta:
        ordering = ["day"]
        constraints = [models.UniqueConstraint(fields=["centre", "day"], name="one_closure_per_centre_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.name}".strip()


class StaffQuerySet(models.QuerySet["User"]):
    def reachable(self) -> StaffQuerySet:
        """Active and with an email address (D5)."""
        return self.filter(is_active=True).exclude(email="")

    def able_to_sign_in(self) -> StaffQuerySet:
        """Those of `User.can_sign_in` (D9)."""
        unusable = Q(password="") | Q(password__startswith=UNUSABLE_PASSWORD_PREFIX)
        if settings.OIDC_URL:
            unusable &= Q(email="")
        return self.filter(is_active=True, is_staff=True).exclude(unusable)


class StaffManager(UserManager["User"].from_queryset(StaffQuerySet)):  # type: ignore[misc]
    pass


class User(AbstractUser):
    """A member of the vendor's staff, who signs in or is only mailed."""

    email = models.EmailField("email address", blank=True, validators=[validate_mailable])
    role = models.CharField(max_length=20, choices=Role.choices, blank=True, db_index=True)
    phone = models.CharField(max_length=40, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    bundle_minutes = models.PositiveSmallIntegerField(
        "mail about cases",
        choices=Bundling.choices,
        default=Bundling.HOUR,
        help_text="Status updates and other mail that does not press comes together, at most this often.",
    )

    daily_digest = models.BooleanField(
        "daily digest",
        default=True,
        help_text="For whoever looks after companies: one mail in the morning about all of them (W4).",
    )

    objects = StaffManager()  # type: ignore[misc]

    class Meta(AbstractUser.Meta):
        ordering = ["first_name", "last_name", "username"]
        verbose_name = "staff member"
        verbose_name_plural = "staff"

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    @property
    def can_sign_in(self) -> bool:
        """Whether they are active staff with a password, or with an address where company accounts sign in (OIDC).

        Whoever cannot is off duty (D9).
        """
        has_password = bool(self.password) and self.has_usable_password()
        return self.is_active and self.is_staff and (has_password or bool(settings.OIDC_URL and self.email))

    def may(self, right: Right) -> bool:
        """Whether this person has the right (A1). Inactive people have none, superusers every one."""
        if not self.is_active:
            return False
        return self.is_superuser or (bool(self.role) and right in RIGHTS[Role(self.role)])


class TechnicianQuerySet(models.QuerySet["Technician"]):
    def at_work(self) -> TechnicianQuerySet:
        """Those who can sign in: cases are given to nobody else (D9)."""
        return self.filter(user__in=User.objects.able_to_sign_in())


class Technician(models.Model):
    """A member of staff who can own cases: level, centre, languages, on duty or away."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="technician")
    level = models.CharField(max_length=2, choices=Level.choices, default=Level.L2)
    centre = models.ForeignKey(SupportCentre, on_delete=models.PROTECT, related_name="technicians")
    languages = models.JSONField(default=list, validators=[validate_languages])
    on_duty = models.BooleanField(default=True)
    extension = models.CharField(
        max_length=40, blank=True, help_text="Under which number or name the telephone system knows them (Q1)."
    )
    last_case_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When a new case last came to them (C6's tie-break)."
    )

    objects = TechnicianQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["last_case_at"])

    class Meta:
        ordering = ["user__first_name", "user__last_name"]

    def __str__(self) -> str:
        return f"{self.user} ({self.level})"


class RoleHolder(models.Model):
    """Who holds a management role, for one support centre or for all (D4). Without a holder D5 applies."""

    role = models.CharField(max_length=20, choices=[(role.value, role.label) for role in MANAGEMENT_ROLES])
    centre = models.ForeignKey(
        SupportCentre,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="role_holders",
        help_text="Empty: for every centre that has no holder of its own.",
    )
    holder = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="held_roles")
    history = HistoricalRecords()

    class Meta:
        ordering = ["role", "centre__name"]
        constraints = [
            models.UniqueConstraint(fields=["role", "centre"], name="one_holder_per_role_and_centre"),
            models.UniqueConstraint(fields=["role"], condition=Q(centre=None), name="one_general_holder_per_role"),
        ]
        verbose_name = "management role"

    def __str__(self) -> str:
        where = f" ({self.centre})" if self.centre_id else ""
        return f"{Role(self.role).label}{where}: {self.holder or 'nobody'}"


class SupportLineQuerySet(models.QuerySet["SupportLine"]):
    def for_country(self, country: Any) -> SupportLine | None:
        """The line of a country (a code, or an expression for one), else the international one (D4); one query."""
        return self.filter(Q(country=country) | Q(country="")).order_by("-country", "pk").first()

    def dialled(self, number: str) -> SupportLine | None:
        """The line that somebody called (D4); one query, as there are few. None for a number that is not published."""
        return next((line for line in self.order_by("pk") if is_same_line(number, line.number)), None)


class SupportLine(models.Model):
    """A telephone line of support (D4); L3 is reached through the same lines."""

    name = models.CharField(max_length=80, unique=True)
    country = models.CharField(max_length=2, blank=True, help_text="Empty: for callers from everywhere else.")
    number = models.CharField(max_length=40)
    language = models.CharField(
        max_length=2,
        choices=Language.choices,
        blank=True,
        help_text="In which language callers are greeted and served.",
    )

    objects = SupportLineQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} {self.number}"


def _with_number(update_fields: Iterable[str] | None) -> Iterable[str] | None:
    """The fields to save, with the number that callers are found by where the one that is read is saved."""
    if update_fields is None or not {"phone", "country"} & set(update_fields):
        return update_fields
    return {*update_fields, "phone_e164"}


class CompanyQuerySet(models.QuerySet["Company"]):
    def visible_to(self, user: Any) -> CompanyQuerySet:
        """The companies whose cases this person may read (A1): all, their own, or none."""
        if not user.is_authenticated:
            return self.none()
        if user.may(Right.READ_EVERY_CASE):
            return self
        if user.may(Right.READ_OWN_COMPANIES):
            return self.filter(Q(account_manager=user) | Q(customer_engineer=user))
        return self.none()

    def keys_visible_to(self, user: Any) -> list[int]:
        """Their keys, read at once; one query. Of a subquery PostgreSQL does not know how few cases it stands for, and
        reads all of them.
        """
        return list(self.visible_to(user).order_by().values_list("pk", flat=True))


class Company(Place):
    """A customer organisation. Its business days are those of its country and time zone."""

    name = models.CharField(max_length=120, unique=True)
    language = models.CharField(max_length=2, choices=Language.choices, default=Language.ENGLISH)
    phone = models.CharField(
        "switchboard", max_length=40, blank=True, help_text="A call from this number is known to come from the company."
    )
    phone_e164 = models.CharField(max_length=16, blank=True, editable=False)  # `phone`, to find a caller by (Q1)
    account_manager = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="managed_companies"
    )
    customer_engineer = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="engineered_companies"
    )
    active = models.BooleanField(default=True)

    objects = CompanyQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["phone_e164"])

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "companies"
        indexes = [models.Index(fields=["phone_e164"], condition=~Q(phone_e164=""), name="company_by_phone")]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Save the company. Its contacts' numbers follow its country (Q1)."""
        self.phone_e164 = in_e164(self.phone, self.country)
        super().save(*args, update_fields=_with_number(update_fields), **kwargs)
        if update_fields is None or "country" in update_fields:
            for contact in self.contacts.exclude(phone=""):
                number = in_e164(contact.phone, self.country)
                if number != contact.phone_e164:
                    Contact.objects.filter(pk=contact.pk).update(phone_e164=number)


class CompanyClosureDay(models.Model):
    """A day on which a customer is closed although it is no public holiday (F3)."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="closure_days")
    day = models.DateField()
    name = models.CharField(max_length=80, blank=True)

    class Meta:
        ordering = ["day"]
        constraints = [models.UniqueConstraint(fields=["company", "day"], name="one_closure_per_company_day")]
        verbose_name = "closure day"

    def __str__(self) -> str:
        return f"{self.day} {self.name}".strip()


class ContactQuerySet(models.QuerySet["Contact"]):
    def help_desk(self) -> ContactQuerySet:
        """Those of a corporate help desk who are still there (D3, D9)."""
        return self.filter(is_help_desk=True, active=True)

    def may_sign_in(self) -> ContactQuerySet:
        """Whom the support page lets in: the help desk of a company that is a customer (P1, D9), with its company."""
        return self.help_desk().filter(company__active=True).exclude(email="").select_related("company")

    def at_address(self, address: str) -> ContactQuerySet:
        """Those who are reached there, in capitals or small letters."""
        return self.filter(email__iexact=address)

    def visible_to(self, user: Any) -> ContactQuerySet:
        """The contacts of the companies this person may read (A1)."""
        if user.is_authenticated and user.may(Right.READ_EVERY_CASE):
            return self
        return self.filter(company__in=Company.objects.visible_to(user))


class Contact(models.Model):
    """A person at a company; `is_help_desk` marks the corporate help desk, who alone open cases (D3)."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="contacts")
    name = models.CharField(max_length=120)
    email = models.EmailField(blank=True, validators=[validate_mailable])
    phone = models.CharField(max_length=40, blank=True)
    phone_e164 = models.CharField(max_length=16, blank=True, editable=False)  # `phone`, to find a caller by (Q1)
    is_help_desk = models.BooleanField("corporate help desk", default=False)
    preferred_means = models.CharField(
        "preferred means of contact", max_length=5, choices=MeansOfContact.choices, default=MeansOfContact.EMAIL
    )
    language = models.CharField(
        max_length=2, choices=Language.choices, blank=True, help_text="Empty: the company's language."
    )
    active = models.BooleanField(default=True)

    objects = ContactQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["phone_e164"])

    class Meta:
        ordering = ["name"]
        indexes = [
            models.Index(fields=["email"], name="contact_by_email"),
            models.Index(fields=["phone_e164"], condition=~Q(phone_e164=""), name="contact_by_phone"),
            models.Index(Upper("email"), name="contact_by_address"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.company})"

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Save the contact with their number as it is dialled from anywhere (Q1)."""
        self.phone_e164 = in_e164(self.phone, self.company.country) if self.phone else ""
        super().save(*args, update_fields=_with_number(update_fields), **kwargs)

    @property
    def speaks(self) -> str:
        """The language to serve this person in: their own, else their company's."""
        return self.language or self.company.language

    @property
    def reads(self) -> str:
        """The language in which the desk writes to them by itself (M4): the one they speak, else English."""
        return self.speaks if self.speaks in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


class Passkey(models.Model):
    """A key of a contact's device with which they sign in to the support page, added after a code (P1).

    It belongs to the address that the code proved: whoever is reached there now, and nobody who comes after them.
    """

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="passkeys")
    address = models.EmailField(help_text="The contact's address when it was added; it is of no use at another one.")
    name = models.CharField(max_length=80)
    credential_id = models.CharField(max_length=1400, unique=True, help_text="base64url")
    credential = models.TextField(help_text="Id and public key, as CTAP writes them, in base64url.")
    uses = models.PositiveBigIntegerField(default=0, help_text="What the device counted; one that goes back is a copy.")
    added_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["added_at", "pk"]

    def __str__(self) -> str:
        return f"passkey {self.name} of {self.contact.name}"


class SignInCode(models.Model):
    """A code that was asked for on the support page (P1): good once, for a few minutes, in one browser, three tries.

    The browser's session knows which row is its own. A row without a contact stands for an address that nobody has.
    """

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, null=True, blank=True, related_name="sign_in_codes")
    digest = models.CharField(max_length=64, help_text="Of the code, and of what only the browser's session knows.")
    tries = models.PositiveSmallIntegerField(default=0)
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["asked_at"], name="sign_in_code_by_time")]
        verbose_name = "sign-in code"

    def __str__(self) -> str:
        return f"code for {self.contact or 'nobody known'}"


class FailedSignIn(models.Model):
    """A try to sign in that failed, of staff or on the support page: it was wrong, or nobody has the name."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="failed_sign_ins")
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, null=True, blank=True, related_name="failed_sign_ins"
    )
    on_support_page = models.BooleanField("on the support page", default=False)
    address = models.CharField(max_length=45, blank=True, help_text="Where it came from.")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["-at", "-id"], name="failed_sign_in_by_time")]
        verbose_name = "failed sign-in"

    def __str__(self) -> str:
        where = " on the support page" if self.on_support_page else ""
        who = self.user or self.contact or "nobody known"
        return f"failed sign-in{where} as {who} from {self.address or 'an unknown address'}"
