"""Run a sweep: claim a batch of due cases, work it and write when each is due next, all in one transaction.

Every sweep of the desk runs here and has the same guarantees. Two at once share the work, because a claim skips what
another holds. One that is late or runs twice changes nothing, because what is due is computed anew under the lock. One
that is killed leaves nothing half done. A case that raises is set aside and the others go on (S1, S2). Each run is
recorded (S3).
"""

from __future__ import annotations

import logging
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Q

from cases.models import Case, CaseQuerySet, FailedCase, SweepRun
from contacts.compiled import KEY, KEYS, MOMENT, TEXT, CompiledQuery
from contacts.models import Company, User

log = logging.getLogger(__name__)

#: How long a case that could not be worked is left alone (S2).
RETRY_AFTER = timedelta(hours=1)
#: How often one run may claim the same case: a machine whose clock is behind can make it due again, but not for ever.
CLAIMED_AT_MOST = 3
#: A long run is recorded every so many seconds, so that it is not taken for an outage (S3).
RECORD_EVERY = 30.0

#: Works a batch of claimed, locked cases at a moment and writes when each is due next. Returns how many it acted on.
Work = Callable[[Sequence[Case], datetime], int]


@dataclass(frozen=True)
class Sweep:
    """A kind of sweep: `due` selects the cases whose `column` has come, `work` handles a batch of them, `finish` runs
    after the last batch, outside its transaction.
    """

    name: str
    due: Callable[[datetime], CaseQuerySet]
    column: str
    work: Work
    finish: Callable[[datetime], None] | None = None


#: The sweeps that a case goes through, in their order: that of their places.
_in_order: dict[int, Sweep] = {}
#: After so many rounds a case that is still due is stuck (S2).
ROUNDS_AT_ONCE = 12


def sweep_of_cases(place: int, sweep: Sweep) -> Sweep:
    """Register a sweep for `work_at_once`. No two share a place."""
    assert place not in _in_order, f"Place {place} is taken by {_in_order[place].name}."
    _in_order[place] = sweep
    return sweep


def work_at_once(case_id: int, now: datetime) -> None:
    """Do on one case whatever its sweeps would do at `now`, until nothing is due, in the caller's transaction.

    For a preview, which is rolled back (E10): no run is recorded, no failure is set aside, nothing is sent. Raises
    Stuck, or what a sweep raises.
    """
    for _ in range(ROUNDS_AT_ONCE):
        worked = [_work_one(_in_order[place], case_id, now) for place in sorted(_in_order)]
        if not any(worked):
            return
    raise Stuck(f"still due after {ROUNDS_AT_ONCE} looks at one moment: {case_id}")


def _work_one(sweep: Sweep, case_id: int, now: datetime) -> bool:
    cases = _claim_one(sweep, case_id, now)
    if cases:
        sweep.work(cases, now)
    return bool(cases)


@dataclass
class Swept:
    """What one run did."""

    looked_at: int = 0
    acted_on: int = 0
    set_aside: list[int] = field(default_factory=list)
    claimed: Counter[int] = field(default_factory=Counter, repr=False, compare=False)


def run(sweep: Sweep, now: datetime) -> Swept:
    """Work everything that is due at `now`, batch by batch, until nothing is left that nobody else holds."""
    began = recorded = time.monotonic()
    swept = Swept()
    more = True
    while more:
        more = _work_batch(sweep, now, swept)
        if time.monotonic() - recorded >= RECORD_EVERY:
            recorded = time.monotonic()
            record_run(sweep.name, now, recorded - began, swept.acted_on)
    if sweep.finish is not None:
        sweep.finish(now)
    record_run(sweep.name, now, time.monotonic() - began, swept.acted_on)
    return swept


def _work_batch(sweep: Sweep, now: datetime, swept: Swept) -> bool:
    """Work one batch. Returns whether there may be more: the batch was full, or some of it is still due."""
    claimed: list[int] = []
    more = True
    try:
        with transaction.atomic():
            cases = _claim(sweep, now)
            claimed = [case.pk for case in cases]
            swept.claimed.update(claimed)
            if cases:
                _check_progress(claimed, swept)
                swept.acted_on += sweep.work(cases, now)
                _mark_solved(sweep, claimed, now)
            more = len(cases) >= settings.DESK_BATCH or any(_is_due(case, sweep, now) for case in cases)
    except (OperationalError, InterfaceError):
        raise  # the database is in trouble, not a case: the next run tries again
    except Exception:
        log.exception("%s: a batch of %s failed, working its cases one by one", sweep.name, len(claimed))
        for case_id in claimed:
            _work_alone(sweep, case_id, now, swept)
        more = bool(claimed)
    swept.looked_at += len(claimed)
    return more


