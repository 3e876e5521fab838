"""Roles, levels, means of contact, languages and rights."""

from django.db.models import IntegerChoices, TextChoices


class Role(TextChoices):
    """What somebody is at the desk (rules, section 1)."""

    TECHNICIAN = "technician", "Technician"
    ACCOUNT_MANAGER = "account_manager", "Account manager"
    CUSTOMER_ENGINEER = "customer_engineer", "Customer engineer"
    SUPPORT_MANAGER = "support_manager", "Support manager"
    CSM = "csm", "Customer service manager"
    CS_DIRECTOR = "cs_director", "Customer service director"
    COO = "coo", "Chief operating officer"

    @property
    def in_sentence(self) -> str:
        """“account manager”, “COO”."""
        return self.name if self in (Role.CSM, Role.COO) else self.label.lower()


#: The roles that have a holder, for the whole desk or for one support centre (D4).
MANAGEMENT_ROLES = (Role.SUPPORT_MANAGER, Role.CSM, Role.CS_DIRECTOR, Role.COO)


class Level(TextChoices):
    """The level of a technician. The escalation schedule hands cases to L3 (E7)."""

    L2 = "L2", "L2"
    L3 = "L3", "L3"


class MeansOfContact(TextChoices):
    PHONE = "phone", "Phone"
    EMAIL = "email", "Email"
    CHAT = "chat", "Chat"


class Language(TextChoices):
    ENGLISH = "en", "English"
    JAPANESE = "ja", "Japanese"
    FRENCH = "fr", "French"
    GERMAN = "de", "German"
    SPANISH = "es", "Spanish"
    ITALIAN = "it", "Italian"
    PORTUGUESE = "pt", "Portuguese"
    DUTCH = "nl", "Dutch"
    HINDI = "hi", "Hindi"


class Right(TextChoices):
    """What a role may do (A1)."""

    READ_EVERY_CASE = "read_every_case", "Read every case"
    READ_OWN_COMPANIES = "read_own_companies", "Read own companies"
    WORK_CASES = "work_cases", "Work cases"
    ADD_NOTES = "add_notes", "Add notes"
    REQUEST_ESCALATION = "request_escalation", "Request escalation"
    DECIDE_REQUESTS = "decide_requests", "Decide requests"
    DECIDE_PASSED_ON = "decide_passed_on", "Decide passed on"  # E9: requests that nobody decided in time
    REASSIGN = "reassign", "Reassign"
    EDIT_DIRECTORY = "edit_directory", "Edit directory"
    EDIT_SCHEDULE = "edit_schedule", "Edit schedule"
    WATCH_THE_ENGINE = "watch_the_engine", "Watch the engine"
    PREVIEW_MAIL = "preview_mail", "Preview mail"
    READ_REPORTS = "read_reports", "Read reports"  # W4: of the cases that they may read


_READER = frozenset({Right.READ_EVERY_CASE})
_TECHNICIAN = _READER | {Right.WORK_CASES, Right.ADD_NOTES, Right.REQUEST_ESCALATION}

#: Who looks after companies of their own (W4).
LOOKING_AFTER = (Role.ACCOUNT_MANAGER, Role.CUSTOMER_ENGINEER)

#: The only table of rights (A1): `User.may` reads it.
RIGHTS: dict[Role, frozenset[Right]] = {
    Role.TECHNICIAN: _TECHNICIAN,
    Role.ACCOUNT_MANAGER: frozenset(
        {Right.READ_OWN_COMPANIES, Right.ADD_NOTES, Right.REQUEST_ESCALATION, Right.READ_REPORTS}
    ),
    Role.CUSTOMER_ENGINEER: frozenset({Right.READ_OWN_COMPANIES, Right.ADD_NOTES, Right.READ_REPORTS}),
    Role.SUPPORT_MANAGER: _TECHNICIAN
    | {
        Right.DECIDE_REQUESTS,
        Right.REASSIGN,
        Right.EDIT_DIRECTORY,
        Right.EDIT_SCHEDULE,
        Right.WATCH_THE_ENGINE,
        Right.PREVIEW_MAIL,
        Right.READ_REPORTS,
    },
    Role.CSM: _READER | {Right.WATCH_THE_ENGINE, Right.DECIDE_PASSED_ON, Right.READ_REPORTS},
    Role.CS_DIRECTOR: _READER | {Right.WATCH_THE_ENGINE, Right.READ_REPORTS},
    Role.COO: _READER | {Right.WATCH_THE_ENGINE, Right.READ_REPORTS},
}


class Bundling(IntegerChoices):
    """How often a member of staff gets mail that does not press, in minutes (T3). Each divides the longer ones."""

    AT_ONCE = 0, "At once"
    QUARTER = 15, "Together, every 15 minutes"
    HALF_HOUR = 30, "Together, every 30 minutes"
    HOUR = 60, "Together, every hour"
