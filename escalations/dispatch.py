"""Carrying out the schedule: everything due on a case is one step (E5), once (E6), in batches.

A step writes the ledger rows with the times they were due and done, the rhythm of status updates, the owner and the
watchers, one history row and one mail per person, all in the transaction that holds the claim.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import F

from cases.bulk import insert, update_columns
from cases.history import record_many
from cases.mail.letters import Letter, case_facts, facts, post
from cases.models import Case, CaseQuerySet, CaseWatcher
from cases.roster import Roster
from cases.sweeping import RETRY_AFTER, Sweep, Swept
from cases.sweeping import run as run_sweep
from cases.terms import Holds, Move, Severity, Status
from contacts.directory import Addressee, Directory
from contacts.models import User
from contacts.terms import Role
from escalations.clock import Due, Snapshot, due_points, next_point, read_clock
from escalations.models import Escalation, schedules
from escalations.schedule import OwnerAction, Schedule, rhythm_minutes

Key = tuple[int, Severity, int]


def escalate(now: datetime) -> Swept:
    """Carry out every escalation point that is due (E1, E5, E6)."""
    return run_sweep(SWEEP, now)


def _due(now: datetime) -> CaseQuerySet:
    return Case.objects.to_look_at(now)


# --- what is known of the batch ---------------------------------------------------------------------------------


class Versions:
    """The schedule each case runs under: the version that was in force when it was opened (E10)."""

    def __init__(self) -> None:
        self._versions = schedules()

    def of(self, case: Case) -> Schedule | None:
        """The schedule of a case, or None when none was ever put in force."""
        chosen = self._versions[0][1] if self._versions else None
        for in_force_from, schedule in self._versions:
            if in_force_from <= case.opened_at:
                chosen = schedule
        return chosen


def snapshots_of(case_ids: Iterable[int]) -> dict[int, list[Snapshot]]:
    """What happened to each case, from its history (E3); one query. Changes that move no clock are left out."""
    ids = list(case_ids)
    lives: dict[int, list[Snapshot]] = {case_id: [] for case_id in ids}
    rows = (
        Case.history.filter(id__in=ids)
        .order_by("id", "history_date", "history_id")
        .values_list("id", "history_date", "status", "severity", "wait_episode")
    )
    for case_id, at, status, severity, episode in rows.iterator(chunk_size=2_000):
        life = lives[case_id]
        if not life or (life[-1].status, life[-1].severity, life[-1].episode) != (status, severity, episode):
            life.append(Snapshot(at, Status(status), Severity(severity), episode))
    return lives


def ledger_of(case_ids: Iterable[int]) -> dict[int, dict[Key, Escalation]]:
    """What was carried out or recorded on each case already (E6); one query."""
    ids = list(case_ids)
    ledger: dict[int, dict[Key, Escalation]] = {case_id: {} for case_id in ids}
    for row in Escalation.objects.filter(case__in=ids).order_by("due_at"):
        ledger[row.case_id][row.run, Severity(row.severity), row.number] = row
    return ledger


# --- one step (E5) ----------------------------------------------------------------------------------------------


@dataclass
class CaseStep:
    """Everything that is due on one case at once, and what it comes to."""

    case: Case
    run: int  # the one the case is in now (E2)
    dues: list[Due]
    former_owner: User | None = None
    new_owner: User | None = None
    asked: User | None = None
    no_l3: bool = False
    why_owner: str = ""
    mailed: list[str] = field(default_factory=list)

    def is_loud(self, due: Due) -> bool:
        """Whether a point is carried out: not a lowered or closed case's, nor an earlier run's (E2, E4)."""
        of_this_run = self.case.is_open and due.run == self.run
        return of_this_run and not due.quiet and due.point.severity == self.case.severity

    @cached_property
    def loud(self) -> list[Due]:
        """The points that are carried out, lowest first."""
        return sorted((due for due in self.dues if self.is_loud(due)), key=lambda due: due.point.number)

    @cached_property
    def about(self) -> dict[str, Any]:
        """The case's facts after the step, the same in each of its letters."""
        return case_facts(self.case)

    @property
    def highest(self) -> Due:
        """The point that the mails name (E5)."""
        return self.loud[-1]


