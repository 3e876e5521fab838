"""The conversation of a case, newest first: contacts, changes, notices, mail (C3, C5, M1).

The number of queries is fixed. Mail is shown with its reason, and routine messages of the desk are folded, so that
what people wrote stands out. Other apps register sources of entries with `timeline_source`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from itertools import groupby, pairwise
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Left
from django.utils.text import capfirst

from cases.due_lines import LATE_AFTER, due_lines
from cases.enums import (
    WENT_WRONG,
    AbsenceState,
    Channel,
    Direction,
    Move,
    Resolution,
    Severity,
    Status,
    WaitPlan,
    WaitReason,
)
from cases.files.state import FileLine, files_of
from cases.mail.messages import MESSAGES, Routine, message_label
from cases.models import Absence, Attachment, Case, FollowUp, Interaction, Mail
from cases.page_cache import absences_around
from cases.policy.intake import DETAILS
from contacts.enums import Role
from contacts.reader import for_reader
from contacts.wording import and_list, in_zone

PAGE = 40
#: Characters of what a received mail quotes; its own page has more.
LONGEST_QUOTED = 5_000
MOST_PAGES = 200

#: Mail whose content stands in the timeline in other entries.
SHOWN_ELSEWHERE = [message.name for message in MESSAGES.values() if not message.in_timeline]
ROUTINES = {message.name: message.routine for message in MESSAGES.values()}
ICONS = {
    Channel.PHONE: "call",
    Channel.CHAT: "forum",
    Channel.EMAIL: "mail",
    Channel.PAGE: "language",
    Channel.NOTE: "sticky_note_2",
}


@dataclass(frozen=True)
class Entry:
    """One thing that happened, as the page shows it."""

    at: datetime
    kind: str  # contact, note, answer, change, notice, absence, mail; promise and missed from the SLA targets
    icon: str
    title: str
    who: str = ""
    body: str = ""
    lines: list[str] = field(default_factory=list)
    mail: Mail | None = None
    interaction: Interaction | None = None
    files: list[FileLine] = field(default_factory=list)
    to: str = ""  # the name of whoever was written to
    routine: Routine | None = None  # None for what must stand out: the words of people, changes, what was missed
    is_lost: bool = False  # a message that did not arrive
    received: int | None = None  # the key of the received mail by which it came
    quoted: str = ""  # what that quotes and signs with, folded (M7)

    @property
    def writer(self) -> str:
        """Who wrote it, without to whom."""
        row = self.interaction
        if row is None:
            return self.who
        return str(row.by) if row.by else row.contact.name if row.contact else ""


class Filter(StrEnum):
    """Which entries are shown."""

    EVERYTHING = ""
    WORDS = "words"
    CUSTOMER = "customer"

    @property
    def label(self) -> str:
        return {"": "Everything", "words": "What people wrote", "customer": "With the customer"}[self]


def filter_named(name: str) -> Filter:
    """The filter of that name in an address; everything for an unknown one."""
    return next((one for one in Filter if one == name), Filter.EVERYTHING)


@dataclass(frozen=True)
class Timeline:
    """A page of entries, newest first."""

    entries: list[Entry]
    page: int
    has_older: bool
    shown: Filter = Filter.EVERYTHING

    @property
    def filters(self) -> list[Filter]:
        """The filters one may choose."""
        return list(Filter)

    @property
    def items(self) -> list[Moment | Fold | ChatFold]:
        """The lines of the page: entries that belong together are one."""
        return list(_folded(_moments(self.entries)))


#: Returns the newest entries of a case, at least as many as the number asks for if there are so many, in any order.
Source = Callable[[Case, int], Iterable[Entry]]

_sources: list[Source] = []


def timeline_source(source: Source) -> Source:
    """Register the decorated source for every case's timeline."""
    _sources.append(source)
    return source


def timeline_of(case: Case, page: int = 0, shown: Filter = Filter.EVERYTHING) -> Timeline:
    """The entries of a page, 0 being the newest; five queries and those of the registered sources."""
    page = min(max(page, 0), MOST_PAGES)
    enough = (page + 1) * PAGE + 1
    by_filter: dict[Filter, list[Source]] = {
        Filter.EVERYTHING: [*OWN_SOURCES, *_sources],
        Filter.WORDS: [_contacts],
        Filter.CUSTOMER: [_contacts_with_customer],
    }
    entries = [entry for source in by_filter[shown] for entry in source(case, enough)]
    # The sort is stable, so entries of one moment keep the order of their sources.
    entries.sort(key=lambda entry: entry.at, reverse=True)
    of_page = entries[page * PAGE : (page + 1) * PAGE]
    return Timeline(of_page, page, has_older=len(entries) > (page + 1) * PAGE, shown=shown)


