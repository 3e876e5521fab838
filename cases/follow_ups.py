"""Following up while the customer owes an answer: F2's notices, once each, and the closing for no response (F7)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cases.bulk import update_columns
from cases.follow_up_plans import (
    PENDING_STEPS,
    WARNED_FOR,
    DoneStep,
    DueStep,
    Plan,
    pending_client_action,
    planned_steps,
)
from cases.history import record_many
from cases.mail.announcements import resolved_letters
from cases.mail.letters import Letter, as_mail, facts, post, to_contact
from cases.models import Case, CaseQuerySet, Mail, Notice
from cases.sweeping import Sweep, Swept, run
from cases.terms import Holds, MailStatus, Move, NoticeStep, Resolution, Status
from contacts.directory import Directory

Done = dict[NoticeStep, DoneStep]

TEMPLATES = {
    NoticeStep.NOTICE_1: "notice_1",
    NoticeStep.NOTICE_2: "notice_2",
    NoticeStep.FINAL: "notice_final",
}


def follow_up(now: datetime) -> Swept:
    """Send every notice that is due and close every case whose plan has run out (F2, F7)."""
    return run(SWEEP, now)


def _due(now: datetime) -> CaseQuerySet:
    return Case.objects.to_follow_up(now)


def _step(cases: Sequence[Case], now: datetime) -> int:
    done = done_steps(cases)
    plans = {case.pk: plan_of(case, done[case.pk], now) for case in cases}
    closing = [case for case in cases if (act := plans[case.pk].act) and act.step == NoticeStep.RESOLVE]
    reminding = [case for case in cases if (act := plans[case.pk].act) and act.step != NoticeStep.RESOLVE]
    _remind(reminding, plans, done, now)
    _close(closing, plans, now)
    for case in cases:
        case.follow_up_at = plan_of(case, done[case.pk], now).look_again_at if case not in closing else None
    update_columns(cases, ["follow_up_at"])
    return len(closing) + len(reminding)


def plan_of(case: Case, done: Done, now: datetime) -> Plan:
    """What the plan of a case's wait asks for at `now`; nothing while it does not wait."""
    if case.status != Status.WAITING or case.waiting_since is None:
        return Plan()
    return pending_client_action(case.waiting_since, done, now)


def done_steps(cases: Sequence[Case], leaving_at: datetime | None = None) -> dict[int, Done]:
    """The ledger of each case's present wait, with the moment each notice really left; one query.

    What is still queued has not left; for looking ahead it leaves at `leaving_at`.
    """
    episode = {case.pk: case.wait_episode for case in cases}
    done: dict[int, Done] = {case.pk: {} for case in cases}
    rows = (
        Notice.objects.filter(case__in=episode)
        .order_by("due_at")
        .values_list("case_id", "episode", "step", "due_at", "done_at", "superseded", "mail__status", "mail__sent_at")
    )
    for case_id, its_episode, step, due_at, done_at, superseded, mail_status, sent_at in rows:
        if its_episode == episode[case_id]:
            left_at = sent_at if mail_status == MailStatus.SENT else None
            if mail_status == MailStatus.QUEUED:
                left_at = leaving_at
            done[case_id][NoticeStep(step)] = DoneStep(due_at, done_at, left_at, superseded)
    return done


def _remind(cases: Sequence[Case], plans: dict[int, Plan], done: dict[int, Done], now: datetime) -> None:
    """One notice per case, the latest that is due; those it supersedes are on the ledger as well (F7)."""
    if not cases:
        return
    ledger: list[Notice] = []
    mails: list[Mail] = []
    unreachable: list[Letter] = []
    directory = Directory()
    for case in cases:
        plan = plans[case.pk]
        assert plan.act is not None
        letter = notice_letter(case, plan.act, now)
        mail = as_mail(letter, now) if letter else None
        if mail is None:
            unreachable += unreachable_letters(case, plan.act, directory)
        else:
            mails.append(mail)
        ledger += _ledger_rows(case, plan, mail, now)
        for row in ledger[-1 - len(plan.superseded) :]:
            done[case.pk][NoticeStep(row.step)] = DoneStep(row.due_at, now, None, row.superseded)
    Mail.objects.bulk_create(mails, batch_size=500)
    Notice.objects.bulk_create(ledger, batch_size=500)
    post(unreachable, now)
    record_many(cases, [], Move.FOLLOWED_UP, lambda case: _said(plans[case.pk]), now)


