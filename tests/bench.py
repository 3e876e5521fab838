"""What the engine costs: `make bench` prints counts and ratios, so that a noisy machine does not matter.

Runs in a database of its own (made and dropped here), on PostgreSQL when `DATABASE_URL` names one, else on SQLite.

* due actions per second at 1k, 100k and 1M open cases with 1 % due (a due action = claim, case update, history row,
  ledger row, two outbox rows), beside hand-written set-based SQL on the same rows in the same run
* what a sweep costs when nothing is due
* statements per batch of 500
* status updates per second at 100k open cases (UPDATES) with 1 % due (an update = claim, case update, ledger row, mail
  to the customer), beside hand-written SQL as above
* what the forecast of one case costs
* mails out per second over one and eight connections to a local sink (tests/support/sink.py, in a process of its own on
  the same cores) and to one that takes 20 ms a reply, and from due to delivered; statements and processor time a mail
  (MAILS, 1,000)
* the database's time for a search of rare, common and absent words, by whoever reads every case and by an account
  manager with a hundredth of them, beside `LIKE` on the title alone; and what the documents cost a sweep
* messages a second that come in through a Maildir (RECEIVED of them): of strangers, which wait in triage, and of a help
  desk about its cases, which are logged; and statements a message
* what 50 callers at one moment cost, what each of them hears, and the pages that ask for calls again and again
* how many polls a second the chat answers while 500 customers wait in it or chat (CHATS), beside what they ask for at
  their pace; statements a poll, what a line costs, and the connections that are held meanwhile
* what the page of a case and a click on it cost, beside a stock Django change page of the same row in the same run
* what My desk, the live board, lists, search, the command palette and pages cost each reader after years of work, at
  each size and beside 1,000 cases: how many statements, the slowest of them, the whole; a tenth of the cases is open,
  at most 30,000, and with WORKPLACE set to a number of cases, all of those; and what the daily digests of 200 account
  managers cost there
* what each report of a year costs at each size, by time, by person and by company (W4: under 2 s at 1M cases)
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.contrib import admin  # noqa: E402
from django.contrib.admin import AdminSite, ModelAdmin  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.db.models import Model  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.test import Client, RequestFactory  # noqa: E402
from django.test.utils import override_settings  # noqa: E402
from django.urls import reverse  # noqa: E402
from django.utils import timezone  # noqa: E402

from cases.engine.sweep import Swept  # noqa: E402
from cases.enums import (  # noqa: E402
    Channel,
    Direction,
    Door,
    MailStatus,
    QueueKind,
    QueueState,
    ReceivedOutcome,
    Severity,
    Status,
    WaitPlan,
    WaitReason,
)
from cases.followup.apply import follow_up  # noqa: E402
from cases.inbox.doors.maildir import Maildir  # noqa: E402
from cases.inbox.doors.rounds import FetchRound  # noqa: E402
from cases.mail.outbox import deliver  # noqa: E402
from cases.models import Case, Interaction, Mail, QueueEntry, ReceivedMail, SearchDocument  # noqa: E402
from cases.search.query import readable_by, search  # noqa: E402
from contacts.enums import Role  # noqa: E402
from contacts.models import Company, Contact, User  # noqa: E402
from escalations.accounts.admin import account_url  # noqa: E402
from escalations.daily_digest.apply import BATCH as DIGESTS_AT_ONCE  # noqa: E402
from escalations.daily_digest.apply import send_daily_digests  # noqa: E402
from escalations.daily_digest.state import due_readers  # noqa: E402
from escalations.forecast.simulate import forecast_of  # noqa: E402
from escalations.models import Escalation  # noqa: E402
from escalations.points.apply import escalate  # noqa: E402
from escalations.policy.figures import REPORTS  # noqa: E402
from escalations.sla.apply import keep_promises  # noqa: E402
from tests.support.builders import build_desk, build_technician  # noqa: E402
from tests.support.customers import signed_in_customer  # noqa: E402
from tests.support.maildirs import deliver_into, make_maildir  # noqa: E402
from tests.support.mails import AUTH_SERVER, proven, raw_mail  # noqa: E402
from tests.support.workers import at_once  # noqa: E402
from tests.support.years import YEARS, Years, build_years, gather_statistics  # noqa: E402

#: The database that is named outside; each measurement has one of its own beside it.
DATABASE = connection.settings_dict["NAME"]
NOW = datetime(2026, 6, 3, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Statements:
    """Counts what is sent to the database."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        self.count += 1
        return execute(sql, params, many, context)


@contextmanager
def counted() -> Iterator[Statements]:
    """Count the statements inside."""
    statements = Statements()
    with connection.execute_wrapper(statements):
        yield statements


def fill(cases: int, due_share: float, desk, since: timedelta = timedelta(days=2)) -> None:  # type: ignore[no-untyped-def]
    """`cases` open Medium cases, made by the database itself; the due share was opened `since` ago and a minute."""
    template = desk.open_case(now=NOW - timedelta(days=1), channel=Channel.EMAIL)
    fields = [field.column for field in Case._meta.concrete_fields if field.column != "id"]
    historical = [field.column for field in Case.history.model._meta.concrete_fields if field.column != "history_id"]
    every = int(1 / due_share) if due_share else cases + 1
    due_at, later_at = NOW - timedelta(minutes=1), NOW + timedelta(days=1)
    if connection.vendor == "postgresql":
        numbers = f"generate_series({template.pk + 1}, {template.pk + cases}) AS n"
        remainder = f"n %% {every} = 0"
    else:
        numbers = (
            f"(WITH RECURSIVE s(n) AS (SELECT {template.pk + 1} UNION ALL SELECT n + 1 FROM s "
            f"WHERE n < {template.pk + cases}) SELECT n FROM s) AS numbers"
        )
        remainder = f"n %% {every} = 0"
    special = {
        "opened_at": (due_at - since, later_at - since),
        "escalation_check_at": (due_at, later_at),
        "sla_check_at": (due_at, later_at),
        "changed_at": (due_at - since, later_at - since),
        "history_date": (due_at - since, later_at - since),
    }

    def copy(table: str, columns: list[str], source: str, where: str, id_column: str | None) -> None:
        values: list[str] = []
        params: list[datetime] = []
        for column in columns:
            if column in special:
                values.append(f"CASE WHEN {remainder} THEN %s ELSE %s END")
                if connection.vendor == "postgresql":
                    values[-1] = f"CASE WHEN {remainder} THEN %s::timestamptz ELSE %s::timestamptz END"
                params += list(special[column])
            elif column == id_column:
                values.append("n")
            else:
                values.append(f't."{column}"')
        names = ", ".join(f'"{column}"' for column in columns)
        with connection.cursor() as cursor:
            adapted = params if connection.vendor == "postgresql" else [one.replace(tzinfo=None) for one in params]
            cursor.execute(
                f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} FROM {numbers}, {source} t WHERE {where}",
                adapted,
            )

    copy("cases_case", ["id", *fields], "cases_case", f"t.id = {template.pk}", "id")
    copy("cases_historicalcase", historical, "cases_historicalcase", f"t.id = {template.pk}", "id")
    Case.objects.filter(pk=template.pk).update(escalation_check_at=None, sla_check_at=None)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


