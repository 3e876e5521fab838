"""What the desk knows of a message: who wrote it, to which case it belongs, what it returns of ours (M5).

It reads only, and asks a fixed number of queries at most.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from email.utils import parseaddr

from django.conf import settings
from django.db.models import Q

from cases.enums import MailStatus, MatchedBy, ReceivedKind
from cases.mail.incoming import IncomingMessage, Proof, prove
from cases.mail.messages import MESSAGES, Readers
from cases.mail.rendering import is_reply_address
from cases.models import Case, Mail
from cases.models.case import NUMBER_PREFIX
from cases.policy.inbox.outcome import CaseMatch, MessageFacts, Writer
from contacts.models import Contact, User

#: Signed addresses of one message that are looked at; a reply to everybody holds a few.
MOST_ADDRESSES = 20
#: Messages of ours that one report returns.
MOST_RETURNED = 10

_SIGNED = re.compile(r"support\+(\d{1,18})\.[0-9a-f]{20}@.*", re.IGNORECASE)
_NUMBER = re.compile(rf"\b{re.escape(NUMBER_PREFIX)}(\d{{1,12}})\b", re.IGNORECASE)
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w.-]{1,190}\w")
#: Characters of a forwarded mail that are searched for addresses.
LONGEST_SEARCHED = 20_000
_LATE_COLUMNS = ("text", "html", "last_error")


@dataclass(frozen=True)
class KnownMessage:
    """A message with what is known of it. `answers` is the message of ours that it answers, `returned` are those that
    a report returns; `contact` and `staff` are whose address it names, proven or not.
    """

    message: IncomingMessage
    facts: MessageFacts
    proof: Proof
    contact: Contact | None = None
    staff: User | None = None
    case: Case | None = None
    matched_by: MatchedBy | None = None
    answers: Mail | None = None
    returned: tuple[Mail, ...] = ()
    mentions: Contact | None = None  # in what a member of staff forwards

    @property
    def is_unproven_word(self) -> bool:
        """Whether it would be acted on if its sender were proven."""
        said = self.facts.kind in (ReceivedKind.PERSON, ReceivedKind.OUT_OF_OFFICE)
        return said and not self.facts.is_proven and self.facts.writer is not Writer.OURSELVES


@dataclass(frozen=True)
class _Found:
    """The case that a message names."""

    match: CaseMatch
    case_id: int | None = None
    by: MatchedBy | None = None


def load_known(message: IncomingMessage) -> KnownMessage:
    """Everything that decides on a message."""
    ours = _messages_of_ours(message)
    addressed = _signed_for([*message.recipients, *message.delivered_to])
    answered = [ours[one] for one in message.references if one in ours]
    found = _case_named(answered, addressed)
    case = Case.objects.select_related("company", "contact").filter(pk=found.case_id).first() if found.case_id else None
    proof = prove(message.sender, message.authentication, settings.MAIL_AUTH_SERVER)
    facts = MessageFacts(
        ReceivedKind(message.kind.value),
        is_proven=proof.is_proven,
        match=found.match if case is not None or found.match is not CaseMatch.ONE else CaseMatch.NONE,
        is_case_open=case is not None and case.is_open,
    )
    known = KnownMessage(
        message,
        facts,
        proof,
        case=case,
        matched_by=found.by,
        answers=next((mail for mail in reversed(answered) if mail.case_id == found.case_id), None),
    )
    known = _with_writer(known, is_ours=message.message_id in ours or _is_own_address(message.sender))
    return _with_returned(known, ours, addressed)


# To which case (M5) -----------------------------------------------------------------------------------------------


def _messages_of_ours(message: IncomingMessage) -> dict[str, Mail]:
    """The rows of the outbox that a message names, by Message-ID. Nobody guesses one: whoever names it has read it."""
    named = {*message.references, *message.returned_ids[:MOST_RETURNED], message.message_id} - {""}
    # With the domain in capitals as some servers return it, and as we wrote it.
    wanted = {each for one in named for each in (one, one.lower()) if len(one) <= 200 and one.isascii()}
    rows = {mail.message_id: mail for mail in Mail.objects.filter(message_id__in=wanted).defer(*_LATE_COLUMNS)}
    return {one: mail for one in named if (mail := rows.get(one) or rows.get(one.lower())) is not None}


def _signed_for(addresses: Iterable[str]) -> dict[int, str]:
    """The cases whose signed addresses are among these, with the recipient that each was signed for (M3)."""
    claimed: dict[int, list[str]] = {}
    for address in list(dict.fromkeys(each.lower() for each in addresses if _SIGNED.fullmatch(each)))[:MOST_ADDRESSES]:
        found = _SIGNED.fullmatch(address)
        assert found is not None
        claimed.setdefault(int(found[1]), []).append(address)
    if not claimed:
        return {}
    rows = Mail.objects.filter(case__in=claimed).order_by().values_list("case_id", "to_address").distinct()
    return {
        case_id: to_address
        for case_id, to_address in rows
        for address in claimed[case_id]
        if is_reply_address(address, Mail(case_id=case_id, to_address=to_address))
    }


def _case_named(answered: Sequence[Mail], addressed: dict[int, str]) -> _Found:
    """References first, then the signed address. Where they name several cases the newest message of ours decides, if
    it is the one that is answered and the address does not say otherwise.
    """
    referenced = [mail for mail in answered if mail.case_id is not None]
    named = {mail.case_id for mail in referenced} | set(addressed)
    by = MatchedBy.REFERENCES if referenced else MatchedBy.ADDRESS
    if len(named) <= 1:
        return _Found(CaseMatch.ONE, named.pop(), by) if named else _Found(CaseMatch.NONE)
    newest = max(referenced, key=lambda mail: mail.pk, default=None)
    agrees = newest is not None and newest == referenced[-1] and (not addressed or newest.case_id in addressed)
    if newest is not None and agrees:
        return _Found(CaseMatch.ONE, newest.case_id, by)
    return _Found(CaseMatch.SEVERAL)


# Who wrote it -----------------------------------------------------------------------------------------------------


def _is_own_address(sender: str) -> bool:
    """Whether it is an address of the desk: the one that mail is sent from, and those that answers come back to."""
    local, _, domain = sender.lower().rpartition("@")
    own = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].lower()
    is_support = local == "support" or local.startswith("support+")
    return sender.lower() == own or (domain == settings.MAIL_DOMAIN.lower() and is_support)


def _with_writer(known: KnownMessage, *, is_ours: bool) -> KnownMessage:
    message, case = known.message, known.case
    if not message.sender:
        return known
    named = _any_case("email", message.sender)
    contacts = list(Contact.objects.filter(named).select_related("company"))
    staff = User.objects.filter(named, is_active=True).order_by("pk").first()
    if contacts and staff is not None and not (known.answers and _is_to_staff(known.answers)):
        staff = None
    writer, contact = _contact_among(contacts, case)
    if staff is not None:
        writer, contact = Writer.STAFF, None
    facts = replace(
        known.facts,
        writer=Writer.OURSELVES if is_ours else writer,
        of_same_company=case is not None and contact is not None and contact.company_id == case.company_id,
        is_contact_of_case=case is not None and contact is not None and contact.pk == case.contact_id,
        was_written_to=known.answers is not None and known.answers.to_address.lower() == message.sender.lower(),
        subject_names_case=contact is not None and _names_case(message.subject, contact.company_id),
    )
    mentions = _mentioned(message) if staff is not None and case is None else None
    return replace(known, facts=facts, contact=contact, staff=staff, mentions=mentions)


def _mentioned(message: IncomingMessage) -> Contact | None:
    """The contact whom a forwarded mail may be of: the first address in it that is one's."""
    found = list(dict.fromkeys(_ADDRESS.findall(f"{message.text}\n{message.quoted}"[:LONGEST_SEARCHED])))
    named = Q()
    for address in found[:MOST_ADDRESSES]:
        named |= Q(email__iexact=address)
    return Contact.objects.filter(named, active=True).select_related("company").first() if named else None


