"""What is said while we wait for a customer: notices, attempts, the announcement, and what the owner is told (M4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from cases.enums import AbsenceState, FollowUpStep, SendCondition, WaitPlan
from cases.mail.letters import Letter, facts, to_contact, to_each
from cases.models import Absence, Case
from cases.policy.followup.plans import (
    TO_OWNER,
    carried_out,
    closes_at_if_done,
    coming,
    send_by,
)
from cases.policy.followup.three_contacts import ATTEMPTS, attempts_made
from cases.policy.followup.wait import DueStep, Plan, Wait
from contacts.directory import Directory

TEMPLATES = {
    FollowUpStep.NOTICE_1: "notice_1",
    FollowUpStep.NOTICE_2: "notice_2",
    FollowUpStep.FINAL: "notice_final",
    FollowUpStep.ANNOUNCED: "closing_announced",
}
NUMBERS = ("first", "second", "third")
ANSWER = "Please answer by replying to this message, or call us."


@dataclass(frozen=True)
class Written:
    """The mail of a step: to the customer or, where the step is the owner's or there is no address, to the owner."""

    to_customer: Letter | None = None
    to_staff: list[Letter] = field(default_factory=list)
    closes_at: datetime | None = None

    @property
    def letters(self) -> list[Letter]:
        """All of it, the customer's first."""
        return [*([self.to_customer] if self.to_customer else []), *self.to_staff]


def write_step(case: Case, wait: Wait, act: DueStep, now: datetime, directory: Directory) -> Written:
    """The letters of a step that is carried out at `now`, before it is written down in the wait."""
    if act.step in TO_OWNER:
        return Written(to_staff=list(_to_owner(case, wait, act, now, directory)))
    closes_at = closes_at_if_done(wait, act, now)
    letter = customer_letter(case, wait, act, now, closes_at)
    if letter is None:
        return Written(to_staff=unreachable_letters(case, wait, act, directory))
    return Written(letter, closes_at=closes_at)


def customer_letter(case: Case, wait: Wait, act: DueStep, now: datetime, closes_at: datetime | None) -> Letter | None:
    """A notice, an attempt or the announcement to the customer; None when they have no address."""
    customer = to_contact(case)
    if customer is None:
        return None
    rest = list(_rest(wait, act, now))
    closing = closes_at or next((one.due_at for one in rest if one.step == FollowUpStep.RESOLVE), None)
    next_at = closes_at or next((one.due_at for one in rest if one.step not in TO_OWNER), None)
    what = facts(
        case,
        why="we are waiting for your answer to go on",
        expected=ANSWER,
        then=_then(wait, closes_at),
        question=case.wait_question,
        waiting_since_at=wait.started_at.isoformat(),
        closes_at=closing.isoformat() if closing else "",
        next_at=next_at.isoformat() if next_at else "",
        number=NUMBERS[_number(wait, act) - 1] if act.step in ATTEMPTS else "",
        again=any(done.closes_at and done.sent_at for done in wait.done.values()),
    )
    leaves_by = send_by(wait, act, now, closes_at)
    key = _key("notice", case, wait, act)
    return Letter(
        key,
        _template(act, closes_at),
        customer,
        what,
        case,
        SendCondition.WAITING,
        case.wait_episode,
        send_by=leaves_by,
    )


def unreachable_letters(case: Case, wait: Wait, act: DueStep, directory: Directory) -> list[Letter]:
    """The customer has no address: the owner has to reach them (D5); the case cannot close for no response (F7)."""
    three = wait.plan == WaitPlan.THREE_CONTACTS
    what = facts(
        case,
        why="you own this case, and its contact has no email address",
        expected=f"Reach {case.contact.name} by phone, or add an address: "
        f"the {act.step.label.lower()} could not be sent.",
        then="A call that you log counts as the attempt; the plan goes on from there."
        if three
        else "The case stays open: it never closes without a notice that was sent.",
    )
    readers = directory.for_user(case.owner, "Owner")
    return to_each(readers, _key("unreachable", case, wait, act), "unreachable", what, case)


