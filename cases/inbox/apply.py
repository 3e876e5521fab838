"""Carry out what becomes of a message (M5 to M7): each function is one effect, in the transaction of the caller.

The moves are those that people make (`cases.workflow`, `cases.followup`): no rule is written here a second time. Files
are read from the raw message on disk. `carry_out` is called by `receive`, `log_on_case` and `open_case` by triage too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from django.conf import settings
from django.core.files.base import ContentFile
from django.db.models import QuerySet

from cases.enums import Channel, Direction, MatchedBy, ReceivedOutcome, Severity
from cases.files.apply import SortedFiles, sort_files
from cases.files.store import path_of
from cases.followup.absences import LONGEST_NOTE, note_absence
from cases.followup.state import load_calendar
from cases.guards import LONGEST_TEXT, Refused
from cases.inbox.mail import turned_away_letter
from cases.inbox.replies import handled_by_other_app
from cases.inbox.state import KnownMessage
from cases.mail.bounces import record_bounce
from cases.mail.incoming import IncomingMessage, ReceivedFile, read_message
from cases.mail.letters import post
from cases.models import Attachment, Case, Interaction, ReceivedMail
from cases.policy.absence_notes import read_timeframe
from cases.policy.inbox.outcome import Effect, InboxDecision
from cases.policy.inbox.words import title_for_case, words_for_log
from cases.workflow import contact_log, opening
from contacts.models import Contact, User

#: The cap on automatic answers counts those of so long (M6).
DAY = timedelta(days=1)


def carry_out(decision: InboxDecision, mail: ReceivedMail, known: KnownMessage, now: datetime) -> None:
    """Do what becomes of a message and save its row, in the transaction of the caller (M5).

    Raises Refused with a sentence for what cannot be done: then a person has to look.
    """
    mail.explanation = _explained(decision, known)
    _EFFECTS[decision.effect](mail, known, now)
    mail.save()


def leave_in_triage(mail: ReceivedMail, why: str) -> None:
    """Nothing has been done about the message: a person decides (M5). Saves its row."""
    mail.outcome, mail.explanation = ReceivedOutcome.TRIAGE, why
    mail.save(update_fields=["outcome", "explanation"])


def _explained(decision: InboxDecision, known: KnownMessage) -> str:
    """The sentence of the decision, with the reason why nothing is proven and who a forwarded mail may be of."""
    if decision.effect is Effect.TRIAGE and known.is_unproven_word:
        return f"{decision.why} {known.proof.why}"
    if decision.effect is Effect.TRIAGE and known.mentions is not None:
        return f"{decision.why} It mentions {known.mentions.name} of {known.mentions.company.name}."
    return decision.why


# The effects --------------------------------------------------------------------------------------------------------


def _triage(mail: ReceivedMail, known: KnownMessage, now: datetime) -> None:
    mail.outcome = ReceivedOutcome.TRIAGE


def _nothing(mail: ReceivedMail, known: KnownMessage, now: datetime) -> None:
    mail.outcome = ReceivedOutcome.NOTHING


def _log(mail: ReceivedMail, known: KnownMessage, now: datetime) -> None:
    assert known.case is not None
    log_on_case(mail, known.case.pk, now, contact=known.contact, by=None, message=known.message)


def _open(mail: ReceivedMail, known: KnownMessage, now: datetime) -> None:
    assert known.contact is not None
    why_not = why_no_answer(mail, known.contact, now)
    open_case(mail, known.contact, now, by=None, why_no_receipt=why_not, message=known.message)
    mail.was_answered = not why_not and bool(known.contact.email)
    mail.explanation = f"{mail.explanation} {why_not}".rstrip()


def _turn_away(mail: ReceivedMail, known: KnownMessage, now: datetime) -> None:
    """D3's answer, once a day for an address; that they were turned away is recorded all the same."""
    contact = known.contact
    assert contact is not None
    if not contact.company.active:
        raise Refused(f"{contact.company.name} is not active as a customer, so nothing was answered.")
    why_not = why_no_answer(mail, contact, now)
    told_today = _answered_lately(mail, now).filter(outcome=ReceivedOutcome.TURNED_AWAY).exists()
    why_not = "They were told so today already." if told_today else why_not
    opening.turn_away(contact, mail.subject, None, now)
    if not why_not:
        help_desk = Contact.objects.help_desk().filter(company=contact.company_id)
        post([turned_away_letter(mail, contact, list(help_desk[:3]))], now)
    mail.outcome, mail.was_answered = ReceivedOutcome.TURNED_AWAY, not why_not
    mail.explanation = f"{mail.explanation} {why_not}".rstrip()