class Batch:
    """What a batch of steps needs to know, read once."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.directory = Directory()

    @cached_property
    def roster(self) -> Roster:
        """The technicians, read only when somebody is to go to L3."""
        return Roster(self.now)


def _step(cases: Sequence[Case], now: datetime) -> int:
    ids = [case.pk for case in cases]
    lives, ledger, versions = snapshots_of(ids), ledger_of(ids), Versions()
    batch = Batch(now)
    steps: list[CaseStep] = []
    for case in cases:
        schedule = versions.of(case)
        if schedule is None:  # nothing was put in force yet: the case must not be forgotten when it is
            case.look_at = now + RETRY_AFTER
            continue
        dues = [due for due in due_points(lives[case.pk], schedule, now) if due.key not in ledger[case.pk]]
        upcoming = next_point(lives[case.pk], schedule, now, ledger[case.pk])
        case.look_at = upcoming.due_at if upcoming else None
        run = read_clock(lives[case.pk], schedule, now).run
        if dues:
            step = CaseStep(case, run, dues)
            _settle_owner(step, batch)
            steps.append(step)
        case.update_rhythm = _rhythm(case, run, dues, ledger[case.pk])
    _write(steps, batch, versions)
    stepped = {step.case.pk for step in steps}
    quiet = [case for case in cases if case.pk not in stepped]
    update_columns(quiet, ["look_at", "update_rhythm"])
    return len(steps)


def _rhythm(case: Case, run: int, dues: Sequence[Due], done: dict[Key, Escalation]) -> dict[str, int]:
    """The rhythm of the highest point of the current severity in the current run, else the base (E4, T2)."""
    passed = {
        number: row.rhythm
        for (its_run, severity, number), row in done.items()
        if (its_run, severity) == (run, case.severity)
    }
    passed |= {
        due.point.number: rhythm_minutes(due.point.rhythm)
        for due in dues
        if (due.run, due.point.severity) == (run, case.severity)
    }
    return passed[max(passed)] if passed else {}


def _settle_owner(step: CaseStep, batch: Batch) -> None:
    """Who owns the case after the step, at most one change, and who is asked (E5, E7)."""
    case = step.case
    if any(due.point.owner == OwnerAction.TO_L3 for due in step.loud):
        _go_to_l3(step, batch)
    if any(due.point.owner == OwnerAction.ASKED for due in step.loud):
        step.asked = step.former_owner or case.owner


def _go_to_l3(step: CaseStep, batch: Batch) -> None:
    case = step.case
    if batch.roster.is_l3(case.owner_id):
        return  # an owner who is L3 keeps the case
    choice = batch.roster.to_l3(Severity(case.severity), case.contact.speaks)
    if choice is None:
        step.no_l3 = True
        return
    step.former_owner, step.new_owner = case.owner, batch.roster.users[choice.user_id]
    step.why_owner = choice.why
    case.owner = step.new_owner


def _write(steps: Sequence[CaseStep], batch: Batch, versions: Versions) -> None:
    """Everything the steps come to, in bulk."""
    if not steps:
        return
    letters = [letter for step in steps for letter in _letters(step, batch)]
    insert([_ledger_row(step, due, batch.now, versions) for step in steps for due in step.dues])
    CaseWatcher.objects.bulk_create(
        (
            CaseWatcher(case=step.case, user=step.former_owner, since=batch.now)
            for step in steps
            if step.new_owner and step.former_owner
        ),
        ignore_conflicts=True,
    )
    said = {step.case.pk: _said(step) for step in steps}
    fields = ["look_at", "update_rhythm", "owner"]
    record_many([step.case for step in steps], fields, Move.ESCALATED, lambda case: said[case.pk], batch.now)
    moved = [step.case.pk for step in steps if step.new_owner]
    CaseWatcher.objects.filter(case__in=moved, user=F("case__owner")).delete()  # whoever owns it need not watch it
    post(letters, batch.now)


def _ledger_row(step: CaseStep, due: Due, now: datetime, versions: Versions) -> Escalation:
    loud = step.is_loud(due)
    schedule = versions.of(step.case)
    return Escalation(
        case=step.case,
        run=due.run,
        severity=due.point.severity,
        number=due.point.number,
        schedule_version=schedule.version if schedule else 0,
        due_at=due.due_at,
        done_at=now,
        carried_out=loud,
        rhythm=rhythm_minutes(due.point.rhythm),
        asked=step.asked if loud else None,
        owner_before=step.former_owner if step.new_owner else step.case.owner,
        owner_after=step.case.owner,
        mailed=step.mailed if loud else [],
    )


def _said(step: CaseStep) -> str:
    """The step in words, for the history (C5)."""
    names = ", ".join(f"{due.point.name} (due {due.due_at:%Y-%m-%d %H:%M} UTC)" for due in step.dues)
    if not step.loud:
        return f"Recorded without telling anybody: {names}."
    said = f"Reached {names}."
    if step.new_owner:
        said += f" Ownership from {step.former_owner or 'nobody'} to {step.new_owner}: {step.why_owner}."
    elif step.no_l3:
        said += " There is no L3 technician, so the owner stays."
    elif any(due.point.owner == OwnerAction.TO_L3 for due in step.loud):
        said += " The owner is L3 and keeps the case."
    if step.asked:
        said += f" {step.asked} is asked for the status."
    if step.mailed:
        said += f" Mailed: {', '.join(step.mailed)}."
    return said


# --- the mails (E5: one per person) -----------------------------------------------------------------------------


@dataclass
class Part:
    """What one person has to do with a step."""

    to: Addressee
    because: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)


def _letters(step: CaseStep, batch: Batch) -> list[Letter]:
    """One letter to each person who has a part in the step, whatever the number of points and roles (E5)."""
    if not step.loud:
        return []
    parts: dict[str, Part] = {}

    def take_part(to: Addressee, because: str, expected: str) -> None:
        part = parts.setdefault(to.address.lower(), Part(to))
        if to.meant_for and to.meant_for not in part.to.meant_for:
            part.to = replace(part.to, meant_for=f"{part.to.meant_for}, {to.meant_for}".removeprefix(", "))
        if because not in part.because:
            part.because.append(because)
        if expected and expected not in part.expected:
            part.expected.append(expected)

    _informed(step, batch, take_part)
    _owners(step, batch, take_part)
    step.mailed = sorted(part.to.address for part in parts.values())
    return [_letter(step, part, batch.now) for part in parts.values()]


TakePart = Callable[[Addressee, str, str], None]


def _informed(step: CaseStep, batch: Batch, take_part: TakePart) -> None:
    case, centre = step.case, _centre(step)
    for due in step.loud:
        for role in due.point.mailed:
            for one in batch.directory.for_role(role, centre, case.company):
                take_part(one, f"{due.point.name} informs the {role.label}", "")
    if step.no_l3:
        for one in batch.directory.for_role(Role.SUPPORT_MANAGER, centre):
            take_part(one, "ownership should go to L3, and there is no L3 technician", "Find an L3 technician.")


def _owners(step: CaseStep, batch: Batch, take_part: TakePart) -> None:
    centre = _centre(step)
    if step.new_owner is not None:
        for one in batch.directory.for_user(step.new_owner, "New owner", centre):
            take_part(one, f"the case now belongs to you ({step.why_owner})", "Take the case up.")
        if step.former_owner is not None:
            expected = "" if step.asked == step.former_owner else "Tell the new owner what you know."
            for one in batch.directory.for_user(step.former_owner, "Former owner", centre):
                take_part(one, f"the case went from you to {step.new_owner}; you go on watching it", expected)
    if step.asked is not None:
        for one in batch.directory.for_user(step.asked, "Owner", centre):
            take_part(one, "you are asked for the status of the case", "Say in a line where the case stands.")
    elif step.case.owner is None:
        for one in batch.directory.for_user(None, "Owner", centre):
            take_part(one, "the case has no owner who could be asked", "Assign the case.")


def _centre(step: CaseStep) -> int | None:
    technician = getattr(step.case.owner, "technician", None)
    return technician.centre_id if technician else None


def _letter(step: CaseStep, part: Part, now: datetime) -> Letter:
    case, highest = step.case, step.highest
    upcoming = "the next point of the schedule comes by itself" if case.look_at else "no further point follows"
    what = facts(
        case,
        about=step.about,
        why="; ".join(part.because),
        expected=" ".join(part.expected) or "Nothing for now: this is to inform you.",
        then=f"If the case stays unresolved, {upcoming}.",
        point=highest.point.name,
        due_at=highest.due_at.isoformat(),
        next_at=case.look_at.isoformat() if case.look_at else "",
        others=[{"name": due.point.name, "due_at": due.due_at.isoformat()} for due in step.loud[:-1]],
        late=(now - highest.due_at).total_seconds() > 15 * 60,
        owner_was=str(step.former_owner) if step.new_owner else "",
        asked=step.asked is not None and part.to.user_id == step.asked.pk,
        takes_over=step.new_owner is not None and part.to.user_id == step.new_owner.pk,
        description=case.description,
    )
    key = f"escalation:{case.pk}:{highest.run}:{highest.point.severity}:{highest.point.number}:{part.to.address}"
    return Letter(key, "escalation", part.to, what, case, Holds.OPEN)


SWEEP = Sweep("escalate", _due, "look_at", _step)
