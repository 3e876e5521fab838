"""Moving open cases to another version of the schedule (E10): first what would happen, then the move itself.

The rehearsal decides each case as the next sweep would, on a copy in memory, and writes nothing. The move writes that
the case runs under the version from now on and that it has to be looked at; what comes due by it, the sweep carries
out. What a manager was shown is kept as one `Sight` a case, and nothing else than that is done.
"""

from __future__ import annotations

import copy
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db import transaction
from django.db.models import Case as CaseWhen
from django.db.models import Count, Expression, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from cases.engine.bulk import batched, insert
from cases.engine.history import record_many
from cases.enums import RANK, Move, Severity, Status
from cases.mail.letters import Letter
from cases.models import Case, CaseQuerySet, FailedCase
from cases.workflow.guards import Refused, allow, needs
from contacts.enums import Right
from contacts.models import Company, User
from escalations.clocks import CaseClock, Versions, load_clocks
from escalations.models import Escalation, ScheduleMove, ScheduleVersion
from escalations.points.decide import Batch, PointDecision, decide, inherited
from escalations.points.mail import inheritance_letters, step_letters
from escalations.policy.cadence import Cadence, Reached, cadence_in_force
from escalations.policy.clock import Due, PolicyTimeline, Snapshot, due_points
from escalations.policy.schedule import Schedule, cadence_minutes

#: So many cases are read, and written, at a time.
BATCH = 500
#: So many cases a rehearsal lists, those with the most consequences; its totals cover all of them.
LISTED = 100

EVERYBODY = ("contact__company", "company__account_manager", "owner__technician")


# --- which cases ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Selection:
    """Which open cases, of those that are not on the version yet; an empty field chooses all."""

    severities: tuple[str, ...] = ()
    versions: tuple[int, ...] = ()  # their present ones
    company: int | None = None


@dataclass(frozen=True)
class Counts:
    """How many open cases are not on a version yet, and how they spread."""

    total: int
    by_severity: dict[Severity, int]
    by_version: dict[int, int]
    by_company: dict[Company, int]


def movable(version: ScheduleVersion) -> QuerySet[Any]:
    """The open cases that run under another version now, `on_version` each; resolved ones are never moved (E10)."""
    return Case.objects.open().annotate(on_version=_present_version()).exclude(on_version=version.number)


def _present_version() -> Expression:
    """The number of the version that a case was moved to last, else of the one it was opened under."""
    last_move = ScheduleMove.objects.filter(case=OuterRef("pk")).order_by("-at", "-pk")
    in_force = ScheduleVersion.objects.filter(in_force_from__isnull=False).order_by("in_force_from", "number")
    versions = list(in_force.values_list("number", "in_force_from"))
    opened_under = [When(opened_at__gte=since, then=Value(number)) for number, since in reversed(versions)]
    first = Value(versions[0][0] if versions else 0)
    return Coalesce(Subquery(last_move.values("version__number")[:1]), CaseWhen(*opened_under, default=first))


def selected(version: ScheduleVersion, selection: Selection) -> list[int]:
    """The keys of the cases that a selection chooses, in order."""
    cases = movable(version)
    if selection.severities:
        cases = cases.filter(severity__in=selection.severities)
    if selection.versions:
        cases = cases.filter(on_version__in=selection.versions)
    if selection.company is not None:
        cases = cases.filter(company=selection.company)
    return list(cases.order_by("pk").values_list("pk", flat=True))


def counted(version: ScheduleVersion) -> Counts:
    """How many cases there are to choose from; four queries."""
    rows = movable(version).values("on_version", "severity", "company").order_by().annotate(cases=Count("pk"))
    by_severity: Counter[str] = Counter()
    by_version: Counter[int] = Counter()
    by_company: Counter[int] = Counter()
    for row in rows:
        by_severity[row["severity"]] += row["cases"]
        by_version[row["on_version"]] += row["cases"]
        by_company[row["company"]] += row["cases"]
    companies = Company.objects.filter(pk__in=by_company).order_by("name")
    return Counts(
        total=by_severity.total(),
        by_severity={severity: by_severity[severity] for severity in Severity if by_severity[severity]},
        by_version=dict(sorted(by_version.items())),
        by_company={company: by_company[company.pk] for company in companies},
    )


# --- what would happen ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SignedPreview:
    """What a manager was shown of one case, as far as it must still hold when they decide on it.

    Whom ownership goes to is not part of it: that is the least loaded L3 at the moment it is carried out.
    """

    on: int  # the version it runs under
    severity: str
    waits: bool
    effective: str  # the points that would be carried out, “1 2”
    quiet: str  # those that would only be recorded
    rest: str  # a digest of who would be mailed and of the rhythm


