"""Four workers, two beats and users on a real PostgreSQL, killed (SIGKILL) at random instants and started again (E6).

The desk lives through more than two weeks while 20 of its processes are killed, one after the other; `make chaos`
kills 200, DESK_KILLS as many as you like. In the end, after one calm sweep, nothing is lost and nothing doubled: the
ledgers are what the pure rules say of each case's history, and the outbox holds one letter for each reason and reader.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from django.conf import settings as desk_settings

from cases.enums import Channel, FollowUpStep, MailStatus, Move, Severity, Status, WaitReason
from cases.followup.apply import follow_up
from cases.followup.state import load_wait
from cases.loads import open_loads
from cases.mail.leases import LEASE
from cases.mail.outbox import SETTLED_TOGETHER, deliver
from cases.mail.reasons import TOO_LATE
from cases.models import Case, FailedCase, FollowUp, Mail, SweepRun
from cases.policy.followup.pending_client_action import planned_steps
from cases.policy.followup.plans import decide_follow_up
from cases.policy.followup.wait import WARNING_PERIOD, DoneStep
from cases.workflow import transitions
from escalations.models import Escalation
from escalations.points.apply import escalate
from escalations.policy.clock import Snapshot, due_points, view_clock
from escalations.policy.schedule import PUBLISHED
from escalations.tasks import escalate as escalate_task
from tests.support.builders import NOON, Desk
from tests.support.chaos import crew
from tests.support.loads import counted_loads
from tests.support.processes import CeleryWorker, await_true, database_url, mail_server, sessions
from tests.support.schedule_table import E1, outcome_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.postgres,
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel to end orphans"),
]

KILLS = int(os.environ.get("DESK_KILLS", "20"))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
VISIBLE_AGAIN_AFTER = 1.2  # seconds; what `tests.support.chaos_celery` sets, and a little more


# --- what must hold in the end ----------------------------------------------------------------------------------


def snapshots(rows: Iterable[Any]) -> list[Snapshot]:
    """What the clock reads in rows of a case's history."""
    return [Snapshot(row.history_date, Status(row.status), Severity(row.severity), row.wait_episode) for row in rows]


def check_escalations(case: Case, now: datetime) -> int:
    """The ledger is what the pure clock says, each step went to whom E1 says, once. Returns how many rows there are."""
    history = list(case.history.order_by("history_date", "history_id"))
    life = snapshots(history)
    dues = {due.key: due for due in due_points(life, PUBLISHED, now)}
    rows = list(Escalation.objects.filter(case=case).select_related("owner_before", "owner_after"))
    keys = [(row.run, row.severity, row.number) for row in rows]
    assert len(keys) == len(set(keys))
    assert dict(zip(keys, [row.due_at for row in rows], strict=True)) == {key: due.due_at for key, due in dues.items()}
    assert all(row.due_at <= row.done_at for row in rows)
    upcoming = view_clock(life, PUBLISHED, now).next_point()
    assert case.escalation_check_at == (upcoming.due_at if upcoming else None)
    owner = check_steps(case, history, rows, dues)
    assert str(case.owner) == owner
    assert set(case.watchers.values_list("user__username", flat=True)) == ({"tech"} if owner != "tech" else set())
    current = [row.number for row in rows if (row.run, row.severity) == (run_at(life, now), case.severity)]
    assert case.update_cadence == (E1[Severity(case.severity), max(current)].minutes if current else {})
    return len(rows)


def run_at(life: Sequence[Snapshot], now: datetime) -> int:
    return view_clock(life, PUBLISHED, now).reading.run