# --- what belongs together --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Moment:
    """One line of the page: what happened, and the mail written about it at the same moment."""

    entry: Entry
    mailed: tuple[Entry, ...] = ()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Everything on this line; the entry of a routine is the first of `mailed`."""
        return self.mailed if self.entry.routine else (self.entry, *self.mailed)

    @property
    def copies(self) -> list[Entry]:
        """Each message to each reader once."""
        return list({(entry.to, entry.mail and entry.mail.pk): entry for entry in self.mailed}.values())

    @property
    def mails_by_reader(self) -> list[tuple[str, list[Entry]]]:
        """Everybody who was written to once, with what they got."""
        by_reader: dict[str, list[Entry]] = {}
        for entry in self.copies:
            by_reader.setdefault(entry.to, []).append(entry)
        return list(by_reader.items())

    @property
    def people(self) -> list[str]:
        """The names of those who were written to."""
        return list(dict.fromkeys(entry.to for entry in self.mailed if entry.to))

    @property
    def title(self) -> str:
        """The entry's title, or “Status update to 4 people”."""
        together = self.entry.routine.together if self.entry.routine else ""
        return f"{together} to {len(self.people)} people" if together and len(self.people) > 1 else self.entry.title

    @property
    def lines(self) -> list[str]:
        """The details of all entries, equal ones once."""
        return list(dict.fromkeys(line for entry in self.entries for line in entry.lines))


@dataclass(frozen=True)
class Fold:
    """Consecutive routine messages of the desk as one entry that can be opened; newest first."""

    moments: tuple[Moment, ...]

    @property
    def at(self) -> datetime:
        return self.moments[0].entry.at

    @property
    def since(self) -> datetime:
        return self.moments[-1].entry.at

    @property
    def entries(self) -> list[Entry]:
        return [entry for moment in self.moments for entry in moment.entries]

    @property
    def title(self) -> str:
        return f"{len(self.entries)} messages of the desk" if len(self.moments) > 1 else self.moments[0].title

    @property
    def summary(self) -> str:
        """“2 updates to the customer and 1 reminder to the owner”; for a single one, to whom it went."""
        if len(self.moments) == 1:
            (only,) = self.moments
            readers = f"To {', '.join(only.people)}" if only.people else ""
            return ": ".join(filter(None, [readers, "; ".join(only.lines)]))
        counts = Counter(entry.routine for entry in self.entries if entry.routine is not None)
        kinds = sorted(counts.items(), key=lambda kind: (kind[0].place, kind[0].one))
        return and_list(f"{number} {routine.one if number == 1 else routine.many}" for routine, number in kinds)

    @property
    def lost(self) -> int:
        """How many messages did not arrive."""
        return sum(entry.is_lost for entry in self.entries)


@dataclass(frozen=True)
class ChatFold:
    """Consecutive lines of one chat as one entry (P6); newest first. A line that needs an answer stands for itself."""

    moments: tuple[Moment, ...]

    @property
    def chat(self) -> int | None:
        return _chat_of(self.moments[0])

    @property
    def at(self) -> datetime:
        return self.moments[0].entry.at

    @property
    def since(self) -> datetime:
        return self.moments[-1].entry.at

    @property
    def title(self) -> str:
        return f"Chat with the customer, {len(self.moments)} lines"

    @property
    def said(self) -> list[tuple[Moment, str]]:
        """Each line with the name of who wrote it, the oldest first."""
        return [(moment, moment.entry.writer) for moment in reversed(self.moments)]


def _chat_of(moment: Moment) -> int | None:
    """The chat of which something is a line that can stand with the others."""
    row = moment.entry.interaction
    return None if row is None or row.needs_answer or moment.mailed else row.chat_id


#: Kinds of entries that mail of the same moment is about.
REASONS = frozenset({"contact", "note", "answer", "change"})


