"""Absences of customers: noted from a pasted auto-reply or by hand, confirmed, dismissed, ended (F5).

A note is documented on the case and puts every wait for its person to sleep at once: by the dates that were read or
said, or for one business week while the owner is asked what they are. It is neither a response nor an attempt.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from cases.enums import AbsenceState, Status
from cases.followup.mail import absence_letters, absence_noted_letters
from cases.followup.state import load_calendar
from cases.guards import Refused, changing, taking_word
from cases.mail.letters import Letter, post
from cases.models import Absence, Case, CaseQuerySet
from cases.policy.absence_notes import read_timeframe
from cases.policy.followup.absences import DATED_ABSENCES
from contacts.directory import Directory
from contacts.enums import Right
from contacts.models import User

#: A pasted note longer than this is no note; the reader itself looks at less of it.
LONGEST_NOTE = 20_000


#: Nobody is away for longer; a date further ahead is a slip of the pen (F5).
FURTHEST_RETURN = timedelta(days=366)


@dataclass(frozen=True)
class Dates:
    """Local days of the customer: the first one away, the first one back."""

    away_from: date
    back_on: date


def note_absence(
    case: Case | int,
    actor: User | None,
    now: datetime,
    *,
    note: str = "",
    away_from: date | None = None,
    back_on: date | None = None,
) -> Absence:
    """Document that the customer is out of office (F5). Without an actor their own note came in by mail.

    Dates that are given are taken as they are; else they are read from the note, count at once, and are confirmed or
    corrected by a person afterwards. Raises Refused or NotAllowed.
    """
    with taking_word(case, actor, now, to="note an absence") as (case, now):
        text = note.strip()
        if not text and back_on is None:
            raise Refused("Paste the note, or say on which day they are back.", "note")
        if len(text) > LONGEST_NOTE:
            raise Refused(f"The note is longer than {LONGEST_NOTE:,} characters; paste only the absence note.", "note")
        if not case.is_open:
            raise Refused(f"{case.number} is resolved; nobody is waited for.")
        today = load_calendar(case.company).local_date(now)
        absence = Absence(case=case, contact=case.contact, note=text, noted_at=now, noted_by=actor)
        if back_on is not None:
            _settle(absence, Dates(away_from or today, back_on), today, actor, now)
        else:
            _read(absence, today, case.company.country)
            _ask(absence, now)
        absence.save()
        post(_letters(absence, actor), now)
        _wake(absence, now)
    return absence


def confirm_absence(
    absence: Absence | int, actor: User, now: datetime, *, away_from: date | None = None, back_on: date | None = None
) -> Absence:
    """Say what the dates are: those that were read, or others (F5).

    Raises Refused, NotAllowed or Absence.DoesNotExist.
    """
    with _changing(absence, actor, now, "confirm an absence") as (row, now):
        if row.state == AbsenceState.DISMISSED:
            raise Refused("Somebody has said meanwhile that this is no absence; note it anew if it is one.")
        back = back_on or row.back_on
        if back is None:
            raise Refused("Say on which day they are back.", "back_on")
        today = load_calendar(row.case.company).local_date(now)
        _settle(row, Dates(away_from or row.away_from or today, back), today, actor, now)
        row.ended_on = None
    return row


def dismiss_absence(absence: Absence | int, actor: User, now: datetime) -> Absence:
    """It was none: the plan goes on as if it had never been noted (F5). Raises as `confirm_absence` does."""
    with _changing(absence, actor, now, "dismiss an absence") as (row, now):
        row.state = AbsenceState.DISMISSED
        row.settled_at, row.settled_by = now, actor
    return row


def end_absence(absence: Absence | int, actor: User, now: datetime) -> Absence:
    """They are back sooner than said, or the plan goes on without them: it wakes today (F5). Raises as above."""
    with _changing(absence, actor, now, "end an absence") as (row, now):
        today = load_calendar(row.case.company).local_date(now)
        if not row.has_dates or row.back_on is None or row.back_on <= today:
            raise Refused("This absence is over already, or nobody knows its dates.")
        row.ended_on, row.state = today, AbsenceState.CONFIRMED
        row.settled_at, row.settled_by = now, actor
    return row


@contextmanager
def _changing(absence: Absence | int, actor: User, now: datetime, to: str) -> Iterator[tuple[Absence, datetime]]:
    """As `changing` its case; saves the absence at the end, and lets the plan look again.

    An `Absence` instance was read after its `case` was locked. Absences of a case that the actor may not read do not
    exist (A1).
    """
    readable = Absence.objects.filter(case__in=Case.objects.visible_to(actor))
    case = absence.case if isinstance(absence, Absence) else readable.get(pk=absence).case_id
    with changing(case, actor, now, right=Right.WORK_CASES, to=to) as (locked_case, now):
        row = absence if isinstance(absence, Absence) else Absence.objects.get(pk=absence)
        row.case = locked_case
        yield row, now
        row.save()
        _wake(row, now)


def cannot_act_before(case: Case, actor: User, day: date, now: datetime) -> None:
    """The customer named a day before which they cannot act: that is an absence (F2, F5). Raises Refused."""
    today = load_calendar(case.company).local_date(now)
    check_absence(today, day, today, "not_before")
    Absence.objects.create(
        case=case,
        contact=case.contact,
        state=AbsenceState.CONFIRMED,
        away_from=today,
        back_on=day,
        noted_at=now,
        noted_by=actor,
        settled_at=now,
        settled_by=actor,
    )


def check_absence(away_from: date, back_on: date, today: date, field: str = "back_on") -> None:
    """Refuse a timeframe that cannot be one: it ends before it begins, is over, or is too far ahead (F5, S4)."""
    if back_on <= today:
        raise Refused(f"They would be back already on {back_on:%d %B %Y}; give a day after today over there.", field)
    if back_on <= away_from:
        raise Refused("The day they are back has to come after the first day away.", field)
    if back_on > today + FURTHEST_RETURN:
        raise Refused(f"{back_on:%d %B %Y} is more than a year ahead; check the year.", field)


def _settle(absence: Absence, dates: Dates, today: date, actor: User | None, now: datetime) -> None:
    check_absence(dates.away_from, dates.back_on, today)
    absence.away_from, absence.back_on = dates.away_from, dates.back_on
    absence.state = AbsenceState.CONFIRMED
    absence.settled_at, absence.settled_by = now, actor


def _read(absence: Absence, today: date, country: str) -> None:
    """What the note says of its dates; they count until somebody confirms or corrects them."""
    read = read_timeframe(absence.note, today, country)
    absence.state = AbsenceState.READ if read else AbsenceState.UNREAD
    if read is not None:
        absence.away_from, absence.back_on = read.away_from or today, read.back_on
        absence.phrase = read.phrase[:200]


def _ask(absence: Absence, now: datetime) -> None:
    """Ask the owner for the dates, or to confirm those that were read (F5).

    The same dates are asked for once. Of notes that nobody can read the owner is asked once in a wait: a second one
    puts nothing to sleep any longer.
    """
    known = Absence.objects.filter(contact=absence.contact)
    if absence.state == AbsenceState.READ:
        same = known.filter(state__in=DATED_ABSENCES, away_from=absence.away_from, back_on=absence.back_on)
        is_new = not same.exists()
    else:
        asked = known.filter(asked_at__isnull=False, phrase="")
        since = absence.case.waiting_since
        in_this_wait = since is not None and asked.filter(asked_at__gte=since).exists()
        is_new = not in_this_wait and not asked.filter(state=AbsenceState.UNREAD).exists()
    if is_new:
        absence.asked_at = now


def _letters(absence: Absence, actor: User | None) -> list[Letter]:
    """To the owner what has to be confirmed, or what somebody else noted; to the owners of other waits, what sleeps."""
    case, directory = absence.case, Directory()
    letters = []
    if absence.asked_at is not None:
        letters += absence_letters(absence, directory)
    elif case.owner != actor:
        letters += absence_noted_letters(absence, case, directory)
    if absence.has_dates or absence.asked_at is not None:
        know = [owner for owner in (case.owner_id, actor.pk if actor else None) if owner is not None]
        waits = _waits_for(absence).exclude(pk=case.pk).exclude(owner__in=know).order_by("pk")
        others = {wait.owner_id: wait for wait in waits.select_related("company", "contact", "owner")}
        letters += [letter for wait in others.values() for letter in absence_noted_letters(absence, wait, directory)]
    return letters


def _waits_for(absence: Absence) -> CaseQuerySet:
    """The cases that wait for this person."""
    return Case.objects.filter(contact=absence.contact_id, status=Status.WAITING)


def _wake(absence: Absence, now: datetime) -> None:
    """The plans look again: they may sleep longer, or have something to do at once."""
    _waits_for(absence).recheck("follow_up", now)
    if absence.case.waiting_since is not None:
        absence.case.nudge(now, "follow_up")