def check_steps(case: Case, history: Sequence[Any], rows: Sequence[Escalation], dues: dict[Any, Any]) -> str:
    """Each step is one change of the case. Returns the owner in the end.

    Two steps may share the moment of their look: if somebody raises the severity meanwhile, more is due at once.
    """
    written = iter(sorted(rows, key=lambda row: row.pk))
    owner, mailed = "tech", defaultdict(Counter)
    for place, change in enumerate(history):
        if change.last_move != Move.ESCALATED:
            continue
        points = re.findall(r"[A-Z][a-z]+ \d", change.history_change_reason.partition(".")[0])
        step = [next(written) for _ in points]
        assert [f"{row.get_severity_display()} {row.number}" for row in step] == points
        assert {row.done_at for row in step} == {step[0].done_at}
        assert change.history_date >= step[0].done_at  # later, if somebody whose look was later came first
        owner, readers = check_step(snapshots(history[: place + 1]), change, step, dues, owner)
        mailed[step[0].done_at].update(readers)
    assert list(written) == []
    for done_at, readers in mailed.items():
        letters = Mail.objects.filter(case=case, template="escalation", queued_at=done_at)
        addresses = letters.values_list("to_address", flat=True)
        assert Counter(address.removesuffix("@example.com") for address in addresses) == readers
    return owner


def check_step(
    so_far: Sequence[Snapshot], change: Any, rows: Sequence[Escalation], dues: dict[Any, Any], owner: str
) -> tuple[str, frozenset[str]]:
    """One step: what was loud, who owns the case now. Returns the owner, and who is written to."""
    run = run_at(so_far, rows[0].done_at)
    for row in rows:
        of_now = (row.run, row.severity) == (run, change.severity) and change.status != Status.RESOLVED
        assert row.carried_out == (of_now and not dues[row.run, row.severity, row.number].recorded_only)
    effective = [(Severity(row.severity), row.number) for row in rows if row.carried_out]
    outcome = outcome_of(effective, owner)
    assert {(str(row.owner_before), str(row.owner_after)) for row in rows} == {(owner, outcome.owner)}
    return outcome.owner, outcome.mailed


def check_every_escalation(now: datetime) -> int:
    rows = sum(check_escalations(case, now) for case in Case.objects.select_related("owner"))
    written = Mail.objects.filter(template="escalation").values_list("case", "queued_at")
    assert set(written) <= set(Escalation.objects.values_list("case", "done_at"))  # no letter without its step
    return rows


def check_closings() -> None:
    """Whoever's case closed was told so, once for each time it closed."""
    closed = Counter(Case.history.filter(last_move=Move.RESOLVED).values_list("id", flat=True))
    told = Mail.objects.filter(template__in=("resolved", "closed_no_response")).values_list("case", flat=True)
    assert Counter(told) == closed


def check_notices() -> int:
    """Each notice came in its planned time, once, with its mail; nobody was closed unwarned (F2, F7)."""
    waits: dict[tuple[int, int], list[FollowUp]] = defaultdict(list)
    for notice in FollowUp.objects.select_related("mail", "case").order_by("done_at", "due_at"):
        waits[notice.case_id, notice.episode].append(notice)
    for (case, episode), notices in waits.items():
        asked = Case.history.get(id=case, wait_episode=episode, last_move=Move.ASKED)
        check_wait(asked.waiting_since, notices)
    mailed = {notice.mail.key for notices in waits.values() for notice in notices if notice.mail}
    assert set(Mail.objects.filter(key__startswith="notice:").values_list("key", flat=True)) == mailed
    return FollowUp.objects.count()


def check_wait(started_at: datetime, notices: list[FollowUp]) -> None:
    done: dict[FollowUpStep, DoneStep] = {}
    for done_at in sorted({notice.done_at for notice in notices}):
        planned = {one.step: one.due_at for one in planned_steps(started_at, done)}
        for notice in (one for one in notices if one.done_at == done_at):
            step, sent_at = FollowUpStep(notice.step), notice.mail.sent_at if notice.mail else None
            due_at = planned[step]  # one that came too late to be true is due again at once (M1)
            if step == FollowUpStep.RESOLVE:
                due_at = max(due_at, done[FollowUpStep.FINAL].sent_at + WARNING_PERIOD)
            assert notice.due_at == due_at <= done_at
            assert (notice.mail is None) == (notice.superseded or step == FollowUpStep.RESOLVE)
            too_late = notice.mail is not None and notice.mail.status == MailStatus.DROPPED
            done[step] = DoneStep(
                notice.due_at,
                notice.done_at,
                sent_at,
                notice.superseded,
                closes_at=notice.closes_at,
                lost=too_late and step == FollowUpStep.FINAL,
                worth_repeating=too_late,
                times=notice.time,
            )


# --- escalation -------------------------------------------------------------------------------------------------


