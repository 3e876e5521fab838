"""What a customer may read of their company's cases: the one public view of a case (P2, C3).

Pages, and whatever else shows a case to its customer, are made from the values here and never from the rows behind
them. What is not named here stays inside: notes, roles, ledgers, mail to staff, and what we wrote down of a call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext, gettext_noop

from cases.enums import CallOutcome, Channel, Direction, MailStatus, Resolution, Status, WaitReason
from cases.mail.letters import who_works_on
from cases.mail.phrases import in_words
from cases.models import Attachment, Case, CaseQuerySet, Interaction, Mail, QueueEntry
from contacts.models import Contact

#: When the next status update is owed to the customers of these cases, by key of the case (T2).
PromiseSource = Callable[[Sequence[Case], datetime], dict[int, datetime]]
_promise_sources: list[PromiseSource] = []

#: What the desk mailed by itself, as one line of the conversation.
OUR_MAILS = {
    "case_opened": gettext_noop("We confirmed that the case is open"),
    "status_update": gettext_noop("We told you how it stands"),
    "notice_1": gettext_noop("We reminded you of our question"),
    "notice_2": gettext_noop("We reminded you of our question"),
    "notice_final": gettext_noop("We reminded you for the last time"),
    "attempt": gettext_noop("We tried to reach you"),
    "attempt_last": gettext_noop("We tried to reach you for the last time"),
    "closing_announced": gettext_noop("We told you when the case closes"),
    "escalation_request_accepted": gettext_noop("We escalated the case as you asked"),
    "escalation_request_declined": gettext_noop("We answered your request to escalate"),
}
#: What of a case its customer wrote themselves, if they opened it on the support page, and what it is called.
TOLD_BY_THEM = {
    "affected_user": gettext_noop("Username or device name"),
    "device": gettext_noop("Device"),
    "operating_system": gettext_noop("Operating system"),
    "system_information": gettext_noop("System information"),
}
#: Entries of a conversation that are read at most; the oldest of a longer one are asked for by mail or phone.
MOST_ENTRIES = 500

#: The words of a contact that the customer may read (C3): what came in from them as it is, and what was sent to or
#: marked for them. What we wrote down of a call stays inside.
_CAME_IN = Q(direction=Direction.IN) & (Q(by=None) | Q(received_mail__isnull=False))
_IS_READABLE = ExpressionWrapper(
    _CAME_IN | Q(direction__in=(Direction.IN, Direction.OUT), for_customer=True), BooleanField()
)


def promise_source(source: PromiseSource) -> PromiseSource:
    """Register the decorated function; a higher app knows what is promised."""
    _promise_sources.append(source)
    return source


@dataclass(frozen=True)
class PublicFile:
    """A file of the conversation."""

    name: str
    size: int  # bytes
    url: str


@dataclass(frozen=True)
class PublicEntry:
    """One entry of the conversation: words of ours or theirs, or a line that says what happened."""

    at: datetime
    who: str
    is_ours: bool
    what: str  # “by email”, or what happened
    text: str = ""
    files: tuple[PublicFile, ...] = ()


@dataclass(frozen=True)
class PublicLine:
    """A case as a list shows it."""

    key: int
    number: str
    title: str
    state: str
    is_open: bool
    is_your_turn: bool
    contact: str
    works_on: str
    opened_at: datetime
    resolved_at: datetime | None
    next_update_at: datetime | None

    @property
    def url(self) -> str:
        return reverse("support:case", args=[self.key])


@dataclass(frozen=True)
class PublicCase:
    """A case as its page shows it."""

    line: PublicLine
    severity: str
    happens_next: str
    question: str  # what we asked and wait for
    asks_to_confirm: bool
    details: tuple[tuple[str, str], ...]  # what they told us when they opened it, each with its question
    solution: str
    reopen_until: datetime | None  # of a closed case: until then it is taken up again
    entries: tuple[PublicEntry, ...]  # the oldest first


# Which cases ----------------------------------------------------------------------------------------------------------


def cases_of(contact: Contact) -> CaseQuerySet:
    """All cases of their company, old ones too (P2)."""
    return Case.objects.filter(company=contact.company_id).select_related("company", "contact", "owner")


# The public view ------------------------------------------------------------------------------------------------------


def public_lines(cases: Sequence[Case], now: datetime) -> list[PublicLine]:
    """The cases as a list shows them, in two queries at most besides theirs."""
    promised = _promised([case for case in cases if case.is_open], now)
    return [_line(case, promised.get(case.pk)) for case in cases]


def public_case(case: Case, now: datetime) -> PublicCase:
    """The case as its page shows it, in a fixed number of queries."""
    (line,) = public_lines([case], now)
    waits = case.status == Status.WAITING
    until = case.resolved_at + timedelta(days=settings.DESK_REOPEN_WITHIN_DAYS) if case.resolved_at else None
    return PublicCase(
        line=line,
        severity=gettext(case.get_severity_display()),
        happens_next=_happens_next(case),
        question=case.wait_question if waits and _question_was_put(case) else "",
        asks_to_confirm=asks_to_confirm(case),
        details=_details(case),
        solution=case.solution if case.status == Status.RESOLVED else "",
        reopen_until=until if until is not None and until > now else None,
        entries=tuple(sorted(_entries(case), key=lambda entry: entry.at)),
    )


def _line(case: Case, promised: datetime | None) -> PublicLine:
    return PublicLine(
        key=case.pk,
        number=case.number,
        title=case.title,
        state=_state(case),
        is_open=case.is_open,
        is_your_turn=case.status == Status.WAITING,
        contact=case.contact.name,
        works_on=str(case.owner) if case.owner and case.is_open else "",
        opened_at=case.opened_at,
        resolved_at=case.resolved_at,
        next_update_at=promised,
    )


def _state(case: Case) -> str:
    """The status in plain words."""
    if case.status == Status.ASSIGNED:
        return gettext("Received")
    if case.status == Status.IN_PROGRESS:
        return gettext("We are working on it")
    if case.status == Status.WAITING:
        return gettext("We wait for your answer")
    if case.resolution == Resolution.CONFIRMED:
        return gettext("Solved")
    if case.resolution == Resolution.NO_RESPONSE:
        return gettext("Closed, as we did not hear from you")
    return gettext("Closed")


def _happens_next(case: Case) -> str:
    if not case.is_open:
        return ""
    if case.status == Status.WAITING:
        return gettext("We go on as soon as you answer. If we hear nothing, we turn to you again.")
    return f"{in_words(who_works_on(case))}."


def _question_was_put(case: Case) -> bool:
    """Whether the question went to them by mail: what we wrote down of a call stays inside (C3)."""
    asked = contacts_on([case.pk]).filter(direction=Direction.OUT, for_customer=True)
    return asked.filter(body=case.wait_question).exists()


def _details(case: Case) -> tuple[tuple[str, str], ...]:
    """What they wrote themselves when they opened it on the support page; elsewhere somebody else wrote it down."""
    if not was_told_by_them(case):
        return ()
    told = (
        *((gettext(label), getattr(case, name)) for name, label in TOLD_BY_THEM.items()),
        (gettext("Who is affected"), gettext(case.get_affected_display()) if case.affected else ""),
        (gettext("Impact on your business"), gettext(case.get_impact_display()) if case.impact else ""),
    )
    return tuple((label, value) for label, value in told if value)


def was_told_by_them(case: Case) -> bool:
    """Whether what the case says is in its customer's own words; else somebody at the desk wrote it down (C3)."""
    return case.opened_by_channel == Channel.PAGE