def _absence(mail: ReceivedMail, known: KnownMessage, now: datetime) -> None:
    """The note is documented on the case and puts the plan to sleep; it is no contact (F5)."""
    case = known.case
    assert case is not None
    note_absence(case.pk, None, now, note=note_of(known.message, case, now))
    mail.outcome = ReceivedOutcome.ABSENCE


def note_of(message: IncomingMessage, case: Case, now: datetime) -> str:
    """The words of the note; with the subject where only that says until when."""
    text = "\n\n".join(filter(None, (message.text.strip(), message.quoted.strip())))
    today = load_calendar(case.company).local_date(now)
    if not text or read_timeframe(text[:LONGEST_NOTE], today, case.company.country) is None:
        text = f"{message.subject}\n{text}"
    return text[:LONGEST_NOTE].strip() or "(no text)"


def _staff_reply(mail: ReceivedMail, known: KnownMessage, now: datetime) -> None:
    """The answer to a question that a mail of ours put (E8), else a note by that person, which no customer sees."""
    case, staff, message = known.case, known.staff, known.message
    assert case is not None
    assert staff is not None
    if not Case.objects.visible_to(staff).filter(pk=case.pk).exists():
        raise Refused(f"{staff} may not read {case.number} (A1), so nothing was noted on it.")
    files = files_of(message, case.pk)
    is_answer = known.answers is not None and handled_by_other_app(known.answers, staff, message.text, now)
    if is_answer and not files.kept:
        mail.outcome = ReceivedOutcome.ANSWER
        return
    words = words_of(message, files) if not is_answer else "Came by mail with the answer."
    mail.interaction = contact_log.log_contact(
        case.pk,
        staff,
        now,
        channel=Channel.NOTE,
        direction=Direction.INTERNAL,
        body=words,
        attachments=files.kept,
    )
    mail.outcome = ReceivedOutcome.ANSWER if is_answer else ReceivedOutcome.LOGGED


def _bounce(mail: ReceivedMail, known: KnownMessage, now: datetime) -> None:
    for sent in known.returned:
        record_bounce(sent, _recipient_named(known.message, sent.to_address), _said(known.message), now)
    mail.outcome = ReceivedOutcome.BOUNCE


def _delay(mail: ReceivedMail, known: KnownMessage, now: datetime) -> None:
    for sent in known.returned:
        record_bounce(sent, sent.to_address, _said(known.message), now, permanent=False)
    mail.outcome = ReceivedOutcome.DELAY


def _recipient_named(message: IncomingMessage, to_address: str) -> str:
    """Whom a report names as not reached, the reader of our message before anybody it was forwarded to."""
    failed = message.failed_recipients
    is_reader = any(address.lower() == to_address.lower() for address in failed)
    return to_address if is_reader else next(iter(failed), "")


def _said(message: IncomingMessage) -> str:
    """What the mail server says."""
    return message.text.strip() or message.quoted.strip() or message.why


_EFFECTS: dict[Effect, Callable[[ReceivedMail, KnownMessage, datetime], None]] = {
    Effect.TRIAGE: _triage,
    Effect.NOTHING: _nothing,
    Effect.LOG: _log,
    Effect.OPEN: _open,
    Effect.TURN_AWAY: _turn_away,
    Effect.ABSENCE: _absence,
    Effect.STAFF_REPLY: _staff_reply,
    Effect.BOUNCE: _bounce,
    Effect.DELAY: _delay,
}


def why_no_answer(mail: ReceivedMail, contact: Contact, now: datetime) -> str:
    """Why the desk does not answer the message by itself, as a sentence; "" if it does (M6).

    So many answers go to one address a day: two programs that answer each other end there. It locks the contact, so
    that two messages are counted one after the other.
    """
    Contact.objects.select_for_update(no_key=True).get(pk=contact.pk)
    most = settings.DESK_MOST_AUTO_ANSWERS
    if _answered_lately(mail, now).count() < most:
        return ""
    return f"No automatic answer was sent: {mail.sender} got {most} within a day, which may be a loop."