class UpdatesByHand:
    """What hand-written set-based SQL reaches with the same updates: claim, case, ledger, mail. It decides nothing."""

    def __init__(self, sample: Case) -> None:
        self.mail = Mail.objects.get(case=sample, template="status_update")

    def sweep(self, now: datetime) -> int:
        """Update every customer whose case is due, 500 at a time."""
        worked = 0
        while True:
            with transaction.atomic(), connection.cursor() as cursor:
                lock = "FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
                cursor.execute(
                    "SELECT id, opened_at FROM cases_case WHERE sla_check_at <= %s "
                    f"ORDER BY sla_check_at, id LIMIT 500 {lock}",
                    [_moment(now)],
                )
                due = cursor.fetchall()
                if not due:
                    return worked
                self._write(cursor, [row[0] for row in due], [row[1] for row in due], now)
                worked += len(due)

    def _write(self, cursor: Any, ids: list[int], sinces: list[Any], now: datetime) -> None:
        moment, later, due_at = _moment(now), _moment(now + 6 * HOUR), _moment(now + timedelta(minutes=4))
        mail = self.mail
        keys = [f"{mail.key}:{one}" for one in ids]
        texts = [json.dumps(mail.facts)] * len(ids), [Mail.message_id_for(key) for key in keys]
        promise = "case_id, company_id, kind, member, since, due_at, updated_at, ended_at, mail_id, outcome, in_a_row"
        mails = "case_id, key, facts, message_id, to_name, to_address, template, time_zone, meant_for, holds, episode, "
        mails += "status, queued_at, send_at, attempts, kept, last_error, subject, text, html"
        if connection.vendor == "postgresql":
            cursor.execute("UPDATE cases_case SET sla_check_at = %s WHERE id = ANY(%s)", [later, ids])
            cursor.execute(
                f"INSERT INTO escalations_slatarget ({promise}) SELECT c.id, c.company_id, 'update', "
                "'customer', n.since, %s, %s, %s, n.key, '', 1 FROM cases_case AS c "
                "JOIN unnest(%s::bigint[], %s::timestamptz[], %s::text[]) AS n (id, since, key) ON n.id = c.id",
                [due_at, moment, moment, ids, sinces, keys],
            )
            cursor.execute(
                f"INSERT INTO cases_mail ({mails}) SELECT n.*, %s, %s, 'status_update', 'UTC', '', 'owed', 0, "
                "'queued', %s, %s, 0, false, '', '', '', '' "
                "FROM unnest(%s::bigint[], %s::text[], %s::jsonb[], %s::text[]) AS n",
                [mail.to_name, mail.to_address, moment, moment, ids, keys, *texts],
            )
            return
        cursor.executemany("UPDATE cases_case SET sla_check_at = %s WHERE id = %s", [(later, one) for one in ids])
        cursor.executemany(
            f"INSERT INTO escalations_slatarget ({promise}) "
            "SELECT id, company_id, 'update', 'customer', %s, %s, %s, %s, %s, '', 1 FROM cases_case WHERE id = %s",
            [(since, due_at, moment, moment, key, one) for one, since, key in zip(ids, sinces, keys, strict=True)],
        )
        cursor.executemany(
            f"INSERT INTO cases_mail ({mails}) VALUES (%s, %s, %s, %s, %s, %s, 'status_update', 'UTC', '', 'owed', 0, "
            "'queued', %s, %s, 0, 0, '', '', '', '')",
            [
                (one, key, facts, message_id, mail.to_name, mail.to_address, moment, moment)
                for one, key, facts, message_id in zip(ids, keys, *texts, strict=True)
            ],
        )