def _moments(entries: Sequence[Entry]) -> Iterator[Moment]:
    for _, group in groupby(entries, key=lambda entry: entry.at):
        yield from _at_one_moment(list(group))


def _at_one_moment(entries: Sequence[Entry]) -> Iterator[Moment]:
    """The entries of one moment, in their order, with the mail attached to its reason and copies put together."""
    entries = _events_with_contacts(_answers_for_notes(entries))
    is_noticed = any(entry.kind == "notice" for entry in entries)
    singly = [entry for entry in entries if entry.routine is None and not (is_noticed and _only_follows_up(entry))]
    reason = next((entry for entry in reversed(singly) if entry.kind in REASONS), None)
    mail = tuple(entry for entry in singly if entry.kind == "mail" and reason is not None)
    yield from (Moment(entry, mail if entry is reason else ()) for entry in singly if entry not in mail)
    copies: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.routine is not None:
            copies.setdefault(entry.routine.together or entry.title, []).append(entry)
    yield from (Moment(same[0], tuple(same)) for same in copies.values())


def _answers_for_notes(entries: Sequence[Entry]) -> list[Entry]:
    """An answer stands in place of the note that was logged with it, and keeps what the note says of its readers."""
    answers = {entry.body: entry for entry in entries if entry.kind == "answer"}
    if not answers:
        return list(entries)
    notes = {entry.body: entry for entry in entries if entry.kind == "note" and entry.body in answers}
    joined = {body: replace(answers[body], lines=[*note.lines, *answers[body].lines]) for body, note in notes.items()}
    return [
        joined.get(entry.body, entry) if entry.kind == "answer" else entry
        for entry in entries
        if not (entry.kind == "note" and entry.body in joined)
    ]


def _events_with_contacts(entries: Sequence[Entry]) -> list[Entry]:
    """What a contact set off stands with the contact when it says nothing more: “Customer responded”."""
    contacts = [entry for entry in entries if entry.kind == "contact"]
    if len(contacts) != 1:
        return list(entries)
    (contact,) = contacts
    repeats = [entry for entry in entries if entry.kind == "change" and _repeats(entry, contact)]
    if not repeats:
        return list(entries)
    events = [": ".join(filter(None, [entry.title, "; ".join(entry.lines)])) for entry in repeats]
    joined = replace(contact, lines=[*contact.lines, *events])
    return [joined if entry is contact else entry for entry in entries if entry not in repeats]


def _repeats(change: Entry, contact: Entry) -> bool:
    """Whether the reason of a change is what was said in the contact, or none."""
    return not change.body or change.body == contact.body or change.body.endswith(f": {contact.body}")


def _only_follows_up(entry: Entry) -> bool:
    """Whether a history row only repeats the notice that is shown beside it."""
    return entry.kind == "change" and entry.title == Move.FOLLOWED_UP.label and not entry.lines


def _folded(moments: Iterable[Moment]) -> Iterator[Moment | Fold | ChatFold]:
    for (is_routine, chat), run in groupby(moments, key=lambda one: (one.entry.routine is not None, _chat_of(one))):
        together = tuple(run)
        if is_routine:
            yield Fold(together)
        elif chat is not None and len(together) > 1:
            yield ChatFold(together)
        else:
            yield from together


# --- contacts (C3) ----------------------------------------------------------------------------------------------


def _contacts(case: Case, enough: int) -> Iterator[Entry]:
    yield from _contact_entries(Interaction.objects.filter(case=case), enough)


def _contacts_with_customer(case: Case, enough: int) -> Iterator[Entry]:
    yield from _contact_entries(Interaction.objects.filter(case=case).exclude(direction=Direction.INTERNAL), enough)


def _contact_entries(rows: QuerySet[Interaction], enough: int) -> Iterator[Entry]:
    has_files = Exists(Attachment.objects.filter(interaction=OuterRef("pk")))
    quoted = Left("received_mail__quoted", LONGEST_QUOTED)
    newest = rows.select_related("by", "contact", "attempt", "queue_entry").order_by("-at", "-pk")
    newest = newest.annotate(has_files=has_files, received=F("received_mail"), quoted=quoted)
    found = list(newest[:enough])
    files = files_of(row for row in found if row.has_files)
    for row in found:
        note = row.channel == Channel.NOTE
        yield Entry(
            at=row.at,
            kind="note" if note else "contact",
            icon=ICONS[Channel(row.channel)],
            title=row.title,
            who=_speakers(row),
            body=row.body,
            lines=_about_contact(row),
            interaction=row,
            files=files.get(row.pk, []),
            received=row.received,
            quoted=(row.quoted or "").strip(),
        )


