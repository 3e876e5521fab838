"""Roll a schedule version out to open cases (E10): preview the effect, then move the cases.

The preview decides each case as the next escalation sweep would, on a copy in memory, and writes nothing. Rolling out
records that the case runs under the version from now on and makes it due for a check; the sweep carries out the points
that come due. What a manager was shown comes back as one `SignedPreview` a case, and only cases that still match are
moved.
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

from cases.bulk import batched, insert
from cases.engine.history import record_many
from cases.enums import Move, Severity, Status
from cases.guards import Refused, allow, needs
from cases.mail.letters import Letter
from cases.models import Case, CaseQuerySet, FailedCase
from cases.policy.severity import RANK
from contacts.enums import Right
from contacts.models import Company, User
from escalations.clocks import CaseClock, Versions, load_clocks
from escalations.models import Escalation, ScheduleMove, ScheduleVersion
from escalations.points.apply import apply_points
from escalations.points.decide import PointDecision, SweepContext, decide_points
from escalations.policy.cadence import Cadence, PassedPoint, cadence_in_force
from escalations.policy.clock import Due, PolicyTimeline, Snapshot, due_points
from escalations.policy.schedule import Schedule, cadence_minutes

#: Cases read, and written, at a time.
BATCH = 500
#: Cases a rehearsal lists, those with the most consequences first; its totals cover all of them.
LISTED = 100

_RELATED = ("contact__company", "company__account_manager", "owner__technician")


# --- which cases ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Selection:
    """Which open cases, of those that are not on the version yet; an empty field selects all."""

    severities: tuple[str, ...] = ()
    versions: tuple[int, ...] = ()  # their present ones
    company: int | None = None


@dataclass(frozen=True)
class Counts:
    """How many open cases are not on a version yet, in total and by what they can be selected by."""

    total: int
    by_severity: dict[Severity, int]
    by_version: dict[int, int]
    by_company: dict[Company, int]


def movable_cases(version: ScheduleVersion) -> QuerySet[Any]:
    """The open cases that run under another version now, annotated with `on_version`; never resolved ones (E10)."""
    return Case.objects.open().annotate(on_version=_present_version()).exclude(on_version=version.number)


def _present_version() -> Expression:
    """The number of the version that a case was moved to last, else of the one it was opened under."""
    last_move = ScheduleMove.objects.filter(case=OuterRef("pk")).order_by("-at", "-pk")
    in_force = ScheduleVersion.objects.filter(in_force_from__isnull=False).order_by("in_force_from", "number")
    versions = list(in_force.values_list("number", "in_force_from"))
    opened_under = [When(opened_at__gte=since, then=Value(number)) for number, since in reversed(versions)]
    first = Value(versions[0][0] if versions else 0)
    return Coalesce(Subquery(last_move.values("version__number")[:1]), CaseWhen(*opened_under, default=first))


def select_cases(version: ScheduleVersion, selection: Selection) -> list[int]:
    """The sorted primary keys of the cases that a selection covers."""
    cases = movable_cases(version)
    if selection.severities:
        cases = cases.filter(severity__in=selection.severities)
    if selection.versions:
        cases = cases.filter(on_version__in=selection.versions)
    if selection.company is not None:
        cases = cases.filter(company=selection.company)
    return list(cases.order_by("pk").values_list("pk", flat=True))


def count_movable(version: ScheduleVersion) -> Counts:
    """How many cases there are to select from; four queries."""
    rows = movable_cases(version).values("on_version", "severity", "company").order_by().annotate(cases=Count("pk"))
    by_severity, by_version, by_company = Counter[str](), Counter[int](), Counter[int]()
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


# --- the preview ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SignedPreview:
    """What a manager was shown of one case, as far as it must still hold when they confirm.

    The new owner is not part of it: that is the least loaded L3 technician when the sweep carries it out.
    """

    on_version: int  # the one the case runs under
    severity: str
    waits: bool
    effective: str  # the points that would be carried out, “1:h1 1:h2”
    recorded_only: str
    digest: str  # of the recipients and the cadence


@dataclass
class CasePreview:
    """What moving one case would carry out at once, and what it would change."""

    case: Case  # as it is
    on_version: int  # the one it runs under now
    step: PointDecision
    letters: list[Letter]
    due_anyway: frozenset[str]  # names of points that are due without the move as well
    cadence_before: Cadence
    cadence_after: Cadence
    next_before: Due | None
    next_after: Due | None
    after_the_wait: list[str]  # points that the move makes due as soon as the wait ends

    @cached_property
    def recorded_only(self) -> list[Due]:
        return [due for due in self.step.dues if not self.step.is_effective(due)]

    @property
    def changes_cadence(self) -> bool:
        return dict(self.cadence_before) != dict(self.cadence_after)

    @property
    def changes_next(self) -> bool:
        """Whether another point would come next, or at another time."""
        return _name_and_time(self.next_before) != _name_and_time(self.next_after)

    @property
    def changes_nothing(self) -> bool:
        return not (self.step.dues or self.letters or self.changes_cadence or self.changes_next or self.after_the_wait)

    @property
    def sort_key(self) -> tuple[int, ...]:
        """The most consequences first, then the highest severity."""
        changes = self.changes_cadence + self.changes_next + bool(self.after_the_wait)
        consequences = (len(self.step.effective), len(self.letters), len(self.recorded_only), changes)
        return (*(-count for count in consequences), RANK[Severity(self.case.severity)], self.case.pk)

    @cached_property
    def signed(self) -> SignedPreview:
        return SignedPreview(
            on_version=self.on_version,
            severity=self.case.severity,
            waits=self.case.status == Status.WAITING,
            effective=_point_keys(self.step.effective),
            recorded_only=_point_keys(self.recorded_only),
            digest=self._digest(),
        )

    def _digest(self) -> str:
        chosen_by_load = {self.step.new_owner, self.step.asked if self.step.absent else None}
        readers = {letter.to.address.lower() for letter in self.letters}
        readers -= {user.email.lower() for user in chosen_by_load if user}
        what = (sorted(readers), sorted(cadence_minutes(self.cadence_after).items()), bool(self.step.new_owner))
        return hashlib.sha256(repr(what).encode()).hexdigest()[:8]


@dataclass
class MailedPerson:
    """Somebody who would be mailed."""

    name: str
    address: str
    mails: int = 0
    meant_for: set[str] = field(default_factory=set)  # whom they stand in for (D5)


@dataclass
class Rehearsal:
    """The effect of moving a set of cases: the totals of all of them, and the cases with the most consequences."""

    version: int
    now: datetime
    listed: list[CasePreview] = field(default_factory=list)
    signed: dict[int, SignedPreview] = field(default_factory=dict)  # by primary key of the case
    already: list[int] = field(default_factory=list)  # cases on the version already
    readers: dict[str, MailedPerson] = field(default_factory=dict)
    totals: Counter[str] = field(default_factory=Counter)
    points: Counter[str] = field(default_factory=Counter)  # carried out at once, by name

    def add(self, previews: Sequence[CasePreview]) -> None:
        """Add these cases to the totals, and list those with the most consequences."""
        for preview in previews:
            self._count(preview)
        self.listed = sorted([*self.listed, *previews], key=lambda preview: preview.sort_key)[:LISTED]

    def _count(self, preview: CasePreview) -> None:
        step = preview.step
        self.signed[preview.case.pk] = preview.signed
        self.points.update(due.point.name for due in step.effective)
        self.totals.update(
            cases=1,
            due_at_once=bool(step.effective),
            effective=len(step.effective),
            recorded_only=len(preview.recorded_only),
            due_anyway=len(preview.due_anyway),
            mails=len(preview.letters),
            to_l3=step.new_owner is not None,
            asked=step.asked is not None,
            cadence=preview.changes_cadence,
            next=preview.changes_next,
            after_the_wait=bool(preview.after_the_wait),
            unchanged=preview.changes_nothing,
        )
        for letter in preview.letters:
            to = letter.to
            reader = self.readers.setdefault(to.address.lower(), MailedPerson(to.name, to.address))
            reader.mails += 1
            reader.meant_for |= {to.meant_for} - {""}

    @property
    def unlisted(self) -> int:
        """How many cases are in the totals and not in the list."""
        return self.totals["cases"] - len(self.listed)


def rehearse(case_ids: Sequence[int], version: ScheduleVersion, now: datetime) -> Rehearsal:
    """Preview moving these cases to the version at `now`, as the next sweep would carry it out (E10). Writes nothing.

    Leaves out resolved cases. A fixed number of queries for each batch of cases. Raises Refused for a draft.
    """
    rollout, rehearsal = _Rollout(version, now), Rehearsal(version.number, now)
    for ids in batched(sorted(case_ids), BATCH):
        cases = Case.objects.open().filter(pk__in=ids).select_related(*_RELATED).order_by("pk")
        rollout.preview(list(cases), rehearsal)
    return rehearsal


class _Rollout:
    """The schedule to move to, and what the previews of all batches share."""

    def __init__(self, version: ScheduleVersion, now: datetime) -> None:
        self.versions, self.context, self.now = Versions(), SweepContext(now), now
        schedule = self.versions.numbered(version.number)
        if schedule is None:
            raise Refused(f"Version {version.number} is a draft; put it in force before cases are moved to it.")
        self.schedule: Schedule = schedule

    def preview(self, cases: Sequence[Case], rehearsal: Rehearsal) -> None:
        """Add these cases to the rehearsal; the instances themselves stay as they are."""
        clocks = load_clocks([copy.copy(case) for case in cases], self.versions)
        previews = []
        for case in cases:
            clock = clocks[case.pk]
            if clock.timeline is None:
                continue
            if clock.timeline.last.version == self.schedule.version:
                rehearsal.already.append(case.pk)
            else:
                previews.append(self._preview(case, clock, clock.timeline))
        rehearsal.add(previews)

    def _preview(self, case: Case, clock: CaseClock, timeline: PolicyTimeline) -> CasePreview:
        now = self.now
        due_anyway, next_before = clock.due(now), clock.upcoming(now)
        cadence_before, _ = clock.cadence(now)
        moved = replace(timeline, moves=(*timeline.moves, (now, self.schedule)))
        clock = replace(clock, timeline=moved)
        step = decide_points(clock, self.context)
        return CasePreview(
            case=case,
            on_version=timeline.last.version,
            step=step,
            due_anyway=frozenset(due.point.name for due in due_anyway),
            cadence_before=cadence_before,
            cadence_after=self._cadence_after(step),
            next_before=next_before,
            next_after=clock.upcoming(now),
            after_the_wait=_due_after_the_wait(clock, timeline, moved, now),
            letters=apply_points(step, self.context).letters,  # last, as it changes what the others read
        )

    def _cadence_after(self, step: PointDecision) -> Cadence:
        to_come = [PassedPoint(*due.key, due.due_at, self.now, due.point.cadence) for due in step.dues]
        passed = [*step.clock.passed, *to_come]
        attention = any(request.is_paid(step.run, self.now) for request in step.clock.attentions)
        return cadence_in_force(self.schedule, step.run, Severity(step.case.severity), passed, attention)[0]


def _due_after_the_wait(clock: CaseClock, before: PolicyTimeline, after: PolicyTimeline, now: datetime) -> list[str]:
    """The points of a waiting case that the move makes due when the wait ends: its switch may count waits (E2)."""
    case = clock.case
    if case.status != Status.WAITING:
        return []
    resumed = [*clock.snapshots, Snapshot(now, Status.IN_PROGRESS, Severity(case.severity), case.wait_episode)]
    due_before = {due.key for due in due_points(resumed, before, now)} | set(clock.ledger)
    return [due.point.name for due in due_points(resumed, after, now) if due.key not in due_before]


def _point_keys(dues: Iterable[Due]) -> str:
    return " ".join(f"{due.run}:{due.point.severity[0]}{due.point.number}" for due in dues)


def _name_and_time(due: Due | None) -> tuple[str, datetime] | None:
    return (due.point.name, due.due_at) if due else None


# --- what has changed since the preview -------------------------------------------------------------------------


def changes_since(seen: Mapping[int, SignedPreview], rehearsal: Rehearsal) -> list[str]:
    """A sentence for each case that differs from what was shown; a case on the version already is no change."""
    return [
        f"{Case(pk=pk).number} {_difference(preview, rehearsal.signed.get(pk))}"
        for pk, preview in seen.items()
        if pk not in rehearsal.already and rehearsal.signed.get(pk) != preview
    ]


def _difference(seen: SignedPreview, now: SignedPreview | None) -> str:
    if now is None:
        return "was resolved meanwhile."
    if now.severity != seen.severity:
        return f"is {Severity(now.severity).label} now."
    if now.waits != seen.waits:
        return "waits for the customer now." if now.waits else "does not wait for the customer any more."
    if now.on_version != seen.on_version:
        return f"was moved to version {now.on_version} meanwhile."
    if (now.effective, now.recorded_only) != (seen.effective, seen.recorded_only):
        return "has other points that come due."
    return "has other people to be mailed, or other intervals."


# --- the rollout ------------------------------------------------------------------------------------------------


class PreviewOutdated(Refused):
    """A case differs from what was shown, and nothing was moved. `sentences` name the cases."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__("Something has changed since this was shown, so nothing was moved. Look at it anew below.")
        self.sentences = sentences