def draft(case: Case, number: int) -> str:
    """A message for the coming attempt, for the technician to send or to say (F3)."""
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
    """The owner is asked, once, what the dates of an absence are (F5)."""
    case = absence.case
    read = absence.state == AbsenceState.READ
    what = facts(
        case,
        why="you own this case, and its contact is out of office",
        expected="Confirm the dates on the case's page, or correct them."
        if read
        else "Say on the case's page how long they are away; their note does not say it clearly.",
        then="Until then the follow-up sleeps for one business week, and then goes on.",
        note=absence.note,
        away_from=_day(absence.away_from),
        back_on=_day(absence.back_on),
    )
    readers = directory.for_user(case.owner, "Owner")
    return to_each(readers, f"absence:{absence.pk}", "absence_unclear", what, case, SendCondition.OPEN)


def _day(day: object) -> str:
    return str(day) if day else ""


def _to_owner(case: Case, wait: Wait, act: DueStep, now: datetime, directory: Directory) -> Iterator[Letter]:
    readers = directory.for_user(case.owner, "Owner")
    key = _key("owner", case, wait, act)
    if act.step == FollowUpStep.OWNER_DECIDES:
        what = facts(
            case,
            why="you own this case, and its contact has been out of office for 30 days",
            expected="Decide how to go on: leave it asleep, wake the follow-up, ask somebody else there, or close it.",
            then="If you do nothing, the follow-up goes on when they are back.",
            next_at=wait.awake(now).isoformat(),
        )
        yield from to_each(readers, key, "asleep_long", what, case, SendCondition.WAITING, case.wait_episode)
        return
    number = _number(wait, act)
    today = wait.calendar.local_date(now)
    mail_at = wait.calendar.at_local_time(today, wait.hours.mail_at)
    what = facts(
        case,
        why="you own this case, and its contact prefers the phone",
        expected=f"Call {case.contact.name} on {case.contact.phone} today, and log the call on the case.",
        then="If no attempt is logged by then, the desk writes to them.",
        next_at=mail_at.isoformat(),
        number=NUMBERS[number - 1],
        phone=case.contact.phone,
        customer_now=f"{now.astimezone(_zone(wait)):%H:%M}",
        draft=draft(case, number),
    )
    yield from to_each(readers, key, "call_customer", what, case, SendCondition.WAITING, case.wait_episode)


def _zone(wait: Wait) -> ZoneInfo:
    return ZoneInfo(wait.calendar.time_zone)


def _rest(wait: Wait, act: DueStep, now: datetime) -> Iterator[DueStep]:
    """What the plan comes to after this step, if the customer stays silent."""
    return coming(carried_out(wait, Plan(act=act), now, left_at=now), now)


def _number(wait: Wait, act: DueStep) -> int:
    """Which contact it is, those that got lost not counted."""
    return min(len(attempts_made(wait)) + 1, len(ATTEMPTS))


def _template(act: DueStep, closes_at: datetime | None) -> str:
    if act.step in ATTEMPTS:
        return "attempt_last" if closes_at else "attempt"
    return TEMPLATES[act.step]


def _then(wait: Wait, closes_at: datetime | None) -> str:
    if closes_at is not None:
        return "Without an answer the case closes; a word from you at any moment stops that."
    if wait.plan == WaitPlan.THREE_CONTACTS:
        return "We try to reach you again; after three contacts without an answer the case closes."
    return "We remind you again; without an answer the case closes in the end."


def _key(kind: str, case: Case, wait: Wait, act: DueStep) -> str:
    """Names the step of this episode, and which time it is: written once (E6)."""
    times = wait.times_done(act.step) + 1
    return f"{kind}:{case.pk}:{case.wait_episode}:{act.step}" + (f":{times}" if times > 1 else "")