def open_cases(desk: Desk, title: str, count: int, over: timedelta) -> None:
    """Cases of all severities, opened evenly over a time to come; what their opening said has been sent."""
    severities = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.CRITICAL, Severity.HIGH, Severity.LOW)
    for number in range(count):
        severity = severities[number % len(severities)]
        desk.open_case(NOON + over / count * number, title=title, severity=severity)
    Mail.objects.update(status=MailStatus.SENT, sent_at=NOON)


def count_moves() -> Counter[str]:
    return Counter(Case.history.values_list("last_move", flat=True))


def of_each_kind(moves: Counter[str]) -> bool:
    """Whether people have made five of each kind of move that counts."""
    return min(moves[move] for move in (Move.ASKED, Move.RESOLVED, Move.REOPENED, Move.SEVERITY)) >= 5


def people_made_enough(kills: int) -> bool:
    """Whether people have made five moves on open cases for each kill so far, and in the end five of each kind."""
    moves = count_moves()
    by_people = moves.total() - sum(moves[move] for move in (Move.OPENED, Move.ESCALATED, Move.FOLLOWED_UP))
    return by_people >= 5 * kills and (kills < KILLS or of_each_kind(moves))


def check_loads() -> None:
    """What the tally of loads says is what counting the cases gives (C6)."""
    counted = counted_loads()
    assert open_loads(counted) == counted


def test_whoever_is_killed_whenever_no_escalation_is_lost_and_none_doubled(desk: Desk, tmp_path: Path) -> None:  # E6
    open_cases(desk, "Busy", 60, 8 * DAY)
    open_cases(desk, "Left alone", 60, 8 * DAY)
    with crew(tmp_path, NOON, "efd", ["user"] * 2) as its:
        its.live_through(17 * DAY, KILLS, people_made_enough)
    assert not its.problems, its.problems
    assert sum(its.killed.values()) == KILLS
    now = its.clock.now()
    escalate(now)
    follow_up(now)
    escalate(now)  # what has just been closed is looked at once more, and then no longer
    assert check_every_escalation(now) > 120
    check_closings()
    check_notices()
    check_loads()
    assert not FailedCase.objects.exists(), FailedCase.objects.first().error
    assert escalate(now).acted_on == 0
    assert of_each_kind(count_moves()), count_moves()


def test_what_a_raised_severity_makes_due_during_a_look_is_a_step_of_its_own(desk: Desk) -> None:  # E3, E5, E6
    case = desk.open_case(NOON, severity=Severity.CRITICAL)
    lowered, now = NOON + 5 * HOUR, NOON + 2 * DAY
    transitions.change_severity(case.pk, desk.manager, lowered, severity=Severity.LOW, reason="It is slow, not down.")
    escalate(now)
    behind = now - timedelta(seconds=1)  # on this machine the clock is behind that of the worker
    transitions.change_severity(case.pk, desk.manager, behind, severity=Severity.CRITICAL, reason="It is down.")
    escalate(now)
    steps = case.history.filter(last_move=Move.ESCALATED).order_by("history_id")
    assert [step.history_date for step in steps] == [now, now]
    assert check_escalations(Case.objects.get(pk=case.pk), now) == 3


# --- following up, and delivery ---------------------------------------------------------------------------------


def nothing_to_do(now: datetime) -> bool:
    """Whether every notice that is due was written and has left, but for those that somebody was killed over."""
    return not (Case.objects.due_for_follow_up(now).exists() or Mail.objects.to_send(now).exists())


