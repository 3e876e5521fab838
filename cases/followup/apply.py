"""Following up while the customer owes an answer: each step of a plan once, then the closing (F2 to F7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from cases.bulk import update_columns
from cases.engine.history import record_many
from cases.engine.sweep import Sweep, Swept, run
from cases.enums import FollowUpStep, Move, Resolution
from cases.followup.mail import Written, write_step
from cases.followup.state import waits_of
from cases.mail.announcements import resolved_letters
from cases.mail.letters import Letter, as_mail, post
from cases.models import Case, CaseQuerySet, FollowUp, Mail
from cases.policy.followup.plans import TO_OWNER, carried_out, plan_at
from cases.policy.followup.wait import DueStep, Plan, Wait
from contacts.directory import Directory

Waits = Mapping[int, Wait]
Plans = Mapping[int, Plan]


def follow_up(now: datetime) -> Swept:
    """Carry out every step that is due and close every case whose plan has run out (F2 to F5, F7)."""
    return run(SWEEP, now)


def _due(now: datetime) -> CaseQuerySet:
    return Case.objects.due_for_follow_up(now)


def _step(cases: Sequence[Case], now: datetime) -> int:
    waits = waits_of(cases)
    plans = {key: plan_at(wait, now) for key, wait in waits.items()}
    acting = [case for case in cases if case.pk in plans and plans[case.pk].act]
    closing = [case for case in acting if _act(plans, case).step == FollowUpStep.RESOLVE]
    telling = [case for case in acting if _act(plans, case).step != FollowUpStep.RESOLVE]
    for case in cases:
        case.follow_up_check_at = plans[case.pk].look_again_at if case.pk in plans else None
    _tell(telling, waits, plans, now)
    _close(closing, waits, plans, now)
    update_columns(cases, ["follow_up_check_at"])
    return len(acting)


def _act(plans: Plans, case: Case) -> DueStep:
    act = plans[case.pk].act
    assert act is not None
    return act


def _tell(cases: Sequence[Case], waits: Waits, plans: Plans, now: datetime) -> None:
    """One step per case: the latest notice that is due, and those it supersedes are on the ledger as well (F7)."""
    if not cases:
        return
    ledger: list[FollowUp] = []
    mails: list[Mail] = []
    besides: list[Letter] = []
    directory = Directory()
    for case in cases:
        wait, plan = waits[case.pk], plans[case.pk]
        written = write_step(case, wait, _act(plans, case), now, directory)
        mail = _ledger_mail(plan, written, now)
        if mail is not None:
            mails.append(mail)
        besides += written.to_staff if mail is None or written.to_customer else written.to_staff[1:]
        ledger += _ledger_rows(case, wait, plan, written, mail, now)
        case.follow_up_check_at = next_look(carried_out(wait, plan, now, lost=is_lost(plan, written)), now)
    Mail.objects.bulk_create(mails, batch_size=500)
    FollowUp.objects.bulk_create(ledger, batch_size=500)
    post(besides, now)
    record_many(cases, [], Move.FOLLOWED_UP, lambda case: _said(plans[case.pk]), now)


def _ledger_mail(plan: Plan, written: Written, now: datetime) -> Mail | None:
    """The mail that the ledger's row refers to: the customer's, or the owner's of a step that is told to the owner."""
    if written.to_customer is not None:
        return as_mail(written.to_customer, now)
    assert plan.act is not None
    return as_mail(written.to_staff[0], now) if plan.act.step in TO_OWNER and written.to_staff else None


def is_lost(plan: Plan, written: Written) -> bool:
    """Whether the step should have reached the customer and could not be written to them."""
    return plan.act is not None and plan.act.step not in TO_OWNER and written.to_customer is None


def next_look(wait: Wait, now: datetime) -> datetime | None:
    """When a wait is looked at again after a step: at once if more is due."""
    plan = plan_at(wait, now)
    return now if plan.act is not None else plan.look_again_at


def _ledger_rows(
    case: Case, wait: Wait, plan: Plan, written: Written, mail: Mail | None, now: datetime
) -> list[FollowUp]:
    assert plan.act is not None
    steps: list[tuple[DueStep, bool]] = [(step, True) for step in plan.superseded] + [(plan.act, False)]
    return [
        FollowUp(
            case=case,
            episode=case.wait_episode,
            step=step.step,
            time=wait.times_done(step.step) + 1,
            due_at=step.due_at,
            done_at=now,
            superseded=superseded,
            closes_at=None if superseded else written.closes_at,
            mail=None if superseded else mail,
        )
        for step, superseded in steps
    ]


def _said(plan: Plan) -> str:
    assert plan.act is not None
    said = f"{plan.act.step.label}, due {plan.act.due_at:%Y-%m-%d %H:%M} UTC"
    if plan.superseded:
        said += f"; it stands for {', '.join(step.step.label.lower() for step in plan.superseded)} as well"
    return said + "."


def _close(cases: Sequence[Case], waits: Waits, plans: Plans, now: datetime) -> None:
    """Resolved for no response, by the same transition as everybody's (C4, F2, F4)."""
    if not cases:
        return
    letters: list[Letter] = []
    ledger: list[FollowUp] = []
    for case in cases:
        due_at, episode = _act(plans, case).due_at, case.wait_episode
        case.resolve(Resolution.NO_RESPONSE, "", now)
        case.escalation_check_at = case.sla_check_at = now
        case.follow_up_check_at = None
        letters += resolved_letters(case)
        ledger.append(FollowUp(case=case, episode=episode, step=FollowUpStep.RESOLVE, due_at=due_at, done_at=now))
    FollowUp.objects.bulk_create(ledger, batch_size=500)
    fields = [
        "status",
        "resolution",
        "agreed_by",
        "solution",
        "resolved_at",
        "waiting_since",
        "escalation_check_at",
        "sla_check_at",
    ]
    record_many(cases, fields, Move.RESOLVED, lambda case: "No response from the customer.", now)
    post(letters, now)


SWEEP = Sweep("follow-up", _due, "follow_up_check_at", _step)
