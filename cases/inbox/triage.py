"""Triage: what a person decides about a message on which nothing else may act (M5).

A decision is written down, and carried out a little later by a sweep, so that it can be undone until then and nothing
has happened anywhere. Of two people who decide about one message the first is heard. Whoever decides vouches for the
sender of this one message; no later message is proven by it (M5a).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from cases.enums import MatchedBy, ReceivedKind, ReceivedOutcome, TriageDecision
from cases.followup.absences import note_absence
from cases.guards import LONGEST_TEXT, Refused, allow, within_bounds
from cases.inbox.apply import log_on_case, message_of, note_of, open_case
from cases.models import Case, ReceivedMail
from cases.workflow.contract_questions import pass_on, sentence_of, who_answers
from cases.workflow.opening import check_caller
from contacts.enums import Right
from contacts.models import Contact, User
from contacts.reader import for_reader

log = logging.getLogger(__name__)

#: When something that failed without being refused is tried again.
RETRY_AFTER = timedelta(minutes=1)

#: A message of which nothing has been decided.
_UNDECIDED: dict[str, Any] = {
    "decision": "",
    "decided_by": None,
    "decided_at": None,
    "decided_case": None,
    "decided_contact": None,
    "decided_despite": "",
    "carry_out_at": None,
}


# --- deciding ---------------------------------------------------------------------------------------------------------


def decide(
    mail_id: int,
    decision: TriageDecision,
    actor: User,
    now: datetime,
    *,
    case: Case | None = None,
    contact: Contact | None = None,
    despite: str = "",
) -> ReceivedMail:
    """Write down what becomes of a message at `now` (UTC) plus the time in which it can be undone.

    `case` is the one to attach it to; `contact` whose message it is, needed to open a case and to pass it on; `despite`
    why a case is opened for somebody who is not their company's help desk (D3).
    Raises Refused, NotAllowed, and ReceivedMail.DoesNotExist for a message that the actor may not see.
    """
    allow(actor, Right.WORK_CASES, "decide about a message")
    with transaction.atomic():
        mail = _locked(mail_id, actor)
        _refuse_decided(mail)
        _check(decision, case, contact, despite)
        mail.decision = decision
        mail.decided_by, mail.decided_at = actor, now
        mail.decided_case, mail.decided_contact, mail.decided_despite = case, contact, despite.strip()
        mail.carry_out_at = now + timedelta(seconds=settings.DESK_UNDO_SECONDS)
        mail.save(update_fields=list(_UNDECIDED))
    return mail


def dismiss_all(mail_ids: Iterable[int], actor: User, now: datetime) -> int:
    """Dismiss those of the messages that wait in triage; how many. Raises NotAllowed."""
    allow(actor, Right.WORK_CASES, "dismiss messages")
    waiting = ReceivedMail.objects.visible_to(actor).in_triage().filter(pk__in=list(mail_ids))
    carry_out_at = now + timedelta(seconds=settings.DESK_UNDO_SECONDS)
    return waiting.update(decision=TriageDecision.DISMISS, decided_by=actor, decided_at=now, carry_out_at=carry_out_at)


def take_back(mail_ids: Iterable[int], actor: User) -> int:
    """Undo what was decided and not carried out, and bring dismissed messages back to triage; how many.

    Raises NotAllowed, and Refused if there is none of them, with what became of the first.
    """
    allow(actor, Right.WORK_CASES, "undo what was decided about a message")
    keys = list(mail_ids)
    mails = ReceivedMail.objects.visible_to(actor).filter(pk__in=keys)
    with transaction.atomic():
        # One after the other: a message that the sweep has in hand is waited for, and is then no longer in triage.
        waiting = mails.filter(outcome=ReceivedOutcome.TRIAGE).exclude(decision="").update(**_UNDECIDED)
        dismissed = mails.filter(outcome=ReceivedOutcome.DISMISSED).update(
            outcome=ReceivedOutcome.TRIAGE, explanation=f"It was dismissed, and brought back by {actor}.", **_UNDECIDED
        )
    if not waiting + dismissed:
        first = mails.order_by("pk").first()
        raise Refused(_why_not_undone(first) if first else "There is no such message.")
    return waiting + dismissed


def _locked(mail_id: int, actor: User) -> ReceivedMail:
    visible = ReceivedMail.objects.visible_to(actor).select_for_update(of=("self",))
    return visible.select_related("decided_by", "decided_case", "decided_contact__company").get(pk=mail_id)


def _refuse_decided(mail: ReceivedMail) -> None:
    """Raise Refused if somebody was faster, or if the message does not wait in triage."""
    if mail.outcome != ReceivedOutcome.TRIAGE:
        raise Refused(f"This message does not wait for a decision any more: {became(mail)}.")
    if mail.decision and mail.decided_at is not None:
        raise Refused(
            f"{mail.decided_by} was faster, on {for_reader(mail.decided_at)}: {_lower(plan_of(mail))}. Undo that "
            "first if it is wrong."
        )


def _check(decision: TriageDecision, case: Case | None, contact: Contact | None, despite: str) -> None:
    """Refuse at once what would be refused when it is carried out."""
    if decision == TriageDecision.ATTACH and case is None:
        raise Refused("Choose the case to which the message belongs.", "case")
    if decision in (TriageDecision.OPEN, TriageDecision.PASS_ON):
        if contact is None:
            raise Refused("Choose whose message it is: a contact of one of the customers.", "contact")
        if decision == TriageDecision.OPEN:
            check_caller(contact.company, contact, within_bounds(despite, "despite"))
        else:
            who_answers(contact.company, contact)


def _why_not_undone(mail: ReceivedMail) -> str:
    if mail.outcome == ReceivedOutcome.TRIAGE:
        return "Nothing is decided about this message, so there is nothing to undo."
    return f"It is too late to undo this: {became(mail)}."


# --- in words ---------------------------------------------------------------------------------------------------------


def plan_of(mail: ReceivedMail) -> str:
    """What was decided about a message, as the beginning of a sentence: “Opens a case for Ann Lee”."""
    contact = mail.decided_contact
    if mail.decision == TriageDecision.ATTACH and mail.decided_case is not None:
        return f"Attaches it to {mail.decided_case.number}"
    if mail.decision == TriageDecision.OPEN and contact is not None:
        return f"Opens a case for {contact.name}"
    if mail.decision == TriageDecision.PASS_ON and contact is not None:
        return f"Passes it on to the account manager of {contact.company}"
    return "Dismisses it"


def became(mail: ReceivedMail) -> str:
    """What became of a message, for the end of a sentence: “it is logged on SD-000012”."""
    number = mail.case.number if mail.case is not None else "the case"
    return {
        ReceivedOutcome.TRIAGE: "it waits for a person",
        ReceivedOutcome.LOGGED: f"it is logged on {number}",
        ReceivedOutcome.ABSENCE: f"it is noted as an absence on {number}",
        ReceivedOutcome.OPENED: f"it has opened {number}",
        ReceivedOutcome.PASSED_ON: "it is passed on to the account manager",
        ReceivedOutcome.DISMISSED: "it is dismissed",
    }.get(ReceivedOutcome(mail.outcome), _lower(mail.get_outcome_display()))


def clock_of(moment: datetime) -> str:
    """The time on the reader's clock, to the second: “14:03:20”."""
    return f"{timezone.localtime(moment):%H:%M:%S}"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