def _answered_lately(mail: ReceivedMail, now: datetime) -> QuerySet[ReceivedMail]:
    rows = ReceivedMail.objects.filter(sender=mail.sender, received_at__gt=now - DAY, was_answered=True)
    return rows.exclude(pk=mail.pk)


# Entrances of triage as well ----------------------------------------------------------------------------------------


def log_on_case(
    mail: ReceivedMail,
    case: int,
    now: datetime,
    *,
    contact: Contact | None,
    by: User | None,
    message: IncomingMessage | None = None,
) -> Interaction:
    """Log the message on the case as the word of `contact`, with its files (C3, M5); saves the row of the message.

    From the case's contact or their help desk it is a response: it ends a wait and reopens or is flagged (F6, C7).
    Anybody else of the company is heard and counts for nothing; None is somebody whom nobody here knows. `by` decided
    that it belongs there; None if the message itself shows it. Call it in a transaction. Raises Refused, NotAllowed, or
    Case.DoesNotExist for a case that `by` may not read.
    """
    message = message or message_of(mail)
    files = files_of(message, case)
    words = words_of(message, files)
    if contact is None:
        words = f"From {mail.sender_name} <{mail.sender}>:\n\n{words}"[:LONGEST_TEXT]
    interaction = contact_log.take_word(
        case, contact, now, channel=Channel.EMAIL, body=words, at=mail.received_at, attachments=files.kept, by=by
    )
    mail.case, mail.contact, mail.interaction = interaction.case, contact, interaction
    mail.outcome = ReceivedOutcome.LOGGED
    mail.matched_by = mail.matched_by if by is None else MatchedBy.PERSON
    mail.save(update_fields=["case", "contact", "interaction", "outcome", "matched_by"])
    return interaction


def open_case(
    mail: ReceivedMail,
    contact: Contact,
    now: datetime,
    *,
    by: User | None,
    despite: str = "",
    why_no_receipt: str = "",
    message: IncomingMessage | None = None,
) -> Case:
    """Open a case from the message for `contact`, with its files (M5); saves the row of the message.

    It is Medium until a person decides (C2), and the receipt asks for what is missing (C1). `by` decided to open it,
    with `despite` as the reason if the contact is not their help desk (D3). Call it in a transaction. Raises Refused
    or NotAllowed.
    """
    message = message or message_of(mail)
    files = files_of(message)
    case = Case(
        company=contact.company,
        contact=contact,
        title=title_for_case(message.subject, message.text),
        description=words_of(message, files),
        severity=Severity.MEDIUM,
        severity_is_provisional=True,
        opened_by_channel=Channel.EMAIL,
        opened_despite=despite,
    )
    opening.open_case(case, by, now, attachments=files.kept, why_no_receipt=why_no_receipt)
    mail.case, mail.contact = case, contact
    mail.interaction = Interaction.objects.get(case=case, opened_the_case=True)
    mail.outcome = ReceivedOutcome.OPENED
    mail.save(update_fields=["case", "contact", "interaction", "outcome"])
    return case


def message_of(mail: ReceivedMail) -> IncomingMessage:
    """The message as it came. Raises Refused if its file is gone."""
    try:
        return read_message(path_of(mail.stored_as).read_bytes())
    except OSError as error:
        raise Refused(
            f"The message itself is not on the desk's disk any more ({error.strerror or error}); have it restored from "
            "a backup, or ask for it again."
        ) from error


def files_of(message: IncomingMessage, case: int | None = None) -> SortedFiles:
    """The files of the message that may be kept, without pictures in its text that the case has already (M7)."""
    return sort_files([ContentFile(file.data, file.name) for file in _not_repeated(message.attachments, case)])


def words_of(message: IncomingMessage, files: SortedFiles) -> str:
    """What the contact log says of the message."""
    return words_for_log(message.text, message.quoted, message.subject, files.refused, LONGEST_TEXT)


def _not_repeated(files: Sequence[ReceivedFile], case: int | None) -> list[ReceivedFile]:
    """Without the logos that come with every answer; each file once."""
    digests = {sha256(file.data).hexdigest(): file for file in reversed(files) if file.size}
    inline = [digest for digest, file in digests.items() if file.content_id]
    known = set(
        Attachment.objects.filter(case=case, sha256__in=inline).values_list("sha256", flat=True)
        if case is not None and inline
        else ()
    )
    return [file for digest, file in reversed(digests.items()) if digest not in known]