def _about_contact(row: Interaction) -> list[str]:
    lines = [] if row.reached else ["Not reached."]
    lines += [row.when_logged] if row.is_logged_later else []
    if row.withdrawn_at is not None:
        return [*lines, "Logged by mistake: it counts for nothing."]
    if row.undelivered_at is not None:
        return [*lines, "It did not reach the customer, so it tells them nothing: see its mail."]
    if row.resent_at is not None:
        lines.append(f"Reached the customer on {for_reader(row.resent_at)}, when it was sent again.")
    queue_entry = getattr(row, "queue_entry", None)
    if queue_entry is not None and (times := queue_entry.times):
        lines.append(times)
    attempt = getattr(row, "attempt", None)
    if attempt is not None:
        lines.append(f"Counts as the {attempt.get_step_display().lower()} of wait {attempt.episode}.")
    if row.why_no_attempt:
        lines.append(f"Does not count as an attempt: {row.why_no_attempt}.")
    readers = ", ".join(Role(member).label.lower() for member in row.told if member in set(Role))
    return [*lines, f"Told: {readers}"] if readers else lines


def _speakers(row: Interaction) -> str:
    contact = row.contact.name if row.contact else ""
    staff = str(row.by) if row.by else ""
    if row.direction == Direction.IN:
        return f"{contact}, logged by {staff}" if contact and staff else contact or staff
    copies = ", cc ".join(["", *row.copied_names])
    return f"{staff} to {contact}{copies}" if contact and staff else staff or contact


# --- changes (C5) -----------------------------------------------------------------------------------------------

#: The columns whose old and new value a change shows, with their names and their choices.
SHORT: dict[str, tuple[str, Any]] = {
    "status": ("Status", Status),
    "severity": ("Severity", Severity),
    "owner_id": ("Owner", None),
    **{detail.attname: (detail.label, detail.choices) for detail in DETAILS if not detail.rows},
    "resolution": ("Resolution", Resolution),
    "wait_reason": ("Why we wait", WaitReason),
    "wait_plan": ("Plan", WaitPlan),
}
#: Long texts: a change names them only; the text itself is on the history page.
LONG = {detail.attname: detail.label for detail in DETAILS if detail.rows}


def history_of(case: Case) -> Any:
    """The rows of the case's history, newest first, with the people they name (C5)."""
    rows = case.history.select_related("history_user", "owner", "contact")
    return rows.order_by("-history_date", "-history_id")


def _changes(case: Case, enough: int) -> Iterator[Entry]:
    rows: list[Any] = list(history_of(case)[: enough + 1])
    # Of a step of a wait the notice beside it says when it was due.
    dues = due_lines(case, [row for row in rows if row.last_move != Move.FOLLOWED_UP])
    for row, before in pairwise([*rows, None]):
        yield Entry(
            at=row.history_date,
            kind="change",
            icon="history",
            title=Move(row.last_move).label,
            who=str(row.history_user) if row.history_user else "The desk itself",
            body=row.history_change_reason or "",
            lines=[*what_changed(before, row), *dues.get(row.history_id, [])],
        )


def what_changed(before: Any, after: Any) -> list[str]:
    """The differences between two rows of the history: “Severity Medium to High”; none for the first row."""
    if before is None:
        return []
    changes = [
        _difference(label, _shown(before, name, choices), _shown(after, name, choices))
        for name, (label, choices) in SHORT.items()
        if getattr(before, name) != getattr(after, name)
    ]
    return changes + [
        f"{label} edited" for name, label in LONG.items() if getattr(before, name) != getattr(after, name)
    ]


def _difference(label: str, old: str, new: str) -> str:
    if not old:
        return f"{label}: {new}"
    return f"{label} {old} to {new}" if new else f"{label} {old} taken out"


def _shown(row: Any, name: str, choices: Any) -> str:
    value = getattr(row, name)
    if value in (None, ""):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if choices is not None:
        return choices(value).label
    if name == "owner_id":
        return str(row.owner or "somebody who left")
    if name == "contact_id":
        return row.contact.name if row.contact else "somebody who left"
    return f"“{value}”"


