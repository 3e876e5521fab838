"""What the engine costs: `make bench` prints counts and ratios, so that a noisy machine does not matter.

Runs in a database of its own (made and dropped here), on PostgreSQL when `DATABASE_URL` names one, else on SQLite.

* due actions per second at 1k, 100k and 1M open cases with 1 % due (a due action = claim, case update, history row,
  ledger row, two outbox rows), beside hand-written set-based SQL on the same rows in the same run
* what a sweep costs when nothing is due
* statements per batch of 500
* status updates per second at 100k open cases (UPDATES) with 1 % due (an update = claim, case update, ledger row, mail
  to the customer), beside hand-written SQL as above
* what the forecast of one case costs
* what the page of a case and a click on it cost, beside a stock Django change page of the same row in the same run
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.contrib import admin  # noqa: E402
from django.contrib.admin import AdminSite, ModelAdmin  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.test import Client, RequestFactory  # noqa: E402
from django.test.utils import override_settings  # noqa: E402
from django.urls import reverse  # noqa: E402
from django.utils import timezone  # noqa: E402

from cases.engine.sweep import Swept  # noqa: E402
from cases.enums import Channel, Severity, Status, WaitPlan, WaitReason  # noqa: E402
from cases.followup.apply import follow_up  # noqa: E402
from cases.models import Case, Mail  # noqa: E402
from contacts.models import User  # noqa: E402
from escalations.forecast.simulate import forecast_of  # noqa: E402
from escalations.models import Escalation  # noqa: E402
from escalations.points.apply import escalate  # noqa: E402
from escalations.sla.apply import keep_promises  # noqa: E402
from tests.support.builders import build_desk  # noqa: E402

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
        promise = "case_id, kind, member, since, due_at, updated_at, ended_at, mail_id, outcome, in_a_row"
        mails = "case_id, key, facts, message_id, to_name, to_address, template, time_zone, meant_for, holds, episode, "
        mails += "status, queued_at, send_at, attempts, kept, last_error, subject, text, html"
        if connection.vendor == "postgresql":
            cursor.execute("UPDATE cases_case SET sla_check_at = %s WHERE id = ANY(%s)", [later, ids])
            cursor.execute(
                f"INSERT INTO escalations_slatarget ({promise}) SELECT n.id, 'update', 'customer', n.since, %s, %s, "
                "%s, n.key, '', 1 FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[]) AS n (id, since, key)",
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
            "VALUES (%s, 'update', 'customer', %s, %s, %s, %s, %s, '', 1)",
            [(one, since, due_at, moment, moment, key) for one, since, key in zip(ids, sinces, keys, strict=True)],
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
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


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
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


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
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


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
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


def page_cost(get: Callable[[], HttpResponse]) -> tuple[float, int]:
    """(median seconds, statements) of a page once its templates are loaded."""
    assert get().status_code == 200
    with counted() as statements:
        get()
    return statistics.median(timed(get)[0] for _ in range(PAGES)), statements.count


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
    print("pages")
    measure_pages()