def test_whoever_is_killed_whenever_every_notice_arrives_and_nobody_is_closed_unwarned(
    desk: Desk, tmp_path: Path, settings
) -> None:  # F2, F7, M2
    count = 50
    for number in range(count):
        start = NOON + 2 * DAY / count * number
        case = desk.open_case(start, severity=Severity.LOW)
        transitions.ask_customer(
            case.pk,
            desk.technician,
            start,
            question="?",
            reason=WaitReason.CANNOT_NOW,
            send=False,
            channel=Channel.PHONE,
        )
    with mail_server() as (mailbox, port):
        with crew(tmp_path, NOON, "fd", mail_port=port) as its:
            its.live_through(11 * DAY, KILLS, lambda _: nothing_to_do(its.clock.now()))
        assert not its.problems, its.problems
        assert sum(its.killed.values()) == KILLS
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        settings.MAIL_IS_KEPT = False
        now = its.clock.now()
        follow_up(now)
        for case in Case.objects.all():
            wait = load_wait(case)
            assert wait is None or decide_follow_up(wait, now).due is None
        deliver(lambda: now + 2 * LEASE)  # what a dead worker had claimed is free again
    sent = Mail.objects.filter(status=MailStatus.SENT)
    not_sent = Mail.objects.exclude(status=MailStatus.SENT).values_list("status", "last_error")
    assert set(not_sent) <= {(MailStatus.DROPPED, TOO_LATE)}
    arrived, known = set(mailbox.arrived), set(sent.values_list("message_id", "to_address"))
    # whoever was killed between sending and writing it down may leave a message that is too late to be repeated (M2)
    unknown = arrived - known
    assert known <= arrived
    assert unknown <= set(Mail.objects.filter(last_error=TOO_LATE).values_list("message_id", "to_address"))
    assert len(unknown) <= KILLS * (SETTLED_TOGETHER + 2 * desk_settings.DESK_MAIL_CONNECTIONS)
    assert check_notices() >= 3 * count
    check_closings()
    assert Case.objects.filter(status=Status.RESOLVED).count() >= count / 2
    assert not FailedCase.objects.exists(), FailedCase.objects.first().error


# --- a real Celery worker ---------------------------------------------------------------------------------------


def ledger() -> list[tuple[Any, ...]]:
    return sorted(
        Escalation.objects.values_list("case", "run", "severity", "number", "due_at", "done_at", "carried_out")
    )


@pytest.mark.skipif(not os.environ.get("REDIS_URL"), reason="needs a Redis of its own: set REDIS_URL")
def test_a_task_whose_celery_worker_is_killed_in_the_middle_of_a_batch_is_delivered_again_and_does_no_harm(
    desk: Desk, tmp_path: Path
) -> None:  # E6, S1
    opened_at = datetime.now(UTC) - 5 * HOUR
    cases = [desk.open_case(opened_at + timedelta(seconds=number), severity=Severity.CRITICAL) for number in range(20)]
    prefix = desk_settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    broker = redis.Redis.from_url(desk_settings.REDIS_URL)
    started: list[CeleryWorker] = []
    try:
        with psycopg.connect(database_url()) as in_the_way:
            # A row that is not committed holds up whoever wants to write the same one: in the middle of the batch.
            in_the_way.execute(
                "INSERT INTO escalations_escalation (case_id, run, severity, number, schedule_version, due_at, done_at,"
                " carried_out, cadence, mailed) VALUES (%s, 1, 'critical', 1, 1, now(), now(), true, '{}', '[]')",
                [cases[10].pk],
            )
            started.append(CeleryWorker(prefix, tmp_path / "log"))
            escalate_task.delay()
            await_true(lambda: sessions(started[0].name, waiting=True), "The worker's standstill in its batch")
            started[0].kill()
            in_the_way.rollback()
        started[0].await_the_end_of_its_session()
        assert ledger() == []
        assert broker.hlen(f"{prefix}unacked") == 1  # its task is nobody's now
        time.sleep(VISIBLE_AGAIN_AFTER)
        started.append(CeleryWorker(prefix, tmp_path / "log"))
        await_true(lambda: SweepRun.objects.filter(name="escalate").exists(), "The task's delivery to another worker")
        done, pulse = ledger(), SweepRun.objects.get(name="escalate").last_at
        assert [(row[0], row[4]) for row in done] == [(case.pk, case.opened_at + 4 * HOUR) for case in cases]
        assert check_every_escalation(datetime.now(UTC)) == len(cases)
        escalate_task.delay()
        await_true(lambda: SweepRun.objects.get(name="escalate").last_at > pulse, "The task's second delivery")
        assert ledger() == done
        assert Mail.objects.filter(template="escalation").count() == 4 * len(cases)
    finally:
        for worker in started:
            worker.kill()
            worker.await_the_end_of_its_session()
        for key in broker.scan_iter(f"{prefix}*"):
            broker.delete(key)
