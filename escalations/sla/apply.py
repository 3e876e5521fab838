"""Keeping promises: the sweep that reminds owners, updates who is owed an update, and writes down what was missed
(T1 to T4); and that tells the Support Manager what stays unanswered or undecided (E8, E9).

Customers get a mail for each case. Staff get one mail for each person and sweep, whatever the number of cases and of
lines in it: lines are written with their reason, and put into mails when the sweep is through (T3).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, F, OuterRef

from cases.bulk import insert, update_columns
from cases.engine.sweep import Sweep, Swept
from cases.engine.sweep import run as run_sweep
from cases.enums import MailStatus
from cases.mail.letters import post
from cases.models import Case, CaseQuerySet, Interaction
from escalations.audience import watchers_of
from escalations.clocks import Versions, load_clocks
from escalations.enums import SlaOutcome
from escalations.models import Question, SlaTarget
from escalations.points.decide import Batch
from escalations.requests.apply import pass_on
from escalations.sla.decide import SlaDecision, SweepContext, decide_sla, flagged_words
from escalations.sla.digest import bundle
from escalations.sla.mail import Telling
from escalations.sla.state import load_sla_states


def keep_promises(now: datetime) -> Swept:
    """Do everything that promises, questions and requests ask for (T1 to T4, E8, E9)."""
    return run_sweep(SWEEP, now)


def lead() -> timedelta:
    """How long before a deadline the desk sends an update itself (T3)."""
    return timedelta(minutes=settings.DESK_UPDATE_LEAD_MINUTES)


def _due(now: datetime) -> CaseQuerySet:
    return Case.objects.due_for_sla(now)


def _step(cases: Sequence[Case], now: datetime) -> int:
    batch = Batch(now)
    standings = load_sla_states(load_clocks(cases, Versions()).values())
    keeping = SweepContext(batch, lead(), watchers_of(cases), flagged_words(cases))
    steps = [decide_sla(standings[case.pk], keeping) for case in cases]
    _write(steps, batch)
    return sum(step.acts for step in steps)


def _write(steps: Sequence[SlaDecision], batch: Batch) -> None:
    """Everything the steps come to, in bulk."""
    now = batch.now
    for step in steps:
        step.case.sla_check_at = step.look_again_at
    telling = Telling(steps, batch)
    post(telling.letters(), now)
    insert(telling.lines())
    _record(row for step in steps for row in step.rows)
    update_columns([step.case for step in steps], ["sla_check_at"])
    unanswered = [step.standing.life.question for step in steps if step.question_unanswered]
    if unanswered:
        Question.objects.filter(pk__in=[one.pk for one in unanswered if one]).update(manager_told_at=now)
    passed_on = [request for step in steps for request in step.passed_on]
    if passed_on:
        post(pass_on(passed_on, now), now)
    unhandled = [word.pk for step in steps for word in step.unhandled]
    if unhandled:
        Interaction.objects.filter(pk__in=unhandled).update(manager_told_at=now)


def _record(rows: Iterable[SlaTarget]) -> None:
    """New rows of the ledger, and those that went on; an outcome that is written is not written again (T4)."""
    every = list(rows)
    insert([row for row in every if row.pk is None])
    names = ["due_at", "reminded_at", "updated_at", "mail", "outcome", "ended_at", "by", "in_a_row", "manager_told_at"]
    update_columns([row for row in every if row.pk is not None], names)


# --- when the batches are through -------------------------------------------------------------------------------


def _finish(now: datetime) -> None:
    bundle(now)
    settle(now)


def settle(now: datetime) -> None:
    """Write down what became of the desk's own updates: one that left by the deadline kept the promise (T3).

    One that did not leave in time has missed it, even if it leaves later, unless a person's word came in time; one that
    was dropped because none was owed any more, released it.
    """
    open_rows = SlaTarget.objects.filter(outcome="", updated_at__isnull=False)
    if not open_rows.exists():
        return
    open_rows.filter(mail__status=MailStatus.SENT, mail__sent_at__lte=F("due_at")).update(
        outcome=SlaOutcome.MET_AUTOMATICALLY
    )
    overdue = open_rows.filter(due_at__lt=now)
    overdue.filter(person_in_time()).update(outcome=SlaOutcome.MET)
    overdue.filter(mail__status=MailStatus.DROPPED).update(outcome=SlaOutcome.CANCELLED)
    overdue.update(outcome=SlaOutcome.BREACHED)


def person_in_time() -> Exists:
    """Whether the member's next promise, which began with the desk's update, was kept before this one was due (T2)."""
    following = SlaTarget.objects.filter(
        case=OuterRef("case"), kind=OuterRef("kind"), member=OuterRef("member"), since=OuterRef("updated_at")
    )
    return Exists(following.filter(outcome=SlaOutcome.MET, ended_at__lte=OuterRef("due_at")))


SWEEP = Sweep("promises", _due, "sla_check_at", _step, _finish)
