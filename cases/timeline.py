"""Everything that happened to a case in one list, newest first: contacts, changes, notices, mail (C3, C5, M1).

A fixed number of queries whatever the length; a page shows the newest hundred and leads on to older ones. Other apps
tell what they know through a small registry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from cases.models import Case, Interaction, Mail, Notice
from cases.terms import Affected, Channel, Direction, Impact, Move, Resolution, Severity, Status, WaitPlan, WaitReason
from contacts.terms import MeansOfContact, Role

PAGE = 100
#: As far back as a page can be asked for, in pages; a case with more entries has something else wrong with it.
MOST_PAGES = 200

ICONS = {Channel.PHONE: "call", Channel.CHAT: "forum", Channel.EMAIL: "mail", Channel.NOTE: "sticky_note_2"}


@dataclass(frozen=True)
class Entry:
    """One thing that happened, as the page tells it."""

    at: datetime
    kind: str  # contact, note, change, notice, mail; promise and missed from promised times
    icon: str
    title: str
    who: str = ""
    body: str = ""
    lines: list[str] = field(default_factory=list)
    mail: Mail | None = None
    interaction: Interaction | None = None


@dataclass(frozen=True)
class Timeline:
    """A page of what happened, newest first."""

    entries: list[Entry]
    page: int
    has_older: bool


#: What another app knows of a case: its newest entries, no fewer than so many if there are as many, in any order.
Source = Callable[[Case, int], Iterable[Entry]]

_sources: list[Source] = []
#: Templates of mail that a source tells of in its own words: told once, not as mail besides.
_told_elsewhere: set[str] = set()


def register(source: Source, tells_of: Iterable[str] = ()) -> Source:
    """Show what `source` knows in every case's timeline; mail made from the templates in `tells_of` is left to it.

    Registering again changes nothing.
    """
    if source not in _sources:
        _sources.append(source)
    _told_elsewhere.update(tells_of)
    return source


def timeline_of(case: Case, page: int = 0) -> Timeline:
    """The `page`-th newest hundred of what happened; four queries, and those of the registered sources."""
    page = min(max(page, 0), MOST_PAGES)
    enough = (page + 1) * PAGE + 1
    entries = [*_contacts(case, enough), *_changes(case, enough), *_notices(case, enough), *_mails(case, enough)]
    for source in _sources:
        entries += source(case, enough)
    # What happened at the same moment stays in the order above: the contact, then the change it made, then the mail.
    entries.sort(key=lambda entry: entry.at, reverse=True)
    shown = entries[page * PAGE : (page + 1) * PAGE]
    return Timeline(shown, page, has_older=len(entries) > (page + 1) * PAGE)


# --- contacts (C3) ----------------------------------------------------------------------------------------------


def _contacts(case: Case, enough: int) -> Iterator[Entry]:
    rows = Interaction.objects.filter(case=case).select_related("by", "contact", "attempt").order_by("-at", "-pk")
    for row in rows[:enough]:
        note = row.channel == Channel.NOTE
        yield Entry(
            at=row.at,
            kind="note" if note else "contact",
            icon=ICONS[Channel(row.channel)],
            title=_contact_title(row),
            who=_who_spoke(row),
            body=row.body,
            lines=_about_contact(row),
            interaction=row,
        )


def _about_contact(row: Interaction) -> list[str]:
    lines = [] if row.reached else ["Not reached."]
    attempt = getattr(row, "attempt", None)
    if attempt is not None:
        lines.append(f"Counts as the {attempt.get_step_display().lower()} of wait {attempt.episode}.")
    if row.why_no_attempt:
        lines.append(f"Does not count as an attempt: {row.why_no_attempt}.")
    told = ", ".join(Role(member).label.lower() for member in row.told if member in set(Role))
    return [*lines, f"Told: {told}"] if told else lines


def _contact_title(row: Interaction) -> str:
    if row.opened_the_case:
        return f"{row.get_channel_display()} that opened the case"
    if row.channel == Channel.NOTE:
        return "Internal note"
    whom = "from" if row.direction == Direction.IN else "to"
    return f"{row.get_channel_display()} {whom} the customer"


def _who_spoke(row: Interaction) -> str:
    contact = row.contact.name if row.contact else ""
    staff = str(row.by) if row.by else ""
    if row.direction == Direction.IN:
        return f"{contact}, logged by {staff}" if contact and staff else contact or staff
    return f"{staff} to {contact}" if contact and staff else staff or contact


# --- changes (C5) -----------------------------------------------------------------------------------------------

#: Columns whose change is told in words, with what they are called; those with a dictionary show a label.
TOLD: dict[str, tuple[str, Any]] = {
    "status": ("Status", Status),
    "severity": ("Severity", Severity),
    "owner_id": ("Owner", None),
    "title": ("Title", None),
    "contact_id": ("Contact", None),
    "preferred_means": ("Preferred means", MeansOfContact),
    "affected_user": ("Username or device name", None),
    "device": ("Device", None),
    "operating_system": ("Operating system", None),
    "several_devices": ("Several devices", None),
    "affected": ("Who is affected", Affected),
    "impact": ("Impact", Impact),
    "resolution": ("Resolution", Resolution),
    "wait_reason": ("Why we wait", WaitReason),
    "wait_plan": ("Plan", WaitPlan),
}
#: Long texts: that they changed is said, the text itself is on the history page.
LONG = {"description": "Description", "system_information": "System information", "solution": "Solution"}


def history_of(case: Case) -> Any:
    """The rows of the case's history, newest first, with the people they name (C5)."""
    rows = case.history.select_related("history_user", "owner", "contact")
    return rows.order_by("-history_date", "-history_id")