# --- carrying it out --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TriageRun:
    """How many decisions a run has carried out, brought back to triage because they were refused, and put off."""

    done: int = 0
    refused: int = 0
    failed: int = 0


def carry_out(now: datetime) -> TriageRun:
    """Carry out what people decided and did not undo until `now` (UTC), each in a transaction of its own (S1, S2)."""
    found = {"done": 0, "refused": 0, "failed": 0}
    for key in list(ReceivedMail.objects.to_carry_out(now).values_list("pk", flat=True)):
        try:
            came_of_it = _carry_out(key, now)
        except Exception:
            log.exception("The decision about received mail %s could not be carried out.", key)
            _put_off(key, now)
            came_of_it = "failed"
        if came_of_it:
            found[came_of_it] += 1
    return TriageRun(**found)


def _carry_out(key: int, now: datetime) -> str:
    """What came of it; "" if another worker has it in hand, or it was undone in the meantime."""
    with transaction.atomic():
        mail = _claim(key, now)
        if mail is None:
            return ""
        try:
            with transaction.atomic():  # nothing is left of what is refused halfway
                _act(mail, now)
        except Refused as refused:
            plan = _lower(plan_of(mail))
            _update(
                key, explanation=f"{mail.decided_by} decided: {plan}. It was refused: {refused.sentence}", **_UNDECIDED
            )
            return "refused"
        except Case.DoesNotExist:
            _update(key, explanation=f"{mail.decided_by} may not read the case that they chose.", **_UNDECIDED)
            return "refused"
    return "done"


