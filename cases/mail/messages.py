"""Every message of the desk in one table: who reads it, whether a person wrote it, when it may still be sent (M1).

A message's name is that of its templates, `templates/mail/<name>_subject.txt` and `<name>.txt`. Names stay as they
are: mail that was queued before an upgrade is rendered after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cases.enums import FollowUpStep, SendCondition


class Readers(Enum):
    """Who reads a message. Customers get no address of the admin and no internal word."""

    CUSTOMER = "customer"
    STAFF = "staff"


@dataclass(frozen=True)
class Routine:
    """A message that the desk sends again and again by itself; the timeline folds it."""

    one: str  # “update to the customer”
    many: str
    #: What copies sent to several people at once are called, “Status update”; "" if each stands for itself.
    together: str = ""
    place: int = 50  # among the other routines of a fold


@dataclass(frozen=True)
class Message:
    """A kind of message."""

    name: str
    to: Readers
    condition: SendCondition = SendCondition.ALWAYS  # what must still hold when it is sent
    by_person: bool = False  # a person's own words: no automatic mail, so an absence note may answer it (M3, F5)
    is_update: bool = False  # a status update to the customer (T2)
    step: FollowUpStep | None = None  # of a waiting plan, if it is always written for the same one
    routine: Routine | None = None
    in_timeline: bool = True  # False: what it says stands in the timeline in other entries
    gist: str = ""  # what its reader gets, in a sentence: “the question”; by default its label


class UnknownMessage(LookupError):
    """No message has this name."""


CUSTOMER, STAFF = Readers.CUSTOMER, Readers.STAFF
OPEN, WAITING, RAISED, OWED = SendCondition.OPEN, SendCondition.WAITING, SendCondition.RAISED, SendCondition.OWED

MESSAGES = {
    message.name: message
    for message in (
        # the life of a case
        Message("case_opened", CUSTOMER),
        Message("question", CUSTOMER, WAITING, by_person=True, gist="the question"),
        Message("message", CUSTOMER, by_person=True),
        Message("resolved", CUSTOMER, gist="word that the case is closed, and why"),
        Message("case_reopened", CUSTOMER, gist="word that it is reopened"),
        Message("closed_no_response", CUSTOMER, gist="word that the case is closed for no response"),
        Message("new_case", STAFF),
        Message("nobody_on_duty", STAFF),
        Message("severe_case", STAFF),
        Message("severity_raised", STAFF, RAISED, gist="the raised severity"),
        Message("critical_case", STAFF),
        Message("contract_question", STAFF),
        Message("contract_question_passed_on", CUSTOMER),
        Message("turned_away", CUSTOMER, gist="whom at their company to turn to"),
        Message("reassigned", STAFF, OPEN),
        Message("owner_changed", STAFF, OPEN),
        Message("cases_reassigned", STAFF),
        Message("owners_changed", STAFF),
        Message("reopened", STAFF, gist="word that it is reopened"),
        Message("word_on_resolved", STAFF),
        Message("contact_logged", STAFF, in_timeline=False),
        # waiting for the customer (section 4)
        Message("notice_1", CUSTOMER, WAITING, step=FollowUpStep.NOTICE_1),
        Message("notice_2", CUSTOMER, WAITING, step=FollowUpStep.NOTICE_2),
        Message("notice_final", CUSTOMER, WAITING, step=FollowUpStep.FINAL),
        Message("attempt", CUSTOMER, WAITING),
        Message("attempt_last", CUSTOMER, WAITING),
        Message("closing_announced", CUSTOMER, WAITING, step=FollowUpStep.ANNOUNCED),
        Message("call_customer", STAFF, WAITING),
        Message("asleep_long", STAFF, WAITING),
        Message("absence_unclear", STAFF, OPEN),
        Message("absence_noted", STAFF, OPEN),
        Message("unreachable", STAFF),
        Message("contact_left", STAFF, WAITING),
        Message("wait_held_up", STAFF, WAITING),
        # status updates (T2, T3, E8)
        Message(
            "status_update",
            CUSTOMER,
            OWED,
            is_update=True,
            gist="a status update",
            routine=Routine("status update to the customer", "status updates to the customer", "Status update", 10),
        ),
        Message("status_by_person", CUSTOMER, by_person=True, is_update=True),
        Message("status_by_person_to_staff", STAFF),
        Message("status_answer", STAFF),
        Message("staff_lines", STAFF, in_timeline=False),
        Message("daily_digest", STAFF, in_timeline=False),
        # escalations (section 5)
        Message("escalation", STAFF, OPEN),
        Message("question_inherited", STAFF, OPEN, gist="the open question for the status"),
        Message("management_attention", STAFF, OPEN, gist="management's attention is asked for"),
        Message("escalation_request", STAFF, OPEN),
        Message("escalation_asked_for", STAFF, OPEN),
        Message("escalation_request_passed_on", STAFF, OPEN),
        Message("escalation_request_outcome", STAFF, gist="the outcome of the request"),
        Message("escalation_request_accepted", CUSTOMER, gist="word that the escalation is accepted"),
        Message("escalation_request_declined", CUSTOMER, gist="word that the escalation is declined"),
        # hand-over (W3)
        Message("handover_sheet", STAFF),
        Message("handover_not_accepted", STAFF),
        # the queue (section 10)
        Message("callback_missed", STAFF),
        Message("caller_unreached", STAFF),
        Message("callers_missed", STAFF),
        # the desk itself
        Message("mail_failed", STAFF),
        Message("recovery_report", STAFF),
        Message("report", STAFF, in_timeline=False),
        Message("password_link", STAFF),
        Message("password_changed", STAFF),
        Message("second_factor_changed", STAFF),
        # the support page (section 9)
        Message("sign_in_code", CUSTOMER, in_timeline=False),
        Message("chat_transcript", CUSTOMER, gist="the transcript of their chat"),
    )
}

CUSTOMER_UPDATES = tuple(message.name for message in MESSAGES.values() if message.is_update)
MESSAGE_OF_STEP = {message.step: message.name for message in MESSAGES.values() if message.step is not None}


def message_named(name: str) -> Message:
    """Raises UnknownMessage."""
    try:
        return MESSAGES[name]
    except KeyError:
        raise UnknownMessage(f"There is no message “{name}”; add it to cases/mail/messages.py.") from None


def gist_of(name: str) -> str:
    """What the reader of a message gets, in a sentence: “the question”."""
    return (message := message_named(name)).gist or message_label(message.name).lower()


def message_label(name: str) -> str:
    """What a message is called on pages, “Notice final”; also one that an earlier version of the desk sent."""
    return name.replace("_", " ").capitalize()