def _changes(case: Case, enough: int) -> Iterator[Entry]:
    rows: list[Any] = list(history_of(case)[: enough + 1])
    for row, before in pairwise([*rows, None]):
        yield Entry(
            at=row.history_date,
            kind="change",
            icon="history",
            title=Move(row.last_move).label,
            who=str(row.history_user) if row.history_user else "The desk itself",
            body=row.history_change_reason or "",
            lines=what_changed(before, row),
        )


def what_changed(before: Any, after: Any) -> list[str]:
    """The difference between two rows of the history in words: “Severity Medium to High”; none for the first row."""
    if before is None:
        return []
    said = [
        _difference(label, _shown(before, name, words), _shown(after, name, words))
        for name, (label, words) in TOLD.items()
        if getattr(before, name) != getattr(after, name)
    ]
    return said + [f"{label} edited" for name, label in LONG.items() if getattr(before, name) != getattr(after, name)]


def _difference(label: str, old: str, new: str) -> str:
    if not old:
        return f"{label}: {new}"
    return f"{label} {old} to {new}" if new else f"{label} {old} taken out"


def _shown(row: Any, name: str, words: Any) -> str:
    value = getattr(row, name)
    if value in (None, ""):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if words is not None:
        return words(value).label
    if name == "owner_id":
        return str(row.owner or "somebody who left")
    if name == "contact_id":
        return row.contact.name if row.contact else "somebody who left"
    return f"“{value}”"


# --- notices and mail (F2, M1) ----------------------------------------------------------------------------------


def _notices(case: Case, enough: int) -> Iterator[Entry]:
    rows = Notice.objects.filter(case=case).select_related("mail").order_by("-done_at", "-pk")
    for row in rows[:enough]:
        late = row.done_at - row.due_at > timedelta(minutes=15)
        lines = [f"Was due {row.due_at:%Y-%m-%d %H:%M} UTC."] if late else []
        if row.superseded:
            lines.append("Not sent: a later notice that was due as well went instead.")
        yield Entry(
            at=row.done_at,
            kind="notice",
            icon="notifications",
            title=f"{row.get_step_display()} of wait {row.episode}",
            who=_to_whom(row.mail) if row.mail else "",
            lines=lines,
            mail=row.mail,
        )


def _mails(case: Case, enough: int) -> Iterator[Entry]:
    rows = Mail.objects.filter(case=case, notice=None).exclude(template__in=_told_elsewhere)
    for row in rows.defer("html", "text", "facts").order_by("-queued_at", "-pk")[:enough]:
        yield Entry(
            at=row.queued_at,
            kind="mail",
            icon="outgoing_mail",
            title=f"Mail: {template_label(row.template)}",
            who=_to_whom(row),
            lines=[row.last_error] if row.last_error else [],
            mail=row,
        )


def _to_whom(mail: Mail) -> str:
    name = f"{mail.to_name} <{mail.to_address}>" if mail.to_name else mail.to_address
    return f"to {name}" + (f", meant for {mail.meant_for}" if mail.meant_for else "")


def template_label(template: str) -> str:
    """What a mail's template is called on pages: “Notice final”."""
    return template.replace("_", " ").capitalize()