def _claim(key: int, now: datetime) -> ReceivedMail | None:
    """The message, locked until the transaction ends, if its decision still stands."""
    rows = ReceivedMail.objects.to_carry_out(now).filter(outcome=ReceivedOutcome.TRIAGE).exclude(decision="")
    free = rows.select_for_update(of=("self",), skip_locked=True)
    return free.select_related("decided_by", "decided_contact__company", "contact").filter(pk=key).first()


def _act(mail: ReceivedMail, now: datetime) -> None:
    actor, contact = mail.decided_by, mail.decided_contact
    assert actor is not None, "A decision is somebody's."
    allow(actor, Right.WORK_CASES, "decide about a message")
    if mail.decision == TriageDecision.ATTACH and mail.decided_case_id is not None:
        case = Case.objects.visible_to(actor).select_related("company").get(pk=mail.decided_case_id)
        _attach(mail, case, actor, now)
        mail.matched_by = MatchedBy.PERSON
        mail.explanation = f"Attached to {case.number} by {actor}."
    elif mail.decision == TriageDecision.OPEN and contact is not None:
        case = open_case(mail, contact, now, by=actor, despite=mail.decided_despite)
        mail.matched_by = MatchedBy.PERSON
        mail.explanation = f"{actor} opened {case.number} with it."
    elif mail.decision == TriageDecision.PASS_ON and contact is not None:
        _pass_on(mail, contact, actor, now)
    else:
        mail.outcome, mail.explanation = ReceivedOutcome.DISMISSED, f"Dismissed by {actor}."
    mail.carry_out_at = None
    mail.save(update_fields=["carry_out_at", "outcome", "explanation", "matched_by", "contact", "case"])


def _attach(mail: ReceivedMail, case: Case, actor: User, now: datetime) -> None:
    """A person's word is logged as theirs, a note of the case's contact as an absence (F5); what else a program wrote
    counts for nothing (M6).
    """
    contact = mail.decided_contact
    if mail.kind == ReceivedKind.OUT_OF_OFFICE and contact is not None and contact.pk == case.contact_id:
        note_absence(case.pk, actor, now, note=note_of(message_of(mail), case, now))
        mail.case, mail.contact, mail.outcome = case, contact, ReceivedOutcome.ABSENCE
        return
    is_word = mail.kind in (ReceivedKind.PERSON, ReceivedKind.UNREADABLE)
    log_on_case(mail, case.pk, now, contact=contact if is_word else None, by=actor)


def _pass_on(mail: ReceivedMail, contact: Contact, actor: User, now: datetime) -> None:
    mail.contact = contact
    said = "\n\n".join(filter(None, [mail.subject.strip(), mail.text.strip()])) or "A message without words."
    row = pass_on(contact.company, contact, actor, now, question=said[:LONGEST_TEXT])
    mail.outcome, mail.explanation = ReceivedOutcome.PASSED_ON, sentence_of(row)


def _put_off(key: int, now: datetime) -> None:
    """Try again later what failed for a reason of the desk's own."""
    waiting = ReceivedMail.objects.filter(pk=key, carry_out_at__lte=now)
    waiting.update(carry_out_at=now + RETRY_AFTER)


def _update(key: int, **values: Any) -> None:
    ReceivedMail.objects.filter(pk=key).update(**values)
