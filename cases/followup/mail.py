"""The mails of a wait: notices, attempts and the announcement to the customer, requests to the owner (M4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from cases.enums import AbsenceState, FollowUpStep, WaitPlan
from cases.mail.letters import Letter, centre_of_owner, facts, to_contact, to_each, why_no_mail
from cases.mail.messages import MESSAGE_OF_STEP
from cases.mail.phrases import Phrase, phrase
from cases.models import Absence, Case
from cases.policy.followup.held_up import held_up_since, why_held_up
from cases.policy.followup.plans import apply_decision, closing_announced_by, send_by, upcoming_steps
from cases.policy.followup.three_contacts import ATTEMPTS, attempts_made
from cases.policy.followup.wait import TO_STAFF, DueStep, FollowUpDecision, Wait
from contacts.directory import Directory
from contacts.enums import Role
from contacts.wording import full_day

NUMBERS = ("first", "second", "third")


@dataclass(frozen=True)
class StepMails:
    """The letters of a step. `main` is the one that the ledger refers to: to the customer or to the owner.

    `lost`: the step is meant for the customer and cannot reach them, so there is no main letter.
    """

    main: Letter | None = None
    others: list[Letter] = field(default_factory=list)
    closes_at: datetime | None = None  # the closing time that it announces
    lost: bool = False

    @property
    def letters(self) -> list[Letter]:
        """All of them, the main one first."""
        return [*([self.main] if self.main else []), *self.others]


def build_step_mails(case: Case, wait: Wait, due: DueStep, now: datetime, directory: Directory) -> StepMails:
    """The letters of a step that is carried out at `now`; `wait` is as before the step."""
    if due.step in TO_STAFF:
        letters = _staff_letters(case, wait, due, now, directory)
        return StepMails(next(iter(letters), None), letters[1:])
    closes_at = closing_announced_by(wait, due, now)
    letter = _customer_letter(case, wait, due, now, closes_at)
    if letter is None:
        return StepMails(others=_unreachable_letters(case, wait, due, directory), lost=True)
    return StepMails(letter, closes_at=closes_at)


def _customer_letter(case: Case, wait: Wait, due: DueStep, now: datetime, closes_at: datetime | None) -> Letter | None:
    """A notice, an attempt or the announcement; None for a customer without an address."""
    customer = to_contact(case)
    if customer is None:
        return None
    after = apply_decision(wait, FollowUpDecision(due=due), now, sent_at=now)
    rest = list(upcoming_steps(after, now))
    closing = closes_at or next((later.due_at for later in rest if later.step == FollowUpStep.RESOLVE), None)
    next_at = closes_at or next((later.due_at for later in rest if later.step not in TO_STAFF), None)
    what = facts(
        case,
        why=phrase("we are waiting for your answer to go on"),
        expected=phrase("Please answer by replying to this message, or call us."),
        then=_then(wait, closes_at),
        question=case.wait_question,
        waiting_since_at=wait.started_at.isoformat(),
        closes_at=closing.isoformat() if closing else "",
        next_at=next_at.isoformat() if next_at else "",
        number=NUMBERS[_number(wait) - 1] if due.step in ATTEMPTS else "",
        again=any(done.closes_at and done.sent_at for done in wait.done.values()),
    )
    return Letter(
        _key("notice", case, wait, due),
        _template(due, closes_at),
        customer,
        what,
        case,
        send_by=send_by(wait, due, now, closes_at),
        occasion=wait.started_at,
    )


def _unreachable_letters(case: Case, wait: Wait, due: DueStep, directory: Directory) -> list[Letter]:
    """Ask the owner to reach a customer without an address (D5): the case cannot close without a notice (F7)."""
    three = wait.plan == WaitPlan.THREE_CONTACTS
    what = facts(
        case,
        why="you own this case, and its contact has no email address",
        expected=f"Reach {case.contact.name} by phone, or add an address: "
        f"the {due.step.label.lower()} could not be sent.",
        then="A call that you log counts as the attempt; the plan goes on from there."
        if three
        else "The case stays open: it never closes without a notice that was sent.",
    )
    readers = directory.for_user(case.owner, "Owner")
    return to_each(readers, _key("unreachable", case, wait, due), "unreachable", what, case)


def draft_message(case: Case, number: int) -> str:
    """A message for attempt `number` (1 to 3), for the technician to send or to read out (F3)."""
    asked = f"\n\n{case.wait_question.strip()}\n\n" if case.wait_question.strip() else "\n\n"
    opening = {
        1: "I am writing about your case",
        2: "I am getting back to you about your case",
        3: "I am trying to reach you once more about your case",
    }[number]
    return (
        f"Hello {case.contact.name},\n\n{opening} “{case.title}”. To go on we still need your word on this:{asked}"
        "Could you let us know, or tell me when a call suits you?"
    )


def absence_letters(absence: Absence, directory: Directory) -> list[Letter]:
    """Ask the owner, once, for the dates of an absence (F5)."""
    case = absence.case
    read = absence.state == AbsenceState.READ
    what = facts(
        case,
        why="you own this case, and its contact is out of office",
        expected="Confirm the dates on the case's page, or correct them."
        if read
        else "Say on the case's page how long they are away; their note does not say it clearly.",
        then="The follow-up sleeps until they are back by these dates, whether or not you confirm them."
        if read
        else "Until then the follow-up sleeps for one business week, and then goes on.",
        note=absence.note,
        away_from=full_day(absence.away_from) if absence.away_from else "",
        back_on=full_day(absence.back_on) if absence.back_on else "",
    )
    readers = directory.for_user(case.owner, "Owner")
    return to_each(readers, f"absence:{absence.pk}", "absence_unclear", what, case)


def absence_noted_letters(absence: Absence, case: Case, directory: Directory) -> list[Letter]:
    """Tell the owner of a case what somebody else has noted of its contact's absence (F5)."""
    what = facts(
        case,
        why="you own this case, and somebody else has noted that its contact is out of office"
        if absence.noted_by
        else "you own this case, and its contact wrote that they are out of office",
        expected="Nothing, if that is right; else correct it on the case's page.",
        then="The follow-up sleeps until they are back; its later steps keep their distance."
        if absence.has_dates
        else "The follow-up goes on as it was planned.",
        note=absence.note,
        noted_by=str(absence.noted_by or ""),
        summary=absence.summary(),
    )
    readers = directory.for_user(case.owner, "Owner")
    return to_each(readers, f"absence:{absence.pk}:{case.pk}", "absence_noted", what, case)