@dataclass
class CasePreview:
    """What the move of one case would bring at once, and what it would change."""

    case: Case  # as it is
    on: int  # the version it runs under now
    step: PointDecision
    letters: list[Letter]
    anyway: frozenset[str]  # names of points that are due without the move as well
    cadence_before: Cadence
    cadence_after: Cadence
    next_before: Due | None
    next_after: Due | None
    after_the_wait: list[str]  # points that the move makes due as soon as the wait ends

    @cached_property
    def quiet(self) -> list[Due]:
        """The points that would only be recorded."""
        return [due for due in self.step.dues if not self.step.is_effective(due)]

    @property
    def changes_cadence(self) -> bool:
        """Whether somebody would be owed updates more or less often than now."""
        return dict(self.cadence_before) != dict(self.cadence_after)

    @property
    def changes_next(self) -> bool:
        """Whether another point would come next, or at another time."""
        return _moment(self.next_before) != _moment(self.next_after)

    @property
    def is_still(self) -> bool:
        """Whether nothing at all would be different for now."""
        return not (self.step.dues or self.letters or self.changes_cadence or self.changes_next or self.after_the_wait)

    @property
    def weight(self) -> tuple[int, ...]:
        """The most consequences first, then the worst cases."""
        changed = self.changes_cadence + self.changes_next + bool(self.after_the_wait)
        consequences = (len(self.step.effective), len(self.letters), len(self.quiet), changed)
        return (*(-one for one in consequences), RANK[Severity(self.case.severity)], self.case.pk)

    @cached_property
    def sight(self) -> SignedPreview:
        """What must still hold when it is done."""
        return SignedPreview(
            on=self.on,
            severity=self.case.severity,
            waits=self.case.status == Status.WAITING,
            effective=_numbers(self.step.effective),
            quiet=_numbers(self.quiet),
            rest=self._rest(),
        )

    def _rest(self) -> str:
        chosen = {self.step.new_owner, self.step.asked if self.step.absent else None}  # by load, at that moment
        aside = {user.email.lower() for user in chosen if user}
        readers = {letter.to.address.lower() for letter in self.letters} - aside
        what = (sorted(readers), sorted(cadence_minutes(self.cadence_after).items()), bool(self.step.new_owner))
        return hashlib.sha256(repr(what).encode()).hexdigest()[:8]


@dataclass
class Reader:
    """Somebody who would be mailed."""

    name: str
    address: str
    mails: int = 0
    meant_for: set[str] = field(default_factory=set)  # whom they stand in for (D5)


@dataclass
class Rehearsal:
    """What moving these cases would do: the totals of all of them, and those with the most consequences."""

    version: int
    now: datetime
    listed: list[CasePreview] = field(default_factory=list)
    sights: dict[int, SignedPreview] = field(default_factory=dict)
    already: list[int] = field(default_factory=list)  # on the version already
    readers: dict[str, Reader] = field(default_factory=dict)
    totals: Counter[str] = field(default_factory=Counter)
    points: Counter[str] = field(default_factory=Counter)  # carried out at once, by name
    from_versions: Counter[int] = field(default_factory=Counter)

    def take(self, outlooks: Iterable[CasePreview]) -> None:
        """Count these cases in, and list them if they belong to those with the most consequences."""
        outlooks = list(outlooks)
        for outlook in outlooks:
            self._count(outlook)
        self.listed = sorted([*self.listed, *outlooks], key=lambda one: one.weight)[:LISTED]

    def _count(self, outlook: CasePreview) -> None:
        step = outlook.step
        self.sights[outlook.case.pk] = outlook.sight
        self.from_versions[outlook.on] += 1
        self.points.update(due.point.name for due in step.effective)
        self.totals.update(
            cases=1,
            due_at_once=bool(step.effective),
            effective=len(step.effective),
            quiet=len(outlook.quiet),
            anyway=len(outlook.anyway),
            mails=len(outlook.letters),
            to_l3=step.new_owner is not None,
            asked=step.asked is not None,
            cadence=outlook.changes_cadence,
            next=outlook.changes_next,
            after_the_wait=bool(outlook.after_the_wait),
            still=outlook.is_still,
        )
        for letter in outlook.letters:
            to = letter.to
            reader = self.readers.setdefault(to.address.lower(), Reader(to.name, to.address))
            reader.mails += 1
            reader.meant_for.update([to.meant_for] if to.meant_for else [])

    @property
    def unlisted(self) -> int:
        """How many cases are counted and not listed."""
        return self.totals["cases"] - len(self.listed)