def _is_due(case: Case, sweep: Sweep, now: datetime) -> bool:
    moment = getattr(case, sweep.column)
    return moment is not None and moment <= now


def _work_alone(sweep: Sweep, case_id: int, now: datetime, swept: Swept) -> None:
    try:
        with transaction.atomic():
            cases = _claim_one(sweep, case_id, now)
            if cases:
                _check_progress([case_id], swept)
                swept.acted_on += sweep.work(cases, now)
                _mark_solved(sweep, [case_id], now)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("%s: case %s is set aside", sweep.name, case_id)
        swept.set_aside.append(case_id)
        _set_aside(sweep, case_id, now, traceback.format_exc())


class Stuck(RuntimeError):
    """A case stays due although it was worked; without this the run would never end (S2)."""


def _check_progress(case_ids: Sequence[int], swept: Swept) -> None:
    stuck = [case_id for case_id in case_ids if swept.claimed[case_id] > CLAIMED_AT_MOST]
    if stuck:
        raise Stuck(f"still due after {CLAIMED_AT_MOST} looks in one sweep: {stuck}")


def _claim(sweep: Sweep, now: datetime) -> list[Case]:
    """Lock what is due and free; on SQLite the IMMEDIATE transaction is the lock."""
    return _with_people(_free(sweep.due, settings.DESK_BATCH)(now=now))


def _claim_one(sweep: Sweep, case_id: int, now: datetime) -> list[Case]:
    """As `_claim`, of one case."""
    return _with_people(_free_one(sweep.due)(now=now, case=case_id))


@lru_cache(maxsize=32)
def _free(due: Callable[[datetime], CaseQuerySet], at_most: int) -> CompiledQuery[Case]:
    return CompiledQuery(lambda now: _lockable(due(now))[:at_most], now=MOMENT)


@lru_cache(maxsize=32)
def _free_one(due: Callable[[datetime], CaseQuerySet]) -> CompiledQuery[Case]:
    return CompiledQuery(lambda now, case: _lockable(due(now).filter(pk=case)), now=MOMENT, case=KEY)


def _lockable(due: CaseQuerySet) -> CaseQuerySet:
    return due.select_for_update(skip_locked=True, of=("self",)).select_related("contact")


_companies = CompiledQuery(
    lambda keys: Company.objects.select_related("account_manager").filter(pk__in=keys).order_by(), keys=KEYS
)
_owners = CompiledQuery(
    lambda keys: User.objects.select_related("technician").filter(pk__in=keys).order_by(), keys=KEYS
)


def _with_people(cases: list[Case]) -> list[Case]:
    """Many cases share few companies and owners, so each of these is read and built once."""
    companies = _companies.by_key(keys={case.company_id for case in cases})
    owners = _owners.by_key(keys={case.owner_id for case in cases if case.owner_id})
    for case in cases:
        case.company = companies[case.company_id]
        case.owner = owners[case.owner_id] if case.owner_id else None
        if case.contact.company_id == case.company_id:
            case.contact.company = case.company
    return cases


def _set_aside(sweep: Sweep, case_id: int, now: datetime, error: str) -> None:
    """Leave the case alone until RETRY_AFTER, and report it (S2)."""
    retry_at = now + RETRY_AFTER
    with transaction.atomic():
        Case.objects.filter(pk=case_id).update(**{sweep.column: retry_at})
        again = FailedCase.objects.filter(case_id=case_id, sweep=sweep.name, solved_at=None).update(
            retry_at=retry_at, error=error, tries=F("tries") + 1
        )
        if not again:
            FailedCase.objects.create(case_id=case_id, sweep=sweep.name, since=now, retry_at=retry_at, error=error)


_unsolved = CompiledQuery(
    lambda name: FailedCase.objects.filter(sweep=name, solved_at=None).order_by().values_list("pk")[:1], name=TEXT
)


def _mark_solved(sweep: Sweep, case_ids: Sequence[int], now: datetime) -> None:
    """Mark failures as solved: the cases that were worked, and those that are not due any more."""
    if not _unsolved(name=sweep.name):
        return
    solved = Q(case_id__in=case_ids) | Q(**{f"case__{sweep.column}": None})
    FailedCase.objects.filter(solved, sweep=sweep.name, solved_at=None).update(solved_at=now)


def record_run(name: str, now: datetime, took: float, done: int) -> None:
    """Record a run (S3) that began at `now` and has taken `took` seconds so far.

    A quicker run of another worker that began later stays the last one. A recorded moment that is still to come does
    not: a wrong clock wrote it.
    """
    facts = {"last_at": now, "took_seconds": took, "done": done}
    later = Q(last_at__gt=now, last_at__lte=now + timedelta(seconds=took))
    if not SweepRun.objects.filter(~later, name=name).update(**facts):
        SweepRun.objects.get_or_create(name=name, defaults=facts)
