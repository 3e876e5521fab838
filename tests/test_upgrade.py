"""A database that an older desk filled upgrades, and keeps every row."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.apps.registry import Apps
from django.contrib.contenttypes.models import ContentType
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from cases.enums import WaitPlan
from cases.models import Case, FailedCase, FollowUp, Mail, SweepRun
from escalations.models import DigestLine, Escalation, SchedulePoint, SlaTarget
from escalations.reports.views import drop_views
from tests.support.builders import forget_desk

THEN = datetime(2026, 6, 3, 12, 0, tzinfo=UTC)
LATER = THEN + timedelta(days=27)

Make = Callable[..., Any]
#: Migrations that an older desk had got to, and what fills its database.
Stage = tuple[list[tuple[str, str]], Callable[[Make], None]]


def upgrade(stages: Iterable[Stage]) -> None:
    """Make the schema of each stage, one after the other as a desk lives through its versions, and fill it through its
    own models; then migrate to the newest. What comes of it is the same schema as that of a new database, which the
    squashed migrations make in one step.
    """
    of_a_new_one = schema()
    try:
        drop_everything()
        for migrations, fill in stages:
            executor = MigrationExecutor(connection)
            executor.loader = MigrationLoader(connection, replace_migrations=False)  # step by step, as it was made then
            executor.migrate(migrations)
            old: Apps = executor.loader.project_state(migrations).apps
            fill(lambda model, old=old, **fields: old.get_model(model).objects.create(**fields))
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
        drop_views(connection)
        ContentType.objects.clear_cache()
        # Content types, permissions, and the views of reports.
        emit_post_migrate_signal(verbosity=0, interactive=False, db=connection.alias)
        forget_desk()  # PostgreSQL begins to count keys anew
    assert schema() == of_a_new_one


#: What makes up a database besides columns and constraints; names that Django makes up itself are not told.
DEFINITIONS = {
    "postgresql": r"""
        SELECT 'index', tablename, regexp_replace(indexdef, ' INDEX \S+ ON ', ' INDEX ON ') FROM pg_indexes
        WHERE schemaname = 'public'
        UNION ALL SELECT 'constraint', conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT 'trigger', tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger
        WHERE NOT tgisinternal
        UNION ALL SELECT 'function', proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL SELECT 'column', attrelid::regclass::text, concat_ws(' ', attname, format_type(atttypid, atttypmod),
            attnotnull, attidentity, attgenerated, attstorage, attstattarget, pg_get_expr(adbin, adrelid))
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
        UNION ALL SELECT 'options', relname, array_to_string(reloptions, ' ') FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND reloptions IS NOT NULL
    """,
    "sqlite": """
        SELECT type, tbl_name, replace(replace(sql, name, ''), '"', '') FROM sqlite_master
        WHERE type IN ('index', 'trigger') AND sql <> ''
        UNION ALL SELECT 'column', m.name,
            c.name || ' ' || lower(c.type) || ' ' || c."notnull" || quote(c.dflt_value) || c.pk || c.hidden
        FROM sqlite_master AS m JOIN pragma_table_xinfo(m.name) AS c WHERE m.type = 'table'
    """,
}


def schema() -> dict[str, Any]:
    """Everything by which two databases can differ, but the order of columns and names that Django made up."""
    models = apps.get_models(include_auto_created=True)
    named = {one.name for model in models for one in (*model._meta.indexes, *model._meta.constraints)}
    with connection.cursor() as cursor:
        tables = [info.name for info in connection.introspection.get_table_list(cursor) if info.type == "t"]
        constraints = [
            (table, name if name in named else "", sorted((key, str(value)) for key, value in facts.items()))
            for table in tables
            for name, facts in connection.introspection.get_constraints(cursor, table).items()
        ]
        cursor.execute(DEFINITIONS[connection.vendor])
        definitions = [tuple(map(str, row)) for row in cursor.fetchall()]
    return {"tables": sorted(tables), "constraints": sorted(constraints), "definitions": sorted(definitions)}


def of_company(name: str) -> list[Case]:
    return list(Case.objects.filter(company__name=name))


def drop_everything() -> None:
    """Leave an empty database, as before the first migration: much faster than to go back through all of them."""
    drop_views(connection)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            return
        tables = connection.introspection.table_names(cursor)
        with connection.constraint_checks_disabled():
            for table in tables:
                cursor.execute(f"DROP TABLE IF EXISTS {connection.ops.quote_name(table)}")


def fill_waits(make: Make) -> None:
    """Waits of the plan of three contacts, one of them with a notice, and one that is pending."""
    company = make("contacts.Company", name="Waiting", country="DE", time_zone="Europe/Berlin")
    contact = make("contacts.Contact", company=company, name="Help desk", email="desk@waiting.example.com")
    wait = {"status": "customer_update_required", "waiting_since": THEN, "wait_episode": 1, "follow_up_at": LATER}
    plans = {"noticed": "three_contacts", "fresh": "three_contacts", "pending": "pending"}
    cases = {
        title: make("cases.Case", company=company, contact=contact, title=title, wait_plan=plan, **wait)
        for title, plan in plans.items()
    }
    notice = {"step": "notice-1", "due_at": THEN, "done_at": THEN}
    make("cases.Notice", case=cases["noticed"], episode=1, **notice)
    make("cases.Notice", case=cases["fresh"], episode=9, **notice)  # of another wait


def check_waits() -> None:
    """Waits that got notices go on with notices, and the others look anew (F1)."""
    plans = {case.title: (case.wait_plan, case.follow_up_check_at) for case in of_company("Waiting")}
    assert plans["noticed"][0] == plans["pending"][0] == WaitPlan.PENDING_CLIENT_ACTION
    assert plans["fresh"][0] == WaitPlan.THREE_CONTACTS
    assert plans["fresh"][1] != plans["pending"][1] == LATER


def fill_old_names(make: Make) -> None:
    """One row of every table that was renamed, or has a renamed column."""
    company = make("contacts.Company", name="Renamed", country="DE", time_zone="Europe/Berlin")
    contact = make("contacts.Contact", company=company, name="Help desk", email="desk@renamed.example.com")
    moments = {
        column: THEN + timedelta(hours=hours)
        for hours, column in enumerate(("look_at", "follow_up_at", "promise_at", "promises_since"), start=1)
    }
    case = make("cases.Case", company=company, contact=contact, title="?", update_rhythm={"customer": 120}, **moments)
    make(
        "cases.HistoricalCase",
        **{"id": case.pk, "company": company, "contact": contact, "title": "?", "update_rhythm": case.update_rhythm},
        **{"history_date": THEN, "history_type": "+"},
    )
    mail = make("cases.Mail", case=case, key="notice:1", template="notice_1", to_address=contact.email,
                queued_at=THEN, send_at=THEN, message_id="<1@example.com>")  # fmt: skip
    make("cases.Notice", case=case, episode=1, step="notice-1", due_at=THEN, done_at=THEN, mail=mail)
    make("cases.SetAside", case=case, sweep="escalate", since=THEN, retry_at=THEN, error="?")
    make("cases.Pulse", name="escalate", last_at=THEN)
    make("escalations.Promise", case=case, kind="update", member="customer", since=THEN, due_at=THEN,
         outcome="missed", mail=mail)  # fmt: skip
    make("escalations.StaffLine", case=case, section="update", key="k", to_address="a@example.com", written_at=THEN,
         mail=mail)  # fmt: skip
    version = make("escalations.ScheduleVersion", number=1)
    make("escalations.SchedulePoint", version=version, severity="high", number=1, after=timedelta(hours=1),
         rhythm={"customer": 30})  # fmt: skip
    make("escalations.Escalation", case=case, run=1, severity="high", number=1, due_at=THEN, done_at=THEN,
         schedule_version=1, rhythm={"customer": 60})  # fmt: skip


def check_names() -> None:
    """Rows written under the old names are read under the new ones."""
    (case,) = of_company("Renamed")
    checks = case.escalation_check_at, case.follow_up_check_at, case.sla_check_at, case.sla_counts_from
    assert checks == tuple(THEN + timedelta(hours=hours) for hours in (1, 2, 3, 4))
    assert case.next_due_at == THEN + timedelta(hours=1)  # W2
    assert case.update_cadence == case.history.get().update_cadence == {"customer": 120}
    follow_up = FollowUp.objects.get(case=case)
    assert (follow_up.step, follow_up.mail.follow_up) == ("notice-1", follow_up)
    assert FailedCase.objects.get().case == case
    assert SweepRun.objects.get().name == "escalate"
    target = SlaTarget.objects.get()
    assert (target.case, target.get_outcome_display(), target.mail.sla_targets.get()) == (case, "Missed", target)
    assert DigestLine.objects.get().mail == Mail.objects.get()
    assert Escalation.objects.get().cadence == {"customer": 60}
    assert SchedulePoint.objects.get().cadence == {"customer": 30}


def history(*states: tuple[int, str]) -> Callable[[Make, dict[str, Any]], None]:
    def write(make: Make, fields: dict[str, Any]) -> None:
        for minutes, status in states:
            at = THEN + timedelta(minutes=minutes, milliseconds=900)
            make("cases.HistoricalCase", **fields, status=status, history_date=at, history_type="~")

    return write


WORKS, WAITS, RESOLVED = "in_progress", "customer_update_required", "resolved"
LIVES = {
    "waited twice": history((0, "assigned"), (10, WAITS), (40, WORKS), (50, WAITS), (55, WAITS), (110, RESOLVED)),
    "waits": history((0, WORKS), (10, WAITS), (20, WORKS), (30, WAITS)),
    "reopened": history((0, WORKS), (10, RESOLVED), (20, WORKS), (30, RESOLVED), (35, RESOLVED), (50, WORKS)),
    "came without history": history(),
}


def fill_lives(make: Make) -> None:
    """Cases with a past, as their history tells it."""
    company = make("contacts.Company", name="Living", country="DE", time_zone="Europe/Berlin")
    contact = make("contacts.Contact", company=company, name="Help desk", email="desk@living.example.com")
    for title, write in LIVES.items():
        now = {"status": WAITS, "waiting_since": THEN + timedelta(minutes=30)} if title == "waits" else {}
        case = make("cases.Case", company=company, contact=contact, title=title, **now)
        write(make, {"id": case.pk, "company": company, "contact": contact, "title": title})


def check_lives() -> None:
    """What reports read of a case is counted once from its history (W4)."""
    assert {case.title: (case.waited_seconds, case.reopenings) for case in of_company("Living")} == {
        "waited twice": (90 * 60, 0),
        "waits": (10 * 60, 0),  # the wait that it is in does not count
        "reopened": (0, 2),
        "came without history": (0, 0),
    }


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_database_that_older_desks_filled_upgrades_and_keeps_every_row() -> None:
    people = ("contacts", "0003_bundled_mail")  # columns of people that came later have no default in the database
    upgrade(
        [
            ([("cases", "0006_waiting_for_the_customer"), people], fill_waits),
            ([("cases", "0007_waits_under_way"), ("escalations", "0003_base_intervals"), people], fill_old_names),
            (
                [
                    ("cases", "0039_open_by_age"),
                    ("escalations", "0012_account_managers"),
                    ("contacts", "0006_daily_digest"),
                ],
                fill_lives,
            ),
        ]
    )
    check_waits()
    check_names()
    check_lives()