def _any_case(field: str, address: str) -> Q:
    """Rows with this address, whatever its letters' case and however its domain is written."""
    local, _, domain = address.rpartition("@")
    ways = {address}
    with suppress(UnicodeError):
        ways |= {f"{local}@{domain.encode('idna').decode()}", f"{local}@{domain.encode().decode('idna')}"}
    found = Q()
    for way in sorted(ways):
        if "\0" not in way:
            found |= Q(**{f"{field}__iexact": way})
    return found


def _contact_among(contacts: Sequence[Contact], case: Case | None) -> tuple[Writer, Contact | None]:
    """Whom an address belongs to: on a case to whoever is of its company, the case's contact first."""
    there = [contact for contact in contacts if contact.active]
    if not there:
        return (Writer.LEFT, contacts[0]) if contacts else (Writer.STRANGER, None)
    if case is not None:
        own = [contact for contact in there if contact.company_id == case.company_id]
        there = own or there
    elif len({contact.company_id for contact in there}) > 1:
        return Writer.SEVERAL, None
    contact_id = case.contact_id if case is not None else None
    chosen = min(there, key=lambda one: (one.pk != contact_id, not one.is_help_desk, one.pk))
    return (Writer.HELP_DESK if chosen.is_help_desk else Writer.COLLEAGUE), chosen