# --- notices and mail (F2, M1) ----------------------------------------------------------------------------------


def _notices(case: Case, enough: int) -> Iterator[Entry]:
    if not case.wait_episode:
        return  # it has never waited
    # An attempt that a person logged is shown as the contact that it was.
    rows = FollowUp.objects.filter(case=case, interaction=None).select_related("mail").order_by("-done_at", "-pk")
    for row in rows[:enough]:
        late = row.done_at - row.due_at > LATE_AFTER
        lines = [f"Was due on {for_reader(row.due_at)}."] if late else []
        if row.superseded:
            lines.append("Not sent: a later notice that was due as well went instead.")
        if row.closes_at is not None:
            lines.append(f"Names the closing: {in_zone(row.closes_at, case.company.time_zone)}.")
        if row.mail is not None and row.mail.last_error:
            lines.append(row.mail.last_error)
        yield Entry(
            at=row.done_at,
            kind="notice",
            icon="notifications",
            title=f"{row.get_step_display()} of wait {row.episode}",
            who=_to_whom(row.mail) if row.mail else "",
            lines=lines,
            mail=row.mail,
            is_lost=is_lost(row.mail),
        )


def _absences(case: Case, enough: int) -> Iterator[Entry]:
    """Each absence as it was noted, and again when somebody confirmed, dismissed or ended it (F5)."""
    for row in [one for one in absences_around(case) if one.case_id == case.pk][:enough]:
        by_hand = row.settled_at == row.noted_at
        yield Entry(
            at=row.noted_at,
            kind="absence",
            icon="beach_access",
            title=f"{row.contact.name} is out of office",
            who=f"noted by {row.noted_by}" if row.noted_by else "",
            lines=_about_absence(row, by_hand),
            body=row.note,
        )
        if row.settled_at is not None and not by_hand:
            dismissed = row.state == AbsenceState.DISMISSED
            settled = "Absence over" if row.ended_on else "Absence confirmed"
            yield Entry(
                at=row.settled_at,
                kind="absence",
                icon="event_busy" if dismissed else "event_available",
                title="No absence after all" if dismissed else settled,
                who=str(row.settled_by) if row.settled_by else "",
                lines=[] if dismissed else [f"{row.summary()}."],
            )


def _about_absence(row: Absence, by_hand: bool) -> list[str]:
    if by_hand:
        return [f"{row.summary()}."]
    return [f"Read from it, for somebody to confirm or to correct: {row.phrase}."] if row.phrase else []


def _mails(case: Case, enough: int) -> Iterator[Entry]:
    of_notices = FollowUp.objects.filter(case=case, mail__isnull=False).values("mail")
    rows = Mail.objects.filter(case=case).exclude(template__in=SHOWN_ELSEWHERE).exclude(pk__in=of_notices)
    for row in rows.defer("html", "text", "facts").order_by("-queued_at", "-pk")[:enough]:
        routine = ROUTINES.get(row.template)
        yield Entry(
            at=row.queued_at,
            kind="mail",
            icon="outgoing_mail",
            title=f"Mail: {message_label(row.template)}" if routine is None else capfirst(routine.one),
            who=_to_whom(row),
            lines=[row.last_error] if row.last_error else [],
            mail=row,
            to=reader_of(row),
            routine=routine,
            is_lost=is_lost(row),
        )


def is_lost(mail: Mail | None) -> bool:
    """Whether a message is known not to have arrived (M1)."""
    return mail is not None and mail.status in WENT_WRONG


def _to_whom(mail: Mail) -> str:
    address = f" <{mail.to_address}>" if mail.to_name else ""
    return f"to {mail.to_name or mail.to_address}{address}" + _meant_for(mail)


def reader_of(row: Any) -> str:
    """Whom a mail, or a line of a digest, went to: “Ruth Lee, meant for Account manager (nobody)”."""
    return (row.to_name or row.to_address) + _meant_for(row)


def _meant_for(row: Any) -> str:
    return f", meant for {row.meant_for}" if row.meant_for else ""


#: The sources of `cases`, in the order in which entries of one moment are shown.
OWN_SOURCES: tuple[Source, ...] = (_contacts, _absences, _changes, _notices, _mails)