def _ledger_rows(case: Case, plan: Plan, mail: Mail | None, now: datetime) -> list[Notice]:
    assert plan.act is not None
    steps: list[tuple[DueStep, bool]] = [(step, True) for step in plan.superseded] + [(plan.act, False)]
    return [
        Notice(
            case=case,
            episode=case.wait_episode,
            step=step.step,
            due_at=step.due_at,
            done_at=now,
            superseded=superseded,
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


def notice_letter(case: Case, step: DueStep, now: datetime) -> Letter | None:
    """A notice of the plan to the customer; None when they have no address."""
    customer = to_contact(case)
    if customer is None:
        return None
    rest = {one.step: one.due_at for one in _rest_after(case, step, now)}
    closes_at = rest[NoticeStep.RESOLVE]
    if step.step == NoticeStep.FINAL:
        closes_at = next_at = max(closes_at, now + WARNED_FOR)
        then = "Without an answer the case closes; a word from you at any moment stops that."
    else:
        next_at = min(rest.values())
        then = "We remind you again; without an answer the case closes in the end."
    what = facts(
        case,
        why="we are waiting for your answer to go on",
        expected="Please answer by replying to this message, or call us.",
        then=then,
        question=case.wait_question,
        waiting_since_at=case.waiting_since.isoformat() if case.waiting_since else "",
        closes_at=closes_at.isoformat(),
        next_at=next_at.isoformat(),
    )
    key = f"notice:{case.pk}:{case.wait_episode}:{step.step}"
    return Letter(key, TEMPLATES[step.step], customer, what, case, Holds.WAITING, case.wait_episode)


def _rest_after(case: Case, step: DueStep, now: datetime) -> list[DueStep]:
    assert case.waiting_since is not None
    done = {one: DoneStep(step.due_at, now, None, superseded=True) for one in _earlier(step.step)}
    done[step.step] = DoneStep(step.due_at, now)
    return planned_steps(case.waiting_since, done)


def _earlier(step: NoticeStep) -> list[NoticeStep]:
    return [one for one in PENDING_STEPS if PENDING_STEPS[one] < PENDING_STEPS[step]]


def unreachable_letters(case: Case, step: DueStep, directory: Directory) -> list[Letter]:
    """The customer has no address: the owner has to reach them (D5); the case cannot close for no response (F7)."""
    what = facts(
        case,
        why="you own this case, and its contact has no email address",
        expected=f"Reach {case.contact.name} by phone, or add an address: "
        f"the {step.step.label.lower()} could not be sent.",
        then="The case stays open: it never closes without a notice that was sent.",
    )
    key = f"unreachable:{case.pk}:{case.wait_episode}:{step.step}"
    readers = directory.for_user(case.owner, "Owner")
    return [Letter(f"{key}:{one.address}", "unreachable", one, what, case) for one in readers]


def _close(cases: Sequence[Case], plans: dict[int, Plan], now: datetime) -> None:
    """Resolved for no response, by the same transition as everybody's (C4, F2)."""
    if not cases:
        return
    letters: list[Letter] = []
    ledger: list[Notice] = []
    for case in cases:
        act = plans[case.pk].act
        assert act is not None
        episode = case.wait_episode
        case.resolve(Resolution.NO_RESPONSE, "", now)
        case.look_at = case.promise_at = now
        letters += resolved_letters(case)
        ledger.append(Notice(case=case, episode=episode, step=NoticeStep.RESOLVE, due_at=act.due_at, done_at=now))
    Notice.objects.bulk_create(ledger, batch_size=500)
    fields = ["status", "resolution", "solution", "resolved_at", "waiting_since", "look_at", "promise_at"]
    record_many(cases, fields, Move.RESOLVED, lambda case: "No response from the customer.", now)
    post(letters, now)


SWEEP = Sweep("follow-up", _due, "follow_up_at", _step)