def _is_to_staff(mail: Mail) -> bool:
    message = MESSAGES.get(mail.template)
    return message is not None and message.to is Readers.STAFF


def _names_case(subject: str, company_id: int) -> bool:
    numbers = {int(number) for number in _NUMBER.findall(subject)[:5]}
    return bool(numbers) and Case.objects.filter(pk__in=numbers, company=company_id).exists()


# What a report returns (M5) ---------------------------------------------------------------------------------------


def _with_returned(known: KnownMessage, ours: dict[str, Mail], addressed: dict[int, str]) -> KnownMessage:
    message = known.message
    if known.facts.kind not in (ReceivedKind.BOUNCE, ReceivedKind.DELAY):
        return known
    returned = [ours[one] for one in message.returned_ids[:MOST_RETURNED] if one in ours]
    returned = returned or _sent_to_signed(message, addressed)
    is_foreign = known.facts.kind == ReceivedKind.BOUNCE and not returned
    knows = is_foreign and _knows_any(message.failed_recipients[:MOST_ADDRESSES])
    case_id = next((mail.case_id for mail in returned if mail.case_id is not None), None)
    case = Case.objects.filter(pk=case_id).first() if case_id is not None else known.case
    facts = replace(known.facts, returns_ours=bool(returned), names_somebody_known=knows)
    answers = returned[0] if returned else known.answers
    return replace(known, facts=facts, case=case, answers=answers, returned=tuple(returned))


def _sent_to_signed(message: IncomingMessage, addressed: dict[int, str]) -> list[Mail]:
    """The newest mail to whom a report names as not reached, if it came back to the address signed for them."""
    failed = {address.lower() for address in message.failed_recipients}
    for case_id, to_address in addressed.items():
        if to_address.lower() in failed:
            mails = Mail.objects.filter(case=case_id, to_address=to_address, status=MailStatus.SENT)
            return list(mails.defer(*_LATE_COLUMNS).order_by("-pk")[:1])
    return []


def _knows_any(addresses: Sequence[str]) -> bool:
    named = Q()
    for address in addresses:
        if (one := _any_case("email", address)) and "\0" not in address:
            named |= one
    if not named:
        return False
    return Contact.objects.filter(named).exists() or User.objects.filter(named).exists()