def rehearse(case_ids: Sequence[int], version: ScheduleVersion, now: datetime) -> Rehearsal:
    """What moving these cases to the version at `now` would do, as the next sweep would do it (E10). Writes nothing.

    Resolved cases and those on the version already are left out. A fixed number of queries for each batch of cases.
    """
    move = _Moving(version, now)
    rehearsal = Rehearsal(version.number, now)
    for ids in batched(sorted(case_ids), BATCH):
        cases = Case.objects.open().filter(pk__in=ids).select_related(*EVERYBODY).order_by("pk")
        outlooks, already = move.outlooks(list(cases))
        rehearsal.take(outlooks)
        rehearsal.already += already
    return rehearsal


class _Moving:
    """A move to a version at a moment: what it needs to know besides the cases is read once."""

    def __init__(self, version: ScheduleVersion, now: datetime) -> None:
        self.versions, self.batch, self.now = Versions(), Batch(now), now
        schedule = self.versions.numbered(version.number)
        if schedule is None:
            raise Refused(f"Version {version.number} is a draft; put it in force before cases are moved to it.")
        self.schedule: Schedule = schedule

    def outlooks(self, cases: Sequence[Case]) -> tuple[list[CasePreview], list[int]]:
        """What the move would bring to each case, and which are on the version already. The cases stay as they are."""
        lives = load_clocks([copy.copy(case) for case in cases], self.versions)
        outlooks, already = [], []
        for case in cases:
            life = lives[case.pk]
            if life.timeline is not None and life.timeline.last.version == self.schedule.version:
                already.append(case.pk)
            elif life.timeline is not None:
                outlooks.append(self._outlook(case, life, life.timeline))
        return outlooks, already

    def _outlook(self, case: Case, life: CaseClock, timeline: PolicyTimeline) -> CasePreview:
        now = self.now
        anyway, next_before = life.dues(now), life.upcoming(now)
        cadence_before, _ = life.cadence(now)
        life.timeline = replace(timeline, moves=(*timeline.moves, (now, self.schedule)))
        step = decide(life, self.batch)
        return CasePreview(
            case=case,
            on=timeline.last.version,
            step=step,
            letters=self._letters(step),
            anyway=frozenset(due.point.name for due in anyway),
            cadence_before=cadence_before,
            cadence_after=self._cadence_after(step),
            next_before=next_before,
            next_after=life.upcoming(now),
            after_the_wait=_after_the_wait(life, timeline, life.timeline, now),
        )

    def _letters(self, step: PointDecision) -> list[Letter]:
        """What the sweep would write: the letters of the step, or of a question that goes on to a new owner (E8)."""
        letters = step_letters(step, self.batch)
        new_assignee = None if step.asks or step.new_assignee else inherited(step.life, self.batch)
        return letters + (inheritance_letters(step.life, new_assignee, self.batch) if new_assignee else [])

    def _cadence_after(self, step: PointDecision) -> Cadence:
        to_come = [Reached(*due.key, due.due_at, self.now, due.point.cadence) for due in step.dues]
        reached = [*step.life.reached, *to_come]
        attention = any(one.holds(step.run, self.now) for one in step.life.attentions)
        return cadence_in_force(self.schedule, step.run, Severity(step.case.severity), reached, attention)[0]


def _after_the_wait(life: CaseClock, before: PolicyTimeline, after: PolicyTimeline, now: datetime) -> list[str]:
    """The points of a waiting case that the move makes due as soon as the wait ends: waits may count otherwise (E2)."""
    case = life.case
    if case.status != Status.WAITING:
        return []
    resumed = [*life.snapshots, Snapshot(now, Status.IN_PROGRESS, Severity(case.severity), case.wait_episode)]
    due_before = {due.key for due in due_points(resumed, before, now)} | set(life.ledger)
    return [due.point.name for due in due_points(resumed, after, now) if due.key not in due_before]


def _numbers(dues: Iterable[Due]) -> str:
    return " ".join(f"{due.run}:{due.point.severity[0]}{due.point.number}" for due in dues)


def _moment(due: Due | None) -> tuple[str, datetime] | None:
    return (due.point.name, due.due_at) if due else None


# --- what was shown, and what has become of it ------------------------------------------------------------------


def changes_since(seen: Mapping[int, SignedPreview], rehearsal: Rehearsal) -> list[str]:
    """What is not any more as it was shown, a sentence for each case; a case on the version already is no change."""
    return [
        f"{Case(pk=pk).number} {_changed(sight, rehearsal.sights.get(pk))}"
        for pk, sight in seen.items()
        if pk not in rehearsal.already and rehearsal.sights.get(pk) != sight
    ]


def _changed(seen: SignedPreview, now: SignedPreview | None) -> str:
    if now is None:
        return "was resolved meanwhile."
    if now.severity != seen.severity:
        return f"is {Severity(now.severity).label} now."
    if now.waits != seen.waits:
        return "waits for the customer now." if now.waits else "does not wait for the customer any more."
    if now.on != seen.on:
        return f"was moved to version {now.on} meanwhile."
    if (now.effective, now.quiet) != (seen.effective, seen.quiet):
        return "has other points that come due."
    return "has other people to be mailed, or other intervals."


