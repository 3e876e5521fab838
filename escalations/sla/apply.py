"""Keep the SLA targets: remind owners, update who is owed an update, record what was missed (T1 to T4), tell
turning points (T5), and tell the
Support Manager what stays unanswered, undecided or unhandled (E8, E9, C7).

Customers get a mail for each case. Staff get one mail for each person and sweep: digest lines are written with their
reason, and put into mails when the sweep is through (T3).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from cases.bulk import insert, update_columns
from cases.engine.sweep import Sweep, Swept, sweep_of_cases
from cases.engine.sweep import run as run_sweep
from cases.enums import MailStatus
from cases.mail.letters import post
from cases.models import Case, CaseQuerySet, Interaction
from contacts.compiled import MOMENT, CompiledQuery
from escalations.audience import STAFF, keep_contacts
from escalations.clocks import load_clocks
from escalations.enums import Member, SlaKind, SlaOutcome
from escalations.models import Question, SlaTarget
from escalations.points.decide import SweepContext
from escalations.requests.apply import pass_on
from escalations.sla.decide import SlaDecision, decide_sla
from escalations.sla.digest import send_digests
from escalations.sla.mail import Mails, build_mails
from escalations.sla.state import load_for_sweep, load_sla_states

#: What the sweep writes of a case.
CASE_COLUMNS = ("sla_check_at", "sla_due_at", "next_due_at", "turn_told_at", "role_contacts")


def keep_promises(now: datetime) -> Swept:
    """Do everything that SLA targets, questions and requests ask for (T1 to T4, E8, E9)."""
    return run_sweep(SWEEP, now)


def _due(now: datetime) -> CaseQuerySet:
    return Case.objects.due_for_sla(now)


def _work(cases: Sequence[Case], now: datetime) -> int:
    context = SweepContext(now)
    states = load_sla_states(load_clocks(cases).values())
    load_for_sweep(states)
    decisions = [decide_sla(states[case.pk], context) for case in cases]
    mails = build_mails(decisions, context)
    for decision in decisions:
        apply_sla(decision, mails, now)
    _persist(decisions, mails, now)
    return sum(decision.acts for decision in decisions)


def apply_sla(decision: SlaDecision, mails: Mails, now: datetime) -> None:
    """Change the case and its SLA state in memory as decided; its requests are left to `pass_on`."""
    state, question = decision.state, decision.state.clock.question
    decision.case.sla_check_at, decision.case.sla_due_at = decision.check_at, decision.due_at
    decision.case.set_next_due()
    if decision.turn is not None:
        decision.case.turn_told_at = decision.turn.at
    keep_contacts(
        decision.case, {STAFF[one.target.member]: one.readers for one in decision.updates if one.target.member in STAFF}
    )
    for update in decision.updates:
        update.row.mail_id = mails.update_keys[decision.case.pk, update.target.member]
    state.reopened, state.unkept = set(), []
    for row in decision.rows:
        newest = state.newest.get(key := (SlaKind(row.kind), Member(row.member)))
        if newest is None or row.since >= newest.since:
            state.newest[key] = row
    if decision.question_unanswered and question is not None:
        question.manager_told_at = now
    for contact in decision.unhandled:
        contact.manager_told_at = now
    state.flagged = [contact for contact in state.flagged if contact.manager_told_at is None]


def _persist(decisions: Sequence[SlaDecision], mails: Mails, now: datetime) -> None:
    """Write what a batch has changed, in bulk."""
    post(mails.letters, now)
    insert(mails.lines)
    _persist_rows([row for decision in decisions for row in decision.rows])
    update_columns([decision.case for decision in decisions], CASE_COLUMNS)
    unanswered = [one.state.clock.question for one in decisions if one.question_unanswered]
    if unanswered:
        Question.objects.filter(pk__in=[one.pk for one in unanswered if one]).update(manager_told_at=now)
    unhandled = [contact.pk for decision in decisions for contact in decision.unhandled]
    if unhandled:
        Interaction.objects.filter(pk__in=unhandled).update(manager_told_at=now)
    passed_on = [request for decision in decisions for request in decision.passed_on]
    if passed_on:
        post(pass_on(passed_on, now), now)


def _persist_rows(rows: Sequence[SlaTarget]) -> None:
    insert([row for row in rows if row.pk is None])
    names = ["due_at", "reminded_at", "updated_at", "mail", "outcome", "ended_at", "by", "in_a_row", "manager_told_at"]
    update_columns([row for row in rows if row.pk is not None], names)


# --- when the batches are through -------------------------------------------------------------------------------


def _finish(now: datetime) -> None:
    send_digests(now)
    settle(now)


_LEFT_IN_TIME = Q(mail__status=MailStatus.SENT, mail__sent_at__lte=F("due_at"))


def _unsettled() -> QuerySet[SlaTarget]:
    return SlaTarget.objects.filter(outcome="", updated_at__isnull=False).order_by()


_some_to_settle = CompiledQuery(
    lambda now: _unsettled().filter(_LEFT_IN_TIME | Q(due_at__lt=now)).values_list("pk")[:1],
    now=MOMENT,
)


def settle(now: datetime) -> None:
    """Record what became of the desk's own updates: one that left by the deadline met the target (T3).

    One that did not leave in time has missed it, even if it leaves later, unless a person's word came in time; one that
    was dropped because none was owed any more cancelled it.
    """
    if not _some_to_settle(now=now):
        return
    open_rows = _unsettled()
    open_rows.filter(_LEFT_IN_TIME).update(outcome=SlaOutcome.MET_AUTOMATICALLY)
    overdue = open_rows.filter(due_at__lt=now)
    overdue.filter(person_in_time()).update(outcome=SlaOutcome.MET)
    overdue.filter(mail__status=MailStatus.DROPPED).update(outcome=SlaOutcome.CANCELLED)
    overdue.update(outcome=SlaOutcome.BREACHED)


def person_in_time() -> Exists:
    """Whether the member's next target, which began with the desk's update, was met before this one was due (T2)."""
    following = SlaTarget.objects.filter(
        case=OuterRef("case"), kind=OuterRef("kind"), member=OuterRef("member"), since=OuterRef("updated_at")
    )
    return Exists(following.filter(outcome=SlaOutcome.MET, ended_at__lte=OuterRef("due_at")))


SWEEP = sweep_of_cases(30, Sweep("promises", _due, "sla_check_at", _work, _finish))
