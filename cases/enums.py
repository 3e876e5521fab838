"""The words of a case: severity, status, why it closes, why it waits, what moved it. Plain enums, no database."""

from django.db.models import TextChoices


class Severity(TextChoices):
    """How bad it is (C2), worst first."""

    CRITICAL = "critical", "Critical"
    HIGH = "high", "High"
    MEDIUM = "medium", "Medium"
    LOW = "low", "Low"


class Status(TextChoices):
    """Exactly four (C4)."""

    ASSIGNED = "assigned", "Assigned"
    IN_PROGRESS = "in_progress", "In Progress"
    WAITING = "customer_update_required", "Customer Update Required"
    RESOLVED = "resolved", "Resolved"


class Resolution(TextChoices):
    """Why a case closes (C4)."""

    CONFIRMED = "customer_confirmed", "Customer confirmed the solution"
    NOT_PURSUED = "not_pursued", "Customer cannot pursue it further"
    NO_RESPONSE = "no_response", "No response from the customer"


class AgreedBy(TextChoices):
    """How the customer agreed that a case is solved (C4)."""

    PHONE = "phone", "On the phone"
    CHAT = "chat", "In a chat"
    EMAIL = "email", "By email"
    LOGGED = "logged", "In a contact that is logged already"


class WaitReason(TextChoices):
    """Why we wait for the customer (F1)."""

    INFORMATION = "information", "Information asked for"
    CANNOT_NOW = "cannot_now", "Customer cannot address it now"
    CONFIRM = "confirm", "Asked to confirm the solution"


class WaitPlan(TextChoices):
    """How patiently we follow up (F1): the reason picks one, the technician may choose the other."""

    PENDING_CLIENT_ACTION = "pending", "Pending client action"
    THREE_CONTACTS = "three_contacts", "Three contacts"


class Channel(TextChoices):
    """How a contact about a case was made (C3)."""

    PHONE = "phone", "Phone"
    CHAT = "chat", "Chat"
    EMAIL = "email", "Email"
    NOTE = "note", "Internal note"


class Direction(TextChoices):
    """Who turned to whom (C3)."""

    IN = "in", "From the customer"
    OUT = "out", "To the customer"
    INTERNAL = "internal", "Internal"


class CallOutcome(TextChoices):
    """How a call or chat of ours went (F3): a response, an attempt that the customer sees, or one that they do not."""

    REACHED = "reached", "Reached them"
    LEFT_MESSAGE = "left_message", "Left a message"
    NO_ANSWER = "no_answer", "No answer"


class Affected(TextChoices):
    """Who is affected, the answer at intake that suggests the severity (C1, C2)."""

    EVERYBODY = "everybody", "Everybody: the whole population is kept from regular business"
    MANY = "many", "A significant percentage"
    SOME = "some", "A small percentage"
    ONE = "one", "One user"
    NOBODY = "nobody", "Nobody: a request for information"


class Impact(TextChoices):
    """How hard it hits those affected (C2)."""

    CATASTROPHIC = "catastrophic", "Catastrophic"
    MAJOR = "major", "Major"
    SIGNIFICANT = "significant", "Significant"
    MINOR = "minor", "Minor"


class Move(TextChoices):
    """What changed a case; every history row names one (C5)."""

    OPENED = "opened", "Opened"
    IMPORTED = "imported", "Imported"
    STARTED = "started", "Work started"
    ASKED = "asked", "Customer asked"
    TAKEN_BACK = "taken_back", "Question taken back"
    RESPONDED = "responded", "Customer responded"
    RESOLVED = "resolved", "Resolved"
    REOPENED = "reopened", "Reopened"
    SEVERITY = "severity", "Severity changed"
    REASSIGNED = "reassigned", "Reassigned"
    EDITED = "edited", "Details edited"
    FOLLOWED_UP = "followed_up", "Followed up"
    ESCALATED = "escalated", "Escalated"
    MOVED = "moved", "Moved to another schedule version"


class MailStatus(TextChoices):
    """What happened to a message (M1)."""

    QUEUED = "queued", "Queued"
    SENT = "sent", "Sent"
    FAILED = "failed", "Failed"
    BOUNCED = "bounced", "Bounced"
    DROPPED = "dropped", "Not sent: no longer true"


class SendCondition(TextChoices):
    """The reason for a message that must still hold when it is sent (M1)."""

    ALWAYS = "", "Always"
    OPEN = "open", "While the case is open"
    WAITING = "waiting", "While the case waits in the same episode"
    RAISED = "raised", "While the case is as severe as it says"
    OWED = "owed", "While a status update is owed, and this is the newest"


#: Messages that only inform about a case and can be switched off, each by its name (D6).
NOTICES = ("severe_case", "severity_raised", "critical_case", "waiting_case")

#: Messages that open an account: read by administrators only, and forgotten when they have left (A3).
SECRET_MESSAGES = ("password_link",)


class FollowUpStep(TextChoices):
    """The steps of following up on a wait, as the ledger names them (F2 to F5)."""

    # pending client action (F2)
    NOTICE_1 = "notice-1", "First notice"
    NOTICE_2 = "notice-2", "Second notice"
    FINAL = "final", "Final notice"
    # three contacts (F3, F4)
    CALL_1 = "call-1", "Owner told to call for the first attempt"
    ATTEMPT_1 = "attempt-1", "First attempt"
    CALL_2 = "call-2", "Owner told to call for the second attempt"
    ATTEMPT_2 = "attempt-2", "Second attempt"
    CALL_3 = "call-3", "Owner told to call for the third attempt"
    ATTEMPT_3 = "attempt-3", "Third attempt"
    ANNOUNCED = "announced", "Closing announced"
    # both
    CONTACT_LEFT = "left", "Owner asked to choose another contact"
    HELD_UP = "held-up", "Support Manager told that the wait is held up"
    OWNER_DECIDES = "decides", "Owner asked how to go on after 30 days of absence"
    RESOLVE = "resolve", "Closed for no response"


class AbsenceState(TextChoices):
    """What is known of an absence (F5)."""

    READ = "read", "Read from the note, to be confirmed"
    UNREAD = "unread", "Dates not readable"
    CONFIRMED = "confirmed", "Confirmed"
    DISMISSED = "dismissed", "Not an absence"
