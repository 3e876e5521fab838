"""Every message with sample facts: what the pages show of messages that nobody was sent (M4).

The facts have the keys and the phrases that the builders of the message write; the tests compare. What people wrote is
invented once for each language, as their mail would hold it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings

from cases.mail.messages import MESSAGES, Readers, message_named
from cases.mail.phrases import phrase
from cases.models import Mail
from contacts.directory import Addressee

Facts = dict[str, Any]

#: When each message is written, in a sentence.
PURPOSES = {
    "case_opened": "The receipt of a new case: its number, what is promised, and what is still missing.",
    "question": "A technician asks the customer something, and the case waits for the answer.",
    "message": "A member of staff writes to the customer from the case.",
    "resolved": "A case is closed, with its solution or because the customer does not pursue it.",
    "case_reopened": "A resolved case is worked on again.",
    "closed_no_response": "A case is closed because the customer did not answer.",
    "new_case": "A new case is assigned to its owner.",
    "nobody_on_duty": "A new case finds no technician who could own it.",
    "severe_case": "A new Critical or High case, to the Support Manager.",
    "severity_raised": "A severity was raised to High or Critical, to the Support Manager.",
    "critical_case": "A new Critical case, to the account manager of the company.",
    "contract_question": "A question about a contract or a bill, to the account manager.",
    "contract_question_passed_on": "Who answers their question about a contract or a bill, to the customer.",
    "turned_away": "Somebody who is not their corporate help desk wrote to us: whom at their company to turn to.",
    "reassigned": "A case is given to a new owner.",
    "owner_changed": "A case was given to somebody else, to its former owner.",
    "cases_reassigned": "Several cases are given to a new owner at once.",
    "owners_changed": "Several cases were given to somebody else at once, to their former owner.",
    "reopened": "A resolved case is open again, to its owner.",
    "word_on_resolved": "The customer turned to us about a resolved case.",
    "contact_logged": "Somebody else logged something on a case, to its owner.",
    "notice_1": "Pending client action: the first notice.",
    "notice_2": "Pending client action: the second notice.",
    "notice_final": "Pending client action: the final notice, which names when the case closes.",
    "attempt": "Three contacts: an attempt to reach the customer.",
    "attempt_last": "Three contacts: the last attempt, which names when the case closes.",
    "closing_announced": "A third attempt by phone is confirmed, or a closing is announced anew.",
    "call_customer": "The owner is asked to call a customer who prefers the phone.",
    "asleep_long": "A follow-up has slept for 30 days because the contact is out of office.",
    "absence_unclear": "The owner is asked to confirm the dates of an absence, or to say them.",
    "absence_noted": "Somebody else has noted that the contact of a case is out of office.",
    "unreachable": "A reminder could not be sent, because the contact has no address.",
    "contact_left": "The owner is asked for another contact, because theirs has left.",
    "wait_held_up": "Nothing reaches the customer of a waiting case, to the Support Manager.",
    "status_update": "The update that the desk writes by itself, so that a promise is kept.",
    "status_by_person": "A person's status update, to the customer.",
    "status_by_person_to_staff": "A person's status update, to the staff who are owed one.",
    "status_answer": "The owner's answer to the question for the status.",
    "staff_lines": "The digest of a sweep: reminders, updates, what nobody has answered, for all cases of a reader.",
    "daily_digest": "The morning's digest for whoever looks after companies: worst first, one mail over all of them.",
    "escalation": "A point of the escalation schedule is reached.",
    "question_inherited": "A new owner inherits an open question for the status.",
    "management_attention": "An accepted request with no point left: management's attention is asked for.",
    "escalation_request": "An escalation is requested, to the Support Manager, who decides.",
    "escalation_asked_for": "A customer asked for an escalation on the support page, to the account manager.",
    "escalation_request_passed_on": "A request that nobody has decided in time, to the Customer Service Manager.",
    "escalation_request_outcome": "What was decided on a request, to the account manager and the requester.",
    "escalation_request_accepted": "An escalation is accepted, to the customer.",
    "escalation_request_declined": "An escalation is declined, to the customer.",
    "handover_sheet": "What a centre hands over at the end of its day, to who is on duty at the centre that covers.",
    "handover_not_accepted": "What nobody has accepted of a hand-over, to the Support Manager.",
    "mail_failed": "A message could not be delivered.",
    "recovery_report": "The engine stood still for a while, and what came of it.",
    "report": "A report of the week before, to whoever wants it every Monday.",
    "password_link": "A link that sets somebody's password.",
    "password_changed": "Somebody's password was changed.",
    "second_factor_changed": "Somebody's authenticator app, passkey or recovery codes were changed.",
    "callback_missed": "A caller was not called back in time, to the Support Manager.",
    "caller_unreached": "Nobody answered when we called back, to the Support Manager.",
    "callers_missed": "Unknown callers hung up before anybody answered, to the Support Manager.",
    "sign_in_code": "The code that opens the customers' support page.",
    "chat_transcript": "A chat of the support page: asked for by its customer, or left before they read all of it.",
}


@dataclass(frozen=True)
class Words:
    """What people wrote, and who they are: the customer of the samples in one language."""

    time_zone: str
    contact: str
    colleague: str
    company: str
    title: str
    question: str
    message: str
    solution: str
    status: str
    news: str
    declined: str
    contract: str


ENGLISH = Words(
    time_zone="America/New_York",
    contact="Ana Ruiz",
    colleague="Ben Cole",
    company="Northwind Logistics",
    title="Nobody can print on the third floor",
    question="Which model are the printers?\n\nDo they show an error on their displays?",
    message="Our specialist has the log files. Please leave the print server as it is until tomorrow.",
    solution="The print server had lost its driver after the update. We installed version 7.2 and restarted it.",
    status="We can reproduce the fault, and the manufacturer is working on a new driver.",
    news="A new driver arrives this evening; we will try it on one printer first.",
    declined="A tested driver arrives tomorrow, and nobody else could be quicker with it.",
    contract="Does our contract cover the printers in the new building as well?",
)
JAPANESE = Words(
    time_zone="Asia/Tokyo",
    contact="佐藤 健一",
    colleague="鈴木 由美",
    company="北斗物流株式会社",
    title="3階のプリンターで印刷できない",
    question="プリンターの機種名をお知らせください。\n\nまた、本体の画面にエラーは表示されていますか。",
    message="ログファイルを受領しました。明日まで、プリントサーバーの設定は変更せずにお待ちください。",
    solution="更新後、プリントサーバーのドライバーが失われていました。バージョン7.2を導入し、再起動しました。",
    status="弊社でも現象を再現できました。現在、製造元が新しいドライバーを準備しています。",
    news="新しいドライバーは本日夕方に届きます。まず1台のプリンターで試験します。",
    declined="検証済みのドライバーが明日届く予定で、これ以上の短縮が難しいためです。",
    contract="新しい建物のプリンターも、現在の契約の対象になりますか。",
)
WORDS = {"en": ENGLISH, "ja": JAPANESE}

TINA, LENA, RUTH, OMAR = "Tina Berg", "Lena Vogt", "Ruth Lee", "Omar Haddad"
OPENED = datetime(2026, 6, 3, 12, 0, tzinfo=UTC)


def _after(hours: float) -> str:
    """A moment so long after the opening of the sample case."""
    return (OPENED + timedelta(hours=hours)).isoformat()


def sample_mail(name: str, language: str = "en", time_zone: str = "") -> Mail:
    """A message that is in no outbox, with sample facts, in a language of `WORDS`. Raises UnknownMessage.

    `time_zone` is that of a reader of staff.
    """
    to_staff = message_named(name).to is Readers.STAFF
    words = ENGLISH if to_staff else WORDS[language]
    to = (
        Addressee("staff@example.com", _STAFF_READERS.get(name, TINA), time_zone or "UTC")
        if to_staff
        else Addressee("customer@example.com", words.contact, words.time_zone, language=language)
    )
    return Mail(
        template=name,
        facts=sample_facts(name, words),
        to_name=to.name,
        to_address=to.address,
        time_zone=to.time_zone,
        language=to.language,
    )


def sample_facts(name: str, words: Words = ENGLISH) -> Facts:
    """The sample facts of a message. Raises KeyError for one that has none."""
    about = (_customer_facts(words) if MESSAGES[name].to is Readers.CUSTOMER else _staff_facts())[name]
    return about if name in _ABOUT_NO_CASE else {"case": _case(words), **about}


#: Messages about no case, or about several.
_ABOUT_NO_CASE = frozenset(
    {
        "contract_question",
        "contract_question_passed_on",
        "turned_away",
        "cases_reassigned",
        "owners_changed",
        "handover_sheet",
        "handover_not_accepted",
        "daily_digest",
        "recovery_report",
        "report",
        "password_link",
        "password_changed",
        "second_factor_changed",
        "callback_missed",
        "caller_unreached",
        "callers_missed",
        "sign_in_code",
    }
)
_STAFF_READERS = {
    "nobody_on_duty": RUTH,
    "severe_case": RUTH,
    "severity_raised": RUTH,
    "wait_held_up": RUTH,
    "escalation_request": RUTH,
    "recovery_report": RUTH,
    "report": RUTH,
    "callback_missed": RUTH,
    "handover_not_accepted": RUTH,
    "caller_unreached": RUTH,
    "callers_missed": RUTH,
    "critical_case": OMAR,
    "daily_digest": OMAR,
    "contract_question": OMAR,
    "escalation_request_outcome": OMAR,
    "management_attention": "Clara Diaz",
    "escalation_request_passed_on": "Clara Diaz",
    "status_answer": "Clara Diaz",
    "status_by_person_to_staff": "Clara Diaz",
    "escalation": "Clara Diaz",
    "handover_sheet": LENA,
    "reassigned": LENA,
    "cases_reassigned": LENA,
    "question_inherited": LENA,
}


def _case(words: Words, number: int = 1042, title: str = "", owner: str = TINA) -> Facts:
    return {
        "number": f"SD-{number:06}",
        "title": title or words.title,
        "severity": "High",
        "status": "In Progress",
        "company": words.company,
        "contact": words.contact,
        "owner": owner,
        "opened_at": OPENED.isoformat(),
        "url": f"{settings.SITE_URL}/admin/cases/case/{number}/change/",
    }


def _handover() -> Facts:
    """What a hand-over sheet says."""
    return {
        "giver": "London",
        "from_centre": "London",
        "to_centre": "Tokyo",
        "from_zone": "Europe/London",
        "to_zone": "Asia/Tokyo",
        "ends_at": _after(5),
        "back_at": _after(20),
        "url": f"{settings.SITE_URL}/admin/escalations/handoversheet/7/change/",
        "cases": [
            {
                "number": "SD-001042",
                "title": ENGLISH.title,
                "company": ENGLISH.company,
                "severity": "High",
                "owner": TINA,
                "stands": "In Progress. Ana Ruiz turned to us by phone on Wed 3 Jun, 17:20 BST: "
                "“It stopped again.” High 1 comes on Thu 4 Jun, 01:00 BST.",
                "language": "English",
                "owed": [{"what": "Tell the customer where it stands", "due_at": _after(7)}],
                "url": f"{settings.SITE_URL}/admin/cases/case/1042/change/",
            }
        ],
        "left_out": 0,
    }


# --- to customers ---


def _customer_facts(words: Words) -> dict[str, Facts]:
    working = phrase("%(owner)s goes on working on it", owner=TINA)
    informed = phrase("%(work)s, and we keep you informed.", work=working)
    contact = phrase("you are our contact for this issue")
    nothing = phrase("Nothing for now.")
    unless_changed = phrase("Nothing for now. If something has changed on your side, tell us.")
    answer = phrase("Please answer by replying to this message, or call us.")
    waiting = {
        "why": phrase("we are waiting for your answer to go on"),
        "expected": answer,
        "next": phrase("We remind you again; without an answer the case closes in the end."),
        "question": words.question,
        "waiting_since_at": _after(2),
        "closes_at": _after(170),
        "next_at": _after(98),
        "number": "",
        "again": False,
    }
    last = waiting | {
        "next": phrase("Without an answer the case closes; a word from you at any moment stops that."),
        "next_at": _after(170),
    }
    attempt = waiting | {
        "next": phrase("We try to reach you again; after three contacts without an answer the case closes."),
        "number": "first",
    }
    closed = {
        "why": contact,
        "expected": phrase("Nothing, if this is settled. Otherwise reply to this message."),
        "reopen_until_at": _after(24 * 14 + 20),
    }
    request = {"why": contact, "by_customer": True, "requested_at": _after(20), "next": informed}
    return {
        "case_opened": {
            "why": phrase("you reported this issue to us"),
            "expected": phrase("Please answer the questions below, all in one reply."),
            "next": phrase("%(work)s, and we keep you informed.", work=phrase("%(owner)s takes it up", owner=TINA)),
            "questions": [
                "Which operating system, in which version?",
                "Is one device affected, or several?",
                "Who is affected: one user, some, many, everybody?",
            ],
            "response_by_at": _after(1),
            "updates_every": "4 h",
            "update_by_at": _after(4),
            "japanese_opens_at": _after(12) if words is JAPANESE else "",
            "language": "en",
        },
        "question": {
            "why": contact,
            "expected": answer,
            "next": phrase(
                "We turn to you again if we do not hear from you; without an answer the case closes in the end."
            ),
            "next_at": _after(50),
            "question": words.question,
            "reason": "Information asked for",
        },
        "message": {
            "why": contact,
            "expected": phrase("Reply to this message if you have anything to add."),
            "next": phrase("We keep you informed."),
            "message": words.message,
            "sender": TINA,
            "also_to": [words.colleague],
        },
        "resolved": closed
        | {
            "next": phrase("If it comes back, tell us and we reopen the case."),
            "resolution": "Customer confirmed the solution",
            "solution": words.solution,
        },
        "closed_no_response": closed
        | {
            "next": phrase("Your answer reopens the case."),
            "resolution": "No response from the customer",
            "solution": "",
        },
        "case_reopened": {
            "why": phrase("you are our contact for this issue, which was resolved and is open again"),
            "expected": unless_changed,
            "next": phrase("%(work)s, and you hear from us at the latest:", work=working),
            "next_at": _after(30),
        },
        "contract_question_passed_on": {
            "company_id": None,
            "question": words.contract,
            "answers": OMAR,
            "why": phrase("you asked us about a contract or a bill"),
            "expected": nothing,
            "next": phrase("%(who)s answers you. For a technical issue, please turn to support as before.", who=OMAR),
        },
        "turned_away": {
            "company_id": None,
            "company": words.company,
            "about": words.title,
            "help_desk": [{"name": words.colleague, "reach": "+1 555 0100"}],
            "why": phrase("you wrote to us"),
            "expected": phrase("Turn to your help desk; they open a case with us."),
            "next": phrase("Nothing more by itself: we wait to hear from your help desk."),
        },
        "notice_1": waiting,
        "notice_2": waiting | {"next_at": _after(146)},
        "notice_final": last,
        "attempt": attempt,
        "attempt_last": last | {"number": "third"},
        "closing_announced": last,
        "status_update": {
            "said": words.status,
            "said_at": _after(6),
            "said_by": TINA,
            "contact": "",
            "besides": [words.news],
            "working": True,
            "owned": True,
            "late": False,
            "due_at": _after(10),
            "point": "",
            "point_at": "",
            "next_at": _after(14),
            "why": phrase("you are our contact for this issue, and we promised to keep you informed"),
            "expected": unless_changed,
            "next": phrase("%(work)s, and you hear from us again at the latest:", work=working),
        },
        "status_by_person": {
            "why": contact,
            "expected": phrase("Nothing for now. Reply to this message if you have anything to add."),
            "next": informed,
            "said": words.status,
            "sender": TINA,
            "besides": [words.news],
        },
        "sign_in_code": {
            "code": "4071 9328",
            "minutes": 10,
            "company_id": None,
            "why": phrase("somebody, perhaps you, asked for it on our support page"),
            "expected": phrase("Type the code where you asked for it. If you did not ask for it, do nothing."),
            "next": phrase("The code works once, and in that browser only. Nobody of us will ever ask you for it."),
        },
        "chat_transcript": {
            "why": phrase("you asked for it in the chat"),
            "expected": phrase("Reply to this message if you have anything to add."),
            "next": phrase("We keep you informed."),
            "lines": [
                {"said_at": _after(3), "who": words.contact, "said": words.title, "files": ["log.txt"]},
                {"said_at": _after(3.05), "who": TINA, "said": words.message, "files": []},
            ],
        },
        "escalation_request_accepted": request | {"expected": nothing, "attention": False, "every": "2 h"},
        "escalation_request_declined": request
        | {
            "expected": phrase(
                "Nothing for now. If the impact on your business changes, please tell us by replying to this message."
            ),
            "words": words.declined,
        },
    }


# --- to staff ---


def _staff_facts() -> dict[str, Facts]:
    words = ENGLISH
    return (
        _about_owners(words) | _about_waits(words) | _about_updates(words) | _about_escalations(words) | _of_the_desk()
    )


def _about_owners(words: Words) -> dict[str, Facts]:
    two = [_case(words, owner=LENA), _case(words, 1057, "The scanner in the warehouse is slow", LENA)]
    described = {"description": "Since the update on Tuesday nothing comes out of the three printers."}
    goes_on = "The case keeps its promises, and its escalation schedule goes on by itself."
    informs = {"expected": "Nothing for now; keep an eye on it.", **described}
    return {
        "new_case": {
            "why": "the case was assigned to you (L2 on duty in their business day, least loaded)",
            "expected": "Take it up and start work.",
            "next": "The customer phoned and is promised a first response.",
            "next_at": _after(1),
            **described,
        },
        "nobody_on_duty": {
            "why": "you are the Support Manager, and there is no active L2 technician to own this case",
            "expected": "Assign the case to somebody, and put a technician on duty.",
            "next": "The case keeps its promises meanwhile: its clocks run.",
            **described,
        },
        "severe_case": informs
        | {
            "why": "the Support Manager is told of every new Critical and High case; this one was opened as High",
            "next": "The escalation schedule runs from the opening.",
        },
        "severity_raised": informs
        | {
            "why": "the Support Manager is told of every case that becomes High",
            "next": "The escalation schedule of the new severity counts from the opening.",
            "severity": "high",
        },
        "critical_case": informs
        | {
            "why": f"the account manager is told of every new Critical case of {words.company}",
            "next": "The escalation schedule runs from the opening.",
        },
        "contract_question": {
            "company": words.company,
            "contact": words.contact,
            "address": "ana.ruiz@example.com or +1 555 0142",
            "question": words.contract,
            "sender": TINA,
            "number": "SD-001042",
            "why": f"questions about contracts and bills of {words.company} go to its account manager",
            "expected": f"Answer {words.contact} yourself: they were told that you do.",
            "next": "The desk does nothing more about it: it is no technical case.",
        },
        "reassigned": {
            "why": f"{RUTH} gave you this case",
            "expected": "Take it up.",
            "next": "Its promises and its escalation clock go on as they stand.",
            "reason": "You know this print server.",
        },
        "owner_changed": {
            "why": f"you owned this case until {RUTH} gave it to {LENA}",
            "expected": f"Tell {LENA} what is not written in the case.",
            "next": "You go on watching it, until you press “Stop watching” on its page.",
            "reason": "She knows this print server.",
        },
        "cases_reassigned": {
            "cases": two,
            "why": f"{RUTH} gave you these cases",
            "expected": "Take them up.",
            "next": "Their promises and their escalation clocks go on as they stand.",
            "reason": "Tina is on leave from tomorrow.",
        },
        "owners_changed": {
            "cases": two,
            "why": f"you owned these cases until {RUTH} gave them to somebody else",
            "expected": "Tell their owners what is not written in the cases.",
            "next": "You go on watching them, each until you press “Stop watching” on its page.",
            "reason": "You are on leave from tomorrow.",
        },
        "reopened": {
            "why": "you own this case",
            "expected": "Take it up again.",
            "next": "Within a day of its resolution its escalation clock goes on; later it starts anew.",
            "reason": "The printers stopped again after a restart.",
        },
        "word_on_resolved": {
            "why": "you own this case, which is resolved",
            "expected": "Read what the customer says; reopen the case, or mark it as handled.",
            "next": "If nobody has done either by then, the Support Manager is told.",
            "next_at": _after(52),
            "said": "Thank you, everything prints again.",
        },
        "contact_logged": {
            "why": "you own this case, and somebody else logged this on it",
            "expected": "Read it, and go on from there.",
            "next": goes_on,
            "what": "Phone call from the customer",
            "said": "It is the same model on every floor.",
            "sender": LENA,
            "speaker": "",
            "ends_wait": True,
        },
        "mail_failed": {
            "failed": {
                "to": "ana.ruiz@example.com",
                "subject": f"[SD-001042] About your case: {words.title}",
                "error": "550 5.1.1 No such user here",
            },
            "why": "you own this case",
            "expected": "Correct the address or reach the reader in another way, then send the message again.",
            "next": "Nothing more is tried by itself.",
        },
    }


def _about_waits(words: Words) -> dict[str, Facts]:
    note = "I am out of office until 8 June. In urgent cases please write to the help desk."
    return {
        "call_customer": {
            "why": "you own this case, and its contact prefers the phone",
            "expected": f"Call {words.contact} on +1 555 0142 today, and log the call on the case.",
            "next": "If no attempt is logged by then, the desk writes to them.",
            "next_at": _after(32),
            "number": "first",
            "phone": "+1 555 0142",
            "customer_now": "10:00",
            "draft": f"Hello {words.contact},\n\nI am writing about your case “{words.title}”. To go on we still need "
            f"your word on this:\n\n{words.question}\n\nCould you let us know, or tell me when a call suits you?",
        },
        "asleep_long": {
            "why": "you own this case, and its contact has been out of office for 30 days",
            "expected": "Decide how to go on: leave it asleep, wake the follow-up, ask somebody else there, or close "
            "it.",
            "next": "If you do nothing, the follow-up goes on when they are back.",
            "next_at": _after(24 * 40),
        },
        "absence_unclear": {
            "why": "you own this case, and its contact is out of office",
            "expected": "Confirm the dates on the case's page, or correct them.",
            "next": "The follow-up sleeps until they are back by these dates, whether or not you confirm them.",
            "note": note,
            "away_from": "Wed 3 June 2026",
            "back_on": "Mon 8 June 2026",
        },
        "absence_noted": {
            "why": "you own this case, and somebody else has noted that its contact is out of office",
            "expected": "Nothing, if that is right; else correct it on the case's page.",
            "next": "The follow-up sleeps until they are back; its later steps keep their distance.",
            "note": note,
            "noted_by": LENA,
            "summary": "Away from Wed 3 June, back on Mon 8 June",
        },
        "unreachable": {
            "why": "you own this case, and its contact has no email address",
            "expected": f"Reach {words.contact} by phone, or add an address: the first notice could not be sent.",
            "next": "The case stays open: it never closes without a notice that was sent.",
        },
        "contact_left": {
            "why": "you own this case, and it waits for a contact who has left",
            "expected": "Choose another contact on the case's page and ask them, or close the case.",
            "next": "Nothing is sent to them any more, and the follow-up stands still until you have. The Support "
            "Manager hears of it on each business day.",
            "what": f"{words.contact} has left",
        },
        "wait_held_up": {
            "why": "you are the Support Manager, and a wait for a customer is held up",
            "expected": "See that somebody acts: call them, correct the address, choose another contact, or close the "
            "case.",
            "next": "You hear of it again on each business day until somebody has.",
            "what": "“First notice” did not reach the customer: 550 5.1.1 No such user here",
            "since_at": _after(50),
        },
    }


def _about_updates(words: Words) -> dict[str, Facts]:
    upcoming = {
        "why": "updates on this case go to the customer service manager",
        "expected": "Nothing for now: this is to inform you.",
        "next": "If the case stays unresolved, the next point of the schedule comes by itself.",
        "next_at": _after(36),
        "said": words.status,
        "sender": TINA,
    }
    because = {"reminder": "you own cases on which a word is owed soon", "update": "you watch cases"}
    reminder = {
        "case": _case(words),
        "owed_to": "Customer and Customer service manager",
        "due_at": _after(10),
        "next_at": _after(10),
        "automatic": True,
        "unreachable": False,
        "because": because["reminder"],
    }
    update = {
        "case": _case(words, 1057, "The scanner in the warehouse is slow", LENA),
        "said": "A spare part is on its way.",
        "said_at": _after(5),
        "said_by": LENA,
        "contact": "",
        "besides": [],
        "working": True,
        "owned": True,
        "late": False,
        "due_at": _after(11),
        "point": "Medium 1",
        "point_at": _after(48),
        "next_at": _after(18),
        "because": because["update"],
    }
    return {
        "status_by_person_to_staff": upcoming | {"customer_too": True},
        "status_answer": upcoming | {"point": "High 1", "asked_at": _after(12), "for_customer": words.news},
        "daily_digest": _daily_digest(words),
        "staff_lines": {
            "sections": [
                {"name": "reminder", "title": "Your word is wanted", "lines": [reminder]},
                {"name": "update", "title": "How these cases stand", "lines": [update]},
            ],
            "cases": 2,
            "why": "; ".join(because.values()),
            "expected": "Say how your cases stand, by an update from their pages or by a call.",
            "next": "You hear again when one of these cases asks for it.",
            "next_at": _after(10),
        },
    }


def _daily_digest(words: Words) -> Facts:
    def line(number: int, title: str, severity: str, what: str, at: str, tone: str = "") -> Facts:
        return {
            "number": f"SD-{number:06}",
            "title": title,
            "company": words.company,
            "severity": severity,
            "what": what,
            "line_at": at,
            "tone": tone,
            "url": f"{settings.SITE_URL}/admin/cases/case/{number}/change/",
        }

    scanner, badge = "The scanner in the warehouse is slow", "Two badges do not open the gate"
    parts = {
        "risk": ("At risk or missed", [
            line(1042, words.title, "High", f"Overdue: Tell the customer where it stands ({TINA})", _after(19), "bad"),
            line(1057, scanner, "Medium", "Escalates soon: Medium 1, asks Lena Vogt", _after(23), "warn"),
        ]),
        "decide": ("Waits for a decision", [
            line(1042, words.title, "High", f"Escalation requested by {OMAR}", _after(21)),
        ]),
        "changed": ("What changed", [line(1066, badge, "Low", "Opened as Low", _after(2))]),
        "today": ("Due today", [line(1066, badge, "Low", f"Tell the customer where it stands ({LENA})", _after(26))]),
    }  # fmt: skip
    return {
        "parts": [
            {"name": name, "title": title, "count": len(lines), "lines": lines, "more": 0}
            for name, (title, lines) in parts.items()
        ],
        "counts": {name: len(lines) for name, (_, lines) in parts.items()},
        "since_at": _after(-4),
        "is_cut": False,
        "desk_url": f"{settings.SITE_URL}/admin/",
        "off_url": f"{settings.SITE_URL}/daily-digest/off/…/",
        "why": "you look after these companies, and want the daily digest",
        "expected": "Speak with the customers at the top, or with who owns their cases.",
        "next": "The next one comes in the morning of your next business day, if there is something to say.",
    }


def _about_escalations(words: Words) -> dict[str, Facts]:
    asked = {
        "origin": "The customer asked for it",
        "asked_by": words.contact,
        "impact": "The warehouse cannot print delivery notes, and two lorries wait.",
        "reason": "They have waited for two days.",
        "requested_by": OMAR,
        "requested_at": _after(20),
    }
    decided = asked | {"outcome": "accepted", "decided_by": RUTH, "decision": "The impact is larger than we knew."}
    decide = {"expected": "Accept or decline it on the page of the case. A decline needs a reason."}
    return {
        "escalation": {
            "why": "High 1 informs the Customer service manager",
            "expected": "Nothing for now: this is to inform you.",
            "next": "If the case stays unresolved, the next point of the schedule comes by itself.",
            "point": "High 1",
            "due_at": _after(12),
            "next_at": _after(36),
            "others": [],
            "late": False,
            "owner_was": "",
            "accepted": {},
            "asked": False,
            "takes_over": False,
            "description": "Since the update on Tuesday nothing comes out of the three printers.",
        },
        "question_inherited": {
            "why": "High 1 asked for the status of the case, nobody has answered yet, and it belongs to you now",
            "expected": "Say in a line where the case stands.",
            "next": "Without an answer the Support Manager is told.",
            "yours": True,
            "put_to": TINA,
            "next_at": _after(14),
            "point": "High 1",
            "asked_at": _after(12),
        },
        "management_attention": {
            "why": "you are the Customer Service Manager",
            "expected": "Look into the case and see that it gets what it needs.",
            "next": "Updates are owed at least every 4 h, until a Support Manager ends management's attention or the "
            "case is resolved.",
            **decided,
        },
        "escalation_request": {
            "why": "you are the Support Manager, who decides on requested escalations",
            **decide,
            "next": "Without a decision the request goes on to the Customer Service Manager.",
            "next_at": _after(21),
            "brings": "brings High 2 forward: emails Omar Haddad; the case goes to L3; updates: Customer every 4 h",
            **asked,
        },
        "escalation_asked_for": {
            "why": "you are the account manager of Northwind Logistics, which asked for this on the support page",
            "brings": "brings High 2 forward: emails Omar Haddad; the case goes to L3; updates: Customer every 4 h",
            "expected": "Nothing, unless you want to speak with them; the Support Manager decides.",
            "next": "You hear the outcome.",
            **asked,
        },
        "escalation_request_passed_on": {
            "why": "nobody has decided on this request in time, so it goes on to the Customer Service Manager",
            **decide,
            "next": "The Support Manager may still decide as well; whoever is first decides.",
            "decide_by_at": _after(21),
            "is_decision": False,
            **asked,
        },
        "escalation_request_outcome": {
            "why": f"you are the account manager of {words.company}",
            "expected": "Nothing for now: this is to inform you.",
            "next": "The case keeps its promises, and its escalation schedule goes on by itself.",
            **decided,
            "brought": "which brought High 2 forward",
            "words": "",
        },
    }


def _of_the_desk() -> dict[str, Facts]:
    call = {
        "caller": ENGLISH.contact,
        "company": ENGLISH.company,
        "phone": "+1 555 0142",
        "called_at": _after(1),
        "due_at": _after(2),
    }
    return {
        "callback_missed": {
            "why": "a caller was promised to be called back by now, and nobody has done it",
            "expected": "Have somebody call, or call yourself: take it on the board of the queue.",
            "next": "The callback keeps its place in the queue until somebody makes it.",
            **call,
            "tries": 0,
        },
        "caller_unreached": {
            "why": "we called somebody back as often as we do, and nobody answered",
            "expected": "Decide whether to reach them in another way.",
            "next": "Nothing more by itself; if they call again, they are served as everybody is.",
            **call,
            "tries": 3,
        },
        "callers_missed": {
            "why": "somebody called, nobody answered before they hung up, and nobody calls back whom we do not know",
            "expected": "Find out who it was, where a number tells; call them back from the board of the queue.",
            "next": "Nothing more by itself; if they call again, they are served as everybody is.",
            "callers": [
                {"caller": "+1 555 0142", "phone": "+1 555 0142", "called_at": _after(1)},
                {"caller": "an unknown caller", "phone": "", "called_at": _after(2)},
            ],
        },
        "handover_sheet": {
            "why": "you are on duty at Tokyo, which covers after London",
            "expected": "Accept the cases that you take up: one by one, or all of them, on the page of the sheet.",
            "next": "What nobody has accepted by then is the Support Manager's. "
            "Their promises and their escalation clocks go on as they stand.",
            "next_at": _after(5.5),
            **_handover(),
        },
        "handover_not_accepted": {
            "why": "nobody has accepted these cases, so they are the Support Manager's",
            "expected": "Accept them on the page of the sheet: each goes to somebody on duty. "
            "Or give them to whom you choose.",
            "next": "Their promises and their escalation clocks go on as they stand. "
            "Until somebody accepts them their owners keep them, who are at the end of their day.",
            "next_at": _after(5.5),
            **_handover(),
        },
        "recovery_report": {
            "why": "you look after the desk, and it stood still",
            "expected": "See whether a customer or a manager has to be spoken to, and what made the engine stop.",
            "next": "Nothing more by itself: what came due has been seen to, once, with the time at which it was due.",
            "began_at": _after(1),
            "ended_at": _after(4),
            "length": "3 h",
            "sentence": "1 obligation came due: 1 was done late.",
            "works": [
                {
                    "number": "SD-001042",
                    "title": ENGLISH.title,
                    "what": "Status update to the customer",
                    "due_at": _after(2),
                    "done_at": _after(4),
                    "late_by": "2 h",
                    "outcome": "Done late",
                }
            ],
            "left_out": 0,
            "url": f"{settings.SITE_URL}/admin/cases/outage/7/change/",
        },
        "report": {
            "title": "Promises kept and missed",
            "period": "Mon 25 May 2026 to Sun 31 May 2026",
            "about": "High",
            "nothing": "",
            "figures": [
                {"label": "Kept by people", "value": "118"},
                {"label": "Kept by the desk", "value": "24"},
                {"label": "Missed", "value": "3"},
                {"label": "Kept", "value": "97.9 %"},
            ],
            "url": f"{settings.SITE_URL}/admin/escalations/reports/promises/",
            "off_url": f"{settings.SITE_URL}/reports/off/…/",
            "enclosed": [{"name": "promises-by-time.csv", "type": "text/csv", "text": "Time,Kept by people"}],
            "why": "you asked for this report every week",
            "expected": "Nothing: this is to inform you.",
            "next": "It comes again next Monday, until you stop it.",
            "next_at": _after(120),
        },
        "password_link": {
            "username": "tina",
            "url": f"{settings.SITE_URL}/admin/password/…",
            "hours": 24,
            "why": "somebody asked for a link where one signs in",
            "expected": "Open the link and choose a password. If you did not ask for it, do nothing.",
            "next": "The link works once; without it nothing changes.",
        },
        "second_factor_changed": {
            "username": "tina",
            "change": "An authenticator app was added",
            "by": "",
            "why": "it is your account",
            "expected": "Nothing if you know of it. Otherwise tell an administrator of the desk at once.",
            "next": "From now on you sign in accordingly.",
        },
        "password_changed": {
            "username": "tina",
            "by": RUTH,
            "why": "it is your account",
            "expected": "Nothing if you know of it. Otherwise tell an administrator of the desk at once.",
            "next": "Whoever was signed in with the former password is signed out.",
        },
    }
