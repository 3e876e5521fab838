"""What SLA targets add to the timeline of a case: what the desk wrote to its staff, and what was missed (T3, T4).

The lines of a digest are entries of their own, also when their mail covered other cases as well; the mail is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone

from cases.enums import MailStatus
from cases.mail.messages import Routine
from cases.models import Case, Mail
from cases.timeline import Entry, is_lost, reader_of, timeline_source
from contacts.wording import moment_formatter
from escalations.enums import Member, SlaKind, SlaOutcome
from escalations.models import DigestLine, SlaTarget
from escalations.policy.explain import the
from escalations.sla.digest import Section

ICONS = {
    Section.REMINDER: "alarm",
    Section.RESPONSE: "phone_missed",
    Section.TURN: "turn_right",
    Section.SILENCE: "volume_off",
    Section.QUESTION: "help",
    Section.UPDATE: "campaign",
}
#: What each section is called when it is folded; the same update goes to the customer and to staff.
ROUTINES = {
    Section.UPDATE: Routine("status update to staff", "status updates to staff", "Status update", 20),
    Section.REMINDER: Routine("reminder to the owner", "reminders to the owner", place=30),
}
TO_MANAGER = Routine("word to the Support Manager", "words to the Support Manager", place=40)


@timeline_source
def promise_entries(case: Case, enough: int) -> Iterator[Entry]:
    """The newest lines to staff about a case, and its newest missed promises; three queries."""
    yield from _lines(case, enough)
    yield from _misses(case, enough)


# --- digests to staff (T3) --------------------------------------------------------------------------------------


def _lines(case: Case, enough: int) -> Iterator[Entry]:
    heavy = ("mail__facts", "mail__text", "mail__html")
    rows = DigestLine.objects.filter(case=case).select_related("mail").defer(*heavy).order_by("-written_at", "-pk")
    lines = list(rows[:enough])
    members = _members(case, lines)
    for line in lines:
        alone = line.mail if line.mail is not None and line.mail.case_id == case.pk else None
        yield Entry(
            at=line.written_at,
            kind="promise",
            icon=ICONS.get(Section(line.section), "notifications"),
            title=_title(line, members.get((line.written_at, line.key), [])),
            who=f"to {reader_of(line)}",
            lines=_about(line, alone),
            mail=alone,
            to=reader_of(line),
            routine=ROUTINES.get(Section(line.section), TO_MANAGER),
            is_lost=is_lost(line.mail),
        )


def _members(case: Case, lines: list[DigestLine]) -> dict[tuple[datetime, str], list[Member]]:
    """Which members of the audience each update was for, by its moment and the key of its line."""
    updates = [line for line in lines if line.section == Section.UPDATE]
    if not updates:
        return {}
    kept = SlaTarget.objects.filter(case=case, updated_at__gte=updates[-1].written_at).exclude(member=Member.CUSTOMER)
    keys = {str(line.mail_id): line.key for line in updates}  # a mail's key may differ from its lines'
    found: dict[tuple[datetime, str], list[Member]] = {}
    for at, mail_key, member in kept.order_by("pk").values_list("updated_at", "mail_id", "member"):
        if at is not None:
            key = str(mail_key)
            found.setdefault((at, keys.get(key, key)), []).append(Member(member))
    return found


def _title(line: DigestLine, members: list[Member]) -> str:
    if line.section == Section.UPDATE:
        return f"Status update to {' and '.join(map(the, members)) or 'whoever watches the case'}"
    return {
        Section.REMINDER: "Reminder to the owner",
        Section.RESPONSE: "The Support Manager is told that nobody has responded in time",
        Section.TURN: "Told how the case stands now",
        Section.SILENCE: "The Support Manager is told that nobody has spoken for too long",
        Section.QUESTION: "The Support Manager is told that nobody has answered",
    }.get(Section(line.section), Section(line.section).label)


def _about(line: DigestLine, alone: Mail | None) -> list[str]:
    about = []
    due_at = _show(datetime.fromisoformat(line.facts["due_at"])) if line.facts.get("due_at") else ""
    if line.section == Section.REMINDER and due_at:
        about.append(f"Owed to {line.facts.get('owed_to', '')} by {due_at}")
    elif line.section == Section.UPDATE and line.facts.get("late") and due_at:
        about.append(f"Was due {due_at}")
    if line.mail is None:
        about.append("Not sent yet")
    elif alone is None:
        about.append(f"In a mail that covers other cases too: {MailStatus(line.mail.status).label.lower()}")
    return about


# --- what was missed (T4) ---------------------------------------------------------------------------------------


def _misses(case: Case, enough: int) -> Iterator[Entry]:
    rows = SlaTarget.objects.filter(case=case, outcome=SlaOutcome.BREACHED).select_related("by")
    for row in rows.order_by("-due_at", "-pk")[:enough]:
        what = "first response" if row.kind == SlaKind.RESPONSE else f"status update to {the(Member(row.member))}"
        yield Entry(
            at=row.due_at,
            kind="missed",
            icon="alarm_off",
            title=f"Missed: {what}, due {_show(row.due_at)}",
            lines=[_after_all(row)],
        )


def _after_all(row: SlaTarget) -> str:
    if row.ended_at is None:
        return "Still owed"
    if row.by is None and row.updated_at is None:
        return f"No longer owed since {_show(row.ended_at)}"
    return f"Given {_show(row.ended_at)} by {row.by or 'the desk'}"


def _show(moment: datetime) -> str:
    """The moment for whoever reads the page."""
    return moment_formatter(timezone.now(), timezone.get_current_timezone())(moment)