class ByHand:
    """What hand-written set-based SQL reaches with the same due actions: claim, case, history, ledger, two mails.

    It writes rows of the size the engine wrote (their texts are taken from one of its steps), `unnest` arrays per 500
    on PostgreSQL, `executemany` on SQLite. It decides nothing: that is the price of the engine.
    """

    def __init__(self, sample: Case) -> None:
        self.mails = list(Mail.objects.filter(case=sample, template="escalation").order_by("pk")[:2])
        self.row = Escalation.objects.get(case=sample)
        self.reason = Case.history.filter(id=sample.pk).latest("history_date", "history_id").history_change_reason

    def sweep(self, now: datetime) -> int:
        """Work everything that is due, 500 at a time."""
        worked = 0
        while True:
            with transaction.atomic(), connection.cursor() as cursor:
                lock = "FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
                cursor.execute(
                    "SELECT id, escalation_check_at FROM cases_case WHERE escalation_check_at <= %s "
                    f"ORDER BY escalation_check_at, id LIMIT 500 {lock}",
                    [_moment(now)],
                )
                due = cursor.fetchall()
                if not due:
                    return worked
                self._write(cursor, [row[0] for row in due], [row[1] for row in due], now)
                worked += len(due)

    def _write(self, cursor: Any, ids: list[int], due_ats: list[Any], now: datetime) -> None:
        moment, later = _moment(now), _moment(now + timedelta(days=4))
        cadence, mailed = json.dumps(self.row.cadence), json.dumps(self.row.mailed)
        history = ", ".join(f'"{name}"' for name in CASE_COLUMNS)
        if connection.vendor == "postgresql":
            cursor.execute(
                "UPDATE cases_case c SET escalation_check_at = n.check_at, update_cadence = n.cadence, "
                "last_move = 'escalated', changed_at = %s "
                "FROM unnest(%s::bigint[], %s::timestamptz[], %s::jsonb[]) AS n (id, check_at, cadence) "
                "WHERE c.id = n.id",
                [moment, ids, [later] * len(ids), [cadence] * len(ids)],
            )
            cursor.execute(
                f"INSERT INTO cases_historicalcase ({history}, history_date, history_type, history_change_reason) "
                f"SELECT {history}, %s, '~', %s FROM cases_case WHERE id = ANY(%s)",
                [moment, self.reason, ids],
            )
            cursor.execute(
                f"INSERT INTO escalations_escalation ({LEDGER}) SELECT n.id, 1, 'medium', 1, 1, n.due_at, %s, true, "
                "%s::jsonb, %s, %s, %s, %s::jsonb FROM unnest(%s::bigint[], %s::timestamptz[]) AS n (id, due_at)",
                [moment, cadence, *self._owners(), mailed, ids, due_ats],
            )
        else:
            cursor.executemany(
                "UPDATE cases_case SET escalation_check_at = %s, update_cadence = %s, last_move = 'escalated', "
                "changed_at = %s WHERE id = %s",
                [(later, cadence, moment, one) for one in ids],
            )
            cursor.executemany(
                f"INSERT INTO cases_historicalcase ({history}, history_date, history_type, history_change_reason) "
                f"SELECT {history}, %s, '~', %s FROM cases_case WHERE id = %s",
                [(moment, self.reason, one) for one in ids],
            )
            cursor.executemany(
                f"INSERT INTO escalations_escalation ({LEDGER}) "
                "VALUES (%s, 1, 'medium', 1, 1, %s, %s, 1, %s, %s, %s, %s, %s)",
                [(one, due, moment, cadence, *self._owners(), mailed) for one, due in zip(ids, due_ats, strict=True)],
            )
        self._write_mails(cursor, ids, moment)

    def _owners(self) -> tuple[int | None, int | None, int | None]:
        return self.row.asked_id, self.row.owner_before_id, self.row.owner_after_id

    def _write_mails(self, cursor: Any, ids: list[int], moment: Any) -> None:
        rows = [
            (
                one,
                f"{mail.key}:{one}",
                json.dumps(mail.facts),
                mail.to_name,
                mail.to_address,
                Mail.message_id_for(mail.key, one),
            )
            for one in ids
            for mail in self.mails
        ]
        columns = "case_id, key, facts, to_name, to_address, message_id"
        others = (
            "template, time_zone, meant_for, holds, episode, status, queued_at, send_at, attempts, kept, "
            "last_error, subject, text, html"
        )
        if connection.vendor == "postgresql":
            cursor.execute(
                f"INSERT INTO cases_mail ({columns}, {others}) SELECT n.*, 'escalation', 'UTC', '', 'open', 0, "
                "'queued', %s, %s, 0, false, '', '', '', '' "
                "FROM unnest(%s::bigint[], %s::text[], %s::jsonb[], %s::text[], %s::text[], %s::text[]) AS n",
                [moment, moment, *(list(column) for column in zip(*rows, strict=True))],
            )
        else:
            cursor.executemany(
                f"INSERT INTO cases_mail ({columns}, {others}) VALUES (%s, %s, %s, %s, %s, %s, 'escalation', 'UTC', "
                "'', 'open', 0, 'queued', %s, %s, 0, 0, '', '', '', '')",
                [(*row, moment, moment) for row in rows],
            )


LEDGER = (
    "case_id, run, severity, number, schedule_version, due_at, done_at, carried_out, cadence, asked_id, "
    "owner_before_id, owner_after_id, mailed"
)
CASE_COLUMNS = [
    field.column for field in Case.history.model._meta.concrete_fields if not field.column.startswith("history_")
]