def asks_to_confirm(case: Case) -> bool:
    """Whether the case waits for its customer to say that it is solved (C4)."""
    return case.status == Status.WAITING and case.wait_reason == WaitReason.CONFIRM


def _promised(cases: Sequence[Case], now: datetime) -> dict[int, datetime]:
    return {key: at for source in _promise_sources for key, at in source(cases, now).items()} if cases else {}


# The conversation -----------------------------------------------------------------------------------------------------


def contacts_on(cases: Iterable[int]) -> QuerySet[Any]:
    """The contacts with the customers of these cases; `is_readable` says whether they may read the words (C3)."""
    rows = Interaction.objects.filter(case__in=cases, with_customer=True, withdrawn_at=None)
    return rows.exclude(direction=Direction.INTERNAL).annotate(is_readable=_IS_READABLE)


def readable_file(contact: Contact, case_id: int, file_id: int) -> Attachment | None:
    """A file that came with words which they may read."""
    files = Attachment.objects.filter(pk=file_id, case=case_id, case__company=contact.company_id)
    return files.filter(interaction__in=contacts_on([case_id]).filter(is_readable=True).values("pk")).first()


def chat_lines(chat: QueueEntry, after: int = 0) -> list[PublicEntry]:
    """The lines of a chat of theirs that came after the contact with that key, the oldest first; two queries."""
    assert chat.case_id is not None, "a chat is about a case"
    rows = contacts_on([chat.case_id]).filter(chat=chat, pk__gt=after).select_related("by", "contact").order_by("-pk")
    lines = list(rows[:MOST_ENTRIES])[::-1]
    files = _files_of(Attachment.objects.filter(interaction__in=lines)) if lines else {}
    return [_entry(row, row.is_readable, files.get(row.pk, [])) for row in lines]