@dataclass
class RolloutResult:
    """How many cases were moved, how many were on the version already, and which were left as they are and why."""

    at: datetime
    moved: int = 0
    already: int = 0
    left: list[str] = field(default_factory=list)


def roll_out(
    seen: Mapping[int, SignedPreview],
    version_id: int,
    actor: User,
    now: datetime,
    *,
    reason: str,
    leave_changed: bool = False,
) -> RolloutResult:
    """Move the cases that were shown to a version in force (E10); the next sweep carries out what comes due.

    `seen` has the previews by primary key of the case. If one has changed, nothing is moved; with `leave_changed` those
    cases are left and the others moved. Cases on the version already are skipped, so that a second click does nothing.
    Raises PreviewOutdated, Refused, NotAllowed, or ScheduleVersion.DoesNotExist.
    """
    allow(actor, Right.EDIT_SCHEDULE, "move cases to another version of the schedule")
    reason = needs(reason, "Say why the cases are moved.", "reason")
    version = ScheduleVersion.objects.get(pk=version_id)
    if not leave_changed:
        changes = changes_since(seen, rehearse(list(seen), version, now))
        if changes:
            raise PreviewOutdated(changes)
    rollout, result = _Rollout(version, now), RolloutResult(now)
    for ids in batched(sorted(seen), BATCH):
        with transaction.atomic():
            rehearsal, cases = _rehearse_locked(ids, rollout, version)
            to_move = [cases[pk] for pk, preview in rehearsal.signed.items() if preview == seen[pk]]
            _write(to_move, rehearsal, version, actor, reason)
        result.moved += len(to_move)
        result.already += len(rehearsal.already)
        result.left += changes_since({pk: seen[pk] for pk in ids}, rehearsal)
    return result


