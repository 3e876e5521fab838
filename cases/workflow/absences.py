"""Absences of customers: noted from a pasted auto-reply or by hand, confirmed, dismissed, ended (F5).

A note is documented on the case and puts the plan to sleep: by the dates that a person confirmed, or for one business
week while the owner is asked what they are. It is neither a response nor an attempt.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from cases.enums import OPEN_ABSENCES, AbsenceState
from cases.followup.mail import absence_letters
from cases.followup.state import load_calendar
from cases.mail.letters import post
from cases.models import Absence, Case
from cases.policy.absence_notes import read_timeframe
from cases.workflow.guards import Refused, allow, locked
from cases.workflow.transitions import check_absence
from contacts.directory import Directory
from contacts.enums import Right
from contacts.models import User

#: A pasted note longer than this is no note; the reader itself looks at less of it.
LONGEST_NOTE = 20_000


@dataclass(frozen=True)
class Dates:
    """Local days of the customer: the first one away, the first one back."""

    away_from: date
    back_on: date


def note_absence(
    case_id: int,
    actor: User,
    now: datetime,
    *,
    note: str = "",
    away_from: date | None = None,
    back_on: date | None = None,
) -> Absence:
    """Document that the customer is out of office (F5).

    Dates that are given are taken as they are; else they are read from the note and wait for a person's confirmation.
    Raises Refused or NotAllowed.
    """
    allow(actor, Right.WORK_CASES, "note an absence")
    words = note.strip()
    if not words and back_on is None:
        raise Refused("Paste the note, or say on which day they are back.", "note")
    if len(words) > LONGEST_NOTE:
        raise Refused(f"The note is longer than {LONGEST_NOTE:,} characters; paste only the absence note.", "note")
    with transaction.atomic():
        case = locked(case_id, actor)
        if not case.is_open:
            raise Refused(f"{case.number} is resolved; nobody is waited for.")
        today = load_calendar(case.company).local_date(now)
        absence = Absence(case=case, contact=case.contact, note=words, noted_at=now, noted_by=actor)
        if back_on is not None:
            _settle(absence, Dates(away_from or today, back_on), today, actor, now)
        else:
            _read(absence, today, case.company.country)
            _ask(absence, now)
        absence.save()
        if absence.asked_at is not None and case.owner != actor:
            post(absence_letters(absence, Directory()), now)
        _wake(case, now)
    return absence


def confirm_absence(
    absence_id: int, actor: User, now: datetime, *, away_from: date | None = None, back_on: date | None = None
) -> Absence:
    """Say what the dates are: those that were read, or others (F5).

    Raises Refused, NotAllowed or Absence.DoesNotExist.
    """
    allow(actor, Right.WORK_CASES, "confirm an absence")
    with transaction.atomic():
        case, absence = _locked(absence_id, actor)
        if absence.state == AbsenceState.DISMISSED:
            raise Refused("Somebody has said meanwhile that this is no absence; note it anew if it is one.")
        back = back_on or absence.back_on
        if back is None:
            raise Refused("Say on which day they are back.", "back_on")
        today = load_calendar(case.company).local_date(now)
        _settle(absence, Dates(away_from or absence.away_from or today, back), today, actor, now)
        absence.ended_on = None
        absence.save()
        _wake(case, now)
    return absence


def dismiss_absence(absence_id: int, actor: User, now: datetime) -> Absence:
    """It was none: the plan goes on as if it had never been noted (F5). Raises as `confirm_absence` does."""
    allow(actor, Right.WORK_CASES, "dismiss an absence")
    with transaction.atomic():
        case, absence = _locked(absence_id, actor)
        absence.state = AbsenceState.DISMISSED
        absence.settled_at, absence.settled_by = now, actor
        absence.save()
        _wake(case, now)
    return absence


def end_absence(absence_id: int, actor: User, now: datetime) -> Absence:
    """They are back sooner than said, or the plan goes on without them: it wakes today (F5). Raises as above."""
    allow(actor, Right.WORK_CASES, "end an absence")
    with transaction.atomic():
        case, absence = _locked(absence_id, actor)
        today = load_calendar(case.company).local_date(now)
        if absence.state != AbsenceState.CONFIRMED or absence.back_on is None or absence.back_on <= today:
            raise Refused("This absence is over already, or its dates were never confirmed.")
        absence.ended_on = today
        absence.settled_at, absence.settled_by = now, actor
        absence.save()
        _wake(case, now)
    return absence


def _settle(absence: Absence, dates: Dates, today: date, actor: User, now: datetime) -> None:
    check_absence(dates.away_from, dates.back_on, today)
    absence.away_from, absence.back_on = dates.away_from, dates.back_on
    absence.state = AbsenceState.CONFIRMED
    absence.settled_at, absence.settled_by = now, actor


def _read(absence: Absence, today: date, country: str) -> None:
    """What the note says of its dates, for somebody to confirm: never taken as true by itself."""
    read = read_timeframe(absence.note, today, country)
    absence.state = AbsenceState.READ if read else AbsenceState.UNREAD
    if read is not None:
        absence.away_from, absence.back_on = read.away_from or today, read.back_on
        absence.phrase = read.phrase[:200]


def _ask(absence: Absence, now: datetime) -> None:
    """The owner is asked once in a wait: a second note that nobody can read puts nothing to sleep any longer (F5)."""
    asked = Absence.objects.filter(case=absence.case, asked_at__isnull=False)
    since = absence.case.waiting_since
    in_this_wait = since is not None and asked.filter(asked_at__gte=since).exists()
    still_open = asked.filter(state__in=OPEN_ABSENCES).exists()
    if not in_this_wait and not still_open:
        absence.asked_at = now


def _locked(absence_id: int, actor: User) -> tuple[Case, Absence]:
    """The case, locked, and its absence; one of a case that the actor may not read is not there (A1)."""
    found = Absence.objects.filter(case__in=Case.objects.visible_to(actor)).get(pk=absence_id)
    case = locked(found.case_id, actor)
    absence = Absence.objects.get(pk=absence_id)
    absence.case = case
    return case, absence


def _wake(case: Case, now: datetime) -> None:
    """The plan looks again: it may sleep longer, or have something to do at once."""
    if case.waiting_since is not None:
        Case.objects.filter(pk=case.pk).update(follow_up_check_at=now)
