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
    PAGE = "page", "On the support page"
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
    PAGE = "page", "Support page"
    NOTE = "note", "Internal note"

    @property
    def in_sentence(self) -> str:
        """“by phone”, “on the support page”."""
        return "on the support page" if self is Channel.PAGE else f"by {self.label.lower()}"


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
    REASSIGNED = "reassigned", "Handed over"
    TAKEN_OVER = "taken_over", "Taken over"
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


#: A message in one of these states is known not to have arrived.
WENT_WRONG = (MailStatus.FAILED, MailStatus.BOUNCED)
#: Its reader did not get a message in one of these states.
LOST = frozenset({*WENT_WRONG, MailStatus.DROPPED})


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
SECRET_MESSAGES = ("password_link", "sign_in_code")
#: Messages with figures about colleagues: read by whoever may read reports (W4).
REPORT_MESSAGES = ("report",)


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


class WorkKind(TextChoices):
    """What can be wanted of somebody on a case (W1), as a column of a list names it; of several at one moment the first
    goes first.
    """

    DECISION = "decision", "Decision"
    RESPONSE = "response", "First response"
    QUESTION = "question", "Answer"
    WORD = "word", "After closing"
    CALL = "call", "Call"
    UPDATE = "update", "Update"
    HELD_UP = "held_up", "Held up"
    ABSENCE = "absence", "Absence"
    TRIAGE = "triage", "Triage"
    SEVERITY = "severity", "Severity"
    START = "start", "Start work"
    HANDOVER = "handover", "Hand-over"


class WorkGroup(TextChoices):
    """The headings of a desk (W1): by when something is wanted of the reader, and for whoever watches over the cases of
    others by what is wrong, in the order in which they stand.
    """

    DECIDE = "decide", "To decide"
    UNANSWERED = "unanswered", "Nobody has answered yet"
    WORDS = "words", "Written after closing"
    HELD_UP = "held_up", "Nothing reaches the customer"
    OVERDUE = "overdue", "Overdue"
    NOW = "now", "Now"
    TODAY = "today", "Today"
    LATER = "later", "Later"
    WAITING = "waiting", "Waiting for the customer"


class Door(TextChoices):
    """How a message came in (M5)."""

    MAILDIR = "maildir", "Maildir"
    IMAP = "imap", "IMAP mailbox"
    COMMAND = "command", "Command line"
    HOOK = "hook", "Mail service"


class ReceivedKind(TextChoices):
    """Who speaks in a message (M6); as `cases.mail.incoming.MessageKind`."""

    PERSON = "person", "Person"
    OUT_OF_OFFICE = "out_of_office", "Out of office"
    AUTOMATIC = "automatic", "Automatic"
    BOUNCE = "bounce", "Not delivered"
    DELAY = "delay", "Delayed"
    UNREADABLE = "unreadable", "Not readable"


class MatchedBy(TextChoices):
    """What tells to which case a message belongs (M5)."""

    REFERENCES = "references", "It answers a message of ours"
    ADDRESS = "address", "The signed address it was sent to"
    PERSON = "person", "Somebody on the desk said so"


class ReceivedOutcome(TextChoices):
    """What became of a message (M5)."""

    TRIAGE = "triage", "Waits for a person"
    LOGGED = "logged", "Logged on the case"
    OPENED = "opened", "Opened a case"
    ABSENCE = "absence", "Noted as an absence"
    ANSWER = "answer", "Answered the question for the status"
    BOUNCE = "bounce", "A message of ours did not arrive"
    DELAY = "delay", "A message of ours is late"
    TURNED_AWAY = "turned_away", "Turned away"
    PASSED_ON = "passed_on", "Passed on to the account manager"
    NOTHING = "nothing", "Nothing to do"
    DISMISSED = "dismissed", "Dismissed"


class TriageDecision(TextChoices):
    """What a person does with a message that waits in triage (M5)."""

    ATTACH = "attach", "Attach to a case"
    OPEN = "open", "Open a case"
    PASS_ON = "pass_on", "Pass on to the account manager"
    DISMISS = "dismiss", "Dismiss"


class AbsenceState(TextChoices):
    """What is known of an absence (F5)."""

    READ = "read", "Read from the note, to be confirmed"
    UNREAD = "unread", "Dates not readable"
    CONFIRMED = "confirmed", "Confirmed"
    DISMISSED = "dismissed", "Not an absence"


class QueueKind(TextChoices):
    """What waits for a technician (section 10)."""

    CALL = "call", "Call"
    CHAT = "chat", "Chat"


class QueueState(TextChoices):
    """Where a caller stands in the queue (Q1, Q2)."""

    WAITING = "waiting", "Waiting"
    OFFERED = "offered", "Offered"
    TALKING = "talking", "Talking"
    ENDED = "ended", "Ended"


class QueueEnding(TextChoices):
    """How it ended with a caller (Q1, Q3)."""

    SPOKEN = "spoken", "Spoken with"
    ABANDONED = "abandoned", "Hung up before anybody answered"
    CALLED_AGAIN = "called_again", "Called again before we called back"
    UNREACHED = "unreached", "Not reached when we called back"
    LOST = "lost", "Lost: the telephone system said no more"
    WITHDRAWN = "withdrawn", "Nothing to call back for"
    MESSAGE = "message", "Became a message on the case"  # of a chat (P6)


#: Somebody wanted us and nobody spoke with them.
MISSED_ENDINGS = (QueueEnding.ABANDONED, QueueEnding.UNREACHED, QueueEnding.LOST)


class CallEventKind(TextChoices):
    """What a telephone system tells of a call (Q1)."""

    ARRIVED = "arrived", "Arrived"
    ANSWERED = "answered", "Answered"
    ENDED = "ended", "Ended"
    CALLBACK = "callback", "Asked to be called back"


class Availability(TextChoices):
    """Whether a technician can be offered a call (Q2)."""

    FREE = "free", "Free"
    OFFERED = "offered", "Offered one"
    TALKING = "talking", "Talking"
    WRAPPING_UP = "wrapping_up", "Wrapping up"
    AWAY = "away", "Away"
