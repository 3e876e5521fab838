"""The programme of the demonstration: sixty cases and a few callers who were turned away, relative to the present.

Cases that have to stand at a certain point of the schedule now begin to the minute, with a customer who is awake then.
The others begin in the customer's office hours before that time.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from cases.enums import Severity, WaitPlan, WaitReason
from cases.models import Case
from config.demo import stories
from config.demo.calls import play_calls
from config.demo.people import COMPANIES, STAFF, CompanySketch, Desk, create_people
from config.demo.playing import play, sweep_once
from config.demo.received import receive_mail
from config.demo.scenes import DAY, HOUR, MINUTE, Scene, Shift
from config.demo.stories import Tell
from config.demo.subjects import GERMAN, JAPANESE, SUBJECTS, Subject
from contacts.models import Company, RoleHolder, SupportCentre, Technician, User

SEED = "support desk"
#: How long ago the people of the desk were entered: before the first case.
FOUNDED = 30 * DAY


@dataclass(frozen=True)
class ProgrammeEntry:
    """One case of the programme: its severity and story, how long ago it begins, and whether to the minute."""

    severity: Severity
    ago: timedelta
    tell: Tell
    exact: bool = False
    company: str = ""
    subject: Subject | None = None


NOTE_WITH_A_DATE = "Thank you for your message. I am out of the office until {last_day}.\n\nKind regards"

_C, _H, _M, _L = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW
_INFORMATION, _CANNOT_NOW, _CONFIRM = WaitReason.INFORMATION, WaitReason.CANNOT_NOW, WaitReason.CONFIRM


def _exactly(severity: Severity, ago: timedelta, tell: Tell) -> ProgrammeEntry:
    return ProgrammeEntry(severity, ago, tell, exact=True)


#: Begins in the customer's office hours before that time.
_before = ProgrammeEntry


PROGRAMME = (
    # A point of the schedule is due in minutes, then in hours (E1).
    _exactly(_C, 4 * HOUR - 6 * MINUTE, stories.worked),
    _exactly(_H, 12 * HOUR - 13 * MINUTE, stories.worked),
    _exactly(_M, 48 * HOUR - 21 * MINUTE, stories.overlooked),
    _exactly(_C, 24 * HOUR - 38 * MINUTE, stories.watched_by_the_account_manager),
    _exactly(_C, 12 * HOUR - 80 * MINUTE, stories.worked),
    _exactly(_H, 36 * HOUR - 130 * MINUTE, stories.watched_by_the_account_manager),
    _exactly(_H, 48 * HOUR - 200 * MINUTE, stories.worked),
    _exactly(_M, 6 * DAY - 4 * HOUR, stories.worked),
    _exactly(_M, 15 * DAY - 310 * MINUTE, stories.watched_by_the_account_manager),
    _exactly(_C, 5 * HOUR + 40 * MINUTE, stories.worked),
    _exactly(_H, 55 * HOUR, stories.worked),
    # Just opened.
    _exactly(_C, 7 * MINUTE, stories.fresh),
    _exactly(_H, 22 * MINUTE, stories.fresh),
    _exactly(_M, 41 * MINUTE, stories.fresh),
    _exactly(_L, 3 * HOUR, stories.fresh),
    _exactly(_L, 50 * MINUTE, stories.fresh),
    _exactly(_H, 5 * HOUR, stories.escalation_requested(11 * MINUTE)),
    _exactly(_M, 20 * HOUR, stories.escalation_decided(3 * HOUR, granted=True)),
    # Waiting for the customer, at each stage of the plan (F2).
    _exactly(_C, 9 * HOUR, stories.waits(90 * MINUTE, _CONFIRM)),
    _before(_H, 30 * HOUR, stories.waits(22 * HOUR, _INFORMATION)),
    _before(_H, 5 * DAY, stories.waits(4 * DAY + 9 * HOUR, _CANNOT_NOW)),
    _before(_M, 3 * DAY, stories.waits(2 * DAY + 14 * HOUR, _INFORMATION, WaitPlan.PENDING_CLIENT_ACTION)),
    _before(_M, 7 * DAY + 12 * HOUR, stories.waits(6 * DAY + 20 * HOUR, _CONFIRM)),
    _before(_M, 5 * DAY, stories.asked_twice),
    # Three contacts by phone; customers who are out of office: known, read from a note, not to be read (F3, F5).
    _before(_M, 6 * DAY, stories.called_in_vain),
    _before(_H, 2 * DAY, stories.away("I am on leave. Please turn to the help desk.", 11 * DAY)),
    _before(_M, 2 * DAY, stories.away(NOTE_WITH_A_DATE)),
    _before(_L, 2 * DAY, stories.away("I am travelling and will read my mail now and then. Kind regards")),
    _before(_L, 2 * DAY, stories.waits(12 * HOUR, _INFORMATION)),
    _before(_L, 3 * DAY, stories.waits(2 * DAY - 10 * MINUTE, _CANNOT_NOW)),
    _before(_L, 7 * DAY, stories.waits(6 * DAY + 6 * HOUR, _CANNOT_NOW)),
    # Closed for no response; one of them answered after all (C7).
    _before(_M, 10 * DAY, stories.waits(8 * DAY + 15 * HOUR, _CANNOT_NOW)),
    _before(_L, 13 * DAY, stories.waits(11 * DAY, _INFORMATION)),
    _before(_M, 9 * DAY, stories.answered_too_late),
    # Solved, and what may come after.
    _before(_C, 6 * DAY, stories.solved(150 * MINUTE)),
    _before(_C, 11 * DAY, stories.solved(14 * HOUR)),
    _before(_C, 17 * DAY, stories.solved(26 * HOUR)),
    _before(_H, 9 * DAY, stories.solved(8 * HOUR)),
    _before(_H, 19 * DAY, stories.solved(40 * HOUR)),
    _before(_H, 13 * DAY, stories.asked_and_solved),
    _before(_M, 12 * DAY, stories.solved(30 * HOUR)),
    _before(_M, 3 * DAY, stories.escalation_decided(26 * HOUR, granted=False)),
    _before(_M, 15 * DAY, stories.asked_and_solved),
    _before(_M, 8 * DAY, stories.confirmed_at_last),
    _before(_M, 10 * DAY, stories.not_pursued),
    _before(_L, 18 * DAY, stories.solved(2 * DAY)),
    _before(_L, 5 * DAY, stories.solved(5 * HOUR)),
    _before(_L, 6 * DAY, stories.not_pursued),
    _before(_L, 11 * DAY, stories.asked_and_solved),
    _before(_M, 7 * DAY, stories.thanked(handled=True)),
    _before(_L, 2 * DAY, stories.thanked(handled=False)),
    _before(_H, 4 * DAY, stories.relapse_unanswered),
    _before(_M, 19 * DAY + 12 * HOUR, stories.back_after_weeks),
    _exactly(_C, 10 * HOUR, stories.reopened_the_same_day),
    _before(_M, 9 * DAY, stories.reopened_later),
    # Severity raised or lowered (E4); reassigned; corrected.
    _exactly(_M, 20 * HOUR, stories.raised(170 * MINUTE, _H)),
    _before(_C, 8 * DAY, stories.lowered(150 * MINUTE, _H, 6 * HOUR)),
    _before(_H, 3 * DAY, stories.lowered(51 * HOUR, _M)),
    _before(_H, 27 * HOUR, stories.handed_over),
    _before(_M, 4 * DAY, stories.corrected),
    _before(_L, 3 * DAY, stories.taken_back),
    # Opened for somebody who is not the help desk (D3).
    _before(_C, 3 * DAY, stories.opened_despite(3 * HOUR)),
    # In the customer's own language (D2).
    _before(_H, 90 * MINUTE, stories.worked, company="Aozora Logistics", subject=JAPANESE),
    # Callers who were turned away (D3).
    _before(_L, 1 * DAY, stories.turned_away),
    _before(_L, 4 * DAY, stories.turned_away),
    _before(_L, 9 * DAY, stories.turned_away),
    _before(_L, 15 * DAY, stories.turned_away),
)


def refuse_demo() -> str:
    """Why this database cannot take the demonstration, as a sentence; "" if it can."""
    if Case.objects.exists():
        return "This desk holds cases already; the demonstration is only for an empty one, so nothing was changed."
    in_use = [
        model._meta.verbose_name_plural
        for model in (Company, SupportCentre, Technician, RoleHolder)
        if model._default_manager.exists()
    ]
    if in_use:
        return f"This desk has {' and '.join(map(str, in_use))} already; the demonstration needs an empty desk."
    taken = User.objects.filter(username__in=[person.username for person in STAFF]).values_list("username", flat=True)
    if taken:
        return f"The user names {', '.join(sorted(taken))} are taken; the demonstration needs an empty desk."
    return ""


def fill_desk(now: datetime) -> None:
    """Fill an empty desk with its people and their last twenty days up to `now`, in one transaction."""
    with transaction.atomic(), timezone.override("UTC"):
        desk = create_people(now - FOUNDED)
        play(create_scenes(desk, now), now)
        receive_mail(now)
        sweep_once(now)
        play_calls(now, Random(SEED))


def create_scenes(desk: Desk, now: datetime) -> list[Scene]:
    """Give each entry of the programme a company and a subject: always the same for the same `now`."""
    chance = Random(SEED)
    shift, casting = Shift(desk), Casting(chance)
    scenes = []
    for number, entry in enumerate(PROGRAMME):
        sketch, subject = casting.choose(entry, now)
        company = desk.companies[sketch.name]
        own_chance = Random(f"{SEED} {number}")
        at = now - entry.ago if entry.exact else last_office_moment(company, now - entry.ago, own_chance)
        scenes.append(Scene(desk, shift, company, sketch, subject, at, now, own_chance, entry.tell))
    return scenes


class Casting:
    """Chooses customers and subjects for the entries, evenly, and no pair twice."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.companies: Counter[str] = Counter()
        self.subjects: Counter[str] = Counter()
        self.pairs: Counter[tuple[str, str]] = Counter()

    def choose(self, entry: ProgrammeEntry, now: datetime) -> tuple[CompanySketch, Subject]:
        """The customer and the subject of an entry: customers who are awake first, then those with the fewest cases."""
        sketches = [sketch for sketch in COMPANIES if entry.company in ("", sketch.name)]
        if entry.exact:
            sketches = [sketch for sketch in sketches if is_daytime(sketch, now - entry.ago)] or sketches
        sketch = min(sketches, key=lambda sketch: (self.companies[sketch.name], self.chance.random()))
        subjects = [entry.subject] if entry.subject else self._subjects(entry, sketch)
        subject = min(
            subjects,
            key=lambda subject: (
                self.pairs[sketch.name, subject.title],
                self.subjects[subject.title],
                self.chance.random(),
            ),
        )
        self.companies[sketch.name] += 1
        self.subjects[subject.title] += 1
        self.pairs[sketch.name, subject.title] += 1
        return sketch, subject

    def _subjects(self, entry: ProgrammeEntry, sketch: CompanySketch) -> list[Subject]:
        more = (GERMAN,) if sketch.language == "de" and entry.severity == GERMAN.severity else ()
        return [*SUBJECTS[entry.severity], *more]


def is_daytime(sketch: CompanySketch, moment: datetime) -> bool:
    """Whether it is office time where the customer is; it always is at some customer."""
    local = timezone.localtime(moment, ZoneInfo(sketch.time_zone))
    return time(8) <= local.time() < time(18)


def last_office_moment(company: Company, before: datetime, chance: Random) -> datetime:
    """A random moment of the customer's office hours on the last business day that allows one before `before`, UTC."""
    calendar = company.calendar()
    clock = time(chance.randint(9, 15), chance.randint(0, 59), chance.randint(0, 59))
    day = calendar.local_date(before)
    while not calendar.is_business_day(day) or calendar.at_local_time(day, clock) > before:
        day -= DAY
    return calendar.at_local_time(day, clock)