def _staff_letters(case: Case, wait: Wait, due: DueStep, now: datetime, directory: Directory) -> list[Letter]:
    if due.step == FollowUpStep.HELD_UP:
        template, what = "wait_held_up", _held_up_facts(case, wait)
        readers = directory.for_role(Role.SUPPORT_MANAGER, centre_of_owner(case))
    else:
        template, what = _owner_facts(case, wait, due, now)
        readers = directory.for_user(case.owner, "Owner")
    return to_each(readers, _key("owner", case, wait, due), template, what, case)


def _held_up_facts(case: Case, wait: Wait) -> dict[str, Any]:
    """To the Support Manager, on each business day (F2)."""
    since = held_up_since(wait)
    return facts(
        case,
        why="you are the Support Manager, and a wait for a customer is held up",
        expected="See that somebody acts: call them, correct the address, choose another contact, or close the case.",
        then="You hear of it again on each business day until somebody has.",
        what=why_held_up(wait),
        since_at=since.isoformat() if since else "",
    )


def _owner_facts(case: Case, wait: Wait, due: DueStep, now: datetime) -> tuple[str, dict[str, Any]]:
    """The owner is asked for another contact, to decide about a long absence, or to call a customer who prefers the
    phone (D9, F3, F5).
    """
    if due.step == FollowUpStep.CONTACT_LEFT:
        return "contact_left", facts(
            case,
            why="you own this case, and it waits for a contact who has left",
            expected="Choose another contact on the case's page and ask them, or close the case.",
            then="Nothing is sent to them any more, and the follow-up stands still until you have. The Support Manager "
            "hears of it on each business day.",
            what=why_no_mail(case),
        )
    if due.step == FollowUpStep.OWNER_DECIDES:
        return "asleep_long", facts(
            case,
            why="you own this case, and its contact has been out of office for 30 days",
            expected="Decide how to go on: leave it asleep, wake the follow-up, ask somebody else there, or close it.",
            then="If you do nothing, the follow-up goes on when they are back.",
            next_at=wait.skip_sleep(now).isoformat(),
        )
    number, calendar = _number(wait), wait.calendar
    return "call_customer", facts(
        case,
        why="you own this case, and its contact prefers the phone",
        expected=f"Call {case.contact.name} on {case.contact.phone} today, and log the call on the case.",
        then="If no attempt is logged by then, the desk writes to them.",
        next_at=calendar.at_local_time(calendar.local_date(now), wait.hours.mail_at).isoformat(),
        number=NUMBERS[number - 1],
        phone=case.contact.phone,
        customer_now=f"{now.astimezone(ZoneInfo(calendar.time_zone)):%H:%M}",
        draft=draft_message(case, number),
    )


def _number(wait: Wait) -> int:
    """Which of the three contacts comes now; lost ones do not count."""
    return min(len(attempts_made(wait)) + 1, len(ATTEMPTS))


def _template(due: DueStep, closes_at: datetime | None) -> str:
    if due.step in ATTEMPTS:
        return "attempt_last" if closes_at else "attempt"
    return MESSAGE_OF_STEP[due.step]


def _then(wait: Wait, closes_at: datetime | None) -> Phrase:
    if closes_at is not None:
        return phrase("Without an answer the case closes; a word from you at any moment stops that.")
    if wait.plan == WaitPlan.THREE_CONTACTS:
        return phrase("We try to reach you again; after three contacts without an answer the case closes.")
    return phrase("We remind you again; without an answer the case closes in the end.")


def _key(kind: str, case: Case, wait: Wait, due: DueStep) -> str:
    """Names the step, its episode and how often it was done before, so that it is written once (E6)."""
    times = wait.times_done(due.step) + 1
    return f"{kind}:{case.pk}:{case.wait_episode}:{due.step}" + (f":{times}" if times > 1 else "")