def _files_of(attachments: QuerySet[Attachment]) -> dict[int, list[PublicFile]]:
    files: dict[int, list[PublicFile]] = {}
    for file in attachments.order_by("pk"):
        url = reverse("support:file", args=[file.case_id, file.pk, file.name])
        files.setdefault(file.interaction_id, []).append(PublicFile(file.name, file.size, url))
    return files


def _entries(case: Case) -> list[PublicEntry]:
    rows = contacts_on([case.pk]).select_related("by", "contact").order_by("-at", "-pk")
    contacts = list(rows[:MOST_ENTRIES])
    files = _files_of(Attachment.objects.filter(case=case))
    entries = [_entry(row, row.is_readable, files.get(row.pk, [])) for row in contacts]
    mails = Mail.objects.filter(case=case, template__in=OUR_MAILS, status=MailStatus.SENT).order_by("-sent_at")
    sent = mails.values_list("template", "sent_at")[:MOST_ENTRIES]
    return entries + [
        PublicEntry(at, gettext("Support"), True, gettext(OUR_MAILS[name]))
        for name, at in dict.fromkeys(sent)
        if at is not None
    ]


def _entry(row: Interaction, is_readable: bool, files: Sequence[PublicFile]) -> PublicEntry:
    is_ours = row.direction == Direction.OUT
    who = str(row.by) if is_ours and row.by else row.contact.name if row.contact else gettext("Support")
    return PublicEntry(
        at=row.at,
        who=who,
        is_ours=is_ours,
        what=_means(row),
        text=row.body if is_readable else "",
        files=tuple(files) if is_readable else (),
    )


def _means(row: Interaction) -> str:
    """How it was: “by email”, “on the phone”."""
    if row.direction == Direction.OUT and row.outcome == CallOutcome.LEFT_MESSAGE:
        return gettext("We called and left a message")
    if row.direction == Direction.OUT and row.outcome == CallOutcome.NO_ANSWER:
        return gettext("We called and did not reach you")
    return {
        Channel.PHONE: gettext("on the phone"),
        Channel.CHAT: gettext("in a chat"),
        Channel.EMAIL: gettext("by email"),
        Channel.PAGE: gettext("on this page"),
        Channel.NOTE: "",
    }[Channel(row.channel)]