# --- the move ---------------------------------------------------------------------------------------------------


class Changed(Refused):
    """Something is not any more as it was shown; nothing was moved. `sentences` name the cases."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__("Something has changed since this was shown, so nothing was moved. Look at it anew below.")
        self.sentences = sentences


@dataclass
class Moved:
    """What a move did: how many cases it moved, how many were there already, and which it left as they are and why."""

    at: datetime
    moved: int = 0
    already: int = 0
    left: list[str] = field(default_factory=list)


def move(
    seen: Mapping[int, SignedPreview],
    version_id: int,
    actor: User,
    now: datetime,
    *,
    reason: str,
    leave_changed: bool = False,
) -> Moved:
    """Move the cases that were shown to a version in force (E10); the next sweep carries out what comes due by it.

    When something is not as it was shown, nothing is moved; with `leave_changed` those cases stay as they are, named in
    what is returned, and the others are moved. Cases on the version already are passed over: pressing twice moves once.
    Raises Changed, Refused, NotAllowed, or ScheduleVersion.DoesNotExist.
    """
    allow(actor, Right.EDIT_SCHEDULE, "move cases to another version of the schedule")
    why = needs(reason, "Say why the cases are moved.", "reason")
    version = ScheduleVersion.objects.get(pk=version_id)
    if not leave_changed:
        changes = changes_since(seen, rehearse(list(seen), version, now))
        if changes:
            raise Changed(changes)
    moving, moved = _Moving(version, now), Moved(now)
    for ids in batched(sorted(seen), BATCH):
        with transaction.atomic():
            _move_batch({pk: seen[pk] for pk in ids}, version, moving, moved, actor, why)
    return moved


def _move_batch(
    seen: Mapping[int, SignedPreview], version: ScheduleVersion, moving: _Moving, moved: Moved, actor: User, why: str
) -> None:
    """Lock the cases, waiting for a sweep that holds them, look once more, and move those that are as shown."""
    rows = Case.objects.filter(pk__in=seen).select_for_update(of=("self",)).select_related(*EVERYBODY).order_by("pk")
    cases = {case.pk: case for case in rows if case.is_open}
    rehearsal = Rehearsal(version.number, moving.now)
    outlooks, rehearsal.already = moving.outlooks(list(cases.values()))
    rehearsal.take(outlooks)
    to_move = [cases[pk] for pk, sight in rehearsal.sights.items() if sight == seen[pk]]
    _write(to_move, rehearsal, version, actor, why)
    moved.moved += len(to_move)
    moved.already += len(rehearsal.already)
    moved.left += changes_since(seen, rehearsal)


def _write(cases: Sequence[Case], rehearsal: Rehearsal, version: ScheduleVersion, actor: User, why: str) -> None:
    now = rehearsal.now
    for case in cases:
        case.escalation_check_at = case.sla_check_at = now
    insert([ScheduleMove(case=case, version=version, at=now, by=actor, reason=why[:200]) for case in cases])

    def said(case: Case) -> str:
        return f"From version {rehearsal.sights[case.pk].on} to version {version.number} of the schedule: {why}"

    record_many(cases, ["escalation_check_at", "sla_check_at"], Move.MOVED, said, now, actor)


# --- what has become of a move ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Progress:
    """How far the sweep has carried out a move."""

    moved: int
    carried_out: int
    set_aside: int  # could not be carried out yet; the engine tries again (S2)
    brought: list[Escalation]  # the newest points that it made due, carried out or recorded
    points: int

    @property
    def to_come(self) -> int:
        """How many cases the sweep has not looked at yet."""
        return self.moved - self.carried_out - self.set_aside


def moves_of(version: ScheduleVersion, at: datetime) -> CaseQuerySet:
    """The cases that were moved to a version at a moment."""
    return Case.objects.filter(schedule_moves__version=version, schedule_moves__at=at)


def progress(version: ScheduleVersion, at: datetime) -> Progress:
    """How far the move of that moment is carried out; five queries."""
    cases = moves_of(version, at)
    aside = FailedCase.objects.filter(sweep="escalate", solved_at=None, retry_at__gt=at).values("case")
    brought = Escalation.objects.filter(case__in=cases.values("pk"), due_at__lte=at, done_at__gte=at)
    moved, pending = cases.count(), cases.filter(escalation_check_at__lte=at).count()
    set_aside = cases.filter(pk__in=aside).exclude(escalation_check_at__lte=at).count()
    return Progress(
        moved=moved,
        carried_out=moved - pending - set_aside,
        set_aside=set_aside,
        brought=list(brought.select_related("case", "case__company", "owner_after", "asked").order_by("pk")[:LISTED]),
        points=brought.count(),
    )
