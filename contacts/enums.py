"""The words of the desk for people: roles, levels, means of contact, rights. Plain enums, no database."""

from enum import StrEnum


class Term(StrEnum):
    """A word of the trade with a label for people; usable as the choices of a field."""

    label: str

    def __new__(cls, value: str, label: str = "") -> "Term":
        """Build the word from its stored value and the label people read."""
        word = str.__new__(cls, value)
        word._value_ = value
        word.label = label or value.replace("_", " ").capitalize()
        return word

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        """(stored value, label) pairs in their order."""
        return [(word.value, word.label) for word in cls]


class Role(Term):
    """What somebody is at the desk (rules, section 1)."""

    TECHNICIAN = "technician", "Technician"
    ACCOUNT_MANAGER = "account_manager", "Account manager"
    CUSTOMER_ENGINEER = "customer_engineer", "Customer engineer"
    SUPPORT_MANAGER = "support_manager", "Support manager"
    CSM = "csm", "Customer service manager"
    CS_DIRECTOR = "cs_director", "Customer service director"
    COO = "coo", "Chief operating officer"


#: The roles that a holder fills, for the whole desk or for one support centre (D4).
MANAGEMENT_ROLES = (Role.SUPPORT_MANAGER, Role.CSM, Role.CS_DIRECTOR, Role.COO)


class Level(Term):
    """How deep a technician goes; ownership goes to L3 by the schedule (E7)."""

    L2 = "L2", "L2"
    L3 = "L3", "L3"


class MeansOfContact(Term):
    """How somebody prefers to be reached."""

    PHONE = "phone", "Phone"
    EMAIL = "email", "Email"
    CHAT = "chat", "Chat"


class Language(Term):
    """Languages the desk speaks or is asked for."""

    ENGLISH = "en", "English"
    JAPANESE = "ja", "Japanese"
    FRENCH = "fr", "French"
    GERMAN = "de", "German"
    SPANISH = "es", "Spanish"
    ITALIAN = "it", "Italian"
    PORTUGUESE = "pt", "Portuguese"
    DUTCH = "nl", "Dutch"
    HINDI = "hi", "Hindi"


class Right(Term):
    """What can be allowed to somebody (A1)."""

    READ_EVERY_CASE = "read_every_case"
    READ_OWN_COMPANIES = "read_own_companies"
    WORK_CASES = "work_cases"
    ADD_NOTES = "add_notes"
    REQUEST_ESCALATION = "request_escalation"
    DECIDE_REQUESTS = "decide_requests"
    DECIDE_PASSED_ON = "decide_passed_on"  # E9: requests that nobody decided in time
    REASSIGN = "reassign"
    EDIT_DIRECTORY = "edit_directory"
    EDIT_SCHEDULE = "edit_schedule"
    WATCH_THE_ENGINE = "watch_the_engine"


_READER = frozenset({Right.READ_EVERY_CASE})
_TECHNICIAN = _READER | {Right.WORK_CASES, Right.ADD_NOTES, Right.REQUEST_ESCALATION}

#: A1, once: who may do what. Everything that asks, asks this table.
RIGHTS: dict[Role, frozenset[Right]] = {
    Role.TECHNICIAN: _TECHNICIAN,
    Role.ACCOUNT_MANAGER: frozenset({Right.READ_OWN_COMPANIES, Right.ADD_NOTES, Right.REQUEST_ESCALATION}),
    Role.CUSTOMER_ENGINEER: frozenset({Right.READ_OWN_COMPANIES}),
    Role.SUPPORT_MANAGER: _TECHNICIAN
    | {
        Right.DECIDE_REQUESTS,
        Right.REASSIGN,
        Right.EDIT_DIRECTORY,
        Right.EDIT_SCHEDULE,
        Right.WATCH_THE_ENGINE,
    },
    Role.CSM: _READER | {Right.WATCH_THE_ENGINE, Right.DECIDE_PASSED_ON},
    Role.CS_DIRECTOR: _READER | {Right.WATCH_THE_ENGINE},
    Role.COO: _READER | {Right.WATCH_THE_ENGINE},
}