def _rehearse_locked(
    ids: Sequence[int], rollout: _Rollout, version: ScheduleVersion
) -> tuple[Rehearsal, dict[int, Case]]:
    """Lock the cases, waiting for a sweep that holds them, and preview them once more."""
    rows = Case.objects.filter(pk__in=ids).select_for_update(of=("self",)).select_related(*_RELATED).order_by("pk")
    cases = {case.pk: case for case in rows if case.is_open}
    rehearsal = Rehearsal(version.number, rollout.now)
    rollout.preview(list(cases.values()), rehearsal)
    return rehearsal, cases


def _write(cases: Sequence[Case], rehearsal: Rehearsal, version: ScheduleVersion, actor: User, reason: str) -> None:
    now = rehearsal.now
    for case in cases:
        case.nudge(now, "escalation", "sla")
    insert([ScheduleMove(case=case, version=version, at=now, by=actor, reason=reason[:200]) for case in cases])

    def history_reason(case: Case) -> str:
        present = rehearsal.signed[case.pk].on_version
        return f"From version {present} to version {version.number} of the schedule: {reason}"

    moments = ["escalation_check_at", "sla_check_at", "sla_due_at", "next_due_at"]
    record_many(cases, moments, Move.MOVED, history_reason, now, actor)


# --- progress ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RolloutProgress:
    """How far the escalation sweep has carried out a rollout."""

    moved: int
    carried_out: int
    set_aside: int  # failed; the engine tries again (S2)
    brought: list[Escalation]  # the points that came due, carried out or recorded; LISTED at most
    points: int  # how many points came due in all

    @property
    def to_come(self) -> int:
        """How many cases the sweep has not checked yet."""
        return self.moved - self.carried_out - self.set_aside


def rollout_progress(version: ScheduleVersion, at: datetime) -> RolloutProgress:
    """The progress of the rollout of that moment; five queries."""
    cases: CaseQuerySet = Case.objects.filter(schedule_moves__version=version, schedule_moves__at=at)
    failed = FailedCase.objects.filter(sweep="escalate", solved_at=None, retry_at__gt=at).values("case")
    brought = Escalation.objects.filter(case__in=cases.values("pk"), due_at__lte=at, done_at__gte=at)
    moved, pending = cases.count(), cases.filter(escalation_check_at__lte=at).count()
    set_aside = cases.filter(pk__in=failed).exclude(escalation_check_at__lte=at).count()
    return RolloutProgress(
        moved=moved,
        carried_out=moved - pending - set_aside,
        set_aside=set_aside,
        brought=list(brought.select_related("case", "case__company", "owner_after", "asked").order_by("pk")[:LISTED]),
        points=brought.count(),
    )