def _moment(moment: datetime) -> Any:
    """A moment as the driver of this database takes it."""
    return moment if connection.vendor == "postgresql" else moment.replace(tzinfo=None)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that some work took, and what came of it; on SQLite, which works in this process, those of the CPU."""
    clock = time.perf_counter if connection.vendor == "postgresql" else time.process_time
    began = clock()
    result = work()
    return clock() - began, result


@dataclass
class Race:
    """The engine and hand-written SQL in turn on the same kind of rows."""

    engine: float = 0.0
    hand: float = 0.0
    engine_did: int = 0
    hand_did: int = 0
    statements: int = 0
    batches: int = 0

    @property
    def ratio(self) -> float:
        """How near the engine comes to SQL that decides nothing: 1 is as fast."""
        return (self.engine_did / self.engine) / (self.hand_did / self.hand)


def race(
    parts: Sequence[Sequence[int]],
    sweep: Callable[[datetime], Swept] = escalate,
    column: str = "escalation_check_at",
    hand: type[ByHand] | type[UpdatesByHand] = ByHand,
) -> Race:
    """Let the parts come due one after the other; the engine works the even ones, hand-written SQL the odd ones."""
    result = Race()
    by_hand: ByHand | UpdatesByHand | None = None
    for number, part in enumerate(parts):
        wake(part, column)
        if number % 2 == 0:
            with counted() as busy:
                took, swept = timed(partial(sweep, NOW))
            assert swept.acted_on == len(part), swept
            result.engine += took
            result.engine_did += swept.acted_on
            result.statements += busy.count
            result.batches += -(-swept.looked_at // 500)
            by_hand = by_hand or hand(Case.objects.get(pk=part[0]))
        else:
            assert by_hand is not None
            took, done = timed(partial(by_hand.sweep, NOW))
            assert done == len(part)
            result.hand += took
            result.hand_did += done
    return result


def wake(case_ids: Sequence[int], column: str = "escalation_check_at") -> None:
    """These cases reached their moment a minute ago."""
    Case.objects.filter(pk__in=case_ids).update(**{column: NOW - timedelta(minutes=1)})


def overlapping(alone: Sequence[int], shared: Sequence[int]) -> float:
    """How much longer two sweeps at once take than one, for as many due cases."""
    wake(alone)
    one, _ = timed(partial(escalate, NOW))
    wake(shared)

    def sweep() -> None:
        escalate(NOW)
        connection.close()

    def both() -> None:
        threads = [Thread(target=sweep) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    two, _ = timed(both)
    assert Escalation.objects.filter(case__in=shared).count() == len(shared)
    return two / one


def measure(cases: int) -> None:
    """One size: nothing due; 1 % due; a hundred due; two sweeps at once."""
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        desk = build_desk()
        filled, _ = timed(partial(fill, cases, 0.01, desk))
        with counted() as idle:
            idle_took, _ = timed(partial(escalate, NOW - timedelta(minutes=2)))
        due = list(Case.objects.filter(escalation_check_at__lte=NOW).order_by("pk").values_list("pk", flat=True))
        Case.objects.filter(pk__in=due).update(escalation_check_at=NOW + timedelta(days=30))
        hundreds = [due[number * 100 : number * 100 + 100] for number in range(4)] if len(due) >= 1_000 else []
        pairs = [due[400:700], due[700:1_000]] if len(due) >= 1_000 else []
        rest = due[1_000:] if len(due) >= 2_000 else due if not hundreds else []
        print(f"{cases:,} open cases (filled in {filled:.0f} s)")
        print(f"  nothing due: {idle_took * 1000:.1f} ms, {idle.count} statements")
        if rest:
            told("1 % due" if hundreds else f"{len(rest)} due", race([rest[number::4] for number in range(4)]))
        if hundreds:
            told("100 due", race(hundreds))
        if pairs:
            print(f"  two sweeps at once: {overlapping(*pairs):.2f} of one sweep's time")
    finally:
        connection.creation.destroy_test_db(DATABASE, verbosity=0)


def measure_updates(cases: int) -> None:
    """Status updates to customers at one size, and the forecast of one case."""
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        desk = build_desk()
        filled, _ = timed(partial(fill, cases, 0.01, desk, timedelta(hours=7, minutes=55)))
        with counted() as idle:
            idle_took, _ = timed(partial(keep_promises, NOW - timedelta(minutes=2)))
        due = list(Case.objects.filter(sla_check_at__lte=NOW).order_by("pk").values_list("pk", flat=True))
        Case.objects.filter(pk__in=due).update(sla_check_at=NOW + timedelta(days=30))
        print(f"{cases:,} open cases (filled in {filled:.0f} s)")
        print(f"  no promise due: {idle_took * 1000:.1f} ms, {idle.count} statements")
        parts = [due[number::4] for number in range(4)]
        told("status updates, 1 % due", race(parts, keep_promises, "sla_check_at", UpdatesByHand), "updates")
        case = Case.objects.get(pk=due[0])
        with counted() as foreseen:
            took, forecast = timed(partial(forecast_of, case, NOW))
        print(
            f"  forecast of one case: {foreseen.count} statements, {took * 1000:.0f} ms, {len(forecast.events)} events"
        )
    finally:
        connection.creation.destroy_test_db(DATABASE, verbosity=0)


@contextmanager
def sink(takes: float) -> Iterator[int]:
    """A mail server in a process of its own that takes so many seconds for each reply; its port."""
    command = [sys.executable, "-m", "tests.support.sink", str(takes)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield int(process.stdout.readline())
        assert process.stdin
        process.stdin.close()


@contextmanager
def mails_due(mails: int, connections: int, takes: float) -> Iterator[None]:
    """So many mails wait for a sink that takes so many seconds a reply."""
    first = Mail.objects.order_by("pk").values("pk")[:mails]
    Mail.objects.filter(pk__in=first).update(
        status=MailStatus.QUEUED, send_at=NOW, sent_at=None, attempts=0, text="", html=""
    )
    Mail.objects.exclude(pk__in=first).update(status=MailStatus.SENT)
    with (
        sink(takes) as port,
        override_settings(
            EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
            EMAIL_HOST="127.0.0.1",
            EMAIL_PORT=port,
            MAIL_IS_KEPT=False,
            DESK_MAIL_CONNECTIONS=connections,
        ),
    ):
        yield


def mail_rate(mails: int, connections: int, takes: float) -> tuple[float, float, float]:
    """(mails a second, statements a mail, seconds of this process a mail) of a round over so many connections."""
    with mails_due(mails, connections, takes), counted() as statements:
        began = time.process_time()
        took, delivery = timed(lambda: deliver(lambda: NOW, at_most=mails))
        used = time.process_time() - began
    assert delivery.sent == mails, delivery
    return mails / took, statements.count / mails, used / mails


def mail_rate_of_workers(mails: int, workers: int) -> float:
    """Mails a second that several worker processes deliver to a local sink, each over four connections."""
    forked = get_context("fork")
    ready = forked.Barrier(workers + 1)

    def work() -> None:
        connection.close()
        connection.ensure_connection()
        ready.wait()
        deliver(lambda: NOW, at_most=mails)

    with mails_due(mails, 4, 0):
        connection.close()  # none is shared with a child
        processes = [forked.Process(target=work) for _ in range(workers)]
        for process in processes:
            process.start()
        ready.wait()
        took, _ = timed(lambda: [process.join() for process in processes])
        assert not Mail.objects.filter(status=MailStatus.QUEUED).exists()
    return mails / took


def measure_mail(mails: int) -> None:
    """How fast mail leaves (M2): to a sink on this machine, and to one that takes 20 ms a reply."""
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        desk = build_desk()
        fill(mails, 1, desk)
        written, _ = timed(lambda: escalate(NOW))
        count = min(mails, Mail.objects.count())
        mail_rate(20, 1, 0)  # templates are compiled once
        print("  to a sink of tests/support/sink.py: a process that reads each message and throws it away")
        rates = {}
        for takes, few in ((0, count), (0.02, max(40, count // 10))):
            for connections in (1, 8):
                number = few if connections == 1 else min(count, few * 4) if takes else few
                rates[takes, connections], statements, used = mail_rate(number, connections, takes)
                print(
                    f"  {connections} connection{'s' if connections > 1 else ''}, {takes * 1000:.0f} ms a reply: "
                    f"{rates[takes, connections]:,.0f} mails/s, {statements:.3f} statements a mail, "
                    f"{used * 1000:.2f} ms of the worker's processor time a mail"
                )
        for workers in (1, 2):
            rate = mail_rate_of_workers(count, workers)
            print(f"  {workers} worker process{'es' if workers > 1 else ''}: {rate:,.0f} mails/s")
        print(f"  eight at {rates[0.02, 8] / rates[0.02, 1]:.1f} of the rate of one against 20 ms a reply")
        whole = written * count / Mail.objects.count() + count / rates[0, 8]
        print(f"  from due to delivered to a local sink: {count / whole:,.0f} mails/s")
    finally:
        connection.creation.destroy_test_db(DATABASE, verbosity=0)


def measure_waits(cases: int) -> None:
    """Steps of both plans at one size, as ratios to each other: what a business calendar costs (F2, F3)."""
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        desk = build_desk()
        fill(cases, 0.01, desk)
        due = list(Case.objects.filter(escalation_check_at__lte=NOW).order_by("pk").values_list("pk", flat=True))
        with counted() as idle:
            idle_took, _ = timed(partial(follow_up, NOW))
        print(f"{cases:,} open cases\n  no step due: {idle_took * 1000:.1f} ms, {idle.count} statements")
        rates = {}
        for plan, part in ((WaitPlan.PENDING_CLIENT_ACTION, due[::2]), (WaitPlan.THREE_CONTACTS, due[1::2])):
            waiting(part, plan)
            with counted() as busy:
                took, swept = timed(partial(follow_up, NOW))
            assert swept.acted_on == len(part), swept
            rates[plan] = swept.acted_on / took
            batches = -(-swept.looked_at // 500)
            print(f"  {plan.label}: {rates[plan]:,.0f} steps/s, {busy.count / batches:.0f} statements a batch")
        ratio = rates[WaitPlan.THREE_CONTACTS] / rates[WaitPlan.PENDING_CLIENT_ACTION]
        print(f"  three contacts at {ratio:.2f} of the rate of pending client action")
    finally:
        connection.creation.destroy_test_db(DATABASE, verbosity=0)


def waiting(case_ids: Sequence[int], plan: WaitPlan) -> None:
    """These cases were asked two days before, and their first step is due."""
    Case.objects.filter(pk__in=case_ids).update(
        status=Status.WAITING,
        wait_episode=1,
        wait_plan=plan,
        wait_reason=WaitReason.INFORMATION,
        wait_question="Which floor?",
        waiting_since=NOW - timedelta(days=2),
        follow_up_check_at=NOW,
    )


PAGES = 30


#: Words of the filled documents: a word, one case in so many has it.
SEARCHED = {"always": 1, "often": 3, "seldom": 50, "rare": 10_000}
SEARCHES = {
    "a common word": "always",
    "a word of every third case": "often",
    "a word of every fiftieth": "seldom",
    "a rare word": "rare",
    "an absent word": "absent",
    "a rare word and a common beginning": "rare alw",
    "two common words that never meet": "often other",
    "a common word of old cases": "formerly",
    "three letters": "wor",
}


def measure_search(cases: int) -> None:
    """The database's time of searches, in milliseconds and as a ratio to LIKE on the titles."""
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        desk = build_desk()
        fill(cases, 0.01, desk)
        spread_over_companies(desk.other_account_manager)
        took, _ = timed(partial(fill_documents, cases))
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        everybody = Case.objects.visible_to(desk.technician)
        readers = {"all": everybody, "1 %": readable_by(desk.other_account_manager, Case.objects.all())}
        like = database_time(lambda: list(everybody.filter(title__icontains="absent").values_list("pk")[:25]))
        print(f"{cases:,} cases, documents in {took:.0f} s; LIKE on the titles alone takes {like:.1f} ms")
        for what, typed in SEARCHES.items():
            costs = {who: database_time(partial(search, rows, typed)) for who, rows in readers.items()}
            told = ", ".join(f"{who} {cost:.1f} ms ({cost / like:.2f})" for who, cost in costs.items())
            print(f"  {what}: {told}")
        due = list(Case.objects.filter(escalation_check_at__lte=NOW).order_by("pk").values_list("pk", flat=True))
        if len(due) >= 400:
            Case.objects.filter(pk__in=due).update(escalation_check_at=NOW + timedelta(days=30))
            parts = [due[start : start + len(due) // 9] for start in range(0, len(due) - len(due) // 9, len(due) // 9)]
            escalate_part(parts[0])
            before = min(map(escalate_part, parts[1:5]))
            truncate(SearchDocument)
            after = min(map(escalate_part, parts[5:9]))
            print(f"  a sweep with the documents takes {before / after:.2f} of its time without them")
    finally:
        connection.creation.destroy_test_db(DATABASE, verbosity=0)


def spread_over_companies(manager: User) -> None:
    """Give each of a hundred new companies as many cases; the first is the account manager's."""
    companies = Company.objects.bulk_create(
        Company(name=f"Company {n}", country="DE", time_zone="UTC", account_manager=None if n else manager)
        for n in range(100)
    )
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cases_case SET company_id = %s + id %% 100", [companies[0].pk])


def escalate_part(case_ids: Sequence[int]) -> float:
    """Seconds that a sweep takes for these cases."""
    wake(case_ids)
    took, _ = timed(partial(escalate, NOW))
    return took


def truncate(model: type[Model]) -> None:
    """Empty a table at once."""
    with connection.cursor() as cursor:
        verb = "TRUNCATE" if connection.vendor == "postgresql" else "DELETE FROM"
        cursor.execute(f"{verb} {model._meta.db_table}")


def fill_documents(cases: int) -> None:
    """Documents of some 70 words each, a few of them common; made by the database itself, the index at the end."""
    has = [f"CASE WHEN c.id %% {every} = 0 THEN '{word} §{word}00 ' ELSE '' END" for word, every in SEARCHED.items()]
    has.append("CASE WHEN c.id %% 3 = 1 THEN 'other ' ELSE '' END")
    has.append(f"CASE WHEN c.id < {cases // 3} THEN 'formerly ' ELSE '' END")
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            drawn = "string_agg('word' || (30000 * power(random(), 3))::int || '', ' ')"
            others = f"(SELECT {drawn} FROM generate_series(1, 70) AS s WHERE c.id > 0)"
            cursor.execute("DROP INDEX search_document_words")
        else:
            drawn = "group_concat('word' || (abs(random() %% 175) * abs(random() %% 175)), ' ')"
            numbers = "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 70)"
            others = f"({numbers} SELECT {drawn} FROM s WHERE c.id > 0)"
        cursor.execute("DELETE FROM cases_searchdocument")
        cursor.execute(
            f"INSERT INTO cases_searchdocument (case_id, words) SELECT c.id, '№' || c.id || ' ' || "
            f"{' || '.join(has)} || {others} FROM cases_case AS c ORDER BY c.id",
            [],
        )
        if connection.vendor == "postgresql":
            cursor.execute("SET maintenance_work_mem = '512MB'")
            cursor.execute(
                "CREATE INDEX search_document_words ON cases_searchdocument "
                "USING gin (vector, (ARRAY[company_id])) WITH (gin_pending_list_limit = 512)"
            )


def database_time(work: Callable[[], Any]) -> float:
    """Milliseconds that the statements of some work take at best; on SQLite, which works in this process, all of it."""

    def clocked(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            spent.append(time.perf_counter() - began)

    sums = []
    for _ in range(12):
        spent: list[float] = []
        with connection.execute_wrapper(clocked):
            took, _ = timed(work)
        sums.append((sum(spent) if connection.vendor == "postgresql" else took) * 1000)
    return min(sums)


def measure_fetching(messages: int) -> None:
    """Messages that come in through a Maildir: a stranger's, and proven answers of a help desk to what we wrote."""
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        desk = build_desk()
        cases = [desk.open_case(now=timezone.now()) for _ in range(20)]
        asked = list(Mail.objects.filter(case__in=cases, to_address=desk.contact.email))
        Mail.objects.update(status=MailStatus.SENT, sent_at=timezone.now())
        sender = desk.contact.email
        answers = (
            raw_mail(sender, text=f"Answer {n}.", references=[asked[n % len(asked)].message_id], headers=proven(sender))
            for n in range(messages)
        )
        strangers = (raw_mail(f"stranger{n}@example.net", text=f"Hello {n}.") for n in range(messages))
        for what, raws in (("from strangers, into triage", strangers), ("answers, logged on their cases", answers)):
            with TemporaryDirectory() as directory:
                maildir = make_maildir(Path(directory) / "mail")
                for raw in raws:
                    deliver_into(maildir, raw)
                fetch_round = FetchRound(Door.MAILDIR, timezone.now, lambda: True)
                with override_settings(MAIL_AUTH_SERVER=[AUTH_SERVER]), counted() as statements:
                    took, _ = timed(partial(Maildir(maildir).look, fetch_round))
            assert (fetch_round.new, fetch_round.left) == (messages, 0), fetch_round
            print(f"  {what}: {messages / took:,.0f} messages/s, {statements.count / messages:.1f} statements each")
        logged = ReceivedMail.objects.filter(outcome=ReceivedOutcome.LOGGED).count()
        assert logged == messages, logged
    finally:
        connection.creation.destroy_test_db(DATABASE, verbosity=0)


CALLERS, SYSTEM_SECRET = 50, "a-secret-of-24-characters"


def measure_queue(callers: int) -> None:
    """So many callers at one moment: the first event of each, what each hears, and what pages that poll cost."""
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    systems = [f"pbx=generic:{SYSTEM_SECRET}", f"carrier=twiml:{SYSTEM_SECRET}"]
    try:
        desk = build_desk()
        for _ in range(10):
            build_technician(desk.centre)
        with override_settings(DESK_PHONE_SYSTEMS=systems):

            def post(call: int, step: str = "") -> None:
                fields = {"CallSid": f"c{call}", "From": f"+4930{call:07}", "To": "+18005465750"}
                answer = Client().post(f"/calls/carrier/{SYSTEM_SECRET}/{step}", fields)
                assert answer.status_code == 200, answer.content

            took, _ = timed(lambda: at_once(*(partial(post, call) for call in range(callers))))
            rows = QueueEntry.objects.count()
            assert rows == callers, rows
            with counted() as heard:
                post(callers - 1, "?step=wait")
            waits, _ = timed(lambda: at_once(*(partial(post, call, "?step=wait") for call in range(callers))))
        client = Client()
        client.force_login(desk.technician)
        mine, board = (reverse(f"admin:cases_queueentry_{page}") for page in ("mine", "board_rows"))
        bar, bar_count = page_cost(lambda: client.get(mine))
        rows_took, rows_count = page_cost(lambda: client.get(board))
        print(
            f"  {callers} callers at once: all answered after {took * 1000:.0f} ms, their places told after "
            f"{waits * 1000:.0f} ms ({heard.count} statements each)\n"
            f"  the bar: {bar * 1000:.1f} ms, {bar_count} statements; the board: {rows_took * 1000:.0f} ms, "
            f"{rows_count} statements\n"
            f"  connections held while they wait: {held_connections()}"
        )
    finally:
        connection.creation.destroy_test_db(DATABASE, verbosity=0)


#: A page that is looked at asks so often, in seconds; see `desk/chat.js`.
POLLED_EVERY = 3


def measure_chats(customers: int) -> None:
    """So many customers in a chat at once, ten of them with a technician: one round of their polls, and a line."""
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        desk = build_desk()
        technicians = [build_technician(desk.centre) for _ in range(10)]
        people = [
            Contact(company=desk.company, name=f"Person {one}", email=f"p{one}@acme.example.com", is_help_desk=True)
            for one in range(customers)
        ]
        case, now = desk.open_case(timezone.now(), contact=desk.contact), timezone.now()
        people = Contact.objects.bulk_create(people)
        who = {"company": desk.company, "case": case, "arrived_at": now, "in_line_since": now, "heard_at": now}
        chats = [QueueEntry(kind=QueueKind.CHAT, contact=person, **who) for person in people]
        for chat, technician in zip(chats, technicians, strict=False):
            chat.state, chat.technician, chat.taken_at = QueueState.TALKING, technician, now
        words = {"case": case, "channel": Channel.CHAT, "direction": Direction.IN, "at": now, "logged_at": now}
        lines = [
            Interaction(chat=chat, contact=chat.contact, body="It hums.", **words)
            for chat in QueueEntry.objects.bulk_create(chats)
        ]
        Interaction.objects.bulk_create(lines)
        clients = [signed_in_customer(person) for person in people]
        address = reverse("support:chat_lines", args=[case.pk])

        def poll(client: Client, key: str = "") -> HttpResponse:
            answer: HttpResponse = client.get(address, {"key": key, "after": "0"})
            assert answer.status_code in (200, 204), answer.status_code
            return answer

        keys = [json.loads(poll(client).content)["key"] for client in clients]
        QueueEntry.objects.update(heard_at=timezone.now())  # as if they had asked all along
        began = time.process_time()
        with counted() as asked:
            for client, key in zip(clients, keys, strict=True):
                poll(client, key)
        rate, wanted = customers / (time.process_time() - began), customers / POLLED_EVERY
        say = reverse("support:chat_say", args=[case.pk])
        with counted() as said:
            line, _ = timed(
                lambda: clients[0].post(say, {"once": "1", "words": "Since noon."}, headers={"X-Chat": "1"})
            )
        print(
            f"  {customers} customers in a chat: {rate:,.0f} polls/s by one core, {rate / wanted:.1f} times what "
            f"they ask for every {POLLED_EVERY} s; {asked.count / customers:.2f} statements a poll\n"
            f"  a line: {line * 1000:.0f} ms, {said.count} statements; connections held meanwhile: {held_connections()}"
        )
    finally:
        connection.creation.destroy_test_db(DATABASE, verbosity=0)


def held_connections() -> str:
    """How many sessions the database has besides this one; SQLite has none."""
    if connection.vendor != "postgresql":
        return "none"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = current_database()")
        return str(cursor.fetchone()[0])


def measure_pages() -> None:
    """The page of a case, and the click that starts work on it, beside Django's own change page of the same row."""
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        desk = build_desk()
        case = desk.open_case(now=timezone.now() - timedelta(days=1), severity=Severity.HIGH)
        for sweep in (escalate, keep_promises):
            sweep(timezone.now())
        client = Client()
        client.force_login(desk.technician)
        stock, stock_count = stock_change_page(case)
        ours, ours_count = page_cost(lambda: client.get(case.get_absolute_url()))
        with counted() as click:
            assert client.post(reverse("admin:cases_case_do", args=[case.pk, "start_work"])).status_code == 302
        print(
            f"  page of a case: {ours_count} statements, {ours * 1000:.0f} ms; "
            f"stock change page: {stock_count} statements, {stock * 1000:.0f} ms; ratio {ours / stock:.1f}\n"
            f"  a click that starts work: {click.count} statements"
        )
    finally:
        connection.creation.destroy_test_db(DATABASE, verbosity=0)


@dataclass(frozen=True)
class PageCost:
    """What a page costs: seconds in all, how many statements, and seconds of the slowest of them."""

    seconds: float
    statements: int
    slowest: float


def measure_workplace(cases: int, open_cases: int, few: dict[str, PageCost]) -> dict[str, PageCost]:
    """The pages of each reader after years of work, beside the same ones of a `few` cases."""
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        filled, years = timed(partial(build_years, cases, open_cases, timezone.now()))
        fill_documents(cases)
        gather_statistics()
        print(f"{cases:,} cases, {open_cases:,} open (filled in {filled:.0f} s)")
        costs = {}
        for name, (user, address) in pages_of(years).items():
            client = Client()
            client.force_login(user)
            get = partial(get_afresh, client, address)
            seconds, statements = page_cost(get, 6)
            costs[name] = cost = PageCost(seconds, statements, max(_times_of_statements(get)))
            told = (
                f"{cost.statements} statements, the slowest {cost.slowest * 1000:.1f} ms, {cost.seconds * 1000:.0f} ms"
            )
            if name in few:
                small = few[name]
                told += (
                    f"; of that with few cases: {cost.statements / small.statements:.2f}, "
                    f"{cost.slowest / small.slowest:.2f}, {cost.seconds / small.seconds:.2f}"
                )
            print(f"  {name}: {told}", flush=True)
        measure_digests()
        return costs
    finally:
        connection.creation.destroy_test_db(DATABASE, verbosity=0)


def measure_digests() -> None:
    """The daily digests of every account manager (200, and those of the desk), in the present database."""
    User.objects.filter(role=Role.ACCOUNT_MANAGER).update(time_zone="UTC")
    today = timezone.now()
    morning = (today + timedelta(days=(7 - today.weekday()) % 7)).replace(hour=8, minute=0)  # the next Monday
    readers = len(due_readers(morning))
    with counted() as statements:
        took, written = timed(partial(send_daily_digests, morning))
    batches = -(-readers // DIGESTS_AT_ONCE)
    with counted() as idle:
        looks, _ = timed(partial(send_daily_digests, morning + timedelta(minutes=1)))
    print(
        f"  daily digests of {readers} account managers: {written} mails in {took:.1f} s, "
        f"{statements.count / batches:.0f} statements a batch of {DIGESTS_AT_ONCE}; "
        f"a minute later: {idle.count} statements, {looks * 1000:.0f} ms",
        flush=True,
    )


#: Of a report of a year (W4).
REPORT_SECONDS = 2.0


def measure_reports(cases: int, open_cases: int) -> None:
    """Each report of the last 12 months, over the whole desk, by time and by person: the page and its database time."""
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        filled, years = timed(partial(build_years, cases, open_cases, timezone.now()))
        gather_statistics()
        print(f"{cases:,} cases over {YEARS} years (filled in {filled:.0f} s)")
        client = Client()
        client.force_login(years.desk.manager)
        for report in REPORTS:
            for by in ("time", "owner", "company"):
                address = reverse("admin:escalations_reportcase_report", args=[report])
                get = partial(client.get, f"{address}?period=last-year&by={by}")
                seconds, statements = page_cost(get, 3)
                times = _times_of_statements(get)
                over = "" if seconds < REPORT_SECONDS else f", above {REPORT_SECONDS:.0f} s"
                print(
                    f"  {report} of a year by {by}: {seconds * 1000:.0f} ms{over}; {statements} statements, "
                    f"{sum(times) * 1000:.0f} ms of them, the slowest {max(times) * 1000:.0f} ms",
                    flush=True,
                )
    finally:
        connection.creation.destroy_test_db(DATABASE, verbosity=0)


def get_afresh(client: Client, address: str) -> HttpResponse:
    """The page without what the live board keeps for a few seconds."""
    cache.delete_many(["board", "board-slow"])
    return client.get(address)


def pages_of(years: Years) -> dict[str, tuple[User, str]]:
    """The pages that are measured, by name, with who opens them."""
    desk, index, listed = years.desk, reverse("admin:index"), reverse("admin:cases_case_changelist")
    company = reverse("admin:contacts_company_change", args=[years.big_company.pk])
    readers = {
        "technician": desk.technician,
        "account manager": desk.other_account_manager,
        "Support Manager": desk.manager,
        "administrator": User.objects.create_superuser("root", "root@example.com", "secret"),
    }
    lists = {
        "all open": "queue=open",
        "everything": "queue=everything",
        "everything by what comes next": "queue=everything&o={next}",
        "everything by severity, the worst last": "queue=everything&o=-{severity}",
        "resolved": "queue=resolved",
        "critical ones": "queue=everything&severity__exact=critical",
        "waiting at a big company": f"queue=waiting&company__id__exact={years.big_company.pk}",
        "a search for a common word": "q=often",
        "a search for an absent word": "q=absent",
    }
    pages = {f"my desk, for the {who}": (user, index) for who, user in readers.items()}
    pages["the live board"] = (desk.manager, reverse("admin:board"))
    pages["what of the live board changes"] = (desk.manager, reverse("admin:board_tiles"))
    for key in ("open", "risk", "age_medium_older"):
        pages[f"the cases behind “{key}” on the live board"] = (desk.manager, reverse("admin:board_cases", args=[key]))
    pages["my queue, for the technician"] = (desk.technician, f"{listed}?queue=mine")
    for who in ("account manager", "Support Manager"):
        ticks = who != "account manager"  # the first column of whoever may act on several cases
        for name, query in lists.items():
            asked = query.format(next=2 + ticks, severity=3 + ticks)
            pages[f"{name}, for the {who}"] = (readers[who], f"{listed}?{asked}")
        pages[f"a big company, for the {who}"] = (readers[who], company)
        pages[f"what is owed to a big company, for the {who}"] = (readers[who], account_url(years.big_company.pk))
    for who in ("technician", "account manager"):
        for what, typed in SEARCHES.items():
            found = f"{reverse('admin:search')}?{urlencode({'extended': 1, 's': typed})}"
            pages[f"the command palette: {what}, for the {who}"] = (readers[who], found)
    for name in ("slatarget", "escalation", "escalationrequest", "question"):
        ledger = reverse(f"admin:escalations_{name}_changelist")
        pages[f"the ledger {name}, for the account manager"] = (desk.other_account_manager, ledger)
    for name, case in (("a busy", years.busy), ("a quiet", years.quiet), ("an old", years.old)):
        pages[f"{name} case"] = (desk.technician, case.get_absolute_url())
    return pages


def _times_of_statements(job: Callable[[], Any]) -> list[float]:
    """How long each statement of a job took: of three runs the quickest, as a noisy machine only adds."""

    def run() -> list[float]:
        times: list[float] = []

        def timing(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
            took, answer = timed(lambda: execute(sql, params, many, context))
            times.append(took)
            return answer

        with connection.execute_wrapper(timing):
            job()
        return times

    return [min(each) for each in zip(*(run() for _ in range(3)), strict=False)]


def page_cost(get: Callable[[], HttpResponse], times: int = PAGES) -> tuple[float, int]:
    """(median seconds, statements) of a page once its templates are loaded."""
    assert get().status_code == 200
    with counted() as statements:
        get()
    return statistics.median(timed(get)[0] for _ in range(times)), statements.count


def stock_change_page(case: Case) -> tuple[float, int]:
    """(median seconds, statements) of the change page that Django's admin makes of a case, with Django's templates."""
    templates = settings.TEMPLATES[0] | {"DIRS": [Path(admin.__file__).parent / "templates"]}
    page = ModelAdmin(Case, AdminSite())
    page.readonly_fields = ("status",)  # protected: the FSM writes it
    superuser = User.objects.create_superuser("stock", "stock@example.com", "secret")

    def get() -> HttpResponse:
        request = RequestFactory().get(case.get_absolute_url())
        request.user = superuser
        return page.change_view(request, str(case.pk)).render()  # type: ignore[attr-defined]

    with override_settings(TEMPLATES=[templates]):
        return page_cost(get)


def told(what: str, result: Race, called: str = "due actions") -> None:
    """A line of figures."""
    print(
        f"  {what}: engine {result.engine_did / result.engine:,.0f} {called}/s, "
        f"by hand {result.hand_did / result.hand:,.0f}/s, ratio {result.ratio:.2f}; "
        f"{result.statements / result.batches:.0f} statements a batch"
    )


if __name__ == "__main__":
    print(f"{connection.vendor}: due action = claim, case update, history row, ledger row, two outbox rows")
    sizes = [int(argument) for argument in sys.argv[1:]] or [1_000, 100_000, 1_000_000]
    for size in sizes:
        measure(size)
    print("update = claim, case update, ledger row, mail to the customer")
    largest = min(max(sizes), int(os.environ.get("UPDATES", "100000")))
    measure_updates(largest)
    print("step = claim, case update, history row, ledger row, mail to the customer")
    measure_waits(largest)
    print("mail")
    measure_mail(int(os.environ.get("MAILS", "1000")))
    print("search")
    for size in sizes:
        measure_search(size)
    print("messages that come in")
    measure_fetching(int(os.environ.get("RECEIVED", "1000")))
    print("queue")
    measure_queue(CALLERS)
    print("chat")
    measure_chats(int(os.environ.get("CHATS", "500")))
    print("pages")
    measure_pages()
    print("workplace")
    few = measure_workplace(1_000, 300, {})
    for size in sizes:
        if size > 1_000:
            measure_workplace(size, min(size // 10, 30_000), few)
    print("reports")
    for size in sizes:
        if size > 1_000:
            measure_reports(size, min(size // 10, 30_000))
    every = int(os.environ.get("WORKPLACE", "0"))
    if every:
        measure_workplace(every, every, few)
